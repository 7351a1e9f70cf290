"""What a run would read and how long it would take: an estimate before anything is extracted.

A sample of each record is read, and timed: so the cost of its rows is measured where they are. That
of the check is an assumption, below what ``bench.reconcile`` measured on two busy cores. The rates
and hours of sources count.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time as hour_of_day

from reconcile.host import DatabaseAccess
from reconcile.needs import ColumnNeeds
from reconcile.progress import shown_duration
from reconcile.settings import ReconcileSettings, SourceRate
from reconcile.sources.estimate import estimate_extract
from reconcile.sources.failures import NotReadInBulk, SourceFailed
from reconcile.sources.open_source import open_source
from reconcile.sources.source import RecordSource

#: Rows a second that the engine prepares and checks.
_CHECKED_ROWS_PER_SECOND = 10_000
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class RecordEstimate:
    """What is known of a record before it is read. ``rows`` None: it would not be read.

    ``is_exact``: counted, or from statistics. ``seconds``: to extract it within its hours.
    ``unreadable``: values of the sample that cannot be read. ``reason``: why it would not be read.
    """

    name: str
    rows: int | None
    is_exact: bool = True
    size: int = 0
    seconds: float = 0.0
    unreadable: int = 0
    reason: str | None = None


def estimate_run(
    databases: Sequence[DatabaseAccess],
    chosen: Sequence[str],
    needs: ColumnNeeds,
    settings: ReconcileSettings,
) -> Iterator[RecordEstimate]:
    """Yield the estimate of each record that a run reads; reads a sample of each."""
    for access in databases:
        name = access.database.name
        records = [(record, of) for (database, record), of in needs.items() if database == name]
        if name not in chosen:
            for record, _ in records:
                yield _unread(name, record, "the database was not chosen")
            continue
        try:
            source = open_source(access)
        except (NotReadInBulk, ValueError) as error:
            for record, _ in records:
                yield _unread(name, record, str(error))
            continue
        try:
            for record, columns in records:
                yield _estimate(source, record, columns, settings.rate(name))
        finally:
            source.disconnect()


def estimate_lines(estimates: Sequence[RecordEstimate]) -> Iterator[str]:
    """Yield the estimates as lines of text, and their sums."""
    read = [item for item in estimates if item.rows is not None]
    for item in read:
        qualifier = "" if item.is_exact else "about "
        yield (
            f"{item.name}: {qualifier}{item.rows:,} rows, {_shown_size(item.size)}, "
            f"{shown_duration(item.seconds)}"
        )
    rows = sum(item.rows or 0 for item in read)
    seconds = sum(item.seconds for item in read)
    checking = rows / _CHECKED_ROWS_PER_SECOND
    yield (
        f"together: {rows:,} rows, {_shown_size(sum(item.size for item in read))} on disk, "
        f"{shown_duration(seconds)} to extract, {shown_duration(checking)} to check"
    )
    for item in estimates:
        if item.unreadable:
            yield f"{item.name}: has values that cannot be read"
        if item.rows is None:
            yield f"{item.name}: would not be read: {item.reason}"


def _estimate(
    source: RecordSource, record: str, columns: tuple[str, ...], rate: SourceRate
) -> RecordEstimate:
    try:
        began = time.monotonic()
        sample = estimate_extract(source, record, columns)
        seconds = (time.monotonic() - began) * max(1.0, sample.rows / max(1, sample.sample_rows))
    except NotReadInBulk as error:
        return _unread(source.database, record, str(error))
    except SourceFailed as error:
        return _unread(source.database, record, error.reason)
    if rate.rows_per_second is not None:
        seconds = max(seconds, sample.rows / rate.rows_per_second)
    return RecordEstimate(
        f"{source.database}.{record}",
        sample.rows,
        sample.is_exact,
        sample.bytes,
        seconds / open_share(rate),
        sample.unreadable,
    )


def _unread(database: str, record: str, reason: str) -> RecordEstimate:
    return RecordEstimate(f"{database}.{record}", None, reason=reason)


def open_share(rate: SourceRate) -> float:
    """Return in which part of a day a source may be read."""
    begins, ends = _seconds(rate.begins), _seconds(rate.ends)
    return ((ends - begins) % _DAY or _DAY) / _DAY


def _seconds(hour: hour_of_day | None) -> int:
    """Return seconds since midnight, which is where a window without an hour begins or ends."""
    return 0 if hour is None else hour.hour * 3600 + hour.minute * 60 + hour.second


def _shown_size(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
