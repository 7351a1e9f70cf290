"""Authentication: the caller of a request, from its headers."""

from __future__ import annotations

import re
from dataclasses import replace

from starlette.datastructures import Headers

from gateway.access.caller import ANONYMOUS, Caller
from gateway.access.case_number import read_case_number
from gateway.access.tokens import Tokens
from gateway.errors import GatewayError, unauthenticated
from gateway.procedures.procedure import national
from gateway.procedures.registry import procedure_of

_PURPOSE = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def authenticate(headers: Headers, tokens: Tokens) -> Caller:
    """Return the caller of a request.

    Without an Authorization header the caller is anonymous. A header that is not a valid bearer
    token is refused: the caller is never taken for an anonymous one. Raises GatewayError
    UNAUTHENTICATED, TOKEN_INVALID, TOKEN_EXPIRED or ISSUER_UNAVAILABLE.
    """
    authorization = headers.getlist("authorization")
    if not authorization:
        return ANONYMOUS
    scheme, _, token = authorization[0].partition(" ")
    if len(authorization) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("TOKEN_INVALID")
    try:
        return await tokens.caller(token.strip())
    except GatewayError as error:
        if error.code.status != 401:
            raise
        raise unauthenticated(error.code.name) from None


def with_stated_purpose(headers: Headers, caller: Caller) -> Caller:
    """Return ``caller`` with the purpose and the case number that the request states.

    Raises GatewayError PURPOSE_NOT_GRANTED, PURPOSE_UNKNOWN or BAD_REQUEST.
    """
    purpose = _single_value(headers, "x-purpose")
    return _for_purpose(caller, purpose, _single_value(headers, "x-case-number"))


def _single_value(headers: Headers, name: str) -> str | None:
    """Return the value of a header, None without it; of two purposes neither could count."""
    values = headers.getlist(name)
    if len(values) > 1:
        raise GatewayError("BAD_REQUEST", f"{name} must not be given more than once")
    return values[0] if values else None


def _for_purpose(caller: Caller, purpose: str | None, case_number: str | None) -> Caller:
    if purpose is not None:
        if not _PURPOSE.fullmatch(purpose):
            raise GatewayError("BAD_REQUEST", "X-Purpose must be a procedure code")
        if not caller.purposes & {purpose, national(purpose)}:
            raise GatewayError("PURPOSE_NOT_GRANTED")
        if procedure_of(purpose) is None:
            raise GatewayError("PURPOSE_UNKNOWN")
    case = None if case_number is None else read_case_number(case_number)
    return replace(caller, purpose=purpose, case_number=case)
