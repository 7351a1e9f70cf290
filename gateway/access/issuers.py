"""An OpenID Connect issuer that the gateway trusts: its keys, kept fresh, and its tokens, checked.

Keys are fetched in the background (setting ``access.refresh``); if that fails the old ones go on
being used. A token with a key id that is not known has them fetched once more, at most once per
``access.cool_down``: requests that arrive meanwhile wait for that one fetch, later ones are
refused at once.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx2
import structlog

from gateway.access.caller import Caller
from gateway.access.claims import Expected, Refused, caller_of
from gateway.access.documents import fetch_keys
from gateway.access.keyset import Head, PublicKey, claims_under, read_head
from gateway.clock import Clock
from gateway.settings import Access, TrustedIssuer, is_loopback

log = structlog.get_logger(__name__)

#: How many keys are tried for a token that names none.
_MOST_TRIED = 4


class Issuer:
    """One trusted issuer. ``open`` starts the background refresh, ``close`` ends it."""

    def __init__(self, name: str, trusted: TrustedIssuer, access: Access, clock: Clock) -> None:
        self.name = name
        self._trusted = trusted
        self._access = access
        self._clock = clock
        self._expected = Expected(
            trusted.issuer,
            trusted.audience,
            access.leeway,
            trusted.claims,
            scopes=trusted.scopes,
            purposes=trusted.purposes,
        )
        self._keys: tuple[PublicKey, ...] | None = None
        self._thumbprints: frozenset[str] = frozenset()
        self._reachable = False
        self._asked_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._background: asyncio.Task[None] | None = None
        self._client: httpx2.AsyncClient | None = None

    def holds(self, thumbprint: str) -> bool:
        """Whether the issuer still publishes the key that a known token was signed with."""
        return thumbprint in self._thumbprints

    async def open(self) -> None:
        """Start to fetch keys, now and again; does not wait for them."""
        self._client = httpx2.AsyncClient(
            timeout=self._access.timeout,
            follow_redirects=False,
            trust_env=not is_loopback(urlsplit(self._trusted.issuer).hostname),
        )
        self._fetch()
        self._background = asyncio.create_task(self._refreshing())

    async def close(self) -> None:
        """End the background refresh and what is under way."""
        tasks = [one for one in (self._background, self._fetching) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def verify(self, token: str) -> tuple[Caller, float, str]:
        """Return whom ``token`` speaks for, its end, and the thumbprint of the key it is under.

        Raises Refused: TOKEN_INVALID, or ISSUER_UNAVAILABLE where it could not be checked.
        """
        head = read_head(token)
        for key in (await self._fitting(head))[:_MOST_TRIED]:
            claims = claims_under(token, head, key)
            if claims is not None:
                now = self._clock.now().timestamp()
                return *caller_of(claims, self._expected, now), key.thumbprint
        raise Refused("no key of its issuer signed it")

    async def _fitting(self, head: Head) -> list[PublicKey]:
        """Return the keys that may have signed; where there is none, ask the issuer once more."""
        found = self._known(head)
        if not found and self._may_ask():
            await self._fetched()
            found = self._known(head)
        if not found and not self._reachable:
            raise Refused("its issuer does not answer", "ISSUER_UNAVAILABLE")
        return found

    def _known(self, head: Head) -> list[PublicKey]:
        return [
            one
            for one in self._keys or ()
            if head.algorithm in one.algorithms and head.kid in {None, one.kid}
        ]

    def _may_ask(self) -> bool:
        """Whether a fetch is under way, or the cool-down since the last one is over."""
        if self._fetching is not None or self._asked_at is None:
            return True
        return self._clock.monotonic() - self._asked_at >= self._access.cool_down

    async def _fetched(self) -> None:
        """Wait for one fetch, shared by all who wait (one who leaves ends it for nobody).

        The fetch has its own bound in time: nobody waits longer than ``access.timeout``.
        """
        await asyncio.shield(self._fetch())

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._asked_at = self._clock.monotonic()
            self._fetching = asyncio.create_task(self._replace_keys())
        return self._fetching

    async def _replace_keys(self) -> None:
        """Take over the keys published now; log why they could not be had."""
        assert self._client is not None, "the issuer is open"
        try:
            async with asyncio.timeout(self._access.timeout):
                keys = await fetch_keys(self._client, self._trusted)
        except Exception as error:  # whatever it was: the old keys go on being used
            self._reachable = False
            reason = str(error) or type(error).__name__
            log.warning("issuer unavailable", issuer=self.name, reason=reason)
        else:
            self._reachable = True
            self._keys = keys
            self._thumbprints = frozenset(one.thumbprint for one in keys)
        finally:
            self._fetching = None

    async def _refreshing(self) -> None:
        """Fetch again and again; sooner while the issuer does not answer."""
        await self._fetched()
        while True:
            soon = min(self._access.refresh, max(self._access.cool_down, 1.0))
            await asyncio.sleep(self._access.refresh if self._reachable else soon)
            await self._fetched()
