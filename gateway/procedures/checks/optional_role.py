"""Rules about somebody whom a case need not name."""

from __future__ import annotations

from connectors.description import Text
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult

_NOBODY = Text("Hồ sơ không có người ở vai trò này.", "Nobody stands in this role.")


def where_named(role: str, rule: ProcedureRule) -> ProcedureRule:
    """Return ``rule`` for an optional role: PASS where nobody stands in it.

    Whether somebody has to stand there is a rule of its own.
    """

    def check(case: ProcedureCase) -> RuleResult:
        return rule.check(case) if case.has(role) else RuleResult.passes(_NOBODY)

    return ProcedureRule(rule.code, rule.title, rule.law, check, rule.is_concealed)
