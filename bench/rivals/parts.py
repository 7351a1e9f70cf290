"""The parts of a run. Each starts the servers that it compares, and measures them in turn."""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import Figures
from bench.rivals.documents import (
    MIXED,
    TINY,
    W1_DOCUMENT,
    W3_DOCUMENT,
    WITHOUT_SLOW,
    Document,
    different_documents,
    persons,
)
from bench.rivals.goals import PERSONS, Series
from bench.rivals.load import W1, W2, W3, Loads, Window, Workload
from bench.rivals.processes import other_threads_seconds
from bench.rivals.profile import read_samples, summarise
from bench.rivals.servers import (
    BY_HAND,
    BYTES,
    CACHE,
    CACHE_AND_REDIS,
    IN_MEMORY,
    MANY_OFFICERS,
    MERCURIUS,
    OURS,
    SAMPLED,
    SLOW,
    STRAWBERRY,
    THREE_RIGHTS,
    XROAD,
    YOGA,
    Server,
    serving,
)

CONCURRENCY = (1, 4, 32, 128)
_WARMING_SECONDS = 3
#: What is short takes this share of the seconds of a window.
_SHORT = 0.6
#: How many answers of a document are compared with those of the first rival, 1 where not named.
_COMPARED = {W1_DOCUMENT.name: 100}
#: The kernel gives some hundred samples a second.
_SAMPLED_SECONDS = 15
_SHARE_OF_PEAK = 0.7
#: Arrivals a second that one generator reaches beside PostgreSQL on its core.
_MOST_ARRIVALS = 6_000
#: Requests a second beside and for a slow database, of documents that don't and do ask it.
_QUICK_RATE, _SLOW_RATE = 150, 40
#: How many documents fill the caches of documents and plans, by default.
_DIFFERENT_DOCUMENTS = 1_000

_Recorded = dict[str, dict[str, list[Window]]]


@dataclass
class Bench:
    """What all parts share.

    ``copy``: the rivals' folder; ``work``: a folder with files of numbers. ``seconds`` and
    ``windows``: how long and how often each way is measured. ``without``: servers to leave out.
    """

    copy: Path
    work: Path
    loads: Loads
    seconds: int
    windows: int
    without: Collection[str] = ()
    _references: dict[str, list[tuple[list[str], Any]]] = field(default_factory=dict)
    _compared: set[tuple[str, str]] = field(default_factory=set)
    _homes: int = 0

    def numbers(self, name: str) -> list[str]:
        """Return the numbers in a file of the work folder."""
        return (self.work / name).read_text("utf-8").split()

    @contextmanager
    def serving(self, name: str) -> Iterator[Server]:
        """Run a server until the block ends."""
        self._homes += 1
        with serving(name, self.copy, self.work / f"home-{self._homes}") as server:
            yield server

    @contextmanager
    def serving_all(self, *names: str) -> Iterator[list[Server]]:
        """Run all of these servers that are not left out."""
        with ExitStack() as stack:
            yield [stack.enter_context(self.serving(name)) for name in names
                   if name not in self.without]  # fmt: skip

    def read_references(self) -> None:
        """Let the first rival answer what all others must answer the same."""
        draw = random.Random(3)
        documents = {
            document.name: document
            for document in (W1_DOCUMENT, W3_DOCUMENT, TINY, WITHOUT_SLOW, *MIXED,
                             *map(persons, PERSONS))
        }  # fmt: skip
        ids = self.numbers("ids")
        with self.serving(MERCURIUS) as server:
            for document in documents.values():
                samples = [
                    draw.sample(ids, document.people or 1)
                    for _ in range(_COMPARED.get(document.name, 1))
                ]
                self._references[document.name] = [
                    (sample, document.comparable(server.ask(document, *sample), is_gateway=False))
                    for sample in samples
                ]

    def compare(self, server: Server, documents: Sequence[Document]) -> None:
        """Hold a server's answers against the reference, those from a cache as well."""
        for document in documents:
            if server.name == BYTES or (server.name, document.name) in self._compared:
                continue
            for _ in range(2 if server.caches else 1):
                for sample, expected in self._references[document.name]:
                    data = server.ask(document, *sample)
                    answer = document.comparable(data, is_gateway=server.is_gateway)
                    assert answer == expected, (server.name, document.name, sample)
            self._compared.add((server.name, document.name))

    def interleave(
        self,
        recorded: _Recorded,
        label: str,
        servers: Sequence[Server],
        workload: Workload,
        *,
        connections: int = 32,
        in_order: bool = False,
        is_short: bool = False,
    ) -> None:
        """Measure servers in turn, every other time the other way round, after warming each.

        ``is_short``: one of many such measurements of the same servers, for little time each.

        Errors while warming, where answers are looked at, count for the first window.
        """
        warming_seconds = 1 if is_short else _WARMING_SECONDS
        seconds = math.ceil(self.seconds * _SHORT) if is_short else self.seconds
        refused = {}
        for server in servers:
            self.compare(server, workload.documents)
            warming = self.loads.closed(
                server, workload, warming_seconds,
                connections=connections, seed=100, checks=True, in_order=in_order,
            )  # fmt: skip
            refused[server.name] = warming["errors"]
        for number in range(self.windows):
            for server in servers if number % 2 == 0 else reversed(servers):
                window = self.loads.closed(
                    server, workload, seconds,
                    connections=connections, seed=200 + number, in_order=in_order,
                )  # fmt: skip
                window["errors"] += refused.pop(server.name, 0)
                self.record(recorded, label, server.name, window)

    def record(self, recorded: _Recorded, label: str, way: str, window: Window) -> None:
        """Keep a window and say so."""
        recorded[label][way].append(window)
        print(f"  {label}, {way}: {window}", file=sys.stderr, flush=True)


