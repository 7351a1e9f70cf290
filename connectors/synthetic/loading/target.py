"""What is loaded into which server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from connectors.backends.server import ServerOptions
from connectors.description import Database, Record

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
