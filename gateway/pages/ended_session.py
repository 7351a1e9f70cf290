"""A form that was sent after its session had ended, on a page of its own.

For pages that show nothing to whoever is not signed in: what was typed is returned to who typed it,
and nothing else is told.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from connectors.description import Text
from gateway.errors import unauthenticated
from gateway.pages.form import TOKEN
from gateway.pages.form_tokens import FormTokens
from gateway.pages.page_session import session_of
from gateway.pages.rendering import render
from gateway.request import state_of

_PHRASES = {
    "typed": Text("Nội dung đã nhập", "What you typed"),
    "send_again": Text("Gửi lại", "Send it again"),
}


def return_form(request: Request, tokens: FormTokens, sent: Mapping[str, str]) -> Response | None:
    """Return a page from which a form can be sent again, by whom it was made for.

    None where nobody signs in, and for a form that was not made here: another site may have sent
    it. The form is not kept on the server.
    """
    token = tokens.renew(sent.get(TOKEN, "")) if session_of(request).can_sign_in else None
    if token is None:
        return None
    error = unauthenticated("SESSION_EXPIRED")
    state_of(request.scope).codes = [error.code.name]
    return render(
        request,
        "session_ended.html",
        _PHRASES,
        error.status,
        error.headers,
        typed=[(name, value) for name, value in sent.items() if name != TOKEN and value],
        fields={**sent, TOKEN: token},
    )
