"""A token as the operator looks at it: what it says, and whether and why it is accepted."""

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
    """What was found; ``code`` and ``reason`` are None for a token that is accepted."""

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
    return Inspection(_read(token, 0), _read(token, 1), code, reason)


def id_of(token_or_id: str, access: Access) -> str:
    """Return the id to revoke: that of a token, in the claim its issuer has it in, or the text.

    Raises Refused for what looks like a token and has no id.
    """
    if token_or_id.count(".") != 2:
        return token_or_id
    claims = decode_part(token_or_id, 1)
    issuers = {one.issuer: one.claims for one in access.issuers.values()}
    names = issuers.get(str(claims.get("iss")), ClaimNames()).token_id
    found = next((claims[name] for name in names if name in claims), None)
    if not isinstance(found, str) or not found:
        raise TokenRefused(f"the token has no id ({' or '.join(names)})")
    return found


def _read(token: str, number: int) -> dict[str, Any]:
    try:
        return decode_part(token, number)
    except TokenRefused:
        return {}
