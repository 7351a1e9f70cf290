"""PostgreSQL servers (15 and later) as a source: SQLAlchemy's text on asyncpg's connections.

SQLAlchemy's sessions cost several times what the driver does for a row (``docs/decisions``, 26), so
statements are compiled to text once, with an array of keys for each key column.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, cast

import asyncpg
import sqlalchemy as sa

from connectors.backends.base import Examination, NotMapped, SourceRefused, SourceUnavailable
from connectors.backends.examine_postgresql import examine_postgresql
from connectors.backends.findings import unencrypted
from connectors.backends.origins import Origins, postgresql_server, postgresql_tables
from connectors.backends.postgresql_connection import connect, read_only
from connectors.backends.postgresql_errors import (
    CHANGED,
    FAILURES,
    NO_STATEMENT,
    NO_TABLE,
    SPOILT,
    UNWRITABLE,
    postgresql_failure,
    postgresql_reason,
)
from connectors.backends.postgresql_statements import (
    IDIOM,
    as_text,
    bound,
    lookup_text,
    parts_text,
    types_text,
)
from connectors.backends.record_maps import StoredTable
from connectors.backends.rendering_statement import NotRenderable, rendering_text
from connectors.backends.server import ServerOptions, address, tls_context
from connectors.backends.session import LookupPart, MergeFailed, SourceState
from connectors.backends.statement import LookupStatement
from connectors.row_template import RowTemplate
from connectors.tables import STATEMENT_TABLE

_MAY_READ = f"SELECT has_table_privilege(to_regclass('{STATEMENT_TABLE}'), 'SELECT')"
_AS_OF = f"SELECT min(as_of) FROM {STATEMENT_TABLE}"  # noqa: S608 - the name is a constant

#: Tables of these names that stand in a schema which the role may not use: PostgreSQL passes over
#: such schemas as if they were not there.
_HIDDEN = """
    SELECT EXISTS (SELECT FROM pg_class WHERE relname = any($1) AND relkind = any('{r,v,m,f,p}')
                   AND NOT has_schema_privilege(relnamespace, 'USAGE'))
