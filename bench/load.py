"""Whole requests: server processes on one core and wrk on the other, measured in turn.

The figure to compare is the CPU time of the server's process for a request, as the kernel counts
it: requests per second also depend on the other load of the machine.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
import orjson

from bench.measure import Figures
from bench.server import WAYS
from bench.site import headers, settings
from bench.world import document

#: How many requests are in flight. What is slow gets fewer: at the deadline it would answer less.
CONNECTIONS = {"plan": 32, "reference": 32, "strawberry": 8}
SECONDS, WARMING = 5, 2
REPETITIONS = 3
COMPARED = 100
_SERVER_CORE, _CLIENT_CORE = "0", "1"
_START_WITHIN = 60.0
_HERE = Path(__file__).parent
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    way: str
    port: int
    pid: int
    headers: dict[str, str]

    def ask(self, number: str) -> dict[str, Any]:
        """Return the answer about ``number``; raises for any status but 200."""
        response = httpx2.post(
            f"http://127.0.0.1:{self.port}/graphql",
            json={"query": document(), "variables": {"id": number}},
            headers=self.headers,
            timeout=20,
        )
        response.raise_for_status()
        body: dict[str, Any] = response.json()
        return body

    def seconds(self) -> tuple[float, float]:
        """Return the CPU seconds that its process has had, and its threads but the main one."""
        tasks = Path(f"/proc/{self.pid}/task")
        by_thread = {task.name: _ticks(task / "stat") / _TICK for task in tasks.iterdir()}
        return _ticks(Path(f"/proc/{self.pid}/stat")) / _TICK, sum(
            seconds for name, seconds in by_thread.items() if name != str(self.pid)
        )

    def megabytes(self) -> float:
        """Return the memory it holds."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) / 1024


def _ticks(stat: Path) -> int:
    fields = stat.read_text("utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def serving(folder: Path, way: str, people: int, samples: Path | None = None) -> Iterator[Server]:
    """Run a new server on the server's core until the block ends."""
    home = folder / (way if samples is None else f"{way}-sampled")
    home.mkdir()
    request_headers = headers(settings(home))
    port = _free_port()
    command = ["taskset", "-c", _SERVER_CORE, sys.executable, "-m", "bench.server"]
    command += ["--folder", str(home), "--port", str(port), "--way", way, "--people", str(people)]
    if samples is not None:
        command += ["--samples", str(samples)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=_HERE.parent)
    try:
        _wait(process, port, home / "log")
        yield Server(way, port, process.pid, request_headers)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{log.read_text()}")
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/health/ready", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)  # between two looks, not instead of one
    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")


def measure(
    folder: Path, numbers: Sequence[str], people: int, seconds: int = SECONDS
) -> dict[str, Figures]:
    """Return the cost of a request by each way of answering, once all answers have agreed."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, way, people)) for way in WAYS]
        for number in numbers[:COMPARED]:
            first, *others = (server.ask(number) for server in servers)
            assert all(other == first for other in others), "all must answer the same"
        runs_by_way: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for repetition in range(REPETITIONS + 1):
            for server in servers:
                run = load(folder, server, numbers, seconds if repetition else WARMING)
                if repetition:
                    runs_by_way[server.way].append(run)
    return {way: _summarise(runs) for way, runs in runs_by_way.items()}


def load(folder: Path, server: Server, numbers: Sequence[str], seconds: int) -> dict[str, float]:
    """Run wrk for ``seconds``; return its figures and the CPU time of the server's process."""
    before = server.seconds()
    run = subprocess.run(
        [
            "taskset", "-c", _CLIENT_CORE, "wrk", "-t", "1", "-c", str(CONNECTIONS[server.way]),
            "-d", f"{seconds}s", "-s", str(_HERE / "load.lua"), f"http://127.0.0.1:{server.port}",
        ],
        env={**os.environ, **_script(folder, server, numbers)},
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    after = server.seconds()
    line = next(line for line in run.stdout.splitlines() if line.startswith("JSON"))
    counts: dict[str, float] = json.loads(line.removeprefix("JSON"))
    requests = counts["requests"]
    return {
        "requests_per_second": requests / counts["microseconds"] * 1e6,
        "cpu_ms": (after[0] - before[0]) / requests * 1e3,
        "cpu_ms_of_other_threads": (after[1] - before[1]) / requests * 1e3,
        "p50_ms": counts["p50_ms"],
        "p99_ms": counts["p99_ms"],
        "bytes": counts["bytes"] / requests,
        "errors": counts["errors"],
        "megabytes": server.megabytes(),
    }


def _script(folder: Path, server: Server, numbers: Sequence[str]) -> dict[str, str]:
    """Write what the script reads, and return the variables by which it finds it."""
    ids, body = folder / "ids", folder / "body"
    ids.write_text("".join(f"{number}\n" for number in numbers), "utf-8")
    body.write_bytes(orjson.dumps({"query": document(), "variables": {"id": "@"}}))
    return {
        "LOAD_IDS": str(ids),
        "LOAD_BODY": str(body),
        "LOAD_COUNT": "1",
        "LOAD_SEED": "7",
        "LOAD_CHECK": "1",
        "LOAD_HEADERS": "\n".join(f"{name}: {value}" for name, value in server.headers.items()),
    }


def _summarise(runs: list[dict[str, float]]) -> Figures:
    figures: Figures = {
        name: round(median(run[name] for run in runs), 3)
        for name in runs[0]
        if name not in {"errors", "cpu_ms"}
    }
    figures["cpu_ms"] = round(median(run["cpu_ms"] for run in runs), 4)
    figures["cpu_ms_least"] = round(min(run["cpu_ms"] for run in runs), 4)
    figures["requests_per_second_most"] = round(max(run["requests_per_second"] for run in runs))
    figures["errors"] = sum(int(run["errors"]) for run in runs)
    return figures


def sampled(folder: Path, numbers: Sequence[str], people: int, seconds: int) -> Figures:
    """Return where a server that answers by plans spends its time, in samples by verb.

    The journal's thread is not sampled: its share is what the kernel says.
    """
    samples = folder / "samples.json"
    with serving(folder, "plan", people, samples) as server:
        load(folder, server, numbers, WARMING)
        run = load(folder, server, numbers, seconds)
    counts: Counter[str] = Counter(json.loads(samples.read_text("utf-8")))
    return {"samples": dict(counts.most_common()), "while": run}
