"""How many new documents a client may have compiled: a token bucket per client.

Compiling costs a thousand times as much as running what is compiled, and all clients share the one
thread that does it. What is kept already costs nothing.
"""

from __future__ import annotations

import math
from collections import OrderedDict

from gateway.errors import GatewayError
from gateway.runtime.clock import Clock

_CLIENTS = 10_000


class CompileBudget:
    """Lets each client through ``a_minute`` times at once, and as often again per minute."""

    def __init__(self, a_minute: int, clock: Clock) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._left: OrderedDict[str | None, tuple[float, float]] = OrderedDict()

    def take(self, client: str | None) -> None:
        """Take one; raises GatewayError TOO_MANY_DOCUMENTS, which says when to come back.

        ``client`` None: all anonymous callers together.
        """
        now = self._clock.monotonic()
        left, since = self._left.get(client, (float(self._a_minute), now))
        left = min(left + (now - since) * self._a_minute / 60, self._a_minute)
        if left < 1:
            wait = math.ceil((1 - left) * 60 / self._a_minute)
            raise GatewayError("TOO_MANY_DOCUMENTS", headers={"Retry-After": str(wait)})
        self._left[client] = left - 1, now
        self._left.move_to_end(client)
        if len(self._left) > _CLIENTS:  # the one that has been quiet longest is full again
            self._left.popitem(last=False)
