"""Whether a person is married, on a day (tình trạng hôn nhân).

domain.md 2.1: marriages in force that had not ended by the day, after divorces, annulments and
deaths. Law on Civil Status 60/2014/QH13 Art. 60(2): where registers differ the civil status book
prevails. But that a book says nothing proves nothing: paper books are not all digitised, courts
send divorces unevenly, and marriages of before 3 January 1987 need no registration. So

- never married is concluded only of who was too young to marry before the books were electronic
  (Law 60/2014, in force 1 January 2016), or was confirmed never to have married since then;
- a marriage without a noted end stands, unless the population database knows of its end;
- a divorce or widowhood prevails over another status there only if it came when the books were
  electronic already: a later marriage would be in them.

For the dead it is the status on the day before the death.
"""

from __future__ import annotations

from datetime import date, timedelta

from connectors.description import Coded, Text
from gateway.derived.life_status import LifeState, life_status
from gateway.derived.marriages import (
    ANNULLED,
    DIVORCED,
    DIVORCES,
    MARRIAGES,
    BookMarriage,
    marriages_of,
)
from gateway.derived.registers import (
    BIRTHS,
    DEATHS,
    IDENTITY,
    NOTES,
    Statement,
    birth_date,
    first_day,
    has_come,
    identity_value,
    in_force,
    last_day,
)
from gateway.derived.view import (
    PERSON,
    Conclusion,
    DerivedView,
    Evidence,
    LaterReads,
    UnknownReason,
)

#: From this day on every marriage is in the electronic books (Law 60/2014/QH13 Art. 77).
ELECTRONIC_SINCE = date(2016, 1, 1)
#: Nobody married younger: a year below the age of Law 52/2014 Art. 8, since older laws counted it
#: otherwise (an assumption).
_YOUNGEST = 17
CONFIRMATIONS = "civil_status.marital_status_confirmations"
#: As many spouses as are looked at.
_SPOUSES = 50


class MaritalState(Coded):
    """Whether a person is married."""

    NEVER_MARRIED = "chưa từng kết hôn", "never married"
    MARRIED = "đang có vợ/chồng", "married"
    DIVORCED = "đã ly hôn", "divorced"
    WIDOWED = "góa", "widowed"


def marital_status(evidence: Evidence) -> Conclusion:
    """Return the MaritalState on the day of the question."""
    unions, reason = marriages_of(evidence)
    life = life_status(evidence)
    if reason is not None or life.reason is not None:
        return Conclusion.unknown(reason or life.reason or UnknownReason.NOT_RECORDED)
    question = evidence.question
    days: set[date] = {question.valid_on}
    if life.value is LifeState.DEAD:
        days = {_day_before(day) for day in _days_of_death(life)}
    at_present = life.value is LifeState.DEAD or question.valid_on == question.today
    answers = [_status(evidence, unions, day, at_present=at_present) for day in sorted(days)]
    if not answers or len({(answer.value, answer.reason) for answer in answers}) > 1:
        return Conclusion.unknown(UnknownReason.NOT_RECORDED)
    return answers[0]


def _day_before(day: date) -> date:
    return day if day == date.min else day - timedelta(days=1)


def _days_of_death(life: Conclusion) -> set[date]:
    """Return the first and last day that the death can have been on."""
    days: set[date | None] = set()
    for basis in life.basis:
        column = "death_date" if basis.facts.name == DEATHS else "effective_date"
        died = basis.facts.value(basis.row, column)
        days |= {first_day(died), last_day(died)}
    return {day for day in days if day is not None}


def _status(
    evidence: Evidence, unions: list[BookMarriage], day: date, *, at_present: bool
) -> Conclusion:
    """Return the status on ``day``. ``at_present``: the population database has it of that day."""
    covering = [(union, union.covers(day)) for union in unions]
    married = [union for union, covers in covering if covers]
    population = identity_value(evidence.list(IDENTITY), "marital_status")
    if population.reason is not None:
        return Conclusion.unknown(population.reason)
    if married:
        return _married(evidence, unions, married[-1], population.value, at_present=at_present)
    if any(covers is None for _, covers in covering):
        return Conclusion.unknown(UnknownReason.NOT_COVERED)
    ended = [
        union
        for union in unions
        if union.end_reason != ANNULLED and has_come(union.start, day) is True
    ]
    if not ended:
        return _never_married(evidence, day, population.value if at_present else None)
    return _unmarried(ended[-1], population.value, at_present=at_present)


