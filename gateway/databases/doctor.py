"""The doctor: whether each configured database is as it should be, and what to do where it is not.

It asks the databases themselves, as the gateway would, and changes nothing there. It notes which
tables it has seen, for the gateway: one that is gone later is a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.backends.base import Backend, Examination, Finding
from connectors.description import Database, Group
from gateway.databases.backends import make_backend
from gateway.fetch.tables import SeenTables, Tables
from gateway.runtime.clock import Clock, legal_date
from gateway.settings import DatabaseSettings, RecordSettings, Settings
from gateway.settings.faults import where

#: By how many seconds the clock of a database may differ: ``asOf`` is compared with the gateway's.
_CLOCK = 2.0
#: Seconds that one database may take to be looked at.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Checkup:
    """What came of looking at one database. ``examined`` None: settings do not say where it is."""

    database: str
    examined: Examination | None
    problems: tuple[LocatedFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A finding, and where settings speak of it: ``gateway.toml:12``."""

    finding: Finding
    where: str


async def check_up(
    settings: Settings, databases: Iterable[Database], file: Path | None, clock: Clock
) -> list[Checkup]:
    """Look thoroughly at ``databases``, one after the other: at once they would look slower.

    ``file``: the settings file, for the lines in it. Takes a second or two for each, a minute at
    most. Never raises for what a database does.
    """
    return [await _check_up(settings, one, file, clock) for one in databases]


async def _check_up(
    settings: Settings, database: Database, file: Path | None, clock: Clock
) -> Checkup:
    own = settings.databases.get(database.name, DatabaseSettings())
    try:
        backend = make_backend(database, settings, own)
    except ValueError as error:
        path, _, text = str(error).partition(": ")
        found = Finding("settings", text, "mend the setting: the gateway does not start with it")
        return Checkup(
            database.name, Examination(), (LocatedFinding(found, where(file, path.split("."))),)
        )
    if backend is None:
        return Checkup(database.name, None)
    examined = await _examined(backend)
    seen = SeenTables(settings.path(settings.tables), clock)
    Tables(database, own, seen).note_examined(examined)
    found_here = (
        *(one for one in examined.findings if not _is_stated(one, own)),
        *_clock_findings(examined),
        *agreement_findings(own, clock),
        *group_findings(database, own),
    )
    problems = tuple(
        LocatedFinding(one, where(file, ("databases", database.name, *one.setting)))
        for one in found_here
    )
    return Checkup(database.name, replace(examined, findings=found_here), problems)


def _is_stated(finding: Finding, own: DatabaseSettings) -> bool:
    """Say whether readers are told of it: that there are records without a number of a person."""
    if finding.topic != "unnumbered":
        return False
    record = own.records.get(finding.setting[1], RecordSettings())
    stated = own.unnumbered if record.unnumbered is None else record.unnumbered
    return stated is True


async def _examined(backend: Backend) -> Examination:
    try:
        async with asyncio.timeout(_PATIENCE):
            await backend.open()
            return await backend.examine(thoroughly=True)
    except TimeoutError:
        advice = "see what keeps it busy"
        found = Finding("server", f"it was not looked at within {_PATIENCE:.0f} s", advice)
        return Examination((found,), reached=False)
    finally:
        await backend.close()


def _clock_findings(examined: Examination) -> Iterable[Finding]:
    ahead = examined.clock_ahead
    if ahead is not None and abs(ahead) > _CLOCK:
        side = "ahead of" if ahead > 0 else "behind"
        text = f"its clock is {abs(ahead):.0f} s {side} this machine's"
        yield Finding("clock", text, "set both by the same time server (NTP)")


def group_findings(database: Database, own: DatabaseSettings) -> Iterable[Finding]:
    """Say that a database has an address and is not asked, because of its declared group.

    Where settings name a group it is the operator's word, and nothing is said.
    """
    reached = own.url is not None or own.xroad is not None
    if reached and own.group is None and database.group is not Group.OPERATING:
        text = f"its group is {database.group.name}: it is not asked, and is NOT_OPERATING"
        yield Finding("group", text, 'set group = "OPERATING" once it is in operation')


def agreement_findings(own: DatabaseSettings, clock: Clock) -> Iterable[Finding]:
    """Say that the agreement by which a database is asked is over, or soon will be."""
    if own.xroad is None:
        return
    agreed = own.xroad.agreement
    left = (agreed.expires - legal_date(clock.now())).days
    if left < 0:
        text = f"the agreement ended on {agreed.expires}: the database is NOT_OPERATING"
    elif left <= agreed.warn_days:
        text = f"the agreement ends on {agreed.expires}, in {left} days"
    else:
        return
    setting = ("xroad", "agreement", "expires")
    yield Finding("agreement", text, f"have it prolonged ({agreed.legal_basis})", setting)
