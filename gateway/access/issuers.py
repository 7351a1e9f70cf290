"""An OpenID Connect issuer that the gateway trusts: its keys and its tokens.

Keys are fetched in the background (setting ``access.refresh``). If a fetch fails, the old keys stay
in use. If an issuer publishes no key at all, its old ones stay in use for ``access.keep_keys``. A
token that no known key signed triggers one more fetch, at most once per ``access.cool_down``:
requests that arrive meanwhile wait for it, later ones are refused at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog

from gateway.access.caller import Caller
from gateway.access.claims import ClaimRules, TokenRefused, caller_of, limit_grants
from gateway.access.documents import NoKeys, fetch_keys
from gateway.access.keyset import PublicKey, TokenHeader, claims_under, read_header
from gateway.runtime.clock import Clock
from gateway.settings import Access, TrustedIssuer, is_loopback

log = structlog.get_logger(__name__)

#: Keys tried for a token that names none, or whose key id several keys share.
_MOST_TRIED = 4


class Issuer:
    """One trusted issuer. ``open`` starts the refresh in the background, ``close`` ends it."""

    def __init__(self, name: str, trusted: TrustedIssuer, access: Access, clock: Clock) -> None:
        self.name = name
        self.url = trusted.issuer
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
            clients=trusted.clients,
            clients_of_others=access.clients_of_others(name),
        )
        self._keys: tuple[PublicKey, ...] | None = None
        self._thumbprints: frozenset[str] = frozenset()
        self._reachable = False
        self._empty_since: float | None = None
        self._fetch_began: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._background: asyncio.Task[None] | None = None
        self._client: httpx2.AsyncClient | None = None

    def publishes(self, thumbprint: str) -> bool:
        """Return whether the issuer still publishes the key with this thumbprint."""
        return thumbprint in self._thumbprints

    @property
    def has_fetched(self) -> bool:
        """Whether the keys of the issuer were fetched since the start, be they none by now."""
        return self._keys is not None

    def limit(self, caller: Caller) -> Caller:
        """Return a caller whom the issuer vouched for before, without what it cannot grant now.

        Raises TokenRefused for a client that is no longer one of its clients.
        """
        return limit_grants(caller, self._expected)

    async def open(self) -> None:
        """Start to fetch keys, now and periodically; does not wait for them."""
        self._client = httpx2.AsyncClient(
            timeout=self._access.timeout,
            follow_redirects=False,
            trust_env=not is_loopback(urlsplit(self._trusted.issuer).hostname),
        )
        self._fetch()
        self._background = asyncio.create_task(self._refresh_forever())

    async def close(self) -> None:
        """End the refresh, and a fetch that is under way."""
        tasks = [task for task in (self._background, self._fetching) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def verify(self, token: str) -> tuple[Caller, float, str]:
        """Return the caller of ``token``, its expiry, and the thumbprint of the key that signed it.

        Raises TokenRefused: TOKEN_INVALID, or ISSUER_UNAVAILABLE if it cannot be verified now.
        """
        claims, key = await self.verify_signature(token)
        now = self._clock.now().timestamp()
        return *caller_of(claims, self._expected, now), key.thumbprint

    async def verify_signature(self, token: str) -> tuple[dict[str, Any], PublicKey]:
        """Return the claims of any token of the issuer, unchecked, and the key that signed it.

        Raises TokenRefused as ``verify`` does.
        """
        header = read_header(token)
        keys = self._candidates(header)
        signed = _find_signer(token, header, keys)
        if signed is None and self._may_fetch():
            await self._wait_for_fetch()
            signed = _find_signer(token, header, self._candidates(header))
        if signed is None:
            if not keys and not self._reachable:
                raise TokenRefused("its issuer does not answer", "ISSUER_UNAVAILABLE")
            raise TokenRefused("no key of its issuer signed it")
        return signed

    def _candidates(self, header: TokenHeader) -> list[PublicKey]:
        """Return the keys that may have signed a token, each once.

        Raises Refused if there are too many to try: whether a token is valid must not depend
        on the order in which keys are published (OpenID Connect Core 1.0 section 10.1 requires a
        token to name its key where there are several).
        """
        keys = {
            key.thumbprint: key
            for key in self._keys or ()
            if header.algorithm in key.algorithms and header.kid in {None, key.kid}
        }
        if len(keys) > _MOST_TRIED:
            named = (
                "names no key (kid)" if header.kid is None else "names a key by an id of several"
            )
            raise TokenRefused(
                f"it {named}, and {len(keys)} keys of its issuer could have signed it"
            )
        return list(keys.values())

    def _may_fetch(self) -> bool:
        """Whether a fetch is under way, or the cool-down since the last one is over."""
        if self._fetching is not None or self._fetch_began is None:
            return True
        return self._clock.monotonic() - self._fetch_began >= self._access.cool_down

    async def _wait_for_fetch(self) -> None:
        """Wait for one fetch, shared by all who wait: cancelling a waiter does not cancel it.

        The fetch has its own timeout, so a wait takes ``access.timeout`` at most.
        """
        await asyncio.shield(self._fetch())

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetch_began = self._clock.monotonic()
            self._fetching = asyncio.create_task(self._replace_keys())
        return self._fetching

    async def _replace_keys(self) -> None:
        """Fetch and use the keys that are published now; log why if that fails."""
        assert self._client is not None, "the issuer is open"
        try:
            async with asyncio.timeout(self._access.timeout):
                keys = await fetch_keys(self._client, self._trusted)
            if not keys and self._keys:
                raise NoKeys("it publishes no key that can be used")
        except Exception as error:  # whatever it was, the old keys stay in use
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
        """Use ``keys`` from now on, and no others."""
        for kid in _changed(self._keys or (), keys):
            log.warning("issuer changed a key under its id", issuer=self.name, kid=kid)
        self._keys = keys
        self._thumbprints = frozenset(key.thumbprint for key in keys)

    def _drop_withdrawn(self) -> None:
        """Drop the keys of an issuer that has published none for ``access.keep_keys``."""
        since = self._empty_since
        if since is None or not self._keys:
            return
        if self._clock.monotonic() - since >= self._access.keep_keys:
            log.warning("issuer keys dropped", issuer=self.name, keys=len(self._keys))
            self._take(())

    async def _refresh_forever(self) -> None:
        """Fetch periodically; sooner while the issuer does not answer."""
        await self._wait_for_fetch()
        while True:
            soon = min(self._access.refresh, max(self._access.cool_down, 1.0))
            await asyncio.sleep(self._access.refresh if self._reachable else soon)
            await self._wait_for_fetch()


def _find_signer(
    token: str, header: TokenHeader, keys: Sequence[PublicKey]
) -> tuple[dict[str, Any], PublicKey] | None:
    """Return the claims of ``token`` and the one of ``keys`` that signed it, None if none did."""
    for key in keys:
        claims = claims_under(token, header, key)
        if claims is not None:
            return claims, key
    return None


def _changed(before: Sequence[PublicKey], now: Sequence[PublicKey]) -> list[str]:
    """Return the ids whose keys have been replaced."""
    old, new = _thumbprints_by_id(before), _thumbprints_by_id(now)
    return [kid for kid in old if kid in new and old[kid].isdisjoint(new[kid])]


def _thumbprints_by_id(keys: Sequence[PublicKey]) -> dict[str, set[str]]:
    by_id: dict[str, set[str]] = {}
    for key in keys:
        if key.kid is not None:
            by_id.setdefault(key.kid, set()).add(key.thumbprint)
    return by_id
