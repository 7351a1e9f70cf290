"""Tokens of forms, against requests that another site makes in an officer's name (CSRF).

A token says until when a form may be sent, and is bound to whoever the form was made for: both are
authenticated by an HMAC, so nothing is kept of it. Another site cannot read the page that holds
one, and the token of another caller is refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, Secret
from gateway.runtime.clock import Clock

#: Seconds for which a form may be sent: a working day.
_LIFE = 8 * 3_600
#: Characters of a token: longer texts are none.
_LONGEST = 160
#: Where a browser says that a form comes from (Fetch Metadata Request Headers, W3C).
_OWN_SITES = frozenset({"same-origin", "none"})


class FormTokens:
    """Makes and checks tokens of forms. ``ring``: keys, of which others are derived for this use.

    Processes that share the ring take each other's forms; after a rotation a form may be sent that
    was made before it.
    """

    def __init__(self, ring: Keyring, clock: Clock) -> None:
        self._secrets = tuple(_derive(secret) for secret in ring.all)
        self._clock = clock

    def issue(self, binding: str) -> str:
        """Return a token for whoever ``binding`` stands for."""
        secret = self._secrets[0]
        return self._sign(_bind(secret, binding))

    def renew(self, token: str) -> str | None:
        """Return a new token for whoever ``token`` was made for; None: it was not made here.

        For a form that was sent by nobody, because its session had ended: it can be sent again by
        whom it was made for, and by nobody else. A token that ended long ago is not renewed.
        """
        read = self._read(token)
        if read is None or self._now() >= read.expires + _LIFE:
            return None
        return self._sign(read.bound)

    def require(self, token: str, binding: str, site: Sequence[str]) -> None:
        """Refuse a form that has expired, is somebody else's, or comes from another site.

        ``site``: the values of ``Sec-Fetch-Site``, none from browsers that do not send it. Raises
        GatewayError FORM_EXPIRED, and FORM_OF_ANOTHER for one that was made for somebody else.
        """
        read = self._read(token)
        if read is None or self._now() >= read.expires or not _OWN_SITES.issuperset(site):
            raise GatewayError("FORM_EXPIRED")
        if not any(
            hmac.compare_digest(_bind(secret, binding), read.bound) for secret in self._secrets
        ):
            raise GatewayError("FORM_OF_ANOTHER")

    def _sign(self, bound: str) -> str:
        head = f"{self._now() + _LIFE}.{bound}"
        return f"{head}.{self._secrets[0].mac(head.encode())}"

    def _read(self, token: str) -> _ReadToken | None:
        """Return what a token says that was made here; None: it was not."""
        if len(token) > _LONGEST or not token.isascii():
            return None
        head, _, mac = token.rpartition(".")
        if not any(hmac.compare_digest(secret.mac(head.encode()), mac) for secret in self._secrets):
            return None
        expires, _, bound = head.partition(".")
        return _ReadToken(int(expires), bound)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


class _ReadToken(NamedTuple):
    """A token that was made here. ``bound``: a hash of whoever it was made for."""

    expires: int
    bound: str


def _bind(secret: Secret, binding: str) -> str:
    return secret.mac(b"bound to " + binding.encode())


def _derive(secret: Secret) -> Secret:
    """Return a key for forms alone (RFC 5869): no key has two uses."""
    derivation = HKDF(SHA256(), 32, salt=None, info=b"justice-gateway form tokens")
    return Secret.of(derivation.derive(secret.key))
