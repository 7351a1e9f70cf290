"""Rules about the people of a case that several procedures share.

Covers ``gateway.procedures.checks.age``, ``gateway.procedures.checks.capacity``,
``gateway.procedures.checks.marital`` and ``gateway.procedures.checks.sex``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import pytest

from connectors.description import Text
from connectors.values import PartialDate, PersonNumber
from gateway.derived.legal_capacity import GUARDIANSHIPS
from gateway.derived.marital_status import CONFIRMATIONS
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.age import AGE_LISTS, full_years, has_reached, of_age
from gateway.procedures.checks.capacity import CAPACITY_LISTS, acts_alone, not_incapacitated
from gateway.procedures.checks.definition import CheckDefinition, Edition
from gateway.procedures.checks.marital import (
    MARITAL_LATER,
    MARITAL_LISTS,
    MARITAL_PEOPLE,
    unmarried,
)
from gateway.procedures.checks.rule import RuleResult
from gateway.procedures.checks.sex import SEX_LISTS, man_and_woman
from tests.support.checks import check, states, unproved_passes
from tests.support.evidence import TODAY

Row = dict[str, Any]
MAN, WOMAN, SPOUSE = "001099000001", "001199000002", "001199000009"
_MAN, _LAW = Text("Người này", "The person"), Text("luật", "law")
_LISTS = tuple(dict.fromkeys((*AGE_LISTS, *SEX_LISTS, *CAPACITY_LISTS, *MARITAL_LISTS)))


@dataclass(frozen=True, slots=True)
class PairInput:
    """Hai người / Two people."""

    man: Annotated[PersonNumber, Text("nam", "man")]
    woman: Annotated[PersonNumber, Text("nữ", "woman")]


CHECK = CheckDefinition(
    name="pair",
    input=PairInput,
    roles={"man": _LISTS, "woman": _LISTS},
    editions=(
        Edition(
            since=date(2016, 1, 1),
            law=("luật",),
            competent_body=Text("cơ quan", "body"),
            deadline=None,
            conditions=(
                of_age("man", _MAN, 20, _LAW),
                man_and_woman("man", "woman", _LAW),
                not_incapacitated("man", _MAN),
                acts_alone("man", _MAN),
                unmarried("man", _MAN),
            ),
        ),
    ),
    later=MARITAL_LATER,
    people=MARITAL_PEOPLE,
)
PAIR = PairInput(PersonNumber(MAN), PersonNumber(WOMAN))


def identity(number: str, **more: Any) -> Row:
    return {"citizen_id": number, "birth_date": PartialDate(2000, 5, 5),
            "life_status": "ALIVE", "marital_status": "SINGLE", **more}  # fmt: skip


def registers(
    *, man: Row | None = None, woman: Row | None = None, **lists: list[Row]
) -> dict[str, list[Row]]:
    """Return a man and a woman who meet all rules, but for what a test writes down."""
    names = {"births": BIRTHS, "notes": NOTES, "marriages": MARRIAGES, "divorces": DIVORCES,
             "deaths": DEATHS, "wards": GUARDIANSHIPS}  # fmt: skip
    people = [
        identity(MAN, **{"sex": "MALE", **(man or {})}),
        identity(WOMAN, **{"sex": "FEMALE", **(woman or {})}),
    ]
    return {IDENTITY: people, **{names[name]: rows for name, rows in lists.items()}}


def note(kind: str, on: date = date(2020, 1, 1), **more: Any) -> Row:
    return {"event_id": kind, "event_type": kind, "citizen_id": MAN, "status": "VALID",
            "effective_date": on, **more}  # fmt: skip


def result(rule: str, lists: dict[str, list[Row]], at: date = TODAY, **case: Any) -> RuleResult:
    conclusion = check(CHECK, PAIR, lists, at, **case)
    return next(each.result for each in conclusion.rules if each.rule.code == rule)


def state(rule: str, lists: dict[str, list[Row]], at: date = TODAY, **case: Any) -> str:
    return result(rule, lists, at, **case).state.name


def test_who_meets_all_rules_passes_them() -> None:
    assert set(states(check(CHECK, PAIR, registers())).values()) == {"PASS"}


def test_nothing_passes_on_what_is_not_known() -> None:
    assert unproved_passes(CHECK, PAIR, registers()) == set()


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(2000, 5, 5), date(2020, 5, 4), 19),
        (date(2000, 5, 5), date(2020, 5, 5), 20),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
    ],
)
def test_an_age_is_reached_on_the_birthday(born: date, day: date, years: int) -> None:
    assert full_years(born, day) == years


@pytest.mark.parametrize(
    ("born", "day", "reached"),
    [
        (PartialDate(2006), date(2025, 12, 31), False),
        (PartialDate(2006), date(2026, 1, 1), None),
        (PartialDate(2006), date(2026, 12, 30), None),
        (PartialDate(2006), date(2026, 12, 31), True),
        (PartialDate(2006, 11), date(2026, 10, 31), False),
        (PartialDate(2006, 11), date(2026, 11, 23), None),
        (PartialDate(2006, 11), date(2026, 11, 30), True),
        (None, date(2026, 11, 30), None),
    ],
)
def test_a_partial_date_decides_where_all_its_days_decide_alike(
    born: PartialDate | None, day: date, reached: bool | None
) -> None:
    assert has_reached(born, 20, day) is reached


def test_the_day_of_the_procedure_decides_about_age() -> None:
    young = registers(man={"birth_date": PartialDate(2006, 11, 24)})
    assert state("MAN_OF_AGE", young) == "FAIL"
    assert state("MAN_OF_AGE", young, date(2026, 11, 24)) == "PASS"


def test_the_book_of_births_prevails_about_age() -> None:
    birth = {"event_id": "B", "citizen_id": MAN, "status": "VALID", "sex": "MALE",
             "birth_date": PartialDate(2010, 1, 1)}  # fmt: skip
    assert state("MAN_OF_AGE", registers(births=[birth])) == "FAIL"


@pytest.mark.parametrize(
    ("man", "woman", "expected"),
    [
        ("MALE", "FEMALE", "PASS"),
        ("MALE", "MALE", "FAIL"),
        ("FEMALE", "FEMALE", "FAIL"),
        ("FEMALE", "MALE", "FAIL"),
        (None, "FEMALE", "UNKNOWN"),
        (None, "MALE", "FAIL"),
    ],
)
def test_one_is_a_man_and_the_other_a_woman(
    man: str | None, woman: str | None, expected: str
) -> None:
    assert state("ONE_MAN_ONE_WOMAN", registers(man={"sex": man}, woman={"sex": woman})) == expected


def test_a_birth_that_says_otherwise_leaves_the_sex_open() -> None:
    birth = {"event_id": "B", "citizen_id": MAN, "status": "VALID", "sex": "FEMALE"}
    of_sex = result("ONE_MAN_ONE_WOMAN", registers(births=[birth]))
    assert (of_sex.state.name, of_sex.reason) == ("UNKNOWN", UnknownReason.CONTRADICTORY)


@pytest.mark.parametrize(
    ("notes", "lost", "alone"),
    [
        ([note("DECLARED_INCAPACITATED")], "FAIL", "NEEDS_PERSON"),
        ([note("DECLARED_INCAPACITATED"),
          note("DECLARED_INCAPACITATED_REVOKED", date(2024, 1, 1))], "PASS", "PASS"),
        ([note("DECLARED_RESTRICTED")], "PASS", "NEEDS_PERSON"),
        ([note("DECLARED_INCAPACITATED", effective_date=None)], "UNKNOWN", "UNKNOWN"),
    ],
)  # fmt: skip
def test_a_court_decides_about_capacity(notes: list[Row], lost: str, alone: str) -> None:
    lists = registers(notes=notes)
    assert state("MAN_NOT_INCAPACITATED", lists) == lost
    assert state("MAN_ACTS_ALONE", lists) == alone


def test_minors_have_not_lost_capacity_but_do_not_act_alone() -> None:
    young = registers(man={"birth_date": PartialDate(2010, 1, 1)})
    assert state("MAN_NOT_INCAPACITATED", young) == "PASS"
    assert state("MAN_ACTS_ALONE", young) == "NEEDS_PERSON"


@pytest.mark.parametrize(
    ("at", "alone"),
    [(date(2027, 5, 4), "NEEDS_PERSON"), (date(2027, 5, 5), "PASS"), (TODAY, "NEEDS_PERSON")],
)
def test_who_comes_of_age_by_the_day_of_the_procedure_acts_alone(at: date, alone: str) -> None:
    coming_of_age = registers(man={"birth_date": PartialDate(2009, 5, 5)})
    assert state("MAN_ACTS_ALONE", coming_of_age, at) == alone


def test_the_capacity_of_the_dead_has_ended() -> None:
    death = {"event_id": "D", "citizen_id": MAN, "status": "VALID",
             "death_date": PartialDate(2026, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    dead = registers(man={"life_status": "DEAD"}, deaths=[death])
    assert state("MAN_NOT_INCAPACITATED", dead) == "FAIL"
    assert state("MAN_ACTS_ALONE", dead) == "FAIL"


def marriage(**more: Any) -> Row:
    return {"event_id": "M", "status": "VALID", "husband_citizen_id": MAN,
            "wife_citizen_id": SPOUSE, "registration_date": date(2021, 1, 1), **more}  # fmt: skip


@pytest.mark.parametrize(
    ("registered", "marriages", "expected"),
    [
        ("SINGLE", [], "PASS"),
        ("MARRIED", [marriage()], "FAIL"),
        ("DIVORCED", [marriage(ended_on=PartialDate(2023, 1, 1), end_reason="DIVORCE")], "PASS"),
        ("WIDOWED", [marriage(ended_on=PartialDate(2023, 1, 1), end_reason="DEATH_OF_SPOUSE")],
         "PASS"),
        ("MARRIED", [], "UNKNOWN"),
        ("DIVORCED", [marriage()], "UNKNOWN"),
    ],
)  # fmt: skip
def test_who_is_married_does_not_marry(
    registered: str, marriages: list[Row], expected: str
) -> None:
    lists = registers(man={"marital_status": registered}, marriages=marriages)
    assert state("MAN_UNMARRIED", lists) == expected


def test_the_office_may_verify_a_status_that_is_not_known() -> None:
    unknown = result("MAN_UNMARRIED", registers(), missing={CONFIRMATIONS: UnknownReason.TRUNCATED})
    assert unknown.reason is UnknownReason.TRUNCATED
    assert "5 ngày làm việc" in unknown.sentence.vi
    assert "5 working days" in unknown.sentence.en
