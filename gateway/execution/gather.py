"""Gathering: requests with the same plan and rights that come together are executed together.

A program (``gateway.execution.execute``) is what requests must have in common for that. If no batch
of a program is under way, the next one starts at the loop's next turn, so a request that is alone
waits for nobody. While a batch is under way, requests are collected, and start when it has ended.
After 20 ms (``_LATE``) a batch is late, and the next one starts beside it. So a slow database does
not hold up the requests behind it, and under load batches grow by themselves. A batch ends early
when nobody waits for any of its results.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial

from gateway.cache.answer_store import Used
from gateway.execution.operation import OperationRequest, Result

#: The most requests of a batch, and the most people and things that they name together.
MOST_REQUESTS = 64
MOST_KEYS = 500
#: Seconds after which a batch is late.
_LATE = 0.02

#: What comes of a request: its result, and the entries of the cache that it was made of.
Outcome = tuple[Result, list[Used] | None]


@dataclass(slots=True, eq=False)
class Waiting:
    """A request that waits for its batch. ``keys``: how many people and things it names."""

    request: OperationRequest
    arguments: Sequence[object]
    keys: int
    result: asyncio.Future[Outcome]


#: Executes a batch; every request in it has its result afterwards.
RunBatch = Callable[[Sequence[Waiting]], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Lane:
    """The requests of one program.

    ``under_way``: how many batches are. ``is_late``: whether the next batch may start, because none
    is under way, or because the latest is late. ``timer``: until the latest batch is late.
    ``is_scheduled``: a batch starts at the loop's next turn.
    """

    run: RunBatch
    waiting: list[Waiting] = field(default_factory=list)
    under_way: int = 0
    is_late: bool = True
    is_scheduled: bool = False
    timer: asyncio.TimerHandle | None = None


class Gatherer:
    """Gathers requests by program. Belongs to one event loop; ``close`` ends what is under way."""

    def __init__(self) -> None:
        self._lanes: dict[Hashable, _Lane] = {}
        self._batches: dict[asyncio.Task[None], Sequence[Waiting]] = {}
        self._is_closed = False

    async def execute(self, program: Hashable, waiting: Waiting, run: RunBatch) -> Outcome:
        """Return the outcome of a request, executed with others of the same ``program``.

        ``run``: executes a batch of that program. Raises what it raises for this request, and
        CancelledError once this is closed.
        """
        if self._is_closed:
            raise asyncio.CancelledError
        lane = self._lanes.get(program)
        if lane is None:
            lane = self._lanes[program] = _Lane(run)
        lane.waiting.append(waiting)
        if lane.is_late and not lane.is_scheduled:
            lane.is_scheduled = True
            asyncio.get_running_loop().call_soon(self._start, program, lane)
        try:
            return await waiting.result
        except asyncio.CancelledError:
            self._abandon(waiting)
            raise

    def start(self, work: Coroutine[object, object, None], waiting: Waiting) -> None:
        """Run ``work`` in a task of its own; when it ends, ``waiting`` has its result."""

        async def run(_: Sequence[Waiting]) -> None:
            await work

        batch = [waiting]
        task = asyncio.get_running_loop().create_task(_run(run, batch), context=Context())
        self._batches[task] = batch
        task.add_done_callback(self._batches.pop)

    async def close(self) -> None:
        """End the batches that are under way; what waits for one is cancelled, and nothing starts.

        A request that comes later is cancelled too.
        """
        self._is_closed = True
        for lane in self._lanes.values():
            for waiting in lane.waiting:
                waiting.result.cancel()
        while self._batches:  # one that ends may have begun to answer somebody singly
            batches = dict(self._batches)
            for task in batches:
                task.cancel()
            await asyncio.gather(*batches, return_exceptions=True)
            for batch in batches.values():  # one that had not begun could not do it itself
                for waiting in batch:
                    waiting.result.cancel()

    def _abandon(self, waiting: Waiting) -> None:
        """End the batch of ``waiting`` if nobody waits for any of its results."""
        for task, batch in self._batches.items():
            if waiting in batch and all(member.result.done() for member in batch):
                task.cancel()

    def _start(self, program: Hashable, lane: _Lane) -> None:
        """Start a batch of what waits."""
        lane.is_scheduled = False
        batch = _take(lane)
        if not batch:
            self._drop(program, lane)
            return
        lane.under_way += 1
        lane.is_late = False
        loop = asyncio.get_running_loop()
        if lane.timer is not None:
            lane.timer.cancel()
        lane.timer = loop.call_later(_LATE, self._be_late, program, lane)
        # A batch is nobody's request: its log lines must not bear the id of one.
        task = loop.create_task(_run(lane.run, batch), context=Context())
        self._batches[task] = batch
        task.add_done_callback(partial(self._end, program, lane))

    def _be_late(self, program: Hashable, lane: _Lane) -> None:
        lane.timer = None
        lane.is_late = True
        if lane.waiting and not lane.is_scheduled:
            self._start(program, lane)

    def _end(self, program: Hashable, lane: _Lane, task: asyncio.Task[None]) -> None:
        del self._batches[task]
        lane.under_way -= 1
        if not lane.under_way:
            lane.is_late = True
            if lane.timer is not None:
                lane.timer.cancel()
                lane.timer = None
        if lane.is_late and not lane.is_scheduled:
            self._start(program, lane)

    def _drop(self, program: Hashable, lane: _Lane) -> None:
        if not lane.under_way and not lane.waiting and self._lanes.get(program) is lane:
            del self._lanes[program]


async def _run(run: RunBatch, batch: Sequence[Waiting]) -> None:
    """Run a batch; every request has a result afterwards, an error, or is cancelled."""
    fault: Exception = RuntimeError("a batch ended without an answer")
    try:
        try:
            await run(batch)
        except Exception as error:
            fault = error
        for waiting in batch:
            if not waiting.result.done():
                waiting.result.set_exception(fault)
    finally:
        for waiting in batch:
            waiting.result.cancel()


def _take(lane: _Lane) -> list[Waiting]:
    """Take the next batch from what waits."""
    batch: list[Waiting] = []
    keys = 0
    rest: list[Waiting] = []
    for waiting in lane.waiting:
        if waiting.result.done():  # the caller went away
            continue
        is_full = len(batch) == MOST_REQUESTS or keys + waiting.keys > MOST_KEYS
        if rest or (batch and is_full):
            rest.append(waiting)
        else:
            batch.append(waiting)
            keys += waiting.keys
    lane.waiting = rest
    return batch
