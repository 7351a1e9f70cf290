"""The permission table over events: every demo caller, purpose and kind, in every database.

What should be seen is worked out from the declarations alone: the scope of the record, and a
purpose that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Record, Sensitivity
from gateway.access.caller import Caller
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.feed import LONGEST_PAGE, read_feed
from gateway.changes.feed_scope import visible_date
from gateway.changes.origins import Origin, origins_of
from gateway.cli.demo import CALLERS
from gateway.procedures.procedure import UNIFIED
from gateway.procedures.registry import procedure_of
from gateway.settings import Purpose
from tests.support.feeds import TERMS, Feeds
from tests.support.people import HOA, LAN
from tests.support.running import running
from tests.support.worlds import ALL, EVERY, LIVE, Row, world

ORIGINS = origins_of(ALL)
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
EVENTS = "events:read"


def callers() -> Iterator[Caller]:
    """Yield each demo caller under each of its purposes, and one with every scope under each."""
    scopes = {name: (caller.scopes, caller.purposes) for name, caller in CALLERS.items()}
    every = tuple(dict.fromkeys(code for _, codes in scopes.values() for code in codes))
    scopes["with every scope"] = (EVERY, (*every, "2.001263", "notarised-inheritance"))
    for name, (granted, purposes) in scopes.items():
        for purpose in purposes:
            yield Caller(name, scopes=frozenset({*granted, EVENTS}), purpose=purpose)


def may_see(caller: Caller, record: Record) -> bool:
    """Say whether a caller may see a list of somebody else's records, by the rules."""
    name, procedure = f"{record.database}.{record.name}", procedure_of(caller.purpose or "")
    granted = not caller.scopes.isdisjoint({f"{record.database}:read", f"{name}:read"})
    assert procedure is not None
    return granted and (procedure.unlimited or name in procedure.fields)


def test_a_date_is_shown_with_the_field_that_says_it_alone() -> None:
    deaths = CIVIL_STATUS.by_name["deaths"]
    (place,) = {deaths.positions[rule.date] for rule in deaths.changes if rule.date}
    columns = list(deaths.columns)
    columns[place] = replace(columns[place], sensitivity=Sensitivity.SENSITIVE)
    closed = replace(deaths, columns=tuple(columns))
    records = (closed if each is deaths else each for each in CIVIL_STATUS.records)
    database = replace(CIVIL_STATUS, records=tuple(records))
    event = LifeEvent(
        "e", LifeEventKind.DEATH, "civil_status", HOA, "deaths", "R", "2026-11-22", None, NOW
    )
    caller = Caller("c", scopes=frozenset({"civil_status:read"}), purpose=UNIFIED)
    assert visible_date(caller, CIVIL_STATUS, event) == "2026-11-22"
    assert visible_date(caller, database, event) is None
    granted = replace(caller, scopes=caller.scopes | {"civil_status:sensitive"})
    assert visible_date(granted, database, event) == "2026-11-22"


async def test_nobody_sees_an_event_beyond_scope_purpose_and_interest(tmp_path: Path) -> None:
    purposes: dict[str, Purpose] = {caller.purpose or "": TERMS for caller in callers()}
    # A birth is shown as long as its entry is there.
    birth: Row = {"event_id": "R1", "citizen_id": HOA, "status": "VALID"}
    backends = world({"civil_status": {"births": [birth]}})
    async with running(tmp_path, backends, ALL, databases_=LIVE, purposes=purposes) as gateway:
        feeds = Feeds(gateway, tmp_path)
        for caller in callers():
            await feeds.register(caller, HOA)
        of_origin: dict[str, Origin] = {}
        for origin in ORIGINS:
            for person in (HOA, LAN):
                record = origin.record
                event = await feeds.happen(
                    origin.kind, person, record.name, database=record.database
                )
                if person == HOA:
                    of_origin[event.id] = origin
        parts = replace(feeds.parts, origins=ORIGINS)
        counts = []
        for caller in callers():
            page = await read_feed(
                parts, caller, first=LONGEST_PAGE, deadline=gateway.clock.monotonic() + 60
            )
            seen = {edge.event.id for edge in page.edges}
            expected = {
                event_id for event_id, each in of_origin.items() if may_see(caller, each.record)
            }
            assert seen == expected, caller.client
            shown = {of_origin[event_id].record.database for event_id in seen}
            assert {source.database for source in page.sources} == shown
            denied = {(each.kind, each.database, each.record) for each in page.denied}
            hidden = [each for event_id, each in of_origin.items() if event_id not in seen]
            assert denied == {(e.kind, e.record.database, e.record.name) for e in hidden}
            counts.append(len(seen))
    assert min(counts) == 0
    assert max(counts) == len(ORIGINS)


@pytest.mark.parametrize("name", ["analyst", "operator", "partner"])
def test_callers_without_a_right_to_records_see_none(name: str) -> None:
    caller = Caller(name, scopes=frozenset({*CALLERS[name].scopes, EVENTS}), purpose="1.000894")
    assert not any(may_see(caller, origin.record) for origin in ORIGINS)
    assert not caller.may_name_persons
