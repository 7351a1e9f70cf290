"""Which cases may be checked, and of whom not: "not read" is not "there is none".

A case that rests on "there is no such row" (``Case.complete_reads``), or on a number being nobody
else's, is not checked for whoever a row may be missing of; nor for anybody where that cannot be
told. Every other case finds what is in the rows that are there. Both are counted as unchecked, as
``Person.conflicts`` counts them. Whose number each is must be known wholly: otherwise a row would
be taken for somebody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.description import Record
from reconcile.engines.engine import UncheckedReason
from reconcile.engines.records import (
    EARLIER_NUMBERS,
    IDENTITY,
    ExtractState,
    ReadRecords,
    columns_of_lists,
    faults_of,
    is_faulty,
    read_records,
    rows_of,
    unplaced_faults,
)
from rules.expression import (
    Condition,
    Conjunction,
    Disjunction,
    ListRead,
    NoRow,
    PersonCheck,
)
from rules.rule import Case, ConflictRule
from rules.statements import PreparedTable, RuleStatements

#: The table of whose rows may be missing: person, and the name of the table of the list.
INCOMPLETE_PEOPLE = "incomplete_people"
NUMBERS = "person_numbers"
#: Numbers that somebody holds; what is under others is in tables of their own, by number.
KNOWN_NUMBERS = "known_numbers"
_OF_UNKNOWN_NUMBERS = "_of_unknown_numbers"
_CITIZEN = frozenset({"citizen_id"})
_NUMBER = frozenset({"number"})
_EARLIER_KEYS = _CITIZEN | _NUMBER


@dataclass(frozen=True, slots=True)
class CasePlan:
    """How a case is run.

    ``runs``: whether it is. ``shortfall``: why it is not checked of everybody, None where it is.
    ``lists``: names of the tables on whose incompleteness it is unchecked for a person; of those
    whose incompleteness keeps it from being run for them are ``rests_on``.
    """

    runs: bool
    shortfall: UncheckedReason | None
    lists: frozenset[str]
    rests_on: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExtractStates:
    """What is known of the extracts: their states, and in which there are unplaced faults.

    ``unplaced``: names of tables of lists (and of numbers) of which a row may be missing of
    anybody.
    """

    states: Mapping[Record, ExtractState]
    unplaced: frozenset[str]


def list_name(read: ListRead) -> str:
    """Return the name of the table of a list."""
    return f"{read.database}_{read.lookup}_list"


def is_available(table: PreparedTable, states: Mapping[Record, ExtractState]) -> bool:
    """Say whether a list, or the numbers, can be made: all that it is made of was extracted."""
    records = (IDENTITY, EARLIER_NUMBERS) if table.read is None else _records(table.read)
    return all(states[record] is not ExtractState.ABSENT for record in records)


def case_plans(statements: RuleStatements, extracts: ExtractStates) -> tuple[CasePlan, ...]:
    """Return how each case is run, in their order."""
    return tuple(_plan(item.rule, item.case, extracts) for item in statements.cases)


def _plan(rule: ConflictRule, case: Case, extracts: ExtractStates) -> CasePlan:
    lists, rests_on = names = _tables_of_case(rule, case)
    numbers = {extracts.states[IDENTITY], extracts.states[EARLIER_NUMBERS]}
    states = numbers | {extracts.states[record] for read in case.reads for record in _records(read)}
    if ExtractState.ABSENT in states:
        return CasePlan(False, UncheckedReason.NOT_EXTRACTED, *names)
    if ExtractState.INCOMPLETE in states:
        needed = numbers | {
            extracts.states[record] for read in case.complete_reads for record in _records(read)
        }
        return CasePlan(ExtractState.INCOMPLETE not in needed, UncheckedReason.INCOMPLETE, *names)
    if extracts.unplaced & lists:
        return CasePlan(not extracts.unplaced & rests_on, UncheckedReason.UNREADABLE, *names)
    return CasePlan(True, None, *names)


def _tables_of_case(rule: ConflictRule, case: Case) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tables that a case reads, and those on whose completeness it rests."""
    if rule.is_of_numbers:
        rows = {f"{list_name(row.read)}{_OF_UNKNOWN_NUMBERS}" for row in case.rows}
        return frozenset({*rows, KNOWN_NUMBERS}), frozenset({KNOWN_NUMBERS})
    rests_on = {name for read in case.complete_reads for name in _tables(read)}
    if rests_on or _says_somebody_else(case.where):
        rests_on.add(NUMBERS)
    lists = {name for read in case.reads for name in _tables(read)}
    return frozenset({*lists, NUMBERS}), frozenset(rests_on)


def _tables(read: ListRead) -> tuple[str, ...]:
    parent = read_records(read).parent
    return (list_name(read),) if parent is None else (list_name(read), list_name(parent))


def _records(read: ListRead) -> Iterator[Record]:
    records = read_records(read)
    yield records.record
    if records.link is not None:
        yield records.link
    if records.parent is not None:
        yield from _records(records.parent)


def _says_somebody_else(item: Condition) -> bool:
    match item:
        case PersonCheck(same=same):
            return not same
        case Conjunction(parts) | Disjunction(parts):
            return any(map(_says_somebody_else, parts))
        case NoRow(where=where):
            return _says_somebody_else(where)
        case _:
            return False


