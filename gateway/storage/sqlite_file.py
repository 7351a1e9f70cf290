"""A file of SQLite, which the processes of one machine share.

Each transaction opens the file anew, in a thread, and costs some 0.5 ms: it is for values that are
few. The file is made by the first transaction that has something to keep. What is deleted is
overwritten (``secure_delete``).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.storage.unavailable import StoreUnavailable

_Result = TypeVar("_Result")
#: Seconds that a transaction waits for another process.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class SqliteTable:
    """The file at ``path``.

    ``table``: the statement that makes its table if there is none; ``further_statements``: those
    of its other tables and indexes.
    """

    path: Path
    table: str
    further_statements: tuple[str, ...] = ()

    async def transact(
        self,
        run: Callable[[sqlite3.Connection], _Result],
        nothing: _Result,
        *,
        makes: bool = False,
    ) -> _Result:
        """Run a transaction; returns ``nothing`` where there is no file, unless it ``makes`` one.

        Raises StoreUnavailable.
        """

        def transact() -> _Result:
            if not makes and not self.path.exists():
                return nothing
            with self._transaction() as connection:
                return run(connection)

        try:
            return await asyncio.to_thread(transact)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            for statement in (self.table, *self.further_statements):
                connection.execute(statement)
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()
