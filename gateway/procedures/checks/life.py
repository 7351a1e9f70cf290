"""Whether somebody in a case is known, and lives.

Law on Identification 26/2023/QH15 Art. 12: a person is known by the identification number. Civil
Code 91/2015/QH13 Art. 16, 68-73: capacity ends with death; a court declares somebody missing or
dead. Facts: ``gateway.derived.life_status``.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.answer import Identification
from gateway.derived.life_status import LIFE_LISTS, LifeState, life_status
from gateway.derived.registers import BIRTHS, IDENTITY
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.rule import CheckRule, ProcedureCase, ProcedureRule, RuleResult

#: The lists that the rules of this file read of somebody.
ALIVE_LISTS = tuple(dict.fromkeys((*LIFE_LISTS, BIRTHS)))
IDENTITY_LAW = Text("Luật Căn cước 26/2023/QH15, Điều 12", "Law on Identification 26/2023, Art. 12")
LIFE_LAW = Text("Bộ luật Dân sự 91/2015/QH13, Điều 16, 68-73", "Civil Code 91/2015, Art. 16, 68-73")


def identified(role: str, label: Text) -> ProcedureRule:
    """Return the rule that the population database knows whoever stands in ``role``.

    ``label``: the role in both languages, as it begins a sentence.
    """
    code = f"{role.upper()}_IDENTIFIED"
    title = Text(f"{label.vi}: xác định được người", f"{label.en}: identified")
    return ProcedureRule(code, title, IDENTITY_LAW, _identified(role, label))


def _identified(role: str, label: Text) -> CheckRule:
    recorded = Text(f"{label.vi} có trong Cơ sở dữ liệu quốc gia về dân cư.",
                 f"{label.en} is known to the population database.")  # fmt: skip
    not_known = Text(f"Chưa xác định được {_lower(label.vi)} theo số định danh.",
                     f"{label.en} could not be identified by the number.")  # fmt: skip

    def check(case: ProcedureCase) -> RuleResult:
        evidence = case.person(role)
        identity = evidence.list(IDENTITY)
        if evidence.identification is not Identification.IDENTIFIED or identity.reason is not None:
            reason = identity.reason or UnknownReason.NOT_IDENTIFIED
            return RuleResult.unknown(not_known, reason)
        return RuleResult.passes(recorded, identity.basis(*identity.rows))

    return check


def alive(role: str, label: Text) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` lives, and is not declared missing."""
    title = Text(f"{label.vi}: còn sống", f"{label.en}: alive")
    return ProcedureRule(f"{role.upper()}_ALIVE", title, LIFE_LAW, _alive(role, label))


def _alive(role: str, label: Text) -> CheckRule:
    lives = Text(f"{label.vi} còn sống.", f"{label.en} is alive.")
    dead = Text(
        f"{label.vi} đã chết theo hộ tịch.", f"{label.en} has died by the civil status book."
    )
    missing = Text(f"{label.vi} đã bị Tòa án tuyên bố mất tích.",
                   f"{label.en} was declared missing by a court.")  # fmt: skip
    not_known = Text(f"Chưa xác định được {_lower(label.vi)} còn sống hay không.",
                     f"It is not known whether {label.en.lower()} is alive.")  # fmt: skip

    def check(case: ProcedureCase) -> RuleResult:
        life = life_status(case.person(role))
        if life.reason is not None:
            return RuleResult.unknown(not_known, life.reason)
        if life.value is LifeState.ALIVE:
            return RuleResult.passes(lives, life.basis)
        return RuleResult.fails(dead if life.value is LifeState.DEAD else missing, life.basis)

    return check


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
