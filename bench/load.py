"""Whole requests: server processes on one core, wrk on the other, taking turns.

What counts is the CPU time of the server's process for a request, as the kernel has it: requests
per second also depend on who else is on the machine.
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
        found = httpx2.post(
            f"http://127.0.0.1:{self.port}/graphql",
            json={"query": document(), "variables": {"id": number}},
            headers=self.headers,
            timeout=20,
        )
        found.raise_for_status()
        body: dict[str, Any] = found.json()
        return body

    def seconds(self) -> tuple[float, float]:
        """Return the CPU seconds that its process has had, and its threads but the main one."""
        tasks = Path(f"/proc/{self.pid}/task")
        by_thread = {task.name: _ticks(task / "stat") / _TICK for task in tasks.iterdir()}
        return _ticks(Path(f"/proc/{self.pid}/stat")) / _TICK, sum(
            taken for name, taken in by_thread.items() if name != str(self.pid)
        )

    def megabytes(self) -> float:
        """Return the memory it holds."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024


def _ticks(stat: Path) -> int:
    fields = stat.read_text("utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def serving(folder: Path, way: str, people: int, samples: Path | None = None) -> Iterator[Server]:
    """Run a server of its own on the server's core until the block ends."""
    home = folder / (way if samples is None else f"{way}-sampled")
    home.mkdir()
    sent = headers(settings(home))
    port = _free_port()
    command = ["taskset", "-c", _SERVER_CORE, sys.executable, "-m", "bench.server"]
    command += ["--folder", str(home), "--port", str(port), "--way", way, "--people", str(people)]
    if samples is not None:
        command += ["--samples", str(samples)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=_HERE.parent)
    try:
        _wait(process, port, home / "log")
        yield Server(way, port, process.pid, sent)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_WITHIN
    while time.monotonic() < until:
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
    """Return what each way of answering costs a request, after all have answered the same."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, way, people)) for way in WAYS]
        for number in numbers[:COMPARED]:
            first, *others = (one.ask(number) for one in servers)
            assert all(other == first for other in others), "all must answer the same"
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for repetition in range(REPETITIONS + 1):
            for server in servers:
                run = load(folder, server, numbers, seconds if repetition else WARMING)
                if repetition:
                    found[server.way].append(run)
    return {way: _summed_up(runs) for way, runs in found.items()}


def load(folder: Path, server: Server, numbers: Sequence[str], seconds: int) -> dict[str, float]:
    """Have wrk ask for ``seconds``; return what it saw and what the server's process took."""
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
    line = next(one for one in run.stdout.splitlines() if one.startswith("JSON"))
    seen: dict[str, float] = json.loads(line.removeprefix("JSON"))
    requests = seen["requests"]
    return {
        "requests_per_second": requests / seen["microseconds"] * 1e6,
        "cpu_ms": (after[0] - before[0]) / requests * 1e3,
        "cpu_ms_of_other_threads": (after[1] - before[1]) / requests * 1e3,
        "p50_ms": seen["p50_ms"],
        "p99_ms": seen["p99_ms"],
        "bytes": seen["bytes"] / requests,
        "errors": seen["errors"],
        "megabytes": server.megabytes(),
    }


def _script(folder: Path, server: Server, numbers: Sequence[str]) -> dict[str, str]:
    """Write what the script reads, and return the variables by which it finds it."""
    ids, body = folder / "ids", folder / "body"
    ids.write_text("".join(f"{one}\n" for one in numbers), "utf-8")
    body.write_bytes(orjson.dumps({"query": document(), "variables": {"id": "@"}}))
    return {
        "LOAD_IDS": str(ids),
        "LOAD_BODY": str(body),
        "LOAD_COUNT": "1",
        "LOAD_SEED": "7",
        "LOAD_CHECK": "1",
        "LOAD_HEADERS": "\n".join(f"{name}: {one}" for name, one in server.headers.items()),
    }


def _summed_up(runs: list[dict[str, float]]) -> Figures:
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
    seen: Counter[str] = Counter(json.loads(samples.read_text("utf-8")))
    return {"samples": dict(seen.most_common()), "while": run}
