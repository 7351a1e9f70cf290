"""The keys of receipts: the one that signs, those that are retired, and those that are revoked.

They are published as a JWK set at ``/keys`` (RFC 7517), so that anybody verifies a receipt without
asking the gateway. A retired key verifies what it signed; a revoked one verifies nothing, since
somebody else may have signed with it. ``status`` says which it is, and ``revoked`` when, as in
OpenID Federation 1.0 section 8.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from connectors.description import Coded
from gateway.keys.keyring import is_revoked

#: The algorithm as receipts name it (RFC 8037).
ALGORITHM = "EdDSA"
_MOST_KEYS = 64


class KeyStatus(Coded):
    """What a key of receipts does."""

    CURRENT = "đang dùng để ký", "it signs"
    RETIRED = "đã thay, vẫn kiểm tra được chữ ký cũ", "it was replaced, and still verifies"
    REVOKED = "đã thu hồi, không còn giá trị", "it was revoked, and verifies nothing"


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The public half of a key. ``revoked_at``: None unless it is revoked."""

    id: str
    key: OKPKey
    status: KeyStatus
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReceiptKeys:
    """Keys by their id (``kid``)."""

    by_id: Mapping[str, ReceiptKey]

    @classmethod
    def of_ring(cls, ring: Iterable[OKPKey]) -> ReceiptKeys:
        """Return the public halves of the gateway's own keys; the first one signs."""
        keys: dict[str, ReceiptKey] = {}
        for key in ring:
            status = KeyStatus.RETIRED if keys else KeyStatus.CURRENT
            jwk = dict(key.as_dict(private=False))
            keys[str(key.kid)] = _key(jwk, KeyStatus.REVOKED if is_revoked(key) else status)
        return cls(keys)

    @classmethod
    def of_jwks(cls, document: object) -> ReceiptKeys:
        """Return the keys of a JWK set as ``/keys`` publishes it; raises ValueError.

        Keys that are not for receipts are skipped (RFC 7517 section 5).
        """
        if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
            raise ValueError("it is no JWK set")
        keys: dict[str, ReceiptKey] = {}
        for jwk in document["keys"][:_MOST_KEYS]:
            if not isinstance(jwk, dict) or not _is_for_receipts(jwk):
                continue
            if jwk["kid"] in keys:
                raise ValueError("it holds two keys of the same id (kid)")
            try:
                keys[jwk["kid"]] = _key(jwk, _status(jwk))
            except (JoseError, ValueError, TypeError, KeyError, OverflowError):
                raise ValueError("it holds an Ed25519 key that is none") from None
        return cls(keys)

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """Return the JWK set that is published."""
        return {"keys": [_jwk(key) for key in self.by_id.values()]}


def _is_for_receipts(jwk: Mapping[str, Any]) -> bool:
    is_ed25519 = jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519"
    is_for_signatures = jwk.get("use", "sig") == "sig" and jwk.get("alg", ALGORITHM) == ALGORITHM
    return is_ed25519 and is_for_signatures and isinstance(jwk.get("kid"), str)


def _status(jwk: Mapping[str, Any]) -> KeyStatus:
    if "revoked" in jwk or jwk.get("status") == KeyStatus.REVOKED.name:
        return KeyStatus.REVOKED
    return KeyStatus.RETIRED if jwk.get("status") == KeyStatus.RETIRED.name else KeyStatus.CURRENT


def _key(jwk: Mapping[str, Any], status: KeyStatus) -> ReceiptKey:
    public = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
    revoked = jwk.get("revoked")
    seconds = revoked.get("revoked_at") if isinstance(revoked, dict) else None
    revoked_at = datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None
    return ReceiptKey(str(jwk["kid"]), public, status, revoked_at)


def _jwk(key: ReceiptKey) -> dict[str, object]:
    shown: dict[str, object] = {
        **key.key.as_dict(private=False),
        "kid": key.id,
        "use": "sig",
        "alg": ALGORITHM,
        "status": key.status.name,
    }
    if key.status is KeyStatus.REVOKED:
        at = {} if key.revoked_at is None else {"revoked_at": int(key.revoked_at.timestamp())}
        shown["revoked"] = at
    return shown