def _married(
    evidence: Evidence,
    unions: list[BookMarriage],
    union: BookMarriage,
    population: str | None,
    *,
    at_present: bool,
) -> Conclusion:
    """Return MARRIED, unless the marriage may have ended without a note."""
    value = Conclusion.of(MaritalState.MARRIED, union.basis)
    if union.is_noted:
        return value
    is_last = union is unions[-1]
    if union.end is not None and not at_present:
        # It ended by a death: perhaps by a divorce before, which the population database knows.
        agrees = is_last and population == "WIDOWED"
        return value if agrees else Conclusion.unknown(UnknownReason.NOT_COVERED)
    if population is None:
        return Conclusion.unknown(UnknownReason.NOT_RECORDED)
    states = {"MARRIED", "SEPARATED", "SINGLE"}
    return value if population in states else Conclusion.unknown(UnknownReason.CONTRADICTORY)


def _unmarried(union: BookMarriage, population: str | None, *, at_present: bool) -> Conclusion:
    """Return DIVORCED or WIDOWED after a marriage that has ended."""
    state = MaritalState.DIVORCED if union.end_reason == DIVORCED else MaritalState.WIDOWED
    value = Conclusion.of(state, union.basis)
    ended_on = first_day(union.end)
    is_electronic = ended_on is not None and ended_on >= ELECTRONIC_SINCE
    if union.end is None:
        return Conclusion.unknown(UnknownReason.NOT_COVERED)
    if not union.is_noted and not (at_present and population == state.name):
        # Inferred from a death: a divorce may have come before it, or another marriage after it.
        return Conclusion.unknown(_doubt(at_present))
    if at_present and population == state.name:
        return value
    if not is_electronic or (at_present and population in {"DIVORCED", "WIDOWED"}):
        return Conclusion.unknown(_doubt(at_present))
    return value


def _doubt(at_present: bool) -> UnknownReason:
    return UnknownReason.CONTRADICTORY if at_present else UnknownReason.NOT_COVERED


def _never_married(evidence: Evidence, day: date, population: str | None) -> Conclusion:
    """Return NEVER_MARRIED of whose marriage could not be missing from the books."""
    if population is not None and population != "SINGLE":
        return Conclusion.unknown(UnknownReason.CONTRADICTORY)
    confirmations = evidence.list(CONFIRMATIONS)
    if confirmations.reason is not None:
        return Conclusion.unknown(confirmations.reason)
    born = birth_date(evidence.list(BIRTHS), evidence.list(IDENTITY))
    if born.reason is not None:
        return Conclusion.unknown(born.reason)
    if _youngest_marriage(born) > min(ELECTRONIC_SINCE, day):
        return Conclusion.of(MaritalState.NEVER_MARRIED, born.basis)
    for row in confirmations.rows:
        status = confirmations.code(row, "marital_status")
        issued_on = confirmations.value(row, "issued_on")
        counts = in_force(confirmations, row)
        if counts and status == "NEVER_MARRIED" and issued_on and issued_on >= ELECTRONIC_SINCE:
            return Conclusion.of(MaritalState.NEVER_MARRIED, confirmations.basis(row))
    return Conclusion.unknown(UnknownReason.NOT_COVERED)


def _youngest_marriage(born: Statement) -> date:
    """Return the day from which on somebody could marry."""
    first = first_day(born.value)
    assert first is not None
    return date(first.year + _YOUNGEST, first.month, min(first.day, 28))


def could_have_married_on_paper(evidence: Evidence) -> bool:
    """Say whether a marriage of the person may be missing from the electronic books."""
    born = birth_date(evidence.list(BIRTHS), evidence.list(IDENTITY))
    if born.reason is not None:
        return True
    return _youngest_marriage(born) <= min(ELECTRONIC_SINCE, evidence.question.valid_on)


DERIVED = DerivedView(
    database=PERSON,
    name="marital_status",
    type_name="MaritalStatusFact",
    title=Text("tình trạng hôn nhân", "whether the person is married"),
    value=MaritalState,
    lists=(MARRIAGES, DIVORCES, DEATHS, NOTES, CONFIRMATIONS, BIRTHS, IDENTITY),
    later=(LaterReads(DEATHS, _SPOUSES), LaterReads(NOTES, _SPOUSES)),
    people=_SPOUSES,
    compute=marital_status,
    needs_full_coverage=True,
)
