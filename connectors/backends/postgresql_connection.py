"""Connections to PostgreSQL servers: their settings, codecs and prepared statements."""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import asyncpg

from connectors.backends.readers import UNREAD
from connectors.backends.server import Address, ServerOptions
from connectors.backends.session import SourceState

#: The day, and the moment, from which PostgreSQL counts.
_DAY = date(2000, 1, 1).toordinal()
_MOMENT, _MOMENT_UTC = datetime(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC)  # noqa: DTZ001 - naive
#: Seconds for which the known types of a prepared statement are valid.
_TYPES_KEPT = 5.0
#: Prepared statements that a connection keeps. A server keeps a megabyte of each.
_STATEMENTS = 64


@dataclass(slots=True)
class PreparedStatement:
    """A prepared statement. ``types``: of its parameters; ``checked``: when read (monotonic)."""

    statement: Any
    types: tuple[str, ...]
    checked: float


class PostgresConnection(asyncpg.Connection):  # type: ignore[misc] # asyncpg has no types
    """asyncpg's connection, with its prepared statements.

    ``state``: of the server that it leads to. ``prepared``: by their text, or by what they
    are written for; the last used at the end; the server
    drops those that are no longer kept.
    """

    __slots__ = ("prepared", "state")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.state = SourceState()
        self.prepared: OrderedDict[Hashable, PreparedStatement] = OrderedDict()

    def find_prepared(self, key: Hashable, now: float) -> PreparedStatement | None:
        """Return a statement that is prepared and whose types are valid. ``now``: monotonic."""
        prepared = self.prepared.get(key)
        if prepared is None or now - prepared.checked >= _TYPES_KEPT:
            return None
        self.prepared.move_to_end(key)
        return prepared

    async def learn(self, text: str, types_text: str, now: float) -> PreparedStatement:
        """Return a prepared statement whose types have just been read.

        ``types_text``: a smaller statement with parameters of the same types. ``now``: monotonic
        seconds.

        Types are read again every few seconds, by one message: the server does not tell when a
        column changes, and a parameter keeps its type. The statement and its plan are kept where
        nothing has changed.
        """
        prepared = self.prepared.get(text)
        if prepared is not None and prepared.types == _types(await self.prepare(types_text)):
            prepared.checked = now
            return prepared
        return await self._keep(text, text, now)

    async def learn_rendering(
        self,
        key: Hashable,
        columns_text: str,
        write: Callable[[Mapping[str, str]], str],
        now: float,
    ) -> PreparedStatement:
        """Return a prepared statement whose text depends on types that have just been read.

        ``columns_text``: a statement with the columns concerned. ``write`` returns the text for the
        types of columns by their names. ``now``: monotonic seconds.
        """
        columns = await self.prepare(columns_text)
        text = write({column.name: column.type.name for column in columns.get_attributes()})
        prepared = self.prepared.get(key)
        if prepared is not None and prepared.statement.get_query() == text:
            prepared.checked = now
            return prepared
        return await self._keep(key, text, now)

    async def _keep(self, key: Hashable, text: str, now: float) -> PreparedStatement:
        statement = await self.prepare(text)
        prepared = self.prepared[key] = PreparedStatement(statement, _types(statement), now)
        self.prepared.move_to_end(key)
        while len(self.prepared) > _STATEMENTS:
            self.prepared.popitem(last=False)
        return prepared

    def forget(self, key: Hashable) -> None:
        """Keep a statement no longer."""
        self.prepared.pop(key, None)


@asynccontextmanager
async def read_only(connection: Any) -> AsyncIterator[None]:
    """Run a block in a transaction that only reads.

    Whoever is cancelled in it leaves at once: the connection is closed then, so that nothing has to
    be rolled back.
    """
    transaction = connection.transaction(readonly=True)
    await transaction.start()
    try:
        yield
    except Exception:
        await transaction.rollback()
        raise
    else:
        await transaction.commit()


def _types(statement: Any) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in statement.get_parameters())


async def connect(
    options: ServerOptions, at: Address, tls: ssl.SSLContext | None
) -> PostgresConnection:
    """Open a read-only connection whose statements the server ends in time."""
    pooled = options.transaction_pooling
    connection: PostgresConnection = await asyncpg.connect(
        host=at.host,
        port=at.port,
        user=at.user,
        database=at.database,
        password=options.password or "",
        ssl=tls or False,
        timeout=options.connect_timeout,
        connection_class=PostgresConnection,
        statement_cache_size=0 if pooled else 200,
        max_cacheable_statement_size=0,  # no bound: those of wide records are long
        server_settings={} if pooled else _session_settings(options),
    )
    try:
        await _set_codecs(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _session_settings(options: ServerOptions) -> dict[str, str]:
    """Return the settings of a session, in force from its first statement on."""
    return {
        "application_name": "justice-gateway",
        "default_transaction_read_only": "on",
        "statement_timeout": str(round(options.statement_timeout * 1000)),
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "jit": "off",
        # Arrays of keys are planned anew each time otherwise, which takes longer than to run.
        "plan_cache_mode": "force_generic_plan",
    }


async def _set_codecs(connection: Any) -> None:
    """Set decoders for values that Python's types cannot hold, or would change.

    CHAR(n) is read without its padding: 9-digit numbers in CHAR(12) are numbers. NUMERIC is read as
    the server writes it: the driver would make 1.50E+6 of 1500000. A date outside
    Python's range, or an infinite one, is unreadable: the driver would fail for all rows, or turn
    infinity into the last day of the year 9999.
    """
    async with read_only(connection):
        await connection.set_type_codec(
            "bpchar", schema="pg_catalog", encoder=str, decoder=lambda text: text.rstrip(" ")
        )
        await connection.set_type_codec(
            "numeric", schema="pg_catalog", encoder=str, decoder=Decimal
        )
        for name, read in _READ.items():
            await connection.set_type_codec(
                name, schema="pg_catalog", encoder=_encode, decoder=read, format="tuple"
            )


def _encode(value: object) -> object:
    raise TypeError("no statement has such a parameter")


@lru_cache(maxsize=1 << 15)  # 90 years of days; asyncpg calls it for every date of every row
def _day(counted: tuple[int]) -> object:
    try:
        return date.fromordinal(_DAY + counted[0])
    except (ValueError, OverflowError):
        return UNREAD


def _moment(counted: tuple[int]) -> object:
    try:
        return _MOMENT + timedelta(microseconds=counted[0])
    except OverflowError:
        return UNREAD


def _moment_utc(counted: tuple[int]) -> object:
    try:
        return _MOMENT_UTC + timedelta(microseconds=counted[0])
    except OverflowError:
        return UNREAD


_READ: Mapping[str, Callable[[tuple[int]], object]] = {
    "date": _day,
    "timestamp": _moment,
    "timestamptz": _moment_utc,
}
