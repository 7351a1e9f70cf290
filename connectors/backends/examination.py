"""A thorough examination of a source: some of its rows, its codes, and the latency of lookups.

For ``justice-gateway doctor``. Findings name columns and codes, never other values of rows.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa

from connectors.backends.base import Batch, Examination, Finding, SourceUnavailable
from connectors.backends.examine_links import examine_links
from connectors.backends.examine_numbers import examine_numbers
from connectors.backends.findings import is_broken, table_name, tables_of_lookups
from connectors.backends.record_maps import StoredTable
from connectors.backends.session import Session
from connectors.backends.statement import Idiom, LookupStatement
from connectors.codec import Unreadable, decode

#: Rows of each table in the sample, and rows that are searched for codes.
_SAMPLE = 500
_CODES_IN = 100_000
#: Keys of each lookup that are measured, lookups in all, and seconds at most.
_KEYS_OF_EACH = 5
_LOOKUPS = 200
_SECONDS = 5.0
_SHOWN = 10
#: A value that is no code may be shown if it looks like one, and not like a person's number.
_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,20}")
#: A column with more unknown values holds no codes at all, but perhaps names.
_FEW = 50
_NUMBER = re.compile(r"\d{9,}")


async def examine_rows(
    session: Session, idiom: Idiom, lookups: Sequence[LookupStatement], report: Examination
) -> tuple[list[Finding], Mapping[LookupStatement, list[str]]]:
    """Read a sample of rows of each table, its codes, and all its numbers and links.

    Returns the findings, and some keys of each lookup. Costs three statements a table and one for
    each column of codes. Raises SourceUnavailable.
    """
    broken = {finding.setting[:2] for finding in report.findings if is_broken([finding])}
    findings: list[Finding] = []
    keys: dict[LookupStatement, list[str]] = {}
    tables = [
        stored
        for stored in tables_of_lookups(lookups)
        if ("records", stored.record.name) not in broken
    ]
    for stored in tables:
        columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in stored.names]
        table = sa.table(stored.table, *columns, schema=stored.schema)
        sample = cast("sa.Select[Any]", sa.select(*columns).select_from(table).limit(_SAMPLE))
        rows = await session.rows(sample)
        codes = [
            finding
            for ours, allowed in stored.codes.items()
            for finding in await _codes(session, stored, table, ours, allowed)
        ]
        findings += codes or _unreadable(stored, rows)
        keys |= {lookup: _keys(lookup, rows) for lookup in lookups if lookup.holder is stored}
    findings += await examine_numbers(session, idiom, tables)
    complete = [lookup for lookup in lookups if all(stored in tables for stored in lookup.tables)]
    findings += await examine_links(session, idiom, complete)
    return findings, keys


async def _codes(
    session: Session, stored: StoredTable, table: sa.TableClause, ours: str, allowed: frozenset[str]
) -> list[Finding]:
    """Report the codes of a column that cannot be read."""
    stored_name = stored.at(ours)
    sample = (
        sa.select(table.c[stored_name].label("code")).select_from(table).limit(_CODES_IN).subquery()
    )
    rows = await session.rows(sa.select(sample.c.code).distinct().limit(1_000))
    unknown = sorted(
        str(row[0]) for row in rows if row[0] is not None and str(row[0]) not in allowed
    )
    if not unknown:
        return []
    is_short = len(unknown) <= _FEW
    shown = [
        code if is_short and _may_be_shown(code) else "(not shown)" for code in unknown[:_SHOWN]
    ]
    text = (
        f"column {stored_name} of {table_name(stored)} has codes that are not known: "
        f"{', '.join(shown)}"
    )
    advice = "say in settings which of ours they are; until then their rows are left out, PARTIAL"
    return [Finding("codes", text, advice, ("records", stored.record.name, "values", ours))]


def _may_be_shown(code: str) -> bool:
    return bool(_CODE.fullmatch(code)) and not _NUMBER.search(code)


def _unreadable(stored: StoredTable, rows: Sequence[Sequence[object]]) -> Iterator[Finding]:
    """Report which columns of ``rows`` cannot be read."""
    faults: Counter[str] = Counter()
    for raw in rows:
        try:
            decode(stored.record, raw if stored.read is None else stored.read(raw))
        except Unreadable as error:
            faults[str(error)] += 1
    for fault, count in sorted(faults.items()):
        text = f"of {len(rows)} rows of {table_name(stored)}, {count} cannot be read: {fault}"
        advice = "map the column in settings (columns, values, dates), or have the rows mended"
        yield Finding("values", text, advice, ("records", stored.record.name))


def _keys(lookup: LookupStatement, rows: Sequence[Sequence[object]]) -> list[str]:
    """Return some keys for which a lookup has rows."""
    places = [lookup.holder.names.index(name) for name in lookup.keys]
    keys = dict.fromkeys(
        str(row[place]) for row in rows for place in places if row[place] is not None
    )
    return list(keys)[:_KEYS_OF_EACH]


async def measure_latency(
    fetches: Sequence[Callable[[], Awaitable[Batch]]],
) -> tuple[float, float] | None:
    """Measure lookups of one key: median and 99th percentile, in seconds.

    At most 200 lookups, one after the other, within five seconds. Returns None where there is
    nothing to look up, or a lookup fails.
    """
    took: list[float] = []
    began = time.perf_counter()
    while fetches and len(took) < _LOOKUPS and time.perf_counter() - began < _SECONDS:
        start = time.perf_counter()
        try:
            await fetches[len(took) % len(fetches)]()
        except SourceUnavailable:
            return None
        took.append(time.perf_counter() - start)
    if not took:
        return None
    took.sort()
    return took[len(took) // 2], took[min(len(took) * 99 // 100, len(took) - 1)]
