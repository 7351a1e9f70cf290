"""A person with a value in every column of every record, and documents that select all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from strawberry.utils.str_converters import to_camel_case

from connectors.backends.memory import MemoryBackend
from connectors.description import Column, Database, Field, Kind, Lookup, Record
from gateway.catalogue.entry_points import EntryPoint, entries_of
from gateway.catalogue.organisations import organisation_lists

PERSON, OTHER = "001090012345", "079190000001"
#: The enterprise code of every party.
CODE = "0100109106"
#: The value of every column by which records lead to one another.
KEY = "K-1"
_DEPTH = 2

_VALUES: dict[Kind, object] = {
    Kind.INTEGER: 7,
    Kind.BOOLEAN: True,
    Kind.DECIMAL: "1500000",
    Kind.DATE: "2015-06-15",
    Kind.PARTIAL_DATE: "1990-01-02",
    Kind.DATETIME: "2015-06-15T00:00:00+07:00",
    Kind.ENTERPRISE_CODE: CODE,
}
#: Codes that no rule hides; of other enumerations the first.
_CODES = {"event_type": "BIRTH", "kind": "SALE", "status": "VALID", "life_status": "ALIVE"}
#: A notice that was taken down is shown to nobody; a number of two people opens nobody.
_FIXED: dict[tuple[str, str], object] = {
    ("public_notices", "removed_on"): None,
    ("earlier_numbers", "number"): "012345678",
}


@dataclass(frozen=True)
class Leaf:
    """One leaf that a document asks for. ``place``: response keys and "[]" down from the list."""

    record: Record
    column: Column
    place: tuple[str, ...]


@dataclass(frozen=True)
class SelectedList:
    """A list with all that it leads to. ``above``: the records on the way to each leaf's list."""

    database: Database
    record: Record
    lookup: Lookup
    selection: str
    leaves: tuple[tuple[tuple[Record, ...], Leaf], ...]


def backends(databases: tuple[Database, ...]) -> dict[str, MemoryBackend]:
    """Return memory backends in which PERSON has one row of every record."""
    return {
        database.name: MemoryBackend(
            database, {record.name: [raw_row(database, record)] for record in database.records}
        )
        for database in databases
    }


def sentinel(record: Record, column: Column) -> str:
    """Return the text that stands in ``column`` and nowhere else."""
    return f"«{record.database}.{record.name}.{column.name}»"


def raw_row(database: Database, record: Record) -> dict[str, object]:
    """Return the row of PERSON as a source holds it, by column, in the order of the columns."""
    joins, persons = _joins(database, record), _persons(record)
    return {column.name: _value(record, column, joins, persons) for column in record.columns}


def _value(record: Record, column: Column, joins: set[str], persons: set[str]) -> object:
    fixed = (record.name, column.name)
    if fixed in _FIXED:
        return _FIXED[fixed]
    if column.field.many:
        return [_single_value(record, column)]
    if column.field.kind is Kind.PERSON_NUMBER:
        return PERSON if column.name in persons else OTHER
    return KEY if column.name in joins else _single_value(record, column)


def _single_value(record: Record, column: Column) -> object:
    enumeration = column.field.enumeration
    if enumeration is not None:
        names = list(enumeration.__members__)
        code = _CODES.get(column.name, names[0])
        return code if code in names else names[0]
    if column.field.kind is Kind.STRING:
        return sentinel(record, column)
    return OTHER if column.field.kind is Kind.PERSON_NUMBER else _VALUES[column.field.kind]


def _persons(record: Record) -> set[str]:
    """Return the columns by which a person's rows are found; of several the first."""
    searched = {lookup.by[0] for lookup in record.lookups}
    numbers = {column.name for column in record.columns if column.field.kind is Kind.PERSON_NUMBER}
    through = {"party_citizen_id", "owner_citizen_id"}  # records that lead to others
    return (searched | through) & numbers


def _joins(database: Database, record: Record) -> set[str]:
    joins: set[str] = set()
    for other in database.records:
        for lookup in other.lookups:
            if lookup.organisation is not None:
                continue  # found by CODE
            if lookup.on is not None and lookup.on[0] == record.name:
                joins.add(lookup.on[1])
            if lookup.through is not None and lookup.through[0] == record.name:
                joins |= {lookup.through[1], *lookup.by}
            if other is record and (lookup.on is not None or lookup.through is not None):
                joins |= {*lookup.by, *(lookup.through or ("", ""))[1:]}
    codes = {Kind.PERSON_NUMBER, Kind.ENTERPRISE_CODE}
    return joins - {column.name for column in record.columns if column.field.kind in codes}


