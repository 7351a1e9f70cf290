"""``python -m bench.rivals``: the table of ``make bench``; see bench/README.md.

Servers take turns, each three times: what else the machine does falls on all of them alike. CPU of
the server's processes for a request is what to compare; requests a second depend on the load's core
as well.
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
from bench.rivals.documents import as_theirs, in_order
from bench.rivals.prepare import prepare
from bench.rivals.servers import (
    LOAD_CORE,
    OURS,
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
_ASKED = {
    OURS: ("w1", "w2", "w3"),
    f"{OURS}, uncached": ("w1", "w3"),
    "strawberry, defaults": ("w1", "w3"),
    "mercurius, jit": ("w1", "w2", "w3"),
    "yoga, jit": ("w1", "w2", "w3"),
    "asyncpg by hand": ("w1", "w3"),
    "bytes from a dictionary": ("w2",),
}

Run = dict[str, float]


def main() -> None:
    """Compare, measure, print, and write ``bench/results/rivals.json``."""
    given = _arguments()
    copy: Path = given.rivals.resolve()
    prepare()
    ids = (copy / "ids.txt").read_text().split()
    hot = (copy / "hot.txt").read_text().split()
    work = Path(tempfile.mkdtemp(prefix="rivals-"))
    (work / "ids").write_text("\n".join(ids))
    (work / "hot").write_text("\n".join(hot))
    try:
        reference = _compared(copy, work, ids)
        _keep_bytes(copy, work, hot)
        runs = _measured(copy, work, given.seconds, given.repetitions, reference)
        found = {"surroundings": surroundings(), "servers": _summed_up(runs)}
        save("rivals", found)  # what follows may fail, and this took long
        found.update(_others(copy, work, runs, given.seconds))
    finally:
        shutil.rmtree(work)
    save("rivals", found)
    _show(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path(os.environ.get("RIVALS", "../shared/peers"))
    parser.add_argument("--rivals", type=Path, default=folder, help="their folder, set up")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--repetitions", type=int, default=3)
    given = parser.parse_args()
    if not (given.rivals / "hot.txt").exists():
        parser.error(f"{given.rivals} is not set up: see the README there, and RIVALS")
    return given


def _compared(copy: Path, work: Path, ids: Sequence[str]) -> dict[str, Any]:
    """Return the answers that all must give, W1 by number and W3, as the first rival gives them."""
    chosen = random.Random(3).sample(list(ids), _COMPARED)
    with serving("mercurius, jit", copy, work / "reference") as server:
        people = {one: in_order(server.ask("w1", {"id": one})["person"]) for one in chosen}
        many = server.ask("w3", {"ids": chosen[:_PEOPLE]})["persons"]
    return {"w1": people, "w3": [in_order(one) for one in many], "ids": chosen}


def _hold_to(reference: Mapping[str, Any], server: Server, asked: Sequence[str]) -> None:
    """Hold a server's answers against the reference, twice: from the cache as well."""
    ours = server.name in VARIANTS
    for _ in range(2):
        if "w1" in asked:
            for number, expected in reference["w1"].items():
                person = server.ask("w1", {"id": number})["person"]
                assert in_order(as_theirs(person) if ours else person) == expected, number
        if "w3" in asked:
            people = server.ask("w3", {"ids": reference["ids"][:_PEOPLE]})["persons"]
            made = [as_theirs(one, W3) if ours else one for one in people]
            assert [in_order(one) for one in made] == reference["w3"]


def _keep_bytes(copy: Path, work: Path, hot: Sequence[str]) -> None:
    """Write the answers of our gateway that the dictionary of bytes returns."""
    with serving(OURS, copy, work / "bytes") as server, (copy / "static.bin").open("wb") as file:
        headers = {"content-type": "application/json", **server.headers}
        with httpx2.Client(headers=headers, timeout=30) as client:
            for number in hot:
                body = server.body("w1", {"id": number})
                for _ in range(2):  # the second is from the cache
                    answer = client.post(f"{server.url}/graphql", content=body)
                answer.raise_for_status()
                file.write(number.encode() + b"\t" + answer.content + b"\n")


def _measured(
    copy: Path, work: Path, seconds: int, repetitions: int, reference: Mapping[str, Any]
) -> dict[str, dict[str, list[Run]]]:
    runs: dict[str, dict[str, list[Run]]] = {name: {} for name in _ASKED}
    for repetition in range(repetitions):
        for name, asked in _ASKED.items():
            with serving(name, copy, work / name.replace(" ", "-")) as server:
                if name != "bytes from a dictionary":
                    _hold_to(reference, server, asked)
                for which in asked:
                    warming = _WARMING[which] if name == OURS else 4
                    _load(server, work, which, warming, 100 + repetition)
                    run = _load(server, work, which, seconds, 200 + repetition)
                    runs[name].setdefault(which, []).append(run)
                    print(name, which, run, file=sys.stderr, flush=True)
    return runs


