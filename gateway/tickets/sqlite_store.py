"""Tickets in a file of SQLite, which the processes of one machine share."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from gateway.storage.sqlite_file import SqliteTable
from gateway.tickets.store import SealedTicket

_TABLE = """CREATE TABLE IF NOT EXISTS tickets (
  id TEXT PRIMARY KEY, client TEXT NOT NULL, value BLOB NOT NULL, expires REAL NOT NULL,
  due REAL)"""


class SqliteTickets:
    """A ``gateway.tickets.store.TicketStore`` in the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteTable(path, _TABLE)

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

        return await self._file.transact(run, False, makes=True)

    async def get(self, ticket_id: str, now: float) -> bytes | None:
        """See ``TicketStore.get``."""

        def run(connection: sqlite3.Connection) -> bytes | None:
            query = "SELECT value FROM tickets WHERE id = ? AND expires > ?"
            row = connection.execute(query, (ticket_id, now)).fetchone()
            return None if row is None else bytes(row[0])

        return await self._file.transact(run, None)

    async def replace(self, ticket_id: str, value: bytes, due: float | None) -> None:
        """See ``TicketStore.replace``."""

        def run(connection: sqlite3.Connection) -> None:
            update = "UPDATE tickets SET value = ?, due = ? WHERE id = ?"
            connection.execute(update, (value, due, ticket_id))

        await self._file.transact(run, None)

    async def take(self, ticket_id: str, client: str) -> bool:
        """See ``TicketStore.take``."""

        def run(connection: sqlite3.Connection) -> bool:
            delete = connection.execute("DELETE FROM tickets WHERE id = ?", (ticket_id,))
            return delete.rowcount > 0

        return await self._file.transact(run, False)

    async def due(self, now: float, most: int) -> Sequence[str]:
        """See ``TicketStore.due``."""

        def run(connection: sqlite3.Connection) -> list[str]:
            query = """SELECT id FROM tickets WHERE due <= ? AND expires > ?
                       ORDER BY due LIMIT ?"""
            return [str(row[0]) for row in connection.execute(query, (now, now, most))]

        nothing: list[str] = []
        return await self._file.transact(run, nothing)

    async def claim(self, ticket_id: str, now: float, until: float) -> bool:
        """See ``TicketStore.claim``."""

        def run(connection: sqlite3.Connection) -> bool:
            update = "UPDATE tickets SET due = ? WHERE id = ? AND due <= ?"
            return connection.execute(update, (until, ticket_id, now)).rowcount > 0

        return await self._file.transact(run, False)
