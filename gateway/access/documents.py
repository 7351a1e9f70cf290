"""The documents that an issuer publishes: its description and its keys.

OpenID Connect Discovery 1.0 section 4; RFC 7517 for the keys. Redirects are not followed, the size
of an answer is bounded, and the caller bounds the time.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2

from gateway.access.keyset import PublicKey, read_keys
from gateway.settings import TrustedIssuer, is_safe_url

_LARGEST_DOCUMENT = 256 * 1024


class Unreachable(Exception):
    """An issuer's documents cannot be fetched; the text says why, for the log."""


class NoKeys(Unreachable):
    """An issuer publishes no key."""


async def fetch_keys(client: httpx2.AsyncClient, trusted: TrustedIssuer) -> tuple[PublicKey, ...]:
    """Return the usable keys that ``trusted`` publishes now.

    Raises Unreachable, and NoKeys for an empty key set.
    """
    try:
        url = trusted.jwks_url or await _discover_keys_url(client, trusted.issuer)
        document = await _fetch_document(client, url)
        keys = read_keys(document)
        if not document["keys"]:
            raise NoKeys("it publishes no key")
        return keys
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error


async def fetch_description(client: httpx2.AsyncClient, issuer: str) -> dict[str, Any]:
    """Return the description of exactly this issuer (section 4.3); raises Unreachable."""
    try:
        return await _fetch_description(client, issuer)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error


async def _fetch_description(client: httpx2.AsyncClient, issuer: str) -> dict[str, Any]:
    document = await _fetch_document(
        client, issuer.rstrip("/") + "/.well-known/openid-configuration"
    )
    if document.get("issuer") != issuer:
        raise ValueError("the description is that of another issuer")
    return document


async def _discover_keys_url(client: httpx2.AsyncClient, issuer: str) -> str:
    """Return the URL of the keys."""
    url = (await _fetch_description(client, issuer)).get("jwks_uri")
    if not isinstance(url, str) or not is_safe_url(url):
        raise ValueError("jwks_uri is no https URL")
    return url


async def _fetch_document(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    async with client.stream("GET", url, headers={"accept": "application/json"}) as answer:
        if answer.status_code != 200:
            raise ValueError(f"{url} answered {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_bytes(16 * 1024):
            body += chunk
            if len(body) > _LARGEST_DOCUMENT:
                raise ValueError(f"{url} answered more than {_LARGEST_DOCUMENT} bytes")
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError(f"{url} answered no JSON object")
    return document
