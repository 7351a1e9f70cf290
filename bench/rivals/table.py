"""The results as a page in Markdown: a table for each part, and the goals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Figure -> its heading, and its decimals.
_COLUMNS = {
    "cpu_ms": ("server CPU ms", 3),
    "cpu_ms_person": ("a person", 4),
    "postgres_ms": ("PostgreSQL CPU ms", 3),
    "helper_ms": ("helper CPU ms", 3),
    "requests_per_second": ("requests/s", 0),
    "rate": ("arrivals/s", 0),
    "p50_ms": ("p50 ms", 2),
    "p99_ms": ("p99 ms", 2),
    "megabytes": ("MB", 0),
    "kilobytes": ("kB an answer", 1),
    "errors": ("errors", 0),
}
TITLES = {
    "w1": "W1: one person out of seven databases, 32 connections",
    "w2": "W2: ready answers, 32 connections",
    "w3": "W3: 50 people out of three databases, 32 connections",
    "concurrency": "W1 by the number of connections",
    "xroad": "The population database over X-Road, 16 officers (helper: the stand-in)",
    "mixed": "Ten documents, three callers with different rights",
    "persons": "persons(ids) by the number of people",
    "miss": "W1, nobody twice: a cache that misses beside no cache",
    "open": "Open loop at 70 % of peak",
    "slow": "A database that answers 100 ms later (helper: the proxy)",
    "memory": "Memory",
}


def as_markdown(results: Mapping[str, Any]) -> str:
    """Return the page."""
    surroundings = results["surroundings"]
    lines = ["# Our gateway beside others", "", *_introduction(surroundings), ""]
    if results.get("goals"):
        lines += ["## Goals", "", *_goals(results["goals"]), ""]
    for part, figures in results["parts"].items():
        lines += [f"## {TITLES[part]}", ""]
        if "failed" in figures:
            lines += [f"It failed: {figures['failed']}", ""]
            continue
        lines += [*_part(figures["series"]), ""]
    for label, figures in results.get("profile", {}).items():
        lines += [f"## Where the server's CPU goes, {label}", ""]
        lines += [*_profile(figures), ""]
    return "\n".join(lines)


def _introduction(surroundings: Mapping[str, Any]) -> list[str]:
    return [
        f"Written by `python -m bench.rivals`; see [README](../README.md). Commit "
        f"{surroundings['commit']}, {surroundings['processor']}, {surroundings['cores']} cores, "
        f"load {surroundings['load_average']} at the start, Python {surroundings['python']}.",
        "Medians over windows; CPU is a request's.",
    ]


def _goals(goals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| goal | bound | figure | |"
    yield "|---|---|---|---|"
    for goal in goals:
        sign = "at least" if goal["is_least"] else "at most"
        if goal["figure"] is None:
            figure, verdict = "", "not measured"
        else:
            figure, verdict = f"{goal['figure']:.3g}", "met" if goal["is_met"] else "**missed**"
        yield f"| {goal['text']} | {sign} {goal['bound']:g} | {figure} | {verdict} |"


def _part(series: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    ways = [figures for by_way in series.values() for figures in by_way.values()]
    columns = [name for name in _COLUMNS if any(name in figures for figures in ways)]
    yield "| | | " + " | ".join(_COLUMNS[name][0] for name in columns) + " |"
    yield "|---" * (len(columns) + 2) + "|"
    for label, by_way in series.items():
        for way, figures in by_way.items():
            cells = [
                f"{figures[name]:.{_COLUMNS[name][1]}f}" if name in figures else ""
                for name in columns
            ]
            yield f"| {label} | {way} | {' | '.join(cells)} |"


def _profile(figures: Mapping[str, Any]) -> Iterator[str]:
    for name in ("files", "functions"):
        yield f"| {name} | us a request |"
        yield "|---|---|"
        for place, microseconds in figures[name].items():
            yield f"| {place} | {microseconds:.1f} |"
        yield ""
