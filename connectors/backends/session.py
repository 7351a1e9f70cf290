"""What the SQL backend needs of each kind of database: loans of connections, and facts kept."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(slots=True)
class Known:
    """What is known of a source for as long as it stays open.

    ``tables``: names in lower case. ``as_of``: its own statement, ``as_of_read``: when that was
    read (monotonic seconds), None while it was not.
    """

    tables: frozenset[str]
    as_of: datetime | None = None
    as_of_read: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A connection on loan, and what is known of the source it leads to."""

    connection: AsyncConnection
    known: Known


class SqlSource(Protocol):
    """One kind of SQL database: how it is opened and watched, and what its errors mean."""

    @property
    def probe(self) -> sa.Executable:
        """A small statement that the source can only answer if it is there."""
        ...

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        ...

    def use(self) -> AbstractAsyncContextManager[Session]:
        """Lend a connection for the length of a block.

        Turns every error of the driver, from opening to the end of the block, into
        SourceUnavailable. ``SqlBackend`` never cancels the block.
        """
        ...

    async def interrupt(self, session: Session) -> None:
        """Make the statement that runs in ``session`` end at once, in an error; never waits."""
        ...

    async def close(self) -> None:
        """Close all connections; called when none is on loan."""
        ...
