"""Issuing receipts of checks, and opening them again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self

from joserfc import jws
from joserfc.jwk import OKPKey

from gateway.answer import SourceReport
from gateway.derived.view import BasisRecord, UnknownReason
from gateway.keys.keyring import Keyring, load_ring, load_signing
from gateway.procedures.checks.rule import Outcome, RuleState
from gateway.receipts.canonical import encode_json
from gateway.receipts.disclosures import SaltedClaims
from gateway.receipts.keys import ReceiptKeys
from gateway.receipts.seal import SealedCheck, seal, unseal
from gateway.receipts.statement import (
    CheckStatement,
    ReceiptStatement,
    RuleStatement,
    SourceStatement,
    payload_of,
)
from gateway.receipts.timestamps import NOT_CONFIGURED, ReceiptTimestamp, TimestampAuthority
from gateway.receipts.verify import (
    CASE,
    INPUT,
    PERSON,
    REGISTRY,
    ReceiptRefused,
    RefusalReason,
    VerifiedReceipt,
    header_of,
    join_receipt,
    verify_receipt,
)
from gateway.runtime.clock import Clock
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a receipt is issued, and for which request of theirs.

    ``deadline``: of the request, for the time stamp; in seconds of the clock's monotonic time.
    """

    request_id: str
    client: str | None
    agency: str | None
    purpose: str | None
    case_number: str | None
    deadline: float = math.inf


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule as the check shows it."""

    code: str
    state: RuleState
    reason: UnknownReason | None
    evidence: Sequence[BasisRecord]


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """A check as its caller sees it, for a receipt.

    ``people``: the numbers in each role, as they were named; ``details``: the rest of the input, as
    JSON. ``sealed_input``: the whole input, as JSON; ``requested_at``: the day that was named for
    the check, None where it was today's. ``sources``: the reports of lists, by ``database.lookup``.
    """

    procedure: str
    outcome: Outcome
    at: date
    requested_at: date | None
    facts_as_of: datetime | None
    law: tuple[str, ...]
    law_since: date
    rules: Sequence[ShownRule]
    sources: Sequence[tuple[str, SourceReport]]
    silent: Sequence[str]
    people: Mapping[str, Sequence[str]]
    details: Mapping[str, Any]
    sealed_input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReceiptIssuer:
    """Issues receipts in the name of this gateway, and opens those that it issued.

    ``ring``: keys that sign, the current one first. ``seals``: those of the part that is for the
    gateway alone. ``authority``: stamps receipts, None: nobody does.
    """

    name: str
    ring: tuple[OKPKey, ...]
    seals: Keyring
    clock: Clock
    authority: TimestampAuthority | None = None
    keys: ReceiptKeys = field(init=False)

    def __post_init__(self) -> None:
        """Take the public halves of the ring."""
        object.__setattr__(self, "keys", ReceiptKeys.of_ring(self.ring))

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> Self:
        """Return the issuer for ``settings``; raises FileNotFoundError or ValueError for keys."""
        ring, seals = load_signing(settings, "receipt_sign"), load_ring(settings, "receipt_seal")
        authority = TimestampAuthority.from_settings(settings)
        return cls(settings.receipts.issuer, ring, seals, clock, authority)

    def issue(self, check: ShownCheck, recipient: Recipient) -> str:
        """Return the receipt of ``check``, with every disclosure. Costs some 200 us."""
        salted = SaltedClaims()
        rules = tuple(_state_rule(rule, salted) for rule in check.rules)
        for name, value in _claims(check, recipient):
            salted.add_claim(name, value)
        statement = ReceiptStatement(
            CheckStatement(
                check.procedure,
                check.outcome,
                check.at,
                check.facts_as_of,
                check.law,
                check.law_since,
                rules,
                tuple(_state_source(*source) for source in check.sources),
                tuple(check.silent),
            ),
            self.name,
            self.clock.now(),
            recipient.request_id,
            recipient.client,
            recipient.agency,
            tuple(sorted(claim.digest for claim in salted.claims)),
            seal(self.seals, _sealed(check, recipient)),
        )
        signer = self.ring[0]
        header, payload = header_of(str(signer.kid)), encode_json(payload_of(statement))
        signed = jws.serialize_compact(header, payload, signer, registry=REGISTRY)
        return join_receipt(signed, salted.in_order())

    async def stamp(self, receipt: str, seconds: float) -> ReceiptTimestamp:
        """Return the time stamp of ``receipt``, or why it has none; never raises for a source."""
        if self.authority is None:
            return NOT_CONFIGURED
        return await self.authority.stamp(receipt, seconds)

    def open(self, text: str) -> tuple[VerifiedReceipt, SealedCheck]:
        """Return what a receipt of this gateway states, and what was checked.

        Disclosures are not needed. Raises ReceiptRefused.
        """
        receipt = verify_receipt(text, self.keys)
        try:
            return receipt, unseal(self.seals, receipt.statement.sealed)
        except ValueError:
            raise ReceiptRefused(RefusalReason.CONTENT) from None


def _state_rule(rule: ShownRule, salted: SaltedClaims) -> RuleStatement:
    digests = tuple(
        salted.add_element(
            {
                "database": evidence.database,
                "record": evidence.record,
                "id": evidence.id,
                "asOf": None if evidence.as_of is None else evidence.as_of.isoformat(),
            }
        )
        for evidence in rule.evidence
    )
    return RuleStatement(rule.code, rule.state, rule.reason, digests)


def _state_source(name: str, report: SourceReport) -> SourceStatement:
    list_name = name.partition(".")[2]
    return SourceStatement(
        report.database.name, list_name, report.state, report.fetched_at, report.as_of
    )


def _claims(check: ShownCheck, recipient: Recipient) -> list[tuple[str, object]]:
    """Return the claims that stand in the receipt as digests."""
    claims: list[tuple[str, object]] = []
    if recipient.case_number is not None:
        claims.append((CASE, recipient.case_number))
    for role, numbers in check.people.items():
        several = len(numbers) > 1
        for place, number in enumerate(numbers, start=1):
            claims.append((f"{PERSON}{role}.{place}" if several else PERSON + role, number))
    claims += [(INPUT + name, value) for name, value in check.details.items()]
    return claims


def _sealed(check: ShownCheck, recipient: Recipient) -> SealedCheck:
    return SealedCheck(
        check.procedure,
        check.sealed_input,
        None if check.requested_at is None else check.requested_at.isoformat(),
        recipient.client,
        recipient.agency,
        recipient.purpose,
        recipient.case_number,
    )
