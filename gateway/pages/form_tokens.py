"""Tokens of forms, against requests that another site makes in an officer's name (CSRF).

A token says until when a form may be sent, and is bound to whoever the form was made for: it is an
HMAC, so nothing is kept of it. Another site cannot read the page that holds one, and the token of
another caller is refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, Secret
from gateway.runtime.clock import Clock

#: Seconds for which a form may be sent: a working day.
_LIFE = 8 * 3_600
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
        expires = int(self._clock.now().timestamp()) + _LIFE
        return f"{expires}.{_mac(self._secrets[0], expires, binding)}"

    def require(self, token: str, binding: str, site: Sequence[str]) -> None:
        """Refuse a form that has expired, is somebody else's, or comes from another site.

        ``site``: the values of ``Sec-Fetch-Site``, none from browsers that do not send it. Raises
        GatewayError FORM_EXPIRED.
        """
        head, _, mac = token.partition(".")
        expires = int(head) if head.isascii() and head.isdigit() and len(head) < 12 else 0
        is_valid = any(
            hmac.compare_digest(
                _mac(secret, expires, binding), mac.encode("ascii", "replace").decode()
            )
            for secret in self._secrets
        )
        is_late = self._clock.now().timestamp() >= expires
        if is_late or not is_valid or not _OWN_SITES.issuperset(site):
            raise GatewayError("FORM_EXPIRED")


def _mac(secret: Secret, expires: int, binding: str) -> str:
    return secret.mac(f"{expires}\n{binding}".encode())


def _derive(secret: Secret) -> Secret:
    """Return a key for forms alone (RFC 5869): no key has two uses."""
    derivation = HKDF(SHA256(), 32, salt=None, info=b"justice-gateway form tokens")
    return Secret.of(derivation.derive(secret.key))
