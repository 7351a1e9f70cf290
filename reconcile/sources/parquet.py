"""Databases that are delivered as Parquet files: ``parquet:`` and the path of a folder.

In it each record is a file ``<table>.parquet`` or a folder ``<table>`` of such files. Columns are
text, or of the type of their kind. Rows are read in the order of the files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.layout import OtherVersion, require_version
from reconcile.sources.column_texts import RawBatch, RawColumn, RecordReading
from reconcile.sources.failures import SourceFailed
from reconcile.sources.source import RowCount, RowRange
from reconcile.sources.stored_records import StoredRecords

_VERSION_KEY = b"justice_gateway.reconcile.version"


class ParquetRecords:
    """See ``RecordSource``. Where a range ends is a number of rows, in these very files."""

    def __init__(self, records: StoredRecords, folder: Path) -> None:
        self._records = records
        self._folder = folder

    @property
    def database(self) -> str:
        """The name of the database."""
        return self._records.database.name

    def reading(self, record: str, columns: tuple[str, ...]) -> RecordReading:
        """See ``RecordSource``."""
        return self._records.reading(record, columns)

    def boundary(self, reading: RecordReading, after: str | None, rows: int) -> str | None:
        """See ``RecordSource``."""
        with self._read(reading):
            files = self._files(reading)
            end = _position(files, after) + rows
            return None if end >= _total(files) else json.dumps([_digest(files), end])

    def batches(
        self, reading: RecordReading, where: RowRange, batch_rows: int
    ) -> Iterator[RawBatch]:
        """See ``RecordSource``."""
        with self._read(reading):
            files = self._files(reading)
            start = _position(files, where.after)
            end = _total(files) if where.until is None else _position(files, where.until)
            for batch in _batches(files, reading.names, start, end, batch_rows):
                columns = {name: RawColumn(batch.column(name)) for name in reading.names}
                yield RawBatch(batch.num_rows, columns)

    def count(self, reading: RecordReading) -> RowCount:
        """Return the number of rows that the files say."""
        with self._read(reading):
            return RowCount(_total(self._files(reading)), True)

    def disconnect(self) -> None:
        """Do nothing: files are open while they are read only."""

    @contextmanager
    def _read(self, reading: RecordReading) -> Iterator[None]:
        """Turn what is wrong with files into SourceFailed."""
        try:
            yield
        except (OtherVersion, _Unfit) as error:
            raise SourceFailed(self.database, reading.record.name, str(error)) from None
        except (pa.ArrowException, OSError) as error:
            reason = f"a file cannot be read ({type(error).__name__})"
            raise SourceFailed(self.database, reading.record.name, reason) from None

    def _files(self, reading: RecordReading) -> list[tuple[Path, int]]:
        """Return the files of a record with their numbers of rows."""
        table = reading.stored.table
        folder, single = self._folder / table, self._folder / f"{table}.parquet"
        paths = sorted(folder.glob("*.parquet")) if folder.is_dir() else [single]
        if not paths or not paths[0].is_file():
            raise _Unfit(f"no file {single.name}, and no folder {table} with files")
        files = []
        for path in paths:
            with pq.ParquetFile(path) as file:
                _require_fit(path, file.schema_arrow, (reading.key, *reading.names))
                files.append((path, file.metadata.num_rows))
        return files


class _Unfit(Exception):
    """Files do not fit what is declared, or what was read before."""


def _require_fit(path: Path, schema: pa.Schema, names: Sequence[str]) -> None:
    """Refuse a file of a run of another version, and one that lacks columns."""
    if _VERSION_KEY in (schema.metadata or {}):
        require_version(schema, Path(path.name))
    lacking = sorted(set(names) - set(schema.names))
    if lacking:
        raise _Unfit(f"{path.name} has no column {', '.join(lacking)}")


def _total(files: Sequence[tuple[Path, int]]) -> int:
    return sum(rows for _, rows in files)


def _digest(files: Sequence[tuple[Path, int]]) -> str:
    """Return what tells these files from others that take their place."""
    description = [
        (path.name, rows, path.stat().st_size, path.stat().st_mtime_ns) for path, rows in files
    ]
    return hashlib.blake2b(repr(description).encode(), digest_size=16).hexdigest()


def _position(files: Sequence[tuple[Path, int]], text: str | None) -> int:
    if text is None:
        return 0
    digest, position = json.loads(text)
    if digest != _digest(files):
        raise _Unfit("the files are others than those that a part of was read")
    return int(position)


def _batches(
    files: Sequence[tuple[Path, int]], names: Sequence[str], start: int, end: int, batch_rows: int
) -> Iterator[Any]:
    """Yield the rows from ``start`` on, before ``end``; whole row groups before are left out."""
    place = 0
    for path, rows in files:
        if place + rows <= start or place >= end:
            place += rows
            continue
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                size = file.metadata.row_group(group).num_rows
                if place + size <= start or place >= end:
                    place += size
                    continue
                for batch in file.iter_batches(batch_rows, [group], list(names)):
                    low = max(start - place, 0)
                    high = min(end - place, batch.num_rows)
                    if low < high:
                        yield batch.slice(low, high - low)
                    place += batch.num_rows
