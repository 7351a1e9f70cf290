"""What our gateway is to reach, as ratios to others within one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from bench.rivals.load import Window
from bench.rivals.servers import (
    BY_HAND,
    BYTES,
    CACHE,
    CACHE_AND_REDIS,
    GATEWAYS,
    IN_MEMORY,
    MERCURIUS,
    OURS,
)

#: The windows of a part: by what is asked, then by who answers (or what is looked at).
Series = Mapping[str, Mapping[str, Sequence[Window]]]
#: How many people each request of the part "persons" is about.
PERSONS = (1, 10, 50, 100)


@dataclass(frozen=True)
class Goal:
    """A figure of a part and its bound; ``is_least``: the figure must not be below it."""

    part: str
    text: str
    bound: float
    compute: Callable[[Series], float]
    is_least: bool = False

    def is_met_by(self, figure: float) -> bool:
        """Say whether ``figure`` meets it."""
        return figure >= self.bound if self.is_least else figure <= self.bound


def ratio(part: Mapping[str, Sequence[Window]], way: str, other: str, *names: str) -> float:
    """Return the median, over the windows, of one way's figure divided by the other's.

    Windows of the same number were measured one after the other. Several ``names``: their sum.
    """
    ratios = [
        sum(window[name] for name in names) / max(sum(base[name] for name in names), 1e-9)
        for window, base in zip(part[way], part[other], strict=True)
    ]
    return median(ratios)


def fastest(part: Mapping[str, Sequence[Window]]) -> str:
    """Return the other gateway that answers most requests a second."""
    return max(
        (way for way in GATEWAYS if way in part),
        key=lambda way: median(window["requests_per_second"] for window in part[way]),
    )


def _against(
    label: str, *names: str, other: str | None = None, ours: str = OURS
) -> Callable[[Series], float]:
    """Return the ratio of ours to ``other``; None: to the fastest of the other gateways."""

    def compute(series: Series) -> float:
        part = series[label]
        return ratio(part, ours, other or fastest(part), *names)

    return compute


def _tail(label: str, way: str) -> Callable[[Series], float]:
    """Return p99 divided by p50."""

    def compute(series: Series) -> float:
        return median(window["p99_ms"] / window["p50_ms"] for window in series[label][way])

    return compute


def _memory(series: Series) -> float:
    return max(windows[0]["megabytes"] for windows in series["caches"].values())


def _slowed(name: str) -> Callable[[Series], float]:
    def compute(series: Series) -> float:
        quick, slow = series["no database slow"], series["one database slow"]
        way = "does not ask it"
        return median(window[name] / base[name] for window, base in zip(slow[way], quick[way],
                                                                        strict=True))  # fmt: skip

    return compute


def cost_per_person(series: Series, people: int) -> float:
    """Return milliseconds of our server's CPU for each of ``people`` of a request."""
    return median(window["cpu_ms"] for window in series[str(people)][OURS]) / people


def _fall(series: Series) -> float:
    return cost_per_person(series, PERSONS[-1]) / cost_per_person(series, PERSONS[0])


def _steepest_step(series: Series) -> float:
    costs = [cost_per_person(series, people) for people in PERSONS]
    return max(after / before for before, after in pairwise(costs))


_TOTAL = ("cpu_ms", "postgres_ms")
GOALS = (
    Goal("w1", "W1: server CPU, to Mercurius'", 0.25, _against("W1", "cpu_ms", other=MERCURIUS)),
    Goal("w1", "W1: throughput, to Mercurius'", 2.5,
         _against("W1", "requests_per_second", other=MERCURIUS), is_least=True),
    Goal("w1", "W1: server and PostgreSQL, to Mercurius'", 0.5,
         _against("W1", *_TOTAL, other=MERCURIUS)),
    Goal("w2", "W2: server CPU, to the fastest gateway's", 0.12,
         _against("W2", "cpu_ms", ours=CACHE_AND_REDIS)),
    Goal("w2", "W2: throughput, to bare ASGI's", 0.33,
         _against("W2", "requests_per_second", other=BYTES, ours=CACHE_AND_REDIS), is_least=True),
    Goal("w2", "tiny: throughput, to bare ASGI's with W2's bytes", 0.33,
         _against("tiny", "requests_per_second", other=BYTES, ours=CACHE_AND_REDIS),
         is_least=True),
    Goal("w3", "W3: server CPU, to the fastest gateway's", 0.4, _against("W3", "cpu_ms")),
    Goal("w3", "W3: throughput, to the fastest gateway's", 1.0,
         _against("W3", "requests_per_second"), is_least=True),
    Goal("w3", "W3: PostgreSQL's CPU, to the fastest gateway's", 1.0,
         _against("W3", "postgres_ms")),
    Goal("w3", "W3: server and PostgreSQL, to Mercurius'", 1.0,
         _against("W3", *_TOTAL, other=MERCURIUS)),
    Goal("concurrency", "one at a time: p50 without the disk's sync, to asyncpg by hand", 1.0,
         _against("1", "p50_ms", other=BY_HAND, ours=IN_MEMORY)),
    Goal("mixed", "ten documents: server CPU, to Mercurius'", 0.5,
         _against("mixed", "cpu_ms", other=MERCURIUS)),
    Goal("persons", "persons(ids): cost per person of 100, to that of 1", 1.0, _fall),
    Goal("persons", "persons(ids): worst step from 1 to 10 to 50 to 100", 1.0, _steepest_step),
    Goal("miss", "a cache that misses: server CPU, to no cache", 1.1,
         _against("W1", "cpu_ms", other=OURS, ours=CACHE)),
    Goal("miss", "the same with Redis", 1.1,
         _against("W1", "cpu_ms", other=OURS, ours=CACHE_AND_REDIS)),
    Goal("open", "W1, open loop at 70 % of peak: p99, to p50", 5.0, _tail("W1", OURS)),
    Goal("open", "W2, open loop at 70 % of peak: p99, to p50", 5.0, _tail("W2", CACHE_AND_REDIS)),
    Goal("slow", "beside a slow database: p50 of who doesn't ask it, to without", 1.2,
         _slowed("p50_ms")),
    Goal("slow", "beside a slow database: p99 of who doesn't ask it, to without", 1.5,
         _slowed("p99_ms")),
    Goal("memory", "MB with full caches", 250, _memory),
)  # fmt: skip
