"""Measurement by turns: variants run one after another in one process, compared by CPU time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import median

Figures = dict[str, object]


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of CPU an operation: over the rounds the median, and the least."""

    median: float
    least: float

    def figures(self) -> Figures:
        """Return it as it goes into the results."""
        return {"median_us": round(self.median, 2), "least_us": round(self.least, 2)}


def cost_of(rounds: list[float], operations: int) -> Cost:
    """Return the cost of one operation, from the seconds that rounds of them took."""
    per_operation = [seconds / operations * 1e6 for seconds in rounds]
    return Cost(median(per_operation), min(per_operation))


def in_turn(
    variants: Mapping[str, Callable[[], None]], operations: Mapping[str, int], rounds: int
) -> dict[str, Cost]:
    """Run every variant once unmeasured, then all of them in turn, ``rounds`` times.

    ``operations``: how many each variant makes when it is called.
    """
    durations: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, run in variants.items():
            start = time.process_time()
            run()
            if number:
                durations[name].append(time.process_time() - start)
    return {name: cost_of(seconds, operations[name]) for name, seconds in durations.items()}


async def in_turn_async(
    variants: Mapping[str, Callable[[], Awaitable[None]]],
    operations: Mapping[str, int],
    rounds: int,
) -> dict[str, Cost]:
    """As ``in_turn``, on the running loop."""
    durations: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, run in variants.items():
            start = time.process_time()
            await run()
            if number:
                durations[name].append(time.process_time() - start)
    return {name: cost_of(seconds, operations[name]) for name, seconds in durations.items()}
