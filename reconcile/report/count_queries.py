"""Counts over findings and extracts, by DuckDB: bounded memory, no extensions.

Each function costs one scan of its files. Missing values are counted as missing: nothing is guessed
of a row that does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from reconcile.report.needs import PARENTS, REGISTRATION_DATE, RecordMeasures

#: Law 60/2014/QH13 is in force since: earlier entries had other terms.
TERMS_SINCE = "2016-01-01"
#: The kinds of registration to which no term applies.
_WITHOUT_TERM = ("RE_REGISTERED", "FOREIGN_NOTE")
#: The statuses of entries that count, as the rules have them.
_IN_FORCE = ("VALID", "AMENDED")
_NUMBER = "^[0-9]{12}$"
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True, slots=True)
class CountRow:
    """A row of ``counts.parquet``."""

    measure: str
    count: int
    rule: str | None = None
    database: str | None = None
    record: str | None = None
    province: str | None = None
    former_province: str | None = None
    year: int | None = None


@contextmanager
def open_duckdb(memory: int, threads: int, overflow: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB in memory until the block ends. ``overflow``: where it writes beyond ``memory``.

    It loads no extension: a closed network has none.
    """
    connection = duckdb.connect(
        config={
            "memory_limit": f"{memory}B",
            "threads": threads,
            "temp_directory": str(overflow),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        yield connection
    finally:
        connection.close()


def count_findings(connection: duckdb.DuckDBPyConnection, findings: Path) -> Iterator[CountRow]:
    """Yield the counts of findings: by rule, databases, severity, place and year; and of people."""
    file = str(findings)
    rows = connection.execute(
        "SELECT rule, array_to_string(list_sort(list_distinct("
        "list_transform(sides, lambda side: side.database))), '+'), count(*) "
        "FROM read_parquet(?) GROUP BY ALL ORDER BY ALL",
        [file],
    ).fetchall()
    for rule, databases, count in rows:
        yield CountRow("findings.databases", count, rule=rule, database=databases)
    rows = connection.execute(
        "SELECT rule, severity, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL", [file]
    ).fetchall()
    for rule, severity, count in rows:
        yield CountRow(f"findings.{severity}", count, rule=rule)
    rows = connection.execute(
        "SELECT province, former_province, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL",
        [file],
    ).fetchall()
    for province, former, count in rows:
        yield CountRow("findings.place", count, province=province, former_province=former)
    rows = connection.execute(
        "SELECT registration_year, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL", [file]
    ).fetchall()
    for year, count in rows:
        yield CountRow("findings.year", count, year=year)
    (total, people) = _single(
        connection, "SELECT count(*), count(DISTINCT person) FROM read_parquet(?)", [file]
    )
    yield CountRow("findings", total)
    yield CountRow("findings.people", people)


def count_record(
    connection: duckdb.DuckDBPyConnection,
    record: tuple[str, str],
    files: Sequence[str],
    measures: RecordMeasures | None,
) -> Iterator[CountRow]:
    """Yield the counts of the rows of a record: all, those in force, and how complete these are.

    ``files``: of its extract. ``measures`` None: the rows alone.
    """
    sums = _sums(measures)
    columns = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in sums.values())
    statement = f"SELECT {columns} FROM read_parquet(?)"  # noqa: S608 (declared names only)
    for measure, count in zip(sums, _single(connection, statement, [files]), strict=True):
        yield CountRow(measure, count, database=record[0], record=record[1])


def count_empty_record(
    record: tuple[str, str], measures: RecordMeasures | None
) -> Iterator[CountRow]:
    """Yield the counts of a record that was read and has no rows."""
    for measure in _sums(measures):
        yield CountRow(measure, 0, database=record[0], record=record[1])


def _single(
    connection: duckdb.DuckDBPyConnection, statement: str, values: Sequence[object]
) -> tuple[int, ...]:
    """Return the only row of counts."""
    (row,) = connection.execute(statement, values).fetchall()
    return row


def _sums(measures: RecordMeasures | None) -> Mapping[str, str]:
    """Return the condition of each measure, in SQL; none is null."""
    sums = {"rows": "true"}
    if measures is None:
        return sums
    counted = "true"
    if measures.status is not None:
        counted = _is_among(measures.status, _IN_FORCE)
    sums["records"] = counted
    if measures.numbers:
        numbered = " AND ".join(_has_number(column) for column in measures.numbers)
        sums["records.numbered"] = f"{counted} AND {numbered}"
    if measures.has_parents:
        for part, holds in (("named", _is_text), ("numbered", _has_number)):
            suffix = "name" if part == "named" else "citizen_id"
            mother, father = (holds(f"{parent}_{suffix}") for parent in PARENTS)
            sums[f"parents.{part}.both"] = f"{counted} AND {mother} AND {father}"
            sums[f"parents.{part}.mother"] = f"{counted} AND {mother} AND NOT {father}"
            sums[f"parents.{part}.father"] = f"{counted} AND NOT {mother} AND {father}"
    if measures.kind is not None:
        sums["kind.digitised"] = f"{counted} AND {_is_among(measures.kind, ('DIGITISED',))}"
        sums["kind.missing"] = f"{counted} AND NOT {_is_text(measures.kind)}"
    if measures.event_date is not None:
        term = _within_term(measures)
        days = f"date_diff('day', {_day(measures.event_date)}, {_day(REGISTRATION_DATE)})"
        late = f"{days} > {measures.days_allowed}"
        sums["term.late"] = f"{counted} AND coalesce({term} AND {late}, false)"
        sums["term.on_time"] = f"{counted} AND coalesce({term} AND NOT {late}, false)"
    return sums


def _within_term(measures: RecordMeasures) -> str:
    """Return the condition of entries of which it can be told whether they were late."""
    event, registered = _day(measures.event_date or ""), _day(REGISTRATION_DATE)
    conditions = [f"{event} >= DATE '{TERMS_SINCE}'", f"{registered} >= {event}"]
    if measures.kind is not None:
        conditions.append(f"NOT {_is_among(measures.kind, _WITHOUT_TERM)}")
    if measures.other_terms is not None:
        column, value = measures.other_terms
        conditions.append(f"NOT {_is_among(column, (value,))}")
    return " AND ".join(conditions)


def _is_text(column: str) -> str:
    return f"coalesce(trim({column}) <> '', false)"


def _has_number(column: str) -> str:
    return f"coalesce(regexp_full_match({column}, '{_NUMBER}'), false)"


def _is_among(column: str, values: Sequence[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"coalesce({column} IN ({listed}), false)"


def _day(column: str) -> str:
    """Return a column as a date; null where it is not a whole one."""
    return f"CASE WHEN regexp_full_match({column}, '{_DAY}') THEN try_cast({column} AS DATE) END"
