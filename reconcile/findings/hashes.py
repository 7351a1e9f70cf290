"""Keyed hashes: HMAC-SHA256 under the key of the folder, in hexadecimal.

The message is a sequence of netstrings, ``<bytes>:<text in UTF-8>,``; the first says what is
hashed, so that no hash of one kind is one of another, and no two sequences make one message:

    person   person, number                              6:person,12:001099000001,
    row      row, database, record, identity of the row
    finding  finding, rule, case, number, and of each side database, record, identity

Without the key nobody can try numbers (there are some 10^8 of people). Whoever holds it can: it is
as secret as the numbers.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

_Row = tuple[str, str, str]


class KeyedHashes:
    """Hashes under one key; a few microseconds each."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def person(self, number: str) -> str:
        """Return the hash of a person: of the present number."""
        return self._hash("person", number)

    def row(self, database: str, record: str, identity: str) -> str:
        """Return the hash of a row of a source."""
        return self._hash("row", database, record, identity)

    def finding(self, rule: str, case: int, number: str, rows: Iterable[_Row]) -> str:
        """Return the hash of a finding, the same in each run that finds it.

        ``case``: the place of the case in its rule. ``rows``: database, record and identity of each
        side, in their order.
        """
        parts = (part for row in rows for part in row)
        return self._hash("finding", rule, str(case), number, *parts)

    def _hash(self, *parts: str) -> str:
        texts = [part.encode() for part in parts]
        message = b"".join(b"%d:%b," % (len(text), text) for text in texts)
        return hmac.digest(self._key, message, "sha256").hex()
