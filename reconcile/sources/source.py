"""What a source is to the extraction: ranges of rows, in the order of their identity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from reconcile.sources.column_texts import RawBatch, RecordReading


@dataclass(frozen=True, slots=True)
class RowRange:
    """Rows whose identity is after ``after`` and not after ``until``.

    Both are written as the source understands them. None: from the first row, or to the last;
    rows without an identity come last.
    """

    after: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows a record has. ``is_exact``: counted; else from the server's statistics."""

    rows: int
    is_exact: bool


def range_condition(key: str, where: RowRange, write: Callable[[str], str]) -> str:
    """Return the WHERE of a range, empty for all rows.

    ``key``: the column of the identity, quoted. ``write``: gives what stands for an end.
    """
    conditions = []
    if where.after is not None:
        # The last range has the rows without an identity too.
        missing = f" OR {key} IS NULL" if where.until is None else ""
        conditions.append(f"({key} > {write(where.after)}{missing})")
    if where.until is not None:
        conditions.append(f"{key} <= {write(where.until)}")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


class RecordSource(Protocol):
    """A database that can be read as a whole; for one thread.

    It is opened by the first read. Every read raises SourceFailed where the source does not answer
    or refuses; the next opens it anew. Nothing is written to it.
    """

    @property
    def database(self) -> str:
        """The name of the database."""
        ...

    def reading(self, record: str, columns: tuple[str, ...]) -> RecordReading:
        """Return how a record is read; raises NotReadInBulk where it is not stored."""
        ...

    def boundary(self, reading: RecordReading, after: str | None, rows: int) -> str | None:
        """Return where a range of so many rows after ``after`` ends, None where it has the last.

        Rows with the same identity are in the same range.
        """
        ...

    def batches(
        self, reading: RecordReading, where: RowRange, batch_rows: int
    ) -> Iterator[RawBatch]:
        """Yield the rows of a range, in order of their identity.

        It has been read to its end only if the iterator ends without an exception.
        """
        ...

    def count(self, reading: RecordReading) -> RowCount:
        """Return how many rows the record has."""
        ...

    def disconnect(self) -> None:
        """Close what is open; the next call opens it anew."""
        ...
