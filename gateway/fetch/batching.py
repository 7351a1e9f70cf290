"""Reads of several requests put together: one statement for all who ask the same way at once.

A lookup is asked at once as long as few calls of it are in flight; what comes while they are is
collected, and goes when one of them ends. So nobody waits for company, and under load statements
carry many keys. (A window of time would delay everybody, by a millisecond at least.)

Only for backends whose answers may be shared (``batch_scope`` PROCESS). What is shared are rows as
the source has them, before permission and protection.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.answer import Answer
from gateway.clock import Clock


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody who waits for the answers to ``keys``, given to ``deliver`` in their order.

    ``deliver`` gets None in place of answers after a defect, or when the process ends. ``until``: a
    moment of the clock's monotonic time, to which the call lives for them. ``client``: whose share
    the keys are taken from. ``gone``: nobody waits any more.
    """

    keys: Sequence[str]
    until: float
    client: str | None
    deliver: Callable[[Waiter, Sequence[Answer] | None], None]
    gone: bool = False


class Batches:
    """The calls of one lookup.

    ``ask`` is given keys, each once, and the seconds that the latest waiter has left; it answers
    each, and never raises. ``at_once``: calls in flight while none waits; ``most``: keys in a call
    that were waited with. Belongs to one event loop.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str], float], Awaitable[list[Answer]]],
        clock: Clock,
        at_once: int,
        most: int,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._at_once = at_once
        self._most = most
        self._waiting: OrderedDict[str | None, deque[Waiter]] = OrderedDict()
        self._calls: set[asyncio.Task[list[Answer]]] = set()

    def add(self, waiter: Waiter) -> None:
        """Ask for ``waiter``, at once or with the next call; returns at once."""
        if len(self._calls) < self._at_once:
            self._send([waiter])
        else:
            self._waiting.setdefault(waiter.client, deque()).append(waiter)

    def _send(self, waiters: Sequence[Waiter]) -> None:
        keys = list(dict.fromkeys(key for one in waiters for key in one.keys))
        left = max(one.until for one in waiters) - self._clock.monotonic()
        task = asyncio.ensure_future(self._ask(keys, max(left, 0.0)))
        assert isinstance(task, asyncio.Task)
        self._calls.add(task)
        task.add_done_callback(partial(self._done, waiters, keys))

    def _done(
        self, waiters: Sequence[Waiter], keys: Sequence[str], task: asyncio.Task[list[Answer]]
    ) -> None:
        self._calls.discard(task)
        if self._waiting:
            following = self._next()
            if following:
                self._send(following)
        failed = task.cancelled() or task.exception() is not None
        answers = {} if failed else dict(zip(keys, task.result(), strict=True))
        for one in waiters:
            if not one.gone:
                one.deliver(one, None if failed else [answers[key] for key in one.keys])

    def _next(self) -> list[Waiter]:
        """Take who goes next: of each client in turn one, so that none fills a call alone."""
        chosen: list[Waiter] = []
        count = 0
        while self._waiting:
            client, theirs = next(iter(self._waiting.items()))
            first = theirs[0]
            if not first.gone:
                if chosen and count + len(first.keys) > self._most:
                    break
                chosen.append(first)
                count += len(first.keys)
            theirs.popleft()
            if theirs:
                self._waiting.move_to_end(client)
            else:
                del self._waiting[client]
        return chosen
