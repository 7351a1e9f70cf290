"""The queue for the thread that compiles: one piece of work at a time, fair between clients.

Parsing, validating and compiling hold Python's lock, so a second thread would compile no faster.
What counts is who waits for whom. Clients take turns, one piece each: whoever sends ever new
documents waits for their own. The anonymous have a turn only when no known client waits.
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

#: Seconds that a piece of work may take, as the limits on documents are set (``bench.costliest``).
_PIECE = 0.02


class Work(Generic[T]):
    """A piece of work that is waited for. ``clients``: in whose turns it may be done."""

    def __init__(self, make: Callable[[], T], finish: Callable[[asyncio.Future[T]], None]) -> None:
        self.make = make
        self.clients: set[str | None] = set()
        self.waiters = 0
        self.started = False
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.result.add_done_callback(finish)

    @property
    def is_due(self) -> bool:
        """Whether it is still to be done."""
        return not self.started and not self.result.done()


class CompileQueue:
    """Does work in one thread. Every method is called on the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "plans")
        self._queues: OrderedDict[str | None, deque[Work[object]]] = OrderedDict()
        self._running = False

    def __len__(self) -> int:
        """Return how many pieces wait, each once for every client that waits for it."""
        return sum(work.is_due for queue in self._queues.values() for work in queue)

    def close(self) -> None:
        """Let go of the thread; what is being made is finished first."""
        self._queues.clear()
        self._thread.shutdown()

    async def result(self, work: Work[T], client: str | None, seconds: float) -> T:
        """Wait for ``work`` in a turn of ``client``, ``seconds`` at most.

        Raises GATEWAY_BUSY after that, and what ``work.make`` raises. Work that nobody waits for
        any more is not begun; once begun it is finished, and all who wait get the same.
        """
        work.waiters += 1
        if client not in work.clients and work.is_due:
            work.clients.add(client)
            self._queues.setdefault(client, deque()).append(work)  # type: ignore[arg-type]  # any T
            self._begin()
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                # Shielded: whoever goes away must not take it from the others who wait.
                return await asyncio.shield(work.result)
        except TimeoutError:
            raise self._busy() from None
        finally:
            work.waiters -= 1
            if not work.waiters and work.is_due:
                work.result.cancel()

    def _begin(self) -> None:
        """Hand the next piece of work to the thread, if it is free."""
        work = None if self._running else self._next()
        if work is None:
            return
        work.started = self._running = True
        job = asyncio.get_running_loop().run_in_executor(self._thread, work.make)
        job.add_done_callback(partial(self._finish, work))

    def _next(self) -> Work[object] | None:
        """Take the next piece from the client whose turn it is."""
        while self._queues:
            clients = (client for client in self._queues if client is not None)
            client = next(clients, None)
            queue = self._queues.pop(client)
            work = queue.popleft()
            if queue:
                self._queues[client] = queue  # at the end: the others come first
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
            work.result.exception()  # seen, also where nobody waits any more
        self._begin()

    def _busy(self) -> GatewayError:
        BUSY.labels("compiler").inc()
        wait = max(1, math.ceil(len(self) * _PIECE))
        return GatewayError("GATEWAY_BUSY", headers={"Retry-After": str(wait)})
