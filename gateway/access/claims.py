"""What the claims of a token say, once its signature is found good (RFC 7519 section 4.1).

Nothing here knows how a token was signed. What is wrong is raised as ``TokenRefused`` with a
reason: the command line shows it, a client over HTTP never sees it.
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
_USUAL = ClaimNames()


class TokenRefused(Exception):
    """A token that is not accepted: why, and with which code."""

    def __init__(self, reason: str, code: str = "TOKEN_INVALID") -> None:
        self.reason = reason
        self.code = code
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the claims of one issuer have to say.

    ``ours``: they are those of the gateway's own key, which are written in one way only; others
    may leave out ``nbf``, name several audiences, and write scopes and purposes as a list or text.
    ``scopes`` and ``purposes``: what it can grant at most; None: anything.
    """

    issuer: str
    audience: str
    leeway: float
    names: ClaimNames = _USUAL
    ours: bool = False
    scopes: frozenset[str] | None = None
    purposes: frozenset[str] | None = None


def caller_of(
    claims: Mapping[str, object], expected: ClaimRules, now: float
) -> tuple[Caller, float]:
    """Return the caller whom ``claims`` speak for, and when they expire.

    Expiry itself is looked at by whoever keeps the caller, at every use. Raises Refused.
    """
    try:
        _addressed(claims, expected)
        expires = _timely(claims, expected, now)
        return _within(_caller(claims, expected, expires), expected), expires
    except KeyError as missing:
        raise TokenRefused(f"claim {missing.args[0]} is missing") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise TokenRefused(str(error) or "a claim is not of its kind") from None


def _addressed(claims: Mapping[str, object], expected: ClaimRules) -> None:
    if claims["iss"] != expected.issuer:
        raise TokenRefused("iss is another issuer")
    audience = claims["aud"]
    several = audience if isinstance(audience, list) and not expected.ours else ()
    if audience != expected.audience and expected.audience not in several:
        raise TokenRefused("aud does not name this gateway")
    if not expected.ours and _is_no_access_token(claims):
        raise TokenRefused("it is an ID token or a refresh token, not an access token")


def _is_no_access_token(claims: Mapping[str, object]) -> bool:
    """Tell an ID token by what only it has (OpenID Connect Core section 2), where it can be told.

    Some issuers say it in a claim: ``typ`` (Keycloak) or ``token_use`` (Cognito).
    """
    said = {str(claims.get("typ", "")).lower(), str(claims.get("token_use", "")).lower()}
    only_there = claims.keys() & {"nonce", "at_hash", "c_hash", "s_hash", "events"}
    return bool(only_there or said & {"id", "refresh", "offline", "logout"})


def _timely(claims: Mapping[str, object], expected: ClaimRules, now: float) -> float:
    expires, issued = _seconds(claims["exp"]), _seconds(claims["iat"])
    absent = {} if expected.ours else {"nbf": claims["iat"]}
    not_before = _seconds({**absent, **claims}["nbf"])
    if max(not_before, issued) > now + expected.leeway:
        raise TokenRefused("it is not valid yet (nbf, iat)")
    if expires - issued > LONGEST_LIFE.total_seconds():
        raise TokenRefused("it lives longer than 24 hours")
    return expires


def _within(caller: Caller, expected: ClaimRules) -> Caller:
    """Return ``caller`` without what this issuer cannot grant."""
    found = caller
    if expected.scopes is not None:
        found = replace(found, scopes=found.scopes & expected.scopes)
    if expected.purposes is not None:
        found = replace(found, purposes=found.purposes & expected.purposes)
    if OWN_VIEW not in found.scopes:
        found = replace(found, citizen=None, representative=None, authorisation=None)
    return found


def _caller(claims: Mapping[str, object], expected: ClaimRules, expires: float) -> Caller:
    names = expected.names
    scopes = _words(claims, names.scope, str, expected.ours)
    subject = _text(claims["sub"])
    agency = next((claims[name] for name in names.agency if name in claims), None)
    return Caller(
        client=_text(_first(claims, names.client)),
        agency=None if agency is None else _text(agency),
        subject=subject,
        scopes=scopes,
        purposes=_words(claims, names.purposes, list, expected.ours),
        **_own_view(claims, names, subject) if OWN_VIEW in scopes else {},
        token_id=_text(_first(claims, names.token_id)),
        expires=datetime.fromtimestamp(expires, UTC),
    )


class _OwnView(TypedDict, total=False):
    citizen: str
    representative: str
    authorisation: str | None


def _own_view(claims: Mapping[str, object], names: ClaimNames, subject: str) -> _OwnView:
    """Return whose own view it is: the subject's, or that of whom they ask for."""
    asks = person_number(subject)
    for_whom = next((claims[name] for name in names.act_for if name in claims), None)
    if for_whom is None:
        return {"citizen": asks}
    authorisation = next((claims[one] for one in names.authorisation if one in claims), None)
    citizen = person_number(_text(for_whom))
    if citizen == asks:
        raise ValueError("act_for must name somebody else than the subject")
    return {
        "citizen": citizen,
        "representative": asks,
        "authorisation": None if authorisation is None else _text(authorisation),
    }


def require_act_for(
    subject: str, scopes: Collection[str], act_for: str | None, authorisation: str | None
) -> None:
    """Refuse to say in a token what ``caller_of`` would not accept; raises ValueError."""
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
            return frozenset(_text(one) for one in value)
    raise TypeError(f"{' or '.join(names)} is not of its kind")


def _text(claim: object) -> str:
    if not isinstance(claim, str):
        raise TypeError("a claim is no text")
    claim.encode()  # raises ValueError for half a surrogate pair, which nothing could write down
    return claim


def _seconds(claim: object) -> float:
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        raise TypeError("a time is no number")
    seconds = float(claim)
    if not math.isfinite(seconds):  # Python reads NaN, which is never too late
        raise ValueError("a time is no number")
    return seconds
