"""The rows that the files of a synthetic population hold about a number, without the gateway.

It counts the rows under every number that may be a person's, whoever else holds it too: a list must
not say "none" as long as there may be any. Protection hides rows for good, so its rules apply.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from connectors.codec import Unreadable, decode
from connectors.description import Database, Lookup, Record, Row
from gateway.access.caller import Caller
from gateway.catalogue.sections import person_lists
from gateway.protection.rules import visible_rows

#: Database and list, as the schema names them.
ListName = tuple[str, str]


@dataclass(frozen=True)
class KnownRows:
    """``counts``: list and number -> rows. ``citizens``: those with an identity.

    ``holders``: earlier number -> who has it; ``earlier``: the other way round.
    """

    counts: Mapping[ListName, Counter[str]]
    citizens: frozenset[str]
    holders: Mapping[str, frozenset[str]]
    earlier: Mapping[str, frozenset[str]]

    def people(self, number: str) -> frozenset[str]:
        """Return those whose present or earlier number it is."""
        own_number = {number} if number in self.citizens else set()
        return self.holders.get(number, frozenset()) | own_number

    def is_plain(self, number: str) -> bool:
        """Say whether the number is one identified person's, and all their numbers theirs alone."""
        people = self.people(number)
        return len(people) == 1 and all(
            len(self.people(other)) == 1 for (person,) in [people] for other in self._all(person)
        )

    def count(self, name: ListName, number: str) -> int:
        """Return how many rows of a list stand under any number of whoever holds ``number``."""
        numbers = {number}.union(*(self._all(person) for person in self.people(number)))
        return sum(self.counts[name][other] for other in numbers)

    def _all(self, person: str) -> frozenset[str]:
        return self.earlier.get(person, frozenset()) | {person}


def read_known_rows(
    databases: Iterable[Database], files: Mapping[str, Path], caller: Caller
) -> KnownRows:
    """Read everything that the ``files`` hold, as ``caller`` may see it."""
    counts: dict[ListName, Counter[str]] = {}
    for database in databases:
        with closing(sqlite3.connect(files[database.name])) as connection:
            for name, (record, lookup) in person_lists(database).items():
                counts[database.name, name] = _count(connection, database, record, lookup, caller)
    with closing(sqlite3.connect(files["population"])) as connection:
        citizens = {number for (number,) in connection.execute("SELECT citizen_id FROM identity")}
        pairs = list(connection.execute("SELECT number, citizen_id FROM earlier_numbers"))
    holders, earlier = defaultdict(set), defaultdict(set)
    for number, citizen in pairs:
        holders[number].add(citizen)
        earlier[citizen].add(number)
    return KnownRows(counts, frozenset(citizens), _frozen(holders), _frozen(earlier))


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(values) for key, values in sets.items()}


def _count(
    connection: sqlite3.Connection,
    database: Database,
    record: Record,
    lookup: Lookup,
    caller: Caller,
) -> Counter[str]:
    rows = visible_rows(record, tuple(_rows(connection, record)), caller)
    if lookup.through is None:
        return Counter(number for row in rows for number in _values(record, row, lookup.by))
    other, column = database.by_name[lookup.through[0]], lookup.through[1]
    numbers: dict[str, set[str]] = defaultdict(set)
    for link in _rows(connection, other):
        for key in _values(other, link, (column,)):
            numbers[key] |= _values(other, link, lookup.by)
    return Counter(
        number for row in rows for key in _values(record, row, (column,)) for number in numbers[key]
    )


def _rows(connection: sqlite3.Connection, record: Record) -> Iterator[Row]:
    columns = ", ".join(f'"{column.name}"' for column in record.columns)
    for raw in connection.execute(f'SELECT {columns} FROM "{record.table}"'):
        try:
            yield decode(record, raw)
        except Unreadable:
            continue


def _values(record: Record, row: Row, columns: Iterable[str]) -> set[str]:
    values = (row[record.positions[column]] for column in columns)
    return {str(value) for value in values if value is not None}
