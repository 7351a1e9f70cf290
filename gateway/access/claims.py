"""The claims of a token whose signature was verified (RFC 7519 section 4.1).

Nothing here depends on how a token was signed. A fault is raised as ``TokenRefused`` with a reason:
the command line shows the reason, a client over HTTP never sees it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from connectors.values import person_number
from gateway.access.caller import Caller
from gateway.catalogue.scopes import OWN_VIEW
from gateway.settings import ClaimNames

LONGEST_LIFE = timedelta(hours=24)
_DEFAULT_NAMES = ClaimNames()


class TokenRefused(Exception):
    """A token is not accepted. ``reason``: why. ``code``: the code of the error for the client."""

    def __init__(self, reason: str, code: str = "TOKEN_INVALID") -> None:
        self.reason = reason
        self.code = code
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the claims of one issuer must be.

    ``ours``: tokens of the gateway's own key, whose claims have one form. Other issuers may leave
    out ``nbf``, name several audiences, and write scopes and purposes as a list or as text.
    ``scopes`` and ``purposes``: the most that the issuer can grant; ``clients``: whom its tokens
    may name; None: anything, but ``clients_of_others``.
    """

    issuer: str
    audience: str
    leeway: float
    names: ClaimNames = _DEFAULT_NAMES
    ours: bool = False
    scopes: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    clients: frozenset[str] | None = None
    clients_of_others: frozenset[str] = frozenset()


def caller_of(claims: Mapping[str, object], rules: ClaimRules, now: float) -> tuple[Caller, float]:
    """Return the caller of a token with ``claims``, and when they expire, in seconds since 1970.

    The expiry is not checked here: whoever keeps the caller checks it at each use. Raises Refused.
    """
    try:
        _require_audience(claims, rules)
        expires = _require_validity(claims, rules, now)
        return limit_grants(_caller(claims, rules, expires), rules), expires
    except KeyError as missing:
        raise TokenRefused(f"claim {missing.args[0]} is missing") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise TokenRefused(str(error) or "a claim is not of its kind") from None


def _require_audience(claims: Mapping[str, object], rules: ClaimRules) -> None:
    if claims["iss"] != rules.issuer:
        raise TokenRefused("iss is another issuer")
    audience = claims["aud"]
    several = audience if isinstance(audience, list) and not rules.ours else ()
    if audience != rules.audience and rules.audience not in several:
        raise TokenRefused("aud does not name this gateway")
    if not rules.ours and _is_another_kind_of_token(claims):
        raise TokenRefused("it is an ID token or a refresh token, not an access token")


def _is_another_kind_of_token(claims: Mapping[str, object]) -> bool:
    """Return whether the claims show an ID token, a refresh token or a logout token.

    An ID token has claims of its own (OpenID Connect Core section 2). Some issuers name the kind in
    a claim: ``typ`` (Keycloak) or ``token_use`` (Cognito).
    """
    kinds = {str(claims.get("typ", "")).lower(), str(claims.get("token_use", "")).lower()}
    id_token_claims = claims.keys() & {"nonce", "at_hash", "c_hash", "s_hash", "events"}
    return bool(id_token_claims or kinds & {"id", "refresh", "offline", "logout"})


def _require_validity(claims: Mapping[str, object], rules: ClaimRules, now: float) -> float:
    expires, issued = _seconds(claims["exp"]), _seconds(claims["iat"])
    defaults = {} if rules.ours else {"nbf": claims["iat"]}
    not_before = _seconds({**defaults, **claims}["nbf"])
    if max(not_before, issued) > now + rules.leeway:
        raise TokenRefused("it is not valid yet (nbf, iat)")
    if expires - issued > LONGEST_LIFE.total_seconds():
        raise TokenRefused("it lives longer than 24 hours")
    return expires


