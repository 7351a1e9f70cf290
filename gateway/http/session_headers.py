"""The cookie of a session on requests over HTTP: it becomes the header ``Authorization``.

A browser sends cookies with requests that other sites make too. So a request that shows its session
by the cookie has to show the token of a page of this gateway as well, which other sites cannot read
(OWASP, Cross-Site Request Forgery Prevention, "Employing Custom Request Headers").
"""

from __future__ import annotations

from starlette.requests import Request

from gateway.access.authenticate import CallerHeaders
from gateway.errors import unauthenticated
from gateway.service import Service
from gateway.sessions.cookies import SESSION_COOKIE, read_cookies
from gateway.sessions.sessions import session_cookie

CSRF_HEADER = "x-csrf-token"


async def authorize_by_cookie(
    service: Service, request: Request, headers: CallerHeaders
) -> CallerHeaders:
    """Return ``headers`` with the Authorization of the session that the request's cookie names.

    A request with an Authorization header is taken by that alone, and one without a cookie is left
    as it is. A cookie that names no session is refused, never taken for nobody. Raises GatewayError
    CSRF_TOKEN_REQUIRED, SESSION_EXPIRED or SIGN_IN_UNAVAILABLE.
    """
    if headers.authorization or service.sessions is None:
        return headers
    cookies = read_cookies(request.scope["headers"])
    if SESSION_COOKIE not in cookies:
        return headers
    text, active = session_cookie(cookies), (await service.sessions.look_up(cookies)).active
    if text is None or active is None:
        raise unauthenticated("SESSION_EXPIRED")
    tokens, site = request.headers.getlist(CSRF_HEADER), request.headers.getlist("sec-fetch-site")
    service.sessions.require_csrf(text, tokens[0] if len(tokens) == 1 else "", site)
    return headers._replace(authorization=(active.authorization,))
