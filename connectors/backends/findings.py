"""Whether a server is set up as it should be: asked of the server itself, not of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.backends.mapping import Stored
from connectors.backends.session import Finding
from connectors.backends.statement import KEYS, Wanted

_PG_STATE = """
    SELECT current_setting('transaction_read_only') = 'on',
           (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'),
           current_setting('server_encoding'),
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
"""
_PG_TABLE = """
    SELECT to_regclass($1) IS NOT NULL,
           has_table_privilege(to_regclass($1), 'INSERT, UPDATE, DELETE, TRUNCATE'),
           ARRAY(SELECT attname::text FROM pg_attribute
                 WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
                   AND has_column_privilege(attrelid, attnum, 'SELECT'))
"""
_MARIA_STATE = sa.text("SELECT @@SESSION.tx_read_only, @@SESSION.max_statement_time")
_MARIA_GRANTS = sa.text("SHOW GRANTS")
_MARIA_COLUMNS = sa.text(
    "SELECT column_name FROM information_schema.columns "
    "WHERE table_schema = coalesce(:schema, database()) AND table_name = :table"
)
#: A line of SHOW GRANTS: what is granted, and on what. What follows holds a hash of the password.
_GRANT = re.compile(r"GRANT (.+?) ON (\S+) TO ")
#: A key for which a server is asked what it would do.
_KEY = "000000000000"
_HARMLESS = {"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS"}


def kept_tables(wanted: Sequence[Wanted]) -> list[Stored]:
    """Return the tables of all lookups, each once."""
    return list({id(stored): stored for one in wanted for stored in one.tables}.values())


def unencrypted(host: str, encrypted: bool, local: bool) -> Iterator[Finding]:
    """Say that what is read crosses a network in the clear."""
    if not encrypted and not local:
        yield Finding("tls", f"the way to {host} is not encrypted: set tls to verify")


async def ask_postgresql(
    connection: Any, wanted: Sequence[Wanted], text_of: Callable[[Wanted], str]
) -> list[Finding]:
    """Return what a PostgreSQL server says of the session, its role, the tables and their indexes.

    ``connection`` is asyncpg's, bound as it is for reading; ``text_of`` gives a lookup's text. A
    statement for each table and for each lookup.
    """
    only_read, timeout, encoding, superuser = await connection.fetchrow(_PG_STATE)
    found = list(_session(bool(only_read), timeout > 0))
    if encoding != "UTF8":
        found.append(Finding("encoding", f"the database is kept in {encoding}: text needs UTF8"))
    if superuser:
        found.append(Finding("role", "the role is a superuser: give the gateway one of its own"))
    preparer = sa.make_url("postgresql+asyncpg://").get_dialect()().identifier_preparer
    broken: set[int] = set()
    for stored in kept_tables(wanted):
        named = preparer.format_table(sa.table(stored.table, schema=stored.schema))
        there, writes, columns = await connection.fetchrow(_PG_TABLE, named)
        missing = list(_table(stored, bool(there), columns))
        broken |= {id(stored)} if missing else set()
        found += missing
        if writes and not superuser:
            found.append(Finding("role", f"the role may change table {named}: revoke that"))
    for one in _whole(wanted, broken):
        found += await _postgresql_plan(connection, one, text_of(one))
    return found


async def _postgresql_plan(connection: Any, wanted: Wanted, text: str) -> list[Finding]:
    """Ask for the plan, with whole reads forbidden: small tables would be read whole otherwise."""
    try:
        async with connection.transaction(readonly=True):
            await connection.execute("SET LOCAL enable_seqscan = off")
            shown = text.replace("$1", f"'{{{_KEY}}}'")
            plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {shown}"))
    except asyncpg.PostgresError as error:
        return [_unplanned(wanted, type(error).__name__)]
    read_whole = {
        node["Relation Name"] for node in _nodes(plan) if node.get("Node Type") == "Seq Scan"
    }
    return list(_indexes(wanted, read_whole))


async def ask_mariadb(connection: AsyncConnection, wanted: Sequence[Wanted]) -> list[Finding]:
    """Return what a MariaDB server says of the session, its grants, the tables and their indexes.

    A statement for each table and for each lookup.
    """
    only_read, timeout = (await connection.execute(_MARIA_STATE)).one()
    found = list(_session(bool(only_read), timeout > 0))
    for line in (await connection.execute(_MARIA_GRANTS)).scalars():
        granted = _GRANT.match(line)
        more = sorted(_privileges(granted[1]) - _HARMLESS) if granted else []
        if granted and more:
            text = f"the user may {', '.join(more)} on {granted[2]}: revoke that"
            found.append(Finding("role", text))
    broken: set[int] = set()
    for stored in kept_tables(wanted):
        named = {"schema": stored.schema, "table": stored.table}
        columns = list((await connection.execute(_MARIA_COLUMNS, named)).scalars())
        missing = list(_table(stored, bool(columns), columns))
        broken |= {id(stored)} if missing else set()
        found += missing
    for one in _whole(wanted, broken):
        found += await _mariadb_plan(connection, one)
    return found


async def _mariadb_plan(connection: AsyncConnection, wanted: Wanted) -> list[Finding]:
    """Ask for the plan: where it names no index that it could use, there is none."""
    shown = wanted.statement.params({KEYS: [_KEY]}).compile(
        dialect=connection.dialect, compile_kwargs={"literal_binds": True}
    )
    try:
        plan = (await connection.exec_driver_sql(f"EXPLAIN FORMAT=JSON {shown}")).scalar()
    except DBAPIError as error:
        return [_unplanned(wanted, type(error).__name__)]
    read_whole = {
        node["table_name"]
        for node in _nodes(json.loads(str(plan)))
        if node.get("access_type") == "ALL" and "possible_keys" not in node
    }
    return list(_indexes(wanted, read_whole))


def _nodes(plan: object) -> Iterator[dict[str, Any]]:
    """Yield every object within a plan."""
    if isinstance(plan, dict):
        yield plan
        plan = list(plan.values())
    if isinstance(plan, list):
        for one in plan:
            yield from _nodes(one)


def _whole(wanted: Sequence[Wanted], broken: set[int]) -> list[Wanted]:
    """Return the lookups that lack nothing."""
    return [one for one in wanted if not any(id(stored) in broken for stored in one.tables)]


def _unplanned(wanted: Wanted, reason: str) -> Finding:
    return Finding("columns", f"{wanted.holder.table} cannot be searched as it is: {reason}")


def _indexes(wanted: Wanted, read_whole: set[str]) -> Iterator[Finding]:
    for stored in wanted.tables:
        if stored.table in read_whole:
            keys = wanted.keys if stored is wanted.holder else (stored.at(wanted.link),)
            text = f"{', '.join(keys)} of {stored.table}: without an index it is read whole"
            yield Finding("index", text)


def _privileges(granted: str) -> set[str]:
    """Return the names of privileges, without the columns that some are limited to."""
    return {one.strip() for one in re.sub(r"\([^)]*\)", "", granted).split(",")}


def _session(only_read: bool, bound: bool) -> Iterator[Finding]:
    if not only_read:
        yield Finding("session", "the server would let the gateway write: make its role read-only")
    if not bound:
        yield Finding("session", "the server lets statements run without end: limit the role's")


def _table(stored: Stored, there: bool, columns: Sequence[str]) -> Iterator[Finding]:
    where = stored.table if stored.schema is None else f"{stored.schema}.{stored.table}"
    if not there:
        yield Finding("tables", f"there is no table {where} for {stored.record.name}")
        return
    for name in stored.names:
        if name not in columns:
            text = f"column {name} of {where} is not there, or may not be read"
            yield Finding("columns", text)
