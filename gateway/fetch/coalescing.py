"""Reads of several requests put together: one statement for all who ask the same way at once.

A lookup is asked at once as long as few calls of it are in flight; what comes while they are is
collected, and goes when one of them ends. So nobody waits for company, and under load statements
carry many keys. (A window of time would delay everybody, by a millisecond at least.) Of a lookup
that is quick, one call is in flight, unless that one is late: to wait for it costs less than a
statement more. Who may be answered from a cache may also wait for a call that is in flight with the
same key.

Only for backends whose answers may be shared (``batch_scope`` PROCESS). What is shared are rows as
the source has them, before permission and protection.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.answer import Answer
from gateway.cache.invalidations import Position
from gateway.runtime.clock import Clock


@dataclass(slots=True, eq=False)
class ReadWaiter:
    """Somebody who waits for the answers to ``keys``, given to ``deliver`` in their order.

    ``deliver`` gets None in place of answers after a defect, or when the process ends. ``until``: a
    moment of the clock's monotonic time, to which the call lives for them. ``client``: whose share
    the keys are taken from. ``joins``: rows that somebody else is reading already will do.
    ``gone``: nobody waits any more. ``answers``: what has come so far.
    """

    keys: Sequence[str]
    until: float
    client: str | None
    deliver: Callable[[ReadWaiter, Sequence[Answer] | None], None]
    joins: bool = False
    gone: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)


#: Keys of a waiter that go into one call.
_Part = tuple[ReadWaiter, Sequence[str]]


#: Seconds within which quick calls end, and what part of the mean the last call makes up.
_QUICK = 0.02
_LAST = 0.1


@dataclass(slots=True, eq=False)
class _Call:
    """A call in flight since ``began`` (monotonic).

    ``position``: how far invalidations were known before it was sent; None: nobody may join. A call
    that its own waiters' deadlines may cut short is nobody else's.
    """

    keys: Sequence[str]
    parts: list[_Part]
    position: Position | None
    began: float


class Batches:
    """The calls of one lookup.

    ``ask`` is given keys, each once, and the seconds that the latest waiter has left; it answers
    each, and never raises. ``at_once``: calls in flight while none waits, but one of those that end
    within 20 ms on the average; ``most``: keys in a call that were waited with. ``position``: how
    far invalidations are known; ``outdated`` says whether any since then may concern what is read.
    ``longest``: seconds after which a call ends by itself.
    Belongs to one event loop.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str], float], Awaitable[list[Answer]]],
        clock: Clock,
        at_once: int,
        most: int,
        position: Callable[[], Position | None] = lambda: None,
        outdated: Callable[[Position], bool] = lambda position: True,
        longest: float = math.inf,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._at_once = at_once
        self._most = most
        self._position = position
        self._outdated = outdated
        self._longest = longest
        self._waiting: OrderedDict[str | None, deque[_Part]] = OrderedDict()
        self._calls: set[asyncio.Task[list[Answer]]] = set()
        self._flying: dict[str, _Call] = {}
        self._seconds = math.inf
        self._began = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, waiter: ReadWaiter) -> None:
        """Ask for ``waiter``, at once or with the next call; returns at once."""
        keys = self._join(waiter) if waiter.joins and self._flying else waiter.keys
        if not keys:
            return
        self._waiting.setdefault(waiter.client, deque()).append((waiter, keys))
        self._go_on()

    def _go_on(self) -> None:
        """Send who waits, if there is room; else look again when the call in flight is late."""
        if self._has_room():
            following = self._next()
            if following:
                self._send(following)
        if self._waiting and self._timer is None and len(self._calls) < self._at_once:
            self._timer = asyncio.get_running_loop().call_later(_QUICK, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._waiting:
            self._go_on()

    def _has_room(self) -> bool:
        """Say whether one call more may be in flight."""
        if not self._calls:
            return True
        slow = self._seconds >= _QUICK or self._clock.monotonic() - self._began >= _QUICK
        return slow and len(self._calls) < self._at_once

    def _join(self, waiter: ReadWaiter) -> list[str]:
        """Have ``waiter`` wait for calls in flight; returns the keys that nobody is asking for.

        Nobody joins a call that began before an invalidation that may concern it.
        """
        rest = []
        for key in waiter.keys:
            call = self._flying.get(key)
            if (
                call is None
                or call.position is None
                or self._position() is None
                or self._outdated(call.position)
            ):
                rest.append(key)
            else:
                call.parts.append((waiter, [key]))
        return rest

    def _may_join(self, call: _Call) -> bool:
        known = call.position is not None and self._position() is not None
        return known and call.position is not None and not self._outdated(call.position)

    def _send(self, parts: list[_Part]) -> None:
        keys = list(dict.fromkeys(key for _, wanted in parts for key in wanted))
        self._began = self._clock.monotonic()
        left = max(one.until for one, _ in parts) - self._began
        position = self._position() if left >= self._longest else None
        call = _Call(keys, parts, position, self._began)
        for key in keys:
            self._flying[key] = call
        task = asyncio.ensure_future(self._ask(keys, max(left, 0.0)))
        assert isinstance(task, asyncio.Task)
        self._calls.add(task)
        task.add_done_callback(partial(self._done, call))

    def _done(self, call: _Call, task: asyncio.Task[list[Answer]]) -> None:
        self._calls.discard(task)
        self._timed(self._clock.monotonic() - call.began)
        for key in call.keys:
            if self._flying.get(key) is call:
                del self._flying[key]
        if self._waiting:
            following = self._next()
            if following:
                self._send(following)
        failed = task.cancelled() or task.exception() is not None
        answers = {} if failed else dict(zip(call.keys, task.result(), strict=True))
        for waiter, keys in call.parts:
            if not waiter.gone:
                _deliver(waiter, None if failed else {key: answers[key] for key in keys})

    def _timed(self, seconds: float) -> None:
        """Note how long a call took."""
        known = self._seconds < math.inf
        self._seconds = self._seconds + _LAST * (seconds - self._seconds) if known else seconds

    def _next(self) -> list[_Part]:
        """Take who goes next: of each client in turn one, so that none fills a call alone."""
        chosen: list[_Part] = []
        count = 0
        while self._waiting:
            client, theirs = next(iter(self._waiting.items()))
            waiter, keys = theirs[0]
            if not waiter.gone:
                if chosen and count + len(keys) > self._most:
                    break
                chosen.append((waiter, keys))
                count += len(keys)
            theirs.popleft()
            if theirs:
                self._waiting.move_to_end(client)
            else:
                del self._waiting[client]
        return chosen


def _deliver(waiter: ReadWaiter, answers: dict[str, Answer] | None) -> None:
    """Give a waiter what came, once all that it waits for is there."""
    if answers is None:
        waiter.gone = True
        waiter.deliver(waiter, None)
        return
    waiter.answers.update(answers)
    if len(waiter.answers) == len(waiter.keys):
        waiter.deliver(waiter, [waiter.answers[key] for key in waiter.keys])
