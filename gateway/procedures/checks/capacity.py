"""What somebody in a case may do for themself.

Civil Code 91/2015/QH13 Art. 20-24: a court declares that somebody has lost civil act capacity, is
restricted in it, or has difficulty in cognition or control of acts. The last two do not bar a
marriage (domain.md 3.1); for transactions a representative acts or consents. Facts:
``gateway.derived.legal_capacity``.
"""

from __future__ import annotations

from datetime import date

from connectors.description import Text
from gateway.derived.legal_capacity import (
    BY_AGE,
    DERIVED,
    CapacityState,
    age_state,
    legal_capacity,
)
from gateway.derived.view import Conclusion, Evidence
from gateway.procedures.checks.age import birth_of
from gateway.procedures.checks.rule import CheckRule, ProcedureCase, ProcedureRule, RuleResult

#: The lists that the rules of this file read of somebody.
CAPACITY_LISTS = DERIVED.lists
CAPACITY_LAW = Text("Bộ luật Dân sự 91/2015/QH13, Điều 19-24", "Civil Code 91/2015, Art. 19-24")
#: States in which nobody acts for themself any more.
_LOST = frozenset({CapacityState.INCAPACITATED, CapacityState.ENDED})


def capacity_on(evidence: Evidence, day: date) -> Conclusion:
    """Return the CapacityState of somebody: declarations as of now, the age as of ``day``."""
    capacity = legal_capacity(evidence)
    return age_state(birth_of(evidence), day) if capacity.value in BY_AGE else capacity


def not_incapacitated(role: str, label: Text, law: Text = CAPACITY_LAW) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` has not lost civil act capacity.

    Restricted capacity, difficulty in cognition and age are no loss of it.
    """
    title = Text(
        f"{label.vi}: không mất năng lực hành vi dân sự",
        f"{label.en}: has not lost civil act capacity",
    )
    return ProcedureRule(
        f"{role.upper()}_NOT_INCAPACITATED", title, law, _not_incapacitated(role, label)
    )


def _not_incapacitated(role: str, label: Text) -> CheckRule:
    met = Text(f"{label.vi} không bị tuyên bố mất năng lực hành vi dân sự.",
               f"{label.en} is not declared incapacitated.")  # fmt: skip
    not_met = Text(f"{label.vi} đã mất năng lực hành vi dân sự.",
                   f"{label.en} has lost civil act capacity.")  # fmt: skip
    not_known = _not_known(label)

    def check(case: ProcedureCase) -> RuleResult:
        capacity = legal_capacity(case.person(role))
        if capacity.reason is not None:
            return RuleResult.unknown(not_known, capacity.reason)
        if capacity.value in _LOST:
            return RuleResult.fails(not_met, capacity.basis)
        return RuleResult.passes(met, capacity.basis)

    return check


def acts_alone(role: str, label: Text, law: Text = CAPACITY_LAW) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` may make a transaction without anybody else.

    Below eighteen on the day of the procedure, and after a court's declaration, a representative
    has to act or to consent (Civil Code Art. 21-24): NEEDS_PERSON. The dead do not act: FAIL.
    """
    title = Text(
        f"{label.vi}: có năng lực hành vi dân sự đầy đủ", f"{label.en}: has full civil act capacity"
    )
    return ProcedureRule(f"{role.upper()}_ACTS_ALONE", title, law, _acts_alone(role, label))


def _acts_alone(role: str, label: Text) -> CheckRule:
    met = Text(f"{label.vi} có năng lực hành vi dân sự đầy đủ.",
               f"{label.en} has full civil act capacity.")  # fmt: skip
    ended = Text(f"{label.vi} đã chết, năng lực hành vi dân sự chấm dứt.",
                 f"{label.en} has died: civil act capacity has ended.")  # fmt: skip
    represented = Text(
        f"{label.vi} cần người đại diện theo pháp luật thực hiện hoặc đồng ý.",
        f"{label.en} needs a legal representative to act or to consent.",
    )
    not_known = _not_known(label)

    def check(case: ProcedureCase) -> RuleResult:
        capacity = capacity_on(case.person(role), case.at)
        if capacity.reason is not None:
            return RuleResult.unknown(not_known, capacity.reason)
        if capacity.value is CapacityState.ENDED:
            return RuleResult.fails(ended, capacity.basis)
        if capacity.value is not CapacityState.FULL:
            return RuleResult.needs_person(represented)
        return RuleResult.passes(met, capacity.basis)

    return check


def fully_capable(role: str, label: Text, law: Text = CAPACITY_LAW) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` has full civil act capacity.

    It is for duties towards others, in which nobody is represented: guardians (Civil Code Art. 49),
    adopters (Law on Adoption 52/2010/QH12 Art. 14). Whoever lacks it fails.
    """
    title = Text(
        f"{label.vi}: có năng lực hành vi dân sự đầy đủ", f"{label.en}: has full civil act capacity"
    )
    return ProcedureRule(f"{role.upper()}_FULLY_CAPABLE", title, law, _fully_capable(role, label))


def _fully_capable(role: str, label: Text) -> CheckRule:
    met = Text(f"{label.vi} có năng lực hành vi dân sự đầy đủ.",
               f"{label.en} has full civil act capacity.")  # fmt: skip
    not_met = Text(f"{label.vi} không có năng lực hành vi dân sự đầy đủ.",
                   f"{label.en} does not have full civil act capacity.")  # fmt: skip
    not_known = _not_known(label)

    def check(case: ProcedureCase) -> RuleResult:
        capacity = capacity_on(case.person(role), case.at)
        if capacity.reason is not None:
            return RuleResult.unknown(not_known, capacity.reason)
        if capacity.value is CapacityState.FULL:
            return RuleResult.passes(met, capacity.basis)
        return RuleResult.fails(not_met, capacity.basis)

    return check


def _not_known(label: Text) -> Text:
    return Text(
        f"{label.vi}: chưa xác định được năng lực hành vi dân sự.",
        f"{label.en}: civil act capacity is not known.",
    )
