"""PostgreSQL servers (15 and later) as a source: SQLAlchemy's text on asyncpg's connections.

SQLAlchemy's sessions cost several times what the driver does for a row (``docs/decisions``, 26), so
the statements are made into text once, with one parameter: the array of the keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg
import sqlalchemy as sa

from connectors.backends.base import Examined, NotMapped, SourceRefused, SourceUnavailable
from connectors.backends.examine_postgresql import examine_postgresql
from connectors.backends.findings import unencrypted
from connectors.backends.mapping import Stored
from connectors.backends.origins import Origins, postgresql_server, postgresql_tables
from connectors.backends.server import ServerOptions, address, tls_context, whole_numbers
from connectors.backends.session import Known, NotJoined, Session
from connectors.backends.statement import Idiom, Wanted
from connectors.tables import STATEMENT_TABLE

#: One of the keys, as ``as_text`` writes it.
_KEYS = "any($1)"
#: The array of keys goes to the server untyped: it takes the type of the column, and its index.
IDIOM = Idiom(
    lambda column: column == sa.literal_column(_KEYS),
    lambda column: sa.collate(sa.cast(column, sa.Text()), "C"),
    lambda column: sa.cast(column, sa.Text()).regexp_match("[^0-9]"),
)

_MAY_READ = f"SELECT has_table_privilege(to_regclass('{STATEMENT_TABLE}'), 'SELECT')"
_AS_OF = f"SELECT min(as_of) FROM {STATEMENT_TABLE}"  # noqa: S608 - the name is a constant

#: What turns a statement into text.
_DIALECT = sa.make_url("postgresql+asyncpg://").get_dialect()()
_BITS = {"int2[]": 16, "int4[]": 32, "int8[]": 64}
#: Types that the driver makes of text as well, and that hold it as something else.
_NO_TEXT = {"numeric[]", "money[]", "bytea[]"}
#: Tables of these names that stand in a schema which the role may not use: PostgreSQL passes over
#: such schemas as if they were not there.
_HIDDEN = """
    SELECT EXISTS (SELECT FROM pg_class WHERE relname = any($1) AND relkind = any('{r,v,m,f,p}')
                   AND NOT has_schema_privilege(relnamespace, 'USAGE'))
