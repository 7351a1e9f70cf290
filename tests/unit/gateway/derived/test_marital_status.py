"""Whether somebody is married: boundaries of marriages, and every way not to know.

Covers ``gateway.derived.marriages``.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.values import PartialDate
from gateway.derived.marital_status import CONFIRMATIONS, DERIVED
from gateway.derived.marriages import DIVORCES, MARRIAGES
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES
from gateway.derived.view import UnknownReason
from tests.support.evidence import PERSON, TODAY, Lists, conclude, verdict

Row = dict[str, Any]
SPOUSE, SECOND = "001191054321", "001192054321"
WED, PARTED = PartialDate(2018, 3, 1), date(2020, 6, 15)
#: Somebody who could marry before the books were electronic, and somebody who could not.
OLDER, YOUNGER = PartialDate(1980, 5, 5), PartialDate(2001, 5, 5)


def marriage(spouse: str | None = SPOUSE, start: Any = WED, event: str = "M", **more: Any) -> Row:
    return {"event_id": event, "status": "VALID", "husband_citizen_id": PERSON,
            "wife_citizen_id": spouse, "effective_from": start, **more}  # fmt: skip


def divorce(event: str | None = "M", effect: date | None = PARTED, **more: Any) -> Row:
    return {"event_id": "D", "status": "VALID", "husband_id": PERSON, "wife_id": SPOUSE,
            "marriage_event_id": event, "legal_effect_date": effect, **more}  # fmt: skip


def death(who: str, died: PartialDate, **more: Any) -> Row:
    return {"event_id": f"KT {who}", "status": "VALID", "citizen_id": who, "death_date": died,
            "death_kind": "NATURAL_DEATH", **more}  # fmt: skip


def registers(
    population: str | None, *, born: PartialDate = OLDER, life: str = "ALIVE", **lists: list[Row]
) -> dict[str, list[Row]]:
    """Return what the registers say. ``population``: the marital status there."""
    identity = {"citizen_id": PERSON, "birth_date": born, "life_status": life,
                "marital_status": population}  # fmt: skip
    names = {"marriages": MARRIAGES, "divorces": DIVORCES, "deaths": DEATHS, "notes": NOTES,
             "confirmations": CONFIRMATIONS}  # fmt: skip
    rows = {names[name]: rows for name, rows in lists.items()}
    return {BIRTHS: [], IDENTITY: [identity], **rows}


def status(of: Lists, on: date = TODAY, **evidence: Any) -> object:
    return verdict(conclude(DERIVED, of, on, **evidence))


@pytest.mark.parametrize("population", ["MARRIED", "SEPARATED", "SINGLE"])
def test_a_marriage_in_the_book_stands(population: str) -> None:
    assert status(registers(population, marriages=[marriage()])) == "MARRIED"


@pytest.mark.parametrize(
    ("population", "reason"),
    [("DIVORCED", "CONTRADICTORY"), ("WIDOWED", "CONTRADICTORY"), (None, "NOT_RECORDED")],
)
def test_unless_the_population_database_may_know_of_its_end(
    population: str | None, reason: str
) -> None:
    assert status(registers(population, marriages=[marriage()])) == reason


@pytest.mark.parametrize(
    ("on", "value"),
    [
        (date(2018, 2, 28), "NOT_COVERED"),
        (date(2018, 3, 1), "MARRIED"),
        (date(2020, 6, 14), "MARRIED"),
        (date(2020, 6, 15), "DIVORCED"),
        (TODAY, "DIVORCED"),
    ],
)
@pytest.mark.parametrize("event", ["M", None])
def test_a_divorce_ends_it_on_the_day_of_its_legal_effect(
    on: date, value: str, event: str | None
) -> None:
    known = registers("DIVORCED", marriages=[marriage()], divorces=[divorce(event)])
    assert status(known, on) == value


def test_a_divorce_of_another_marriage_does_not_end_it() -> None:
    known = registers("MARRIED", marriages=[marriage()], divorces=[divorce("another")])
    assert status(known) == "MARRIED"


def test_a_divorce_without_its_day_leaves_it_open() -> None:
    known = registers("DIVORCED", marriages=[marriage()], divorces=[divorce(effect=None)])
    assert status(known) == "NOT_COVERED"


@pytest.mark.parametrize(
    ("ended", "value"),
    [(date(2016, 1, 1), "DIVORCED"), (date(2015, 12, 31), "CONTRADICTORY")],
)
def test_the_book_prevails_from_when_it_was_electronic(ended: date, value: str) -> None:
    known = registers("MARRIED", marriages=[marriage(start=PartialDate(2005, 1, 1))],
                      divorces=[divorce(effect=ended)])  # fmt: skip
    assert status(known) == value


def test_the_end_noted_beside_the_marriage_counts_too() -> None:
    noted = marriage(ended_on=PartialDate(2020, 6, 15), end_reason="DEATH_OF_SPOUSE")
    assert status(registers("WIDOWED", marriages=[noted])) == "WIDOWED"
    assert status(registers("WIDOWED", marriages=[noted]), date(2020, 6, 14)) == "MARRIED"


def test_the_registered_death_of_the_spouse_ends_it() -> None:
    known = registers(
        "WIDOWED", marriages=[marriage()], deaths=[death(SPOUSE, PartialDate(2020, 6, 15))]
    )
    assert status(known) == "WIDOWED"
    assert status({**known, **registers("DIVORCED")}) == "CONTRADICTORY"
    assert status({**known, **registers("MARRIED")}) == "CONTRADICTORY"
    assert status(known, date(2020, 6, 14)) == "MARRIED"
    by_divorce = {**known, **registers("DIVORCED")}
    assert status(by_divorce, date(2020, 6, 14)) == "NOT_COVERED"


@pytest.mark.parametrize("revoked", [False, True])
def test_a_declared_death_ends_it_unless_it_was_revoked(revoked: bool) -> None:
    notes: list[Row] = [{"event_id": "N1", "event_type": "DECLARED_DEAD", "citizen_id": SPOUSE,
              "status": "REVOKED" if revoked else "VALID", "effective_date": date(2019, 1, 1),
              "revoked_by_event_id": "N2" if revoked else None},
             {"event_id": "N2", "event_type": "DECLARED_DEAD_REVOKED", "citizen_id": SPOUSE,
              "status": "VALID", "effective_date": date(2021, 1, 1)}]  # fmt: skip
    known = registers(
        "MARRIED" if revoked else "WIDOWED",
        marriages=[marriage()],
        notes=notes if revoked else notes[:1],
    )
    assert status(known) == ("MARRIED" if revoked else "WIDOWED")


def test_an_annulled_marriage_leaves_no_status_behind() -> None:
    note = {"event_id": "A", "event_type": "UNLAWFUL_MARRIAGE_ANNULMENT", "status": "VALID",
            "citizen_id": PERSON, "spouse_id": SPOUSE, "effective_date": PARTED}  # fmt: skip
    revoked = marriage(status="REVOKED")
    known = registers("SINGLE", born=YOUNGER, marriages=[revoked], notes=[note])
    assert status(known) == "NEVER_MARRIED"
    assert status(known, date(2020, 6, 14)) == "MARRIED"


def test_a_later_marriage_shows_that_an_earlier_one_had_ended_nobody_knows_when() -> None:
    again = [marriage(), marriage(SECOND, PartialDate(2022, 1, 1), "M2")]
    known = registers("MARRIED", marriages=again)
    assert status(known) == "MARRIED"
    assert status(known, date(2021, 12, 31)) == "NOT_COVERED"
    assert status(known, date(2022, 1, 1)) == "MARRIED"


def test_within_the_year_of_a_marriage_of_which_only_that_is_known_it_is_open() -> None:
    known = registers("MARRIED", marriages=[marriage(start=PartialDate(1983))])
    assert status(known, date(1983, 7, 1)) == "NOT_COVERED"
    assert status(known, date(1983, 12, 31)) == "MARRIED"


def test_the_dead_have_the_status_of_the_day_before() -> None:
    known = registers(
        "MARRIED",
        life="DEAD",
        marriages=[marriage()],
        deaths=[death(PERSON, PartialDate(2021, 1, 1)), death(SPOUSE, PartialDate(2023, 1, 1))],
    )
    assert status(known) == "MARRIED"


def test_a_death_on_the_first_day_that_there_is_ends_in_an_answer() -> None:
    known = registers("MARRIED", life="DEAD", deaths=[death(PERSON, PartialDate(1, 1, 1))])
    assert status(known) is not None


def test_of_whom_it_is_not_known_whether_they_died_nothing_is_said() -> None:
    assert status(registers("MARRIED", life="DEAD", marriages=[marriage()])) == "CONTRADICTORY"


def test_never_married_is_who_was_too_young_for_books_of_paper() -> None:
    assert status(registers("SINGLE", born=YOUNGER)) == "NEVER_MARRIED"
    assert status(registers("SINGLE", born=PartialDate(1999, 1, 2))) == "NEVER_MARRIED"
    assert status(registers("SINGLE", born=PartialDate(1999, 1, 1))) == "NOT_COVERED"
    assert status(registers("SINGLE", born=PartialDate(1999))) == "NOT_COVERED"


def test_a_gap_in_the_books_never_makes_somebody_never_married() -> None:
    assert status(registers("SINGLE")) == "NOT_COVERED"
    assert status(registers("MARRIED")) == "CONTRADICTORY"
    assert status(registers("MARRIED", born=YOUNGER)) == "CONTRADICTORY"


def confirmation(issued_on: date, **more: Any) -> Row:
    return {"event_id": "XN", "status": "VALID", "citizen_id": PERSON, "issued_on": issued_on,
            "marital_status": "NEVER_MARRIED", **more}  # fmt: skip


@pytest.mark.parametrize(
    ("confirmed", "value"),
    [
        (confirmation(date(2016, 1, 1)), "NEVER_MARRIED"),
        (confirmation(date(2015, 12, 31)), "NOT_COVERED"),
        (confirmation(date(2020, 1, 1), status="REVOKED"), "NOT_COVERED"),
        (confirmation(date(2020, 1, 1), marital_status="CURRENTLY_MARRIED"), "NOT_COVERED"),
    ],
)
def test_a_confirmation_closes_the_gap(confirmed: Row, value: str) -> None:
    assert status(registers("SINGLE", confirmations=[confirmed])) == value


def test_without_a_beginning_or_a_status_a_marriage_decides_nothing() -> None:
    for row in (marriage(start=None), marriage(status=None)):
        assert status(registers("MARRIED", marriages=[row])) == "NOT_RECORDED"


@pytest.mark.parametrize("reason", UnknownReason)
@pytest.mark.parametrize("name", [MARRIAGES, DIVORCES, NOTES, DEATHS, IDENTITY])
def test_where_something_may_be_missing_nothing_is_said(name: str, reason: UnknownReason) -> None:
    known = registers("MARRIED", marriages=[marriage()])
    assert status(known, missing={name: reason}) == reason.name
    assert status(registers("SINGLE", born=YOUNGER), missing={name: reason}) == reason.name


@pytest.mark.parametrize("name", [DEATHS, NOTES])
def test_nor_where_the_records_of_the_spouse_may_be(name: str) -> None:
    known = registers("MARRIED", marriages=[marriage()])
    missing = {f"{name} {SPOUSE}": UnknownReason.SOURCE_FAILED}
    assert status(known, missing=missing) == "SOURCE_FAILED"


def test_never_married_needs_the_confirmations_and_the_birth_too() -> None:
    known = registers("SINGLE", born=YOUNGER)
    for name in (CONFIRMATIONS, BIRTHS):
        assert status(known, missing={name: UnknownReason.STALE}) == "STALE"
