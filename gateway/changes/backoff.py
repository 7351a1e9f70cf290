"""The wait before what failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

_FIRST, _LONGEST = 0.25, 10.0  # seconds
_MOST_DOUBLINGS = 16


class Backoff:
    """Waits twice as long after each failure, 10 s at most.

    Half of each wait is random, so that processes that failed together do not return together.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._failures = 0

    def reset(self) -> None:
        """Begin again with the shortest wait: something succeeded."""
        self._failures = 0

    async def wait(self) -> None:
        """Wait after a failure."""
        seconds = min(_LONGEST, _FIRST * 2**self._failures)
        self._failures = min(self._failures + 1, _MOST_DOUBLINGS)
        await self._sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
