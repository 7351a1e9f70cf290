"""Examines a PostgreSQL server: session, role, tables and indexes, as the server reports them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import sqlalchemy as sa

from connectors.backends.base import Examination, Finding
from connectors.backends.findings import (
    KEY,
    index_findings,
    is_broken,
    nodes,
    plan_failure,
    searchable,
    session_findings,
    table_findings,
    tables_of_lookups,
)
from connectors.backends.postgresql_statements import lookup_text, with_key
from connectors.backends.record_maps import StoredTable
from connectors.backends.statement import LookupStatement

_STATE = """
    SELECT current_setting('transaction_read_only') = 'on',
           (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'),
           current_setting('server_encoding'),
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
           current_setting('server_version'),
           clock_timestamp()
"""
_TABLE = """
    SELECT to_regclass($1) IS NOT NULL,
           EXISTS (SELECT FROM pg_class WHERE relname = $2 AND relkind = any('{r,v,m,f,p}')
                   AND NOT has_schema_privilege(relnamespace, 'USAGE')),
           has_table_privilege(to_regclass($1), 'INSERT, UPDATE, DELETE, TRUNCATE'),
           ARRAY(SELECT ARRAY[attname::text, format_type(atttypid, NULL)] FROM pg_attribute
                 WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
                   AND has_column_privilege(attrelid, attnum, 'SELECT'))
"""


async def examine_postgresql(connection: Any, lookups: Sequence[LookupStatement]) -> Examination:
    """Return the findings on the session, its role, the tables and their indexes.

    ``connection`` is asyncpg's, read-only. Costs a statement for each table and for each lookup.
    """
    before = datetime.now(UTC)
    state = await connection.fetchrow(_STATE)
    only_read, timeout, encoding, superuser, version, clock = state
    ahead = (clock - (before + (datetime.now(UTC) - before) / 2)).total_seconds()
    findings = list(session_findings(bool(only_read), timeout > 0))
    if encoding != "UTF8":
        text = f"the database is kept in {encoding}"
        findings.append(Finding("encoding", text, "text needs UTF8: have it moved", ("url",)))
    if superuser:
        advice = "give the gateway a role of its own that may only read"
        findings.append(Finding("role", "the role is a superuser", advice, ("url",)))
    broken: set[StoredTable] = set()
    records: set[str] = set()
    for stored in tables_of_lookups(lookups):
        named = _PREPARER.format_table(sa.table(stored.table, schema=stored.schema))
        arguments = (named, stored.table)
        exists, hidden, writes, columns = await connection.fetchrow(_TABLE, *arguments)
        lacking = table_findings(stored, bool(exists), dict(columns), bool(hidden))
        broken |= {stored} if is_broken(lacking) else set()
        records |= {stored.record.name} if exists else set()
        findings += lacking
        if writes and not superuser:
            advice = f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {named} from it"
            findings.append(Finding("role", f"the role may change table {named}", advice, ("url",)))
    for lookup in searchable(lookups, broken):
        findings += await _plan(connection, lookup)
    return Examination(
        tuple(findings),
        f"PostgreSQL {version.split()[0]}",
        encoding,
        ahead,
        records=frozenset(records),
    )


async def _plan(connection: Any, lookup: LookupStatement) -> list[Finding]:
    """Explain a lookup without sequential scans: small tables would be read whole otherwise."""
    try:
        async with connection.transaction(readonly=True):
            await connection.execute("SET LOCAL enable_seqscan = off")
            shown = with_key(lookup_text(lookup), KEY)
            plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {shown}"))
    except asyncpg.PostgresError as error:
        return [plan_failure(lookup, type(error).__name__)]
    read_whole = {
        node["Relation Name"] for node in nodes(plan) if node.get("Node Type") == "Seq Scan"
    }
    return list(index_findings(lookup, read_whole))


_PREPARER = sa.make_url("postgresql+asyncpg://").get_dialect()().identifier_preparer
