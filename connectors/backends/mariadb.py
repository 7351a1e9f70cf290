"""MariaDB servers (10.11 and later) as a source: asyncmy through SQLAlchemy's pool."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

import asyncmy
import sqlalchemy as sa
from asyncmy import converters
from asyncmy.constants import FIELD_TYPE
from asyncmy.errors import Error as DriverError
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from connectors.backends.base import Examination, NotMapped, SourceRefused, SourceUnavailable
from connectors.backends.examine_mariadb import examine_mariadb
from connectors.backends.findings import unencrypted
from connectors.backends.mariadb_errors import (
    DENIED,
    FAILURES,
    NO_STATEMENT,
    NO_TABLE,
    mariadb_failure,
    mariadb_reason,
    number,
)
from connectors.backends.mariadb_keys import HERE, IDIOM, KeyTypes
from connectors.backends.origins import Origins, mariadb_server, mariadb_tables
from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import StoredTable
from connectors.backends.server import Address, ServerOptions, address, tls_context
from connectors.backends.session import Session, SourceState
from connectors.backends.statement import KEYS, LookupStatement
from connectors.tables import STATEMENT_TABLE

_TABLES = sa.table(
    "tables", *map(sa.column, ("table_schema", "table_name")), schema="information_schema"
)
_STATES = sa.select(sa.func.count()).where(
    _TABLES.c.table_schema == HERE, _TABLES.c.table_name == STATEMENT_TABLE
)
_AS_OF: sa.Executable = sa.select(sa.func.min(sa.column("as_of"))).select_from(
    sa.table(STATEMENT_TABLE)
)
_PROBE = sa.text("SELECT 1")
_BOUND = sa.text("SELECT @@SESSION.max_statement_time")
_BIND = sa.text("SET SESSION max_statement_time = :seconds")


@dataclass(slots=True)
class MariadbSession:
    """A connection on loan; see ``Session``. ``dropped``: it was interrupted and must be closed."""

    connection: AsyncConnection
    state: SourceState
    types: KeyTypes
    dropped: bool = False

    async def find(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows for ``keys``; raises NotMapped. See ``Session``."""
        try:
            columns = await self.types.columns(self.connection, lookup, keys)
            statement = columns.lookup
            select = statement.statement if places is None else statement.within(places)
            result = await self.connection.execute(select, {KEYS: columns.values(keys)})
            rows = cast("Sequence[Sequence[object]]", result.all())
        except DBAPIError as error:
            if number(error) in NO_TABLE:
                raise NotMapped(f"no table ({mariadb_reason(error)})") from None
            if number(error) in DENIED:
                raise SourceRefused(mariadb_reason(error)) from None
            raise
        return columns.spelled(keys, rows)

    async def as_of(self) -> object:
        """Return the server's statement of its freshness, None where there is none."""
        if not (await self.connection.execute(_STATES)).scalar():
            return None
        try:
            return (await self.connection.execute(_AS_OF)).scalar()
        except DBAPIError as error:
            if number(error) in NO_STATEMENT:
                return None
            raise

    async def tables_state(self, tables: Sequence[StoredTable]) -> str:
        """Return a digest of the present state of ``tables``."""
        return await mariadb_tables(self.connection, tables)

    async def rows(
        self, statement: sa.Select[Any], seconds: float | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows of a statement."""
        try:
            if seconds is None:
                result = await self.connection.execute(statement)
                return cast("Sequence[Sequence[object]]", result.all())
            bound = (await self.connection.execute(_BOUND)).scalar_one()
            await self.connection.execute(_BIND, {"seconds": seconds})
            try:
                result = await self.connection.execute(statement)
            finally:
                await self.connection.execute(_BIND, {"seconds": bound})
        except DBAPIError as error:
            raise SourceUnavailable(mariadb_reason(error)) from None
        return cast("Sequence[Sequence[object]]", result.all())

    async def probe(self) -> None:
        """Run the smallest statement there is."""
        await self.connection.execute(_PROBE)


class MariadbServer:
    """The MariaDB database at ``url``, with at most ``pool_size`` connections.

    Connections are opened on demand, are read-only, and have a time limit that the server enforces.
    ``monotonic``: the clock for the age of known column types. Raises ValueError for a URL or
    options that cannot be used.
    """

    idiom = IDIOM
    merges = False
    ends_when_cancelled = False
    renders = False

    def __init__(
        self,
        url: sa.URL,
        options: ServerOptions,
        *,
        pool_size: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._address = address(url, 3306)
        self._tls = tls_context(options, self._address)
        self._monotonic = monotonic
        self._origins = Origins()
        self._types: dict[str, KeyTypes] = {}
        self._killer = _Killer(self._connect, options.connect_timeout)
        self._engine = self._make_engine(pool_size)

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        return cast("AsyncAdaptedQueuePool", self._engine.pool).checkedout()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[MariadbSession]:
        """Lend a connection; raises SourceUnavailable, also for errors inside the block."""
        try:
            async with self._engine.connect() as connection:
                state = await self._server_state(connection)
                session = MariadbSession(connection, state, self._types_of(state))
                try:
                    yield session
                except FAILURES as error:
                    # After an error of the driver, unread data may be left on the connection.
                    is_driver_error = not isinstance(error, DBAPIError) or number(error) is None
                    session.dropped = session.dropped or is_driver_error
                    raise mariadb_failure(error) from None
                finally:
                    if session.dropped:
                        await connection.invalidate()
                        await self._killer.done()
        except FAILURES as error:
            raise SourceUnavailable(mariadb_reason(error)) from None

    async def _server_state(self, connection: AsyncConnection) -> SourceState:
        """Return the state of the server that a connection leads to.

        A connection to a server that was replaced by another is opened anew.
        """
        while True:
            raw = await connection.get_raw_connection()
            state: SourceState | None = raw.info.get("state")
            if state is None:
                state = self._origins.meet(await mariadb_server(connection))
                raw.info["state"] = state
            if not self._origins.is_left(state):
                return state
            await connection.invalidate()

    def _types_of(self, state: SourceState) -> KeyTypes:
        """Return the known types of the key columns of a server."""
        if state.server not in self._types:
            self._types[state.server] = KeyTypes(self._monotonic)
        return self._types[state.server]

    async def interrupt(self, session: Session) -> None:
        """Have the server end the statement of ``session``, and close the connection.

        The connection is never reused, so that the KILL cannot hit its next statement.
        """
        assert isinstance(session, MariadbSession)
        session.dropped = True
        inner = session.connection.sync_connection
        if inner is None or inner.invalidated:
            return
        driver = cast("Any", inner.connection.driver_connection)
        self._killer.kill(driver.thread_id())
        driver.close()

    async def examine(self, lookups: Sequence[LookupStatement], thoroughly: bool) -> Examination:
        """See ``SqlSource.examine``."""
        at = self._address
        findings = unencrypted(at.host, self._tls is not None, at.local)
        async with self.use() as session:
            report = await examine_mariadb(session.connection, lookups)
        return replace(report, findings=(*findings, *report.findings))

    async def close(self) -> None:
        """Close all connections."""
        await self._killer.done()
        await self._engine.dispose()

    def _make_engine(self, pool_size: int) -> AsyncEngine:
        engine = create_async_engine(
            "mariadb+asyncmy://",
            connect_args={"async_creator_fn": self._connect},
            poolclass=AsyncAdaptedQueuePool,
            pool_size=pool_size,
            max_overflow=0,
            # Reading needs no transaction, so there is none to roll back.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_reset_on_return=None,
            hide_parameters=True,
        )
        sa.event.listen(engine.sync_engine, "checkout", _refuse_broken)
        return engine

    async def _connect(self, *_args: object, **_more: object) -> Any:
        """Open a connection of the pool."""
        for types in self._types.values():
            types.forget()
        seconds = self._options.statement_timeout
        return await connect_mariadb(self._options, self._address, self._tls, seconds)


async def connect_mariadb(
    options: ServerOptions, at: Address, tls: ssl.SSLContext | None, seconds: float
) -> Any:
    """Open a read-only connection of the driver; moments are in UTC.

    ``seconds``: after which the server ends a statement; 0: never.
    """
    async with asyncio.timeout(options.connect_timeout):
        connection: Any = await asyncmy.connect(
            host=at.host,
            port=at.port,
            user=at.user,
            # Bytes: the driver would encode text as Latin-1.
            password=b"" if options.password is None else options.password().encode(),
            database=at.database,
            ssl=tls,
            connect_timeout=options.connect_timeout,
            charset="utf8mb4",
            conv=_CONVERSIONS,
            sql_mode="'STRICT_TRANS_TABLES'",
            autocommit=True,
            init_command="SET SESSION TRANSACTION READ ONLY",
            program_name="justice-gateway",
        )
        try:
            await connection.query(
                f"SET SESSION max_statement_time = {seconds:.3f}, time_zone = '+00:00'"
            )
        except BaseException:
            connection.close()
            raise
    return connection


class _Killer:
    """Ends connections at the server, over one connection of its own for all that wait."""

    def __init__(self, connect: Any, patience: float) -> None:
        self._connect = connect
        self._patience = patience
        self._ids: list[int] = []
        self._task: asyncio.Task[None] | None = None

    def kill(self, number: int) -> None:
        """Queue a connection to be ended; never waits."""
        self._ids.append(number)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def done(self) -> None:
        """Wait until the queue is empty, or its time is up."""
        while self._task is not None:
            await asyncio.wait((self._task,))

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(2 * self._patience):
                connection = await self._connect()
                try:
                    while self._ids:
                        with suppress(DriverError):  # it has ended already
                            await connection.query(f"KILL {self._ids.pop()}")
                finally:
                    connection.close()
        except FAILURES:
            self._ids.clear()  # the server's own limit ends what still runs
        finally:
            self._task = None


def _refuse_broken(connection: Any, _record: object, _proxy: object) -> None:
    """Make the pool replace a connection that the server has closed."""
    if connection.driver_connection._stream_broken:
        raise DisconnectionError


def _timestamp(text: str) -> object:
    """Read a TIMESTAMP, which the server gives in UTC; its zero value is unreadable.

    In another session zone, past values would get today's offset: the server may not know the
    zone's name.
    """
    moment = converters.convert_datetime(text)
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else UNREAD


_CONVERSIONS = {**converters.conversions, FIELD_TYPE.TIMESTAMP: _timestamp}
