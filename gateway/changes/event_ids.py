"""The ids of events: keyed hashes, so that the same change has the same id each time it is read.

The key is made of the first key of record ids, which a rotation does not change
(``gateway.execution.record_ids``): an id would else change within the retention of the log, and
whoever tells events apart by id would take an old event for a new one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC

import orjson

from connectors.changes.change import Change
from connectors.description import ChangeRule, ChangeTrigger
from gateway.changes.event import LifeEventKind
from gateway.keys.keyring import Secret

_BYTES = 20


@dataclass(frozen=True, slots=True)
class EventIds:
    """Makes ids. ``key``: of 32 bytes."""

    key: bytes = field(repr=False)

    @classmethod
    def of_secret(cls, secret: Secret) -> EventIds:
        """Return what makes ids with a key that is derived from ``secret``."""
        return cls(hashlib.blake2b(secret.key, person=b"event ids", digest_size=32).digest())

    def of(self, database: str, kind: LifeEventKind, words: Sequence[str]) -> str:
        """Return the id of an event that ``words`` tell from others of its kind and database."""
        message = orjson.dumps([database, kind.name, *words])
        digest = hashlib.blake2b(message, key=self.key, digest_size=_BYTES).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def of_change(self, change: Change, rule: ChangeRule, person: str) -> str:
        """Return the id of the event that ``change`` is for ``person`` by ``rule``. About 3 us.

        A creation that is reported at several positions is one event. What a row may enter again
        (``ENTERED``) is an event at each position: a block that is placed, lifted and placed again.
        And at each moment of a commit, as far as the source says it: after an older copy was
        restored, an entry that is made again may get its row and its position again.
        """
        record, triggers = change.record, rule.triggers
        is_once = ChangeTrigger.CREATED in triggers and ChangeTrigger.ENTERED not in triggers
        origin = (change.creation if is_once else None) or _place(change)
        words = (record.name, change.identity, origin, person)
        return self.of(record.database, LifeEventKind[rule.kind], words)


def _place(change: Change) -> str:
    """Return where and when a source has a change."""
    if change.committed_at is None:
        return change.position
    return f"{change.position} {change.committed_at.astimezone(UTC).isoformat()}"
