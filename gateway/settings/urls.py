"""Which URLs the gateway may call."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_loopback(host: str | None) -> bool:
    """Return whether ``host`` is this machine itself."""
    return host in {"127.0.0.1", "::1", "localhost"}


def is_safe_url(url: str) -> bool:
    """Return whether ``url`` is https, or http to this machine itself."""
    parsed = urlsplit(url)
    plain = parsed.scheme == "http" and is_loopback(parsed.hostname)
    named = bool(parsed.hostname) and "@" not in parsed.netloc and not parsed.fragment
    return named and (parsed.scheme == "https" or plain)
