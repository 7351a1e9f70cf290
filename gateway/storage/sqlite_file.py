"""A file of SQLite, which the processes of one machine share.

Each transaction opens the file anew, in a thread, and costs some 0.5 ms: it is for values that are
few. The file is made by the first transaction that has something to keep. What is deleted is
overwritten (``secure_delete``).

A file that is not there holds nothing, but one that a process has seen and misses now may be on a
disk that is not mounted: it is not empty, it cannot be read. Nor is another file in its place.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.storage.unavailable import StoreUnavailable

log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")
#: Seconds that a transaction waits for another process.
_PATIENCE = 2.0
#: An id that a file has from its first transaction on: the number of a removed file is given to
#: the next one at once.
_IDENTITY = (
    "CREATE TABLE IF NOT EXISTS file_identity (id TEXT NOT NULL)",
    """INSERT INTO file_identity SELECT lower(hex(randomblob(16)))
       WHERE NOT EXISTS (SELECT 1 FROM file_identity)""",
)
_MISSING = (
    "a file is missing that was there before: nobody knows what it holds. Mount its disk, or put "
    "it back; if it was removed on purpose, restart every gateway that shares it"
)
_REPLACED = (
    "a file was replaced by another: nobody knows what the former held. Put the former back; if it "
    "was replaced on purpose, restart every gateway that shares it"
)
_ABSENT = (
    "there is no file, so that nothing is kept in it yet. If this is not new, stop the gateway, "
    "and mount the disk or put the file back"
)


@dataclass(frozen=True, slots=True)
class _FileIdentity:
    """Which file it is. ``inode``: its number. ``id``: None: not read yet.

    The device does not count: a disk that is mounted again may be another one by number.
    """

    inode: int
    id: str | None = None


class SqliteTable:
    """The file at ``path``.

    ``table``: the statement that makes its table if there is none; ``further_statements``: those
    of its other tables and indexes. Only the file that it has seen first is read and written.
    """

    def __init__(self, path: Path, table: str, further_statements: tuple[str, ...] = ()) -> None:
        self._path = path
        self._statements = (table, *further_statements, *_IDENTITY)
        self._identity: _FileIdentity | None = None
        #: Why the file cannot be used, as the log says already.
        self._loss = ""
        with suppress(OSError):  # which each transaction meets again
            inode = _inode(path)
            self._identity = None if inode is None else _FileIdentity(inode)
            if inode is None and path.parent.exists():
                log.warning(_ABSENT, file=str(path))

    async def transact(
        self,
        run: Callable[[sqlite3.Connection], _Result],
        nothing: _Result,
        *,
        makes: bool = False,
    ) -> _Result:
        """Run a transaction; returns ``nothing`` where there is no file, unless it ``makes`` one.

        Raises StoreUnavailable, also where the file is gone that was there before, or another has
        its place.
        """

        def transact() -> _Result:
            if _inode(self._path) is None:
                if self._identity is not None:
                    raise self._lost(_MISSING)
                if not makes:
                    return nothing
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with self._transaction() as connection:
                return run(connection)

        try:
            return await asyncio.to_thread(transact)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # Without mode=rw a file that was removed just now would be made anew.
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            for statement in self._statements:
                connection.execute(statement)
            identity = self._require_former(connection)
            yield connection
            connection.execute("COMMIT")
            self._identity = identity
        finally:
            connection.close()

    def _require_former(self, connection: sqlite3.Connection) -> _FileIdentity:
        """Return which file it is; raises StoreUnavailable unless it is the former one."""
        (file_id,) = connection.execute("SELECT id FROM file_identity").fetchone()
        identity, former = _FileIdentity(self._path.stat().st_ino, str(file_id)), self._identity
        if former is not None and (
            former.inode != identity.inode or former.id not in (None, identity.id)
        ):
            raise self._lost(_REPLACED)
        if self._loss:
            self._loss = ""
            log.info("a file is back that was missing", file=str(self._path))
        return identity

    def _lost(self, reason: str) -> StoreUnavailable:
        """Return what to raise; the log says it once, until the file is back."""
        if self._loss != reason:
            self._loss = reason
            log.error(reason, file=str(self._path))
        return StoreUnavailable(f"{reason}: {self._path}")


def _inode(path: Path) -> int | None:
    """Return the number of a file; None where there is none.

    Raises OSError where that is not known: ``Path.exists`` would say that there is none.
    """
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
