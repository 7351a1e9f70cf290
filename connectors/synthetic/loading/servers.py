"""Loads servers: tables, rows in bulk, indexes; in transactions, so that a load can be resumed.

Each transaction holds one chunk of people and records it in ``generation_progress``. An interrupted
load continues after the last chunk; the table is dropped when all is complete.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from connectors.synthetic.loading.chunks import ClusterRows, Key, Table, chunks
from connectors.synthetic.loading.files import CONTRADICTIONS, Summary
from connectors.synthetic.loading.layout import Layout, layout
from connectors.synthetic.loading.loader import Progress, ServerLoader
from connectors.synthetic.loading.mariadb import mariadb_loader
from connectors.synthetic.loading.postgresql import postgresql_loader
from connectors.synthetic.loading.target import NotLoaded, ServerTarget
from connectors.synthetic.options import PopulationOptions

LOADERS: dict[str, Callable[[ServerTarget], AbstractAsyncContextManager[ServerLoader]]] = {
    "postgresql": postgresql_loader,
    "mariadb": mariadb_loader,
}
#: Suffix of the parts that hold contradictions; those of the truth have none.
_CONTRADICTIONS = ".contradictions"
_HANOI = timezone(timedelta(hours=7))  # Asia/Ho_Chi_Minh: no summer time


@dataclass(slots=True)
class _Target:
    """One database while it is loaded."""

    target: ServerTarget
    loader: ServerLoader
    layout: Layout
    progress: Progress
    is_begun: bool
    counts: Counter[Key] = field(default_factory=Counter)

    @property
    def tables(self) -> list[Table]:
        database = self.target.database
        as_bytes = self.target.url.get_backend_name() == "postgresql"
        return [
            Table((database.name, record.name), tuple(c.name for c in record.columns), as_bytes)
            for record in database.records
            if record.name in self.layout.by_record
        ]


async def load(
    targets: Sequence[ServerTarget],
    options: PopulationOptions,
    truth: Path,
    *,
    replace: bool = False,
    keep: bool = False,
    progress: Callable[[int, int], None] | None = None,
    processes: int | None = None,
) -> tuple[Summary, list[str]]:
    """Load the population into ``targets``, the truth into ``truth`` as JSON lines.

    Contradictions of records go into ``contradictions.jsonl`` beside the truth. Resumes a load that
    was interrupted. ``replace``: existing tables are dropped; ``keep``:
    databases that have them are left alone. ``progress`` is called with people and rows so far.
    Registers may share a database as long as no two have the same table. Nothing is written before
    all targets have been checked. Returns what this call wrote, and messages about what it could
    not do. Raises NotLoaded.
    """
    started = time.monotonic()
    workers = processes or max(os.cpu_count() or 1, 1)
    parts = truth.with_name(f"{truth.name}.parts")
    async with AsyncExitStack() as stack:
        loaded, messages = await _open(stack, targets, options, replace, keep)
        if not loaded:
            return Summary(0, {}, time.monotonic() - started), messages
        for target in loaded:
            if not target.is_begun:
                await target.loader.begin(target.layout, target.progress, replace=replace)
        people = await _rows(loaded, options, parts, progress, workers)
        as_of = _morning(options)
        faults = await asyncio.gather(
            *(target.loader.finish(target.layout, as_of, target.target.reader) for target in loaded)
        )
    _join(parts, {"": truth, _CONTRADICTIONS: truth.with_name(CONTRADICTIONS)})
    counts = {key: count for target in loaded for key, count in target.counts.items()}
    summary = Summary(people, counts, time.monotonic() - started)
    return summary, [*messages, *(fault for fault in faults if fault is not None)]


async def _open(
    stack: AsyncExitStack,
    targets: Sequence[ServerTarget],
    options: PopulationOptions,
    replace: bool,
    keep: bool,
) -> tuple[list[_Target], list[str]]:
    """Connect to the targets; returns those to be loaded, and why others are left alone."""
    connected = [(target, await _connected(stack, target)) for target in targets]
    layouts = await _layouts(connected)
    checked = [
        await _check(target, loader, where, options, replace, keep)
        for (target, loader), where in zip(connected, layouts, strict=True)
    ]
    loaded = [result for result in checked if isinstance(result, _Target)]
    return loaded, [result for result in checked if isinstance(result, str)]


async def _connected(stack: AsyncExitStack, target: ServerTarget) -> ServerLoader:
    loader: ServerLoader = await stack.enter_async_context(
        LOADERS[target.url.get_backend_name()](target)
    )
    return loader


async def _layouts(connected: Sequence[tuple[ServerTarget, ServerLoader]]) -> list[Layout]:
    """Return the tables of each register. Raises NotLoaded where two have the same table."""
    places = [await loader.place() for _, loader in connected]
    shared = Counter(places)
    layouts = [
        layout(target, shared[place] > 1)
        for (target, _), place in zip(connected, places, strict=True)
    ]
    owners: dict[tuple[str, str, str], str] = {}
    for (target, _), (server, default), layout_of_target in zip(
        connected, places, layouts, strict=True
    ):
        for table in layout_of_target.tables:
            key = (server, table.schema or default, table.name)
            owner = owners.setdefault(key, target.database.name)
            if owner != target.database.name:
                raise NotLoaded(
                    f"{owner} and {target.database.name} would share the table {table.name}: give "
                    "them databases of their own, or tables of other names: "
                    f'[databases.{target.database.name}.records.<record>] table = "..."'
                )
    return layouts


async def _check(
    target: ServerTarget,
    loader: ServerLoader,
    where: Layout,
    options: PopulationOptions,
    replace: bool,
    keep: bool,
) -> _Target | str:
    """Return a database that is to be loaded, or why it is left alone. Raises NotLoaded."""
    name = target.database.name
    schemas = sorted({table.schema for table in where.tables if table.schema is not None})
    if lacking := await loader.lacking(schemas):
        raise NotLoaded(f"{name}: no schema {', '.join(lacking)}: have it made first")
    this = (
        f"seed {options.seed}, {options.people} people, {options.today.isoformat()}, "
        f"contradictions {options.contradiction_rate}"
    )
    progress = await loader.progress(where)
    if progress is not None and progress.load == this and not replace:
        return _Target(target, loader, where, progress, is_begun=True)
    existing = await loader.existing_tables(where.tables)
    if existing and progress is None and keep:
        return f"{name}: left alone, it has tables"
    if existing and not replace:
        state = "another load was broken off" if progress is not None else "it holds tables already"
        raise NotLoaded(f"{name}: {state} ({', '.join(existing[:3])}, ...): --replace drops them")
    return _Target(target, loader, where, Progress(this), is_begun=False)


async def _rows(
    loaded: Sequence[_Target],
    options: PopulationOptions,
    parts: Path,
    progress: Callable[[int, int], None] | None,
    workers: int,
) -> int:
    """Load chunks until there are enough people; returns how many there are."""
    start = min(target.progress.chunks for target in loaded)
    if not all(_part(parts, index).exists() for index in range(start)):
        start = 0  # what is true of the first ones is made again, without their rows
    done = {target.progress.chunks: target.progress.people for target in loaded}
    people, rows = done[start] if start else 0, 0

    def tables_of(index: int) -> list[Table]:
        return [
            table for target in loaded if target.progress.chunks <= index for table in target.tables
        ]

    stream = chunks(options, tables_of, workers, start)
    try:
        while people < options.people:
            # In a thread: it waits for the processes, and the servers go on meanwhile.
            index, clusters = await asyncio.to_thread(next, stream)
            clusters, people = _enough(clusters, people, options.people)
            await asyncio.gather(*(_add(target, index, clusters, people) for target in loaded))
            _write(_part(parts, index), clusters)
            rows = sum(sum(target.counts.values()) for target in loaded)
            if progress is not None:
                progress(people, rows)
    finally:
        stream.close()
    return people


def _enough(clusters: list[ClusterRows], before: int, people: int) -> tuple[list[ClusterRows], int]:
    """Return the clusters that are needed, and the number of people with them."""
    count = before
    for place, cluster in enumerate(clusters, 1):
        count += cluster.people
        if count >= people:
            return clusters[:place], count
    return clusters, count


async def _add(target: _Target, index: int, clusters: Sequence[ClusterRows], people: int) -> None:
    if index < target.progress.chunks:
        return
    target.progress = Progress(target.progress.load, index + 1, people)
    rows = [
        (table, clusters, (target.target.database.name, record))
        for record, table in target.layout.by_record.items()
    ]
    await target.loader.add(target.layout, rows, target.progress)
    for _, _, key in rows:
        target.counts[key] += sum(cluster.counts.get(key, 0) for cluster in clusters)


def _part(parts: Path, index: int) -> Path:
    return parts / f"{index:08d}"


def _write(part: Path, clusters: Sequence[ClusterRows]) -> None:
    """Write what a chunk holds beside its rows; the part is there once both files are."""
    part.parent.mkdir(parents=True, exist_ok=True)
    contradictions = "".join(cluster.contradictions for cluster in clusters)
    part.with_suffix(_CONTRADICTIONS).write_text(contradictions, "utf-8")
    fresh = part.with_suffix(".new")
    fresh.write_text("".join(cluster.truth for cluster in clusters), "utf-8")
    fresh.replace(part)


def _join(parts: Path, files: Mapping[str, Path]) -> None:
    """Make one file of the parts with each suffix; it is replaced when it is complete."""
    for suffix, file in files.items():
        fresh = file.with_name(f"{file.name}.new")
        with fresh.open("wb") as whole:
            for part in sorted(part for part in parts.glob("[0-9]*") if part.suffix == suffix):
                whole.write(part.read_bytes())
        fresh.replace(file)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()


def _morning(options: PopulationOptions) -> str:
    today = options.today
    morning = datetime(today.year, today.month, today.day, 5, tzinfo=_HANOI)
    return morning.astimezone(UTC).isoformat()
