"""The queue of the compiler thread: one computation at a time, fair between clients.

Parsing, validating and compiling hold the global interpreter lock, so a second thread would be no
faster. Clients take turns, one computation each: a client that sends many new documents waits for
its own. Anonymous callers have a turn only when no known client waits.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from gateway.errors import GatewayError
from gateway.limits.admission import BUSY

T = TypeVar("T")

#: Seconds that a computation takes at most under the limits on documents (``bench.costliest``).
_PIECE = 0.02


class Work(Generic[T]):
    """A computation that requests wait for. ``clients``: in whose turns it may start."""

    def __init__(self, make: Callable[[], T], finish: Callable[[asyncio.Future[T]], None]) -> None:
        self.make = make
        self.clients: set[str | None] = set()
        self.waiters = 0
        self.started = False
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.result.add_done_callback(finish)

    @property
    def is_due(self) -> bool:
        """Whether it has neither started nor been cancelled."""
        return not self.started and not self.result.done()


class CompileQueue:
    """Runs computations in one thread. Every method is called on the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "plans")
        self._queues: OrderedDict[str | None, deque[Work[object]]] = OrderedDict()
        self._running = False

    def __len__(self) -> int:
        """Return how many computations wait, each counted once for every client that waits."""
        return sum(work.is_due for queue in self._queues.values() for work in queue)

    def close(self) -> None:
        """Stop the thread, once its current computation is complete."""
        self._queues.clear()
        self._thread.shutdown()

    async def result(self, work: Work[T], client: str | None, seconds: float) -> T:
        """Wait for ``work`` in a turn of ``client``, ``seconds`` at most.

        Raises GatewayError GATEWAY_BUSY after that, and what ``work.make`` raises. A computation
        that no request waits for any more does not start; once started it runs to its end.
        """
        work.waiters += 1
        if client not in work.clients and work.is_due:
            work.clients.add(client)
            self._queues.setdefault(client, deque()).append(work)  # type: ignore[arg-type]  # any T
            self._begin()
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                # Shielded: a request that is cancelled must not cancel it for the other requests.
                return await asyncio.shield(work.result)
        except TimeoutError:
            raise self._busy() from None
        finally:
            work.waiters -= 1
            if not work.waiters and work.is_due:
                work.result.cancel()

    def _begin(self) -> None:
        """Start the next computation, if the thread is free."""
        work = None if self._running else self._next()
        if work is None:
            return
        work.started = self._running = True
        job = asyncio.get_running_loop().run_in_executor(self._thread, work.make)
        job.add_done_callback(partial(self._finish, work))

    def _next(self) -> Work[object] | None:
        """Take the next computation from the client whose turn it is."""
        while self._queues:
            clients = (client for client in self._queues if client is not None)
            client = next(clients, None)
            queue = self._queues.pop(client)
            work = queue.popleft()
            if queue:
                self._queues[client] = queue  # at the end: other clients come first
            if work.is_due:
                return work
        return None

    def _finish(self, work: Work[object], job: asyncio.Future[object]) -> None:
        self._running = False
        error = job.exception()
        if error is None:
            work.result.set_result(job.result())
        else:
            work.result.set_exception(error)
            work.result.exception()  # retrieved, even where no request waits any more
        self._begin()

    def _busy(self) -> GatewayError:
        BUSY.labels("compiler").inc()
        wait = max(1, math.ceil(len(self) * _PIECE))
        return GatewayError("GATEWAY_BUSY", headers={"Retry-After": str(wait)})
