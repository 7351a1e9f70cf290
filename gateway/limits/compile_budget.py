"""The budget of new documents that a client may have compiled: a token bucket for each client.

Compiling a document costs a thousand times as much as running it, and all clients share the one
thread that compiles. A document whose plan is cached costs nothing.
"""

from __future__ import annotations

import math

from cachetools import LRUCache

from gateway.errors import GatewayError
from gateway.runtime.clock import Clock

#: Clients that are counted. The bucket of one that is evicted is full again.
_CLIENTS = 10_000


class CompileBudget:
    """Allows each client ``a_minute`` documents at once, and as many again per minute."""

    def __init__(self, a_minute: int, clock: Clock) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._buckets: LRUCache[str | None, tuple[float, float]] = LRUCache(_CLIENTS)

    def take(self, client: str | None) -> None:
        """Take one document off the budget of ``client``; None: all anonymous callers together.

        Raises GatewayError TOO_MANY_DOCUMENTS, which says when to retry.
        """
        now = self._clock.monotonic()
        left, since = self._buckets.get(client, (float(self._a_minute), now))
        left = min(left + (now - since) * self._a_minute / 60, self._a_minute)
        if left < 1:
            wait = math.ceil((1 - left) * 60 / self._a_minute)
            raise GatewayError("TOO_MANY_DOCUMENTS", headers={"Retry-After": str(wait)})
        self._buckets[client] = left - 1, now