def lists(databases: tuple[Database, ...]) -> Iterator[SelectedList]:
    """Yield every list of a person, with everything that can be selected below it."""
    for database in databases:
        for record in database.records:
            for lookup in record.lookups:
                if lookup.on is None and lookup.entry is None and not lookup.hidden:
                    leaves: list[tuple[tuple[Record, ...], Leaf]] = []
                    text = _list(database, record, lookup, (), (), leaves)
                    yield SelectedList(database, record, lookup, text, tuple(leaves))


def entries(databases: tuple[Database, ...]) -> Iterator[tuple[EntryPoint, SelectedList]]:
    """Yield every entry, with everything that can be selected below it, under the key there is."""
    declared = {declaration.name: declaration for declaration in databases}
    for name, entry in entries_of(databases).items():
        database, record = declared[entry.database], entry.record
        leaves: list[tuple[tuple[Record, ...], Leaf]] = []
        lookup = replace(entry.lookup, name=entry.field)
        text = _list(database, record, lookup, (), (), leaves)
        key = raw_row(database, record)[entry.lookup.by[0]]
        field = f'{name}({to_camel_case(entry.argument)}: "{key}")'
        yield (
            entry,
            SelectedList(database, record, lookup, field + text.removeprefix(name), tuple(leaves)),
        )


def organisation_tables(databases: tuple[Database, ...]) -> Iterator[SelectedList]:
    """Yield every list of the organisation CODE, with everything that can be selected below it."""
    for database in databases:
        for record, lookup in organisation_lists(database).values():
            assert lookup.organisation is not None
            leaves: list[tuple[tuple[Record, ...], Leaf]] = []
            named = replace(lookup, name=lookup.organisation)
            text = _list(database, record, named, (), (), leaves)
            yield SelectedList(database, record, named, text, tuple(leaves))


def _list(
    database: Database,
    record: Record,
    lookup: Lookup,
    above: tuple[Record, ...],
    place: tuple[str, ...],
    leaves: list[tuple[tuple[Record, ...], Leaf]],
) -> str:
    holder = "item" if record.single else "items"
    path = (*place, to_camel_case(lookup.name), holder, *(() if record.single else ("[]",)))
    columns = {column.path: column for column in record.columns}
    through = (*above, record)
    parts = [_fields(record, record.fields, (), path, columns, through, leaves)]
    if len(through) <= _DEPTH:
        parts += [
            _list(database, child, child_lookup, through, path, leaves)
            for child in database.records
            for child_lookup in child.lookups
            if child_lookup.on is not None and child_lookup.on[0] == record.name
        ]
    name = to_camel_case(lookup.name)
    return f"{name} {{ {holder} {{ {' '.join(parts)} }} source {{ state }} }}"


def _fields(
    record: Record,
    fields: tuple[Field, ...],
    path: tuple[str, ...],
    place: tuple[str, ...],
    columns: Mapping[tuple[str, ...], Column],
    through: tuple[Record, ...],
    leaves: list[tuple[tuple[Record, ...], Leaf]],
) -> str:
    parts = []
    for field in fields:
        name, below = to_camel_case(field.name), (*path, field.name)
        if field.struct is not None:
            inner = _fields(
                record, field.struct.fields, below, (*place, name), columns, through, leaves
            )
            parts.append(f"{name} {{ {inner} }}")
            continue
        parts.append(name)
        leaves.append((through, Leaf(record, columns[below], (*place, name))))
        if field.person is not None:
            parts.append(f"{to_camel_case(field.person)} {{ id }}")
            people = ("[]",) if field.many else ()
            person_path = (*place, to_camel_case(field.person), *people, "id")
            leaves.append((through, Leaf(record, columns[below], person_path)))
    return " ".join(parts)


def value_at(answer: object, place: tuple[str, ...]) -> object:
    """Return what stands at ``place``; None where something above it is null or a list is empty."""
    for step in place:
        if answer is None:
            return None
        if step == "[]":
            assert isinstance(answer, list)
            answer = answer[0] if answer else None
        else:
            assert isinstance(answer, dict)
            answer = answer[step]
    return answer
