"""Admission: how many requests are in the gateway at once. More are refused before queues grow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType

from prometheus_client import Counter, Gauge

from gateway.errors import GatewayError

IN_FLIGHT = Gauge("justice_gateway_requests_in_flight", "Requests that are being answered")
BUSY = Counter("justice_gateway_busy", "Requests refused because there were too many", ["reason"])

#: How many requests the time of one is averaged over, about.
_SMOOTHED_OVER = 64
#: After so many at the latest the processor's time is looked at: that costs as much as the rest.
_LOOKED_AT = 8


class Admission:
    """Lets ``in_flight`` requests in at once, half of them of one client at most.

    A process has one thread that answers: who comes now is through when it has worked for all who
    are there already. Where that is more than ``deadline`` seconds, it is refused as well. The time
    that a request takes is that of the processor (``cpu``), not the time that it waits for a
    database, in which others are worked for; it is smoothed over the last requests.
    """

    def __init__(
        self, in_flight: int, deadline: float, cpu: Callable[[], float] = time.thread_time
    ) -> None:
        self.in_flight = 0
        self.receiving = 0  # of those in flight: their bodies are on their way
        self.service_time = 0.0
        self._most = in_flight
        self._most_of_client = max(1, in_flight // 2)
        self._deadline = deadline
        self._cpu = cpu
        self._worked = 0.0
        self._done = 0
        self._of_client: dict[str | None, int] = {}
        IN_FLIGHT.set_function(lambda: self.in_flight)

    def admit(self, client: str | None) -> _Place:
        """Return the context of one request: in it, a place is taken; after it, it is free again.

        None: all anonymous callers together. Entering raises GatewayError GATEWAY_BUSY. Both ways
        together cost one or two microseconds.
        """
        return _Place(self, client)

    @property
    def expected_wait(self) -> float:
        """Seconds until all that are in flight, and have come whole, have been worked for."""
        return (self.in_flight - self.receiving) * self.service_time

    def enter(self, client: str | None) -> None:
        """Take a place, or raise GATEWAY_BUSY."""
        of_client = self._of_client.get(client, 0)
        if self.in_flight >= self._most:
            raise self._busy("gateway")
        if of_client >= self._most_of_client:
            raise self._busy("client")
        if self.expected_wait > self._deadline:
            raise self._busy("wait")
        if not self.in_flight:  # what was done while nobody was there is nobody's work
            self._worked = self._cpu()
        self.in_flight += 1
        self._of_client[client] = of_client + 1

    def leave(self, client: str | None) -> None:
        """Give the place back: once for each ``enter`` that did not raise."""
        self.in_flight -= 1
        left = self._of_client[client] - 1
        if left:
            self._of_client[client] = left
        else:
            del self._of_client[client]
        self._done += 1
        if self._done >= _LOOKED_AT or not self.in_flight:
            self._look()

    def _look(self) -> None:
        """See what the processor has worked for those who left since it was last looked at."""
        worked = self._cpu()
        took = (worked - self._worked) / self._done
        self.service_time += (took - self.service_time) * self._done / _SMOOTHED_OVER
        self._worked, self._done = worked, 0

    def _busy(self, reason: str) -> GatewayError:
        BUSY.labels(reason).inc()
        wait = max(1, math.ceil(self.expected_wait - self._deadline))
        return GatewayError("GATEWAY_BUSY", headers={"Retry-After": str(wait)})


class _Place:
    __slots__ = ("_admission", "_client")

    def __init__(self, admission: Admission, client: str | None) -> None:
        self._admission = admission
        self._client = client

    def __enter__(self) -> None:
        self._admission.enter(self._client)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._admission.leave(self._client)
