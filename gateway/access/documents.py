"""What an issuer publishes, fetched: its description and its keys.

OpenID Connect Discovery 1.0 section 4; RFC 7517 for the keys. No redirects are followed, an answer
has a bound on its size, and whoever calls has a bound on the time.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2

from gateway.access.keyset import PublicKey, read_keys
from gateway.settings import TrustedIssuer, is_safe_url

_LARGEST_DOCUMENT = 256 * 1024


class Unreachable(Exception):
    """An issuer's documents could not be had; the text says why, for the log."""


class NoKeys(Unreachable):
    """An issuer publishes no key."""


async def fetch_keys(client: httpx2.AsyncClient, trusted: TrustedIssuer) -> tuple[PublicKey, ...]:
    """Return the keys that ``trusted`` publishes now, without those that cannot be used.

    Raises Unreachable, and NoKeys for a key set that is empty.
    """
    try:
        url = trusted.jwks_url or await _discovered(client, trusted.issuer)
        document = await _document(client, url)
        keys = read_keys(document)
        if not document["keys"]:
            raise NoKeys("it publishes no key")
        return keys
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error


async def _discovered(client: httpx2.AsyncClient, issuer: str) -> str:
    """Return where the keys are; the description must be of exactly this issuer (section 4.3)."""
    document = await _document(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
    url = document.get("jwks_uri")
    if document.get("issuer") != issuer:
        raise ValueError("the description is that of another issuer")
    if not isinstance(url, str) or not is_safe_url(url):
        raise ValueError("jwks_uri is no https URL")
    return url


async def _document(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    async with client.stream("GET", url, headers={"accept": "application/json"}) as answer:
        if answer.status_code != 200:
            raise ValueError(f"{url} answered {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_bytes(16 * 1024):
            body += chunk
            if len(body) > _LARGEST_DOCUMENT:
                raise ValueError(f"{url} answered more than {_LARGEST_DOCUMENT} bytes")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"{url} answered no JSON object")
    return found
