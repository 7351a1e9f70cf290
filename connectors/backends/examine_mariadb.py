"""Examines a MariaDB server: session, grants, tables and indexes, as the server reports them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

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
from connectors.backends.record_maps import StoredTable
from connectors.backends.statement import KEYS, LookupStatement

_STATE = sa.text(
    "SELECT @@SESSION.tx_read_only, @@SESSION.max_statement_time, version(), "
    "CAST(UTC_TIMESTAMP(6) AS CHAR), @@character_set_database"
)
_GRANTS = sa.text("SHOW GRANTS")
_COLUMNS = sa.text(
    "SELECT column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = coalesce(:schema, database()) AND table_name = :table"
)
#: A line of SHOW GRANTS: privileges and object. The rest of the line has a hash of the password.
_GRANT = re.compile(r"GRANT (.+?) ON (\S+) TO ")
_HARMLESS = {"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS"}
#: Character sets of Unicode; utf8mb3 lacks the supplementary planes.
_UNICODE = {"utf8mb4", "utf8mb3", "utf8"}


async def examine_mariadb(
    connection: AsyncConnection, lookups: Sequence[LookupStatement]
) -> Examination:
    """Return the findings on the session, its grants, the tables and their indexes.

    Costs a statement for each table and for each lookup.
    """
    before = datetime.now(UTC)
    state = (await connection.execute(_STATE)).one()
    only_read, timeout, version, clock, encoding = state
    server_time = datetime.fromisoformat(str(clock)).replace(tzinfo=UTC)
    ahead = (server_time - (before + (datetime.now(UTC) - before) / 2)).total_seconds()
    findings = list(session_findings(bool(only_read), timeout > 0))
    if encoding not in _UNICODE:
        text = f"the database is kept in {encoding}"
        findings.append(Finding("encoding", text, "text needs utf8mb4: have it moved", ("url",)))
    findings += [
        finding for line in (await connection.execute(_GRANTS)).scalars() for finding in _role(line)
    ]
    broken: set[StoredTable] = set()
    records: set[str] = set()
    for stored in tables_of_lookups(lookups):
        named = {"schema": stored.schema, "table": stored.table}
        columns = {str(name): str(kind) for name, kind in await connection.execute(_COLUMNS, named)}
        lacking = table_findings(stored, bool(columns), columns)
        broken |= {stored} if is_broken(lacking) else set()
        records |= {stored.record.name} if columns else set()
        findings += lacking
    for lookup in searchable(lookups, broken):
        findings += await _plan(connection, lookup)
    return Examination(
        tuple(findings),
        f"MariaDB {str(version).split('-')[0]}",
        str(encoding),
        ahead,
        records=frozenset(records),
    )


def _role(line: str) -> list[Finding]:
    """Report what a line of SHOW GRANTS allows the user besides reading."""
    grant = _GRANT.match(line)
    if grant is None:
        return []
    names = re.sub(r"\([^)]*\)", "", grant[1]).split(",")  # without limits to some columns
    more = sorted({name.strip() for name in names} - _HARMLESS)
    if not more:
        return []
    privileges = f"{', '.join(more)} on {grant[2]}"
    return [Finding("role", f"the user may {privileges}", f"REVOKE {privileges} from it", ("url",))]


async def _plan(connection: AsyncConnection, lookup: LookupStatement) -> list[Finding]:
    """Explain a lookup: a table that is read whole with no possible key has no index for it."""
    shown = lookup.statement.params({KEYS: [KEY]}).compile(
        dialect=connection.dialect, compile_kwargs={"literal_binds": True}
    )
    try:
        plan = (await connection.exec_driver_sql(f"EXPLAIN FORMAT=JSON {shown}")).scalar()
    except DBAPIError as error:
        return [plan_failure(lookup, type(error).__name__)]
    read_whole = {
        node["table_name"]
        for node in nodes(json.loads(str(plan)))
        if node.get("access_type") == "ALL" and "possible_keys" not in node
    }
    return list(index_findings(lookup, read_whole))
