"""Whether somebody is considered not to have been sanctioned (chưa bị xử lý vi phạm hành chính).

Law on Handling of Administrative Violations 15/2012/QH13 Art. 7: six months from carrying out a
warning, one year from carrying out any other sanction, or from the day on which it can no longer be
carried out, without a new violation; two years, or one, for handling measures. A new violation
within the period is a sanction whose own period runs later, so that the latest of all decides.
Measures in place of these for minors (Art. 138-140, wording unverified) are not counted.

Where a decision does not say when it was carried out, the period is not known to be over; after the
limitation of execution (one year, Art. 74, unverified) and the longest period it is not known to
run either, and the answer is "not known" unless something else decides.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from datetime import date

from connectors.description import Text
from gateway.derived.view import (
    Conclusion,
    DerivedView,
    Evidence,
    Facts,
    LaterReads,
    UnknownReason,
)

_WARNING_MONTHS, _SANCTION_MONTHS = 6, 12
_MEASURE_MONTHS, _MEASURE_EXPIRED_MONTHS = 24, 12
#: Art. 74 (unverified): how long a decision can be carried out.
_EXECUTION_MONTHS = 12
_IN_PLACE = frozenset({"WARNING_REMINDER", "FAMILY_MANAGEMENT"})


def considered_unsanctioned(
    facts: Mapping[str, Facts], as_of: date, sector: str | None
) -> bool | None:
    """Return whether no sanction or measure counts on ``as_of``; None where it is not known.

    ``sector``: only sanctions in this field, and no measures, which have none.
    """
    verdicts = list(_sanctions(facts["sanctions"], facts["executions"], as_of, sector))
    if sector is None:
        verdicts += _measures(facts["handling_decisions"], as_of)
    if any(counts is True for counts in verdicts):
        return False
    complete = all(list_facts.complete for list_facts in facts.values())
    return True if complete and all(counts is False for counts in verdicts) else None


def _sanctions(
    sanctions: Facts, executions: Facts, as_of: date, sector: str | None
) -> Iterator[bool | None]:
    """Say of each sanction whether it counts; None: not known."""
    for row in sanctions.rows:
        status, field = sanctions.value(row, "status"), sanctions.value(row, "sector")
        other = sector is not None and field is not None and field != sector
        if status == "CANCELLED" or other:
            continue
        decided = sanctions.value(row, "decision_date")
        if isinstance(decided, date) and decided > as_of:
            continue
        completed_on = _latest(executions, sanctions.value(row, "decision_no"), "completed_on")
        expired = _latest(executions, sanctions.value(row, "decision_no"), "expired_on")
        warned = sanctions.value(row, "main_sanction") == "WARNING"
        months = _WARNING_MONTHS if warned else _SANCTION_MONTHS
        counts = _counts(as_of, completed_on, months, expired, _SANCTION_MONTHS, decided)
        # It may be of another sector, or have been carried out earlier than is known here.
        doubtful = (sector is not None and field is None) or (
            completed_on is None and not executions.complete
        )
        yield None if counts and doubtful else counts


def _measures(measures: Facts, as_of: date) -> Iterator[bool | None]:
    """Say of each administrative handling measure whether it counts; None: not known."""
    for row in measures.rows:
        cancelled = measures.value(row, "status") == "CANCELLED"
        if cancelled or measures.value(row, "measure") in _IN_PLACE:
            continue
        begun = measures.value(row, "valid_from")
        if isinstance(begun, date) and begun > as_of:
            continue
        completed_on = _day(measures.value(row, "completed_on"))
        expired = _day(measures.value(row, "expired_on"))
        yield _counts(as_of, completed_on, _MEASURE_MONTHS, expired, _MEASURE_EXPIRED_MONTHS, begun)


def _counts(
    as_of: date,
    completed_on: date | None,
    months: int,
    expired: date | None,
    expired_months: int,
    decided: object,
) -> bool | None:
    if completed_on is not None:
        return as_of < _after(completed_on, months)
    if expired is not None:
        return as_of < _after(expired, expired_months)
    if isinstance(decided, date) and as_of < _after(decided, _EXECUTION_MONTHS + months):
        return True
    return None


def _latest(executions: Facts, decision: object, column: str) -> date | None:
    """Return the latest date in ``column`` of the executions of a decision."""
    days = [
        day
        for row in executions.rows
        if executions.value(row, "decision_no") == decision
        and (day := _day(executions.value(row, column))) is not None
    ]
    return max(days, default=None)


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _after(day: date, months: int) -> date:
    """Return the same day ``months`` later, or the last of that month (Civil Code Art. 148).

    The last day that there is, for what is later.
    """
    place = day.month - 1 + months
    year, month = day.year + place // 12, place % 12 + 1
    if year > date.max.year:
        return date.max
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _conclude(evidence: Evidence) -> Conclusion:
    question = evidence.question
    return unsanctioned_on(evidence, question.valid_on, question.sector)


def unsanctioned_on(evidence: Evidence, as_of: date, sector: str | None) -> Conclusion:
    """Return whether no sanction or measure counts on ``as_of``; ``sector``: in this field only."""
    facts = {name: evidence.list(f"{_DATABASE}.{name}") for name in _LISTS}
    sanctions = facts["sanctions"]
    if not sanctions.is_read:  # it is asked again once they have been read
        return Conclusion.unknown(UnknownReason.SOURCE_FAILED)
    decisions = dict.fromkeys(
        str(number) for row in sanctions.rows if (number := sanctions.value(row, "decision_no"))
    )
    # Where there are none, a key that finds nothing: the time of an answer tells nothing.
    facts["executions"] = evidence.under(_EXECUTIONS, tuple(decisions) or ("-",))
    value = considered_unsanctioned(facts, as_of, sector)
    if value is None:
        reasons = (list_facts.reason for list_facts in facts.values() if list_facts.reason)
        return Conclusion.unknown(next(reasons, UnknownReason.NOT_RECORDED))
    return Conclusion.of(value)


_DATABASE = "administrative_violations"
_LISTS = ("sanctions", "handling_decisions")
_EXECUTIONS = f"{_DATABASE}.executions"
#: The lists of the first wave, and that of the second.
SANCTION_LISTS = tuple(f"{_DATABASE}.{name}" for name in _LISTS)
EXECUTIONS = LaterReads(_EXECUTIONS, f"{_DATABASE}.sanctions")

DERIVED = DerivedView(
    database=_DATABASE,
    name="is_considered_unsanctioned",
    type_name="ConsideredUnsanctioned",
    title=Text(
        "được coi là chưa bị xử lý vi phạm hành chính",
        "whether the person is considered not to have been sanctioned",
    ),
    lists=SANCTION_LISTS,
    later=(EXECUTIONS,),
    compute=_conclude,
    arguments=("as_of", "sector"),
    history_purposes=frozenset({"violation-handling"}),
    accepts_cached=False,
    needs_full_coverage=True,
)
