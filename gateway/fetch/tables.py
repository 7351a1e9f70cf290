"""Tables that have been there: one that is gone later is a failure, not a record never kept.

A revoked right, a dropped table or a record that a provider withdrew look like a record that was
never kept. Processes note the tables that they read, and the doctor those that it sees, in a file
of JSON lines.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import structlog

from connectors.backends.base import Examination
from connectors.description import Database, Lookup, Record
from gateway.runtime.append_only_file import AppendOnlyFile, append_lines
from gateway.runtime.clock import Clock
from gateway.settings import DatabaseSettings, RecordSettings
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)


def tables_read_by(record: Record, lookup: Lookup) -> tuple[str, ...]:
    """Return the names of the records whose tables a lookup reads."""
    return (record.name,) if lookup.through is None else (record.name, lookup.through[0])


def place_of(database: str, settings: DatabaseSettings, record: str) -> str:
    """Return the id of the table of ``record`` at the place that settings name.

    16 hex digits of a hash. Another server or another table of settings is another place.
    """
    way = settings.url if settings.xroad is None else settings.xroad.service
    table = settings.records.get(record, RecordSettings()).table
    words = repr((database, way, record, table))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


class SeenTables:
    """Tables that have been there, by ``place_of``. ``path``: the file; None: this process only."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._lines = None if path is None else AppendOnlyFile(path, clock, "seen tables")
        self._places: set[str] = set()
        self._fails = False

    def has(self, place: str) -> bool:
        """Say whether a table has been there. Reads the file where this process has not seen it."""
        if place not in self._places and self._lines is not None:
            for line in self._lines.read_new():
                try:
                    self._places.add(str(json.loads(line)["table"]))
                except (ValueError, TypeError, KeyError):
                    log.warning("a line of the seen tables makes no sense")
        return place in self._places

    def note(self, places: Iterable[str]) -> None:
        """Note that tables are there; returns at once, a thread writes new ones."""
        fresh = [place for place in places if not self.has(place)]
        self._places.update(fresh)
        if fresh and self._path is not None:
            asyncio.get_running_loop().run_in_executor(None, self._write, fresh)

    def _write(self, places: list[str]) -> None:
        """Append lines; where that fails, only this process remembers them, and logs it once."""
        assert self._path is not None
        try:
            for place in places:
                append_lines(self._path, json.dumps({"table": place}))
        except OSError as error:
            if not self._fails:
                log.warning("seen tables cannot be noted", reason=type(error).__name__)
            self._fails = True


class Tables:
    """The tables of one database; raises an alarm for those that are gone.

    The alarm is a line in the log and ``justice_gateway_source_tables_gone``, once for each table.
    """

    def __init__(
        self, database: Database, settings: DatabaseSettings, seen_tables: SeenTables
    ) -> None:
        self._database = database
        self._settings = settings
        self._seen_tables = seen_tables
        self._noted: set[str] = set()
        self._gone: set[str] = set()
        for record in database.records:
            metrics.TABLES_GONE.labels(database.name, record.name).set(0)

    def note_answered(self, record: Record, lookup: Lookup) -> None:
        """Note that the tables of an answered lookup are there. Costs 0.1 us while none is gone."""
        is_noted = lookup.name in self._noted
        if is_noted and not self._gone:
            return
        names = tables_read_by(record, lookup)
        if is_noted and self._gone.isdisjoint(names):
            return
        self._noted.add(lookup.name)
        self._seen_tables.note(self._place(name) for name in names)
        for name in names:
            self._show_back(name)

    def note_examined(self, examined: Examination) -> None:
        """Note the tables that an examination saw, and raise the alarm for those that are gone."""
        if examined.records is None:
            return
        self._seen_tables.note(self._place(name) for name in examined.records)
        for record in self._database.records:
            if record.name in examined.records:
                self._show_back(record.name)
            elif self._was_there(record.name):
                self._show_gone(record.name)

    def are_gone(self, record: Record, lookup: Lookup) -> bool:
        """Whether a table of a lookup that finds none was there once; raises the alarm if so.

        Never where settings say that the record is not kept.
        """
        names = tables_read_by(record, lookup)
        if not all(self._is_mapped(name) for name in names):
            return False
        gone = [name for name in names if self._was_there(name)]
        for name in gone:
            self._show_gone(name)
        return bool(gone)

    def _was_there(self, name: str) -> bool:
        return self._is_mapped(name) and self._seen_tables.has(self._place(name))

    def _is_mapped(self, name: str) -> bool:
        return self._settings.records.get(name, RecordSettings()).mapped

    def _place(self, name: str) -> str:
        return place_of(self._database.name, self._settings, name)

    def _show_gone(self, name: str) -> None:
        if name not in self._gone:
            self._gone.add(name)
            metrics.TABLES_GONE.labels(self._database.name, name).set(1)
            log.error(
                "a table that was there is gone",
                database=self._database.name,
                record=name,
                advice="restore the table or the right to read it, or say mapped = false",
            )

    def _show_back(self, name: str) -> None:
        if name in self._gone:
            self._gone.remove(name)
            metrics.TABLES_GONE.labels(self._database.name, name).set(0)
            log.info("a table is back", database=self._database.name, record=name)
