"""``/sign-in``, ``/sign-in/callback`` and ``/sign-out``: people sign in with an issuer, and out.

OpenID Connect, authorization code with PKCE, state and nonce (``gateway.sessions``). Whatever goes
wrong is a page with a code, in both languages; the log says more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.description import Text
from gateway.errors import BESIDE_DATA, CODES, GatewayError
from gateway.pages.form import read_form
from gateway.pages.page_session import (
    SIGNED_IN,
    keep_session,
    safe_return_path,
    session_of,
    sign_in_address,
)
from gateway.pages.phrases.sign_in import SIGN_IN
from gateway.pages.rendering import render
from gateway.request import state_of
from gateway.service import Service
from gateway.sessions.cookies import SESSION_COOKIE, delete_cookie, read_cookies, set_cookie
from gateway.sessions.issuer_client import CALLBACK, SIGNED_OUT, IssuerLogout
from gateway.sessions.pending_sign_ins import PendingSignIn, forget, forget_surplus
from gateway.sessions.session import SignInSession
from gateway.sessions.sessions import Sessions, session_cookie

#: The field of a form that holds the token of the session, and the parameter of an address that
#: says where to come back to.
_CSRF, _RETURN = "csrf-token", "return"


def sign_in_routes() -> list[Route]:
    """Return the routes; their names stand in the log of requests and in metrics."""
    return [
        Route("/sign-in", _start, methods=["GET"], name="sign-in"),
        Route(CALLBACK, _finish, methods=["GET"], name="sign-in-callback"),
        Route(SIGNED_IN, _show_signed_in, methods=["GET"], name="signed-in"),
        Route(SIGNED_OUT, _show_signed_out, methods=["GET"], name="signed-out"),
        Route(SIGNED_OUT, _sign_out, methods=["POST"], name="sign-out"),
    ]


def with_session(route: BaseRoute) -> BaseRoute:
    """Return a route of a page whose request has its session looked up first."""
    if isinstance(route, Route):
        route.app = _SessionDoor(route.app)
    return route


class _SessionDoor:
    """Looks the session up and passes the request on; the page of a refusal where it cannot."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request (ASGI 3)."""
        request = Request(scope, receive)
        sessions = _sessions(request)
        if sessions is not None:
            try:
                keep_session(request, await sessions.look_up(read_cookies(scope["headers"])))
            except GatewayError as error:
                await _refuse(request, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _start(request: Request) -> Response:
    """Send the browser to the issuer."""
    sessions = _sessions(request)
    if sessions is None:
        return _not_found(request)
    return_path = safe_return_path(request.query_params.get(_RETURN, "/"))
    pending = sessions.pending.begin(return_path)
    try:
        address = await sessions.issuer.authorization_address(
            pending.state, pending.nonce, pending.verifier
        )
    except GatewayError as error:
        return _refuse(request, error, return_path)
    surplus = forget_surplus(read_cookies(request.scope["headers"]))
    return _redirect(address, [*surplus, sessions.pending.cookie(pending)])


async def _finish(request: Request) -> Response:
    """Start the session of who comes back from the issuer, and go where they were going."""
    sessions = _sessions(request)
    if sessions is None:
        return _not_found(request)
    cookies, sent = read_cookies(request.scope["headers"]), request.query_params
    pending = sessions.pending.find(cookies, sent.get("state", ""))
    if pending is None:
        return _refuse(request, GatewayError("SIGN_IN_MISMATCH"))
    try:
        text = await _exchange(sessions, pending, sent, session_cookie(cookies))
    except GatewayError as error:
        refusal = _refuse(request, error, pending.return_path)
        refusal.headers.append("set-cookie", forget(pending.state))
        return refusal
    return _redirect(pending.return_path, [set_cookie(SESSION_COOKIE, text), forget(pending.state)])


async def _exchange(
    sessions: Sessions, pending: PendingSignIn, sent: Mapping[str, str], former: str | None
) -> str:
    """Return the cookie of a new session for the answer of the issuer; raises GatewayError."""
    await sessions.issuer.check_answering_issuer(sent.get("iss"))
    if "error" in sent:
        raise GatewayError("SIGN_IN_REFUSED")
    if not sent.get("code"):
        raise GatewayError("SIGN_IN_MISMATCH")
    issued = await sessions.issuer.exchange(sent["code"], pending.verifier, pending.nonce)
    return await sessions.start(issued, former)


async def _sign_out(request: Request) -> Response:
    """End the session here, then at the issuer."""
    sessions = _sessions(request)
    if sessions is None:
        return _not_found(request)
    text = session_cookie(read_cookies(request.scope["headers"]))
    session: SignInSession | None = None
    try:
        form = await read_form(request)
        if text is not None and session_of(request).active is not None:
            site = request.headers.getlist("sec-fetch-site")
            sessions.require_csrf(text, form.get(_CSRF, ""), site)
            session = await sessions.end(text)
    except GatewayError as error:
        return _refuse(request, error, title="still_signed_in")
    keep_session(request, session_of(request).without_session())
    logout: IssuerLogout | None = None
    is_silent = False
    try:
        logout = None if session is None else await sessions.issuer.logout(session.id_token)
    except GatewayError:
        is_silent = True
    page = render(
        request,
        "signed_out.html",
        SIGN_IN,
        posts_to=logout.url if logout is not None and logout.is_personal else None,
        logout=logout,
        is_silent=is_silent,
    )
    page.headers.append("set-cookie", delete_cookie(SESSION_COOKIE))
    return page


async def _show_signed_in(request: Request) -> Response:
    """Say who is signed in, in the tab that an expired form had opened."""
    if _sessions(request) is None:
        return _not_found(request)
    if session_of(request).active is None:
        return _refuse(request, GatewayError("SESSION_EXPIRED"), SIGNED_IN)
    return render(request, "signed_in.html", SIGN_IN)


async def _show_signed_out(request: Request) -> Response:
    """Say that nobody is signed in: the issuer sends browsers here after a sign-out."""
    if _sessions(request) is None:
        return _not_found(request)
    if session_of(request).active is not None:
        return _redirect("/", [])
    return render(request, "signed_out.html", SIGN_IN, logout=None, is_silent=False)


def _refuse(
    request: Request, error: GatewayError, return_path: str = "/", title: str = "not_signed_in"
) -> Response:
    """Return the page of a refusal, from which one can sign in again."""
    state_of(request.scope).codes = [error.code.name]
    status = 422 if error.status == BESIDE_DATA else error.status
    values: dict[str, Any] = {
        "code": error.code.name,
        "sentence": Text(error.code.vi, error.code.en),
        "title": SIGN_IN[title],
        "again": sign_in_address(return_path),
    }
    return render(request, "sign_in.html", SIGN_IN, status, error.headers, **values)


def _not_found(request: Request) -> Response:
    state_of(request.scope).codes = ["NOT_FOUND"]
    code = CODES["NOT_FOUND"]
    values: dict[str, Any] = {
        "code": code.name,
        "sentence": Text(code.vi, code.en),
        "title": SIGN_IN["not_found"],
        "again": None,
    }
    return render(request, "sign_in.html", SIGN_IN, code.status, None, **values)


def _redirect(address: str, cookies: Sequence[str]) -> Response:
    headers = {"location": address, "cache-control": "no-store"}
    response = Response(status_code=303, headers=headers)
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


def _sessions(request: Request) -> Sessions | None:
    service: Service = request.app.state.service
    return service.sessions
