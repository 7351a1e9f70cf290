"""What is loaded, and what a loader of any make does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from connectors.backends.server import ServerOptions
from connectors.description import Database, Record
from connectors.synthetic.loading.chunks import Key, Made

if TYPE_CHECKING:
    from connectors.synthetic.loading.layout import Layout

#: The table in which it stands how far a load has come; it goes when all is there.
PROGRESS = "generation_progress"


class NotLoaded(Exception):
    """A database cannot be loaded; the message says which and why, without values."""


@dataclass(frozen=True, slots=True)
class ServerTarget:
    """A database to load. ``url``: its server, as settings have it. ``user``: who loads.

    ``reader``: the role that settings name, which is given the right to read. ``tables``: the table
    (or ``schema.table``) of each record that is kept, by the record's name; None: all as declared.
    """

    database: Database
    url: sa.URL
    options: ServerOptions
    reader: str
    tables: Mapping[str, str] | None = None

    def keeps(self, record: Record) -> bool:
        """Whether the register keeps ``record`` at all."""
        return self.tables is None or record.name in self.tables

    def table(self, record: Record) -> str:
        """Return the table of a record that is kept."""
        return record.table if self.tables is None else self.tables[record.name]


@dataclass(frozen=True, slots=True)
class Progress:
    """What is loaded already: for which load, how many chunks, how many people they hold."""

    load: str
    chunks: int = 0
    people: int = 0


class Loader(Protocol):
    """A connection to a server that is being loaded."""

    async def place(self) -> tuple[str, str]:
        """Return which server this is, however it is addressed, and the default schema."""
        ...

    async def lacking(self, schemas: Sequence[str]) -> list[str]:
        """Return which of these schemas are not there."""
        ...

    async def progress(self, layout: Layout) -> Progress | None:
        """Return what is loaded; None: nothing was begun."""
        ...

    async def there(self, tables: Sequence[sa.Table]) -> list[str]:
        """Return which of these tables are there."""
        ...

    async def begin(self, layout: Layout, progress: Progress, *, replace: bool) -> None:
        """Make the tables, in place of those that are there if ``replace`` says so."""
        ...

    async def add(
        self,
        layout: Layout,
        rows: Sequence[tuple[sa.Table, Sequence[Made], Key]],
        to: Progress,
    ) -> None:
        """Add rows, and say so, in one transaction."""
        ...

    async def finish(self, layout: Layout, as_of: str, reader: str) -> str | None:
        """Make the indexes, let ``reader`` read, and forget the progress.

        Returns what could not be done, None where all was.
        """
        ...
