"""The rules as a function over rows: what is missing, what could not be read, what it costs."""

from __future__ import annotations

import time
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.description import Row
from connectors.synthetic import PopulationOptions, clusters
from connectors.values import PartialDate
from rules.conflicts import birth_date, life_state, marital_status, self_marriage
from rules.registry import RULES
from rules.row_program import RowProgram, _agree, _before, _disagree, _like
from tests.support.rule_people import people_of

TODAY = date(2026, 11, 23)
PERSON = "001090000001"


def findings(
    program: RowProgram, lists: dict[str, list[dict[str, object]] | None]
) -> list[tuple[str, tuple[str, ...]]]:
    given_lists: list[list[Row] | None] = []
    for read in program.reads:
        rows = lists.get(read.lookup, [])
        columns = program.records[read].columns
        given_lists.append(
            None
            if rows is None
            else [tuple(row.get(column.name) for column in columns) for row in rows]
        )
    found = program.check(given_lists, frozenset({PERSON}), TODAY)
    return [(finding.rule.name, finding.record_ids()) for finding in found]


ALIVE: dict[str, object] = {
    "citizen_id": PERSON,
    "life_status": "ALIVE",
    "marital_status": "SINGLE",
    "birth_date": PartialDate(1990, 5, 2),
}
DEATH: dict[str, object] = {"event_id": "KT-1", "status": "VALID"}


def test_a_death_in_the_book_contradicts_a_living_person() -> None:
    program = RowProgram([life_state.RULE])
    assert findings(program, {"identity": [ALIVE], "deaths": [DEATH]}) == [
        ("LIFE_STATE", (PERSON, "KT-1"))
    ]
    revoked = DEATH | {"status": "REVOKED"}
    assert findings(program, {"identity": [ALIVE], "deaths": [revoked]}) == []


def test_a_revoked_death_contradicts_a_dead_person_unless_another_is_in_force() -> None:
    program = RowProgram([life_state.RULE])
    dead = ALIVE | {"life_status": "DEAD"}
    revoked = DEATH | {"event_id": "KT-2", "status": "REVOKED"}
    assert findings(program, {"identity": [dead], "deaths": [revoked]}) == [
        ("LIFE_STATE", (PERSON, "KT-2"))
    ]
    assert findings(program, {"identity": [dead], "deaths": [revoked, DEATH]}) == []


def test_where_a_list_is_missing_nothing_is_concluded_from_its_rows() -> None:
    program = RowProgram([life_state.RULE, marital_status.RULE])
    marriage = {"event_id": "KH-1", "status": "VALID", "effective_from": PartialDate(2015)}
    lists: dict[str, list[dict[str, object]] | None] = {
        "identity": [ALIVE],
        "marriages": [marriage],
    }
    assert findings(program, lists) == [("MARITAL_STATUS", (PERSON, "KH-1"))]
    assert findings(program, lists | {"deaths": None}) == []


def test_from_a_list_that_is_not_complete_only_its_rows_count() -> None:
    program = RowProgram([life_state.RULE])
    rows = {
        "identity": {"citizen_id": PERSON, "life_status": "DEAD"},
        "deaths": {"event_id": "KT-1", "status": "REVOKED"},
    }
    lists = [
        [tuple(rows[read.lookup].get(column.name) for column in program.records[read].columns)]
        for read in program.reads
    ]
    complete = [None if read.lookup == "deaths" else lists[0] for read in program.reads]
    assert program.check(lists, frozenset({PERSON}), TODAY)
    assert program.check(lists, frozenset({PERSON}), TODAY, complete) == []
    rows["identity"]["life_status"] = "ALIVE"
    rows["deaths"]["status"] = "VALID"
    lists = [
        [tuple(rows[read.lookup].get(column.name) for column in program.records[read].columns)]
        for read in program.reads
    ]
    assert program.check(lists, frozenset({PERSON}), TODAY, complete)


@pytest.mark.parametrize("missing", ["life_status", "birth_date", "marital_status"])
def test_a_missing_value_contradicts_nothing(missing: str) -> None:
    program = RowProgram(RULES)
    birth = {"event_id": "KS-1", "status": "VALID", "birth_date": PartialDate(1991)}
    lists: dict[str, list[dict[str, object]] | None] = {
        "identity": [ALIVE | {missing: None}],
        "births": [birth | {missing: None}],
    }
    names = {name for name, _ in findings(program, lists)}
    assert names == (set() if missing == "birth_date" else {"BIRTH_DATE"})


def test_a_year_agrees_with_a_date_in_it() -> None:
    program = RowProgram([birth_date.RULE])

    def of(born: PartialDate) -> list[tuple[str, tuple[str, ...]]]:
        birth = {"event_id": "KS-1", "status": "VALID", "birth_date": born}
        return findings(program, {"identity": [ALIVE], "births": [birth]})

    assert of(PartialDate(1990)) == of(PartialDate(1990, 5)) == of(PartialDate(1990, 5, 2)) == []
    assert of(PartialDate(1990, 4)) == of(PartialDate(1990, 5, 3)) == of(PartialDate(1989)) != []


def test_an_earlier_number_is_the_person_too() -> None:
    program = RowProgram([self_marriage.RULE])
    (read,) = program.reads
    values = {
        "event_id": "KH-1",
        "status": "VALID",
        "husband_citizen_id": PERSON,
        "wife_citizen_id": "123456789",
    }
    row = tuple(values.get(column.name) for column in program.records[read].columns)
    assert program.check([[row]], frozenset({PERSON}), TODAY) == []
    assert program.check([[row]], frozenset({PERSON, "123456789"}), TODAY)


_DATES = st.builds(
    lambda year, month, day: PartialDate(year, month, day if month else None),
    st.sampled_from([1990, 1991]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 1, 2]),
)


@given(_DATES, _DATES)
def test_dates_are_compared_as_far_as_both_are_recorded(
    left: PartialDate, right: PartialDate
) -> None:
    overlap = left.first <= right.last and right.first <= left.last
    assert _disagree(left, right) == (not overlap)
    assert _agree(left, right) == overlap
    assert _before(left, right) == (left.last < right.first)


@pytest.mark.parametrize(
    ("text", "pattern", "holds"),
    [
        ("abc", "abc", True),
        ("abc", "a%", True),
        ("abc", "%c", True),
        ("abc", "a%c", True),
        ("abc", "%b%", True),
        ("abc", "a%b%c%", True),
        ("abc", "ab%bc", False),
        ("abab", "ab%ab", True),
        ("ab", "ab%ab", False),
        ("abc", "", False),
        ("", "%", True),
        ("", "%%", True),
        ("abc", "b%", False),
        ("aXbXc", "a%X%X%c", True),
        ("aXc", "a%X%X%c", False),
    ],
)
def test_patterns_are_those_of_sql(text: str, pattern: str, holds: bool) -> None:
    assert _like(text, pattern) == holds


def test_a_check_costs_tens_of_microseconds() -> None:
    program = RowProgram(RULES)
    (cluster, *_) = clusters(PopulationOptions(people=50))
    people = list(people_of(program, cluster.rows))
    moments = [time.process_time()]
    for _ in range(5):
        for person in people:
            program.check(person.lists, person.numbers, TODAY)
        moments.append(time.process_time())
    fastest = min(after - before for before, after in pairwise(moments))
    assert fastest / len(people) < 400e-6  # measured: 40; this machine may be busy
