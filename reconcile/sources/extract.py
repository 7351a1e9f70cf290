"""Extracts a record of a source, part by part, from wherever an earlier run came to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from connectors.description import Kind, Lookup, Record
from reconcile.manifest import ExtractProgress
from reconcile.sources.column_texts import RecordReading, TextBatch
from reconcile.sources.failures import NotReadInBulk, RowUnreadable, SourceFailed
from reconcile.sources.pace import SourcePace
from reconcile.sources.part_files import UNREADABLE, PartFolder, PartWriter
from reconcile.sources.source import RecordSource, RowRange

OnFailure = Literal["stop", "continue"]


def extract_record(
    source: RecordSource,
    record: str,
    columns: tuple[str, ...],
    folder: Path,
    pace: SourcePace,
    progress: ExtractProgress | None = None,
    on_failure: OnFailure = "stop",
) -> Iterator[ExtractProgress]:
    """Extract the rest of a record, and yield how far it has come after each part.

    ``columns``: as ``reconcile.needs`` says, the identity among them. ``folder``:
    ``RunFolder.extract``. ``pace``: that of the source, the same for all its records. ``progress``:
    of the manifest. When it yields, the part is on disk: the caller writes the manifest, and only
    then asks for the next. Nothing is yielded for a record that is complete or has failed.

    ``on_failure``: with ``stop`` a source that fails raises SourceFailed, an unreadable value
    RowUnreadable. With ``continue`` the failure is in the last progress, unreadable values are
    counted. Raises OSError where ``folder`` cannot be written, OtherVersion or ValueError where
    its parts do not fit. In memory are 100,000 rows at most.
    """
    progress = progress or ExtractProgress()
    if progress.complete or progress.failure is not None:
        return
    try:
        reading = source.reading(record, columns)
    except NotReadInBulk as error:
        yield replace(progress, failure=str(error))
        return
    extraction = _Extraction(source, reading, PartFolder(folder, reading.schema), pace, on_failure)
    name = f"{source.database}.{record}"
    try:
        after = extraction.parts.prepare(progress.parts)
        while True:
            if not pace.is_open():
                source.disconnect()
                pace.wait_until_open()
            try:
                progress, after = extraction.next_part(progress, after)
            except SourceFailed as error:
                source.disconnect()
                if on_failure == "stop":
                    raise
                extraction.parts.join_unreadable(progress.parts)
                yield replace(progress, failure=error.reason)
                return
            if progress.complete:
                extraction.parts.join_unreadable(progress.parts)
                yield progress
                extraction.parts.remove_pieces()
                return
            yield progress
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OSError(
            error.errno, f"the extract of {name} cannot be written: {reason}", str(folder)
        ) from None


@dataclass(frozen=True, slots=True)
class _Extraction:
    """The extraction of one record."""

    source: RecordSource
    reading: RecordReading
    parts: PartFolder
    pace: SourcePace
    on_failure: OnFailure

    def next_part(
        self, progress: ExtractProgress, after: str | None
    ) -> tuple[ExtractProgress, str | None]:
        """Write the part after ``after``; returns the progress with it, and where it ends."""
        until = self.source.boundary(self.reading, after, self.pace.part_rows)
        rows, unreadable = progress.rows, Counter(progress.unreadable)
        with self.parts.write_part(progress.parts, until) as part:
            where = RowRange(after, until)
            for raw in self.source.batches(self.reading, where, self.pace.batch_rows):
                batch = self.reading.read(raw)
                if batch.faults and self.on_failure == "stop":
                    raise self._unreadable(batch, rows)
                self._write(part, batch)
                rows += raw.rows
                unreadable.update({name: of.true_count for name, of in batch.faults.items()})
                self.pace.count(raw.rows)
        advanced = ExtractProgress(
            parts=progress.parts + 1,
            rows=rows,
            checkpoint=None if until is None else f"after {self.parts.part(progress.parts).name}",
            complete=until is None,
            unreadable=dict(unreadable),
        )
        return advanced, until

    def _write(self, part: PartWriter, batch: TextBatch) -> None:
        part.write(batch.texts, _unreadable_rows(self.reading.record, batch))

    def _unreadable(self, batch: TextBatch, rows: int) -> RowUnreadable:
        places = {name: pc.index(of, True).as_py() for name, of in batch.faults.items()}
        column = min(places, key=places.__getitem__)
        record = self.reading.record
        return RowUnreadable(record.database, record.name, column, rows + places[column] + 1)


def _unreadable_rows(record: Record, batch: TextBatch) -> pa.Table | None:
    """Return the rows with unreadable values, as ``UNREADABLE``."""
    if not batch.faults:
        return None
    numbers = [
        name
        for name in batch.texts.schema.names
        if record.column(name).field.kind is Kind.PERSON_NUMBER
    ]
    keys = _keys(record)
    rows: list[tuple[str, str | None, str | None]] = []
    for column, faulty in batch.faults.items():
        for row in batch.texts.filter(faulty).to_pylist():
            in_row = dict.fromkeys(_numbers(record, numbers, row))
            without_number = [None] if not in_row or column in keys or column in numbers else []
            rows += [
                (column, row[record.identity], number) for number in (*in_row, *without_number)
            ]
    values = list(zip(*rows, strict=True))
    return pa.Table.from_arrays([pa.array(of, pa.string()) for of in values], schema=UNREADABLE)


def _numbers(record: Record, columns: list[str], row: Mapping[str, str | None]) -> Iterator[str]:
    for name in columns:
        text = row[name]
        if text is not None:
            yield from json.loads(text) if record.column(name).field.many else (text,)


def _keys(record: Record) -> set[str]:
    """Return the columns that lead to a row: who has an unreadable value there is unknown."""
    keys = {record.identity}
    for lookup in record.lookups:
        keys |= _keys_of_lookup(lookup)
    return keys


def _keys_of_lookup(lookup: Lookup) -> set[str]:
    return set(lookup.by) if lookup.through is None else {lookup.through[1]}
