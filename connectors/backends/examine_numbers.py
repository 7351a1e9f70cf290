"""Examines every number of a person in a table: which are missing, and which no lookup finds.

For ``justice-gateway doctor``. Findings hold names of columns and counts, never values.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import sqlalchemy as sa

from connectors.backends.base import Finding, SourceUnavailable
from connectors.backends.findings import table_name
from connectors.backends.number_spellings import normalise_number, spellings
from connectors.backends.record_maps import StoredTable
from connectors.backends.session import Session
from connectors.backends.statement import Idiom
from connectors.description import Kind

#: Seconds for all tables of a database together.
SECONDS = 30.0
#: Odd numbers of a column that are read, to check whether a spelling finds them.
_ODD = 1_000
_LOST = (8, 10, 11)
_WHOLE = (9, 12)


async def examine_numbers(
    session: Session, idiom: Idiom, tables: Sequence[StoredTable], seconds: float = SECONDS
) -> list[Finding]:
    """Count the numbers in ``tables`` that are not written as 12 or 9 digits.

    Reads each table whole, once, and a second time where numbers are odd. What exceeds ``seconds``
    is a finding too. Raises SourceUnavailable.
    """
    until = time.perf_counter() + seconds
    findings: list[Finding] = []
    for stored in tables:
        columns = [
            name
            for name in stored.columns
            if stored.record.column(name).field.kind is Kind.PERSON_NUMBER
            and not stored.record.column(name).field.many
        ]
        try:
            findings += await _look(session, idiom, stored, columns, until) if columns else ()
        except SourceUnavailable as error:
            text = f"numbers in {table_name(stored)} were not looked through: {error}"
            advice = "have its owner count those that are not 12 or 9 digits"
            findings.append(Finding("numbers", text, advice, ("records", stored.record.name)))
    return findings


async def _look(
    session: Session, idiom: Idiom, stored: StoredTable, columns: Sequence[str], until: float
) -> list[Finding]:
    table = sa.table(
        stored.table, *(sa.column(stored.at(name)) for name in columns), schema=stored.schema
    )
    counts = [count for name in columns for count in _counts(idiom, table.c[stored.at(name)])]
    empty = sa.and_(*(table.c[stored.at(name)].is_(None) for name in columns))
    rows, unnumbered = sa.func.count(), sa.func.sum(sa.case((empty, 1), else_=0))
    select = cast("sa.Select[Any]", sa.select(*counts, rows, unnumbered).select_from(table))
    (row,) = await session.rows(select, seconds=_left(until))
    numbers = [int(cast("int", value) or 0) for value in row]
    findings = list(_unnumbered(stored, *numbers[-2:]))
    for place, name in enumerate(columns):
        every, odd, lost, other = numbers[4 * place : 4 * place + 4]
        if odd or lost or other:
            beyond = 0
            if odd:
                column = table.c[stored.at(name)]
                sample = sa.select(column).where(idiom.odd(column)).distinct().limit(_ODD)
                values = await session.rows(sample, seconds=_left(until))
                beyond = sum(not _is_findable(str(value)) for (value,) in values)
            findings += _number_findings(stored, name, (every, odd, lost, other), beyond)
    return findings


def _left(until: float) -> float:
    left = until - time.perf_counter()
    if left <= 0:
        raise SourceUnavailable("there was no time left")
    return left


def _counts(idiom: Idiom, column: sa.ColumnClause[Any]) -> Iterator[sa.ColumnElement[Any]]:
    """Count values: all; with other signs than digits; without leading zeros; of other lengths."""
    odd, length = idiom.odd(column), sa.func.length(idiom.exact(column))
    lost = ~odd & length.in_(_LOST) & ~sa.func.substr(idiom.exact(column), 1, 1).in_(("0",))
    other = ~odd & ~length.in_(_WHOLE) & ~lost
    yield sa.func.count(column)
    for condition in (odd, lost, other):
        yield sa.func.sum(sa.case((condition, 1), else_=0))


def _is_findable(text: str) -> bool:
    """Whether a lookup by spellings finds ``text``."""
    number = normalise_number(text)
    return number.isdigit() and text in spellings(number)


def _unnumbered(stored: StoredTable, rows: int, unnumbered: int) -> Iterator[Finding]:
    """Report how many rows that are looked up by a person's number hold none."""
    direct = any(
        not (lookup.on or lookup.entry or lookup.through or lookup.hidden)
        for lookup in stored.record.lookups
    )
    if unnumbered and direct:
        text = f"of {rows} rows of {table_name(stored)}, {unnumbered} hold no number of a person"
        advice = "no look-up by number finds them: say so to readers by unnumbered = true"
        setting = ("records", stored.record.name, "unnumbered")
        yield Finding("unnumbered", text, advice, setting)


def _number_findings(
    stored: StoredTable, name: str, counts: tuple[int, int, int, int], beyond: int
) -> Iterator[Finding]:
    every, odd, lost, other = counts
    column = f"of {every} numbers in column {stored.at(name)} of {table_name(stored)}"
    setting = ("records", stored.record.name, "normalised")
    if not stored.normalised and (odd or lost):
        text = f"{column}, {odd} have blanks or other signs and {lost} have lost leading zeros"
        advice = "have them mended, or set normalised = true: no look-up finds them as they are"
        yield Finding("numbers", text, advice, setting)
    if beyond or other:
        qualifier = "at least " if beyond >= _ODD else ""
        text = f"{column}, {qualifier}{beyond + other} are in no spelling that a look-up could find"
        advice = "have them mended: their rows are missing from every list"
        yield Finding("numbers", text, advice, setting)
