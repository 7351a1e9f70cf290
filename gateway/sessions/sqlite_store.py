"""Sessions in a file of SQLite, which the processes of one machine share."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.sessions.store import SealedSession
from gateway.storage.sqlite_file import SqliteTable

_TABLE = """CREATE TABLE IF NOT EXISTS sessions (
  id TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL, claimed REAL NOT NULL DEFAULT 0)
"""


class SqliteSessions:
    """A ``gateway.sessions.store.SessionStore`` in the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteTable(path, _TABLE)

    async def close(self) -> None:
        """Close nothing: no connection stays open."""

    async def put(self, session_id: str, session: SealedSession, now: float) -> None:
        """See ``SessionStore.put``; sessions that have expired are deleted."""

        def run(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
            connection.execute(
                "INSERT INTO sessions (id, value, expires) VALUES (?, ?, ?)",
                (session_id, session.value, session.expires),
            )

        await self._file.transact(run, None, makes=True)

    async def get(self, session_id: str, now: float) -> SealedSession | None:
        """See ``SessionStore.get``."""

        def run(connection: sqlite3.Connection) -> SealedSession | None:
            query = "SELECT value, expires FROM sessions WHERE id = ? AND expires > ?"
            row = connection.execute(query, (session_id, now)).fetchone()
            return None if row is None else SealedSession(bytes(row[0]), float(row[1]))

        return await self._file.transact(run, None)

    async def replace(self, session_id: str, session: SealedSession, now: float) -> bool:
        """See ``SessionStore.replace``."""

        def run(connection: sqlite3.Connection) -> bool:
            update = """UPDATE sessions SET value = ?, expires = ?, claimed = 0
                        WHERE id = ? AND expires > ?"""
            values = (session.value, session.expires, session_id, now)
            return connection.execute(update, values).rowcount > 0

        return await self._file.transact(run, False)

    async def prolong(self, session_id: str, expires: float, now: float) -> None:
        """See ``SessionStore.prolong``."""

        def run(connection: sqlite3.Connection) -> None:
            update = "UPDATE sessions SET expires = ? WHERE id = ? AND expires > ?"
            connection.execute(update, (expires, session_id, now))

        await self._file.transact(run, None)

    async def claim(self, session_id: str, now: float, until: float) -> bool:
        """See ``SessionStore.claim``."""

        def run(connection: sqlite3.Connection) -> bool:
            update = """UPDATE sessions SET claimed = ?
                        WHERE id = ? AND claimed <= ? AND expires > ?"""
            return connection.execute(update, (until, session_id, now, now)).rowcount > 0

        return await self._file.transact(run, False)

    async def remove(self, session_id: str) -> None:
        """See ``SessionStore.remove``."""

        def run(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))

        await self._file.transact(run, None)
