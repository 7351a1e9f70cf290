"""Entries: ways into the registers by a thing (a registration, a vehicle, a certificate).

Anyone may ask what is registered on a thing (Decree 99/2022/NĐ-CP Art. 8(6), 50): whoever has the
scope of an entry sees the PUBLIC fields of what it finds, and of what hangs on that in the same
database. What is kept closer, who is named in it above all, needs scope and purpose as ever.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Lookup, Record
from gateway.errors import GatewayError

#: The scalar of the keys by which things are found.
KEY_SCALAR = "ThingKey"
_LONGEST = 100


@dataclass(frozen=True)
class EntryPoint:
    """A root field that leads to records by the key of a thing.

    ``field`` and ``argument`` in snake case.
    """

    database: str
    field: str
    argument: str
    record: Record
    lookup: Lookup

    @property
    def name(self) -> str:
        """What it is called among what callers may be permitted, apart from any record."""
        return f"{self.field}:find"

    @property
    def scope(self) -> str:
        """The scope that permits to find things in this way."""
        return f"{self.database}.{self.name}"


def entries_of(databases: Iterable[Database]) -> dict[str, EntryPoint]:
    """Return the entries that ``databases`` declare, by the name of their root field.

    Raises ValueError where two want the same one.
    """
    entries: dict[str, EntryPoint] = {}
    for database in databases:
        for record in database.records:
            for lookup in record.lookups:
                if lookup.entry is None:
                    continue
                field, argument = lookup.entry.field, lookup.entry.argument
                name = to_camel_case(field)
                if name in entries:
                    raise ValueError(f"{record.where}: another entry is called {name}")
                entries[name] = EntryPoint(database.name, field, argument, record, lookup)
    return entries


def thing_key(value: object) -> str:
    """Return the key of a thing as it is looked up: in Unicode form C, without space around it.

    A key with characters that nobody sees would find nothing where there is something, and one with
    NUL would fail at a source together with all that are asked for beside it.

    Raises GatewayError INVALID_VALUE.
    """
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise GatewayError("INVALID_VALUE", f"a key must have 1 to {_LONGEST} visible characters")
    return text


def keys_of(key: str) -> tuple[str, ...]:
    """Return what to look under: sources compare letter by letter, and write capitals mostly."""
    return tuple(dict.fromkeys((key, key.upper())))
