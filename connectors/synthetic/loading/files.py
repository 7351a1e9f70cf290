"""Writing the synthetic population into SQLite files, one per database."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from connectors.codec import encode_text
from connectors.description import Database
from connectors.synthetic.clusters import Cluster, clusters
from connectors.synthetic.options import PopulationOptions
from connectors.tables import STATEMENT_TABLE, metadata_of
from connectors.values import PartialDate

#: The file beside the truth with what rules on conflicts must find.
CONTRADICTIONS = "contradictions.jsonl"
#: The file beside the truth with who is behind records without numbers.
UNNUMBERED = "unnumbered.jsonl"
_BATCH = 5_000
_SHAPES = 500
# What ``encode_text`` does, without looking for the kinds that rows are mostly made of.
_ENCODE: dict[type, Callable[[object], object]] = {
    int: lambda value: value,
    bool: lambda value: value,
    date: str,
    PartialDate: str,
}
_HANOI = timezone(timedelta(hours=7))  # Asia/Ho_Chi_Minh: no summer time


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written: people, rows by (database, record), and how long it took."""

    people: int
    rows: Mapping[tuple[str, str], int]
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """All rows, by the seconds from start to the last file in place."""
        return sum(self.rows.values()) / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class _Sink:
    """Takes the rows of one record and inserts them in batches.

    Rows with the same columns go together, so that absent columns cost nothing.
    """

    connection: sa.Connection
    table: sa.Table
    pending: dict[tuple[str, ...], list[tuple[object, ...]]] = field(default_factory=dict)
    statements: dict[tuple[str, ...], str] = field(default_factory=dict)
    waiting: int = 0
    count: int = 0

    def take(self, rows: Sequence[Mapping[str, object]]) -> None:
        pending = self.pending
        for row in rows:
            values = tuple(
                [
                    v if type(v) is str else _ENCODE.get(type(v), encode_text)(v)
                    for v in row.values()
                ]
            )
            shape = tuple(row)
            if shape in pending:
                pending[shape].append(values)
            else:
                pending[shape] = [values]
        self.waiting += len(rows)
        if self.waiting >= _BATCH:
            self.flush()

    def flush(self) -> None:
        for shape, values in self.pending.items():
            if shape not in self.statements:
                if len(self.statements) >= _SHAPES:
                    self.statements.clear()  # rare shapes never end; common ones are soon back
                self.statements[shape] = self._statement(shape)
            self.connection.exec_driver_sql(self.statements[shape], values)
        self.count += self.waiting
        self.waiting = 0
        self.pending.clear()

    def _statement(self, shape: tuple[str, ...]) -> str:
        """Return the insert of these columns in this order (SQLAlchemy's has the table's)."""
        preparer = self.connection.dialect.identifier_preparer
        columns = ", ".join(preparer.format_column(self.table.c[name]) for name in shape)
        marks = ", ".join("?" * len(shape))
        table = preparer.format_table(self.table)
        return f"INSERT INTO {table} ({columns}) VALUES ({marks})"


def write(
    databases: Sequence[Database],
    paths: Mapping[str, Path],
    options: PopulationOptions,
    truth_path: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Summary:
    """Write the population into one SQLite file per database, and the truth as JSON lines.

    Where the truth is written, ``contradictions.jsonl`` beside it has the records that contradict
    each other, and by which rule that is noticed; ``unnumbered.jsonl``, where the options ask for
    such records, says who is behind those without numbers.

    ``paths`` maps database names to files; databases without records or without a path are left
    out. Every file is built beside its target and put in its place when all are complete, so that a
    reader finds the old file or the new one. ``progress`` is called with the number of people so
    far.
    """
    started = time.monotonic()
    sinks: dict[tuple[str, str], _Sink] = {}
    people = 0
    with ExitStack() as stack:
        selected = [d for d in databases if d.records and d.name in paths]
        # Left in reverse order: all files are complete before the first one takes its place.
        places = [stack.enter_context(_beside(paths[d.name])) for d in selected]
        for database, place in zip(selected, places, strict=True):
            sinks |= stack.enter_context(_file(database, place, options))
        truth = contradictions = unnumbered = None
        if truth_path is not None:
            truth = stack.enter_context(_truth_file(truth_path))
            beside = truth_path.with_name(CONTRADICTIONS)
            contradictions = stack.enter_context(_truth_file(beside))
            if options.unnumbered_rate:
                beside = truth_path.with_name(UNNUMBERED)
                unnumbered = stack.enter_context(_truth_file(beside))
        for cluster in clusters(options):
            _take(cluster, sinks, truth)
            if contradictions is not None:
                contradictions.writelines(f"{item.as_json()}\n" for item in cluster.contradictions)
            if unnumbered is not None:
                unnumbered.writelines(f"{item.as_json()}\n" for item in cluster.unnumbered)
            people += len(cluster.truth)
            if progress is not None:
                progress(people)
    counts = {key: sink.count for key, sink in sinks.items()}
    return Summary(people, counts, time.monotonic() - started)


def _take(cluster: Cluster, sinks: Mapping[tuple[str, str], _Sink], truth: TextIO | None) -> None:
    for key, rows in cluster.rows.items():
        sink = sinks.get(key)
        if sink is not None:
            sink.take(rows)
    if truth is not None:
        truth.writelines(f"{person.as_json()}\n" for person in cluster.truth)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a temporary file in the target's directory; it takes the target's place at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _truth_file(target: Path) -> Iterator[TextIO]:
    with _beside(target) as temporary, temporary.open("w", encoding="utf-8") as lines:
        yield lines


@contextmanager
def _file(
    database: Database, path: Path, options: PopulationOptions
) -> Iterator[dict[tuple[str, str], _Sink]]:
    """Yield sinks for a database's records; indexes are made when all rows are in."""
    metadata = metadata_of(database)
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=OFF")
            connection.exec_driver_sql("PRAGMA synchronous=OFF")
            for table in metadata.sorted_tables:
                connection.execute(CreateTable(table))
            sinks = {
                (database.name, record.name): _Sink(connection, metadata.tables[record.table])
                for record in database.records
            }
            yield sinks
            for sink in sinks.values():
                sink.flush()
            _finish(connection, metadata, options)
    finally:
        engine.dispose()
    _sync(path)


def _finish(connection: sa.Connection, metadata: sa.MetaData, options: PopulationOptions) -> None:
    """Make the indexes, state how fresh the source is, and leave the file in its usual mode."""
    for table in metadata.sorted_tables:
        for index in table.indexes:
            index.create(connection)
    morning = datetime(options.today.year, options.today.month, options.today.day, 5, tzinfo=_HANOI)
    statement = sa.insert(metadata.tables[STATEMENT_TABLE])
    connection.execute(statement, {"as_of": morning.astimezone(UTC).isoformat()})
    connection.commit()
    connection.exec_driver_sql("PRAGMA journal_mode=DELETE")


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
