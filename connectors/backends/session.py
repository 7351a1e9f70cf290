"""What the SQL backend needs of each make of database: connections on loan, and their state."""

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
from connectors.row_template import RowTemplate


@dataclass(slots=True)
class SourceState:
    """The known state of a source while it stays open.

    ``server``: the identity of the server; ``tables``: a digest of its tables. ``as_of``: its
    statement of freshness. ``read_at``: when tables and statement were read (monotonic seconds),
    None before.
    """

    server: str = ""
    tables: str = ""
    as_of: datetime | None = None
    read_at: float | None = None


class Provenance(NamedTuple):
    """Where rows came from, and how fresh they are by the source's own statement."""

    as_of: datetime | None
    origin: str


class LookupPart(NamedTuple):
    """What one statement is to find for one lookup.

    ``most``: rows of all keys together, in any order; None: the rows of each key in their order, at
    most ``lookup.most``.
    """

    lookup: LookupStatement
    keys: Sequence[str]
    most: int | None = None


class MergeFailed(SourceUnavailable):
    """A merged statement failed; of each lookup alone nothing is known yet."""


class Session(Protocol):
    """A connection on loan."""

    @property
    def state(self) -> SourceState:
        """The state of the source that the connection leads to."""
        ...

    async def find(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows of ``lookup`` for ``keys``; of each key those at ``places``, else all.

        Raises NotMapped where a table does not exist.
        """
        ...

    async def as_of(self) -> object:
        """Return the source's statement of its freshness as it is stored, None for none."""
        ...

    async def tables_state(self, tables: Sequence[StoredTable]) -> str:
        """Return what changes when one of ``tables`` is replaced or emptied; "" for nothing."""
        ...

    async def rows(
        self, statement: sa.Select[Any], seconds: float | None = None
    ) -> Sequence[Sequence[object]]:
        """Return the rows of a statement whose values are in its text.

        ``seconds``: its time limit, where that is longer than the usual one.
        """
        ...

    async def probe(self) -> None:
        """Run a small statement that only a working source can answer."""
        ...


class MergingSession(Session, Protocol):
    """A connection to a source that ``merges``."""

    async def find_parts(self, parts: Sequence[LookupPart]) -> Sequence[Sequence[Sequence[object]]]:
        """Return the rows of each of ``parts``, by one statement.

        Raises as ``find`` for one part; for several MergeFailed, where the statement fails and the
        connection does not.
        """
        ...


class RenderingSession(Session, Protocol):
    """A connection to a source that ``renders``."""

    async def find_rendered(
        self, part: LookupPart, template: RowTemplate
    ) -> Sequence[Sequence[object]]:
        """Return the rows of ``part``, which has ``most``.

        They are as ``rendering_statement`` describes them. Raises NotRenderable where the source
        cannot write them.
        """
        ...


class SqlSource(Protocol):
    """One make of SQL database: how it is opened and watched, and what its errors mean."""

    @property
    def ends_when_cancelled(self) -> bool:
        """Whether a statement ends when the task that uses the session is cancelled.

        Other sources are ``InterruptedSource``.
        """
        ...

    @property
    def idiom(self) -> Idiom:
        """The SQL dialect of this make."""
        ...

    @property
    def merges(self) -> bool:
        """Whether several lookups can be one statement, and rows be given in any order.

        Its sessions are ``MergingSession`` then.
        """
        ...

    @property
    def renders(self) -> bool:
        """Whether it writes rows as JSON. Its sessions are ``RenderingSession`` then."""
        ...

    @property
    def in_use(self) -> int:
        """How many connections are on loan."""
        ...

    def use(self) -> AbstractAsyncContextManager[Session]:
        """Lend a connection for the length of a block.

        Turns every error of the driver, from opening to the end of the block, into
        SourceUnavailable. ``SqlBackend`` cancels the block only where ``ends_when_cancelled``.
        """
        ...

    async def examine(self, lookups: Sequence[LookupStatement], thoroughly: bool) -> Examination:
        """Examine whether the source is read-only, and whether each of ``lookups`` has an index.

        A statement or two for each table and lookup. Raises SourceUnavailable.
        """
        ...

    async def close(self) -> None:
        """Close all connections; called when none is on loan."""
        ...


class InterruptedSource(SqlSource, Protocol):
    """A source whose statements do not end with the task that waits for them."""

    async def interrupt(self, session: Session) -> None:
        """End the statement that runs in ``session`` at once; never waits."""
        ...
