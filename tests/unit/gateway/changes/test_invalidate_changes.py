"""Which cached rows a change makes void: those of whoever it names, or all of the record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.changes.change import Change, ChangeOperation, UnreadableChange
from connectors.civil_enforcement import DATABASE as CIVIL_ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from gateway.cache.invalidations import Invalidation
from gateway.changes.invalidate_changes import invalidations_of
from tests.support.listed_changes import DEATHS, MARRIAGES, death, row_of
from tests.support.people import HOA, LAN, NOBODY

CREATE, UPDATE, DELETE, WRITE = ChangeOperation
ALL_DEATHS = [Invalidation(None, "civil_status", "deaths")]


def voided(change: Change | UnreadableChange) -> set[str | None]:
    return {each.person for each in invalidations_of(CIVIL_STATUS, [change])}


def union(wife: str) -> tuple[object, ...]:
    return row_of(MARRIAGES, event_id="KH1", husband_citizen_id=HOA, wife_citizen_id=wife)


def test_everybody_named_before_and_after_is_voided_in_the_whole_database() -> None:
    change = Change(MARRIAGES, UPDATE, "KH1", union(NOBODY), union(LAN), "1", None)
    assert voided(change) == {HOA, LAN, NOBODY}
    records = {each.record for each in invalidations_of(CIVIL_STATUS, [change])}
    assert records == {None}


@pytest.mark.parametrize("operation", [UPDATE, WRITE])
def test_without_the_row_of_before_the_whole_record_is_void(operation: ChangeOperation) -> None:
    assert invalidations_of(CIVIL_STATUS, [death(HOA, "1", operation)]) == ALL_DEATHS


def test_a_creation_may_have_been_another_row_for_a_source_that_reads_present_rows_only() -> None:
    changes = [death(HOA, "1")]
    assert invalidations_of(CIVIL_STATUS, changes, reads_present_rows=True) == ALL_DEATHS


def test_a_deletion_seen_by_its_key_alone_voids_the_record() -> None:
    deletion = replace(death(HOA, "1", DELETE), after=None)
    assert invalidations_of(CIVIL_STATUS, [deletion]) == ALL_DEATHS
    before = death(HOA, "1").after
    assert voided(replace(deletion, before=before)) == {HOA}


def test_what_cannot_be_read_or_names_nobody_voids_the_record() -> None:
    unreadable = UnreadableChange(DEATHS, "1", "death_date")
    nobody = Change(DEATHS, CREATE, "1", None, row_of(DEATHS, event_id="1"), "1", None)
    assert invalidations_of(CIVIL_STATUS, [unreadable, nobody]) == ALL_DEATHS


def test_a_party_whose_row_may_have_been_another_voids_the_cases_found_through_it() -> None:
    parties = CIVIL_ENFORCEMENT.by_name["enforcement_parties"]
    row = row_of(parties, party_id="1", decision_no="2", person_id=HOA)
    change = Change(parties, WRITE, "1", None, row, "1", None)
    records = {each.record for each in invalidations_of(CIVIL_ENFORCEMENT, [change])}
    assert records >= {"enforcement_parties", "cases"}


def test_very_many_are_one_invalidation_of_the_database() -> None:
    changes = [death(f"0011900{number:05}", str(number)) for number in range(5_000)]
    assert invalidations_of(CIVIL_STATUS, changes) == [Invalidation(None, "civil_status", None)]
