"""People of the synthetic population as rules see them: rows by list, and numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.codec import decode, encode_text
from connectors.description import Database, Lookup, Record, Row
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from rules.expression import ListRead
from rules.row_program import ConflictFinding, RowProgram

Columns = Mapping[str, object]
Tables = Mapping[tuple[str, str], Sequence[Columns]]
DATABASES = {database.name: database for database in (POPULATION, CIVIL_STATUS, LEGAL_AID, NOTARY)}
#: A finding in a form that can be compared: rule, person, identities of the sides.
ComparedFinding = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class RulePerson:
    """Somebody with the lists that a program reads, in its order."""

    number: str
    numbers: frozenset[str]
    lists: tuple[Sequence[Row], ...]


def numbers_of(tables: Tables) -> dict[str, set[str]]:
    """Return everybody's present number with all that are theirs alone."""
    holders: dict[str, set[str]] = defaultdict(set)
    for row in tables["population", "identity"]:
        holders[str(row["citizen_id"])].add(str(row["citizen_id"]))
    for row in tables.get(("population", "earlier_numbers"), ()):
        holders[str(row["number"])].add(str(row["citizen_id"]))
    numbers: dict[str, set[str]] = defaultdict(set)
    for number, people in holders.items():
        if len(people) == 1:
            numbers[next(iter(people))].add(number)
    return numbers


def people_of(program: RowProgram, tables: Tables) -> Iterator[RulePerson]:
    """Yield everybody in ``tables`` with the rows that the gateway would find for them."""
    indexes = {read: _index(read, tables) for read in program.reads}
    places = {read: place for place, read in enumerate(program.reads)}
    for number, numbers in numbers_of(tables).items():
        lists: list[list[Row]] = []
        for read in program.reads:
            keys: set[str] = numbers
            if read.hung is not None:
                parent, column = read.hung
                place = places[ListRead(read.database, parent)]
                position = program.records[program.reads[place]].positions[column]
                rows = _rows(indexes[program.reads[place]], numbers)
                keys = {str(row[position]) for row in rows}
            lists.append(_rows(indexes[read], keys))
        yield RulePerson(number, frozenset(numbers), tuple(lists))


def findings_of(
    program: RowProgram, tables: Tables, today: date
) -> Iterator[tuple[str, ConflictFinding]]:
    """Yield the findings of everybody, with the number of the person."""
    for person in people_of(program, tables):
        for finding in program.check(person.lists, person.numbers, today):
            yield person.number, finding


def compared(number: str, finding: ConflictFinding) -> ComparedFinding:
    """Return a finding in a form that can be compared."""
    return finding.rule.name, number, finding.record_ids()


def _rows(index: Mapping[str, Sequence[Row]], keys: set[str]) -> list[Row]:
    rows = {id(row): row for key in keys for row in index.get(key, ())}
    return list(rows.values())


def _index(read: ListRead, tables: Tables) -> dict[str, list[Row]]:
    """Return the rows of a list by the keys that find them."""
    database = DATABASES[read.database]
    record, lookup = _lookup(database, read.lookup)
    index: dict[str, list[Row]] = defaultdict(list)
    links = _links(database, lookup, tables)
    for columns in tables.get((database.name, record.name), ()):
        row = _decoded(record, columns)
        if lookup.through is None:
            keys = {str(columns[name]) for name in lookup.by if columns.get(name) is not None}
        else:
            keys = links[str(columns.get(lookup.through[1]))]
        for key in keys:
            index[key].append(row)
    return index


def _lookup(database: Database, name: str) -> tuple[Record, Lookup]:
    return next(
        (record, lookup)
        for record in database.records
        for lookup in record.lookups
        if lookup.name == name
    )


def _links(database: Database, lookup: Lookup, tables: Tables) -> dict[str, set[str]]:
    links: dict[str, set[str]] = defaultdict(set)
    if lookup.through is not None:
        record, column = lookup.through
        for columns in tables.get((database.name, record), ()):
            for name in lookup.by:
                if columns.get(name) is not None:
                    links[str(columns[column])].add(str(columns[name]))
    return links


def _decoded(record: Record, columns: Columns) -> Row:
    return decode(record, [encode_text(columns.get(column.name)) for column in record.columns])
