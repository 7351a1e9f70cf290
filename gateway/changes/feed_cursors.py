"""Cursors of feeds: a position in the event log, sealed for one owner: client, agency and purpose.

Sealed with the cache's key, they survive a restart, and a rotation while the former key is kept.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import orjson

from gateway.changes.interests import InterestOwner
from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring
from gateway.storage.sealing import Sealing

#: Characters of a cursor at most: longer texts are none.
_LONGEST = 1_024


@dataclass(frozen=True, slots=True)
class FeedCursors:
    """Makes and reads the cursors of ``owner``. Costs 5 us each."""

    keys: Keyring
    owner: InterestOwner

    def make(self, position: str) -> str:
        """Return the cursor of a position in the log."""
        sealed = self._sealing.seal(self._name, position.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def parse(self, text: str) -> str:
        """Return the position of a cursor.

        Raises GatewayError INVALID_VALUE for a text that is none, and for one that was made for
        somebody else, or under another purpose: nobody learns which.
        """
        position = None
        if len(text) <= _LONGEST:
            try:
                padded = text.encode("ascii") + b"=" * (-len(text) % 4)
                sealed = base64.b64decode(padded, b"-_", validate=True)
                position = self._sealing.open(self._name, sealed)
            except (binascii.Error, UnicodeEncodeError):
                pass
        if position is None:
            raise GatewayError(
                "INVALID_VALUE",
                "after is no cursor of this client and agency under this purpose: take it from "
                "lifeEvents or registerInterest",
            )
        return position.decode()

    @property
    def _sealing(self) -> Sealing:
        return Sealing(self.keys, b"feed cursors")

    @property
    def _name(self) -> str:
        owner = self.owner
        return orjson.dumps([owner.client, owner.agency, owner.purpose]).decode()
