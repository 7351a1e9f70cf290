"""What is loaded, and what a loader of any make does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from connectors.backends.server import ServerOptions
from connectors.description import Database
from connectors.synthetic.loading.chunks import Key, Made

#: The table in which it stands how far a load has come; it goes when all is there.
PROGRESS = "generation_progress"


class NotLoaded(Exception):
    """A database cannot be loaded; the message says which and why, without values."""


@dataclass(frozen=True, slots=True)
class ServerTarget:
    """A database to load. ``url``: its server, as settings have it. ``user``: who loads.

    ``reader``: the role that settings name, which is given the right to read.
    """

    database: Database
    url: sa.URL
    options: ServerOptions
    reader: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What is loaded already: for which load, how many chunks, how many people they hold."""

    load: str
    chunks: int = 0
    people: int = 0


class Loader(Protocol):
    """A connection to a server that is being loaded."""

    async def progress(self) -> Progress | None:
        """Return what is loaded; None: nothing was begun."""
        ...

    async def there(self, names: Sequence[str]) -> list[str]:
        """Return which of these tables are there."""
        ...

    async def begin(self, metadata: sa.MetaData, progress: Progress, *, replace: bool) -> None:
        """Make the tables, in place of those that are there if ``replace`` says so."""
        ...

    async def add(self, rows: Sequence[tuple[sa.Table, Sequence[Made], Key]], to: Progress) -> None:
        """Add rows, and say so, in one transaction."""
        ...

    async def finish(self, metadata: sa.MetaData, as_of: str, reader: str) -> str | None:
        """Make the indexes, let ``reader`` read, and forget the progress.

        Returns what could not be done, None where all was.
        """
        ...
