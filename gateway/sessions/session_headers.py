"""The cookie of a session on requests and streams: it becomes the header ``Authorization``.

A browser sends cookies with requests that other sites make too. So a request that shows its session
by the cookie has to show the token of a page of this gateway as well, which other sites cannot read
(OWASP, Cross-Site Request Forgery Prevention, "Employing Custom Request Headers"). No page can set
headers of a WebSocket or an EventSource. There the origin counts, which no page can forge either:
``Origin`` (RFC 6455 section 10.2), and ``Sec-Fetch-Site``.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from gateway.access.authenticate import CallerHeaders
from gateway.errors import unauthenticated
from gateway.sessions.cookies import SESSION_COOKIE, read_cookies
from gateway.sessions.sessions import Sessions, session_cookie

CSRF_HEADER = "x-csrf-token"


async def authorize_by_cookie(
    sessions: Sessions | None, request: Request, headers: CallerHeaders
) -> CallerHeaders:
    """Return ``headers`` with the Authorization of the session that the request's cookie names.

    A request with an Authorization header is taken by that alone, and one without a cookie is left
    as it is. A cookie that names no session is refused, never taken for nobody. Raises GatewayError
    CSRF_TOKEN_REQUIRED, SESSION_EXPIRED or SIGN_IN_UNAVAILABLE.
    """
    if headers.authorization or sessions is None:
        return headers
    cookies = read_cookies(request.scope["headers"])
    if SESSION_COOKIE not in cookies:
        return headers
    text, active = session_cookie(cookies), (await sessions.look_up(cookies)).active
    if text is None or active is None:
        raise unauthenticated("SESSION_EXPIRED")
    tokens, site = request.headers.getlist(CSRF_HEADER), request.headers.getlist("sec-fetch-site")
    sessions.require_csrf(text, tokens[0] if len(tokens) == 1 else "", site)
    return headers._replace(authorization=(active.authorization,))


async def authorize_stream(
    sessions: Sessions | None,
    sent: Iterable[tuple[bytes, bytes]],
    headers: CallerHeaders,
    is_use: bool = False,
) -> CallerHeaders:
    """Return ``headers`` as of now, with the Authorization of the session that a cookie names.

    ``sent``: the raw headers of the request that began the stream, whose origin was examined.
    ``is_use``: somebody acts; a stream that goes on is no use of a session. Raises GatewayError
    SESSION_EXPIRED or SIGN_IN_UNAVAILABLE.
    """
    cookies = read_cookies(sent)
    if headers.authorization or sessions is None or SESSION_COOKIE not in cookies:
        return headers
    active = (await sessions.look_up(cookies, is_use)).active
    if active is None:
        raise unauthenticated("SESSION_EXPIRED")
    return headers._replace(authorization=(active.authorization,))
