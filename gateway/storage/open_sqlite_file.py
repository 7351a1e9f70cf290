"""A file of SQLite that stays open, which the processes of one machine share.

For what is read and written all the time: write-ahead log, every commit synchronised with the disk
(``synchronous = FULL``), one connection in one thread. What is deleted is overwritten
(``secure_delete``).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.storage.unavailable import StoreUnavailable

_Result = TypeVar("_Result")
#: Seconds that a transaction waits for another process.
_PATIENCE = 2.0


class OpenSqliteFile:
    """The file at ``path``; the first transaction makes it, with the statements of ``schema``.

    A file that was removed or replaced by another is opened anew. A transaction costs some 100 us
    of two threads, and one that writes a synchronisation of the disk.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._path, self._schema = path, schema
        self._connection: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._thread: ThreadPoolExecutor | None = None

    async def close(self) -> None:
        """Close the connection, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.wrap_future(thread.submit(self._disconnect))
            thread.shutdown()

    async def transact(
        self, run: Callable[[sqlite3.Connection], _Result], *, writes: bool = False
    ) -> _Result:
        """Run a transaction: on a snapshot, or as the only one that ``writes``.

        Raises StoreUnavailable. A caller who is cancelled does not know whether it ran.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, f"sqlite {self._path.name}")
        try:
            return await asyncio.wrap_future(self._thread.submit(self._transact, run, writes))
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    def _transact(self, run: Callable[[sqlite3.Connection], _Result], writes: bool) -> _Result:
        connection = self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            result = run(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            if isinstance(error, sqlite3.Error):
                self._disconnect()  # which rolls back
            else:
                connection.execute("ROLLBACK")
            raise
        return result

    def _connect(self) -> sqlite3.Connection:
        if self._connection is not None and self._inode == _inode(self._path):
            return self._connection
        self._disconnect()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        self._inode = _inode(self._path)
        self._connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(f"BEGIN IMMEDIATE; {self._schema} COMMIT;")
        except sqlite3.Error:
            self._disconnect()
            raise
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _inode(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return status.st_dev, status.st_ino
