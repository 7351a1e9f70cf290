"""The event log in a file of SQLite, which the processes of one machine share.

Write-ahead log, every commit synchronised with the disk (``synchronous = FULL``). A process has one
connection, in a thread of its own. An append costs one synchronisation, and 35 us an event beside
it; a page of 100 entries 1.5 ms. Who waits learns of an append within 50 ms.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gateway.changes.event import LifeEvent
from gateway.changes.last_appends import LastAppends
from gateway.changes.log import (
    LONGEST_LEASE,
    EventLogEntry,
    EventLogPage,
    EventLogUnavailable,
    LeaseLost,
    SourceStatus,
)
from gateway.changes.positions import (
    LogPosition,
    entry_digest,
    is_before,
    parse_position,
)
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import SealedEvents
from gateway.changes.tail import LogTail
from gateway.runtime.clock import Clock
from gateway.storage.open_sqlite_file import OpenSqliteFile
from gateway.storage.unavailable import StoreUnavailable

_Result = TypeVar("_Result")
#: Seconds between two looks at the end.
_LOOK_EVERY = 0.05
_Run = Callable[[sqlite3.Connection, str], _Result]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL);
INSERT OR IGNORE INTO log VALUES (1, lower(hex(randomblob(8))));
CREATE TABLE IF NOT EXISTS entries (
  sequence INTEGER PRIMARY KEY, appended REAL NOT NULL, entry BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS statuses (
  database TEXT PRIMARY KEY, status BLOB NOT NULL, position TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS leases (
  database TEXT PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL);"""
_LAST = "SELECT sequence, entry FROM entries ORDER BY sequence DESC LIMIT 1"
_LEASE = """INSERT INTO leases VALUES (:database, :holder, :until)
  ON CONFLICT (database) DO UPDATE SET holder = :holder, until = :until
  WHERE holder = :holder OR until <= :now OR until > :longest"""
#: Reads the entries that it deletes and no others. The last entry stays, however old: positions at
#: the end of the log are proven by it.
_TRIM = """DELETE FROM entries WHERE sequence < max(
  coalesce((SELECT sequence FROM entries WHERE appended > ? ORDER BY sequence LIMIT 1),
           (SELECT max(sequence) FROM entries)),
  (SELECT max(sequence) FROM entries) - ? + 1)"""


