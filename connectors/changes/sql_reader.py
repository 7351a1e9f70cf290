"""What change sources over SQL share: a read-only connection, the server's clock, rows by id."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from connectors.backends.base import NotMapped, SourceUnavailable
from connectors.backends.calls import SourceCalls
from connectors.backends.record_maps import RecordMap, StoredTable, map_records
from connectors.backends.server import ServerOptions
from connectors.backends.session import Session
from connectors.backends.sql import sql_source
from connectors.backends.statement import LookupStatement, lookup_statement
from connectors.changes.replication import is_mariadb_replica, is_subscriber
from connectors.description import Database, Lookup, Record, Row, Text

_T = TypeVar("_T")

#: Seconds that a statement over a table may take.
_SECONDS = 30.0
#: Seconds to wait for another's lock on a file.
_BUSY = 5.0
#: The clock of a server before its statement sees anything. A standby is as late as what it has
#: replayed.
_CLOCKS = {
    "postgresql": "CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() "
    "ELSE now() END",
    "mariadb": "UTC_TIMESTAMP(6)",
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%f', 'now')",
}


class SourceClock(NamedTuple):
    """Until when a source has all that was committed (UTC), and whether it says so itself."""

    moment: datetime
    is_stated: bool

    def require_statement(self, was_stated: bool) -> None:
        """Raise SourceUnavailable where the source no longer says how fresh it is.

        A copy without its statement may be one that is being loaded: nothing is known of it then.
        """
        if was_stated and not self.is_stated:
            raise SourceUnavailable("the source no longer says how fresh it is")


class SqlReader:
    """Reads the tables of ``database`` behind a URL, by one connection.

    Arguments are those of ``SqlBackend``; raises ValueError as it does.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        server: ServerOptions | None = None,
        maps: Mapping[str, RecordMap] | None = None,
        zone: str | None = None,
    ) -> None:
        source = sql_source(url, 1, _BUSY, server or ServerOptions(), time.monotonic, time.time)
        self.database = database
        self.make = sa.make_url(url).get_backend_name()
        self.idiom = source.idiom
        self.stored = map_records(database, maps, zone)
        self._source = source
        self._calls = SourceCalls(source, 1)
        self._by_identity: dict[Record, LookupStatement] = {}

    def followed(self, records: Sequence[str] | None) -> dict[str, StoredTable]:
        """Return the tables of ``records``, of all where None.

        Raises ValueError for one that the database does not keep.
        """
        for name in records or ():
            if name not in self.stored:
                raise ValueError(f"{self.database.name} keeps no record {name}")
        return {n: table for n, table in self.stored.items() if records is None or n in records}

    async def run(self, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """Run ``work`` with the connection; raises SourceUnavailable."""
        return await self._calls.run(work)

    async def close(self) -> None:
        """Close the connection, once ``work`` has ended."""
        await self._calls.close()
        await self._source.close()

    async def clock(
        self, session: Session, relations: Sequence[sa.TableClause] = ()
    ) -> SourceClock:
        """Return the clock of the source: what was committed before can be seen from now on.

        That of the server, or how fresh the source says it is, where that is earlier: a copy that
        is loaded once a night has today's clock and yesterday's rows. To be read before any row.
        Raises SourceUnavailable where the source does not know, or says what cannot be read.
        ``relations``: what will be read; a copy has to state its freshness.
        """
        clock: sa.ColumnElement[Any] = sa.literal_column(_CLOCKS[self.make])
        ((value,),) = await session.rows(sa.select(clock.label("clock")))
        moment = as_moment(value)
        if moment is None:
            raise SourceUnavailable("a standby that has replayed nothing has no clock")
        statement = await session.as_of()
        if statement is None:
            await self._require_original(session, relations)
            return SourceClock(moment, is_stated=False)
        as_of = as_moment(statement, None)
        if as_of is None:
            raise SourceUnavailable("source_statement.as_of is no moment with a zone")
        return SourceClock(min(moment, as_of), is_stated=True)

    async def _require_original(
        self, session: Session, relations: Sequence[sa.TableClause]
    ) -> None:
        """Raise SourceUnavailable for what is recognised as a copy: its clock is its machine's.

        How far it has replicated, it shows only to those who may administer it.
        """
        if await self.is_mariadb_replica(session):
            raise SourceUnavailable(
                "a replica, a server that was one, or a node of a cluster of MariaDB has to state "
                "source_statement.as_of"
            )
        if relations and self.make == "postgresql" and await is_subscriber(session, relations):
            raise SourceUnavailable("what a subscription writes needs source_statement.as_of")

    async def is_mariadb_replica(self, session: Session) -> bool:
        """Return whether the server is a replica of MariaDB, was one, or is a node of a cluster."""
        return self.make == "mariadb" and await is_mariadb_replica(session)

    async def find_rows(
        self, session: Session, record: Record, identities: Sequence[str]
    ) -> dict[str, Row | str]:
        """Return rows by identity: the row, or why it cannot be read; none where there is none."""
        stored = self.stored[record.name]
        if record not in self._by_identity:
            lookup = Lookup("_by_identity", Text("", ""), (record.identity,))
            self._by_identity[record] = lookup_statement(self.idiom, stored, lookup)
        try:
            rows = await session.find(self._by_identity[record], list(dict.fromkeys(identities)))
        except NotMapped as error:
            raise SourceUnavailable(str(error)) from None
        return dict(zip([str(row[0]) for row in rows], stored.decode(rows), strict=True))


async def select(session: Session, statement: sa.Select[Any]) -> Sequence[Sequence[object]]:
    """Run a statement over a table; raises SourceUnavailable."""
    return await session.rows(statement, _SECONDS)


def as_moment(value: object, zone: Any = UTC) -> datetime | None:
    """Return a value of a driver as a moment in UTC; None for what is none.

    ``zone``: of values without one; None: such a value is no moment.
    """
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            return None if zone is None else moment.replace(tzinfo=zone).astimezone(UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def table_of(name: str, *columns: str) -> sa.TableClause:
    """Return a table, ``schema.table`` outside the default schema."""
    schema, _, table = name.rpartition(".")
    return sa.table(table, *map(sa.column, columns), schema=schema or None)


def stored_table(stored: StoredTable) -> sa.TableClause:
    """Return the table of a record."""
    return sa.table(stored.table, schema=stored.schema)