"""


#: The lookups of a statement, and whether the rows of each may come in any order.
_Lookups = tuple[tuple[LookupStatement, bool], ...]


@dataclass(slots=True)
class PostgresqlSession:
    """A connection on loan; see ``Session``."""

    connection: Any
    state: SourceState
    server: PostgresqlServer

    async def find(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows for ``keys``; raises NotMapped. See ``Session``."""
        part = LookupPart(lookup, keys)
        if places is None:
            return await self._find_part(self.server.text((part,)), part)
        text = lookup_text(lookup, places)
        try:
            return await self._find_part(text, part)
        finally:
            self.connection.forget(text)

    async def find_parts(self, parts: Sequence[LookupPart]) -> Sequence[Sequence[Sequence[object]]]:
        """Return the rows of each part, by one statement; see ``MergingSession``."""
        text = self.server.text(parts)
        if len(parts) == 1:
            return [await self._find_part(text, parts[0])]
        try:
            async with self.bounded():
                rows: Sequence[Any] = await self._fetch(text, parts)
                (row_sets,) = rows
        except (SourceUnavailable, *FAILURES) as error:
            if self.connection.is_closed():
                raise
            raise MergeFailed(postgresql_reason(error)) from None
        return cast("Sequence[Sequence[Sequence[object]]]", row_sets)

    async def find_rendered(
        self, part: LookupPart, template: RowTemplate
    ) -> Sequence[Sequence[object]]:
        """Return the rows of ``part`` with their JSON; see ``RenderingSession``."""
        connection, key = self.connection, (part.lookup, template)
        now = self.server.monotonic()
        try:
            prepared = connection.find_prepared(key, now)
            if prepared is None:
                write = partial(rendering_text, part.lookup, template)
                prepared = await connection.learn_rendering(
                    key, self.server.text((part,)), write, now
                )
            values, complete = bound((part,), prepared.types)
            if not complete:
                raise NotRenderable("a key is none that its column can hold")
            rows: Sequence[Sequence[object]] = await prepared.statement.fetch(*values)
        except UNWRITABLE as error:
            connection.forget(key)
            raise NotRenderable(postgresql_reason(error)) from None
        return rows

    async def _find_part(self, text: str, part: LookupPart) -> Sequence[Sequence[object]]:
        """Return the rows of one lookup; raises NotMapped."""
        try:
            if not self.server.options.transaction_pooling:
                return await self._fetch(text, (part,))
            async with self.bounded():
                return await self._fetch(text, (part,))
        except asyncpg.InsufficientPrivilegeError as error:
            raise SourceRefused(postgresql_reason(error)) from None
        except NO_TABLE as error:
            tables = [stored.table for stored in part.lookup.tables]
            async with self.bounded():
                hidden = await self.connection.fetchval(_HIDDEN, tables)
            if hidden:
                raise SourceRefused("the role may not use the schema of a table") from None
            raise NotMapped(f"no table ({type(error).__name__})") from None

    async def _fetch(self, text: str, parts: Sequence[LookupPart]) -> Sequence[Sequence[object]]:
        """Run a statement with the keys of ``parts`` as its columns can hold them.

        A key that a column cannot hold is left out only by a type that was just read.
        """
        connection = self.connection
        if self.server.options.transaction_pooling:  # no statement outlives a transaction there
            connection.prepared.clear()
        anew = False
        while True:
            prepared = connection.find_prepared(text, self.server.monotonic()) if not anew else None
            learned = prepared is None
            if prepared is None:
                types_text = self.server.types_text(parts)
                prepared = await connection.learn(text, types_text, self.server.monotonic())
            values, complete = bound(parts, prepared.types)
            anew = True
            if not (complete or learned):
                continue
            try:
                rows: Sequence[Sequence[object]] = await prepared.statement.fetch(*values)
            except CHANGED:
                connection.forget(text)
                if learned:
                    raise
            else:
                return rows

    async def as_of(self) -> object:
        """Return the server's statement of its freshness, None where there is none."""
        try:
            async with self.bounded():
                if not await self.connection.fetchval(_MAY_READ):
                    return None
                return await self.connection.fetchval(_AS_OF)
        except NO_STATEMENT:
            return None

    async def tables_state(self, tables: Sequence[StoredTable]) -> str:
        """Return a digest of the present state of ``tables``."""
        async with self.bounded():
            return await postgresql_tables(self.connection, tables)

    async def rows(
        self, statement: sa.Select[Any], seconds: float | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows of a statement whose values are in its text."""
        rows: Sequence[Sequence[object]]
        try:
            async with self.bounded(), self.connection.transaction(readonly=True):
                if seconds is not None:
                    most = round(seconds * 1000)
                    await self.connection.execute(f"SET LOCAL statement_timeout = {most}")
                rows = await self.connection.fetch(as_text(statement), timeout=seconds)
        except asyncpg.QueryCanceledError as error:
            raise SourceUnavailable(postgresql_reason(error)) from None
        return rows

    async def probe(self) -> None:
        """Run the smallest statement there is."""
        await self.connection.execute("SELECT 1")

    @asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Make statements read-only and limited in time, where the connection itself is not.

        Behind a pooler two statements may reach two connections, unless a transaction binds them,
        and two servers, one after the other. Raises SourceUnavailable where the server has changed.
        """
        options = self.server.options
        if not options.transaction_pooling:
            yield
            return
        async with read_only(self.connection):
            most = round(options.statement_timeout * 1000)
            _, server = await self.connection.fetchrow(
                f"SELECT set_config('statement_timeout', '{most}', true), {self.server.says}"
            )
            if server != self.state.server:
                self.server.origins.meet(server)
                raise SourceUnavailable("another server answers than before")
            yield


@dataclass(slots=True, eq=False)
class _Loan:
    """Lends a connection for a block; see ``SqlSource.use``.

    A connection whose block ended by an error or was cancelled is not reused: asyncpg tells the
    server to stop the statement, and closing waits for that.
    """

    server: PostgresqlServer
    connection: Any = None

    async def __aenter__(self) -> PostgresqlSession:
        self.server.lent += 1
        try:
            self.connection = await self.server.connection()
        except BaseException as error:
            self.server.lent -= 1
            if isinstance(error, FAILURES):
                raise SourceUnavailable(postgresql_reason(error)) from None
            raise
        return PostgresqlSession(self.connection, self.connection.state, self.server)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.server.give_back(self.connection)
            self.server.lent -= 1
            return
        try:
            if isinstance(error, (NotMapped, SourceRefused, *SPOILT)):
                self.server.give_back(self.connection)
            else:
                await self.server.drop(self.connection)
        finally:
            self.server.lent -= 1
        if isinstance(error, FAILURES):
            raise postgresql_failure(error) from None


class PostgresqlServer:
    """The PostgreSQL database at ``url``, with at most ``pool_size`` connections.

    Connections are opened on demand, are read-only, and have a time limit that the server enforces.
    Raises ValueError for a URL or options that cannot be used.
    """

    idiom = IDIOM
    merges = True
    ends_when_cancelled = True

    def __init__(
        self,
        url: sa.URL,
        options: ServerOptions,
        *,
        pool_size: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        # Behind a pooler the zone of a session, in which moments are written, is not ours.
        self.renders = not options.transaction_pooling
        self.monotonic = monotonic
        self._texts: dict[_Lookups, str] = {}
        self._types_texts: dict[_Lookups, str] = {}
        self._address = address(url, 5432)
        self._tls = tls_context(options, self._address)
        self._pool_size = pool_size
        self.origins = Origins()
        self.says = ""
        self.lent = 0
        self._idle: list[Any] = []

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        return self.lent

    def use(self) -> _Loan:
        """Lend a connection; raises SourceUnavailable, also for errors inside the block."""
        return _Loan(self)

    def text(self, parts: Sequence[LookupPart]) -> str:
        """Return the text of the statement that finds ``parts``, compiled once."""
        return _compiled(self._texts, parts_text, parts)

    def types_text(self, parts: Sequence[LookupPart]) -> str:
        """Return a small statement with the parameters of ``parts``, compiled once."""
        return _compiled(self._types_texts, types_text, parts)

    async def connection(self) -> Any:
        """Return an idle connection, the last that was given back, or a new one.

        asyncpg's pool costs as much again as a statement (``docs/decisions``, 31), and
        ``SqlBackend`` lends no more than it may anyway.
        """
        while self._idle:
            connection = self._idle.pop()
            if self.origins.is_left(connection.state):
                connection.terminate()
            elif not connection.is_closed():
                return connection
        return await self._connect()

    def give_back(self, connection: Any) -> None:
        """Keep a connection for reuse."""
        if not connection.is_closed():
            self._idle.append(connection)

    async def drop(self, connection: Any) -> None:
        """Close a connection, within the time limit or at once."""
        connection.prepared.clear()
        try:
            await connection.close(timeout=self.options.connect_timeout)
        except FAILURES:
            connection.terminate()

    async def examine(self, lookups: Sequence[LookupStatement], thoroughly: bool) -> Examination:
        """See ``SqlSource.examine``."""
        at = self._address
        findings = unencrypted(at.host, self._tls is not None, at.local)
        async with self.use() as session, session.bounded():
            report = await examine_postgresql(session.connection, lookups)
        return replace(report, findings=(*findings, *report.findings))

    async def close(self) -> None:
        """Close all connections; those that do not close in time are terminated."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self.drop(connection) for connection in idle))

    async def _connect(self) -> Any:
        connection = await connect(self.options, self._address, self._tls)
        try:
            server, self.says = await postgresql_server(connection)
        except BaseException:
            connection.terminate()
            raise
        connection.state = self.origins.meet(server)
        return connection


def _compiled(
    texts: dict[_Lookups, str],
    compile_text: Callable[[Sequence[LookupPart]], str],
    parts: Sequence[LookupPart],
) -> str:
    lookups = tuple([(lookup, most is not None) for lookup, _, most in parts])
    text = texts.get(lookups)
    if text is None:
        text = texts[lookups] = compile_text(parts)
    return text
