"""Entry points: root fields that find records by the key of a thing (a registration, a vehicle).

Anyone may ask what is registered on a thing (Decree 99/2022/NĐ-CP Art. 8(6), 50): the scope of an
entry point opens the PUBLIC fields of the records that it finds, and of those below them in the
same database. All other fields, persons' names above all, need scope and purpose.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Lookup, Record
from gateway.errors import GatewayError

#: The GraphQL scalar of keys of things.
KEY_SCALAR = "ThingKey"
_MAX_LENGTH = 100


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
        """Its name among permissions, which no record has."""
        return f"{self.field}:find"

    @property
    def scope(self) -> str:
        """The scope that permits to find things by it."""
        return f"{self.database}.{self.name}"


def entries_of(databases: Iterable[Database]) -> dict[str, EntryPoint]:
    """Return the entry points of ``databases``, by the GraphQL name of their root field.

    Raises ValueError where two have the same name.
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
    """Return a key as it is looked up: in Unicode form C, stripped of white space.

    Raises GatewayError INVALID_VALUE for invisible characters: such a key finds nothing, and NUL
    fails the whole batch at a database.
    """
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if not text or len(text) > _MAX_LENGTH or not text.isprintable():
        raise GatewayError(
            "INVALID_VALUE", f"a key must have 1 to {_MAX_LENGTH} visible characters"
        )
    return text


def keys_of(key: str) -> tuple[str, ...]:
    """Return the keys to look up: databases compare exactly, and mostly store capitals."""
    return tuple(dict.fromkeys((key, key.upper())))
