"""The doctor: checks each configured database, and advises where something is wrong.

It reads the databases as the gateway would, and changes nothing there. It notes the tables that it
sees for the gateway: one that is gone later is a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.backends.base import Backend, Examination, Finding, SourceUnavailable
from connectors.changes.outbox_triggers import TriggersMissing
from connectors.changes.untold import untold_events
from connectors.description import Database, Group
from gateway.databases.backends import make_backend
from gateway.databases.change_sources import make_change_source
from gateway.fetch.tables import SeenTables, Tables
from gateway.runtime.clock import Clock, legal_date
from gateway.settings import DatabaseSettings, RecordSettings, Settings
from gateway.settings.faults import setting_place

#: Seconds by which a database's clock may differ: its ``asOf`` is compared with the gateway's.
_CLOCK_TOLERANCE = 2.0
#: Seconds after which the examination of one database ends.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Checkup:
    """The examination of one database. ``examined`` None: settings do not say where it is."""

    database: str
    examined: Examination | None
    problems: tuple[LocatedFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A finding, and the place in the settings that it is about: ``gateway.toml:12``."""

    finding: Finding
    where: str


async def check_up(
    settings: Settings, databases: Iterable[Database], file: Path | None, clock: Clock
) -> list[Checkup]:
    """Examine ``databases`` thoroughly, one after the other: side by side they would look slower.

    ``file``: the settings file, for line numbers. Takes a second or two for each, a minute at most.
    Never raises for what a database does.
    """
    return [await _check_up(settings, database, file, clock) for database in databases]


async def _check_up(
    settings: Settings, database: Database, file: Path | None, clock: Clock
) -> Checkup:
    database_settings = settings.databases.get(database.name, DatabaseSettings())
    try:
        backend = make_backend(database, settings, database_settings)
    except ValueError as error:
        path, _, text = str(error).partition(": ")
        fault = Finding("settings", text, "mend the setting: the gateway does not start with it")
        return Checkup(
            database.name,
            Examination(),
            (LocatedFinding(fault, setting_place(file, path.split("."))),),
        )
    if backend is None:
        return Checkup(database.name, None)
    examined = await _examined(backend)
    seen_tables = SeenTables(settings.path(settings.tables), clock)
    Tables(database, database_settings, seen_tables).note_examined(examined)
    findings = (
        *(finding for finding in examined.findings if not _is_stated(finding, database_settings)),
        *_clock_findings(examined),
        *agreement_findings(database_settings, clock),
        *group_findings(database, database_settings),
        *await change_findings(settings, database),
    )
    problems = tuple(
        LocatedFinding(finding, setting_place(file, ("databases", database.name, *finding.setting)))
        for finding in findings
    )
    return Checkup(database.name, replace(examined, findings=findings), problems)


def _is_stated(finding: Finding, database_settings: DatabaseSettings) -> bool:
    """Say whether settings tell readers already that records lack numbers of persons."""
    if finding.topic != "unnumbered":
        return False
    record = database_settings.records.get(finding.setting[1], RecordSettings())
    stated = database_settings.unnumbered if record.unnumbered is None else record.unnumbered
    return stated is True


async def _examined(backend: Backend) -> Examination:
    try:
        async with asyncio.timeout(_PATIENCE):
            await backend.open()
            return await backend.examine(thoroughly=True)
    except TimeoutError:
        advice = "see what keeps it busy"
        finding = Finding("server", f"it was not looked at within {_PATIENCE:.0f} s", advice)
        return Examination((finding,), reached=False)
    finally:
        await backend.close()


def _clock_findings(examined: Examination) -> Iterable[Finding]:
    ahead = examined.clock_ahead
    if ahead is not None and abs(ahead) > _CLOCK_TOLERANCE:
        side = "ahead of" if ahead > 0 else "behind"
        text = f"its clock is {abs(ahead):.0f} s {side} this machine's"
        yield Finding("clock", text, "set both by the same time server (NTP)")


async def change_findings(settings: Settings, database: Database) -> list[Finding]:
    """Return what keeps the changes of a database from being followed, as settings say."""
    database_settings = settings.databases.get(database.name)
    if database_settings is None or database_settings.changes is None:
        return []
    try:
        source = make_change_source(settings, database)
    except ValueError as error:
        text = str(error).partition(": ")[2]
        advice = "mend the setting: the gateway does not start with it"
        return [Finding("changes", text, advice, ("changes",))]
    findings = list(_untold_findings(database, database_settings))
    try:
        async with asyncio.timeout(_PATIENCE):
            await source.open()
            await source.start()
    except TriggersMissing as error:
        advice = f"have its owner run what this prints: justice-gateway changes ddl {database.name}"
        findings += [Finding("changes", fault, advice, ("changes",)) for fault in error.faults]
    except (SourceUnavailable, TimeoutError) as error:
        text = f"its changes cannot be followed: {str(error) or 'timeout'}"
        advice = "see that the source of changes is there and may be read (changes ddl prints one)"
        findings.append(Finding("changes", text, advice, ("changes",)))
    finally:
        await source.close()
    return findings


def _untold_findings(database: Database, database_settings: DatabaseSettings) -> Iterable[Finding]:
    """Yield a finding for the events that the tables of a database can never tell."""
    for events in untold_events(database, database_settings.record_maps(), None):
        absence = "there never is an event" if events.are_all else "there never are some events"
        wants = ", ".join(events.wants)
        text = f"{absence} {events.kind} of {events.record}, for want of {wants}"
        advice = "name the column, or the constants of all rows; justice-gateway changes ddl prints"
        record, _, column = events.wants[0].partition(".")
        setting = ("records", record, "missing" if column else "mapped")
        yield Finding("changes", text, f"{advice} its triggers", setting)


def group_findings(database: Database, database_settings: DatabaseSettings) -> Iterable[Finding]:
    """Yield a finding for a database with an address that its declared group keeps from being read.

    None where settings name a group: that is the operator's decision.
    """
    reached = database_settings.url is not None or database_settings.xroad is not None
    if reached and database_settings.group is None and database.group is not Group.OPERATING:
        text = f"its group is {database.group.name}: it is not asked, and is NOT_OPERATING"
        yield Finding("group", text, 'set group = "OPERATING" once it is in operation')


def agreement_findings(database_settings: DatabaseSettings, clock: Clock) -> Iterable[Finding]:
    """Yield a finding for a data agreement that has expired or soon will."""
    if database_settings.xroad is None:
        return
    agreement = database_settings.xroad.agreement
    days_left = (agreement.expires - legal_date(clock.now())).days
    if days_left < 0:
        text = f"the agreement ended on {agreement.expires}: the database is NOT_OPERATING"
    elif days_left <= agreement.warn_days:
        text = f"the agreement ends on {agreement.expires}, in {days_left} days"
    else:
        return
    setting = ("xroad", "agreement", "expires")
    yield Finding("agreement", text, f"have it prolonged ({agreement.legal_basis})", setting)