class SqliteEventLog:
    """An ``EventLog`` in the file at ``path``."""

    def __init__(
        self, path: Path, events: SealedEvents, clock: Clock, retention: Retention
    ) -> None:
        self._file = OpenSqliteFile(path, _SCHEMA)
        self._events, self._clock, self._retention = events, clock, retention
        self._appends = LastAppends()
        self._tail = LogTail(self._look)

    async def open(self) -> None:
        """Open nothing: the first command does."""

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await self._tail.close()
        await self._file.close()

    async def acquire(self, database: str, holder: str, seconds: float) -> bool:
        """See ``EventLog.acquire``; by the clock of the machine."""
        now = self._clock.now().timestamp()
        lease = {
            "database": database,
            "holder": holder,
            "until": now + seconds,
            "now": now,
            "longest": now + LONGEST_LEASE,
        }

        def run(connection: sqlite3.Connection, epoch: str) -> bool:
            return connection.execute(_LEASE, lease).rowcount > 0

        return self._appends.note_lease(database, await self._transact(run, writes=True))

    async def append(
        self, holder: str, events: Sequence[LifeEvent], status: SourceStatus
    ) -> SourceStatus:
        """See ``EventLog.append``: one transaction, all or nothing."""
        database, now = status.database, self._clock.now().timestamp()
        entries = [(now, self._events.seal_event(event)) for event in events]
        sealed, last = self._events.seal_status(status), self._appends.last(database)

        def run(connection: sqlite3.Connection, epoch: str) -> str | None:
            lease = "SELECT 1 FROM leases WHERE database = ? AND holder = ? AND until > ?"
            if connection.execute(lease, (database, holder, now)).fetchone() is None:
                return None
            if last is not None and _statuses(connection).get(database, (b"", ""))[0] != last:
                return None
            insert = "INSERT INTO entries (appended, entry) VALUES (?, ?)"
            connection.executemany(insert, entries)
            oldest = now - self._retention.seconds
            connection.execute(_TRIM, (oldest, self._retention.entries))
            position = str(_end(connection, epoch))
            upsert = "INSERT OR REPLACE INTO statuses VALUES (?, ?, ?)"
            connection.execute(upsert, (database, sealed, position))
            return position

        position = await self._transact(run, writes=True)
        if position is None:
            self._appends.note_lease(database, False)
            raise LeaseLost(database)
        self._appends.note_append(database, sealed)
        return replace(status, position=position)

    async def statuses(self) -> Mapping[str, SourceStatus]:
        """See ``EventLog.statuses``."""
        statuses = await self._transact(lambda connection, epoch: _statuses(connection))
        self._appends.note_read({name: sealed for name, (sealed, _) in statuses.items()})
        return {
            name: self._events.open_status(sealed, position)
            for name, (sealed, position) in statuses.items()
        }

    async def end(self) -> str:
        """See ``EventLog.end``."""
        return str(await self._transact(_end))

    async def read(self, after: str, limit: int) -> EventLogPage:
        """See ``EventLog.read``."""
        position = parse_position(after)

        def run(connection: sqlite3.Connection, epoch: str) -> list[tuple[int, bytes]]:
            first = connection.execute("SELECT min(sequence) FROM entries").fetchone()[0] or 1
            before = "SELECT entry FROM entries WHERE sequence = ?"
            entry = connection.execute(before, (position.sequence,)).fetchone()
            last = _end(connection, epoch).sequence
            position.require(epoch, None if entry is None else entry[0], first, last)
            query = """SELECT sequence, entry FROM entries WHERE sequence > ?
                       ORDER BY sequence LIMIT ?"""
            return connection.execute(query, (position.sequence, limit + 1)).fetchall()

        rows = await self._transact(run)
        return EventLogPage(
            [
                EventLogEntry(
                    str(LogPosition(position.epoch, sequence, entry_digest(entry))),
                    self._events.open_event(entry),
                )
                for sequence, entry in rows[:limit]
            ],
            is_end=len(rows) <= limit,
        )

    def is_before(self, position: str, other: str) -> bool:
        """See ``EventLog.is_before``."""
        return is_before(position, other)

    async def wait(self, after: str, seconds: float) -> None:
        """See ``EventLog.wait``."""
        await self._tail.wait(after, seconds)

    async def _transact(self, run: _Run[_Result], *, writes: bool = False) -> _Result:
        """Run a transaction with the epoch of the log."""

        def begin(connection: sqlite3.Connection) -> _Result:
            return run(connection, _epoch(connection))

        try:
            return await self._file.transact(begin, writes=writes)
        except StoreUnavailable as error:
            raise EventLogUnavailable(str(error)) from error

    async def _look(self, end: LogPosition | None, seconds: float) -> LogPosition:
        for _ in range(round(seconds / _LOOK_EVERY)):
            current = await self._transact(_end)
            if current != end:
                return current
            await asyncio.sleep(_LOOK_EVERY)
        return current


def _epoch(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT epoch FROM log").fetchone()[0])


def _end(connection: sqlite3.Connection, epoch: str) -> LogPosition:
    row = connection.execute(_LAST).fetchone()
    return (
        LogPosition(epoch, 0) if row is None else LogPosition(epoch, row[0], entry_digest(row[1]))
    )


def _statuses(connection: sqlite3.Connection) -> dict[str, tuple[bytes, str]]:
    rows = connection.execute("SELECT database, status, position FROM statuses")
    return {name: (bytes(status), position) for name, status, position in rows}
