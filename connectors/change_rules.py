"""The part of a declaration that says which changes of rows are events in people's lives.

``change`` is used in a connector's ``@record(..., changes=[change(...)])``; ``resolve_changes``
turns the marks of all records of a database into ``ChangeRule``. Without a rule there is no event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.description import (
    ChangeRule,
    ChangeTrigger,
    Kind,
    Lookup,
    PeopleRead,
    Record,
    RowTest,
    Sensitivity,
)

CREATED, ENTERED, NUMBERED, KEYED, CHANGED, DELETED = ChangeTrigger
#: A row that counts is there, or names somebody, for the first time.
NEWS = (CREATED, ENTERED, NUMBERED)

_KIND = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_DATES = frozenset({Kind.DATE, Kind.PARTIAL_DATE, Kind.DATETIME})
_NUMBERS = frozenset({Kind.PERSON_NUMBER, Kind.ENTERPRISE_CODE})

#: Column -> its values; None among them: no value.
Tests = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class ChangeMark:
    """A rule as it is declared; see ``change``."""

    kind: str
    lookup: str
    on: tuple[ChangeTrigger, ...]
    date: str | None
    when: tuple[RowTest, ...]
    unless: tuple[RowTest, ...]
    recent: tuple[str, int] | None
    sole: str | None
    repeatable: bool
    ignored: frozenset[str]


def change(
    kind: str,
    lookup: str,
    *,
    on: Sequence[ChangeTrigger] = NEWS,
    date: str | None = None,
    when: Tests | None = None,
    unless: Tests | None = None,
    recent: tuple[str, int] | None = None,
    sole: str | None = None,
    repeatable: bool = True,
    ignored: Sequence[str] = (),
) -> ChangeMark:
    """Declare which change of a row is an event; see ``description.ChangeRule``.

    ``lookup`` names a list of the database, of people: of the record itself, or one that goes
    through it, or one that hangs on a record that people have. Fields are dotted inside structs.
    """
    return ChangeMark(
        kind,
        lookup,
        tuple(on),
        date and _column(date),
        _tests(when or {}),
        _tests(unless or {}),
        recent and (_column(recent[0]), recent[1]),
        sole,
        repeatable,
        frozenset(map(_column, ignored)),
    )


def resolve_changes(
    records: Sequence[Record], marks: Sequence[Sequence[ChangeMark]]
) -> tuple[Record, ...]:
    """Return ``records`` with the rules of their ``marks``.

    Raises ValueError, which begins with file and line, for rules that contradict the declaration.
    """
    return tuple(
        _resolved(records, record, marks_of_record)
        for record, marks_of_record in zip(records, marks, strict=True)
    )


def _resolved(records: Sequence[Record], record: Record, marks: Sequence[ChangeMark]) -> Record:
    if not marks:
        return record
    rules = tuple(_rule(records, record, mark) for mark in marks)
    for rule in rules:
        _check(f"{record.where}: {record.database}.{record.name}: {rule.kind}", record, rule)
    return replace(record, changes=rules)


def _rule(records: Sequence[Record], record: Record, mark: ChangeMark) -> ChangeRule:
    where = f"{record.where}: {record.database}.{record.name}: {mark.kind}"
    shown, lookup = _lookup(where, records, mark.lookup)
    people, read, column = _people(where, records, record, shown, lookup)
    if mark.sole is not None:
        _lookup(where, (record,), mark.sole)
    return ChangeRule(
        mark.kind,
        mark.lookup,
        people,
        read,
        (shown.name, column),
        mark.date,
        frozenset(mark.on),
        mark.when,
        mark.unless,
        mark.recent,
        mark.sole,
        mark.repeatable,
        mark.ignored,
    )


def _people(
    where: str, records: Sequence[Record], record: Record, shown: Record, lookup: Lookup
) -> tuple[tuple[str, ...], PeopleRead | None, str]:
    """Return the columns with people's numbers, what to read for them, and the identity column."""
    if lookup.through is not None and lookup.through[0] == record.name:
        return lookup.by, None, lookup.through[1]
    if shown is not record:
        raise ValueError(f"{where}: the list {lookup.name} is not of this record, nor through it")
    if lookup.on is not None:
        return *_people_of_parent(where, records, lookup), record.identity
    if lookup.through is None:
        return lookup.by, None, record.identity
    holder, link = lookup.through
    return lookup.by, _read(where, records, holder, link, link), record.identity


