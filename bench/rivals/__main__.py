"""``python -m bench.rivals``: the table of ``make bench``; see bench/README.md.

Servers take turns, each three times, so that other load of the machine affects all of them alike.
Compare the CPU time of the server's processes for a request; requests a second also depend on the
core that generates the load.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

from bench.report import save, surroundings
from bench.rivals.documents import as_rival_answer, in_order
from bench.rivals.prepare import prepare
from bench.rivals.servers import (
    GATEWAY,
    LOAD_CORE,
    PORT,
    VARIANTS,
    Server,
    Variant,
    serving,
)
from bench.rivals.tables import W3

_HERE = Path(__file__).parent
_COMPARED = 100
_PEOPLE = 50
_CONNECTIONS = 32
#: Seconds of warming: W2 until all answers are ready.
_WARMING = {"w1": 4, "w2": 15, "w3": 4}
#: Seconds of warming until the caches are full: while they fill, what stays is visited by Python's
#: collector, 0.1 s at a time.
_FILLING = 20
#: What each server is asked.
_WORK_BY_SERVER = {
    GATEWAY: ("w1", "w2", "w3"),
    f"{GATEWAY}, uncached": ("w1", "w3"),
    "strawberry, defaults": ("w1", "w3"),
    "mercurius, jit": ("w1", "w2", "w3"),
    "yoga, jit": ("w1", "w2", "w3"),
    "asyncpg by hand": ("w1", "w3"),
    "bytes from a dictionary": ("w2",),
}

Run = dict[str, float]


def main() -> None:
    """Compare, measure, print, and write ``bench/results/rivals.json``."""
    options = _arguments()
    copy: Path = options.rivals.resolve()
    prepare()
    ids = (copy / "ids.txt").read_text().split()
    hot = (copy / "hot.txt").read_text().split()
    work = Path(tempfile.mkdtemp(prefix="rivals-"))
    (work / "ids").write_text("\n".join(ids))
    (work / "hot").write_text("\n".join(hot))
    try:
        reference = _reference_answers(copy, work, ids)
        _keep_bytes(copy, work, hot)
        runs = _measure(copy, work, options.seconds, options.repetitions, reference)
        results = {"surroundings": surroundings(), "servers": _summarise(runs)}
        save("rivals", results)  # what follows may fail, and this took long
        results.update(_others(copy, work, runs, options.seconds))
    finally:
        shutil.rmtree(work)
    save("rivals", results)
    _show(results)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path(os.environ.get("RIVALS", "../shared/peers"))
    parser.add_argument("--rivals", type=Path, default=folder, help="their folder, set up")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    if not (options.rivals / "hot.txt").exists():
        parser.error(f"{options.rivals} is not set up: see the README there, and RIVALS")
    return options


def _reference_answers(copy: Path, work: Path, ids: Sequence[str]) -> dict[str, Any]:
    """Return the answers that all must give, W1 by number and W3, as the first rival gives them."""
    sample = random.Random(3).sample(list(ids), _COMPARED)
    with serving("mercurius, jit", copy, work / "reference") as server:
        people = {number: in_order(server.ask("w1", {"id": number})["person"]) for number in sample}
        people_of_w3 = server.ask("w3", {"ids": sample[:_PEOPLE]})["persons"]
    return {"w1": people, "w3": [in_order(person) for person in people_of_w3], "ids": sample}


def _hold_to(reference: Mapping[str, Any], server: Server, workloads: Sequence[str]) -> None:
    """Hold a server's answers against the reference, twice: from the cache as well."""
    is_gateway = server.name in VARIANTS
    for _ in range(2):
        if "w1" in workloads:
            for number, expected in reference["w1"].items():
                person = server.ask("w1", {"id": number})["person"]
                answer = as_rival_answer(person) if is_gateway else person
                assert in_order(answer) == expected, number
        if "w3" in workloads:
            people = server.ask("w3", {"ids": reference["ids"][:_PEOPLE]})["persons"]
            answers = [as_rival_answer(person, W3) if is_gateway else person for person in people]
            assert [in_order(person) for person in answers] == reference["w3"]


def _keep_bytes(copy: Path, work: Path, hot: Sequence[str]) -> None:
    """Write the answers of our gateway that the dictionary of bytes returns."""
    with serving(GATEWAY, copy, work / "bytes") as server, (copy / "static.bin").open("wb") as file:
        headers = {"content-type": "application/json", **server.headers}
        with httpx2.Client(headers=headers, timeout=30) as client:
            for number in hot:
                body = server.body("w1", {"id": number})
                for _ in range(2):  # the second is from the cache
                    answer = client.post(f"{server.url}/graphql", content=body)
                answer.raise_for_status()
                file.write(number.encode() + b"\t" + answer.content + b"\n")


def _measure(
    copy: Path, work: Path, seconds: int, repetitions: int, reference: Mapping[str, Any]
) -> dict[str, dict[str, list[Run]]]:
    runs: dict[str, dict[str, list[Run]]] = {name: {} for name in _WORK_BY_SERVER}
    for repetition in range(repetitions):
        for name, workloads in _WORK_BY_SERVER.items():
            with serving(name, copy, work / name.replace(" ", "-")) as server:
                if name != "bytes from a dictionary":
                    _hold_to(reference, server, workloads)
                for workload in workloads:
                    warming = _WARMING[workload] if name == GATEWAY else 4
                    _load(server, work, workload, warming, 100 + repetition)
                    run = _load(server, work, workload, seconds, 200 + repetition)
                    runs[name].setdefault(workload, []).append(run)
                    print(name, workload, run, file=sys.stderr, flush=True)
    return runs


