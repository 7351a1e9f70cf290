"""Bearer tokens: of the gateway's own keys (JSON Web Tokens signed with Ed25519), and of issuers.

RFC 7519 (claims), RFC 8037 (EdDSA), RFC 8725 (one algorithm, fixed here: a token cannot choose it).
Claims: ``iss aud sub exp nbf iat jti``, ``client_id``, ``agency``, ``scope`` (space separated, RFC
8693) and ``purposes`` (procedure codes). A token is valid for 24 hours at most. Tokens of trusted
issuers are verified by ``gateway.access.issuers``.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cachetools import FIFOCache
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

    ``subject``: the citizen's number where the scopes include ``me``. ``act_for``: the number of
    the citizen whom the subject represents. ``authorisation``: the number under which that was
    notarised; None for a parent or guardian. Raises ValueError for a life that is not positive or
    longer than 24 hours, for a citizen's token without a number, and for an authorisation without
    a citizen to represent.
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
    optional = {"agency": agency, "act_for": act_for, "authorisation": authorisation}
    claims |= {name: value for name, value in optional.items() if value}
    header = {"alg": ALGORITHM, "typ": "JWT"}
    if key.kid:
        header["kid"] = key.kid
    return jwt.encode(header, claims, key, registry=_REGISTRY)


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token whose signature and claims were verified.

    ``expires``: in seconds since 1970. ``thumbprint``: of the key that signed it. ``issuer`` None:
    the gateway's own.
    """

    caller: Caller
    expires: float
    thumbprint: str
    issuer: Issuer | None = None


