"""Snapshots: the safe counts of a record at the beginning of a month, worked out once.

A snapshot counts rows dated before the first of the month (legal date), and stays what it is for
the month: whoever asks today and tomorrow sees no difference that one person could make. Only safe
cells are kept (``disclosure.control``), in a file in the state folder, so that a restart
shows the same.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Self

import orjson

from connectors.backends.row_counts import CountColumn, CountRequest, GroupCounts
from connectors.description import Record
from disclosure.control import protect_counts
from disclosure.lattice import build_lattice
from gateway.access.caller import ANONYMOUS
from gateway.answer import SourceReport, State
from gateway.fetch.counts import count_at_source
from gateway.fetch.source import Source
from gateway.keys.keyring import load_ring
from gateway.protection.rules import PROTECTION
from gateway.settings import Settings
from gateway.statistics.dimensions import Dimension, Fold, dimensions_of

#: Seconds that a source may take to count a record.
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The safe counts of a record. ``before``: the day before which its rows are dated.

    ``shown``: by dimensions, in the order of ``dimensions``, and values; what is not there is
    suppressed.
    """

    record: Record
    before: date
    dimensions: tuple[Dimension, ...]
    shown: Mapping[tuple[tuple[str, ...], tuple[str, ...]], int]


@dataclass(frozen=True, slots=True)
class SnapshotAnswer:
    """A snapshot, or why there is none, with the report of the source."""

    report: SourceReport
    snapshot: Snapshot | None


@dataclass(slots=True)
class Snapshots:
    """Makes and keeps snapshots. ``folder``: where; ``key``: decides how cells are rounded."""

    folder: Path
    key: bytes
    _snapshots: dict[tuple[str, str], Snapshot] = field(default_factory=dict)
    _locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return those of a site; raises what ``gateway.keys.keyring.load_ring`` raises."""
        key = load_ring(settings, "record_id").oldest.key
        return cls(settings.path(settings.statistics), key)

    async def find(self, source: Source, record: Record, today: date) -> SnapshotAnswer:
        """Return the snapshot of the month of ``today``, made where there is none yet.

        To make one costs one statement that reads the record, and some seconds of a thread. A
        source that does not answer leaves none: the next call asks it again.
        """
        if PROTECTION.is_withheld(record, ANONYMOUS, is_own_view=False):
            return SnapshotAnswer(source.report(record, State.WITHHELD), None)
        before, name = today.replace(day=1), (record.database, record.name)
        async with self._locks.setdefault(name, asyncio.Lock()):
            snapshot = self._snapshots.get(name)
            if snapshot is None or snapshot.before != before:
                snapshot = await asyncio.to_thread(self._load, record, before)
            if snapshot is None:
                report, snapshot = await self._make(source, record, before)
                if snapshot is None:
                    return SnapshotAnswer(report, None)
            self._snapshots[name] = snapshot
        return SnapshotAnswer(source.report(record, State.ANSWERED), snapshot)

    async def _make(
        self, source: Source, record: Record, before: date
    ) -> tuple[SourceReport, Snapshot | None]:
        dimensions = dimensions_of(record, before)
        request, hidden = _count_request(record, dimensions, before)
        report, counts = await count_at_source(source, request, _SECONDS)
        if counts is None:
            return report, None
        visible = _without_hidden(request, counts, hidden)
        snapshot = await asyncio.to_thread(
            self._protect, record, before, dimensions, request, visible
        )
        return report, snapshot

    def _protect(
        self,
        record: Record,
        before: date,
        dimensions: tuple[Dimension, ...],
        request: CountRequest,
        counts: GroupCounts,
    ) -> Snapshot:
        finest: Counter[tuple[str, ...]] = Counter()
        folds = [
            _Folding(dimension.fold, dimension.columns, request.columns)
            for dimension in dimensions
            if dimension.fold is not None
        ]
        for values, count in counts.items():
            finest[tuple([fold(values) for fold in folds])] += count
        lattice = build_lattice([dimension.axis for dimension in dimensions], finest)
        key = f"{record.database}.{record.name}".encode() + self.key
        safe = protect_counts(lattice.counts, lattice.lines, key)
        snapshot = Snapshot(record, before, dimensions, safe.shown)
        self._store(snapshot)
        # The first of several processes decides for all: two views would tell what lies between.
        return self._load(record, before) or snapshot

    def _path(self, record: Record, before: date) -> Path:
        return self.folder / f"{record.database}.{record.name}.{before.isoformat()}.json"

    def _store(self, snapshot: Snapshot) -> None:
        """Write a snapshot whole, unless another process has written one already."""
        path = self._path(snapshot.record, snapshot.before)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = orjson.dumps([[*cell, count] for cell, count in snapshot.shown.items()])
        part = path.with_suffix(f".{secrets.token_hex(8)}.part")
        part.write_bytes(content)
        try:
            with suppress(FileExistsError):
                os.link(part, path)
        finally:
            part.unlink()

    def _load(self, record: Record, before: date) -> Snapshot | None:
        path = self._path(record, before)
        if not path.exists():
            return None
        cells = orjson.loads(path.read_bytes())
        shown = {(tuple(names), tuple(values)): count for names, values, count in cells}
        return Snapshot(record, before, dimensions_of(record, before), shown)


class _Folding:
    """Makes the value of a dimension of a group: once for all groups with the same columns."""

    def __init__(
        self, fold: Fold, columns: Sequence[CountColumn], counted: Sequence[CountColumn]
    ) -> None:
        self._fold = fold
        self._columns = columns
        self._places = [counted.index(column) for column in columns]
        self._values: dict[tuple[object, ...], str] = {}

    def __call__(self, group: Sequence[object]) -> str:
        key = tuple([group[place] for place in self._places])
        if key not in self._values:
            self._values[key] = self._fold(dict(zip(self._columns, key, strict=True)))
        return self._values[key]


def _count_request(
    record: Record, dimensions: Sequence[Dimension], before: date
) -> tuple[CountRequest, tuple[str, ...]]:
    """Return what to count, with the columns that say which rows protection hides."""
    conditions = PROTECTION.hidden_rows(record, ANONYMOUS)
    hidden = tuple(condition.column for condition in conditions if condition.values is not None)
    absent = tuple(condition.column for condition in conditions if condition.values is None)
    columns = dict.fromkeys(column for dimension in dimensions for column in dimension.columns)
    columns |= dict.fromkeys(CountColumn(name) for name in hidden)
    return CountRequest(record, tuple(columns), before, absent), hidden


def _without_hidden(
    request: CountRequest, counts: GroupCounts, hidden: Sequence[str]
) -> GroupCounts:
    """Return the counts without those of rows that protection hides from everybody."""
    conditions = [
        (request.columns.index(CountColumn(condition.column)), condition.values)
        for condition in PROTECTION.hidden_rows(request.record, ANONYMOUS)
        if condition.values is not None and condition.column in hidden
    ]
    return {
        values: count
        for values, count in counts.items()
        if not any(values[place] in codes for place, codes in conditions)
    }
