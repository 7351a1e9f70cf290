"""Rechecking: the check of a receipt, made again for the same caller, purpose and case.

A notary signs on today's facts: what changed since the receipt was issued is told rule by rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.access.caller import Caller
from gateway.catalogue.checks import CheckBinding
from gateway.errors import GatewayError
from gateway.execution.checking import ProcedureCheck, role_numbers
from gateway.execution.decisions import RecordRules
from gateway.plan.check_arguments import CheckArguments, restore_check_arguments
from gateway.procedures.checks.rule import Outcome, RuleState
from gateway.receipts.seal import SealedCheck
from gateway.receipts.statement import ReceiptStatement
from gateway.receipts.verify import ReceiptRefused


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule whose state changed. ``before``, ``now``: None where the law had no such rule."""

    code: str
    before: RuleState | None
    now: RuleState | None


@dataclass(frozen=True, slots=True)
class Recheck:
    """A check that was made again. ``rules``: those that came to something else than before.

    ``issued_at``: when the receipt was issued.
    """

    changed: bool
    rules: tuple[RuleChange, ...]
    outcome_before: Outcome
    issued_at: datetime
    check: ProcedureCheck


@dataclass(frozen=True, slots=True)
class OpenedReceipt:
    """A receipt of this gateway: what it states, what was checked and for whom."""

    statement: ReceiptStatement
    sealed: SealedCheck
    arguments: CheckArguments
    people: Mapping[str, Sequence[str]]

    @property
    def numbers(self) -> list[str]:
        """The numbers of the people in the case."""
        return [number for numbers in self.people.values() for number in numbers]

    def require_recipient(self, caller: Caller) -> None:
        """Refuse whoever the receipt was not issued to; raises GatewayError RECEIPT_REFUSED.

        Client and agency, purpose and case must all be the same. Nobody is told which is not.
        """
        sealed = self.sealed
        issued_to = (sealed.client, sealed.agency, sealed.purpose, sealed.case_number)
        if issued_to != (caller.client, caller.agency, caller.purpose, caller.case_number):
            raise GatewayError("RECEIPT_REFUSED")


def open_receipt(
    rules: RecordRules, checks: Mapping[str, CheckBinding], text: str
) -> OpenedReceipt:
    """Open a receipt; raises GatewayError RECEIPT_REFUSED for any that cannot be checked again."""
    assert rules.receipts is not None
    try:
        receipt, sealed = rules.receipts.open(text)
        arguments = restore_check_arguments(
            checks, sealed.code, sealed.input, sealed.at, rules.today
        )
    except (ReceiptRefused, ValueError):
        raise GatewayError("RECEIPT_REFUSED") from None
    return OpenedReceipt(receipt.statement, sealed, arguments, role_numbers(arguments))


def compare_check(statement: ReceiptStatement, check: ProcedureCheck) -> Recheck:
    """Return what changed between a receipt and a check of now."""
    before = {rule.code: rule.state for rule in statement.check.rules}
    now = {rule.code: rule.state for rule in check.rules}
    changes = tuple(
        RuleChange(code, before.get(code), now.get(code))
        for code in {**now, **before}
        if before.get(code) is not now.get(code)
    )
    outcome_before = statement.check.outcome
    return Recheck(
        bool(changes) or outcome_before is not check.outcome,
        changes,
        outcome_before,
        statement.issued_at,
        check,
    )
