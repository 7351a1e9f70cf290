"""Of which sex the people of a case are.

The population database says so (domain.md 3.1); the birth in force must not say otherwise, since
the civil status book prevails (Law on Civil Status 60/2014/QH13 Art. 60(2)): after a
redetermination of sex the birth is entered anew.
"""

from __future__ import annotations

from connectors.description import Text
from gateway.derived.registers import (
    BIRTHS,
    IDENTITY,
    Statement,
    identity_value,
    in_force,
)
from gateway.derived.view import Evidence, UnknownReason
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult

#: The lists that the rules of this file read of somebody.
SEX_LISTS = (BIRTHS, IDENTITY)


def sex_of(evidence: Evidence) -> Statement:
    """Return the code of somebody's sex, or why it is not known."""
    births = evidence.list(BIRTHS)
    registered = identity_value(evidence.list(IDENTITY), "sex")
    reason = registered.reason or births.reason
    if reason is not None:
        return Statement(reason=reason)
    if registered.value is None:
        return Statement(reason=UnknownReason.NOT_RECORDED)
    code = getattr(registered.value, "name", registered.value)
    rows = [row for row in births.rows if in_force(births, row) is not False]
    if {births.code(row, "sex") for row in rows} - {None, code}:
        return Statement(reason=UnknownReason.CONTRADICTORY)
    return Statement(code, None, registered.basis)


def man_and_woman(man: str, woman: str, law: Text) -> ProcedureRule:
    """Return the rule that a man stands in the role ``man`` and a woman in the role ``woman``."""
    title = Text("một bên là nam, một bên là nữ", "one man and one woman")
    met = Text("Một bên là nam, một bên là nữ.", "One is a man, the other is a woman.")
    not_met = Text(
        "Hai người không phải là một nam và một nữ ở đúng vị trí của mình.",
        "They are not a man and a woman, each in their own place.",
    )
    not_known = Text(
        "Chưa xác định được giới tính của cả hai người.", "The sex of both of them is not known."
    )

    def check(case: ProcedureCase) -> RuleResult:
        statements = (sex_of(case.person(man)), sex_of(case.person(woman)))
        expected = ("MALE", "FEMALE")
        bases = tuple(row for statement in statements for row in statement.basis)
        if any(
            statement.reason is None and statement.value != sex
            for statement, sex in zip(statements, expected, strict=True)
        ):
            return RuleResult.fails(not_met, bases)
        reason = next(
            (statement.reason for statement in statements if statement.reason is not None), None
        )
        if reason is not None:
            return RuleResult.unknown(not_known, reason)
        return RuleResult.passes(met, bases)

    return ProcedureRule("ONE_MAN_ONE_WOMAN", title, law, check)
