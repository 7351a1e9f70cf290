"""What the command line of the gateway hands to the national run.

Structural: ``gateway.cli.command_host`` has these members without importing this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from connectors.description import Database


class DatabaseAccess(Protocol):
    """How a database is reached, as the gateway's settings say.

    ``url``: of SQL (``postgresql``, ``mysql``, ``sqlite`` with an absolute path), without a
    password; None where the settings name none, or where the database is behind X-Road.
    ``maps``: records that are stored under other names, by record. ``zone``: the time zone of
    moments that are stored without one.
    """

    @property
    def database(self) -> Database: ...
    @property
    def url(self) -> str | None: ...
    @property
    def behind_xroad(self) -> bool: ...
    @property
    def server(self) -> ServerOptions: ...
    @property
    def maps(self) -> Mapping[str, RecordMap]: ...
    @property
    def zone(self) -> str | None: ...


class Host(Protocol):
    """The gateway's side of a run; nothing is read or opened before it is called."""

    def databases(self, config: Path | None) -> Sequence[DatabaseAccess]:
        """Return all declared databases; raises typer.BadParameter with faults of settings."""
        ...

    def record(self, config: Path | None, folder: Path, entry: Mapping[str, object]) -> None:
        """Append an entry to the journal in ``folder``, which only national runs use.

        The journal is chained and signed as the gateway's is, and ``audit verify`` checks it. On
        return the entry is on disk. Raises OSError where it cannot be written.
        """
        ...