def _load(
    server: Server,
    work: Path,
    workload: str,
    seconds: int,
    seed: int,
    connections: int = _CONNECTIONS,
) -> Run:
    """Run wrk for ``seconds``; return its figures and the CPU time of the server."""
    document = "w1" if workload == "w2" else workload
    variables: dict[str, object] = {"ids": ["@"]} if workload == "w3" else {"id": "@"}
    (work / "body").write_bytes(server.body(document, variables))
    before = server.cpu()
    load = subprocess.run(
        [
            "taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(connections),
            "-d", f"{seconds}s", "--timeout", "20s",
            "-s", str(_HERE.parent / "load.lua"), server.url,
        ],
        env={
            **os.environ,
            "LOAD_BODY": str(work / "body"),
            "LOAD_IDS": str(work / ("hot" if workload == "w2" else "ids")),
            "LOAD_COUNT": str(_PEOPLE if workload == "w3" else 1),
            "LOAD_SEED": str(seed),
            "LOAD_HEADERS": "\n".join(f"{name}: {value}" for name, value in server.headers.items()),
        },
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    cpu = server.cpu() - before
    line = next(line for line in load.stdout.splitlines() if line.startswith("JSON"))
    counts = json.loads(line.removeprefix("JSON"))
    return {
        "requests_per_second": round(counts["requests"] / counts["microseconds"] * 1e6, 1),
        "cpu_ms": round(cpu / max(counts["requests"], 1) * 1e3, 4),
        "p50_ms": counts["p50_ms"],
        "p99_ms": counts["p99_ms"],
        "kilobytes": round(counts["bytes"] / max(counts["requests"], 1) / 1024, 2),
        "errors": counts["errors"],
        "megabytes": round(server.megabytes(), 1),
    }


def _others(
    copy: Path, work: Path, runs: Mapping[str, Mapping[str, list[Run]]], seconds: int
) -> dict[str, Any]:
    """Measure requests one at a time, and arrivals that do not wait for answers."""
    times_by_server: dict[str, list[float]] = {GATEWAY: [], "asyncpg by hand": []}
    for _ in range(3):
        for name, times in times_by_server.items():
            variant = Variant(fresh=0, redis=False, sync=False)
            with serving(name, copy, work / f"{name}-alone".replace(" ", "-"), variant) as server:
                _load(server, work, "w1", 2, 7, connections=1)
                times.append(_load(server, work, "w1", 5, 8, connections=1)["p50_ms"])
    open_loop: dict[str, Run] = {}
    with serving(GATEWAY, copy, work / "opened") as server:
        for workload in ("w1", "w2"):
            peak = max(run["requests_per_second"] for run in runs[GATEWAY][workload])
            open_loop[workload] = _open_loop(server, work, workload, round(0.7 * peak, 1), seconds)
    return {
        "alone_p50_ms": {name: min(times) for name, times in times_by_server.items()},
        "open": open_loop,
    }


def _open_loop(server: Server, work: Path, workload: str, rate: float, seconds: int) -> Run:
    (work / "body").write_bytes(server.body("w1", {"id": "@"}))
    request_headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        **server.headers,
    }
    (work / "headers").write_text(
        "".join(f"{name}: {value}\r\n" for name, value in request_headers.items())
    )
    _load(server, work, workload, _FILLING, 300)
    load = subprocess.run(
        [
            "taskset", "-c", LOAD_CORE, sys.executable, "-m", "bench.rivals.poisson", str(PORT),
            str(rate), str(seconds), str(work / "body"),
            str(work / ("hot" if workload == "w2" else "ids")), str(work / "headers"),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    run: Run = json.loads(load.stdout)
    return run


def _summarise(runs: Mapping[str, Mapping[str, list[Run]]]) -> dict[str, dict[str, Run]]:
    return {
        name: {
            workload: {key: median(run[key] for run in repeated) for key in repeated[0]}
            for workload, repeated in by_work.items()
        }
        for name, by_work in runs.items()
        if by_work
    }


def _show(results: Mapping[str, Any]) -> None:
    table = Table("server", *(f"{workload} {figure}" for workload in ("W1", "W2", "W3")
                              for figure in ("r/s", "CPU ms", "p99 ms")), "MB")  # fmt: skip
    for name, by_work in results["servers"].items():
        cells = []
        for workload in ("w1", "w2", "w3"):
            run = by_work.get(workload)
            cells += ["", "", ""] if run is None else [
                f"{run['requests_per_second']:.0f}", f"{run['cpu_ms']:.3f}", f"{run['p99_ms']:.1f}"
            ]  # fmt: skip
        table.add_row(name, *cells, f"{max(run['megabytes'] for run in by_work.values()):.0f}")
    console = Console(width=140)
    console.print(table)
    console.print("one at a time, p50 ms:", results["alone_p50_ms"])
    console.print("open loop at 70 % of peak:", results["open"])


if __name__ == "__main__":
    main()
