"""Identifies the server behind a connection, and the state of its tables.

One address and one name may hold one database after another: a standby is promoted, a pooler is
switched, a dump is restored, a view is replaced. What servers report of themselves tells them apart
(``docs/decisions``, 42, with what cannot be told).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.backends.record_maps import StoredTable
from connectors.backends.session import SourceState

#: The cluster, the history that it follows (a promotion begins a new one), and the database in it.
#: The oid of a database is another after it was dropped and restored.
POSTGRESQL_SERVER = """
    concat_ws(':', (SELECT system_identifier FROM pg_control_system()),
              CASE WHEN pg_is_in_recovery()
                   THEN (SELECT lpad(to_hex(timeline_id), 8, '0') FROM pg_control_checkpoint())
                   ELSE lower(left(pg_walfile_name(pg_current_wal_lsn()), 8)) END,
              (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
#: The same for roles that may not ask for it.
POSTGRESQL_DATABASE = "(SELECT oid::text FROM pg_database WHERE datname = current_database())"

#: A table that was dropped and made again has another oid; one that was emptied or rewritten,
#: another relfilenode; a view that was replaced, another version (xmin) of its rule.
_POSTGRESQL_TABLES = """
    SELECT md5(string_agg(concat_ws(':', name, c.oid, c.relfilenode, c.relkind,
               (SELECT string_agg(r.oid || '.' || r.xmin, ' ' ORDER BY r.oid)
                FROM pg_rewrite r WHERE r.ev_class = c.oid)), ',' ORDER BY name))
    FROM unnest($1::text[]) name LEFT JOIN pg_class c ON c.oid = to_regclass(name)
"""
_MARIADB_SERVER = sa.text(
    "SELECT variable_value FROM information_schema.global_variables WHERE variable_name IN "
    "('HOSTNAME', 'PORT', 'SERVER_ID', 'SERVER_UID') ORDER BY variable_name"
)
_MARIADB_TABLES = sa.text(
    "SELECT t.table_schema, t.table_name, t.table_type, t.engine, t.create_time, v.view_definition "
    "FROM information_schema.tables t LEFT JOIN information_schema.views v "
    "ON v.table_schema = t.table_schema AND v.table_name = t.table_name "
    "WHERE t.table_schema IN (database(), :schemas) AND t.table_name IN :names "
    "ORDER BY t.table_schema, t.table_name"
).bindparams(sa.bindparam("schemas", expanding=True), sa.bindparam("names", expanding=True))
_PREPARER = sa.make_url("postgresql+asyncpg://").get_dialect()().identifier_preparer


class Origins:
    """The servers that connections have led to, by their identity.

    Behind one address there may be one server after another. When a new server answers, connections
    to the earlier ones are closed; servers behind a balancer answer in turn, and stay.
    """

    def __init__(self) -> None:
        self._states: dict[str, SourceState] = {}
        self._left: set[str] = set()

    def meet(self, server: str) -> SourceState:
        """Return the state of the server that a connection has led to."""
        if server not in self._states:
            self._left = set(self._states)
            self._states[server] = SourceState(server)
        self._left.discard(server)
        return self._states[server]

    def is_left(self, state: SourceState) -> bool:
        """Whether connections to a server are to be closed."""
        return state.server in self._left


async def postgresql_server(connection: Any) -> tuple[str, str]:
    """Return the identity of the server, and the SQL expression that gives it to this role."""
    try:
        return str(await connection.fetchval(f"SELECT {POSTGRESQL_SERVER}")), POSTGRESQL_SERVER
    except asyncpg.PostgresError:
        value = await connection.fetchval(f"SELECT {POSTGRESQL_DATABASE}")
        return str(value), POSTGRESQL_DATABASE


async def postgresql_tables(connection: Any, tables: Iterable[StoredTable]) -> str:
    """Return a digest of the state of ``tables``; one statement, some 2 ms for fifty."""
    names = sorted(
        _PREPARER.format_table(sa.table(stored.table, schema=stored.schema)) for stored in tables
    )
    return str(await connection.fetchval(_POSTGRESQL_TABLES, names))


async def mariadb_server(connection: AsyncConnection) -> str:
    """Return the identity of the server."""
    return _digest((await connection.execute(_MARIADB_SERVER)).scalars())


async def mariadb_tables(connection: AsyncConnection, tables: Sequence[StoredTable]) -> str:
    """Return a digest of the state of ``tables``; one statement, some 5 ms for fifty."""
    schemas = sorted({stored.schema or "" for stored in tables})
    names = sorted({stored.table for stored in tables})
    named = {"schemas": schemas, "names": names}
    return _digest(await connection.execute(_MARIADB_TABLES, named)) if names else ""


def _digest(values: Iterable[object]) -> str:
    whole = repr([str(value) for value in values])
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()
