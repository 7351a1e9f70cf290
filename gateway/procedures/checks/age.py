"""Whether somebody in a case has reached an age, on the day of the procedure.

Somebody has reached an age of full years on the birthday itself; who was born on 29 February, in
a year without that day, on 1 March (Civil Code 91/2015/QH13 Art. 148: a year ends with the day
before; the articles on periods are not in the project's sources: an assumption). A birth date of
which the month or the day is not recorded decides only where every day that it can mean decides
alike.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from connectors.description import Text
from gateway.derived.registers import (
    BIRTHS,
    IDENTITY,
    Statement,
    birth_date,
    first_day,
    last_day,
)
from gateway.derived.view import Evidence, UnknownReason
from gateway.procedures.checks.rule import CheckRule, ProcedureCase, ProcedureRule, RuleResult

#: The lists that the rules of this file read of somebody.
AGE_LISTS = (BIRTHS, IDENTITY)


def full_years(born: date, day: date) -> int:
    """Return the age in full years on ``day``; negative before the birth."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def has_reached(born: Any, years: int, day: date) -> bool | None:
    """Say whether somebody born on a date, perhaps partial, is ``years`` old on ``day``.

    None: it is not known.
    """
    first, last = first_day(born), last_day(born)
    if first is None or last is None:
        return None
    if full_years(last, day) >= years:
        return True
    return None if full_years(first, day) >= years else False


def birth_of(evidence: Evidence) -> Statement:
    """Return when somebody was born, or why that is not known."""
    return birth_date(evidence.list(BIRTHS), evidence.list(IDENTITY))


def of_age(role: str, label: Text, years: int, law: Text) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` is ``years`` old on the day of the procedure.

    ``label``: the role in both languages, as it begins a sentence. ``law``: what asks for the age.
    """
    title = Text(f"{label.vi}: đủ {years} tuổi", f"{label.en}: {years} years of age")
    return ProcedureRule(f"{role.upper()}_OF_AGE", title, law, _of_age(role, label, years))


def _of_age(role: str, label: Text, years: int) -> CheckRule:
    reached = Text(f"{label.vi} đủ {years} tuổi vào ngày làm thủ tục.",
                   f"{label.en} is {years} or older on the day of the procedure.")  # fmt: skip
    younger = Text(f"{label.vi} chưa đủ {years} tuổi vào ngày làm thủ tục.",
                   f"{label.en} is younger than {years} on the day of the procedure.")  # fmt: skip
    not_known = Text(
        f"{label.vi}: chưa xác định được đã đủ {years} tuổi hay chưa.",
        f"{label.en}: whether the age of {years} is reached is not known.",
    )

    def check(case: ProcedureCase) -> RuleResult:
        born = birth_of(case.person(role))
        if born.reason is not None:
            return RuleResult.unknown(not_known, born.reason)
        reaches = has_reached(born.value, years, case.at)
        if reaches is None:
            return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
        decide = RuleResult.passes if reaches else RuleResult.fails
        return decide(reached if reaches else younger, born.basis)

    return check
