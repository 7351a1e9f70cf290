"""Verification: whether a number and what is claimed of a person belong together.

Nothing is disclosed. Domain.md section 4: predicate answers before raw attributes; no search but by
number and what must agree with it.

Names agree whatever their Unicode form, case and place of tone marks; dates as far as they are
recorded. What the database does not hold, what an old encoding left unreadable, and a date of which
less is claimed than is recorded decide nothing: then the answer is UNKNOWN, never MATCH.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.description import Coded, Row
from connectors.values import PartialDate
from gateway.answer import Answer, SourceReport, State
from gateway.catalogue.verification import Verification
from gateway.fetch.source import Source
from gateway.limits.verification_attempts import Attempt, AttemptStatus
from gateway.people.names import date_agrees, names_agree
from gateway.people.numbers import PersonNumbers


class Verdict(Coded):
    """The outcome of a verification."""

    MATCH = "khớp", "all of it belongs together"
    MISMATCH = "không khớp", "something does not agree"
    UNKNOWN = "chưa xác định được", "it cannot be said"


class IdentityDetail(Coded):
    """A detail that can disagree."""

    NAME = "họ, chữ đệm và tên", "full name"
    BIRTH_DATE = "ngày sinh", "date of birth"
    SEX = "giới tính", "sex"


@dataclass(frozen=True, slots=True)
class ClaimedIdentity:
    """What the caller says of a person. ``sex``: a code of the population database."""

    name: str
    birth_date: PartialDate
    sex: str


@dataclass(frozen=True, slots=True)
class IdentityVerification:
    """The result. ``mismatched``: the details that disagree; None: they are not disclosed."""

    result: Verdict
    mismatched: tuple[IdentityDetail, ...] | None
    source: SourceReport


def compare_claim(
    numbers: PersonNumbers,
    claimed: ClaimedIdentity,
    verification: Verification,
    source: Source,
    conceals: bool,
    attempt: Attempt | None = None,
) -> tuple[IdentityVerification, Answer]:
    """Compare what is claimed with the population database; returns the result and its answer.

    ``attempt``: the one counted for it; it is told where it is no guess: a match, or all that is
    recorded agrees. ``conceals``: the client must not learn whether a number exists (its settings
    require matching): a number that nobody holds, one of two people, and details that disagree give
    the same result then.
    """
    answer = _identity_answer(numbers, verification, source)
    if answer.rows is None or (not answer.rows and answer.unreadable):
        return IdentityVerification(Verdict.UNKNOWN, None, answer.report), answer
    result, mismatched = Verdict.UNKNOWN, None
    if answer.rows and not numbers.conflict and _may_compare(attempt):
        result, mismatched, blameless = _compare_details(answer.rows[0], claimed, verification)
        if attempt is not None:
            attempt.agrees = result is Verdict.MATCH or (blameless and not conceals)
    if conceals and result is not Verdict.MATCH:
        # Without the time of the read, which a number of two people does not have.
        report = source.report(verification.record, answer.report.state)
        return IdentityVerification(Verdict.MISMATCH, None, report), answer
    return IdentityVerification(result, mismatched, answer.report), answer


def _may_compare(attempt: Attempt | None) -> bool:
    return attempt is None or attempt.status is AttemptStatus.LEFT


def _identity_answer(numbers: PersonNumbers, verification: Verification, source: Source) -> Answer:
    """Return the answer about the person, or one whose state says why there is none."""
    if numbers.identity is not None:
        return numbers.identity
    state = numbers.doubt or State.ANSWERED
    if numbers.conflict and not state.has_rows:
        state = State.ANSWERED  # enough is known to say that the number is two people's
    report = source.report(verification.record, state)
    return Answer(report, () if state.has_rows else None)


def _compare_details(
    row: Row, claimed: ClaimedIdentity, verification: Verification
) -> tuple[Verdict, tuple[IdentityDetail, ...] | None, bool]:
    """Return the verdict, what disagrees, and whether all that is claimed agrees where it can."""
    places = verification.record.positions
    name, born, sex = row[places["full_name"]], row[places["birth_date"]], row[places["sex"]]
    date = date_agrees(claimed.birth_date, born) if isinstance(born, PartialDate) else None
    agrees = {
        IdentityDetail.NAME: names_agree(claimed.name, name) if isinstance(name, str) else None,
        IdentityDetail.BIRTH_DATE: date,
        IdentityDetail.SEX: claimed.sex == sex if sex is not None else None,
    }
    mismatched = tuple(detail for detail, agreed in agrees.items() if agreed is False)
    if mismatched:
        return Verdict.MISMATCH, mismatched, False
    if None in agrees.values():
        return Verdict.UNKNOWN, None, date is True
    return Verdict.MATCH, (), True
