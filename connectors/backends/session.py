"""What the SQL backend needs of each make of database: loans of connections, and facts kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from connectors.backends.base import Examination, SourceUnavailable
from connectors.backends.record_maps import StoredTable
from connectors.backends.statement import Idiom, LookupStatement


@dataclass(slots=True)
class SourceState:
    """What is known of a source for as long as it stays open.

    ``server``: what stands for it, ``tables``: for the tables in it. ``as_of``: its own statement,
    ``read_at``: when tables and statement were looked at (monotonic seconds), None while they were
    not.
    """

    server: str = ""
    tables: str = ""
    as_of: datetime | None = None
    read_at: float | None = None


class Provenance(NamedTuple):
    """What holds of rows: how fresh they are, says the source, and where they came from."""

    as_of: datetime | None
    origin: str


class MergeFailed(SourceUnavailable):
    """Several lookups could not be asked for together; of each alone nothing is known yet."""


class Session(Protocol):
    """A connection on loan."""

    @property
    def state(self) -> SourceState:
        """What is known of the source that the connection leads to."""
        ...

    async def find(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows of ``lookup`` for ``keys``; of each key those at ``places``, else all.

        Raises NotMapped where a table is not there.
        """
        ...

    async def as_of(self) -> object:
        """Return what the source states of its freshness as it is stored, None for nothing."""
        ...

    async def tables_state(self, tables: Sequence[StoredTable]) -> str:
        """Return what changes when one of ``tables`` is replaced, or emptied; "" for nothing."""
        ...

    async def rows(
        self, statement: sa.Select[Any], seconds: float | None = None
    ) -> Sequence[Sequence[object]]:
        """Return what a statement of the gateway's own finds; its values stand in its text.

        ``seconds``: how long it may take, where that is longer than others may.
        """
        ...

    async def probe(self) -> None:
        """Run a small statement that the source can only answer if it is there."""
        ...


class MergingSession(Session, Protocol):
    """A connection to a source that ``merges``."""

    async def find_merged(
        self, parts: Sequence[tuple[LookupStatement, Sequence[str]]]
    ) -> Sequence[Sequence[Sequence[object]]]:
        """Return what ``find`` does for each of ``parts``, by one statement.

        Raises NotJoined where it fails, and the connection has not.
        """
        ...


class SqlSource(Protocol):
    """One make of SQL database: how it is opened and watched, and what its errors mean."""

    @property
    def idiom(self) -> Idiom:
        """What this make says in its own way."""
        ...

    @property
    def merges(self) -> bool:
        """Whether several lookups can be asked for by one statement: ``MergingSession``."""
        ...

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        ...

    def use(self) -> AbstractAsyncContextManager[Session]:
        """Lend a connection for the length of a block.

        Turns every error of the driver, from opening to the end of the block, into
        SourceUnavailable. ``SqlBackend`` never cancels the block but by ``interrupt``.
        """
        ...

    async def interrupt(self, session: Session) -> None:
        """Make the statement that runs in ``session`` end at once; never waits."""
        ...

    async def examine(self, lookups: Sequence[LookupStatement], thoroughly: bool) -> Examination:
        """Ask the source whether it is only read, and all of ``lookup`` can be read by an index.

        A statement or two for each table and lookup. Raises SourceUnavailable.
        """
        ...

    async def close(self) -> None:
        """Close all connections; called when none is on loan."""
        ...
