"""Which pages may open a WebSocket, against cross-site WebSocket hijacking.

A browser opens a WebSocket for any page, and sends the cookies of the gateway with it (RFC 6455
section 10.2; OWASP, WebSocket Security). So the origin of a page counts as in
``gateway.http.cors``, and the cookie of a session counts for pages of the gateway alone.
"""

from __future__ import annotations

from starlette.types import Scope

from gateway.errors import GatewayError
from gateway.sessions.cookies import SESSION_COOKIE, read_cookies
from gateway.settings import Settings


def require_origin(settings: Settings, scope: Scope) -> None:
    """Refuse a page that may not open a WebSocket; programs that are no browser send no origin.

    Raises GatewayError ORIGIN_NOT_ALLOWED.
    """
    origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    if not origins:
        return
    if len(origins) > 1 or not (
        origins[0] in settings.cors.origins or _is_own(settings, scope, origins[0])
    ):
        raise GatewayError("ORIGIN_NOT_ALLOWED")


def require_page_of_gateway(settings: Settings, scope: Scope) -> None:
    """Refuse the cookie of a session from anything but a page of this gateway.

    Raises GatewayError ORIGIN_NOT_ALLOWED.
    """
    if SESSION_COOKIE not in read_cookies(scope["headers"]):
        return
    origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    if origins != [settings.sign_in.address]:
        raise GatewayError("ORIGIN_NOT_ALLOWED")


def _is_own(settings: Settings, scope: Scope, origin: str) -> bool:
    """Return whether ``origin`` is this gateway: its address, or the host that the client names.

    No other page can name it: a browser sets both headers itself.
    """
    if settings.sign_in.address is not None:
        return origin == settings.sign_in.address
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and origin in {f"https://{hosts[0]}", f"http://{hosts[0]}"}
