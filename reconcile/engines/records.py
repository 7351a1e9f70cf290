"""The records that a run reads, under the names that the statements know, and their faults.

For each record an engine gives two relations from the extract: ``<database>.<record>_raw``, its
rows, and ``<database>.<record>_faults``, the rows that could not be read (column, identity,
number). What the rules read is ``<database>.<record>``: the rows without a fault. A row with a
fault has no value where there is one, so a rule would take it for "not recorded".
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from connectors.description import Lookup, Record
from connectors.population import DATABASE as POPULATION
from reconcile.manifest import Manifest
from rules.expression import DATABASES, ListRead, any_row
from rules.statements import RuleStatements

IDENTITY = POPULATION.by_name["identity"]
EARLIER_NUMBERS = POPULATION.by_name["earlier_numbers"]
RESIDENCES = POPULATION.by_name["residences"]
PROTECTION_ORDERS = POPULATION.by_name["protection_orders"]
#: Columns of the records that rules do not read, for places.
PLACE_COLUMNS: Mapping[Record, tuple[str, ...]] = {
    RESIDENCES: (
        *("entry_id", "citizen_id", "kind", "valid_from", "valid_until"),
        *("address_province_code", "address_as_recorded", "address_as_of"),
    ),
    PROTECTION_ORDERS: ("order_no", "citizen_id", "valid_from", "valid_until"),
}


class ExtractState(enum.Enum):
    """How much of a record was extracted."""

    WHOLE = "whole"
    INCOMPLETE = "incomplete"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """What a list is made of.

    ``lookup``: of ``record``. ``link``: the record between the person's numbers and the list.
    ``parent``: the list under whose values this one is.
    """

    read: ListRead
    record: Record
    lookup: Lookup
    link: Record | None
    parent: ListRead | None

    def keys(self, record: Record) -> frozenset[str]:
        """Return the columns of a record that lead to whose list a row is in.

        Of a link they are the numbers: with them it can be told of whom a row may be missing.
        """
        through = self.lookup.through
        if through is not None and record is self.record:
            return frozenset({through[1]})
        return frozenset(self.lookup.by)


@cache
def read_records(read: ListRead) -> ReadRecords:
    """Return what a list is made of."""
    record = any_row(read.database, read.lookup).record
    lookup = next(lookup for lookup in record.lookups if lookup.name == read.lookup)
    through = lookup.through
    link = None if through is None else DATABASES[read.database].by_name[through[0]]
    parent = None if read.hung is None else ListRead(read.database, read.hung[0])
    return ReadRecords(read, record, lookup, link, parent)


def columns_of_lists(statements: RuleStatements) -> Mapping[Record, frozenset[str]]:
    """Return the columns whose faults matter to rules, by record: what cases read, and keys."""
    columns: dict[Record, set[str]] = defaultdict(set)
    for item in statements.cases:
        for read, name in item.case.columns_read():
            columns[read_records(read).record].add(name)
    for table in statements.preparation:
        if table.read is None:
            continue
        records = read_records(table.read)
        columns[records.record] |= {*records.keys(records.record), records.record.identity}
        if records.link is not None and records.lookup.through is not None:
            columns[records.link] |= {*records.keys(records.link), records.lookup.through[1]}
        if table.read.hung is not None and records.parent is not None:
            columns[read_records(records.parent).record].add(table.read.hung[1])
    columns[IDENTITY].add("citizen_id")
    columns[EARLIER_NUMBERS] |= {"number", "citizen_id"}
    return {record: frozenset(names) for record, names in columns.items()}


def extract_state(manifest: Manifest, record: Record) -> ExtractState:
    """Return how much of a record a run has extracted."""
    progress = manifest.extracts.get(f"{record.database}.{record.name}")
    if record.database not in manifest.databases or progress is None:
        return ExtractState.ABSENT
    if progress.complete and progress.failure is None:
        return ExtractState.WHOLE
    return ExtractState.INCOMPLETE if progress.parts else ExtractState.ABSENT


def rows_of(record: Record, kind: str = "") -> sa.TableClause:
    """Return a relation of a record: ``""`` its readable rows, ``raw`` all."""
    return sa.table(
        f"{record.table}_{kind}" if kind else record.table,
        *(sa.column(column.name, sa.Text()) for column in record.columns),
        schema=record.database,
    )


def faults_of(record: Record) -> sa.TableClause:
    """Return the relation of the rows of a record that could not be read."""
    names = ("column", "identity", "number")
    return sa.table(
        f"{record.table}_faults",
        *(sa.column(name, sa.Text()) for name in names),
        schema=record.database,
    )


def readable_rows(
    record: Record, faults_that_count: frozenset[str], extracted: frozenset[str]
) -> sa.Select[Any]:
    """Return the statement of the rows without a fault in these columns.

    ``extracted``: the columns that the extract has.
    """
    raw = rows_of(record, "raw")
    shown = [column for column in raw.c if column.name in extracted]
    return sa.select(*shown).where(
        raw.c[record.identity].is_not(None), ~is_faulty(raw, record, faults_that_count)
    )


def is_faulty(raw: Any, record: Record, columns: frozenset[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a row of ``raw`` has a fault in one of ``columns``."""
    faults = faults_of(record)
    return sa.exists().where(faults.c.identity == raw.c[record.identity], _among(faults, columns))


def unplaced_faults(
    record: Record, columns: frozenset[str], keys: frozenset[str]
) -> sa.Select[Any]:
    """Return the statement that counts the faults of which it cannot be told whom they concern.

    That is so where a column that holds the key of a list is at fault, and where the row is not in
    the extract and has no number. A row that never had a number is in nobody's list.
    """
    raw, faults = rows_of(record, "raw"), faults_of(record)
    row = sa.exists().where(raw.c[record.identity] == faults.c.identity)
    return (
        sa.select(sa.func.count())
        .select_from(faults)
        .where(
            _among(faults, columns),
            sa.or_(faults.c.column.in_(sorted(keys)), sa.and_(faults.c.number.is_(None), ~row)),
        )
    )


def _among(faults: sa.TableClause, columns: frozenset[str]) -> sa.ColumnElement[bool]:
    return faults.c.column.in_(sorted(columns))
