"""Sealed values: encrypted, and bound to the id under which a store has them.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The key is derived from a ring for one use
alone; former keys of the ring open what they sealed. A value that was changed, or moved to another
id, does not open.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.keys.keyring import Keyring, Secret

_NONCE, _KEY_ID = 12, 8
_FORMAT = b"1"


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals and opens values. ``use``: 16 bytes at most, by which the keys of uses differ."""

    keys: Keyring
    use: bytes

    def seal(self, value_id: str, content: bytes) -> bytes:
        """Return ``content`` sealed for the id, with the current key."""
        secret, nonce = self.keys.current, os.urandom(_NONCE)
        sealed = self._cipher(secret).encrypt(nonce, content, value_id.encode())
        return _FORMAT + secret.id.encode() + nonce + sealed

    def is_current(self, value: bytes) -> bool:
        """Return whether a value was sealed with the current key."""
        return value[: 1 + _KEY_ID] == _FORMAT + self.keys.current.id.encode()

    @staticmethod
    def key_id(value: bytes) -> str:
        """Return the id of the key that sealed a value."""
        return value[1 : 1 + _KEY_ID].decode("ascii", "replace")

    def open(self, value_id: str, value: bytes) -> bytes | None:
        """Return what was sealed; None: under another id, changed, or with a key that is gone."""
        head, body = value[: 1 + _KEY_ID], value[1 + _KEY_ID :]
        secret = self.keys.by_id(self.key_id(value))
        if head[:1] != _FORMAT or secret is None:
            return None
        try:
            return self._cipher(secret).decrypt(body[:_NONCE], body[_NONCE:], value_id.encode())
        except (InvalidTag, ValueError):
            return None

    def _cipher(self, secret: Secret) -> AESGCM:
        key = hashlib.blake2b(secret.key, person=self.use, digest_size=32).digest()
        return AESGCM(key)