def _people_of_parent(
    where: str, records: Sequence[Record], lookup: Lookup
) -> tuple[tuple[str, ...], PeopleRead]:
    """Return whose the rows are on which the list hangs."""
    assert lookup.on is not None
    parent_name, column = lookup.on
    first = next(parent for parent in records if parent.name == parent_name).lookups[0]
    holder, link = first.through or (parent_name, column)
    if link != column or len(lookup.by) != 1 or first.on is not None:
        raise ValueError(f"{where}: whose {parent_name} these are takes more than a read")
    return first.by, _read(where, records, holder, column, lookup.by[0])


def _read(where: str, records: Sequence[Record], holder: str, column: str, key: str) -> PeopleRead:
    for record in records:
        for lookup in record.lookups:
            if record.name == holder and lookup.by == (column,) and lookup.through is None:
                return PeopleRead(holder, lookup.name, key)
    raise ValueError(f"{where}: {holder} has no list by {column}, by which to find the people")


def _lookup(where: str, records: Sequence[Record], name: str) -> tuple[Record, Lookup]:
    for record in records:
        for lookup in record.lookups:
            if lookup.name == name and not lookup.hidden and lookup.entry is None:
                return record, lookup
    raise ValueError(f"{where}: there is no list {name} that people have")


def _check(where: str, record: Record, rule: ChangeRule) -> None:
    if _KIND.fullmatch(rule.kind) is None:
        raise ValueError(f"{where} must be called in capitals, like BIRTH")
    if not rule.triggers:
        raise ValueError(f"{where} is on nothing")
    if all(column.sensitivity is Sensitivity.RESTRICTED for column in record.columns):
        # That such a row exists may be concealed by law (adoptions, wills).
        raise ValueError(f"{where}: every field is RESTRICTED, so an event would give the row away")
    _check_columns(where, record, rule)
    for test in (*rule.when, *rule.unless):
        _check_test(where, record, test)


def _check_columns(where: str, record: Record, rule: ChangeRule) -> None:
    in_row = rule.people if rule.read is None else (rule.read.key,)
    tested = (test.column for test in (*rule.when, *rule.unless))
    for name in (*in_row, *_dates(rule), *tested, *rule.ignored):
        if name not in record.positions or record.column(name).field.many:
            raise ValueError(f"{where}: there is no single field {name}")
    for name in _dates(rule):
        column = record.column(name)
        if column.field.kind not in _DATES or column.sensitivity is Sensitivity.RESTRICTED:
            raise ValueError(f"{where}: {name} is no date, or RESTRICTED")
    if rule.read is None and any(
        record.column(name).field.kind not in _NUMBERS for name in rule.people
    ):
        raise ValueError(f"{where}: the list {rule.lookup} is not of people")


def _dates(rule: ChangeRule) -> Iterator[str]:
    if rule.date is not None:
        yield rule.date
    if rule.recent is not None:
        yield rule.recent[0]


def _check_test(where: str, record: Record, test: RowTest) -> None:
    """Refuse codes that the field does not have: such a test would never be true."""
    codes = record.column(test.column).field.enumeration
    if codes is None:
        return
    for value in test.values - {None}:
        if value not in codes.__members__:
            raise ValueError(f"{where}: {test.column} is never {value}")


def _tests(tests: Tests) -> tuple[RowTest, ...]:
    return tuple(RowTest(_column(name), frozenset(values)) for name, values in tests.items())


def _column(name: str) -> str:
    return name.replace(".", "_")
