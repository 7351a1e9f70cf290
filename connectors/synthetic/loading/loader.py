"""The interface of a loader of any make of server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from connectors.synthetic.loading.chunks import ClusterRows, Key
from connectors.synthetic.loading.layout import Layout


@dataclass(frozen=True, slots=True)
class Progress:
    """What is loaded already: for which load, how many chunks, how many people they hold."""

    load: str
    chunks: int = 0
    people: int = 0


class ServerLoader(Protocol):
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

    async def existing_tables(self, tables: Sequence[sa.Table]) -> list[str]:
        """Return which of these tables are there."""
        ...

    async def begin(self, layout: Layout, progress: Progress, *, replace: bool) -> None:
        """Make the tables, in place of those that are there if ``replace`` says so."""
        ...

    async def add(
        self,
        layout: Layout,
        rows: Sequence[tuple[sa.Table, Sequence[ClusterRows], Key]],
        to: Progress,
    ) -> None:
        """Add rows, and say so, in one transaction."""
        ...

    async def finish(self, layout: Layout, as_of: str, reader: str) -> str | None:
        """Make the indexes, let ``reader`` read, and forget the progress.

        Returns what could not be done, None where all was.
        """
        ...
