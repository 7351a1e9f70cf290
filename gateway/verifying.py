"""Comparing what a caller claims of a person with what the population database holds.

Names agree whatever their Unicode form, case and place of tone marks; dates as far as both are
known. What the database does not hold decides nothing: then the answer is UNKNOWN, never MATCH.
"""

from __future__ import annotations

from connectors.description import Row
from connectors.values import PartialDate
from gateway.answer import Answer, State
from gateway.fetch.numbers import Numbers
from gateway.fetch.source import Source
from gateway.names import dates_agree, same_name
from gateway.verification import Claimed, IdentityDetail, Verdict, Verification, Verified


def verified(
    numbers: Numbers,
    claimed: Claimed,
    verification: Verification,
    source: Source,
    hides: bool,
) -> tuple[Verified, Answer]:
    """Return what came of a verification, and the answer that it rests on.

    ``hides``: the client must not learn whether a number exists (its settings require matching):
    a number that nobody holds, or two people, and details that disagree are one and the same then.
    """
    answer = _answer(numbers, verification, source)
    if answer.rows is None or (not answer.rows and answer.unreadable):
        return Verified(Verdict.UNKNOWN, None, answer.report), answer
    result, mismatched = Verdict.UNKNOWN, None
    if answer.rows and not numbers.conflict:
        result, mismatched = _compared(answer.rows[0], claimed, verification)
    if hides and result is not Verdict.MATCH:
        # Nor by when it was asked: for a number of two people there is no such time.
        report = source.report(verification.record, answer.report.state)
        return Verified(Verdict.MISMATCH, None, report), answer
    return Verified(result, mismatched, answer.report), answer


def _answer(numbers: Numbers, verification: Verification, source: Source) -> Answer:
    """Return the population's answer about the person; where there is none, why."""
    if numbers.identity is not None:
        return numbers.identity
    state = numbers.doubt or State.ANSWERED
    if numbers.conflict and not state.has_rows:
        state = State.ANSWERED  # what was found out is enough to know that it is two people's
    report = source.report(verification.record, state)
    return Answer(report, () if state.has_rows else None)


def _compared(
    row: Row, claimed: Claimed, verification: Verification
) -> tuple[Verdict, tuple[IdentityDetail, ...] | None]:
    places = verification.record.positions
    name, born, sex = row[places["full_name"]], row[places["birth_date"]], row[places["sex"]]
    agrees = {
        IdentityDetail.NAME: same_name(claimed.name, name) if isinstance(name, str) else None,
        IdentityDetail.BIRTH_DATE: dates_agree(claimed.birth_date, born)
        if isinstance(born, PartialDate)
        else None,
        IdentityDetail.SEX: claimed.sex == sex if sex is not None else None,
    }
    mismatched = tuple(one for one, does in agrees.items() if does is False)
    if mismatched:
        return Verdict.MISMATCH, mismatched
    if None in agrees.values():
        return Verdict.UNKNOWN, None
    return Verdict.MATCH, ()