class Tokens:
    """Verifies bearer tokens. The last ``most`` verified ones are kept by their hash.

    ``keys``: the gateway's own, the signing one first. ``issuers``: the trusted ones, by their
    claim ``iss``. ``demo``: whether the purpose of measurements is granted.
    """

    def __init__(
        self,
        keys: Sequence[OKPKey],
        settings: Access,
        clock: Clock,
        most: int = 10_000,
        *,
        revoked: RevocationList | None = None,
        issuers: Mapping[str, Issuer] | None = None,
        demo: bool = False,
    ) -> None:
        self.use(keys)
        self._demo = demo
        self._settings = settings
        self._clock = clock
        self._revoked = revoked or NoRevocations()
        self._issuers = dict(issuers or {})
        self._expected = ClaimRules(settings.issuer, settings.audience, settings.leeway, ours=True)
        self._verified: FIFOCache[bytes, VerifiedToken] = FIFOCache(most)

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> Tokens:
        """Return the verifier for ``settings``; raises FileNotFoundError or ValueError for keys."""
        access = settings.access
        issuers = {
            trusted.issuer: Issuer(name, trusted, access, clock)
            for name, trusted in access.issuers.items()
        }
        revoked = Revocations(settings.path(access.revocations), clock)
        keys = load_signing(settings, "token")
        return cls(keys, access, clock, revoked=revoked, issuers=issuers, demo=settings.demo)

    def use(self, keys: Sequence[OKPKey]) -> None:
        """Use ``keys`` as the gateway's own: tokens of any other key are refused from now on."""
        self._keys = {key.kid: key for key in keys}
        self._first = keys[0]
        self._thumbprints = {key.kid: key.thumbprint() for key in keys}

    async def open(self) -> None:
        """Start to fetch the keys of trusted issuers; does not wait for any."""
        for issuer in self._issuers.values():
            await issuer.open()

    async def close(self) -> None:
        """End what ``open`` started."""
        for issuer in self._issuers.values():
            await issuer.close()

    def trusts_issuer_of(self, token: str) -> bool:
        """Whether ``token`` claims to be of a trusted issuer."""
        return issuer_of(token) in self._issuers

    def issuer(self, url: str) -> Issuer:
        """Return the trusted issuer with this ``iss``; raises KeyError."""
        return self._issuers[url]

    def is_revoked(self, token_id: str | None) -> bool:
        """Return whether the token with this id was revoked, whether or not it has expired."""
        return self._revoked.is_revoked(token_id)

    async def caller(self, token: str) -> Caller:
        """Return the caller of ``token``; see ``verified``."""
        return (await self.verified(token)).caller

    async def verified(self, token: str) -> VerifiedToken:
        """Return ``token`` verified, whichever issuer signed it.

        Costs 4 us for a token that was verified before, 180 to 220 us for a new one. Waits, for
        ``access.timeout`` at most, only if the keys of its issuer must be fetched. Raises
        GatewayError as ``verify`` does, and ISSUER_UNAVAILABLE if it cannot be verified now.
        """
        try:
            return await self.examine(token)
        except TokenRefused as refused:
            raise _client_error(refused) from None

    def is_valid(self, verified: VerifiedToken) -> bool:
        """Return whether a token that was verified before is valid now. Costs 1 us.

        It is not where it has expired, was revoked, or its key is no longer in use. Then verify it
        again: the keys of its issuer may have changed.
        """
        return self._fault(verified) is None

    def require_usable(self, caller: Caller) -> None:
        """Require that the token by which ``caller`` was verified would still be accepted.

        For work that goes on after its request: the token itself is not kept. Raises TokenRefused
        as ``restate`` does, and where it has expired.
        """
        if caller.expires is None or self._clock.now() >= caller.expires:
            raise TokenRefused("it has expired")
        self.restate(caller)

    def restate(self, caller: Caller) -> Caller:
        """Return a caller of before with the scopes and purposes that the token still grants.

        For what outlives a token: that it has expired does not matter. All else is as if the token
        was shown now: it must not have been revoked, its issuer must be trusted and publish the key
        that signed it, and what the issuer cannot grant any more is left out. Raises TokenRefused,
        with the code ISSUER_UNAVAILABLE while the issuer's keys are not known.
        """
        if self._revoked.is_revoked(caller.token_id):
            raise TokenRefused("it was revoked")
        if caller.issuer == self._settings.issuer:
            if caller.signing_key not in self._thumbprints.values():
                raise TokenRefused("the gateway's own key that signed it was retired")
            return self._without_unified(caller)
        issuer = self._issuers.get(caller.issuer or "")
        if issuer is None:
            raise TokenRefused("its issuer is not trusted")
        if not issuer.has_fetched:
            raise TokenRefused("its issuer does not answer", "ISSUER_UNAVAILABLE")
        if not issuer.publishes(caller.signing_key or ""):
            raise TokenRefused("its issuer no longer publishes the key that signed it")
        return self._without_unified(issuer.limit(caller))

    def verify(self, token: str) -> Caller:
        """Return the caller of ``token``, which the gateway's own key must have signed.

        Costs 110 to 220 us for a new token and 1 to 3 us for one that was verified before. Raises
        GatewayError TOKEN_EXPIRED, or TOKEN_INVALID for everything else, without the reason.
        """
        try:
            digest = _digest(token)
            verified = self._verified.get(digest) or self._verify_local(token)
            return self._current(digest, verified).caller
        except TokenRefused as refused:
            raise _client_error(refused) from None

    async def examine(self, token: str) -> VerifiedToken:
        """Return the token as ``verified`` does, but raise TokenRefused, with the reason."""
        digest = _digest(token)
        verified = self._verified.get(digest)
        if (
            verified is not None
            and verified.issuer
            and not verified.issuer.publishes(verified.thumbprint)
        ):
            verified = None  # verify again: the key is withdrawn, or cannot be fetched now
        if verified is None:
            issuer = self._issuers.get(issuer_of(token)) if self._issuers else None
            if issuer is None:
                verified = self._verify_local(token)
            else:
                caller, expires, thumbprint = await issuer.verify(token)
                verified = self._verified_token(caller, expires, thumbprint, issuer)
        return self._current(digest, verified)

    def _current(self, digest: bytes, verified: VerifiedToken) -> VerifiedToken:
        """Return the token if it is valid now, and keep it; raises Refused."""
        fault = self._fault(verified)
        if fault is not None:
            self._verified.pop(digest, None)
            raise fault
        if digest not in self._verified:
            self._verified[digest] = verified
        return verified

    def _fault(self, verified: VerifiedToken) -> TokenRefused | None:
        """Return why a token is not valid now, None where it is."""
        if self._clock.now().timestamp() >= verified.expires + self._settings.leeway:
            return TokenRefused("it has expired", "TOKEN_EXPIRED")
        if self._revoked.is_revoked(verified.caller.token_id):
            return TokenRefused("it was revoked")
        if verified.issuer is not None:
            if not verified.issuer.publishes(verified.thumbprint):
                return TokenRefused("its issuer no longer publishes the key that signed it")
        elif verified.thumbprint not in self._thumbprints.values():
            return TokenRefused("the gateway's own key that signed it was retired")
        return None

    def _verify_local(self, token: str) -> VerifiedToken:
        kid = decode_part(token, 0).get("kid")
        key = self._first if kid is None else self._keys.get(kid if isinstance(kid, str) else "")
        if key is None:
            raise TokenRefused("no key of the gateway's own has its id (kid)")
        try:
            claims = jwt.decode(token, key, registry=_REGISTRY).claims
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise TokenRefused("the gateway's own key did not sign it") from None
        caller, expires = caller_of(claims, self._expected, self._clock.now().timestamp())
        return self._verified_token(caller, expires, self._thumbprints[key.kid])

    def _verified_token(
        self, caller: Caller, expires: float, thumbprint: str, issuer: Issuer | None = None
    ) -> VerifiedToken:
        name = self._settings.issuer if issuer is None else issuer.url
        signed = replace(caller, issuer=name, signing_key=thumbprint)
        return VerifiedToken(self._without_unified(signed), expires, thumbprint, issuer)

    def _without_unified(self, caller: Caller) -> Caller:
        """Return ``caller`` without the purpose UNIFIED, which is granted in the demo only."""
        if self._demo:
            return caller
        granted = frozenset(name for name in caller.purposes if not is_unified(name))
        return replace(caller, purposes=granted)


def is_unified(purpose: str) -> bool:
    """Return whether a purpose is that of measurements, in a province's spelling too."""
    return national(purpose) == UNIFIED


def issuer_of(token: str) -> str:
    """Return the issuer that a token names, unverified; an empty text if it names none."""
    with contextlib.suppress(TokenRefused):
        issuer = decode_part(token, 1).get("iss")
        return issuer if isinstance(issuer, str) else ""
    return ""


def _digest(token: str) -> bytes:
    if len(token) > _LARGEST_TOKEN:
        raise TokenRefused("it is too large")
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _client_error(refused: TokenRefused) -> GatewayError:
    """Return the error for the client: the code, without the reason."""
    headers = {"Retry-After": "5"} if refused.code == "ISSUER_UNAVAILABLE" else {}
    return GatewayError(refused.code, headers=headers)
