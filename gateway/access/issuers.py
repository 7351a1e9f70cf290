"""An OpenID Connect issuer that the gateway trusts: its keys, kept fresh, and its tokens, checked.

Keys are fetched in the background (setting ``access.refresh``); if that fails the old ones go on
being used. An issuer that publishes no key at all keeps its old ones for ``access.keep_keys``. A
token that no known key signed has them fetched once more, at most once per ``access.cool_down``:
requests that arrive meanwhile wait for that one fetch, later ones are refused at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog

from gateway.access.caller import Caller
from gateway.access.claims import ClaimRules, TokenRefused, caller_of
from gateway.access.documents import NoKeys, fetch_keys
from gateway.access.keyset import PublicKey, TokenHeader, claims_under, read_header
from gateway.runtime.clock import Clock
from gateway.settings import Access, TrustedIssuer, is_loopback

log = structlog.get_logger(__name__)

#: How many keys are tried for a token that names none, or one of an id that several keys have.
_MOST_TRIED = 4


class Issuer:
    """One trusted issuer. ``open`` starts the background refresh, ``close`` ends it."""

    def __init__(self, name: str, trusted: TrustedIssuer, access: Access, clock: Clock) -> None:
        self.name = name
        self._trusted = trusted
        self._access = access
        self._clock = clock
        self._expected = ClaimRules(
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
        self._empty_since: float | None = None
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
        head = read_header(token)
        keys = self._fitting(head)
        signed = _signed_by(token, head, keys)
        if signed is None and self._may_ask():
            await self._fetched()
            signed = _signed_by(token, head, self._fitting(head))
        if signed is None:
            if not keys and not self._reachable:
                raise TokenRefused("its issuer does not answer", "ISSUER_UNAVAILABLE")
            raise TokenRefused("no key of its issuer signed it")
        claims, key = signed
        now = self._clock.now().timestamp()
        return *caller_of(claims, self._expected, now), key.thumbprint

    def _fitting(self, head: TokenHeader) -> list[PublicKey]:
        """Return the keys that may have signed, each once.

        Raises Refused where they are too many to be tried: whether a token is good must not hang on
        the order in which keys are published (OpenID Connect Core 1.0 section 10.1 has a token name
        its key wherever there are several).
        """
        keys = {
            key.thumbprint: key
            for key in self._keys or ()
            if head.algorithm in key.algorithms and head.kid in {None, key.kid}
        }
        if len(keys) > _MOST_TRIED:
            named = "names no key (kid)" if head.kid is None else "names a key by an id of several"
            raise TokenRefused(
                f"it {named}, and {len(keys)} keys of its issuer could have signed it"
            )
        return list(keys.values())

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
            if not keys and self._keys:
                raise NoKeys("it publishes no key that can be used")
        except Exception as error:  # whatever it was: the old keys go on being used
            self._reachable = False
            if isinstance(error, NoKeys) and self._empty_since is None:
                self._empty_since = self._clock.monotonic()
            reason = str(error) or type(error).__name__
            log.warning("issuer unavailable", issuer=self.name, reason=reason)
            self._drop_withdrawn()
        else:
            self._reachable, self._empty_since = True, None
            self._take(keys)
        finally:
            self._fetching = None

    def _take(self, keys: tuple[PublicKey, ...]) -> None:
        """Use ``keys`` from now on, and nothing else."""
        for kid in _changed(self._keys or (), keys):
            log.warning("issuer changed a key under its id", issuer=self.name, kid=kid)
        self._keys = keys
        self._thumbprints = frozenset(key.thumbprint for key in keys)

    def _drop_withdrawn(self) -> None:
        """Drop the keys of an issuer that has published none for long enough to mean it."""
        since = self._empty_since
        if since is None or not self._keys:
            return
        if self._clock.monotonic() - since >= self._access.keep_keys:
            log.warning("issuer keys dropped", issuer=self.name, keys=len(self._keys))
            self._take(())

    async def _refreshing(self) -> None:
        """Fetch again and again; sooner while the issuer does not answer."""
        await self._fetched()
        while True:
            soon = min(self._access.refresh, max(self._access.cool_down, 1.0))
            await asyncio.sleep(self._access.refresh if self._reachable else soon)
            await self._fetched()


def _signed_by(
    token: str, head: TokenHeader, keys: Sequence[PublicKey]
) -> tuple[dict[str, Any], PublicKey] | None:
    """Return the claims of ``token`` and the one of ``keys`` that signed it, None if none did."""
    for key in keys:
        claims = claims_under(token, head, key)
        if claims is not None:
            return claims, key
    return None


def _changed(before: Sequence[PublicKey], now: Sequence[PublicKey]) -> list[str]:
    """Return the ids under which there are other keys now than before."""
    old, new = _thumbprints_by_id(before), _thumbprints_by_id(now)
    return [kid for kid in old if kid in new and old[kid].isdisjoint(new[kid])]


def _thumbprints_by_id(keys: Sequence[PublicKey]) -> dict[str, set[str]]:
    by_id: dict[str, set[str]] = {}
    for key in keys:
        if key.kid is not None:
            by_id.setdefault(key.kid, set()).add(key.thumbprint)
    return by_id
