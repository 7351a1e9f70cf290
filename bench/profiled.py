"""The functions of a process that take most time, by Python's profiler."""

from __future__ import annotations

import cProfile
import io
import pstats

from bench.inprocess import by_plan
from bench.site import Site

SHOWN = 25


async def by_function(site: Site, numbers: list[str]) -> str:
    """Return the functions with the most internal time while plans answer about ``numbers``.

    Counting a call often costs more than the call: compare shares, don't add them up.
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
