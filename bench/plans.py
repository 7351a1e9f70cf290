"""Compiled plans against the reference executor: ``python -m bench.plans``, two or three minutes.

See README.md here for what is measured and how to read it.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import uvloop

from bench import execution, inprocess, load, profiled
from bench.measure import Figures
from bench.report import RESULTS, console, save, show, surroundings
from bench.site import site
from bench.verbs import shares
from bench.world import PEOPLE, SEED, numbers

_SAMPLED_SECONDS = 10


def main() -> None:
    """Measure, print tables, write the results."""
    figures: Figures = {"surroundings": surroundings(), "people": PEOPLE, "seed": SEED}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inside, text = uvloop.run(_inside(folder))
        figures |= inside
        _show_inside(figures)
        figures["whole request"] = load.measure(folder, numbers(), PEOPLE)
        _show_whole(figures)
        figures["verbs"] = load.sampled(folder, numbers(), PEOPLE, _SAMPLED_SECONDS)
    table = _verbs(figures)
    show(
        "where a server that answers by plans spends its CPU", ("verb", "%", "us a request"), table
    )
    lines = "\n".join(f"{verb:28}{share:>7}{us:>7}" for verb, share, us in table)
    profile = RESULTS / "plans-profile.txt"
    head = "server under load, by verb: % of CPU, us a request\n"
    console.print(f"written: {save('plans', figures)} and {profile}")
    profile.write_text(f"{head}{lines}\n\n{text}", "utf-8")


async def _inside(folder: Path) -> tuple[Figures, str]:
    """Measure what needs no other process."""
    people = numbers()
    async with site(folder, PEOPLE) as gateway:
        figures: Figures = {
            "execution": await execution.measure(gateway, people[:100]),
            "in process": await inprocess.measure(gateway, people[:200]),
        }
        return figures, await profiled.by_function(gateway, people[:500])


def _show_inside(figures: dict[str, Any]) -> None:
    for part in ("execution", "in process"):
        costs = {name: one for name, one in figures[part].items() if isinstance(one, dict)}
        lines = [(name, one["median_us"], one["least_us"]) for name, one in costs.items()]
        show(part, ("", "us, median", "least"), lines)
        for name in figures[part].keys() - costs.keys():
            console.print(f"{name}: {figures[part][name]}")


def _show_whole(figures: dict[str, Any]) -> None:
    whole = figures["whole request"]
    columns = (
        "requests_per_second", "requests_per_second_most", "cpu_ms", "cpu_ms_least", "p50_ms",
        "p99_ms", "errors", "megabytes",
    )  # fmt: skip
    head = ("way", "rps", "most", "CPU ms", "least", "p50 ms", "p99 ms", "errors", "RSS MB")
    lines = [(way, *(found[one] for one in columns)) for way, found in whole.items()]
    show(f"whole request, in flight: {load.CONNECTIONS}", head, lines)
    plan, times = whole["plan"], {}
    for way in whole.keys() - {"plan"}:
        times[f"plan times faster than {way}"] = {
            "by requests per second": _times(plan, whole[way], "requests_per_second"),
            "by CPU": _times(whole[way], plan, "cpu_ms"),
        }
    figures["whole request, times"] = times
    for name, one in times.items():
        console.print(f"{name}: {one}")


def _times(more: dict[str, float], less: dict[str, float], column: str) -> float:
    return round(more[column] / less[column], 2)


def _verbs(figures: dict[str, Any]) -> list[tuple[str, float, int]]:
    """Return share and microseconds a request of each verb; the journal's thread is one more.

    The microseconds are those of the measured runs, not of the one that was sampled.
    """
    whole = figures["whole request"]["plan"]
    run = figures["verbs"]["while"]
    threads = run["cpu_ms_of_other_threads"] / run["cpu_ms"]
    seen = shares(Counter(figures["verbs"]["samples"]))
    found = {verb: share * (1 - threads) for verb, share in seen.items()}
    found["audit: thread that writes"] = threads
    return [
        (verb, round(share * 100, 1), round(share * whole["cpu_ms"] * 1e3))
        for verb, share in sorted(found.items(), key=lambda one: -one[1])
    ]


if __name__ == "__main__":
    main()
