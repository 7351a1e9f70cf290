"""Loads on a server, and what they cost it: wrk in a closed loop, Poisson arrivals in an open one.

A window is one load of some seconds. Its figures: CPU time of the server's processes, of
PostgreSQL's backends and of the helper in between (in ms a request), requests per second, latencies
in ms, kilobytes a request, errors, and the memory of the server afterwards in MB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.rivals.documents import W1_DOCUMENT, W3_DOCUMENT, Document
from bench.rivals.processes import Postgres, cpu_seconds
from bench.rivals.servers import LOAD_CORE, ONE_CALLER, Server

_HERE = Path(__file__).parent
#: Seconds: between two looks whether a server is idle, and for how long it is waited for.
_SETTLE_INTERVAL, _SETTLE_WITHIN = 0.1, 3.0
_IDLE_SHARE = 0.15

Window = dict[str, float]


@dataclass(frozen=True)
class Workload:
    """Requests that come at random: about which documents, by whom, with which numbers.

    ``numbers``: a file of the work folder. ``callers``: see ``Server.callers``. ``are_refused``:
    some answers have errors, because not all callers may read everything.
    """

    documents: Sequence[Document]
    numbers: str = "ids"
    callers: str = ONE_CALLER
    are_refused: bool = False


W1 = Workload((W1_DOCUMENT,))
W2 = Workload((W1_DOCUMENT,), "hot")
W3 = Workload((W3_DOCUMENT,))


@dataclass
class Loads:
    """Loads servers. ``work``: a folder with files of numbers."""

    work: Path
    postgres: Postgres
    _starts: dict[tuple[str, str], int] = field(default_factory=dict)

    def closed(
        self,
        server: Server,
        workload: Workload,
        seconds: int,
        *,
        connections: int = 32,
        seed: int = 1,
        checks: bool = False,
        in_order: bool = False,
    ) -> Window:
        """Have ``connections`` clients ask, each when it was answered.

        ``checks``: answers with errors in them count as errors, which costs throughput.
        ``in_order``: numbers come one after the other, over all windows of this server, and from
        the first again when all came.
        """
        environment = self._script(server, workload, seed)
        if checks and not workload.are_refused:
            environment["LOAD_CHECK"] = "1"
        if in_order:
            environment["LOAD_START"] = str(self.count_in_order(server, workload))
        command = [
            "taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(connections),
            "-d", f"{seconds}s", "--timeout", "20s", "-s", str(_HERE.parent / "load.lua"),
            server.url,
        ]  # fmt: skip
        with self._counting(server) as costs:
            run = subprocess.run(
                command,
                env={**os.environ, **environment},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
        _settle(server)
        line = next(line for line in run.stdout.splitlines() if line.startswith("JSON"))
        counts = json.loads(line.removeprefix("JSON"))
        requests = max(counts["requests"], 1)
        if in_order:  # those in flight at the end were asked about too
            people = sum(document.people or 1 for document in workload.documents)
            start = self.count_in_order(server, workload)
            self._starts[server.name, workload.numbers] = start + (requests + connections) * people
        return {
            **_rounded(costs, requests),
            "requests_per_second": round(requests / counts["microseconds"] * 1e6, 1),
            "p50_ms": counts["p50_ms"],
            "p99_ms": counts["p99_ms"],
            "kilobytes": round(counts["bytes"] / requests / 1024, 2),
            "errors": counts["errors"],
            "megabytes": round(server.megabytes(), 1),
        }

    def count_in_order(self, server: Server, workload: Workload) -> int:
        """Return how many of a workload's numbers came in order so far, some more than once."""
        return self._starts.get((server.name, workload.numbers), 0)

    def opened(
        self, server: Server, rates: Sequence[tuple[Workload, float]], seconds: float
    ) -> list[Window]:
        """Have requests arrive by a Poisson process a workload, and return a window for each.

        A workload has one document, about one person, and one caller. With several workloads the
        costs of a request are over all of them.
        """
        with self._counting(server) as costs:
            arrivals = [self._arrive(server, workload, rate, seconds) for workload, rate in rates]
            outputs = [process.communicate()[0] for process in arrivals]
        _settle(server)
        if any(process.returncode for process in arrivals):
            raise RuntimeError("arrivals failed")
        counts = [json.loads(output) for output in outputs]
        requests = sum(count["answered_per_second"] for count in counts) * seconds
        return [
            {
                **_rounded(costs, max(requests, 1)),
                "requests_per_second": count["answered_per_second"],
                "rate": count["rate"],
                "p50_ms": count["p50_ms"],
                "p99_ms": count["p99_ms"],
                "errors": count["errors"],
                "megabytes": round(server.megabytes(), 1),
            }
            for count in counts
        ]

    @contextmanager
    def _counting(self, server: Server) -> Iterator[dict[str, float]]:
        """Count CPU seconds while the block runs; they are there when it ended."""
        helper = [] if server.helper is None else [server.helper]
        costs: dict[str, float] = {}
        before = (server.cpu_seconds(), self.postgres.cpu_seconds(), cpu_seconds(helper))
        yield costs
        after = (server.cpu_seconds(), self.postgres.cpu_seconds(), cpu_seconds(helper))
        names = ("cpu_ms", "postgres_ms", "helper_ms")
        for name, end, start in zip(names, after, before, strict=True):
            costs[name] = (end - start) * 1e3
        if not helper:
            del costs["helper_ms"]

    def _script(self, server: Server, workload: Workload, seed: int) -> dict[str, str]:
        """Write what the script reads, and return the variables by which it finds it."""
        paths = []
        for document in workload.documents:
            path = self.work / f"body-{document.name}"
            path.write_bytes(server.body(document, "@"))
            paths.append(str(path))
        header_sets = server.callers[workload.callers]
        return {
            "LOAD_BODY": "\n".join(paths),
            "LOAD_COUNT": "\n".join(str(document.people or 1) for document in workload.documents),
            "LOAD_IDS": str(self.work / workload.numbers),
            "LOAD_SEED": str(seed),
            "LOAD_HEADERS": "\n\n".join(
                "\n".join(f"{name}: {value}" for name, value in headers.items())
                for headers in header_sets
            ),
        }

    def _arrive(
        self, server: Server, workload: Workload, rate: float, seconds: float
    ) -> subprocess.Popen[str]:
        document = workload.documents[0]
        body, headers = self.work / f"open-{document.name}", self.work / "open-headers"
        body.write_bytes(server.body(document, "@"))
        lines = {"Content-Type": "application/json", "Accept": "application/json",
                 **server.callers[ONE_CALLER][0]}  # fmt: skip
        headers.write_text("".join(f"{name}: {value}\r\n" for name, value in lines.items()))
        command = [
            "taskset", "-c", LOAD_CORE, sys.executable, "-m", "bench.rivals.poisson",
            str(server.port), str(rate), str(seconds), str(body),
            str(self.work / workload.numbers), str(headers),
        ]  # fmt: skip
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _settle(server: Server) -> None:
    """Wait until a server has done what it was asked last: it must not take from the next one."""
    deadline = time.monotonic() + _SETTLE_WITHIN
    before, after = -1.0, server.cpu_seconds()
    while after - before > _IDLE_SHARE * _SETTLE_INTERVAL and time.monotonic() < deadline:
        time.sleep(_SETTLE_INTERVAL)  # between two looks, not instead of one
        before, after = after, server.cpu_seconds()


def _rounded(costs: Mapping[str, float], requests: float) -> Window:
    return {name: round(milliseconds / requests, 4) for name, milliseconds in costs.items()}