def unplaced_statements(statements: RuleStatements) -> Iterator[tuple[str, Record, sa.Select[Any]]]:
    """Yield for each list what counts its unplaced faults in a record; or two: of its link."""
    columns = columns_of_lists(statements)
    yield NUMBERS, EARLIER_NUMBERS, unplaced_faults(EARLIER_NUMBERS, _EARLIER_KEYS, _CITIZEN)
    yield NUMBERS, IDENTITY, unplaced_faults(IDENTITY, _CITIZEN, _CITIZEN)
    # A number that seems to be nobody's may be the one that could not be read.
    yield KNOWN_NUMBERS, EARLIER_NUMBERS, unplaced_faults(EARLIER_NUMBERS, _NUMBER, _NUMBER)
    yield KNOWN_NUMBERS, IDENTITY, unplaced_faults(IDENTITY, _CITIZEN, _CITIZEN)
    for table in statements.preparation:
        if table.read is None:
            continue
        records = read_records(table.read)
        for record in filter(None, (records.record, records.link)):
            counted = unplaced_faults(record, columns[record], records.keys(record))
            yield table.name, record, counted


def incomplete_people(
    statements: RuleStatements, faulty: frozenset[Record], available: frozenset[str]
) -> Any:
    """Return the statement of the table ``INCOMPLETE_PEOPLE``.

    ``faulty``: the records that have faults; the others need no look. ``available``: names of the
    tables that were made.
    """
    columns = columns_of_lists(statements)
    parts: list[sa.Select[Any]] = []
    if EARLIER_NUMBERS in faulty:
        parts.append(_under_numbers(NUMBERS, EARLIER_NUMBERS, "citizen_id", _EARLIER_KEYS))
    for table in statements.preparation:
        if table.read is None or table.name not in available:
            continue
        records = read_records(table.read)
        if table.name.endswith(_OF_UNKNOWN_NUMBERS):
            parts += [
                _unknown_numbers(table.name, record, columns[record])
                for record in (records.record, records.link)
                if record is not None and record in faulty
            ]
            continue
        if records.record in faulty:
            parts += _of_record(table.name, records, columns[records.record])
        if records.link is not None and records.link in faulty:
            parts += [
                _under_numbers(table.name, records.link, name, columns[records.link])
                for name in records.lookup.by
            ]
    if not parts:
        nobody = _numbers()
        return sa.select(nobody.c.person, sa.literal("", sa.Text()).label("list")).where(
            sa.literal_column("1 = 0")
        )
    return parts[0].distinct() if len(parts) == 1 else sa.union(*parts)


def _of_record(
    table: str, records: ReadRecords, columns: frozenset[str]
) -> Iterator[sa.Select[Any]]:
    """Yield what finds the people in whose list a row with a fault would be."""
    record, by = records.record, records.lookup.by
    if records.parent is not None:
        assert records.read.hung is not None
        column = records.read.hung[1]
        parent = sa.table(list_name(records.parent), *map(sa.column, ("person", column)))
        raw = rows_of(record, "raw")
        yield (
            _people(table, parent.c.person)
            .select_from(parent.join(raw, raw.c[by[0]] == parent.c[column]))
            .where(is_faulty(raw, record, columns))
        )
        return
    if records.link is not None:
        assert records.lookup.through is not None
        column = records.lookup.through[1]
        numbers, raw, link = _numbers(), rows_of(record, "raw"), rows_of(records.link, "raw")
        for name in by:
            yield (
                _people(table, numbers.c.person)
                .select_from(
                    numbers.join(link, link.c[name] == numbers.c.number).join(
                        raw, raw.c[column] == link.c[column]
                    )
                )
                .where(is_faulty(raw, record, columns))
            )
        return
    for name in by:
        yield _under_numbers(table, record, name, columns)
    numbers, faults = _numbers(), faults_of(record)
    yield (
        _people(table, numbers.c.person)
        .select_from(numbers.join(faults, faults.c.number == numbers.c.number))
        .where(faults.c.column.in_(sorted(columns)))
    )


def _under_numbers(
    table: str, record: Record, column: str, columns: frozenset[str]
) -> sa.Select[Any]:
    """Return what finds the people whose number stands in ``column`` of a row with a fault."""
    numbers, raw = _numbers(), rows_of(record, "raw")
    return (
        _people(table, numbers.c.person)
        .select_from(numbers.join(raw, raw.c[column] == numbers.c.number))
        .where(is_faulty(raw, record, columns))
    )


def _unknown_numbers(table: str, record: Record, columns: frozenset[str]) -> sa.Select[Any]:
    """Return what finds the numbers of nobody that are in rows with a fault."""
    faults = faults_of(record)
    known_numbers = sa.table(KNOWN_NUMBERS, sa.column("number", sa.Text()))
    return _people(table, faults.c.number).where(
        faults.c.number.is_not(None),
        faults.c.column.in_(sorted(columns)),
        ~sa.exists().where(known_numbers.c.number == faults.c.number),
    )


def _people(table: str, person: Any) -> sa.Select[Any]:
    return sa.select(person.label("person"), sa.literal(table, sa.Text()).label("list"))


def _numbers() -> sa.TableClause:
    return sa.table(NUMBERS, sa.column("number", sa.Text()), sa.column("person", sa.Text()))


def checkable(case: sa.Subquery, plan: CasePlan) -> sa.ColumnElement[bool] | None:
    """Return the condition that a case may be checked of a person; None: of everybody."""
    if not plan.rests_on:
        return None
    incomplete = _incomplete_table()
    return ~sa.exists().where(
        incomplete.c.person == case.c.person, incomplete.c.list.in_(sorted(plan.rests_on))
    )


def unchecked_people(lists: Collection[str]) -> sa.Select[Any]:
    """Return the statement that counts the people of whom a row of these lists may be missing."""
    incomplete = _incomplete_table()
    return sa.select(sa.func.count(sa.distinct(incomplete.c.person))).where(
        incomplete.c.list.in_(sorted(lists))
    )


def _incomplete_table() -> sa.TableClause:
    return sa.table(INCOMPLETE_PEOPLE, sa.column("person", sa.Text()), sa.column("list", sa.Text()))
