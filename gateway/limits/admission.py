"""Admission: a bound on the requests in flight. More are refused before queues grow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType

from prometheus_client import Counter, Gauge

from gateway.errors import GatewayError

IN_FLIGHT = Gauge("justice_gateway_requests_in_flight", "Requests that are being answered")
BUSY = Counter(
    "justice_gateway_admission_refusals", "Requests refused because there were too many", ["reason"]
)

#: Requests over which the service time is smoothed.
_SMOOTHED_OVER = 64
#: Of so many requests one at least is measured: a reading of the processor's time is a call of the
#: operating system, which costs more than the rest.
_MEASURED_EVERY = 8


class Admission:
    """Admits ``in_flight`` requests at once, half of them from one client at most.

    A process answers on one thread, so a new request waits until all requests in flight have been
    worked on. If that would take more than ``deadline`` seconds, it is refused as well. The service
    time of a request is that of the processor (``cpu``), without the time for which it waits for a
    database; it is smoothed over the last requests.
    """

    def __init__(
        self, in_flight: int, deadline: float, cpu: Callable[[], float] = time.thread_time
    ) -> None:
        self.in_flight = 0
        self.receiving = 0  # of those in flight, the ones whose body has not arrived
        self.service_time = 0.0
        self._most = in_flight
        self._most_of_client = max(1, in_flight // 2)
        self._deadline = deadline
        self._cpu = cpu
        self._is_measured = False
        self._measured_at = 0.0
        self._done = 0
        self._unmeasured = 0
        self._of_client: dict[str | None, int] = {}
        IN_FLIGHT.set_function(lambda: self.in_flight)

    def admit(self, client: str | None) -> AdmissionPlace:
        """Return the context of one request, which takes a place and gives it back.

        ``client`` None: all anonymous callers together. Entering raises GatewayError GATEWAY_BUSY.
        Costs one or two microseconds in all.
        """
        return AdmissionPlace(self, client)

    @property
    def expected_wait(self) -> float:
        """Seconds until all requests in flight whose body has arrived have been worked on."""
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
        if not self.in_flight:  # work between requests belongs to none of them
            self._is_measured = self._unmeasured + 1 >= _MEASURED_EVERY
            if self._is_measured:
                self._measured_at = self._cpu()
        self.in_flight += 1
        self._of_client[client] = of_client + 1

    def leave(self, client: str | None) -> None:
        """Give the place back: once for each ``enter`` that did not raise."""
        self.in_flight -= 1
        remaining = self._of_client[client] - 1
        if remaining:
            self._of_client[client] = remaining
        else:
            del self._of_client[client]
        self._done += 1
        if self._done >= _MEASURED_EVERY or not self.in_flight:
            self._measure()

    def _measure(self) -> None:
        """Account for the requests that left since the last time.

        Where the gateway is idle between two requests, one in eight is measured, and stands for the
        others. While requests are in flight, all are measured together.
        """
        if self._is_measured:
            now = self._cpu()
            measured = (now - self._measured_at) / self._done
            weight = min(1.0, (self._done + self._unmeasured) / _SMOOTHED_OVER)
            self.service_time += (measured - self.service_time) * weight
            self._measured_at, self._unmeasured = now, 0
        else:
            self._unmeasured += self._done
            if self.in_flight:
                self._is_measured, self._measured_at = True, self._cpu()
        self._done = 0

    def _busy(self, reason: str) -> GatewayError:
        BUSY.labels(reason).inc()
        wait = max(1, math.ceil(self.expected_wait - self._deadline))
        return GatewayError("GATEWAY_BUSY", headers={"Retry-After": str(wait)})


class AdmissionPlace:
    """The place of one request: taken when its context is entered, and given back at the end."""

    __slots__ = ("_admission", "_client", "_is_taken")

    def __init__(self, admission: Admission, client: str | None) -> None:
        self._admission = admission
        self._client = client
        self._is_taken = False

    def __enter__(self) -> AdmissionPlace:
        self._admission.enter(self._client)
        self._is_taken = True
        return self

    def give_back(self) -> None:
        """Give the place back, if that has not been done: also before the end of the request."""
        if self._is_taken:
            self._is_taken = False
            self._admission.leave(self._client)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()
