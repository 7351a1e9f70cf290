"""The population as chunks of rows that are ready to be loaded, made by several processes.

A population of one chunk is made by this one: a process takes longer to start.

A cluster depends on the seed and its index alone, so any process can make any of them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from math import ceil
from multiprocessing import get_context

from connectors.codec import encode_text
from connectors.synthetic.clusters import make
from connectors.synthetic.options import PopulationOptions
from connectors.values import PartialDate

#: How many clusters, of some 50 people each, are loaded in one transaction.
CLUSTERS = 20
#: How many chunks are made ahead, for each process: the rest of the memory that is needed.
_AHEAD = 2
#: How many people a chunk has at least, as far as is known before it is made.
_PEOPLE = CLUSTERS * 40

Key = tuple[str, str]
#: What a server takes: rows for COPY as bytes, or rows of texts.
Ready = bytes | list[tuple[str | None, ...]]

#: What PostgreSQL's text format escapes (documentation of COPY, "Text Format").
_SPECIAL = re.compile(r"[\\\n\r]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class Table:
    """Where the rows of a record go. ``copied``: as bytes for COPY, else as texts."""

    key: Key
    columns: tuple[str, ...]
    copied: bool


@dataclass(frozen=True, slots=True)
class ClusterRows:
    """One cluster: how many people, its rows by record.

    ``truth``, ``contradictions``: as JSON lines.
    """

    people: int
    rows: Mapping[Key, Ready]
    counts: Mapping[Key, int]
    truth: str
    contradictions: str


def chunk_text(value: object) -> str | None:
    """Return a value as text that every make of server reads as its own type."""
    if value is None or type(value) is str:
        return value
    return _TEXTS.get(type(value), _text)(value)


def copied(values: Sequence[object]) -> str:
    r"""Return a row in the text format of COPY: ``\N`` for none, tabs between, with escapes.

    Costs some 3 us: only a row in which a character has to be escaped is looked at value by value.
    """
    texts = [
        value if type(value) is str else _NONE if value is None else chunk_text(value)
        for value in values
    ]
    line = "\t".join(texts)  # type: ignore[arg-type]  # none of them is None
    if _SPECIAL.search(line) or line.count("\t") != len(texts) - 1:
        escaped = (text.translate(_ESCAPES) for text in texts if text is not None)
        line = "\t".join(escaped)
    return line.replace(_NONE, "\\N")


def _text(value: object) -> str:
    return str(encode_text(value))


#: What most values are, without looking for what they might be.
_TEXTS: dict[type, Callable[[object], str]] = {
    bool: lambda value: "1" if value else "0",
    int: str,
    date: str,
    PartialDate: str,
}
#: Stands for none until a row is complete: no text that a server keeps has it.
_NONE = "\0"


def make_chunk(
    options: PopulationOptions, index: int, tables: Sequence[Table]
) -> list[ClusterRows]:
    """Return the clusters of chunk ``index``, with rows for ``tables`` alone.

    The chunk is shorter where its people are enough: whoever loads it needs no more.
    """
    by_key = {table.key: table for table in tables}
    chunk: list[ClusterRows] = []
    people = 0
    for place in range(CLUSTERS):
        if people >= options.people:
            break
        chunk.append(_cluster_rows(options, index * CLUSTERS + place, by_key))
        people += chunk[-1].people
    return chunk


def _cluster_rows(
    options: PopulationOptions, index: int, tables: Mapping[Key, Table]
) -> ClusterRows:
    cluster = make(options, index)
    rows: dict[Key, Ready] = {}
    counts: dict[Key, int] = {}
    for key, cluster_rows in cluster.rows.items():
        table = tables.get(key)
        if table is not None:
            rows[key] = _copy(table, cluster_rows) if table.copied else _texts(table, cluster_rows)
            counts[key] = len(cluster_rows)
    truth = "".join(f"{person.as_json()}\n" for person in cluster.truth)
    contradictions = "".join(f"{item.as_json()}\n" for item in cluster.contradictions)
    return ClusterRows(len(cluster.truth), rows, counts, truth, contradictions)


def _copy(table: Table, rows: Sequence[Mapping[str, object]]) -> bytes:
    columns = table.columns
    lines = [copied([row.get(name) for name in columns]) for row in rows]
    lines.append("")
    return "\n".join(lines).encode()


def _texts(table: Table, rows: Sequence[Mapping[str, object]]) -> list[tuple[str | None, ...]]:
    columns = table.columns
    return [tuple([chunk_text(row.get(name)) for name in columns]) for row in rows]


def chunks(
    options: PopulationOptions,
    tables_of: Callable[[int], Sequence[Table]],
    processes: int,
    index: int = 0,
) -> Generator[tuple[int, list[ClusterRows]]]:
    """Yield chunks from ``index`` on, without end, made by so many ``processes``.

    ``tables_of``: for which tables the rows of a chunk are needed. A few chunks are in memory at
    once.
    """
    likely = ceil(options.people / _PEOPLE)
    if likely == 1:
        while True:
            yield index, make_chunk(options, index, tables_of(index))
            index += 1
    context = get_context("spawn")  # a fork would share the connections of who asks
    with ProcessPoolExecutor(processes, context) as pool:
        waiting: deque[tuple[int, Future[list[ClusterRows]]]] = deque()
        try:
            while True:
                while not waiting or (index < likely and len(waiting) < processes * _AHEAD):
                    future_chunk = pool.submit(make_chunk, options, index, tables_of(index))
                    waiting.append((index, future_chunk))
                    index += 1
                place, future = waiting.popleft()
                yield place, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
