"""Compiled plans and the reference executor: ``python -m bench.plans``, two or three minutes.

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
        measured, text = uvloop.run(_measure_inside(folder))
        figures |= measured
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


async def _measure_inside(folder: Path) -> tuple[Figures, str]:
    """Measure what runs in this process."""
    people = numbers()
    async with site(folder, PEOPLE) as gateway:
        figures: Figures = {
            "execution": await execution.measure(gateway, people[:100]),
            "in process": await inprocess.measure(gateway, people[:200]),
        }
        return figures, await profiled.by_function(gateway, people[:500])


def _show_inside(figures: dict[str, Any]) -> None:
    for section in ("execution", "in process"):
        costs = {name: cost for name, cost in figures[section].items() if isinstance(cost, dict)}
        lines = [(name, cost["median_us"], cost["least_us"]) for name, cost in costs.items()]
        show(section, ("", "us, median", "least"), lines)
        for name in figures[section].keys() - costs.keys():
            console.print(f"{name}: {figures[section][name]}")


def _show_whole(figures: dict[str, Any]) -> None:
    figures_by_way = figures["whole request"]
    columns = (
        "requests_per_second", "requests_per_second_most", "cpu_ms", "cpu_ms_least", "p50_ms",
        "p99_ms", "errors", "megabytes",
    )  # fmt: skip
    head = ("way", "rps", "most", "CPU ms", "least", "p50 ms", "p99 ms", "errors", "RSS MB")
    lines = [
        (way, *(way_figures[column] for column in columns))
        for way, way_figures in figures_by_way.items()
    ]
    show(f"whole request, in flight: {load.CONNECTIONS}", head, lines)
    plan, times = figures_by_way["plan"], {}
    for way in figures_by_way.keys() - {"plan"}:
        times[f"plan times faster than {way}"] = {
            "by requests per second": _times(plan, figures_by_way[way], "requests_per_second"),
            "by CPU": _times(figures_by_way[way], plan, "cpu_ms"),
        }
    figures["whole request, times"] = times
    for name, ratios in times.items():
        console.print(f"{name}: {ratios}")


def _times(larger: dict[str, float], smaller: dict[str, float], column: str) -> float:
    return round(larger[column] / smaller[column], 2)


def _verbs(figures: dict[str, Any]) -> list[tuple[str, float, int]]:
    """Return share and microseconds a request of each verb; the journal's thread is one more.

    The microseconds are those of the measured runs, not of the one that was sampled.
    """
    request_figures = figures["whole request"]["plan"]
    run = figures["verbs"]["while"]
    threads = run["cpu_ms_of_other_threads"] / run["cpu_ms"]
    shares_by_verb = shares(Counter(figures["verbs"]["samples"]))
    parts = {verb: share * (1 - threads) for verb, share in shares_by_verb.items()}
    parts["audit: thread that writes"] = threads
    return [
        (verb, round(share * 100, 1), round(share * request_figures["cpu_ms"] * 1e3))
        for verb, share in sorted(parts.items(), key=lambda item: -item[1])
    ]


if __name__ == "__main__":
    main()
