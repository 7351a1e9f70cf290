"""``recordId``: an opaque name for each record, by which clients keep it in a cache.

A record is known by its identity column. Its id is a keyed hash: it carries nothing of the record,
and nobody can try identities out. An identity that the caller may not see, that is empty, or that
two rows of a list share says nothing: the id is then made of all columns that the caller may see,
so that an id never tells more than the row that it stands in
(``docs/decisions/0035-types-for-client-caches.md``).
"""

from __future__ import annotations

import base64
import hmac
from collections import Counter
from collections.abc import Callable, Sequence

import orjson

from connectors.description import Record, Row
from gateway.keys.keyring import Secret

#: 128 bits: two records among 2**40 share an id with a probability of 2**-49.
_BYTES = 16

#: Says whether the caller may see a column of a record.
MaySee = Callable[[Record, int], bool]


class RecordIds:
    """Makes ids with ``secret``; ids change only with it. ``key``: cursors are made with it too."""

    def __init__(self, secret: Secret) -> None:
        self.key = secret.key

    def of(
        self, record: Record, rows: Sequence[Row], shown: Sequence[Row], may_see: MaySee
    ) -> list[str]:
        """Return the ids of the rows ``shown``, in their order.

        ``rows``: all of the list that protection has left, before any argument: whether an identity
        tells rows apart must not depend on the page. Costs 3 us a row, and 0.1 us for each of
        ``rows``.
        """
        name = f"{record.database}.{record.name}"
        place = record.positions[record.identity]
        unique: frozenset[object] = frozenset()
        if may_see(record, place):
            counts = Counter(row[place] for row in rows)
            unique = frozenset(key for key, count in counts.items() if count == 1) - {None}
        if all(row[place] in unique for row in shown):  # almost always, where it may be seen
            return [self._id(name, "identity", [row[place]]) for row in shown]
        visible = [at for at in range(len(record.columns)) if may_see(record, at)]
        return [
            self._id(name, "identity", [row[place]])
            if row[place] in unique
            else self._id(name, "row", [row[at] for at in visible])
            for row in shown
        ]

    def of_identity(self, record: Record, identity: str) -> str:
        """Return the id of a record that no other of a list shares its identity with."""
        return self._id(f"{record.database}.{record.name}", "identity", [identity])

    def _id(self, name: str, source: str, values: list[object]) -> str:
        message = orjson.dumps([name, source, values], default=str)
        digest = hmac.digest(self.key, message, "sha256")[:_BYTES]
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
