"""A table of statistics as CSV (RFC 4180), with what it is and how it was made at its head.

Lines that begin with ``#`` stand before the header. A byte order mark says UTF-8 to spreadsheets.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import product

from connectors.description import Database, Record
from gateway.pages.languages import Language
from gateway.pages.phrases.frame import FRAME
from gateway.pages.phrases.statistics import STATISTICS
from gateway.pages.statistics_view import StatisticsTable

#: What a spreadsheet would take for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


#: What a cell says beside its count; of one that was not answered, the state of the source.
_SHOWN, _SUPPRESSED = "SHOWN", "SUPPRESSED"


def statistics_csv(
    database: Database, record: Record, table: StatisticsTable, language: Language
) -> bytes:
    """Return the file. Titles of values are in ``language``, its head in both."""
    text = io.StringIO(newline="")
    for name, value in _head(database, record, table):
        line = f"# {name}: {value}".replace('"', "'")
        text.write(" ".join(line.split()) + "\r\n")
    writer = csv.writer(text)
    columns = [
        column
        for dimension in table.dimensions
        for column in (dimension.name, f"{dimension.name} title")
    ]
    writer.writerow([*columns, "count", "state"])
    for values in product(*(dimension.values for dimension in table.dimensions)):
        count = (
            None if table.counts is None else table.counts[tuple(value.code for value in values)]
        )
        cells = [text for value in values for text in (value.code, language.choose(value.title))]
        writer.writerow([*map(neutralise, cells), *_count(table, count)])
    return text.getvalue().encode("utf-8-sig")


def _count(table: StatisticsTable, count: int | None) -> tuple[str, str]:
    """Return a count and its state; there is a count in one state alone."""
    if count is None:
        return "", _absent(table)
    return str(count), _SHOWN


def _absent(table: StatisticsTable) -> str:
    return table.state.name if table.counts is None else _SUPPRESSED


def _head(database: Database, record: Record, table: StatisticsTable) -> Iterator[tuple[str, str]]:
    yield str(STATISTICS["statistics"]), f"{database.title}: {record.title}"
    yield str(STATISTICS["owner"]), str(database.owner)
    yield str(FRAME["legal_basis"]), "; ".join(database.legal_basis)
    yield str(STATISTICS["counted_before"]), table.counted_before.isoformat()
    yield str(STATISTICS["method"]), str(table.method)
    message = "" if table.message is None else f": {table.message}"
    yield str(STATISTICS["database_state"]), f"{table.state.name}{message}"
    yield str(STATISTICS["total"]), _absent(table) if table.total is None else str(table.total)
    if table.counts == {}:
        yield str(STATISTICS["years"]), str(STATISTICS["no_years"])
    says = STATISTICS["no_figures" if table.counts is None else "suppressed_csv"]
    yield _absent(table), str(says)


def neutralise(text: str) -> str:
    """Return ``text`` so that no spreadsheet runs it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def file_name(database: Database, record: Record, table: StatisticsTable) -> str:
    """Return what the file is called, in ASCII."""
    return f"statistics-{database.name}-{record.name}-{table.counted_before.isoformat()}.csv"
