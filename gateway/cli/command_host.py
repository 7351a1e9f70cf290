"""What the gateway hands to commands of other packages: its databases, and a journal.

Structural: what a command needs of it is a protocol of its own package (``reconcile.host.Host``).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from connectors.description import Database
from connectors.registry import installed_databases
from gateway.audit.copy.database import Copy
from gateway.audit.entry import without_numbers
from gateway.audit.journal.chain import format_moment
from gateway.audit.journal.journal import Journal
from gateway.audit.open import witnesses
from gateway.audit.witnesses import Forwarder
from gateway.cli.token import load_settings
from gateway.databases.backends import absolute_url, make_backend, server_options
from gateway.databases.wiring import require_declared
from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, load_ring, load_signing, private_half
from gateway.runtime.clock import Clock, SystemClock
from gateway.settings import DatabaseSettings, Settings, file_of
from gateway.settings.faults import explained
from gateway.telemetry.logs import on_standard_error


@dataclass(frozen=True, slots=True)
class CommandDatabase:
    """How a database is reached; ``reconcile.host.DatabaseAccess`` has what the parts mean."""

    database: Database
    url: str | None = field(repr=False)
    behind_xroad: bool
    server: ServerOptions
    maps: Mapping[str, RecordMap]
    zone: str | None


@dataclass(frozen=True, slots=True)
class CommandHost:
    """The gateway as a command of another package sees it."""

    clock: Clock = field(default_factory=SystemClock)

    def databases(self, config: Path | None) -> Sequence[CommandDatabase]:
        """Return all declared databases as the settings reach them; connects to nothing.

        Raises typer.BadParameter with the faults of the settings.
        """
        settings = load_settings(config)
        declared = installed_databases()
        try:
            require_declared(settings, (database.name for database in declared))
            return [_access(settings, database) for database in declared]
        except ValueError as error:
            raise _bad(error, config) from None

    def record(self, config: Path | None, folder: Path, entry: Mapping[str, object]) -> None:
        """Append an entry to the journal in ``folder``; on return it is on disk.

        The journal has the keys, and the witnesses, of the gateway's own. ``id`` and ``at`` are
        added, and numbers of people in texts replaced. Raises OSError where it cannot be written,
        typer.BadParameter with the faults of the settings.
        """
        settings = load_settings(config)
        try:
            hashes = load_ring(settings, "person_hash")
            journal = Journal(
                folder,
                load_ring(settings, "audit_chain"),
                private_half(load_signing(settings, "audit_sign")[0]),
                clock=self.clock,
            )
        except (FileNotFoundError, ValueError) as error:
            raise OSError(f"the keys of the journal cannot be used: {error}") from None
        stamp = {"id": secrets.token_hex(8), "at": format_moment(self.clock.now())}
        masked = {name: _masked(hashes, value) for name, value in entry.items()}
        with on_standard_error():
            asyncio.run(_append(settings, journal, {**stamp, **masked}))


def _access(settings: Settings, database: Database) -> CommandDatabase:
    of_database = settings.databases.get(database.name, DatabaseSettings())
    make_backend(database, settings, of_database)  # for its faults: it is never opened
    return CommandDatabase(
        database,
        absolute_url(settings, of_database),
        of_database.xroad is not None,
        server_options(settings, of_database),
        {name: record.as_map() for name, record in of_database.records.items()},
        of_database.zone,
    )


async def _append(settings: Settings, journal: Journal, entry: Mapping[str, object]) -> None:
    """Write an entry, and bring its checkpoint to the witnesses, which may be out of reach."""
    copy = Copy.from_settings(settings)
    forwarders = [Forwarder(journal, witness) for witness in witnesses(settings, copy)]
    try:
        journal.open()
        for forwarder in forwarders:
            forwarder.open()
        try:
            await journal.append(entry)
        finally:
            await journal.close()
            for forwarder in forwarders:
                await forwarder.close()
    except (GatewayError, ValueError) as error:
        raise OSError(f"the journal in {journal.folder} cannot be written: {error}") from None
    finally:
        if copy is not None:
            await copy.close()


def _masked(hashes: Keyring, value: object) -> object:
    """Return a value of an entry with the numbers of people in its texts replaced."""
    match value:
        case str():
            return without_numbers(hashes, value)
        case Mapping():
            return {name: _masked(hashes, item) for name, item in value.items()}
        case list() | tuple():
            return [_masked(hashes, item) for item in value]
        case _:
            return value


def _bad(error: ValueError, config: Path | None) -> typer.BadParameter:
    return typer.BadParameter("\n".join(explained(error, file_of(config))))
