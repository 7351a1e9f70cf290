"""The cookies of sessions (RFC 6265bis): bound to this host, unreadable by scripts, over TLS alone.

Browsers take ``http://127.0.0.1`` and ``http://localhost`` for as good as TLS (Secure Contexts,
W3C), so the same cookies work on the machine itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: ``__Host-``: a browser takes it over TLS only, for this host alone, and for all its paths.
SESSION_COOKIE = "__Host-justice-gateway-session"
SESSION_COOKIE_BYTES = SESSION_COOKIE.encode()
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"


def read_cookies(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, Sequence[str]]:
    """Return the cookies among the raw ``headers`` of an ASGI scope: each name's values."""
    cookies: dict[str, Sequence[str]] = {}
    for name, value in headers:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                cookie, is_pair, content = pair.strip().partition("=")
                if is_pair:
                    cookies[cookie] = (*cookies.get(cookie, ()), content)
    return cookies


def set_cookie(name: str, value: str, seconds: int | None = None) -> str:
    """Return a ``Set-Cookie`` header. ``seconds``: None: until the browser is closed."""
    life = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{name}={value}; {_ATTRIBUTES}{life}"


def delete_cookie(name: str) -> str:
    """Return the ``Set-Cookie`` header by which a browser forgets a cookie."""
    return set_cookie(name, "", 0)
