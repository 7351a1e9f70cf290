"""Tickets in a file of SQLite, which the processes of one machine share.

Each call opens the file anew, in a thread: tickets are few. Nothing is made before the first is
left.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from gateway.tickets.store import SealedTicket, StoreUnavailable

_Result = TypeVar("_Result")
_TABLE = """CREATE TABLE IF NOT EXISTS tickets (
  id TEXT PRIMARY KEY, client TEXT NOT NULL, value BLOB NOT NULL, expires REAL NOT NULL,
  due REAL)"""
#: Seconds that a call waits for another process.
_PATIENCE = 2.0


class SqliteTickets:
    """A ``gateway.tickets.store.TicketStore`` in the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def close(self) -> None:
        """Close nothing: no connection stays open."""

    async def put(self, ticket: SealedTicket, now: float, most: int, most_of_client: int) -> bool:
        """See ``TicketStore.put``."""

        def run(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM tickets WHERE expires <= ?", (now,))
            count = "SELECT count(*), count(*) FILTER (WHERE client = ?) FROM tickets"
            in_all, of_client = connection.execute(count, (ticket.client,)).fetchone()
            if in_all >= most or of_client >= most_of_client:
                return False
            connection.execute(
                "INSERT INTO tickets (id, client, value, expires, due) VALUES (?, ?, ?, ?, ?)",
                (ticket.id, ticket.client, ticket.value, ticket.expires, now),
            )
            return True

        return await self._in_thread(run, False, makes=True)

    async def get(self, ticket_id: str, now: float) -> bytes | None:
        """See ``TicketStore.get``."""

        def run(connection: sqlite3.Connection) -> bytes | None:
            query = "SELECT value FROM tickets WHERE id = ? AND expires > ?"
            row = connection.execute(query, (ticket_id, now)).fetchone()
            return None if row is None else bytes(row[0])

        return await self._in_thread(run, None)

    async def replace(self, ticket_id: str, value: bytes, due: float | None) -> None:
        """See ``TicketStore.replace``."""

        def run(connection: sqlite3.Connection) -> None:
            update = "UPDATE tickets SET value = ?, due = ? WHERE id = ?"
            connection.execute(update, (value, due, ticket_id))

        await self._in_thread(run, None)

    async def take(self, ticket_id: str, client: str) -> bool:
        """See ``TicketStore.take``."""

        def run(connection: sqlite3.Connection) -> bool:
            delete = connection.execute("DELETE FROM tickets WHERE id = ?", (ticket_id,))
            return delete.rowcount > 0

        return await self._in_thread(run, False)

    async def due(self, now: float, most: int) -> Sequence[str]:
        """See ``TicketStore.due``."""

        def run(connection: sqlite3.Connection) -> list[str]:
            query = """SELECT id FROM tickets WHERE due <= ? AND expires > ?
                       ORDER BY due LIMIT ?"""
            return [str(row[0]) for row in connection.execute(query, (now, now, most))]

        nothing: list[str] = []
        return await self._in_thread(run, nothing)

    async def claim(self, ticket_id: str, now: float, until: float) -> bool:
        """See ``TicketStore.claim``."""

        def run(connection: sqlite3.Connection) -> bool:
            update = "UPDATE tickets SET due = ? WHERE id = ? AND due <= ?"
            return connection.execute(update, (until, ticket_id, now)).rowcount > 0

        return await self._in_thread(run, False)

    async def _in_thread(
        self,
        run: Callable[[sqlite3.Connection], _Result],
        nothing: _Result,
        *,
        makes: bool = False,
    ) -> _Result:
        """Run a transaction; returns ``nothing`` without a file, unless ``makes`` one."""

        def transact() -> _Result:
            if not makes and not self._path.exists():
                return nothing
            with self._transaction() as connection:
                return run(connection)

        try:
            return await asyncio.to_thread(transact)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_TABLE)
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()