def _load(
    server: Server, work: Path, which: str, seconds: int, seed: int, connections: int = _CONNECTIONS
) -> Run:
    """Have wrk ask for ``seconds``; return what it saw and what the server took for it."""
    document = "w1" if which == "w2" else which
    variables: dict[str, object] = {"ids": ["@"]} if which == "w3" else {"id": "@"}
    (work / "body").write_bytes(server.body(document, variables))
    before = server.cpu()
    done = subprocess.run(
        [
            "taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(connections),
            "-d", f"{seconds}s", "--timeout", "20s",
            "-s", str(_HERE.parent / "load.lua"), server.url,
        ],
        env={
            **os.environ,
            "LOAD_BODY": str(work / "body"),
            "LOAD_IDS": str(work / ("hot" if which == "w2" else "ids")),
            "LOAD_COUNT": str(_PEOPLE if which == "w3" else 1),
            "LOAD_SEED": str(seed),
            "LOAD_HEADERS": "\n".join(f"{name}: {one}" for name, one in server.headers.items()),
        },
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = server.cpu() - before
    line = next(one for one in done.stdout.splitlines() if one.startswith("JSON"))
    seen = json.loads(line.removeprefix("JSON"))
    return {
        "requests_per_second": round(seen["requests"] / seen["microseconds"] * 1e6, 1),
        "cpu_ms": round(took / max(seen["requests"], 1) * 1e3, 4),
        "p50_ms": seen["p50_ms"],
        "p99_ms": seen["p99_ms"],
        "kilobytes": round(seen["bytes"] / max(seen["requests"], 1) / 1024, 2),
        "errors": seen["errors"],
        "megabytes": round(server.megabytes(), 1),
    }


def _others(
    copy: Path, work: Path, runs: Mapping[str, Mapping[str, list[Run]]], seconds: int
) -> dict[str, Any]:
    """Measure one at a time, and arrivals that do not wait for answers."""
    alone: dict[str, list[float]] = {OURS: [], "asyncpg by hand": []}
    for _ in range(3):
        for name, found in alone.items():
            variant = Variant(fresh=0, redis=False, sync=False)
            with serving(name, copy, work / f"{name}-alone".replace(" ", "-"), variant) as server:
                _load(server, work, "w1", 2, 7, connections=1)
                found.append(_load(server, work, "w1", 5, 8, connections=1)["p50_ms"])
    opened: dict[str, Run] = {}
    with serving(OURS, copy, work / "opened") as server:
        for which in ("w1", "w2"):
            peak = max(one["requests_per_second"] for one in runs[OURS][which])
            opened[which] = _open_loop(server, work, which, round(0.7 * peak, 1), seconds)
    return {"alone_p50_ms": {name: min(one) for name, one in alone.items()}, "open": opened}


def _open_loop(server: Server, work: Path, which: str, rate: float, seconds: int) -> Run:
    (work / "body").write_bytes(server.body("w1", {"id": "@"}))
    sent = {"Content-Type": "application/json", "Accept": "application/json", **server.headers}
    (work / "headers").write_text("".join(f"{name}: {one}\r\n" for name, one in sent.items()))
    _load(server, work, which, _FILLING, 300)
    done = subprocess.run(
        [
            "taskset", "-c", LOAD_CORE, sys.executable, "-m", "bench.rivals.poisson", str(PORT),
            str(rate), str(seconds), str(work / "body"),
            str(work / ("hot" if which == "w2" else "ids")), str(work / "headers"),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: Run = json.loads(done.stdout)
    return found


def _summed_up(runs: Mapping[str, Mapping[str, list[Run]]]) -> dict[str, dict[str, Run]]:
    return {
        name: {
            which: {key: median(run[key] for run in found) for key in found[0]}
            for which, found in by_work.items()
        }
        for name, by_work in runs.items()
        if by_work
    }


def _show(found: Mapping[str, Any]) -> None:
    table = Table("server", *(f"{one} {what}" for one in ("W1", "W2", "W3")
                              for what in ("r/s", "CPU ms", "p99 ms")), "MB")  # fmt: skip
    for name, by_work in found["servers"].items():
        cells = []
        for which in ("w1", "w2", "w3"):
            run = by_work.get(which)
            cells += ["", "", ""] if run is None else [
                f"{run['requests_per_second']:.0f}", f"{run['cpu_ms']:.3f}", f"{run['p99_ms']:.1f}"
            ]  # fmt: skip
        table.add_row(name, *cells, f"{max(run['megabytes'] for run in by_work.values()):.0f}")
    console = Console(width=140)
    console.print(table)
    console.print("one at a time, p50 ms:", found["alone_p50_ms"])
    console.print("open loop at 70 % of peak:", found["open"])


if __name__ == "__main__":
    main()
