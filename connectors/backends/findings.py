"""Whether a server is set up as it should be: asked of the server itself, not of settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.backends.mapping import Stored
from connectors.backends.session import Finding
from connectors.backends.statement import Wanted

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
_HARMLESS = {"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS"}


def kept_tables(wanted: Sequence[Wanted]) -> list[Stored]:
    """Return the tables of all lookups, each once."""
    return list({id(stored): stored for one in wanted for stored in one.tables}.values())


def unencrypted(host: str, encrypted: bool, local: bool) -> Iterator[Finding]:
    """Say that what is read crosses a network in the clear."""
    if not encrypted and not local:
        yield Finding("tls", f"the way to {host} is not encrypted: set tls to verify")


async def ask_postgresql(connection: Any, tables: Iterable[Stored]) -> list[Finding]:
    """Return what a PostgreSQL server says of the session, its role and the tables.

    ``connection`` is asyncpg's, bound as it is for reading. A statement for each table.
    """
    only_read, timeout, encoding, superuser = await connection.fetchrow(_PG_STATE)
    found = list(_session(bool(only_read), timeout > 0))
    if encoding != "UTF8":
        found.append(Finding("encoding", f"the database is kept in {encoding}: text needs UTF8"))
    if superuser:
        found.append(Finding("role", "the role is a superuser: give the gateway one of its own"))
    preparer = sa.make_url("postgresql+asyncpg://").get_dialect()().identifier_preparer
    for stored in tables:
        named = preparer.format_table(sa.table(stored.table, schema=stored.schema))
        there, writes, columns = await connection.fetchrow(_PG_TABLE, named)
        found += _table(stored, bool(there), columns)
        if writes and not superuser:
            found.append(Finding("role", f"the role may change table {named}: revoke that"))
    return found


async def ask_mariadb(connection: AsyncConnection, tables: Iterable[Stored]) -> list[Finding]:
    """Return what a MariaDB server says of the session, its grants and the tables.

    A statement for each table.
    """
    only_read, timeout = (await connection.execute(_MARIA_STATE)).one()
    found = list(_session(bool(only_read), timeout > 0))
    for line in (await connection.execute(_MARIA_GRANTS)).scalars():
        granted = _GRANT.match(line)
        more = sorted(_privileges(granted[1]) - _HARMLESS) if granted else []
        if granted and more:
            text = f"the user may {', '.join(more)} on {granted[2]}: revoke that"
            found.append(Finding("role", text))
    for stored in tables:
        named = {"schema": stored.schema, "table": stored.table}
        columns = list((await connection.execute(_MARIA_COLUMNS, named)).scalars())
        found += _table(stored, bool(columns), columns)
    return found


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
