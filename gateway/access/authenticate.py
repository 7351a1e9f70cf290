"""Authentication: the caller of a request, from its headers.

The same caller sends the same headers again and again. ``Callers`` therefore keeps what follows
from them: the verified token, and the caller for the purpose and case that are stated. Whether a
token is valid is decided for each request.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.access.caller import ANONYMOUS, Caller
from gateway.access.case_number import read_case_number
from gateway.access.tokens import Tokens, VerifiedToken
from gateway.errors import GatewayError, unauthenticated
from gateway.procedures.procedure import national
from gateway.procedures.registry import procedure_of
from gateway.runtime.memo import Memo

_PURPOSE = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Tokens, and heads of requests, that are kept. A head takes about 1 KiB beside its token.
_KEPT = 10_000


class CallerHeaders(NamedTuple):
    """The headers that say who calls and for what: the values of each, as often as it was sent."""

    authorization: tuple[bytes, ...] = ()
    purpose: tuple[bytes, ...] = ()
    case_number: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, headers: Iterable[tuple[bytes, bytes]]) -> CallerHeaders:
        """Return those among the raw ``headers`` of an ASGI scope."""
        values: dict[bytes, tuple[bytes, ...]] = {}
        for name, value in headers:
            if name in _NAMES:
                values[name] = (*values.get(name, ()), value)
        return cls(*(values.get(name, ()) for name in _NAMES))


_NAMES = (b"authorization", b"x-purpose", b"x-case-number")


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who sends a request. ``caller``: by the token alone, with no purpose and no case number.

    ``stated``: the caller with both, as the request states them; None where they are refused.
    ``refusal``: with which code and message. ``rights``: those of the stated caller, None where
    there is none. ``token``: None for an anonymous caller.
    """

    caller: Caller
    token: VerifiedToken | None
    stated: Caller | None
    rights: Hashable | None
    refusal: tuple[str, str] | None = None

    def require_stated(self) -> Caller:
        """Return the caller with what the request states.

        Raises GatewayError PURPOSE_NOT_GRANTED, PURPOSE_UNKNOWN or BAD_REQUEST.
        """
        if self.stated is None:
            assert self.refusal is not None
            raise GatewayError(*self.refusal)
        return self.stated


#: Who sends a request without any of the headers.
_STRANGER = CallerIdentity(ANONYMOUS, None, ANONYMOUS, ANONYMOUS.rights)


class Callers:
    """Finds the caller of a request. ``most``: tokens, and heads of requests, that are kept."""

    def __init__(self, tokens: Tokens, most: int = _KEPT) -> None:
        self._tokens = tokens
        self._tokens_by_header: Memo[tuple[bytes, ...], _BearerToken] = Memo(most)
        self._identities: Memo[CallerHeaders, CallerIdentity] = Memo(most)

    async def authenticate(self, headers: CallerHeaders) -> CallerIdentity:
        """Return who sends a request.

        Without an Authorization header the caller is anonymous. A header that is not a valid bearer
        token is refused: the caller is never taken for an anonymous one. Costs 2 us for headers
        that came before. Raises GatewayError UNAUTHENTICATED, TOKEN_INVALID, TOKEN_EXPIRED or
        ISSUER_UNAVAILABLE.
        """
        identity = self._identities.get(headers)
        if identity is not None:
            if identity.token is not None and self._tokens.is_valid(identity.token):
                return identity
            del self._identities[headers]
        if not headers.authorization:
            return _identity(None, headers) if any(headers) else _STRANGER
        bearer = await self._find_token(headers.authorization)
        headers = headers._replace(authorization=bearer.authorization)
        identity = _identity(bearer.token, headers)
        if identity.refusal is None:  # neither strangers nor who is refused must evict others
            self._identities.keep(headers, identity)
        return identity

    async def _find_token(self, authorization: tuple[bytes, ...]) -> _BearerToken:
        bearer = self._tokens_by_header.get(authorization)
        if bearer is not None:
            if self._tokens.is_valid(bearer.token):
                return bearer
            del self._tokens_by_header[authorization]
        scheme, _, token = authorization[0].decode("latin-1").partition(" ")
        if len(authorization) > 1 or scheme.lower() != "bearer" or not token.strip():
            raise unauthenticated("TOKEN_INVALID")
        try:
            verified = await self._tokens.verified(token.strip())
        except GatewayError as error:
            if error.code.status != 401:
                raise
            raise unauthenticated(error.code.name) from None
        bearer = _BearerToken(authorization, verified)
        self._tokens_by_header.keep(authorization, bearer)
        return bearer


class _BearerToken(NamedTuple):
    """A verified token, and the header that it came in: kept once, however many heads have it."""

    authorization: tuple[bytes, ...]
    token: VerifiedToken


def _identity(token: VerifiedToken | None, headers: CallerHeaders) -> CallerIdentity:
    caller = ANONYMOUS if token is None else token.caller
    try:
        stated = _with_stated_purpose(caller, headers)
    except GatewayError as refusal:
        # The error itself would keep the frames of the request alive that raises it.
        return CallerIdentity(caller, token, None, None, (refusal.code.name, refusal.message))
    return CallerIdentity(caller, token, stated, stated.rights)


def _with_stated_purpose(caller: Caller, headers: CallerHeaders) -> Caller:
    """Return ``caller`` with the purpose and the case number that the request states."""
    purpose = _single_value(headers.purpose, "x-purpose")
    case_number = _single_value(headers.case_number, "x-case-number")
    if purpose is not None:
        if not _PURPOSE.fullmatch(purpose):
            raise GatewayError("BAD_REQUEST", "X-Purpose must be a procedure code")
        if not grants_purpose(caller, purpose):
            raise GatewayError("PURPOSE_NOT_GRANTED")
        if procedure_of(purpose) is None:
            raise GatewayError("PURPOSE_UNKNOWN")
    case = None if case_number is None else read_case_number(case_number)
    return replace(caller, purpose=purpose, case_number=case)


def grants_purpose(caller: Caller, purpose: str) -> bool:
    """Return whether the token of a caller grants a purpose, be it in a province's spelling."""
    return not caller.purposes.isdisjoint({purpose, national(purpose)})


def _single_value(values: tuple[bytes, ...], name: str) -> str | None:
    """Return the value of a header, None without it; of two purposes neither could count."""
    if len(values) > 1:
        raise GatewayError("BAD_REQUEST", f"{name} must not be given more than once")
    return values[0].decode("latin-1") if values else None