def limit_grants(caller: Caller, rules: ClaimRules) -> Caller:
    """Return ``caller`` without what this issuer cannot grant.

    Raises TokenRefused for a client that is not of this issuer.
    """
    if rules.clients is not None and caller.client not in rules.clients:
        raise TokenRefused("the client is not one of the clients of its issuer")
    if caller.client in rules.clients_of_others:
        raise TokenRefused("it names a client of another issuer")
    if rules.scopes is not None:
        caller = replace(caller, scopes=caller.scopes & rules.scopes)
    if rules.purposes is not None:
        caller = replace(caller, purposes=caller.purposes & rules.purposes)
    if OWN_VIEW not in caller.scopes:
        caller = replace(caller, citizen=None, representative=None, authorisation=None)
    return caller


def _caller(claims: Mapping[str, object], rules: ClaimRules, expires: float) -> Caller:
    names = rules.names
    scopes = _words(claims, names.scope, str, rules.ours)
    subject = _text(claims["sub"])
    agency = next((claims[name] for name in names.agency if name in claims), None)
    return Caller(
        client=_text(_first(claims, names.client)),
        agency=None if agency is None else _text(agency),
        subject=subject,
        scopes=scopes,
        purposes=_words(claims, names.purposes, list, rules.ours),
        **_citizen_claims(claims, names, subject) if OWN_VIEW in scopes else {},
        token_id=_text(_first(claims, names.token_id)),
        expires=datetime.fromtimestamp(expires, UTC),
    )


class _CitizenClaims(TypedDict, total=False):
    citizen: str
    representative: str
    authorisation: str | None


def _citizen_claims(
    claims: Mapping[str, object], names: ClaimNames, subject: str
) -> _CitizenClaims:
    """Return the citizen whose own view it is: the subject, or the person they act for."""
    requester = person_number(subject)
    act_for = next((claims[name] for name in names.act_for if name in claims), None)
    if act_for is None:
        return {"citizen": requester}
    authorisation = next((claims[name] for name in names.authorisation if name in claims), None)
    citizen = person_number(_text(act_for))
    if citizen == requester:
        raise ValueError("act_for must name somebody else than the subject")
    return {
        "citizen": citizen,
        "representative": requester,
        "authorisation": None if authorisation is None else _text(authorisation),
    }


def require_act_for(
    subject: str, scopes: Collection[str], act_for: str | None, authorisation: str | None
) -> None:
    """Raise ValueError for a representation that ``caller_of`` would refuse."""
    if act_for is None:
        if authorisation is not None:
            raise ValueError("an authorisation needs act_for: somebody to act for")
        return
    if OWN_VIEW not in scopes:
        raise ValueError(f"to act for somebody the scope {OWN_VIEW} is needed")
    if person_number(act_for) == subject:
        raise ValueError("nobody acts for themselves")
    if authorisation == "":
        raise ValueError("an authorisation needs a number")


def _first(claims: Mapping[str, object], names: tuple[str, ...]) -> object:
    for name in names:
        if name in claims:
            return claims[name]
    raise KeyError(" or ".join(names))


def _words(
    claims: Mapping[str, object], names: tuple[str, ...], kind: type, only_that_kind: bool
) -> frozenset[str]:
    """Return the words of a claim: a text with spaces (RFC 8693 section 4.2), or a list."""
    value = next((claims[name] for name in names if name in claims), kind())
    if isinstance(value, kind) or not only_that_kind:
        if isinstance(value, str):
            return frozenset(_text(value).split())
        if isinstance(value, list):
            return frozenset(_text(word) for word in value)
    raise TypeError(f"{' or '.join(names)} is not of its kind")


def _text(claim: object) -> str:
    if not isinstance(claim, str):
        raise TypeError("a claim is no text")
    claim.encode()  # raises ValueError for half a surrogate pair, which has no UTF-8
    return claim


def _seconds(claim: object) -> float:
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        raise TypeError("a time is no number")
    seconds = float(claim)
    if not math.isfinite(seconds):  # Python's JSON reads NaN, which never expires
        raise ValueError("a time is no number")
    return seconds
