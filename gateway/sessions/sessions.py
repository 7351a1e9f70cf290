"""Sessions as doors use them: started by a sign-in, found by a cookie, ended by whoever signs out.

The cookie holds 256 random bits and nothing else; a store has their hash, and what the session
holds sealed under a key that is derived from the cache's. No session is kept in a process, so one
that ends has ended in all of them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.access.tokens import Tokens
from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, Secret, load_ring
from gateway.runtime.clock import Clock
from gateway.sessions.cookies import SESSION_COOKIE
from gateway.sessions.issuer_client import IssuedTokens, IssuerClient
from gateway.sessions.pending_sign_ins import PendingSignIns
from gateway.sessions.redis_store import RedisSessions
from gateway.sessions.session import ActiveSession, SessionLookup, SignInSession
from gateway.sessions.sqlite_store import SqliteSessions
from gateway.sessions.store import SealedSession, SessionStore
from gateway.settings import Settings, SignIn
from gateway.storage.sealing import Sealing
from gateway.storage.unavailable import StoreUnavailable

log = structlog.get_logger(__name__)

_BYTES = 32
_TEXT = re.compile(r"[A-Za-z0-9_-]{43}")
#: The part of the idle time-out after which a use is written down; a write for each is too many.
_GRAIN = 1 / 30
#: Seconds before its end at which an access token is renewed.
_MARGIN = 30.0
#: Ids of tokens that a session remembers, so that revoking any of them ends it: those of a day.
_TOKENS = 512
#: Seconds between two looks for the tokens that another request, or process, is fetching.
_LOOK_EVERY = 0.05


class Sessions:
    """Starts, finds and ends sessions. Methods raise GatewayError SIGN_IN_UNAVAILABLE."""

    def __init__(
        self,
        settings: SignIn,
        store: SessionStore,
        keys: Keyring,
        clock: Clock,
        tokens: Tokens,
        issuer: IssuerClient,
    ) -> None:
        self.pending = PendingSignIns(keys, clock)
        self.issuer = issuer
        self._settings = settings
        self._store = store
        self._sealing = Sealing(keys, b"sessions")
        self._csrf_secrets = tuple(_derive(secret) for secret in keys.all)
        self._clock = clock
        self._tokens = tokens

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock, tokens: Tokens) -> Sessions | None:
        """Return the sessions; None where nobody signs in. Raises OSError for the secret's file."""
        if settings.sign_in.issuer is None:
            return None
        redis, file = settings.redis_with_password(), settings.path(settings.sign_in.file)
        store = SqliteSessions(file) if redis.url is None else RedisSessions(redis)
        issuer = IssuerClient(settings, tokens, clock)
        keys = load_ring(settings, "cache")
        return cls(settings.sign_in, store, keys, clock, tokens, issuer)

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    async def start(self, issued: IssuedTokens, former: str | None) -> str:
        """Start a session for who has just signed in; returns the value of its cookie.

        It always has a new id. ``former``: the cookie that the browser had, whose session ends.
        """
        now, text = self._now(), secrets.token_urlsafe(_BYTES)
        assert issued.id_token is not None
        caller = issued.verified.caller
        session = SignInSession(
            access_token=issued.access_token,
            client=caller.client,
            subject=caller.subject,
            agency=caller.agency,
            token_ids=(caller.token_id or "",),
            token_expires=issued.verified.expires,
            id_token=issued.id_token,
            refresh_token=issued.refresh_token,
            name=issued.name,
            created=now,
        )
        session_id = _id(text)
        try:
            if former is not None:
                await self._store.remove(_id(former))
            await self._store.put(session_id, self._seal(session_id, session), now)
        except StoreUnavailable as error:
            raise _unavailable(error) from error
        return text

    async def look_up(
        self, cookies: Mapping[str, Sequence[str]], is_use: bool = True
    ) -> SessionLookup:
        """Return what the cookies of a request lead to.

        ``is_use`` False: nobody acts, so the idle time-out goes on. Costs a read of the store, a
        write once in a while, and rarely a renewal at the issuer.
        """
        text = session_cookie(cookies)
        if text is None:
            return SessionLookup(has_ended=SESSION_COOKIE in cookies, can_sign_in=True)
        try:
            session = await self._find(_id(text), is_use)
        except StoreUnavailable as error:
            raise _unavailable(error) from error
        if session is None:
            return SessionLookup(has_ended=True, can_sign_in=True)
        active = ActiveSession(
            b"Bearer " + session.access_token.encode("latin-1"),
            self._csrf_secrets[0].mac(text.encode()),
            session.name or session.agency or session.client or "",
            session.agency,
        )
        return SessionLookup(active, can_sign_in=True)

    def require_csrf(self, text: str, token: str, site: Sequence[str]) -> None:
        """Refuse a request that another site may have made; ``text``: the session's cookie.

        ``site``: the values of ``Sec-Fetch-Site``. Raises GatewayError CSRF_TOKEN_REQUIRED.
        """
        sent = token.encode("latin-1", "replace")
        is_valid = any(
            hmac.compare_digest(secret.mac(text.encode()).encode(), sent)
            for secret in self._csrf_secrets
        )
        if not is_valid or not {"same-origin", "none"}.issuperset(site):
            raise GatewayError("CSRF_TOKEN_REQUIRED")

    async def end(self, text: str) -> SignInSession | None:
        """End the session of a cookie, in every process at once; returns what it was."""
        session_id = _id(text)
        try:
            sealed = await self._store.get(session_id, self._now())
            await self._store.remove(session_id)
        except StoreUnavailable as error:
            raise _unavailable(error) from error
        return None if sealed is None else self._open(session_id, sealed)

    async def _find(self, session_id: str, is_use: bool) -> SignInSession | None:
        sealed = await self._store.get(session_id, self._now())
        session = None if sealed is None else self._open(session_id, sealed)
        if sealed is None or session is None:
            return None
        if any(map(self._tokens.is_revoked, session.token_ids)):
            await self._store.remove(session_id)
            return None
        now = self._now()
        if session.refresh_token is not None and session.token_expires - now <= _MARGIN:
            return await self._renew(session_id, session, None if is_use else sealed.expires)
        expires = self._expires(session, now)
        if is_use and expires - sealed.expires >= self._settings.idle_seconds * _GRAIN:
            await self._store.prolong(session_id, expires, now)
        return session

    async def _renew(
        self, session_id: str, session: SignInSession, expires: float | None
    ) -> SignInSession | None:
        """Return the session with new tokens, fetched once whoever asks for them meanwhile.

        ``expires``: when it ends all the same, since nobody acts; None: it is used now.
        An issuer may take the second use of a refresh token for a theft (RFC 9700 section 4.14.2).
        Where it does not answer, the former tokens are used as long as they last.
        """
        now = self._now()
        until = now + 2 * self.issuer.timeout
        is_usable = now < session.token_expires
        assert session.refresh_token is not None
        if not await self._store.claim(session_id, now, until):
            return session if is_usable else await self._wait_for_renewal(session_id)
        renewed = await self._find_renewed(session_id, session, now)
        if renewed is not session:
            return renewed
        try:
            issued = await self.issuer.renew(session.refresh_token)
        except GatewayError as error:
            if error.code.name != "SIGN_IN_UNAVAILABLE":
                await self._store.remove(session_id)
                return None
            if is_usable:
                return session
            raise
        caller = issued.verified.caller
        if not session.is_same_person(caller):
            log.warning("issuer renewed the tokens of somebody else")
            await self._store.remove(session_id)
            return None
        renewed = replace(
            session,
            access_token=issued.access_token,
            agency=caller.agency,
            token_ids=(*session.token_ids, caller.token_id or "")[-_TOKENS:],
            token_expires=issued.verified.expires,
            id_token=issued.id_token or session.id_token,
            refresh_token=issued.refresh_token or session.refresh_token,
        )
        sealed = self._seal(session_id, renewed)
        if expires is not None:
            stored = await self._store.get(session_id, self._now())  # somebody may act meanwhile
            latest = expires if stored is None else max(expires, stored.expires)
            sealed = replace(sealed, expires=latest)
        is_there = await self._store.replace(session_id, sealed, self._now())
        return renewed if is_there else None

    async def _find_renewed(
        self, session_id: str, session: SignInSession, now: float
    ) -> SignInSession | None:
        """Return what the store has now that the claim is held, ``session`` if it is the same.

        Somebody else may have renewed it between the look and the claim, which is then given back.
        """
        sealed = await self._store.get(session_id, now)
        stored = None if sealed is None else self._open(session_id, sealed)
        if sealed is None or stored is None:
            return None
        if stored == session:
            return session
        await self._store.replace(session_id, sealed, now)
        return stored

    async def _wait_for_renewal(self, session_id: str) -> SignInSession | None:
        """Wait for the tokens that somebody else fetches; nothing tells when they are there."""
        try:
            async with asyncio.timeout(self.issuer.timeout):
                while True:
                    await asyncio.sleep(_LOOK_EVERY)
                    now = self._now()
                    sealed = await self._store.get(session_id, now)
                    session = None if sealed is None else self._open(session_id, sealed)
                    if session is None or session.token_expires > now:
                        return session
        except TimeoutError:
            raise GatewayError("SIGN_IN_UNAVAILABLE", headers={"Retry-After": "5"}) from None

    def _expires(self, session: SignInSession, now: float) -> float:
        """Return when a session ends that is used now."""
        end = min(
            now + self._settings.idle_seconds, session.created + self._settings.absolute_seconds
        )
        return end if session.refresh_token is not None else min(end, session.token_expires)

    def _seal(self, session_id: str, session: SignInSession) -> SealedSession:
        value = self._sealing.seal(session_id, session.encode())
        return SealedSession(value, self._expires(session, self._now()))

    def _open(self, session_id: str, sealed: SealedSession) -> SignInSession | None:
        content = self._sealing.open(session_id, sealed.value)
        return None if content is None else SignInSession.decode(content)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def session_cookie(cookies: Mapping[str, Sequence[str]]) -> str | None:
    """Return the value of the session's cookie; None: none was sent, two, or what is none."""
    values = cookies.get(SESSION_COOKIE, ())
    return values[0] if len(values) == 1 and _TEXT.fullmatch(values[0]) else None


def _id(text: str) -> str:
    return hashlib.sha256(b"session " + text.encode()).hexdigest()


def _unavailable(error: StoreUnavailable) -> GatewayError:
    log.warning("sessions unavailable", reason=str(error))
    return GatewayError("SIGN_IN_UNAVAILABLE", headers={"Retry-After": "5"})


def _derive(secret: Secret) -> Secret:
    """Return a key for tokens of sessions alone (RFC 5869): no key has two uses."""
    derivation = HKDF(SHA256(), 32, salt=None, info=b"justice-gateway csrf tokens")
    return Secret.of(derivation.derive(secret.key))