def _recorded() -> _Recorded:
    return defaultdict(lambda: defaultdict(list))


def _w1(bench: Bench) -> Series:
    recorded = _recorded()
    with bench.serving_all(OURS, CACHE, MERCURIUS, YOGA, STRAWBERRY, BY_HAND) as servers:
        bench.interleave(recorded, "W1", servers, W1)
    return recorded


def _w3(bench: Bench) -> Series:
    recorded = _recorded()
    with bench.serving_all(OURS, CACHE, MERCURIUS, YOGA, STRAWBERRY, BY_HAND) as servers:
        bench.interleave(recorded, "W3", servers, W3)
    return recorded


def _w2(bench: Bench) -> Series:
    recorded = _recorded()
    with bench.serving(CACHE_AND_REDIS) as ours:
        _write_bytes(bench, ours)  # before the dictionary of bytes reads them
        with bench.serving_all(MERCURIUS, YOGA, BYTES) as rivals:
            bench.interleave(recorded, "W2", [ours, *rivals], W2)
            tiny = Workload((TINY,), "hot")
            _make_ready(bench, ours, tiny)
            bench.interleave(recorded, "tiny", [ours, *rivals], tiny)
    return recorded


def _write_bytes(bench: Bench, server: Server) -> None:
    """Write our answers of W2, which the dictionary of bytes returns."""
    _make_ready(bench, server, W2)
    numbers = bench.numbers(W2.numbers)
    answers = server.post_all(server.body(W1_DOCUMENT, number) for number in numbers)
    with (bench.copy / "static.bin").open("wb") as file:
        for number, answer in zip(numbers, answers, strict=True):
            file.write(number.encode() + b"\t" + answer + b"\n")


def _make_ready(bench: Bench, server: Server, workload: Workload) -> None:
    """Ask about all numbers until their answers are ready: read, made ready, and once more."""
    start = bench.loads.count_in_order(server, workload)
    enough = start + 3 * len(bench.numbers(workload.numbers))
    while bench.loads.count_in_order(server, workload) < enough:
        bench.loads.closed(server, workload, 1, in_order=True)