"""
_NO_TABLE = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)
#: What drivers raise, and what they let through: of sockets, of TLS, of values beyond Python's.
_FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EOFError,
    ValueError,
    OverflowError,
)


@dataclass(slots=True)
class PostgresqlSession:
    """A connection on loan; see ``Session``. ``task``: in which it is used."""

    connection: Any
    known: Known
    task: asyncio.Task[Any]
    server: PostgresqlServer

    async def find(self, wanted: Wanted, keys: Sequence[str]) -> Sequence[Sequence[object]]:
        """Return the rows for ``keys``; raises NotMapped."""
        try:
            if not self.server.options.transaction_pooling:
                return await self._find(wanted, keys)
            async with self.bounded():
                return await self._find(wanted, keys)
        except asyncpg.InsufficientPrivilegeError as error:
            raise SourceRefused(_reason(error)) from None
        except _NO_TABLE as error:
            async with self.bounded():
                hidden = await self.connection.fetchval(_HIDDEN, [t.table for t in wanted.tables])
            if hidden:
                raise SourceRefused("the role may not use the schema of a table") from None
            raise NotMapped(f"no table ({type(error).__name__})") from None

    async def _find(self, wanted: Wanted, keys: Sequence[str]) -> Sequence[Sequence[object]]:
        text, bits = await self._prepared(wanted)
        given = whole_numbers(wanted, keys, bits) if bits else keys
        found: Sequence[Sequence[object]] = await self.connection.fetch(text, given)
        return found

    async def find_together(
        self, parts: Sequence[tuple[Wanted, Sequence[str]]]
    ) -> Sequence[Sequence[Sequence[object]]]:
        """Return the rows for each part, by one statement; see ``Session``."""
        try:
            async with self.bounded():
                given = []
                for wanted, keys in parts:
                    _, bits = await self._prepared(wanted)
                    given.append(whole_numbers(wanted, keys, bits) if bits else keys)
                joined = self.server.joined(tuple(wanted for wanted, _ in parts))
                rows: Sequence[Sequence[Sequence[Sequence[object]]]]
                rows = await self.connection.fetch(joined, *given)
                (found,) = rows
        except (SourceUnavailable, *_FAILURES) as error:
            if self.connection.is_closed():
                raise
            raise NotJoined(_reason(error)) from None
        return found

    async def as_of(self) -> object:
        """Return what the server states of itself, None for nothing."""
        async with self.bounded():
            if not await self.connection.fetchval(_MAY_READ):
                return None
            return await self.connection.fetchval(_AS_OF)

    async def tables_state(self, tables: Sequence[Stored]) -> str:
        """Return what stands for ``tables`` as they are."""
        async with self.bounded():
            return await postgresql_tables(self.connection, tables)

    async def rows(
        self, statement: sa.Select[Any], seconds: float | None = None
    ) -> Sequence[Sequence[object]]:
        """Return what a statement finds; its values stand in its text."""
        found: Sequence[Sequence[object]]
        try:
            async with self.bounded(), self.connection.transaction(readonly=True):
                if seconds is not None:
                    most = round(seconds * 1000)
                    await self.connection.execute(f"SET LOCAL statement_timeout = {most}")
                found = await self.connection.fetch(as_text(statement), timeout=seconds)
        except asyncpg.QueryCanceledError as error:
            raise SourceUnavailable(_reason(error)) from None
        return found

    async def probe(self) -> None:
        """Ask for nothing but an answer."""
        await self.connection.execute("SELECT 1")

    @asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """See to it that statements only read, for so long only, where the connection can't.

        Behind a pooler two statements may reach two connections, unless a transaction binds them:
        and two servers, one after the other. Raises SourceUnavailable where it is another one now.
        """
        options = self.server.options
        if not options.transaction_pooling:
            yield
            return
        async with self.connection.transaction(readonly=True):
            most = round(options.statement_timeout * 1000)
            _, server = await self.connection.fetchrow(
                f"SELECT set_config('statement_timeout', '{most}', true), {self.server.says}"
            )
            if server != self.known.server:
                self.server.origins.meet(server)
                raise SourceUnavailable("another server answers than before")
            yield

    async def _prepared(self, wanted: Wanted) -> tuple[str, int | None]:
        """Return the text of ``wanted``, and of how many bits its keys are: None for text."""
        kept = self.server.prepared.get(wanted)
        if kept is None:
            text = _text(wanted)
            (keys,) = (await self.connection.prepare(text)).get_parameters()
            if keys.name in _NO_TEXT:
                raise SourceUnavailable(f"keys are kept as {keys.name}")
            kept = self.server.prepared[wanted] = text, _BITS.get(keys.name)
        return kept


@dataclass(slots=True, eq=False)
class _Loan:
    """Lends a connection for a block; see ``SqlSource.use``.

    A connection whose block ended by an error or was cancelled is not lent again: asyncpg tells the
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
            if isinstance(error, _FAILURES):
                raise SourceUnavailable(_reason(error)) from None
            raise
        task = asyncio.current_task()
        assert task is not None  # what is awaited runs in a task
        known = self.server.known_of[self.connection]
        return PostgresqlSession(self.connection, known, task, self.server)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None or isinstance(error, NotMapped | SourceRefused):
                self.server.give_back(self.connection)
            else:
                await self.server.drop(self.connection)
        finally:
            self.server.lent -= 1
        if isinstance(error, _FAILURES):
            raise SourceUnavailable(_reason(error)) from None


