"""Which events a source can never tell."""

from __future__ import annotations

import pytest

from connectors.backends.record_maps import RecordMap
from connectors.changes.change import ChangePromise
from connectors.changes.untold import UntoldEvents, untold_events, untold_kinds
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Database
from connectors.notary import DATABASE as NOTARY
from connectors.registry import installed_databases

#: What an outbox with rows promises, and a watermark.
OUTBOX, WATERMARK = ChangePromise(2, None, True, True), ChangePromise(10, 300, False, False)


@pytest.mark.parametrize(
    ("promise", "untold"),
    [
        (ChangePromise(2, None, True, True, True), set()),
        (ChangePromise(2, None, True, False, True), set()),
        (ChangePromise(10, 300, False, False, True), set()),
        (ChangePromise(10, 300, False, False, False), {"BIRTH"}),
    ],
)
def test_kinds_of_which_a_source_can_tell_nothing_are_known(
    promise: ChangePromise, untold: set[str]
) -> None:
    assert untold_kinds(CIVIL_STATUS.records, promise) == untold


@pytest.mark.parametrize("database", installed_databases(), ids=lambda each: each.name)
def test_a_database_as_declared_can_tell_everything_by_an_outbox(database: Database) -> None:
    assert untold_events(database, {}, OUTBOX) == untold_events(database, {}, None) == []


@pytest.mark.parametrize(
    ("stored", "wants"),
    [
        (RecordMap(missing=("registration_kind",)), "births.registration_kind"),
        (RecordMap(missing=("registration_date",)), "births.registration_date"),
        (RecordMap(missing=("citizen_id",)), "births.citizen_id"),
        (RecordMap(constants={"registration_kind": "DIGITISED"}), "births.registration_kind"),
        (RecordMap(mapped=False), "births"),
    ],
    ids=["column of a test", "column of a date", "column of a number", "constant", "record"],
)
def test_births_are_never_told_without_what_their_rules_test(stored: RecordMap, wants: str) -> None:
    births = UntoldEvents("BIRTH", "births", True, (wants,))
    assert untold_events(CIVIL_STATUS, {"births": stored}, OUTBOX) == [births]


@pytest.mark.parametrize(
    ("name", "stored", "expected"),
    [
        (
            "births",
            RecordMap(missing=("father_citizen_id",)),
            ("BIRTH", "births.father_citizen_id"),
        ),
        ("deaths", RecordMap(missing=("status",)), ("CORRECTION", "deaths.status")),
        ("deaths", RecordMap(constants={"status": "VALID"}), ("CORRECTION", "deaths.status")),
    ],
    ids=["one of two parents", "no state", "a constant state"],
)
def test_where_some_events_are_told_the_others_are_named(
    name: str, stored: RecordMap, expected: tuple[str, str]
) -> None:
    kind, wants = expected
    some = UntoldEvents(kind, name, False, (wants,))
    assert untold_events(CIVIL_STATUS, {name: stored}, OUTBOX) == [some]


def test_columns_with_a_value_that_a_rule_expects_want_nothing() -> None:
    stored = RecordMap(constants={"registration_kind": "ON_TIME"}, missing=("birth_place",))
    assert untold_events(CIVIL_STATUS, {"births": stored}, OUTBOX) == []


def test_people_who_stand_in_another_record_are_not_told_of_without_it() -> None:
    unmapped = {"asset_owners": RecordMap(mapped=False)}
    wants = {each.kind: each.wants for each in untold_events(NOTARY, unmapped, OUTBOX)}
    assert wants == dict.fromkeys(("BLOCK_PLACED", "BLOCK_LIFTED", "CORRECTION"), ("asset_owners",))


def test_a_source_that_sees_no_former_rows_tells_corrections_of_what_changed_never() -> None:
    states = "states between looks"
    assert untold_events(NOTARY, {}, WATERMARK) == [
        UntoldEvents("BLOCK_PLACED", "preventive_infos", False, (states,)),
        UntoldEvents("BLOCK_LIFTED", "preventive_infos", False, (states,)),
        UntoldEvents("CORRECTION", "preventive_infos", True, ("deletions",)),
    ]
    untold = {(each.kind, each.record): each for each in untold_events(CIVIL_STATUS, {}, WATERMARK)}
    assert untold["BIRTH", "births"].wants == ("former rows", states)
    assert untold["DEATH", "deaths"].wants == (states,)
    assert untold["CORRECTION", "deaths"].wants == (states, "former rows", "deletions")
    assert not any(each.are_all for each in untold.values())


def test_a_source_with_a_record_of_what_happened_misses_no_state() -> None:
    outbox = ChangePromise(2, None, True, False)
    untold = untold_events(NOTARY, {}, outbox)
    assert "states between looks" not in {want for each in untold for want in each.wants}