def _concurrency(bench: Bench) -> Series:
    recorded = _recorded()
    with bench.serving_all(OURS, IN_MEMORY, MERCURIUS, BY_HAND) as servers:
        for connections in CONCURRENCY:
            bench.interleave(
                recorded, str(connections), servers, W1, connections=connections, is_short=True
            )
    return recorded


def _xroad(bench: Bench) -> Series:
    recorded = _recorded()
    with bench.serving_all(XROAD, OURS) as servers:
        for label, document in (("W1", W1_DOCUMENT), ("W3", W3_DOCUMENT)):
            workload = Workload((document,), callers=MANY_OFFICERS)
            bench.interleave(recorded, label, servers, workload)
    return recorded


def _mixed(bench: Bench) -> Series:
    recorded = _recorded()
    workload = Workload(MIXED, callers=THREE_RIGHTS, are_refused=True)
    with bench.serving_all(OURS, MERCURIUS, YOGA) as servers:
        bench.interleave(recorded, "mixed", servers, workload)
    return recorded


def _persons(bench: Bench) -> Series:
    recorded = _recorded()
    with bench.serving_all(OURS, MERCURIUS, YOGA, BY_HAND) as servers:
        for people in PERSONS:
            workload = Workload((persons(people),))
            bench.interleave(recorded, str(people), servers, workload, is_short=True)
    for label, ways in recorded.items():
        for windows in ways.values():
            for window in windows:
                window["cpu_ms_person"] = round(window["cpu_ms"] / int(label), 4)
    return recorded


def _miss(bench: Bench) -> Series:
    recorded = _recorded()
    workload = Workload((W1_DOCUMENT,), "every")
    with bench.serving_all(OURS, CACHE, CACHE_AND_REDIS) as servers:
        bench.interleave(recorded, "W1", servers, workload, in_order=True)
        people = len(bench.numbers(workload.numbers))
        assert all(bench.loads.count_in_order(server, workload) <= people for server in servers)
    return recorded


def _open(bench: Bench) -> Series:
    recorded = _recorded()
    ways = [("W1", OURS, W1), ("W1", MERCURIUS, W1), ("W2", CACHE_AND_REDIS, W2)]
    with bench.serving(CACHE_AND_REDIS) as cached, ExitStack() as stack:
        _write_bytes(bench, cached)
        rivals = stack.enter_context(bench.serving_all(OURS, MERCURIUS, BYTES))
        by_name = {server.name: server for server in (cached, *rivals)}
        loads = []
        for label, name, workload in ways:
            if name in by_name:
                rate = _rate(bench, by_name[name], workload)
                loads.append((label, by_name[name], workload, rate))
        if BYTES in by_name:  # at the same rate: its tail is that of the generator and the machine
            loads.append(("W2", by_name[BYTES], W2, loads[-1][3]))
        for _ in range(bench.windows):
            for label, server, workload, rate in loads:
                windows = bench.loads.opened(server, [(workload, rate)], bench.seconds)
                bench.record(recorded, label, server.name, windows[0])
    return recorded


def _rate(bench: Bench, server: Server, workload: Workload) -> float:
    """Return a share of what a closed loop reaches."""
    bench.loads.closed(server, workload, _WARMING_SECONDS, seed=100)
    peak = bench.loads.closed(server, workload, bench.seconds)["requests_per_second"]
    return round(min(_SHARE_OF_PEAK * peak, _MOST_ARRIVALS), 1)


