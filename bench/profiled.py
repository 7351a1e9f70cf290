"""Where the time goes inside a process: what Python's own profiler counts."""

from __future__ import annotations

import cProfile
import io
import pstats

from bench.inprocess import by_plan
from bench.site import Site

SHOWN = 25


async def by_function(site: Site, numbers: list[str]) -> str:
    """Return the functions with most time of their own while ``numbers`` are answered by plans.

    Counting calls costs more than many a call: shares are for comparing, not for adding up.
    """
    answer = by_plan(site)
    for number in numbers:
        await answer(number)
    profile = cProfile.Profile()
    profile.enable()
    for number in numbers:
        await answer(number)
    profile.disable()
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(SHOWN)
    return f"{len(numbers)} answers to W1, by plans, in one process\n{text.getvalue()}"
