"""``python -m bench.rivals``: our gateway beside others; see bench/README.md.

What is compared is measured in turn, window by window, so that other load of the machine affects
all alike. Compare the CPU time for a request, and ratios within one run; requests a second also
depend on the core that generates the load.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson

from bench.report import RESULTS, surroundings
from bench.rivals.goals import GOALS, Series
from bench.rivals.load import Loads
from bench.rivals.parts import PARTS, Bench, profile, summarise_windows, write_numbers
from bench.rivals.prepare import prepare
from bench.rivals.processes import Postgres, set_nice
from bench.rivals.servers import RIVALS, VARIANTS
from bench.rivals.table import as_markdown

#: Where a run of some parts only leaves its results: those of a whole run stay.
_OF_SOME_PARTS = RESULTS.parents[1] / ".bench" / "results"


def main() -> None:
    """Measure the parts that are wanted, print the page, and write it and the figures."""
    options = _arguments()
    copy: Path = options.rivals.resolve()
    results: dict[str, Any] = {"surroundings": surroundings(), "parts": {}}
    folder = RESULTS if options.only == list(PARTS) and not options.without else _OF_SOME_PARTS
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # not before all servers are stopped
    every = prepare(copy)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rivals-")))
        write_numbers(work, copy, every)
        postgres = Postgres(copy / "pg/data")
        usual = os.getpriority(os.PRIO_PROCESS, 0)
        stack.callback(set_nice, [os.getpid()], usual)  # its session is the shell's
        stack.callback(postgres.set_nice, usual)
        set_nice([os.getpid()], options.nice)
        postgres.set_nice(options.nice)
        loads = Loads(work, postgres)
        bench = Bench(copy, work, loads, options.seconds, options.windows, options.without)
        bench.read_references()
        measured: dict[str, Series] = {}
        for part in options.only:
            print(f"{part} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)
            try:
                measured[part] = PARTS[part](bench)
                results["parts"][part] = {"series": summarise_windows(measured[part])}
            except Exception as error:  # the other parts took long
                results["parts"][part] = {"failed": f"{type(error).__name__}: {error}"[:500]}
            results["goals"] = _goals(measured, options.only)
            _write(folder, results)
        if options.profile:
            results["profile"] = profile(bench)
    results["seconds"] = round(time.monotonic() - started)
    _write(folder, results)
    print(as_markdown(results))
    print(f"{results['seconds']} s; {folder / 'rivals.md'}, {folder / 'rivals.json'}")
    if any("failed" in figures for figures in results["parts"].values()):
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path(os.environ.get("RIVALS", "../shared/peers"))
    parser.add_argument("--rivals", type=Path, default=folder, help="their folder, set up")
    parser.add_argument("--only", help=f"some of {','.join(PARTS)}; none: the profile alone")
    parser.add_argument("--windows", type=int, default=3, help="how often each way is measured")
    parser.add_argument("--seconds", type=int, default=4, help="how long a window is")
    parser.add_argument("--without", default="", help="servers to leave out, by their first word")
    parser.add_argument("--profile", action="store_true", help="sample our server, too")
    parser.add_argument(
        "--nice",
        type=int,
        default=0,
        help="of all that is measured; below 0 needs root, and starves others",
    )
    options = parser.parse_args()
    options.only = _parts(parser, options.only)
    words = [word for word in options.without.split(",") if word]
    options.without = {
        name for name in (*RIVALS, *VARIANTS) if any(name.startswith(word) for word in words)
    }
    if not (options.rivals / "hot.txt").exists():
        parser.error(f"{options.rivals} is not set up: see the README there, and RIVALS")
    return options


def _parts(parser: argparse.ArgumentParser, only: str | None) -> list[str]:
    if only is None:
        return list(PARTS)
    parts = [] if only == "none" else only.split(",")
    unknown = set(parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return parts


def _goals(measured: Mapping[str, Series], parts: list[str]) -> list[dict[str, Any]]:
    """Return the goals of the parts that are wanted, with what was measured."""
    goals = []
    for goal in GOALS:
        if goal.part not in parts:
            continue
        figure = None
        if goal.part in measured:
            try:
                figure = goal.compute(measured[goal.part])
            except (KeyError, ValueError):  # one of the two was left out
                figure = None
        goals.append({
            "part": goal.part, "text": goal.text, "bound": goal.bound, "is_least": goal.is_least,
            "figure": figure, "is_met": figure is not None and goal.is_met_by(figure),
        })  # fmt: skip
    return goals


def _write(folder: Path, results: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = orjson.dumps(results, option=orjson.OPT_INDENT_2)
    (folder / "rivals.json").write_bytes(content + b"\n")
    (folder / "rivals.md").write_text(as_markdown(results), "utf-8")


if __name__ == "__main__":
    main()
