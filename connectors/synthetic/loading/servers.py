"""Loading servers: tables, rows in bulk, indexes; in transactions, so that it can be resumed.

Each transaction holds one chunk of people and says in ``generation_progress`` that it is there. A
load that was broken off goes on after the last one; the table goes when all is complete.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import sqlalchemy as sa

from connectors.synthetic.loading.chunks import Key, Made, Table, chunks
from connectors.synthetic.loading.files import Summary
from connectors.synthetic.loading.mariadb import mariadb_loader
from connectors.synthetic.loading.postgresql import postgresql_loader
from connectors.synthetic.loading.target import Loader, NotLoaded, Progress, ServerTarget
from connectors.synthetic.options import Options
from connectors.tables import tables

LOADERS: dict[str, Callable[[ServerTarget], AbstractAsyncContextManager[Loader]]] = {
    "postgresql": postgresql_loader,
    "mariadb": mariadb_loader,
}
_HANOI = timezone(timedelta(hours=7))  # Asia/Ho_Chi_Minh: no summer time


@dataclass(slots=True)
class _Target:
    """One database while it is loaded."""

    target: ServerTarget
    loader: Loader
    metadata: sa.MetaData
    progress: Progress
    counts: Counter[Key] = field(default_factory=Counter)

    @property
    def tables(self) -> list[Table]:
        database = self.target.database
        as_bytes = self.target.url.get_backend_name() == "postgresql"
        return [
            Table((database.name, one.name), tuple(c.name for c in one.columns), as_bytes)
            for one in database.records
        ]


async def load(
    targets: Sequence[ServerTarget],
    options: Options,
    truth: Path,
    *,
    replace: bool = False,
    keep: bool = False,
    progress: Callable[[int, int], None] | None = None,
    processes: int | None = None,
) -> tuple[Summary, list[str]]:
    """Load the population into ``targets``, the truth into ``truth`` as JSON lines.

    Goes on where the same load was broken off. ``replace``: tables that are there are dropped;
    ``keep``: databases that have them are left alone. ``progress`` is told people and rows so far.
    Returns what was written by this call, and what could not be done besides. Raises NotLoaded.
    """
    started = time.monotonic()
    workers = processes or max(os.cpu_count() or 1, 1)
    parts = truth.with_name(f"{truth.name}.parts")
    async with AsyncExitStack() as stack:
        opened = [await _opened(stack, one, options, replace, keep) for one in targets]
        loaded = [one for one in opened if isinstance(one, _Target)]
        left = [one for one in opened if isinstance(one, str)]
        if not loaded:
            return Summary(0, {}, time.monotonic() - started), left
        people = await _rows(loaded, options, parts, progress, workers)
        as_of = _morning(options)
        said = await asyncio.gather(
            *(one.loader.finish(one.metadata, as_of, one.target.reader) for one in loaded)
        )
    _join(parts, truth)
    counts = {key: count for one in loaded for key, count in one.counts.items()}
    summary = Summary(people, counts, time.monotonic() - started)
    return summary, [*left, *(one for one in said if one is not None)]


async def _opened(
    stack: AsyncExitStack, target: ServerTarget, options: Options, replace: bool, keep: bool
) -> _Target | str:
    """Return a database that is to be loaded, or why it is left alone. Raises NotLoaded."""
    name = target.database.name
    opened = LOADERS[target.url.get_backend_name()](target)
    loader: Loader = await stack.enter_async_context(opened)
    metadata = tables(target.database)
    this = f"seed {options.seed}, {options.people} people, {options.today.isoformat()}"
    found = await loader.progress()
    if found is not None and found.load == this and not replace:
        return _Target(target, loader, metadata, found)
    there = await loader.there([table.name for table in metadata.sorted_tables])
    if there and found is None and keep:
        return f"{name}: left alone, it has tables"
    if there and not replace:
        what = "another load was broken off" if found is not None else "it holds tables already"
        raise NotLoaded(f"{name}: {what} ({', '.join(there[:3])}, ...): --replace drops them")
    begun = Progress(this)
    await loader.begin(metadata, begun, replace=replace)
    return _Target(target, loader, metadata, begun)


async def _rows(
    loaded: Sequence[_Target],
    options: Options,
    parts: Path,
    progress: Callable[[int, int], None] | None,
    workers: int,
) -> int:
    """Load chunk after chunk until there are people enough; returns how many there are."""
    start = min(one.progress.chunks for one in loaded)
    if not all(_part(parts, index).exists() for index in range(start)):
        start = 0  # what is true of the first ones is made again, without their rows
    done = {one.progress.chunks: one.progress.people for one in loaded}
    people, rows = done[start] if start else 0, 0

    def wanted(index: int) -> list[Table]:
        return [table for one in loaded if one.progress.chunks <= index for table in one.tables]

    stream = chunks(options, wanted, workers, start)
    try:
        while people < options.people:
            # In a thread: it waits for the processes, and the servers go on meanwhile.
            index, made = await asyncio.to_thread(next, stream)
            made, people = _enough(made, people, options.people)
            await asyncio.gather(*(_add(one, index, made, people) for one in loaded))
            _write(_part(parts, index), made)
            rows = sum(sum(one.counts.values()) for one in loaded)
            if progress is not None:
                progress(people, rows)
    finally:
        stream.close()
    return people


def _enough(made: list[Made], before: int, wanted: int) -> tuple[list[Made], int]:
    """Return as many clusters as it takes, and how many people there are with them."""
    count = before
    for place, one in enumerate(made, 1):
        count += one.people
        if count >= wanted:
            return made[:place], count
    return made, count


async def _add(one: _Target, index: int, made: Sequence[Made], people: int) -> None:
    if index < one.progress.chunks:
        return
    one.progress = Progress(one.progress.load, index + 1, people)
    kept = [
        (one.metadata.tables[record.table], made, (one.target.database.name, record.name))
        for record in one.target.database.records
    ]
    await one.loader.add(kept, one.progress)
    for _, clusters, key in kept:
        one.counts[key] += sum(cluster.counts.get(key, 0) for cluster in clusters)


def _part(parts: Path, index: int) -> Path:
    return parts / f"{index:08d}"


def _write(part: Path, made: Sequence[Made]) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    fresh = part.with_suffix(".new")
    fresh.write_text("".join(one.truth for one in made), "utf-8")
    fresh.replace(part)


def _join(parts: Path, truth: Path) -> None:
    """Make one file of the parts; it takes the old one's place when it is complete."""
    fresh = truth.with_name(f"{truth.name}.new")
    with fresh.open("wb") as whole:
        for part in sorted(parts.glob("[0-9]*")):
            whole.write(part.read_bytes())
    fresh.replace(truth)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()


def _morning(options: Options) -> str:
    today = options.today
    morning = datetime(today.year, today.month, today.day, 5, tzinfo=_HANOI)
    return morning.astimezone(UTC).isoformat()
