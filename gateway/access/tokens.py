"""Bearer tokens: of the gateway's own keys (JSON Web Tokens signed with Ed25519), and of issuers.

RFC 7519 (claims), RFC 8037 (EdDSA), RFC 8725 (one algorithm, fixed here: a token cannot choose it).
Claims: ``iss aud sub exp nbf iat jti``, ``client_id``, ``agency``, ``scope`` (space separated, RFC
8693) and ``purposes`` (procedure codes). A token lives 24 hours at most. Those of trusted issuers
are checked by ``gateway.access.issuers``, which this module asks.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from connectors.values import person_number
from gateway.access.caller import Caller
from gateway.access.claims import LONGEST_LIFE, ClaimRules, TokenRefused, caller_of, require_act_for
from gateway.access.issuers import Issuer
from gateway.access.keyset import decode_part
from gateway.access.revocations import NoRevocations, RevocationList, Revocations
from gateway.catalogue.scopes import OWN_VIEW
from gateway.errors import GatewayError
from gateway.keys.keyring import load_signing
from gateway.procedures.procedure import UNIFIED, national
from gateway.runtime.clock import Clock
from gateway.settings import Access, Settings
from gateway.telemetry.redaction import random_id

ALGORITHM = "Ed25519"
_LARGEST_TOKEN = 8 * 1024
_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM])


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
    act_for: str | None = None,
    authorisation: str | None = None,
    life: timedelta = LONGEST_LIFE,
) -> str:
    """Return a signed token.

    ``subject`` is the citizen's number where the scopes hold ``me``; ``act_for`` the number of whom
    they ask for in that person's place, ``authorisation`` the number under which that was notarised
    (None: a parent or guardian). Raises ValueError for a life that is not positive or longer than
    24 hours, for a citizen's token without their number, and for a representation of nobody.
    """
    if OWN_VIEW in scopes:
        person_number(subject)
    require_act_for(subject, scopes, act_for, authorisation)
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise ValueError("a token must not live longer than 24 hours")
    claims: dict[str, object] = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": subject,
        "client_id": client,
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
        "jti": random_id(),
        "scope": " ".join(scopes),
        "purposes": list(purposes),
    }
    given = {"agency": agency, "act_for": act_for, "authorisation": authorisation}
    claims |= {name: value for name, value in given.items() if value}
    header = {"alg": ALGORITHM, "typ": "JWT"}
    if key.kid:
        header["kid"] = key.kid
    return jwt.encode(header, claims, key, registry=_REGISTRY)


@dataclass(frozen=True, slots=True)
class _Known:
    """A token found good: whom it speaks for, its end, its key, and its issuer if not ours."""

    caller: Caller
    expires: float
    thumbprint: str
    issuer: Issuer | None = None


class Tokens:
    """Verifies bearer tokens; a verified one is kept by its hash until it expires.

    ``keys``: the gateway's own, the one that signs first. ``issuers``: those trusted beside them,
    by their claim ``iss``. ``demo``: whether the purpose of measurements is granted to anybody.
    """

    def __init__(
        self,
        keys: Sequence[OKPKey],
        settings: Access,
        clock: Clock,
        kept: int = 10_000,
        *,
        revoked: RevocationList | None = None,
        issuers: Mapping[str, Issuer] | None = None,
        demo: bool = False,
    ) -> None:
        self.use(keys)
        self._demo = demo
        self._settings = settings
        self._clock = clock
        self._kept = kept
        self._revoked = revoked or NoRevocations()
        self._issuers = dict(issuers or {})
        self._expected = ClaimRules(settings.issuer, settings.audience, settings.leeway, ours=True)
        self._callers: OrderedDict[bytes, _Known] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> Tokens:
        """Return what settings say; raises FileNotFoundError or ValueError for the keys."""
        access = settings.access
        issuers = {
            one.issuer: Issuer(name, one, access, clock) for name, one in access.issuers.items()
        }
        revoked = Revocations(settings.path(access.revocations), clock)
        keys = load_signing(settings, "token")
        return cls(keys, access, clock, revoked=revoked, issuers=issuers, demo=settings.demo)

    def use(self, keys: Sequence[OKPKey]) -> None:
        """Take ``keys`` as the gateway's own; a token of any other is refused from now on."""
        self._keys = {one.kid: one for one in keys}
        self._first = keys[0]
        self._thumbprints = {one.kid: one.thumbprint() for one in keys}

    async def open(self) -> None:
        """Start to fetch the keys of trusted issuers; does not wait for any."""
        for issuer in self._issuers.values():
            await issuer.open()

    async def close(self) -> None:
        """End what ``open`` started."""
        for issuer in self._issuers.values():
            await issuer.close()

    def trusts_issuer_of(self, token: str) -> bool:
        """Whether ``token`` claims to be of an issuer trusted beside the own keys."""
        return issuer_of(token) in self._issuers

    async def caller(self, token: str) -> Caller:
        """Return the caller whom ``token`` speaks for, of whichever issuer it is.

        Costs 4 us for a known token, 180 to 220 us for a new one (measured here);
        waits (``access.timeout`` at most) only where the keys of its issuer have to be asked for.
        Raises GatewayError as ``verify`` does, and ISSUER_UNAVAILABLE if it could not be checked.
        """
        try:
            return await self.examine(token)
        except TokenRefused as refused:
            raise _told(refused) from None

    def verify(self, token: str) -> Caller:
        """Return the caller whom ``token``, of a key of the gateway's own, speaks for.

        Costs 110 to 220 us for a new token and 1 to 3 us for a known one. Raises GatewayError:
        TOKEN_EXPIRED, or TOKEN_INVALID for everything else (the reason is not told).
        """
        try:
            digest = _digest(token)
            return self._current(digest, self._callers.get(digest) or self._own(token))
        except TokenRefused as refused:
            raise _told(refused) from None

    async def examine(self, token: str) -> Caller:
        """Do the same as ``caller``, but raise Refused, with the reason."""
        digest = _digest(token)
        known = self._callers.get(digest)
        if known is not None and known.issuer and not known.issuer.holds(known.thumbprint):
            known = None  # its issuer says what that means: withdrawn, or not to be checked now
        if known is None:
            issuer = self._issuers.get(issuer_of(token)) if self._issuers else None
            if issuer is None:
                known = self._own(token)
            else:
                caller, expires, thumbprint = await issuer.verify(token)
                known = self._known(caller, expires, thumbprint, issuer)
        return self._current(digest, known)

    def _current(self, digest: bytes, known: _Known) -> Caller:
        """Return the caller if the token is still good now, and keep it; raises Refused."""
        reason = None
        if self._clock.now().timestamp() >= known.expires + self._settings.leeway:
            reason = TokenRefused("it has expired", "TOKEN_EXPIRED")
        elif self._revoked.holds(known.caller.token_id):
            reason = TokenRefused("it was revoked")
        elif known.issuer is not None and not known.issuer.holds(known.thumbprint):
            reason = TokenRefused("its issuer no longer publishes the key that signed it")
        elif known.issuer is None and known.thumbprint not in self._thumbprints.values():
            reason = TokenRefused("the gateway's own key that signed it was retired")
        if reason is not None:
            self._callers.pop(digest, None)
            raise reason
        if digest not in self._callers:
            self._callers[digest] = known
            if len(self._callers) > self._kept:
                self._callers.popitem(last=False)
        return known.caller

    def _own(self, token: str) -> _Known:
        kid = decode_part(token, 0).get("kid")
        key = self._first if kid is None else self._keys.get(kid if isinstance(kid, str) else "")
        if key is None:
            raise TokenRefused("no key of the gateway's own has its id (kid)")
        try:
            claims = jwt.decode(token, key, registry=_REGISTRY).claims
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise TokenRefused("the gateway's own key did not sign it") from None
        caller, expires = caller_of(claims, self._expected, self._clock.now().timestamp())
        return self._known(caller, expires, self._thumbprints[key.kid])

    def _known(
        self, caller: Caller, expires: float, thumbprint: str, issuer: Issuer | None = None
    ) -> _Known:
        """Return what is kept of a good token; in production the purpose UNIFIED is not granted."""
        if not self._demo:
            granted = frozenset(one for one in caller.purposes if not is_unified(one))
            caller = replace(caller, purposes=granted)
        return _Known(caller, expires, thumbprint, issuer)


def is_unified(purpose: str) -> bool:
    """Whether a purpose is that of measurements, also in a province's spelling."""
    return national(purpose) == UNIFIED


def issuer_of(token: str) -> str:
    """Return the issuer that a token claims to be of, unchecked; an empty text if it says none."""
    with contextlib.suppress(TokenRefused):
        said = decode_part(token, 1).get("iss")
        return said if isinstance(said, str) else ""
    return ""


def _digest(token: str) -> bytes:
    if len(token) > _LARGEST_TOKEN:
        raise TokenRefused("it is too large")
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _told(refused: TokenRefused) -> GatewayError:
    """Return what a client is told: the code, and no reason."""
    later = {"Retry-After": "5"} if refused.code == "ISSUER_UNAVAILABLE" else {}
    return GatewayError(refused.code, headers=later)
