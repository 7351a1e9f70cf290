"""Databases as a national run reaches them, and what it extracts of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.codec import encode_text
from connectors.description import Database, Record
from reconcile.manifest import ExtractProgress
from reconcile.settings import SourceRate
from reconcile.sources.extract import OnFailure, extract_record
from reconcile.sources.open_source import open_source
from reconcile.sources.pace import PaceClock, SourcePace

TextRow = tuple[str | None, ...]


@dataclass(frozen=True)
class Access:
    """A database as settings give it; see ``reconcile.host.DatabaseAccess``."""

    database: Database
    url: str | None
    behind_xroad: bool = False
    server: ServerOptions = field(default_factory=ServerOptions)
    maps: Mapping[str, RecordMap] = field(default_factory=dict)
    zone: str | None = None


@dataclass
class FakeTime:
    """A clock that moves only when somebody waits, and what was waited for."""

    seconds: float = 0.0
    start: datetime = datetime(2026, 11, 30, tzinfo=UTC)
    waits: list[float] = field(default_factory=list)

    def clock(self) -> PaceClock:
        return PaceClock(lambda: self.seconds, self._now, self._wait)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.start.timestamp() + self.seconds, UTC)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


def pace(part_rows: int = 250_000) -> SourcePace:
    """Return a pace that never waits."""
    return SourcePace(SourceRate(part_rows=part_rows), FakeTime().clock())


def extract(
    access: Access,
    record: str,
    columns: tuple[str, ...],
    folder: Path,
    part_rows: int = 250_000,
    progress: ExtractProgress | None = None,
    on_failure: OnFailure = "continue",
    most: int | None = None,
) -> list[ExtractProgress]:
    """Extract the rest of a record, ``most`` so many parts; returns the progress after each."""
    source = open_source(access)
    steps = extract_record(source, record, columns, folder, pace(part_rows), progress, on_failure)
    try:
        return list(islice(steps, most))
    finally:
        steps.close()  # type: ignore[attr-defined]  # it is a generator
        source.disconnect()


def extracted_rows(folder: Path) -> list[TextRow]:
    """Return the rows of all parts, in their order."""
    rows: list[TextRow] = []
    for file in sorted(folder.glob("part-*.parquet")):
        rows += [
            tuple(row.values())
            for row in pq.read_table(pa.BufferReader(file.read_bytes())).to_pylist()
        ]
    return rows


def unreadable_rows(folder: Path) -> list[TextRow]:
    """Return column, identity and number of what could not be read."""
    table = pq.read_table(folder / "unreadable.parquet")
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


async def backend_rows(
    access: Access, record: Record, columns: tuple[str, ...], keys: list[str]
) -> list[TextRow]:
    """Return, as text, the rows that the gateway reads under ``keys``, in order of identity."""
    assert access.url is not None
    backend = SqlBackend(
        access.database, access.url, server=access.server, maps=access.maps, zone=access.zone
    )
    try:
        batch = await backend.fetch(record, record.lookups[0], keys)
    finally:
        await backend.close()
    assert not batch.failed
    rows = {
        tuple(_text(row[record.positions[name]]) for name in columns)
        for of_key in batch.by_key.values()
        for row in of_key.rows
    }
    place = columns.index(record.identity)
    return sorted(rows, key=lambda row: str(row[place]))


def _text(value: object) -> str | None:
    return None if value is None else str(encode_text(value))
