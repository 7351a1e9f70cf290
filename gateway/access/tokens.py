"""Bearer tokens: of the gateway's own key (JSON Web Tokens signed with Ed25519), and of issuers.

RFC 7519 (claims), RFC 8037 (EdDSA), RFC 8725 (one algorithm, fixed here: a token cannot choose it).
Claims: ``iss aud sub exp nbf iat jti``, ``client_id``, ``agency``, ``scope`` (space separated, RFC
8693) and ``purposes`` (procedure codes). A token lives 24 hours at most. Those of trusted issuers
are checked by ``gateway.access.issuers``, which this module asks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from connectors.values import person_number
from gateway.access.caller import Caller
from gateway.access.claims import LONGEST_LIFE, Expected, Refused, caller_of
from gateway.access.issuers import Issuer
from gateway.access.keyset import part
from gateway.access.revocations import Nothing, Revocations, Revoked
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.keys import read_key, write_key
from gateway.scopes import OWN_VIEW
from gateway.settings import Access, Settings

ALGORITHM = "Ed25519"
_LARGEST_TOKEN = 8 * 1024
_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM])


def create_key(path: Path) -> None:
    """Write a new Ed25519 signing key to ``path``, readable by its owner only."""
    key = OKPKey.generate_key("Ed25519", parameters={"kid": secrets.token_hex(8)})
    write_key(path, json.dumps(key.as_dict(private=True)).encode())


def load_key(path: Path) -> OKPKey:
    """Read a signing key written by ``create_key``; raises FileNotFoundError, ValueError."""
    return OKPKey.import_key(json.loads(read_key(path)))


def issue(
    key: OKPKey,
    settings: Access,
    now: datetime,
    *,
    subject: str,
    client: str,
    scopes: Sequence[str],
    agency: str | None = None,
    purposes: Sequence[str] = (),
    life: timedelta = LONGEST_LIFE,
) -> str:
    """Return a signed token.

    ``subject`` is the citizen's number where the scopes hold ``me``. Raises ValueError for a life
    that is not positive or longer than 24 hours, and for a citizen's token without their number.
    """
    if OWN_VIEW in scopes:
        person_number(subject)
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise ValueError("a token lives 24 hours at most")
    claims: dict[str, object] = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": subject,
        "client_id": client,
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
        "jti": secrets.token_hex(16),
        "scope": " ".join(scopes),
        "purposes": list(purposes),
    }
    if agency:
        claims["agency"] = agency
    header = {"alg": ALGORITHM, "typ": "JWT"}
    if key.kid:
        header["kid"] = key.kid
    return jwt.encode(header, claims, key, registry=_REGISTRY)


@dataclass(frozen=True, slots=True)
class _Known:
    """A token found good: whom it speaks for, its end, and, if not ours, issuer and key."""

    caller: Caller
    expires: float
    issuer: Issuer | None = None
    thumbprint: str = ""


class Tokens:
    """Verifies bearer tokens; a verified one is kept by its hash until it expires.

    ``issuers``: those trusted beside the gateway's own key, by their claim ``iss``.
    """

    def __init__(
        self,
        key: OKPKey,
        settings: Access,
        clock: Clock,
        kept: int = 10_000,
        *,
        revoked: Revoked | None = None,
        issuers: Mapping[str, Issuer] | None = None,
    ) -> None:
        self._key = key
        self._settings = settings
        self._clock = clock
        self._kept = kept
        self._revoked = revoked or Nothing()
        self._issuers = dict(issuers or {})
        self._expected = Expected(settings.issuer, settings.audience, settings.leeway, ours=True)
        self._callers: OrderedDict[bytes, _Known] = OrderedDict()

    @classmethod
    def configured(cls, settings: Settings, clock: Clock) -> Tokens:
        """Return what settings say; raises FileNotFoundError or ValueError for the key."""
        access = settings.access
        issuers = {
            one.issuer: Issuer(name, one, access, clock) for name, one in access.issuers.items()
        }
        revoked = Revocations(settings.path(access.revocations), clock)
        key = load_key(settings.path(access.key))
        return cls(key, access, clock, revoked=revoked, issuers=issuers)

    async def open(self) -> None:
        """Start to fetch the keys of trusted issuers; does not wait for any."""
        for issuer in self._issuers.values():
            await issuer.open()

    async def close(self) -> None:
        """End what ``open`` started."""
        for issuer in self._issuers.values():
            await issuer.close()

    def trusts_issuer_of(self, token: str) -> bool:
        """Whether ``token`` claims to be of an issuer trusted beside the own key."""
        return issuer_of(token) in self._issuers

    async def caller(self, token: str) -> Caller:
        """Return the caller whom ``token`` speaks for, of whichever issuer it is.

        Costs 4 us for a known token, 180 to 220 us for a new one (measured here);
        waits (``access.timeout`` at most) only where the keys of its issuer have to be asked for.
        Raises GatewayError as ``verify`` does, and ISSUER_UNAVAILABLE if it could not be checked.
        """
        try:
            return await self.examined(token)
        except Refused as refused:
            raise _told(refused) from None

    def verify(self, token: str) -> Caller:
        """Return the caller whom ``token``, of the gateway's own key, speaks for.

        Costs 110 to 220 us for a new token and 1 to 3 us for a known one. Raises GatewayError:
        TOKEN_EXPIRED, or TOKEN_INVALID for everything else (the reason is not told).
        """
        try:
            digest = _digest(token)
            return self._current(digest, self._callers.get(digest) or self._own(token))
        except Refused as refused:
            raise _told(refused) from None

    async def examined(self, token: str) -> Caller:
        """Do the same as ``caller``, but raise Refused, with the reason."""
        digest = _digest(token)
        known = self._callers.get(digest)
        if known is None:
            issuer = self._issuers.get(issuer_of(token)) if self._issuers else None
            if issuer is None:
                known = self._own(token)
            else:
                caller, expires, thumbprint = await issuer.verify(token)
                known = _Known(caller, expires, issuer, thumbprint)
        return self._current(digest, known)

    def _current(self, digest: bytes, known: _Known) -> Caller:
        """Return the caller if the token is still good now, and keep it; raises Refused."""
        reason = None
        if self._clock.now().timestamp() >= known.expires + self._settings.leeway:
            reason = Refused("it has expired", "TOKEN_EXPIRED")
        elif self._revoked.holds(known.caller.token_id):
            reason = Refused("it was revoked")
        elif known.issuer is not None and not known.issuer.holds(known.thumbprint):
            reason = Refused("its issuer no longer publishes the key that signed it")
        if reason is not None:
            self._callers.pop(digest, None)
            raise reason
        if digest not in self._callers:
            self._callers[digest] = known
            if len(self._callers) > self._kept:
                self._callers.popitem(last=False)
        return known.caller

    def _own(self, token: str) -> _Known:
        try:
            claims = jwt.decode(token, self._key, registry=_REGISTRY).claims
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise Refused("the gateway's own key did not sign it") from None
        return _Known(*caller_of(claims, self._expected, self._clock.now().timestamp()))


def issuer_of(token: str) -> str:
    """Return the issuer that a token claims to be of, unchecked; an empty text if it says none."""
    with contextlib.suppress(Refused):
        said = part(token, 1).get("iss")
        return said if isinstance(said, str) else ""
    return ""


def _digest(token: str) -> bytes:
    if len(token) > _LARGEST_TOKEN:
        raise Refused("it is too large")
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _told(refused: Refused) -> GatewayError:
    """Return what a client is told: the code, and no reason."""
    later = {"Retry-After": "5"} if refused.code == "ISSUER_UNAVAILABLE" else {}
    return GatewayError(refused.code, headers=later)
