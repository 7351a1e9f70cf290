"""Cursors: where a page of a list ends, and proof that the rows before it have not changed.

A keyed hash binds a cursor to its list, to the arguments that filter and order rows, and to the
records before it. A client that pages to the end has therefore seen one whole list. If a record was
added, removed or moved in between, the cursor is refused, so that no record is skipped unnoticed.
A cursor carries a count and the hash, no personal data.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from connectors.description import Lookup, Record
from gateway.errors import GatewayError

_COUNT_BYTES, _MAC_BYTES = 4, 16


@dataclass(frozen=True, slots=True)
class Cursor:
    """A cursor that a client sent. ``position``: the number of records before it, as it claims."""

    text: str
    position: int


def parse_cursor(text: str, origin: str = "nextCursor") -> Cursor:
    """Return the cursor in ``text``; raises GatewayError INVALID_VALUE if there is none.

    ``origin``: the field that clients take cursors from.
    """
    try:
        content = base64.b64decode(text.encode("ascii"), b"-_", validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if len(content) != _COUNT_BYTES + _MAC_BYTES:
        raise GatewayError("INVALID_VALUE", f"after is no cursor: take it from {origin}")
    return Cursor(text, int.from_bytes(content[:_COUNT_BYTES]))


def make_cursor(
    key: bytes,
    record: Record,
    lookup: Lookup,
    arguments: Sequence[object],
    ids: Sequence[str],
) -> str:
    """Return the cursor after the records with ``ids``, of which there is at least one.

    ``arguments``: those that filter and order rows. Costs 10 us for 200 ids.
    """
    bound_to = ["cursor", record.database, record.name, lookup.name, arguments, ids]
    mac = hmac.digest(key, orjson.dumps(bound_to, default=str), "sha256")[:_MAC_BYTES]
    return base64.urlsafe_b64encode(len(ids).to_bytes(_COUNT_BYTES) + mac).decode()


def make_cursors(
    key: bytes, name: str, arguments: Sequence[object], ids: Sequence[str]
) -> list[str]:
    """Return the cursor after each of ``ids``, which stand in a list called ``name``.

    Each is bound to everything before it, as by ``make_cursor``. Costs 3 us each.
    """
    chain = hmac.new(key, orjson.dumps(["cursors", name, arguments], default=str), "sha256")
    cursors = []
    for count, entry_id in enumerate(ids, 1):
        chain.update(orjson.dumps(entry_id))
        mac = chain.copy().digest()[:_MAC_BYTES]
        cursors.append(base64.urlsafe_b64encode(count.to_bytes(_COUNT_BYTES) + mac).decode())
    return cursors
