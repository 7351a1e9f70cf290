"""Examines an SQLite file: its tables, indexes and pages. The connection itself is read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.backends.base import Examination, Finding
from connectors.backends.findings import (
    KEY,
    index_findings,
    is_broken,
    plan_failure,
    searchable,
    table_findings,
    tables_of_lookups,
)
from connectors.backends.record_maps import StoredTable
from connectors.backends.statement import KEYS, LookupStatement

_WHOLE = sa.text("PRAGMA integrity_check(1)")
_COLUMNS = sa.text("SELECT name, type FROM pragma_table_info(:table)")


async def examine_sqlite(
    connection: AsyncConnection, lookups: Sequence[LookupStatement]
) -> Examination:
    """Return the findings on the tables and their indexes.

    Costs a statement for each table and for each lookup.
    """
    findings: list[Finding] = []
    broken: set[StoredTable] = set()
    records: set[str] = set()
    for stored in tables_of_lookups(lookups):
        named = {"table": stored.table}
        # Declared types bind nothing here: what is stored is looked at row by row.
        columns = {str(name): "" for name, _ in await connection.execute(_COLUMNS, named)}
        lacking = table_findings(stored, bool(columns), columns)
        broken |= {stored} if is_broken(lacking) else set()
        records |= {stored.record.name} if columns else set()
        findings += lacking
    for lookup in searchable(lookups, broken):
        findings += await _plan(connection, lookup)
    return Examination(
        tuple(findings), f"SQLite {sqlite3.sqlite_version}", "UTF8", records=frozenset(records)
    )


async def is_whole(connection: AsyncConnection) -> bool:
    """Whether all pages of a file fit together, indexes and tables too.

    Reads the whole file, some 10 s for a gigabyte.
    """
    try:
        return (await connection.execute(_WHOLE)).scalar() == "ok"
    except DBAPIError:
        return False


def file_findings(torn: bool) -> Iterator[Finding]:
    """Report a file that is partly overwritten, or cut short."""
    if torn:
        text = "its pages do not fit together: it is being overwritten, or was"
        advice = "write a new file beside it and rename that over it: never copy into its place"
        yield Finding("file", text, advice, ("url",))


async def _plan(connection: AsyncConnection, lookup: LookupStatement) -> list[Finding]:
    shown = lookup.statement.params({KEYS: [KEY]}).compile(
        dialect=connection.dialect,
        compile_kwargs={"literal_binds": True, "render_postcompile": True},
    )
    try:
        plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {shown}")).all()
    except DBAPIError as error:
        return [plan_failure(lookup, type(error.orig).__name__)]
    steps = [str(step[-1]) for step in plan]
    read_whole = {
        stored.table
        for stored in lookup.tables
        if any(_scans(line, stored.table) for line in steps)
    }
    return list(index_findings(lookup, read_whole))


def _scans(step: str, table: str) -> bool:
    """Whether a step of a plan reads a table whole, if only to build an automatic index."""
    return step == f"SCAN {table}" or step.startswith(
        (f"SCAN {table} USING", f"SEARCH {table} USING AUTOMATIC")
    )
