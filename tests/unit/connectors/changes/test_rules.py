"""Which changes are events in people's lives, and which the law keeps quiet about."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connectors.changes.change import Change, ChangeOperation
from connectors.changes.rules import RowNews, needs_former_row, numbers_in, row_news
from connectors.civil_enforcement import DATABASE as CIVIL_ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import ChangeRule, Record, Row
from connectors.notary import DATABASE as NOTARY
from connectors.registry import installed_databases
from gateway.access.caller import Caller
from gateway.protection.rules import RULES, is_withheld

BIRTHS, DEATHS = CIVIL_STATUS.by_name["births"], CIVIL_STATUS.by_name["deaths"]
MARRIAGES = CIVIL_STATUS.by_name["marriages"]
BLOCKS = NOTARY.by_name["preventive_infos"]
CHILD, MOTHER, FATHER = "001226000001", "001190000002", "001090000003"
NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
C, U, D, W = ChangeOperation

Values = dict[str, object]
BIRTH: Values = {
    "event_id": "KS1",
    "citizen_id": CHILD,
    "registration_date": date(2026, 11, 29),
    "registration_kind": "ON_TIME",
    "birth_date": date(2026, 11, 3),
    "mother_citizen_id": MOTHER,
    "father_citizen_id": FATHER,
    "status": "VALID",
}
DEATH: Values = {"event_id": "KT1", "citizen_id": MOTHER, "status": "VALID"}
BLOCK: Values = {"prevent_id": "N1", "person_id": MOTHER, "level": "BLOCK", "status": "ACTIVE"}
UNION: Values = {
    "event_id": "KH1",
    "husband_citizen_id": FATHER,
    "wife_citizen_id": MOTHER,
    "status": "VALID",
}


def row(record: Record, values: Values) -> Row:
    return tuple(values.get(column.name) for column in record.columns)


def events(
    record: Record, operation: ChangeOperation, before: Values | None, after: Values | None
) -> set[tuple[str, str]]:
    """Return kinds and people of what a change is."""
    return {(rule.kind, number) for rule, news in news_of(record, operation, before, after)
            for number in news.numbers}  # fmt: skip


def news_of(
    record: Record,
    operation: ChangeOperation,
    before: Values | None,
    after: Values | None,
    *,
    may_be_update: bool = False,
) -> list[tuple[ChangeRule, RowNews]]:
    old, new = (None if values is None else row(record, values) for values in (before, after))
    change = Change(record, operation, "1", old, new, "1", NOW, "made", may_be_update)
    every = [(rule, row_news(rule, change, NOW)) for rule in record.changes]
    return [(rule, news) for rule, news in every if news is not None]


def test_a_birth_is_news_of_child_and_parents() -> None:
    assert events(BIRTHS, C, None, BIRTH) == {
        ("BIRTH", CHILD),
        ("BIRTH", MOTHER),
        ("BIRTH", FATHER),
    }


def test_a_birth_is_news_only_where_it_is_the_only_one_under_the_number_of_the_child() -> None:
    news = news_of(BIRTHS, C, None, BIRTH)
    assert {(rule.sole, each.sole_key) for rule, each in news} == {("births", CHILD)}
    assert events(BIRTHS, C, None, BIRTH | {"citizen_id": None}) == set()


def test_a_number_given_to_a_child_after_its_registration_makes_it_news() -> None:
    before = BIRTH | {"citizen_id": None}
    assert events(BIRTHS, U, before, BIRTH) == {
        ("BIRTH", CHILD),
        ("BIRTH", MOTHER),
        ("BIRTH", FATHER),
    }


def test_parents_who_are_entered_with_the_number_have_no_event() -> None:
    before = BIRTH | {"citizen_id": None, "mother_citizen_id": None}
    assert events(BIRTHS, U, before, BIRTH) == {("BIRTH", CHILD), ("BIRTH", FATHER)}
    unknown = before | {"father_citizen_id": None}
    assert events(BIRTHS, U, unknown, BIRTH) == {("BIRTH", CHILD)}


@pytest.mark.parametrize(
    "told",
    [
        {"registration_kind": "RE_REGISTERED"},
        {"registration_kind": "DIGITISED"},
        {"registration_kind": "FOREIGN_NOTE"},
        {"registration_kind": None},
        {"status": "SUPERSEDED"},
        {"status": "REVOKED"},
        {"registration_date": date(2026, 11, 1)},
        {"registration_date": None},
    ],
)
def test_a_birth_registered_anew_or_of_unknown_kind_is_no_event(told: Values) -> None:
    assert events(BIRTHS, C, None, BIRTH | told) == set()


def test_parents_who_are_entered_later_have_no_event() -> None:
    unknown = BIRTH | {"mother_citizen_id": None, "father_citizen_id": None}
    assert events(BIRTHS, U, unknown, BIRTH) == set()


@pytest.mark.parametrize(
    "changed",
    [{"mother_citizen_id": "001190000009"}, {"status": "AMENDED"}, {"status": "SUPERSEDED"},
     {"note": "con nuôi"}, {"given_name": "Bình"}],
)  # fmt: skip
def test_no_update_of_a_birth_is_an_event(changed: Values) -> None:
    assert events(BIRTHS, U, BIRTH, BIRTH | changed) == set()
    assert events(BIRTHS, U, BIRTH | changed, BIRTH) == set()
    assert events(BIRTHS, D, BIRTH | changed, None) == set()


def test_a_birth_is_no_event_where_the_source_cannot_tell_that_it_is_new() -> None:
    assert events(BIRTHS, W, None, BIRTH) == set()
    assert events(BIRTHS, U, None, BIRTH) == set()


def test_a_death_is_news_also_where_it_is_told_again_or_gets_its_number_later() -> None:
    assert events(DEATHS, C, None, DEATH) == {("DEATH", MOTHER)}
    assert events(DEATHS, W, None, DEATH) == {("DEATH", MOTHER)}
    ((_, news),) = news_of(DEATHS, W, None, DEATH)
    assert not news.certain
    before = DEATH | {"citizen_id": None}
    assert ("DEATH", MOTHER) in events(DEATHS, U, before, DEATH)


def test_a_death_digitised_from_paper_is_no_event() -> None:
    assert events(DEATHS, C, None, DEATH | {"registration_kind": "DIGITISED"}) == set()


@pytest.mark.parametrize(
    "changed",
    [{"death_date": date(2026, 11, 1)}, {"status": "AMENDED"}, {"status": "REVOKED"},
     {"citizen_id": None}],
)  # fmt: skip
def test_a_death_that_is_changed_or_revoked_is_a_correction(changed: Values) -> None:
    assert events(DEATHS, U, DEATH, DEATH | changed) == {("CORRECTION", MOTHER)}


@pytest.mark.parametrize("column", ["note", "amendments", "source_updated_at", "data_quality"])
def test_what_nobody_may_see_or_no_register_says_is_no_correction(column: str) -> None:
    assert events(DEATHS, U, DEATH, DEATH | {column: "x"}) == set()


@pytest.mark.parametrize(
    ("record", "after", "is_needed"),
    [
        (DEATHS, DEATH, True),
        (DEATHS, DEATH | {"status": "REVOKED"}, False),
        (DEATHS, DEATH | {"status": "SUPERSEDED"}, False),
        (DEATHS, DEATH | {"registration_kind": "DIGITISED"}, False),
        (BIRTHS, BIRTH, True),
        (BIRTHS, BIRTH | {"registration_date": date(2026, 10, 1)}, False),
        (BLOCKS, BLOCK, False),
    ],
    ids=["death", "revoked", "replaced", "digitised", "birth", "birth of long ago", "block"],
)
def test_an_update_may_be_news_that_only_the_former_row_would_tell(
    record: Record, after: Values, is_needed: bool
) -> None:
    """Blocks are told again then, and so is what an entry is by its state."""

    def needs(operation: ChangeOperation, before: Values | None, after: Values | None) -> bool:
        rows = (before, after)
        former, present = (None if values is None else row(record, values) for values in rows)
        change = Change(record, operation, "1", former, present, "1", NOW)
        return any(needs_former_row(rule, change, NOW) for rule in record.changes)

    assert needs(U, None, after) == is_needed
    assert not needs(U, after, after)
    assert not needs(C, None, after)
    assert not needs(W, None, after)
    assert not needs(D, None, None)


def test_a_death_that_is_taken_out_is_a_correction_where_it_says_whose() -> None:
    assert events(DEATHS, D, DEATH, None) == {("CORRECTION", MOTHER)}
    assert events(DEATHS, D, None, None) == set()


def test_a_marriage_is_news_of_both_and_its_end_no_correction() -> None:
    assert events(MARRIAGES, C, None, UNION) == {("MARRIAGE", FATHER), ("MARRIAGE", MOTHER)}
    assert events(MARRIAGES, U, UNION, UNION | {"ended_on": date(2026, 11, 2)}) == set()
    assert events(MARRIAGES, C, None, UNION | {"re_registered": True}) == set()


def test_a_block_is_placed_and_lifted_and_a_warning_is_none() -> None:
    lifted = BLOCK | {"status": "LIFTED"}
    assert events(BLOCKS, C, None, BLOCK) == {("BLOCK_PLACED", MOTHER)}
    assert events(BLOCKS, U, BLOCK, lifted) == {("BLOCK_LIFTED", MOTHER)}
    assert events(BLOCKS, U, lifted, BLOCK) == {("BLOCK_PLACED", MOTHER)}
    assert events(BLOCKS, C, None, BLOCK | {"level": "WARN"}) == set()


@pytest.mark.parametrize(
    ("record", "values", "kind"),
    [
        pytest.param(BLOCKS, BLOCK | {"status": "LIFTED"}, "BLOCK_LIFTED", id="block"),
        pytest.param(DEATHS, DEATH | {"status": "REVOKED"}, "CORRECTION", id="revoked"),
        pytest.param(MARRIAGES, UNION | {"status": "REVOKED"}, "CORRECTION", id="marriage"),
    ],
)
def test_a_state_that_a_new_row_may_have_entered_since_is_told_and_one_it_came_in_is_not(
    record: Record, values: Values, kind: str
) -> None:
    news = news_of(record, C, None, values, may_be_update=True)
    assert {(rule.kind, row.certain) for rule, row in news} == {(kind, False)}
    assert news_of(record, C, None, values) == []


def test_a_birth_that_may_have_been_changed_since_it_was_made_is_certainly_new() -> None:
    news = news_of(BIRTHS, C, None, BIRTH, may_be_update=True)
    assert {(rule.kind, row.certain) for rule, row in news} == {("BIRTH", True)}


def test_a_block_on_an_asset_concerns_its_owners() -> None:
    ((rule, news),) = news_of(BLOCKS, C, None, BLOCK | {"person_id": None, "asset_id": "TS1"})
    assert (rule.kind, news.numbers, news.read_key) == ("BLOCK_PLACED", (), "TS1")
    assert rule.read is not None
    owners = NOTARY.by_name[rule.read.record]
    owner = row(owners, {"entry_id": "1", "owner_citizen_id": MOTHER})
    assert numbers_in(owners, owner, rule.people) == (MOTHER,)


def test_a_case_is_opened_for_whoever_becomes_a_party_and_closed_for_all() -> None:
    parties, cases = (CIVIL_ENFORCEMENT.by_name[n] for n in ("enforcement_parties", "cases"))
    party: Values = {"entry_id": "1", "decision_no": "QĐ1", "party_citizen_id": MOTHER}
    ((rule, opened),) = news_of(parties, C, None, party)
    assert (rule.kind, opened.row, opened.numbers) == ("CASE_OPENED", "QĐ1", (MOTHER,))
    business: Values = {
        "entry_id": "1",
        "decision_no": "QĐ1",
        "party_enterprise_code": "0100109106",
    }
    assert news_of(parties, C, None, business) == []
    enforcing: Values = {"decision_no": "QĐ1", "status": "ENFORCING"}
    done = enforcing | {"status": "COMPLETED", "status_since": date(2026, 11, 30)}
    ((rule, closed),) = news_of(cases, U, enforcing, done)
    assert (rule.kind, closed.read_key, closed.date) == ("CASE_CLOSED", "QĐ1", "2026-11-30")


_WITH_RULES = [
    pytest.param(record, rule, id=f"{record.name}-{rule.kind}-{rule.lookup}-{place}")
    for database in installed_databases()
    for record in database.records
    for place, rule in enumerate(record.changes)
]


@pytest.mark.parametrize(("record", "rule"), _WITH_RULES)
def test_a_row_that_the_law_conceals_is_no_event(record: Record, rule: ChangeRule) -> None:
    excluded = {test.column: test.values for test in rule.unless}
    for protection in RULES:
        if protection.hidden_rows is not None and protection.may_hide_rows_of(record):
            hidden = protection.hidden_rows(record)
            assert hidden.values is not None
            assert hidden.values <= excluded.get(hidden.column, frozenset())


@pytest.mark.parametrize(("record", "rule"), _WITH_RULES)
def test_a_record_that_the_law_conceals_has_no_events(record: Record, rule: ChangeRule) -> None:
    assert not is_withheld(record, Caller(client="desk"), False)
