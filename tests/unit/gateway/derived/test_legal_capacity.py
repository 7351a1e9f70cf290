"""Whether somebody may act for themself: ages to the day, declarations, and who acts for them.

Covers ``gateway.derived.guardianship``.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.description import Sensitivity
from connectors.values import PartialDate
from gateway.derived.guardianship import DERIVED as GUARDIANSHIP
from gateway.derived.guardianship import Representation
from gateway.derived.legal_capacity import DERIVED, GUARDIANSHIPS
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from tests.support.evidence import PERSON, TODAY, Lists, conclude, verdict

Row = dict[str, Any]
MOTHER, FATHER, GUARDIAN = "001191054321", "001180000001", "001170000001"
SINCE, UNTIL = date(2020, 3, 2), date(2023, 4, 5)


def identity(number: str = PERSON, state: str = "ALIVE", **more: Any) -> Row:
    born = PartialDate(1980, 1, 1)
    return {"citizen_id": number, "birth_date": born, "life_status": state, **more}


def note(kind: str, **more: Any) -> Row:
    return {"event_id": kind, "event_type": kind, "citizen_id": PERSON, "status": "VALID",
            "effective_date": SINCE, **more}  # fmt: skip


def wardship(reason: str = "COGNITION_DIFFICULTY", **more: Any) -> Row:
    return {"event_id": "GH", "status": "VALID", "ward_id": PERSON, "reason": reason,
            "guardian_citizen_id": GUARDIAN, "guardian_name": "Lê Văn Tư", "start_date": SINCE,
            "end_date": UNTIL, **more}  # fmt: skip


def registers(*identities: Row, **lists: list[Row]) -> dict[str, list[Row]]:
    names = {"births": BIRTHS, "deaths": DEATHS, "notes": NOTES, "wardships": GUARDIANSHIPS}
    rows = {names[name]: rows for name, rows in lists.items()}
    return {IDENTITY: list(identities) or [identity()], **rows}


def capacity(of: Lists, on: date = TODAY, **evidence: Any) -> object:
    return verdict(conclude(DERIVED, of, on, **evidence))


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (date(2026, 2, 28), "MINOR_UNDER_6"),
        (date(2026, 3, 1), "MINOR_6_TO_15"),
    ],
)
def test_whoever_was_born_on_the_29th_of_february_is_older_on_the_1st_of_march(
    on: date, state: str
) -> None:
    assert capacity(registers(identity(birth_date=PartialDate(2020, 2, 29))), on) == state


@pytest.mark.parametrize(
    ("age", "before", "then"),
    [
        (6, "MINOR_UNDER_6", "MINOR_6_TO_15"),
        (15, "MINOR_6_TO_15", "MINOR_15_TO_18"),
        (18, "MINOR_15_TO_18", "FULL"),
    ],
)
def test_ages_count_from_the_birthday_on(age: int, before: str, then: str) -> None:
    known = registers(identity(birth_date=PartialDate(2005, 7, 9)))
    assert capacity(known, date(2005 + age, 7, 8)) == before
    assert capacity(known, date(2005 + age, 7, 9)) == then


def test_a_year_of_birth_decides_where_all_its_days_agree() -> None:
    known = registers(identity(birth_date=PartialDate(2005)))
    assert capacity(known, date(2023, 6, 1)) == "NOT_RECORDED"
    assert capacity(known, date(2023, 12, 31)) == "FULL"
    assert capacity(known, date(2022, 12, 31)) == "MINOR_15_TO_18"


def test_the_birth_in_the_book_prevails_where_the_registers_differ() -> None:
    birth = {"event_id": "KS", "status": "VALID", "citizen_id": PERSON,
             "birth_date": PartialDate(2009, 1, 1)}  # fmt: skip
    assert capacity(registers(births=[birth])) == "MINOR_15_TO_18"
    twice = [birth, {**birth, "event_id": "KS2", "birth_date": PartialDate(2008, 1, 1)}]
    assert capacity(registers(births=twice)) == "CONTRADICTORY"


def test_of_a_birth_of_which_the_book_has_the_year_the_day_may_stand_elsewhere() -> None:
    birth = {"event_id": "KS", "status": "VALID", "citizen_id": PERSON,
             "birth_date": PartialDate(1980)}  # fmt: skip
    assert capacity(registers(births=[birth]), date(1998, 1, 1)) == "FULL"


@pytest.mark.parametrize("kind", ["INCAPACITATED", "RESTRICTED"])
def test_a_declaration_holds_until_it_is_revoked(kind: str) -> None:
    notes = [
        note(f"DECLARED_{kind}", status="REVOKED", revoked_by_event_id=f"DECLARED_{kind}_REVOKED"),
        note(f"DECLARED_{kind}_REVOKED", effective_date=UNTIL),
    ]
    known = registers(notes=notes)
    days = [date(2020, 3, 1), SINCE, date(2023, 4, 4), UNTIL]
    assert [capacity(known, day) for day in days] == ["FULL", kind, kind, "FULL"]
    assert capacity(registers(notes=notes[:1])) == "NOT_RECORDED"


def test_difficulty_in_cognition_follows_from_a_guardianship_while_it_lasts() -> None:
    known = registers(wardships=[wardship()])
    days = [date(2020, 3, 1), SINCE, date(2023, 4, 4), UNTIL]
    expected = ["FULL", "COGNITION_DIFFICULTY", "COGNITION_DIFFICULTY", "FULL"]
    assert [capacity(known, day) for day in days] == expected
    assert capacity(registers(wardships=[wardship(status="REVOKED")]), SINCE) == "FULL"
    assert capacity(registers(wardships=[wardship(status=None)]), SINCE) == "NOT_RECORDED"
    assert capacity(registers(wardships=[wardship(start_date=None)]), SINCE) == "NOT_RECORDED"


def test_a_guardianship_for_incapacity_that_no_court_declared_contradicts() -> None:
    assert capacity(registers(wardships=[wardship("INCAPACITATED")]), SINCE) == "CONTRADICTORY"


def test_the_ward_of_somebody_else_says_nothing_of_the_guardian() -> None:
    other = wardship(ward_id=MOTHER, guardian_citizen_id=PERSON)
    assert capacity(registers(wardships=[other]), SINCE) == "FULL"


def test_capacity_ends_with_death() -> None:
    death = {"event_id": "KT", "status": "VALID", "citizen_id": PERSON,
             "death_date": PartialDate(2022, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    assert capacity(registers(deaths=[death])) == "ENDED"
    assert capacity(registers(identity(state="DEAD"))) == "CONTRADICTORY"


@pytest.mark.parametrize("reason", UnknownReason)
@pytest.mark.parametrize("name", [DEATHS, NOTES, GUARDIANSHIPS, IDENTITY])
def test_where_something_may_be_missing_nobody_is_said_to_have_capacity(
    name: str, reason: UnknownReason
) -> None:
    assert capacity(registers(), missing={name: reason}) == reason.name


def test_whether_somebody_has_capacity_is_sensitive() -> None:
    assert DERIVED.sensitivity is Sensitivity.SENSITIVE


# --- who acts for them ---------------------------------------------------------------------------


def represented(of: Lists, on: date = TODAY, **evidence: Any) -> object:
    """Return the need and who acts; or the reason why that is not known."""
    conclusion = conclude(GUARDIANSHIP, of, on, **evidence)
    if conclusion.reason is not None:
        return conclusion.reason.name
    value = conclusion.value
    assert isinstance(value, Representation)
    who = [(each.role.name, each.citizen_id) for each in value.representatives]
    return value.need.name, who


CHILD = identity(birth_date=PartialDate(2015, 1, 1))
PARENTS = (identity(MOTHER), identity(FATHER))


def birth(**more: Any) -> Row:
    return {"event_id": "KS", "status": "VALID", "citizen_id": PERSON,
            "birth_date": PartialDate(2015, 1, 1), "mother_citizen_id": MOTHER,
            "father_citizen_id": FATHER, **more}  # fmt: skip


def test_nobody_acts_for_an_adult_with_capacity() -> None:
    assert represented(registers()) == ("NONE", [])


def test_both_parents_act_for_a_minor() -> None:
    known = registers(CHILD, *PARENTS, births=[birth()])
    assert represented(known) == ("MINOR", [("MOTHER", MOTHER), ("FATHER", FATHER)])


def test_a_parent_who_died_is_missing_or_incapacitated_does_not() -> None:
    death = {"event_id": "KT", "status": "VALID", "citizen_id": MOTHER,
             "death_date": PartialDate(2022, 1, 1), "death_kind": "NATURAL_DEATH"}  # fmt: skip
    alone = ("MINOR", [("FATHER", FATHER)])
    known = registers(CHILD, *PARENTS, births=[birth()], deaths=[death])
    assert represented(known) == alone
    assert represented(known, date(2021, 12, 31))[1] == [("MOTHER", MOTHER), ("FATHER", FATHER)]  # type: ignore[index]
    for kind in ("DECLARED_MISSING", "DECLARED_DEAD", "DECLARED_INCAPACITATED"):
        notes = [note(kind, citizen_id=MOTHER)]
        assert represented(registers(CHILD, *PARENTS, births=[birth()], notes=notes)) == alone


def test_a_parent_of_whom_that_is_not_known_leaves_it_open() -> None:
    known = registers(CHILD, identity(MOTHER, "DEAD"), identity(FATHER), births=[birth()])
    assert represented(known) == "CONTRADICTORY"
    unnumbered = birth(mother_citizen_id=None, mother_name="Nguyễn Thị Ba")
    assert represented(registers(CHILD, *PARENTS, births=[unnumbered])) == "NOT_RECORDED"
    failed = {f"{NOTES} {MOTHER}": UnknownReason.SOURCE_FAILED}
    known = registers(CHILD, *PARENTS, births=[birth()])
    assert represented(known, missing=failed) == "SOURCE_FAILED"


def test_a_father_nobody_knows_is_not_waited_for() -> None:
    known = registers(CHILD, *PARENTS, births=[birth(father_citizen_id=None)])
    assert represented(known) == ("MINOR", [("MOTHER", MOTHER)])


def test_a_registered_guardian_acts_in_place_of_parents() -> None:
    known = registers(CHILD, *PARENTS, births=[birth()], wardships=[wardship("MINOR")])
    assert represented(known, SINCE) == ("MINOR", [("GUARDIAN", GUARDIAN)])
    assert represented(known, UNTIL) == ("MINOR", [("MOTHER", MOTHER), ("FATHER", FATHER)])


def test_a_guardian_by_law_need_not_be_registered() -> None:
    assert represented(registers(CHILD, births=[])) == "NOT_COVERED"
    nobody = birth(mother_citizen_id=None, father_citizen_id=None)
    assert represented(registers(CHILD, births=[nobody])) == "NOT_COVERED"
    declared = [note("DECLARED_INCAPACITATED")]
    assert represented(registers(notes=declared)) == "NOT_COVERED"
    assert represented(registers(CHILD, births=[birth(), birth(event_id="2")])) == "CONTRADICTORY"


def test_the_guardian_of_an_adult_is_the_registered_one() -> None:
    known = registers(wardships=[wardship()])
    assert represented(known, SINCE) == ("COGNITION_DIFFICULTY", [("GUARDIAN", GUARDIAN)])
    known = registers(notes=[note("DECLARED_INCAPACITATED")], wardships=[wardship("INCAPACITATED")])
    assert represented(known, SINCE) == ("INCAPACITATED", [("GUARDIAN", GUARDIAN)])


def test_who_acts_for_somebody_restricted_stands_in_the_decision_alone() -> None:
    assert represented(registers(notes=[note("DECLARED_RESTRICTED")])) == "NOT_RECORDED"


@pytest.mark.parametrize("name", [BIRTHS, NOTES, GUARDIANSHIPS, IDENTITY, DEATHS])
def test_nobody_is_named_where_something_may_be_missing(name: str) -> None:
    known = registers(CHILD, *PARENTS, births=[birth()])
    assert represented(known, missing={name: UnknownReason.TRUNCATED}) == "TRUNCATED"
