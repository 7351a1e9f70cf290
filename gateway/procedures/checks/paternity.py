"""Whose child somebody is by law who is born on a day: the mother's husband's.

Law on Marriage and Family 52/2014/QH13 Art. 88: a child born in a marriage is the husband's, and so
is one born within 300 days of its end. (The 300 days are not quoted in the project's sources: an
assumption.) A marriage that may have ended without a note, or a register that may lack one, leaves
it open (``gateway.derived.marital_status``).
"""

from __future__ import annotations

from datetime import date, timedelta

from gateway.derived.marital_status import marital_status
from gateway.derived.marriages import ANNULLED, BookMarriage, marriages_of
from gateway.derived.registers import first_day, has_come, last_day
from gateway.derived.view import Conclusion, Evidence, UnknownReason
from gateway.procedures.checks.evidence_on_day import evidence_on
from gateway.procedures.checks.marital import MARITAL_LISTS

#: A child is born in a marriage up to so many days after its end.
_DAYS_AFTER_MARRIAGE = timedelta(days=300)


def presumed_father(mother: Evidence, born: date) -> Conclusion:
    """Return the number of the husband who is the father of a child born on ``born``.

    Value None: the mother was not married then. UNKNOWN also where the book has no number of the
    husband. ``mother`` needs ``MARITAL_LISTS``.
    """
    unions, reason = marriages_of(mother)
    # Who the father is rests on all of these lists, whichever of them decides.
    lists = (mother.list(name).reason for name in MARITAL_LISTS)
    reason = reason or next((doubt for doubt in lists if doubt is not None), None)
    if reason is not None:
        return Conclusion.unknown(reason)
    verdicts = [(union, _is_within(union, born)) for union in unions]
    candidates = [union for union, counts in verdicts if counts is not False]
    reason = _doubt(mother, born, unions, candidates)
    if reason is not None:
        return Conclusion.unknown(reason)
    husbands = {union.spouse for union in candidates}
    if None in husbands or any(counts is None for _, counts in verdicts):
        return Conclusion.unknown(UnknownReason.NOT_RECORDED)
    if len(husbands) > 1:
        return Conclusion.unknown(UnknownReason.CONTRADICTORY)
    return Conclusion.of(next(iter(husbands), None), *(union.basis for union in candidates))


def _doubt(
    mother: Evidence, born: date, unions: list[BookMarriage], candidates: list[BookMarriage]
) -> UnknownReason | None:
    """Return why the book may lack a marriage, or the end of one, on that day; None: it does not.

    What is known of today tells of the last marriage when it ended.
    """
    on_day = marital_status(evidence_on(mother, born)).reason
    if on_day is None:
        return None
    is_of_last = bool(candidates) and candidates == unions[-1:]
    return marital_status(mother).reason if is_of_last else on_day


def _is_within(union: BookMarriage, born: date) -> bool | None:
    """Say whether a child of that day is of the marriage; None: it is not known."""
    if union.end_reason == ANNULLED:
        return False
    begun = has_come(union.start, born)
    if begun is not True:
        return begun
    if union.end is None and union.ended_by is None:
        return union.covers(born)
    first, last = first_day(union.end), last_day(union.end or union.ended_by)
    assert last is not None
    if first is not None and born - first <= _DAYS_AFTER_MARRIAGE:
        return True
    return False if born - last > _DAYS_AFTER_MARRIAGE else None
