"""The caller of a request, counted towards their rate."""

from __future__ import annotations

from starlette.requests import Request

from gateway.access.authenticate import authenticate
from gateway.access.caller import ANONYMOUS, Caller
from gateway.errors import GatewayError
from gateway.service import Service


async def counted(request: Request) -> Caller:
    """Return who asks, counted towards their rate; who is none, among the anonymous.

    It is left in ``request.state.caller`` for the log.

    Raises what ``authenticate`` raises, and RATE_LIMITED before it.
    """
    service: Service = request.app.state.service
    caller, refusal = ANONYMOUS, None
    try:
        caller = request.state.caller = await authenticate(request.headers, service.tokens)
    except GatewayError as error:
        refusal = error
    request.state.standing = await service.rates.request(caller.client)
    if refusal is not None:
        raise refusal
    return caller
