"""Cursors of feeds: a place in the event log, sealed for one owner: client, agency and purpose.

Sealed with the cache's key, they survive a restart, and a rotation while the former key is kept.
A place is a position. It has a mark where a page ended there while some interests could not be
read: events of these may be before it, which nobody was shown.
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
#: What no position has.
_MARK = "?"


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """Where a page begins or ends. ``has_gap``: some events before it may not have been shown."""

    position: str
    has_gap: bool = False

    def __str__(self) -> str:
        """Return it as cursors have it."""
        return self.position + _MARK if self.has_gap else self.position

    @classmethod
    def parse(cls, text: str) -> FeedPlace:
        """Return the place of a text of ``str``."""
        return cls(text.removesuffix(_MARK), text.endswith(_MARK))


@dataclass(frozen=True, slots=True)
class FeedCursors:
    """Makes and reads the cursors of ``owner``. Costs 5 us each."""

    keys: Keyring
    owner: InterestOwner

    def make(self, place: str) -> str:
        """Return the cursor of a place in the log: a position, or a ``FeedPlace`` as text."""
        sealed = self._sealing.seal(self._name, place.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def parse(self, text: str) -> str:
        """Return the place of a cursor, as text.

        Raises GatewayError INVALID_VALUE for a text that is none, and for one that was made for
        somebody else, or under another purpose: nobody learns which.
        """
        place = None
        if len(text) <= _LONGEST:
            try:
                padded = text.encode("ascii") + b"=" * (-len(text) % 4)
                sealed = base64.b64decode(padded, b"-_", validate=True)
                place = self._sealing.open(self._name, sealed)
            except (binascii.Error, UnicodeEncodeError):
                pass
        if place is None:
            raise GatewayError(
                "INVALID_VALUE",
                "after is no cursor of this client and agency under this purpose: take it from "
                "lifeEvents or registerInterest",
            )
        return place.decode()

    @property
    def _sealing(self) -> Sealing:
        return Sealing(self.keys, b"feed cursors")

    @property
    def _name(self) -> str:
        owner = self.owner
        return orjson.dumps([owner.client, owner.agency, owner.purpose]).decode()
