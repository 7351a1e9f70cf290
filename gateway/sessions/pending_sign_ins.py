"""A sign-in that has begun: in a sealed cookie of the browser, so that strangers fill no store.

Each sign-in has a cookie of its own, named after its ``state``: several tabs can sign in at once.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from gateway.keys.keyring import Keyring
from gateway.runtime.clock import Clock
from gateway.sessions.cookies import delete_cookie, set_cookie
from gateway.storage.sealing import Sealing

#: Seconds that somebody has at the issuer: for a password and a second factor.
_LIFE = 600
_PREFIX = "__Host-justice-gateway-sign-in-"
#: Characters of a state in the name of its cookie.
_NAMED = 16
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
#: Sign-ins of a browser that may be under way at once: headers have a limit.
_MOST = 4


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """What only this browser and the gateway know. ``return_path``: where to go afterwards."""

    state: str
    nonce: str
    verifier: str
    return_path: str
    expires: float


class PendingSignIns:
    """Begins sign-ins and finds them again. ``keys``: a ring, of which others are derived."""

    def __init__(self, keys: Keyring, clock: Clock) -> None:
        self._sealing = Sealing(keys, b"sign-in")
        self._clock = clock

    def begin(self, return_path: str) -> PendingSignIn:
        """Return a new sign-in. State and nonce have 256 random bits, as has the verifier."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        expires = self._clock.now().timestamp() + _LIFE
        return PendingSignIn(state, nonce, verifier, return_path, expires)

    def cookie(self, pending: PendingSignIn) -> str:
        """Return the header that has a browser keep a sign-in."""
        content = [pending.nonce, pending.verifier, pending.return_path, pending.expires]
        sealed = self._sealing.seal(pending.state, orjson.dumps(content))
        value = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return set_cookie(_name(pending.state), value, _LIFE)

    def find(self, cookies: Mapping[str, Sequence[str]], state: str) -> PendingSignIn | None:
        """Return the sign-in with this state; None: the browser has begun none, or long ago."""
        values = cookies.get(_name(state), ())
        if not _STATE.fullmatch(state) or len(values) != 1:
            return None
        try:
            sealed = base64.urlsafe_b64decode(values[0] + "=" * (-len(values[0]) % 4))
        except ValueError:
            return None
        content = self._sealing.open(state, sealed)
        if content is None:
            return None
        nonce, verifier, return_path, expires = orjson.loads(content)
        if self._clock.now().timestamp() >= expires:
            return None
        return PendingSignIn(state, nonce, verifier, return_path, expires)


def forget(state: str) -> str:
    """Return the header by which a browser forgets a sign-in: its answer came."""
    return delete_cookie(_name(state))


def forget_surplus(cookies: Iterable[str]) -> list[str]:
    """Return the headers by which a browser forgets sign-ins beyond those it may have."""
    names = [name for name in cookies if name.startswith(_PREFIX)]
    surplus = names[: max(0, len(names) - _MOST + 1)]
    return [delete_cookie(name) for name in surplus if name.isascii() and name.isprintable()]


def _name(state: str) -> str:
    return _PREFIX + state[:_NAMED]
