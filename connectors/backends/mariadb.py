"""MariaDB servers (10.11 and later) as a source, by asyncmy through SQLAlchemy's pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import asyncmy
import sqlalchemy as sa
from asyncmy.errors import Error as DriverError
from sqlalchemy.dialects.mysql import CHAR
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from connectors.backends.base import Examined, NotMapped, SourceRefused, SourceUnavailable
from connectors.backends.examine_mariadb import examine_mariadb
from connectors.backends.findings import unencrypted
from connectors.backends.mapping import Stored
from connectors.backends.origins import Origins, mariadb_server, mariadb_tables
from connectors.backends.server import ServerOptions, address, tls_context, whole_numbers
from connectors.backends.session import Known, Session
from connectors.backends.statement import KEYS, Idiom, Wanted, in_keys
from connectors.tables import STATEMENT_TABLE

#: Columns compare as their collation says, which finds "Hoa" and "hòa" for "hoa", by the index;
#: which of them are meant is said once more, by the letters alone.
IDIOM = Idiom(
    in_keys,
    lambda column: sa.collate(sa.cast(column, CHAR(charset="utf8mb4")), "utf8mb4_nopad_bin"),
    lambda column: sa.cast(column, CHAR(charset="utf8mb4")).regexp_match("[^0-9]"),
)

_HERE = sa.func.database()
_COLUMNS = sa.table(
    "columns",
    *map(sa.column, ("table_schema", "table_name", "column_name", "data_type")),
    schema="information_schema",
)
_TABLES = sa.table(
    "tables", *map(sa.column, ("table_schema", "table_name")), schema="information_schema"
)
_STATES = sa.select(sa.func.count()).where(
    _TABLES.c.table_schema == _HERE, _TABLES.c.table_name == STATEMENT_TABLE
)
_AS_OF: sa.Executable = sa.select(sa.func.min(sa.column("as_of"))).select_from(
    sa.table(STATEMENT_TABLE)
)
_PROBE = sa.text("SELECT 1")
_BOUND = sa.text("SELECT @@SESSION.max_statement_time")
_BIND = sa.text("SET SESSION max_statement_time = :seconds")

_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "uuid"} | {
    "binary",
    "varbinary",
}
#: The server's numbers for: no such table, no such database.
_NO_TABLE = {1146, 1049}
#: The server's numbers for: a table, a column that the user may not read.
_DENIED = {1142, 1143}
_FAILURES = (SQLAlchemyError, DriverError, OSError, TimeoutError, EOFError, ValueError)


@dataclass(slots=True)
class MariadbSession:
    """A connection on loan; see ``Session``. ``dropped``: it was interrupted, and is to close."""

    connection: AsyncConnection
    known: Known
    bits: dict[Wanted, int | None]
    dropped: bool = False

    async def find(self, wanted: Wanted, keys: Sequence[str]) -> Sequence[Sequence[object]]:
        """Return the rows for ``keys``; raises NotMapped."""
        try:
            bits = await self._bits(wanted)
            some: list[Any] = whole_numbers(wanted, keys, bits) if bits else list(keys)
            found = await self.connection.execute(wanted.statement, {KEYS: some})
        except DBAPIError as error:
            if _number(error) in _NO_TABLE:
                raise NotMapped(f"no table ({_reason(error)})") from None
            if _number(error) in _DENIED:
                raise SourceRefused(_reason(error)) from None
            raise
        return cast("Sequence[Sequence[object]]", found.all())

    async def as_of(self) -> object:
        """Return what the server states of itself, None for nothing."""
        self.bits.clear()  # what was learnt of the tables is learnt anew as often as this is asked
        if not (await self.connection.execute(_STATES)).scalar():
            return None
        return (await self.connection.execute(_AS_OF)).scalar()

    async def tables_state(self, tables: Sequence[Stored]) -> str:
        """Return what stands for ``tables`` as they are."""
        return await mariadb_tables(self.connection, tables)

    async def rows(
        self, statement: sa.Select[Any], seconds: float | None = None
    ) -> Sequence[Sequence[object]]:
        """Return what a statement finds."""
        try:
            if seconds is None:
                found = await self.connection.execute(statement)
                return cast("Sequence[Sequence[object]]", found.all())
            bound = (await self.connection.execute(_BOUND)).scalar_one()
            await self.connection.execute(_BIND, {"seconds": seconds})
            try:
                found = await self.connection.execute(statement)
            finally:
                await self.connection.execute(_BIND, {"seconds": bound})
        except DBAPIError as error:
            raise SourceUnavailable(_reason(error)) from None
        return cast("Sequence[Sequence[object]]", found.all())

    async def probe(self) -> None:
        """Ask for nothing but an answer."""
        await self.connection.execute(_PROBE)

    async def _bits(self, wanted: Wanted) -> int | None:
        """Return of how many bits the keys are, None for text.

        Raises SourceUnavailable for other types: MariaDB would compare them with text all the
        same, each in a way of its own.
        """
        if wanted in self.bits:
            return self.bits[wanted]
        holder = wanted.holder
        found = await self.connection.execute(
            sa.select(_COLUMNS.c.data_type).where(
                _COLUMNS.c.table_schema == (holder.schema or _HERE),
                _COLUMNS.c.table_name == holder.table,
                _COLUMNS.c.column_name.in_(wanted.keys),
            )
        )
        types = {str(one).lower() for one in found.scalars()}
        if not types:
            return None  # the statement says what is not there
        if not (types <= _TEXTS or types <= _BITS.keys()):
            raise SourceUnavailable(f"keys are kept as {', '.join(sorted(types))}")
        self.bits[wanted] = None if types <= _TEXTS else min(_BITS[one] for one in types)
        return self.bits[wanted]


class MariadbServer:
    """The MariaDB database at ``url``, of which at most ``pool_size`` connections are used.

    Connections are made when they are needed, only read, and bound in time by the server itself.
    ``zone``: in which the server gives its TIMESTAMPs. Raises ValueError for a URL or options that
    cannot be used.
    """

    idiom = IDIOM
    joins = False

    def __init__(
        self, url: sa.URL, options: ServerOptions, *, pool_size: int, zone: str | None = None
    ) -> None:
        self._options = options
        self._address = address(url, 3306)
        self._tls = tls_context(options, self._address)
        self._zone = None if zone is None else ZoneInfo(zone)
        self._origins = Origins()
        self._bits: dict[Wanted, int | None] = {}
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
                session = MariadbSession(connection, await self._met(connection), self._bits)
                try:
                    yield session
                finally:
                    if session.dropped:
                        await connection.invalidate()
                        await self._killer.done()
        except _FAILURES as error:
            raise SourceUnavailable(_reason(error)) from None

    async def _met(self, connection: AsyncConnection) -> Known:
        """Return what is known of the server that a connection leads to.

        A connection to a server that another took the place of is made anew.
        """
        while True:
            raw = await connection.get_raw_connection()
            known: Known | None = raw.info.get("known")
            if known is None:
                known = self._origins.meet(await mariadb_server(connection))
                raw.info["known"] = known
            if not self._origins.is_left(known):
                return known
            await connection.invalidate()

    async def interrupt(self, session: Session) -> None:
        """Have the server end the statement that runs in ``session``, and close the connection.

        The connection never comes back, so that what ends the statement can't meet the next one.
        """
        assert isinstance(session, MariadbSession)
        session.dropped = True
        inner = session.connection.sync_connection
        if inner is None or inner.invalidated:
            return
        driver = cast("Any", inner.connection.driver_connection)
        self._killer.kill(driver.thread_id())
        driver.close()

    async def examine(self, wanted: Sequence[Wanted], thoroughly: bool) -> Examined:
        """See ``SqlSource.examine``."""
        at = self._address
        found = unencrypted(at.host, self._tls is not None, at.local)
        async with self.use() as session:
            seen = await examine_mariadb(session.connection, wanted)
        return replace(seen, findings=(*found, *seen.findings))

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
        """Make a connection that only reads, and whose statements the server ends in time."""
        options, at = self._options, self._address
        async with asyncio.timeout(options.connect_timeout):
            connection: Any = await asyncmy.connect(
                host=at.host,
                port=at.port,
                user=at.user,
                # Bytes: of text the driver would take the Latin-1 form.
                password=b"" if options.password is None else options.password().encode(),
                database=at.database,
                ssl=self._tls,
                connect_timeout=options.connect_timeout,
                charset="utf8mb4",
                sql_mode="'STRICT_TRANS_TABLES'",
                autocommit=True,
                init_command="SET SESSION TRANSACTION READ ONLY",
                program_name="justice-gateway",
            )
            try:
                await connection.query(
                    f"SET SESSION max_statement_time = {options.statement_timeout:.3f}, "
                    f"time_zone = '{self._offset()}'"
                )
            except BaseException:
                connection.close()
                raise
        return connection

    def _offset(self) -> str:
        """Return the zone's hours as they are now: the server may not know its name."""
        offset = "+0000" if self._zone is None else datetime.now(self._zone).strftime("%z")
        return f"{offset[:3]}:{offset[3:]}"


class _Killer:
    """Ends connections at the server, by one of its own, all that are waiting at once."""

    def __init__(self, connect: Any, patience: float) -> None:
        self._connect = connect
        self._patience = patience
        self._ids: list[int] = []
        self._task: asyncio.Task[None] | None = None

    def kill(self, number: int) -> None:
        """Have the connection of this number ended; never waits."""
        self._ids.append(number)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def done(self) -> None:
        """Wait until nothing is left to end, or it could not be done in time."""
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
        except _FAILURES:
            self._ids.clear()  # the server's own limit ends what still runs
        finally:
            self._task = None


def _refuse_broken(connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool take another connection for one that the server has closed."""
    if connection.driver_connection._stream_broken:
        raise DisconnectionError


def _number(error: BaseException) -> int | None:
    """Return the server's number of an error."""
    original = error.orig if isinstance(error, DBAPIError) else error
    number = original.args[0] if original is not None and original.args else None
    return number if isinstance(number, int) else None


def _reason(error: BaseException) -> str:
    """Name the error and its number, without its text: that may repeat values."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig else error
    number = _number(error)
    return type(original).__name__ if number is None else f"{type(original).__name__} {number}"
