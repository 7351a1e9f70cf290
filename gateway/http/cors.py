"""Cross-origin requests: pages of other origins that may call the gateway from a browser (CORS)."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from gateway.settings import Settings

_SENT = ("Accept", "Authorization", "Content-Type", "X-Case-Number", "X-Purpose", "X-Request-Id")
_READ = (
    "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
    "Retry-After", "WWW-Authenticate", "X-Request-Id",
)  # fmt: skip
#: Seconds for which a browser caches a preflight response.
_MAX_AGE = 600


def cross_origin(settings: Settings) -> list[Middleware]:
    """Return the middleware for the origins in the settings; an empty list where there are none.

    Cookies are never used: the token alone identifies the caller.
    """
    if not settings.cors.origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors.origins,
            allow_methods=("GET", "POST"),
            allow_headers=_SENT,
            expose_headers=_READ,
            max_age=_MAX_AGE,
        )
    ]
