"""Receipts for tests: an issuer with keys of its own, and a check that it can state."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from joserfc.jwk import OKPKey

from connectors.registry import installed_databases
from gateway.answer import SourceReport, State
from gateway.derived.view import BasisRecord, UnknownReason
from gateway.keys.keyring import Keyring, Secret
from gateway.procedures.checks.rule import Outcome, RuleState
from gateway.receipts.canonical import decode_base64url, decode_json, encode_base64url
from gateway.receipts.disclosures import parse_disclosure
from gateway.receipts.issue import ReceiptIssuer, Recipient, ShownCheck, ShownRule
from tests.support.people import HOA, LAN
from tests.support.running import CASE_NUMBER, TestClock

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
RECIPIENT = Recipient("request-1", "notary-7", "Phòng công chứng số 7", "1.000894", CASE_NUMBER)
EVIDENCE = BasisRecord("population", "identity", "id-of-a-record", NOW)
_REPORTED = next(database for database in installed_databases() if database.name == "civil_status")


def signing_key(kid: str) -> OKPKey:
    """Return a new Ed25519 key."""
    return OKPKey.generate_key("Ed25519", {"kid": kid})


def _revoked(key: OKPKey) -> OKPKey:
    jwk: dict[str, Any] = dict(key.as_dict(private=False))
    jwk["revoked"] = {"revoked_at": 1}
    return OKPKey.import_key(jwk)


@dataclass
class Ring:
    """The keys of a gateway's receipts, which a test rotates."""

    keys: list[OKPKey] = field(default_factory=lambda: [signing_key("key-1")])
    seals: Keyring = field(default_factory=lambda: Keyring(Secret.of(secrets.token_bytes(32))))

    def rotate(self, kid: str) -> None:
        """Put a new key first; only the public half of the former ones stays."""
        former = [OKPKey.import_key(dict(key.as_dict(private=False))) for key in self.keys]
        self.keys = [signing_key(kid), *former]

    def revoke(self, kid: str) -> None:
        """Mark a key as revoked."""
        self.keys = [_revoked(key) if key.kid == kid else key for key in self.keys]

    @property
    def issuer(self) -> ReceiptIssuer:
        """The issuer with the keys as they are now."""
        return ReceiptIssuer("justice-gateway", tuple(self.keys), self.seals, TestClock())


def shown_check() -> ShownCheck:
    """Return a check of a marriage, with a database that is silent and a record as evidence."""
    return ShownCheck(
        procedure="1.000894",
        outcome=Outcome.UNKNOWN,
        at=date(2026, 12, 1),
        requested_at=date(2026, 12, 1),
        facts_as_of=NOW,
        law=("Luật Hôn nhân và gia đình 52/2014/QH13",),
        law_since=date(2015, 1, 1),
        rules=[
            ShownRule("GROOM_AGE", RuleState.PASS, None, [EVIDENCE]),
            ShownRule("BRIDE_SINGLE", RuleState.UNKNOWN, UnknownReason.SOURCE_FAILED, []),
        ],
        sources=[
            (
                "civil_status.marriages",
                SourceReport(State.UNAVAILABLE, _REPORTED, _REPORTED.coverage, None, NOW),
            )
        ],
        silent=["civil_status"],
        people={"groom": (HOA,), "bride": (LAN,)},
        details={"place": "Phường Bến Thành"},
        sealed_input={"groom": HOA, "bride": LAN, "place": "Phường Bến Thành"},
    )


#: How the header of every receipt begins.
_BEGINNING = encode_base64url(b'{"alg":"EdDSA",')


def is_receipt(value: object) -> bool:
    """Say whether a value of an answer is a receipt."""
    return isinstance(value, str) and value.startswith(_BEGINNING) and value.endswith("~")


def without_salts(receipt: str) -> dict[str, object]:
    """Return what a receipt says, for comparing it with another of the same check."""
    signed, *texts, _ = receipt.split("~")
    disclosures = {each.digest: each for each in map(parse_disclosure, texts)}
    payload = decode_json(decode_base64url(signed.split(".")[1]))
    assert isinstance(payload, dict)
    del payload["sealed"]
    payload["_sd"] = sorted(
        [disclosures[digest].name, disclosures[digest].value] for digest in payload["_sd"]
    )
    for rule in payload["rules"]:
        rule["evidence"] = [disclosures[element["..."]].value for element in rule["evidence"]]
    return payload
