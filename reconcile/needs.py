"""Which columns of which records a run reads: nothing else is extracted.

The needs of the rules and of the numbers are here; other parts of a run state theirs as mappings of
the same form, and ``merge_needs`` joins them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.description import Database, Kind, Lookup, Record, Sensitivity
from connectors.population import DATABASE as POPULATION
from rules.expression import ListRead, forms_of
from rules.row_program import RuleLists
from rules.rule import ConflictRule
from rules.statements import REGISTRATION_DATE, registered_sides

#: Database and record -> names of columns, in the order of the record; its identity among them.
ColumnNeeds = Mapping[tuple[str, str], tuple[str, ...]]

_Named = tuple[str, str, str]


#: Records that no run may read: that somebody is in them is a secret in itself.
NEVER_EXTRACTED = frozenset({("civil_status", "adoptions"), ("notary", "wills")})


def number_columns(record: Record) -> tuple[str, ...]:
    """Return the columns of ``record`` that hold numbers of people, also lists of them."""
    return tuple(
        column.name for column in record.columns if column.field.kind is Kind.PERSON_NUMBER
    )


def number_needs(databases: Sequence[Database]) -> ColumnNeeds:
    """Return the columns that hold numbers of people, of all records that may be counted.

    Not of records where all that says whom they are about is restricted, such as orders that
    protect an address: they are read only where a part of a run needs them by name.
    """
    return {
        (database.name, record.name): (record.identity, *number_columns(record))
        for database in databases
        for record in database.records
        if _may_be_counted(record)
    }


def rule_needs(databases: Sequence[Database], rules: Sequence[ConflictRule]) -> ColumnNeeds:
    """Return what ``rules.statements.rule_statements`` reads of ``databases``.

    The dates of registration, by which findings are counted, are among it.
    """
    by_name = {database.name: database for database in databases}
    needs: dict[tuple[str, str], list[str]] = {}
    for database, record, column in _rule_columns(rules):
        if database in by_name:
            needs.setdefault((database, record), []).append(column)
    return {key: tuple(names) for key, names in needs.items()}


def merge_needs(databases: Sequence[Database], *needs: ColumnNeeds) -> ColumnNeeds:
    """Join needs, and add the identity of each record.

    What is of other databases than ``databases`` is left out. Raises ValueError for a record of
    ``NEVER_EXTRACTED``, KeyError for a record or column that is not declared.
    """
    merged: dict[tuple[str, str], tuple[str, ...]] = {}
    for database in databases:
        names_of: dict[str, set[str]] = {}
        for part in needs:
            for (of, name), columns in part.items():
                if of == database.name:
                    names_of.setdefault(name, set()).update(columns)
        for name in sorted(names_of):
            merged[database.name, name] = _ordered(database.by_name[name], names_of[name])
    return merged


def _may_be_counted(record: Record) -> bool:
    numbers = [record.column(name) for name in number_columns(record)]
    return any(column.sensitivity < Sensitivity.RESTRICTED for column in numbers)


def _ordered(record: Record, names: set[str]) -> tuple[str, ...]:
    if (record.database, record.name) in NEVER_EXTRACTED:
        raise ValueError(f"{record.database}.{record.name} is not to be extracted")
    places = {record.positions[name] for name in {record.identity, *names}}
    return tuple(record.columns[place].name for place in sorted(places))


def run_needs(
    databases: Sequence[Database], rules: Sequence[ConflictRule], *more: ColumnNeeds
) -> ColumnNeeds:
    """Return what a run over ``databases`` reads: for the rules, the numbers, and ``more``."""
    return merge_needs(databases, rule_needs(databases, rules), number_needs(databases), *more)


def _rule_columns(rules: Sequence[ConflictRule]) -> Iterator[_Named]:
    """Yield database, record and column of all that the statements of ``rules`` read."""
    for name, column in (
        ("identity", "citizen_id"),
        ("earlier_numbers", "number"),
        ("earlier_numbers", "citizen_id"),
    ):
        yield POPULATION.name, name, column
    lists = RuleLists(rules)
    for read in lists.reads:
        yield from _list_columns(read, lists.records[read], lists)
    for _, case in lists.cases:
        for read, column in case.columns_read():
            yield read.database, lists.records[read].name, column
        for side in registered_sides(case):
            yield side.row.read.database, side.row.record.name, REGISTRATION_DATE
        for item in forms_of(case.where):
            read = item.column.row.read
            yield read.database, lists.records[read].name, item.column.name


def _list_columns(read: ListRead, record: Record, lists: RuleLists) -> Iterator[_Named]:
    """Yield what leads to the rows of a list."""
    lookup: Lookup = next(item for item in record.lookups if item.name == read.lookup)
    yield read.database, record.name, record.identity
    if read.hung is not None:
        parent, column = read.hung
        yield read.database, lists.records[ListRead(read.database, parent)].name, column
        yield read.database, record.name, lookup.by[0]
        return
    if lookup.through is None:
        for name in lookup.by:
            yield read.database, record.name, name
        return
    link, column = lookup.through
    yield read.database, record.name, column
    for name in (column, *lookup.by):
        yield read.database, link, name
