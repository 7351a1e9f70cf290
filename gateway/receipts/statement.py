"""What a receipt states, and how that stands in its payload.

The payload has exactly the claims that are listed here. Whom the check is about, its case and the
rest of its input stand in it as salted digests (``_sd``), the records that rules rest on likewise.
``sealed`` is for the gateway alone (``gateway.receipts.seal``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from gateway.answer import State
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.rule import Outcome, RuleState
from gateway.receipts.canonical import encode_json
from gateway.receipts.disclosures import DIGEST_ALGORITHM

#: The form of the payload: another one gets another number.
VERSION = 1


@dataclass(frozen=True, slots=True)
class RuleStatement:
    """A rule with its result. ``evidence``: digests of the records that were shown for it."""

    code: str
    state: RuleState
    reason: UnknownReason | None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceStatement:
    """What a database answered of a list. ``fetched_at``: when it was asked; None: it was not."""

    database: str
    list: str
    state: State
    fetched_at: datetime | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class CheckStatement:
    """What a check came to.

    ``at``: the day whose law and ages count; ``law``, ``law_since``: the law in force then.
    ``sources``: what was asked, and what each database answered; ``silent``: the databases that did
    not answer, also those of whose lists nothing may be reported.
    """

    procedure: str
    outcome: Outcome
    at: date
    facts_as_of: datetime | None
    law: tuple[str, ...]
    law_since: date
    rules: tuple[RuleStatement, ...]
    sources: tuple[SourceStatement, ...]
    silent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceiptStatement:
    """All that a receipt states in the open.

    ``digests``: of the claims that may be disclosed. ``client`` and ``agency``: to whom it was
    issued. ``request_id``: as in the journal.
    """

    check: CheckStatement
    issuer: str
    issued_at: datetime
    request_id: str
    client: str | None
    agency: str | None
    digests: tuple[str, ...]
    sealed: str

    @property
    def evidence(self) -> tuple[str, ...]:
        """The digests of all records that were shown."""
        return tuple(digest for rule in self.check.rules for digest in rule.evidence)


def payload_of(statement: ReceiptStatement) -> dict[str, object]:
    """Return the payload that states this."""
    check = statement.check
    return {
        "version": VERSION,
        "iss": statement.issuer,
        "iat": int(statement.issued_at.timestamp()),
        "requestId": statement.request_id,
        "client": statement.client,
        "agency": statement.agency,
        "procedure": check.procedure,
        "outcome": check.outcome.name,
        "at": check.at.isoformat(),
        "factsAsOf": _text(check.facts_as_of),
        "law": list(check.law),
        "lawSince": check.law_since.isoformat(),
        "rules": [
            {
                "code": rule.code,
                "state": rule.state.name,
                "reason": None if rule.reason is None else rule.reason.name,
                "evidence": [{"...": digest} for digest in rule.evidence],
            }
            for rule in check.rules
        ],
        "sources": [
            {
                "database": source.database,
                "list": source.list,
                "state": source.state.name,
                "fetchedAt": _text(source.fetched_at),
                "asOf": _text(source.as_of),
            }
            for source in check.sources
        ],
        "silent": list(check.silent),
        "sealed": statement.sealed,
        "_sd": list(statement.digests),
        "_sd_alg": DIGEST_ALGORITHM,
    }


def statement_of(payload: object) -> ReceiptStatement:
    """Return what a payload states; raises ValueError for one that is not as it is written here."""
    try:
        statement = _read(payload)
        # As JSON: to Python, true is the same as 1.
        is_same = encode_json(payload_of(statement)) == encode_json(payload)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        raise ValueError("it is no payload of a receipt") from None
    if not is_same:
        raise ValueError("it has other claims than a receipt has")
    return statement


def _read(payload: Any) -> ReceiptStatement:
    check = CheckStatement(
        _string(payload["procedure"]),
        Outcome[payload["outcome"]],
        date.fromisoformat(payload["at"]),
        _moment(payload["factsAsOf"]),
        tuple(map(_string, payload["law"])),
        date.fromisoformat(payload["lawSince"]),
        tuple(map(_rule, payload["rules"])),
        tuple(map(_source, payload["sources"])),
        tuple(map(_string, payload["silent"])),
    )
    digests = tuple(map(_string, payload["_sd"]))
    statement = ReceiptStatement(
        check,
        _string(payload["iss"]),
        datetime.fromtimestamp(payload["iat"], UTC),
        _string(payload["requestId"]),
        _optional(payload["client"]),
        _optional(payload["agency"]),
        digests,
        _string(payload["sealed"]),
    )
    everywhere = (*digests, *statement.evidence)
    if len(set(everywhere)) < len(everywhere) or list(digests) != sorted(digests):
        raise ValueError
    return statement


def _rule(claim: Mapping[str, Any]) -> RuleStatement:
    reason = claim["reason"]
    return RuleStatement(
        _string(claim["code"]),
        RuleState[claim["state"]],
        None if reason is None else UnknownReason[reason],
        tuple(_string(element["..."]) for element in claim["evidence"]),
    )


def _source(claim: Mapping[str, Any]) -> SourceStatement:
    return SourceStatement(
        _string(claim["database"]),
        _string(claim["list"]),
        State[claim["state"]],
        _moment(claim["fetchedAt"]),
        _moment(claim["asOf"]),
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _string(value)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
