"""A page in place of the page that was asked for: what was refused, in both languages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from connectors.description import Text
from gateway.errors import BESIDE_DATA, GatewayError
from gateway.pages.rendering import render
from gateway.request import state_of

_PHRASES = {"go_back": Text("Quay lại", "Go back")}


def show_refusal(request: Request, error: GatewayError, address: str = "/") -> Response:
    """Return a page that says ``error``, with its status; it leads back to ``address``.

    Nothing that the client wrote stands on it.
    """
    state_of(request.scope).codes = [error.code.name]
    status = 422 if error.status == BESIDE_DATA else error.status
    return render(
        request, "refusal.html", _PHRASES, status, error.headers, code=error.code, back=address
    )
