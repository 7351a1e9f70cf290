"""How much an extraction will read and write, before it does."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pyarrow.parquet as pq

from reconcile.sources.source import RecordSource, RowRange

#: Rows of the sample from which the size of a row is told.
SAMPLE_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class ExtractEstimate:
    """The size of the extract of a record.

    ``rows``: of the record. ``is_exact``: they were counted, or the files say so; else they are an
    estimate of the server's statistics. ``sample_rows``: the first rows, from which
    ``bytes_per_row`` (on disk) and ``unreadable`` (values that cannot be read) are.
    """

    rows: int
    is_exact: bool
    sample_rows: int
    bytes_per_row: float
    unreadable: int

    @property
    def bytes(self) -> int:
        """Bytes of the whole extract."""
        return round(self.rows * self.bytes_per_row)


def estimate_extract(
    source: RecordSource, record: str, columns: tuple[str, ...], sample_rows: int = SAMPLE_ROWS
) -> ExtractEstimate:
    """Estimate the extract of a record; nothing is written.

    Costs a look into the statistics or a count, and a read of ``sample_rows`` rows. Raises
    SourceFailed, and NotReadInBulk where the record is not stored.
    """
    reading = source.reading(record, columns)
    count = source.count(reading)
    end = source.boundary(reading, None, sample_rows)
    rows, unreadable, written = 0, 0, io.BytesIO()
    with pq.ParquetWriter(written, reading.schema) as writer:
        for raw in source.batches(reading, RowRange(None, end), sample_rows):
            batch = reading.read(raw)
            writer.write_batch(batch.texts)
            rows += raw.rows
            unreadable += sum(faulty.true_count for faulty in batch.faults.values())
    bytes_per_row = written.tell() / rows if rows else 0.0
    # Statistics lag behind: there are no fewer rows than were read.
    is_exact = count.is_exact or end is None
    total = rows if end is None else max(count.rows, rows)
    return ExtractEstimate(total, is_exact, rows, bytes_per_row, unreadable)
