"""Which events a page of changes is, of whom, and under which ids.

Covers ``gateway.changes.derivation`` and ``gateway.changes.event_ids`` too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.changes.change import Change, ChangeOperation, UnreadableChange
from connectors.civil_enforcement import DATABASE as CIVIL_ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Row
from gateway.changes.derive_events import (
    DerivedEvents,
    ReadRows,
    RowsRead,
    derive_events,
    reads_for,
    unknown_kinds,
)
from gateway.changes.event_ids import EventIds
from gateway.databases.publishing import conceals
from tests.support.caches import SECRET
from tests.support.listed_changes import DEATHS, MARRIAGES, death, row_of
from tests.support.people import HOA, LAN, NOBODY

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
IDS = EventIds.of_secret(SECRET)
BIRTHS = CIVIL_STATUS.by_name["births"]
PARTIES = CIVIL_ENFORCEMENT.by_name["enforcement_parties"]
CREATE, UPDATE, DELETE, _ = ChangeOperation


def derived(*changes: Change | UnreadableChange, rows: ReadRows | None = None) -> DerivedEvents:
    return derive_events(CIVIL_STATUS, changes, rows or {}, conceals, IDS, NOW, sees_before=True)


def people(result: DerivedEvents) -> set[tuple[str, str | None]]:
    return {(event.kind.name, event.person) for event in result.events}


def birth() -> Change:
    row = row_of(
        BIRTHS, event_id="KS1", citizen_id=NOBODY, status="VALID", registration_kind="ON_TIME",
        birth_date=date(2026, 11, 3), registration_date=date(2026, 11, 29), mother_citizen_id=LAN,
    )  # fmt: skip
    return Change(BIRTHS, CREATE, "KS1", None, row, "7", NOW)


def marriage(status: str = "VALID", wife: str = LAN, before: Row | None = None) -> Change:
    row = row_of(
        MARRIAGES, event_id="KH1", husband_citizen_id=HOA, wife_citizen_id=wife, status=status
    )
    operation = CREATE if before is None else UPDATE
    return Change(MARRIAGES, operation, "KH1", before, row, "1", NOW)


def test_a_marriage_is_an_event_of_each_of_the_two() -> None:
    result = derived(marriage())
    assert people(result) == {("MARRIAGE", HOA), ("MARRIAGE", LAN)}
    assert len({event.id for event in result.events}) == 2
    assert {(event.record, event.row) for event in result.events} == {("marriages", "KH1")}


def test_the_same_change_has_the_same_ids_and_another_change_has_others() -> None:
    first, again = derived(death(HOA, "1")), derived(death(HOA, "1"))
    assert [event.id for event in first.events] == [event.id for event in again.events]
    later = derived(replace(death(HOA, "1"), position="2"), death(LAN, "1"), death(HOA, "3"))
    ids = [event.id for event in (*first.events, *later.events)]
    assert len(ids) == len(set(ids)) == 4


def test_a_change_at_a_position_of_before_an_older_copy_was_restored_has_another_id() -> None:
    """Same person, row and position, as when an entry that was lost is made again."""
    before = replace(death(HOA, "1"), committed_at=NOW)
    after = replace(before, committed_at=NOW + timedelta(minutes=1))
    ids = {event.id for change in (before, after, before) for event in derived(change).events}
    assert len(ids) == 2


def test_a_creation_that_is_reported_at_two_positions_is_one_event() -> None:
    first = replace(birth(), creation="c")
    rows: ReadRows = {RowsRead("births", "births", NOBODY): []}
    later: dict[str, Any] = {"position": "8", "committed_at": NOW + timedelta(minutes=1)}
    ids = [
        [event.id for event in derived(change, rows=rows).events]
        for change in (first, replace(first, **later, may_be_update=True))
    ]
    assert ids[0] == ids[1] != []


def test_whoever_becomes_a_party_has_one_event_of_it_however_often_the_row_is_reported() -> None:
    party = row_of(PARTIES, entry_id="1", decision_no="QĐ1", party_citizen_id=HOA)
    creation = Change(PARTIES, CREATE, "1", None, party, "1", NOW, "c")
    changes = (creation, replace(creation, operation=UPDATE, position="2"))
    events = derive_events(
        CIVIL_ENFORCEMENT, changes, {}, conceals, IDS, NOW, sees_before=True
    ).events
    assert [event.kind.name for event in events] == ["CASE_OPENED"]


def test_a_state_that_a_new_row_enters_twice_is_two_events() -> None:
    first = replace(death(HOA, "1"), creation="c", may_be_update=True)
    events = derived(first, replace(first, position="2")).events
    assert [event.kind.name for event in events] == ["DEATH", "DEATH"]


def test_ids_tell_nothing_without_the_key() -> None:
    other = EventIds(b"another key of the tests, 32 byte")
    rule = next(rule for rule in DEATHS.changes if rule.kind == "DEATH")
    ids = {ids.of_change(death(HOA, "1"), rule, HOA) for ids in (IDS, other)}
    assert len(ids) == 2
    assert not any(HOA in text for text in ids)


def test_a_number_that_is_replaced_concerns_whom_the_row_names_now() -> None:
    before = marriage(wife=NOBODY).after
    assert people(derived(marriage(wife=LAN, before=before))) >= {("MARRIAGE", LAN)}


def test_a_row_that_was_replaced_by_another_is_no_event() -> None:
    before = marriage().after
    assert derived(marriage("SUPERSEDED", before=before)).events == []
    assert derived(marriage("SUPERSEDED")).events == []


def test_a_change_that_cannot_be_read_may_be_somebodys_event() -> None:
    result = derived(death(HOA, "1"), UnreadableChange(DEATHS, "2", "death_date"))
    assert (people(result), result.missed_at) == ({("DEATH", HOA)}, "2")


@pytest.mark.parametrize(
    ("status", "sees_before", "missed_at"),
    [("VALID", True, "1"), ("VALID", False, None), ("SUPERSEDED", True, None)],
)
def test_an_update_whose_former_row_a_source_fails_to_tell_may_be_a_correction(
    status: str, sees_before: bool, missed_at: str | None
) -> None:
    """A source that tells no former rows says so once, and not at each update."""
    change = replace(marriage(status), operation=UPDATE)
    result = derive_events(CIVIL_STATUS, [change], {}, conceals, IDS, NOW, sees_before=sees_before)
    assert result.missed_at == missed_at


def test_a_change_of_a_record_without_rules_is_nobodys_event() -> None:
    adoptions = CIVIL_STATUS.by_name["adoptions"]
    assert derived(UnreadableChange(adoptions, "2", "x")) == DerivedEvents([], None)


def test_a_birth_waits_for_the_other_births_under_the_number() -> None:
    read = RowsRead("births", "births", NOBODY)
    assert reads_for([birth()], conceals, NOW) == [read]
    after = birth().after
    assert after is not None
    alone = derived(birth(), rows={read: [after]})
    assert people(alone) == {("BIRTH", NOBODY), ("BIRTH", LAN)}
    earlier = row_of(BIRTHS, event_id="KS0", citizen_id=NOBODY, status="SUPERSEDED")
    assert derived(birth(), rows={read: [after, earlier]}) == DerivedEvents([], None)


def test_a_birth_whose_other_births_cannot_be_read_may_be_an_event() -> None:
    result = derived(birth(), rows={RowsRead("births", "births", NOBODY): None})
    assert (result.events, result.missed_at) == ([], "7")


def test_all_declared_kinds_are_kinds_of_events() -> None:
    assert unknown_kinds(CIVIL_STATUS) == []
