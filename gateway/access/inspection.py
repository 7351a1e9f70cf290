"""Inspection of a token by the operator: its content, and whether and why it is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.access.claims import TokenRefused
from gateway.access.keyset import decode_part
from gateway.access.tokens import Tokens
from gateway.runtime.clock import Clock
from gateway.settings import Access, ClaimNames, Settings


@dataclass(frozen=True, slots=True)
class Inspection:
    """The content of a token. ``code`` and ``reason``: why it is refused, None if accepted."""

    header: dict[str, Any]
    claims: dict[str, Any]
    code: str | None
    reason: str | None

    @property
    def shown(self) -> dict[str, object]:
        """What the command line prints."""
        refused = {} if self.code is None else {"code": self.code, "reason": self.reason}
        return {
            "accepted": self.code is None,
            **refused,
            "header": self.header,
            "claims": self.claims,
        }


async def inspect(token: str, settings: Settings, clock: Clock) -> Inspection:
    """Check ``token`` as a gateway with these settings would.

    A token of the gateway's own keys needs no network; one of a trusted issuer fetches its keys.
    Raises FileNotFoundError or ValueError for the gateway's keys.
    """
    tokens = Tokens.from_settings(settings, clock)
    code = reason = None
    try:
        if tokens.trusts_issuer_of(token):
            await tokens.open()
        await tokens.examine(token)
    except TokenRefused as refused:
        code, reason = refused.code, refused.reason
    finally:
        await tokens.close()
    return Inspection(_decode_or_empty(token, 0), _decode_or_empty(token, 1), code, reason)


def id_of(token_or_id: str, access: Access) -> str:
    """Return the id to revoke: that of a token, from the claim that its issuer uses, or the text.

    Raises TokenRefused for a token without an id.
    """
    if token_or_id.count(".") != 2:
        return token_or_id
    claims = decode_part(token_or_id, 1)
    claim_names = {trusted.issuer: trusted.claims for trusted in access.issuers.values()}
    names = claim_names.get(str(claims.get("iss")), ClaimNames()).token_id
    token_id = next((claims[name] for name in names if name in claims), None)
    if not isinstance(token_id, str) or not token_id:
        raise TokenRefused(f"the token has no id ({' or '.join(names)})")
    return token_id


def _decode_or_empty(token: str, number: int) -> dict[str, Any]:
    try:
        return decode_part(token, number)
    except TokenRefused:
        return {}
