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


def identified(role: str, who: Text) -> ProcedureRule:
    """Return the rule that the population database knows whoever stands in ``role``.

    ``who``: the role in both languages, as it begins a sentence.
    """
    code = f"{role.upper()}_IDENTIFIED"
    title = Text(f"{who.vi}: xác định được người", f"{who.en}: identified")
    return ProcedureRule(code, title, IDENTITY_LAW, _identified(role, who))


def _identified(role: str, who: Text) -> CheckRule:
    recorded = Text(f"{who.vi} có trong Cơ sở dữ liệu quốc gia về dân cư.",
                 f"{who.en} is known to the population database.")  # fmt: skip
    not_known = Text(f"Chưa xác định được {_lower(who.vi)} theo số định danh.",
                     f"{who.en} could not be identified by the number.")  # fmt: skip

    def check(case: ProcedureCase) -> RuleResult:
        evidence = case.person(role)
        identity = evidence.list(IDENTITY)
        if evidence.identification is not Identification.IDENTIFIED or identity.reason is not None:
            reason = identity.reason or UnknownReason.NOT_IDENTIFIED
            return RuleResult.unknown(not_known, reason)
        return RuleResult.passes(recorded, identity.basis(*identity.rows))

    return check


def alive(role: str, who: Text) -> ProcedureRule:
    """Return the rule that whoever stands in ``role`` lives, and is not declared missing."""
    title = Text(f"{who.vi}: còn sống", f"{who.en}: alive")
    return ProcedureRule(f"{role.upper()}_ALIVE", title, LIFE_LAW, _alive(role, who))


def _alive(role: str, who: Text) -> CheckRule:
    lives = Text(f"{who.vi} còn sống.", f"{who.en} is alive.")
    dead = Text(f"{who.vi} đã chết theo hộ tịch.", f"{who.en} has died by the civil status book.")
    missing = Text(f"{who.vi} đã bị Tòa án tuyên bố mất tích.",
                   f"{who.en} was declared missing by a court.")  # fmt: skip
    not_known = Text(f"Chưa xác định được {_lower(who.vi)} còn sống hay không.",
                     f"It is not known whether {who.en.lower()} is alive.")  # fmt: skip

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