class PostgresqlServer:
    """The PostgreSQL database at ``url``, of which at most ``pool_size`` connections are used.

    Connections are made when they are needed, only read, and bound in time by the server itself.
    Raises ValueError for a URL or options that cannot be used.
    """

    idiom = IDIOM
    joins = True

    def __init__(self, url: sa.URL, options: ServerOptions, *, pool_size: int) -> None:
        self.options = options
        self.prepared: dict[Wanted, tuple[str, int | None]] = {}
        self._joined: dict[tuple[Wanted, ...], str] = {}
        self._address = address(url, 5432)
        self._tls = tls_context(options, self._address)
        self._pool_size = pool_size
        self.origins = Origins()
        self.known_of: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()
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

    def joined(self, wanted: tuple[Wanted, ...]) -> str:
        """Return the text of one statement for all of ``wanted``, made once."""
        if wanted not in self._joined:
            self._joined[wanted] = _joined(wanted)
        return self._joined[wanted]

    async def connection(self) -> Any:
        """Return a connection that nobody uses, the last that was given back, or a new one.

        asyncpg's pool costs as much again as a statement (``docs/decisions``, 31), and
        ``SqlBackend`` lends no more than it may anyway.
        """
        while self._idle:
            connection = self._idle.pop()
            if self.origins.is_left(self.known_of[connection]):
                connection.terminate()
            elif not connection.is_closed():
                return connection
        return await self._connect()

    def give_back(self, connection: Any) -> None:
        """Keep a connection for the next."""
        if not connection.is_closed():
            self._idle.append(connection)

    async def drop(self, connection: Any) -> None:
        """Close a connection, in time or at once."""
        try:
            await connection.close(timeout=self.options.connect_timeout)
        except _FAILURES:
            connection.terminate()

    async def interrupt(self, session: Session) -> None:
        """Cancel what runs in ``session``, at the server as well."""
        assert isinstance(session, PostgresqlSession)
        session.task.cancel()

    async def examine(self, wanted: Sequence[Wanted], thoroughly: bool) -> Examined:
        """See ``SqlSource.examine``."""
        at = self._address
        found = unencrypted(at.host, self._tls is not None, at.local)
        async with self.use() as session, session.bounded():
            seen = await examine_postgresql(session.connection, wanted, _text)
        return replace(seen, findings=(*found, *seen.findings))

    async def close(self) -> None:
        """Close all connections; those that do not say goodbye in time are dropped."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(self.drop(one) for one in idle))

    async def _connect(self) -> Any:
        pooled = self.options.transaction_pooling
        at = self._address
        connection = await asyncpg.connect(
            host=at.host,
            port=at.port,
            user=at.user,
            database=at.database,
            password=self.options.password or "",
            ssl=self._tls or False,
            timeout=self.options.connect_timeout,
            statement_cache_size=0 if pooled else 200,
            max_cacheable_statement_size=0,  # no bound: those of wide records are long
            server_settings={} if pooled else self._session_settings(),
        )
        try:
            await _strip_padding(connection)
            server, self.says = await postgresql_server(connection)
            self.known_of[connection] = self.origins.meet(server)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _session_settings(self) -> dict[str, str]:
        """What the server holds each connection to, from its first statement on."""
        return {
            "application_name": "justice-gateway",
            "default_transaction_read_only": "on",
            "statement_timeout": str(round(self.options.statement_timeout * 1000)),
            "TimeZone": "UTC",
            "DateStyle": "ISO",
            "jit": "off",
            # Arrays of keys are planned anew each time otherwise, which takes longer than to run.
            "plan_cache_mode": "force_generic_plan",
        }


async def _strip_padding(connection: Any) -> None:
    """Read CHAR(n) without the blanks that fill it up: 9-digit numbers in CHAR(12) are numbers."""
    async with connection.transaction(readonly=True):
        await connection.set_type_codec(
            "bpchar", schema="pg_catalog", encoder=str, decoder=lambda text: text.rstrip(" ")
        )


def _text(wanted: Wanted) -> str:
    """Return a lookup's statement as text, with the one parameter ``$1``."""
    return as_text(wanted.statement)


def _joined(wanted: Sequence[Wanted]) -> str:
    """Return one statement for all of ``wanted``: one row, in which each has its rows as an array.

    The parameters are ``$1``, ``$2`` and on, in their order.
    """
    arrays = []
    for place, one in enumerate(wanted, start=1):
        statement = one.statement
        row = sa.func.row(*statement.selected_columns)
        text = as_text(statement.with_only_columns(row)).replace(_KEYS, f"any(${place})")
        arrays.append(f"ARRAY({text})")
    return f"SELECT {', '.join(arrays)}"


def as_text(statement: sa.Select[Any]) -> str:
    """Return a statement with all its values in its text."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _reason(error: BaseException) -> str:
    """Name the error, without its text: that may repeat values."""
    return type(error).__name__