def _slow(bench: Bench) -> Series:
    recorded = _recorded()
    quick = Workload((WITHOUT_SLOW,))
    ways = ("does not ask it", "asks it")
    load = [(quick, _QUICK_RATE), (W1, _SLOW_RATE)]
    switches = (("no database slow", signal.SIGUSR2), ("one database slow", signal.SIGUSR1))
    with bench.serving(SLOW) as server:
        assert server.helper is not None
        bench.compare(server, (WITHOUT_SLOW, W1_DOCUMENT))
        bench.loads.opened(server, load, _WARMING_SECONDS)
        for _ in range(bench.windows):
            for label, switch in switches:
                os.kill(server.helper, switch)
                windows = bench.loads.opened(server, load, bench.seconds)
                for way, window in zip(ways, windows, strict=True):
                    bench.record(recorded, label, way, window)
    return recorded


def _memory(bench: Bench) -> Series:
    recorded = _recorded()
    loads, seconds = bench.loads, max(bench.seconds, 3)
    with bench.serving(CACHE_AND_REDIS) as server:

        def look(way: str) -> None:
            window = {"megabytes": round(server.megabytes(), 1)}
            bench.record(recorded, "caches", way, window)

        look("at the start")
        loads.closed(server, Workload((persons(100),), "every"), seconds, in_order=True)
        loads.closed(server, Workload((W1_DOCUMENT,), "every"), 2 * seconds, in_order=True)
        look("rows")
        loads.closed(server, Workload((W1_DOCUMENT,), "few"), 2 * seconds)
        look("rows, answers")
        number = bench.numbers("ids")[0]
        documents = different_documents(_DIFFERENT_DOCUMENTS)
        server.post_all(server.body(document, number) for document in documents)
        look("rows, answers, documents")
        loads.closed(server, Workload((W1_DOCUMENT,), "every"), seconds, in_order=True)
        look("after some more load")
    return recorded


PARTS: dict[str, Callable[[Bench], Series]] = {
    "w1": _w1,
    "w2": _w2,
    "w3": _w3,
    "concurrency": _concurrency,
    "xroad": _xroad,
    "mixed": _mixed,
    "persons": _persons,
    "miss": _miss,
    "open": _open,
    "slow": _slow,
    "memory": _memory,
}


def profile(bench: Bench) -> Figures:
    """Return where the CPU of our server goes for W1 and W3; see ``bench.rivals.profile``."""
    figures: Figures = {}
    with bench.serving(SAMPLED) as server:
        path = server.home / "samples.json"
        for label, workload in (("W1", W1), ("W3", W3)):
            bench.loads.closed(server, workload, _WARMING_SECONDS, seed=100)
            before = read_samples(server.pid, path), other_threads_seconds(server.pid)
            window = bench.loads.closed(server, workload, _SAMPLED_SECONDS, seed=200)
            samples = read_samples(server.pid, path)
            samples.subtract(before[0])
            threads = (other_threads_seconds(server.pid) - before[1]) / _SAMPLED_SECONDS
            threads_ms = threads / window["requests_per_second"] * 1e3
            places = summarise(+samples, window["cpu_ms"], threads_ms)
            figures[label] = {"window": window, **places}
    return figures


def summarise_windows(series: Series) -> dict[str, dict[str, Window]]:
    """Return the medians over the windows; errors are added up."""
    return {
        label: {
            way: {
                name: sum(window[name] for window in windows) if name == "errors"
                else round(median(window[name] for window in windows), 4)
                for name in windows[0]
            }
            for way, windows in ways.items()
        }
        for label, ways in series.items()
    }  # fmt: skip


def write_numbers(work: Path, copy: Path, every: Sequence[str]) -> None:
    """Write the files of numbers: ids, hot, few of ids, and all people in a random order."""
    ids = (copy / "ids.txt").read_text("utf-8").split()
    shuffled = list(every)
    random.Random(time.time_ns()).shuffle(shuffled)
    files = {"ids": ids, "hot": (copy / "hot.txt").read_text("utf-8").split(),
             "few": ids[:5_000], "every": shuffled}  # fmt: skip
    for name, numbers in files.items():
        (work / name).write_text("\n".join(numbers) + "\n", "utf-8")
