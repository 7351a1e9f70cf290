"""Coalescing: reads of several batches by one lookup, put into one call.

Requests of the same plan and rights are read together already (``gateway.fetch.reads``). Here reads
of other plans and clients join them, and those of a batch beside one that is late.

A call begins at the next turn of the event loop, as long as few calls of its lookup are in flight.
What comes while they are is collected, and sent when one of them ends. So nobody waits for company,
and under load calls carry many keys. (A window of time would delay everybody, by a millisecond at
least.) Of a lookup that is quick, one call is in flight, unless that call is late: to wait for it
costs less than another statement. A read that may be answered from the cache may also join a call
in flight with the same key.

Only for backends whose answers may be shared (``batch_scope`` PROCESS). What is shared are rows as
the database has them, before permission and protection. Which lookups are called together is
decided in ``gateway.fetch.joint_calls``.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from gateway.answer import Answer
from gateway.cache.invalidations import Position
from gateway.catalogue.read import Read
from gateway.runtime.clock import Clock


@dataclass(slots=True, eq=False)
class ReadWaiter:
    """A read that waits for the answers to ``keys``.

    ``deliver`` is called with the answers in the order of the keys; with None after a defect, or
    when the process ends. ``until``: its deadline (monotonic). ``client``: whose share of a batch
    the keys take. ``joins``: it may join a call in flight. ``gone``: nobody waits any more.
    ``answers``: what has come so far.
    """

    keys: Sequence[str]
    until: float
    client: str | None
    deliver: Callable[[ReadWaiter, Sequence[Answer] | None], None]
    joins: bool = False
    gone: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)


#: A waiter, and those of its keys that go into one call.
_Part = tuple[ReadWaiter, Sequence[str]]

#: Seconds within which quick calls end, and the weight of the last call in the mean.
_QUICK = 0.02
_LAST_WEIGHT = 0.1


@dataclass(slots=True, eq=False)
class LookupCall:
    """A call of one of the ``batches``, which began at ``began_at`` (monotonic).

    ``until``: the latest deadline of its waiters. ``position``: in the log of invalidations before
    it began; None: nobody may join. Nobody joins a call that the deadlines of its own waiters may
    cut short.
    """

    batches: Batches
    keys: Sequence[str]
    parts: list[_Part]
    position: Position | None
    began_at: float
    until: float

    def finish(self, answers: Sequence[Answer] | None) -> None:
        """Hand over the answers, in the order of the keys; None: there are none."""
        self.batches.finish(self, answers)


class Batches:
    """The calls of the lookup of ``read``.

    ``schedule`` has ``begin`` called at the next turn of the event loop; whoever does that fetches
    the keys of the call, and finishes it. ``parallel_calls``: the most in flight while reads wait;
    one, of calls that take 20 ms or less on average. ``most_keys``: in a call that was waited for.
    ``position``: returns the position in the log of invalidations. ``is_outdated``: says whether
    what is read may be out of date by an invalidation since a position, or is by its age in
    seconds. ``timeout``: seconds after which a call ends by itself. Belongs to one event loop.
    """

    def __init__(
        self,
        read: Read,
        schedule: Callable[[Batches], None],
        clock: Clock,
        parallel_calls: int,
        most_keys: int,
        position: Callable[[], Position | None] = lambda: None,
        is_outdated: Callable[[Position, float], bool] = lambda position, age: True,
        timeout: float = math.inf,
    ) -> None:
        self.read = read
        self._schedule = schedule
        self._clock = clock
        self._parallel_calls = parallel_calls
        self._most_keys = most_keys
        self._position = position
        self._is_outdated = is_outdated
        self._timeout = timeout
        self._waiting: OrderedDict[str | None, deque[_Part]] = OrderedDict()
        self._in_flight: set[LookupCall] = set()
        self._is_scheduled = False
        self._calls_by_key: dict[str, LookupCall] = {}
        self._mean_seconds = math.inf
        self._began_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, waiter: ReadWaiter) -> None:
        """Send the keys of ``waiter``, with this turn's call or a later one; returns at once."""
        keys = self._join(waiter) if waiter.joins and self._calls_by_key else waiter.keys
        if keys:
            self._waiting.setdefault(waiter.client, deque()).append((waiter, keys))
            self._send_waiting()

    def begin(self) -> LookupCall | None:
        """Begin a call with what waits; None where nobody waits any more."""
        self._is_scheduled = False
        parts = self._next_parts()
        if not parts:
            return None
        if len(parts) == 1:
            keys = parts[0][1]
        else:
            keys = list(dict.fromkeys(chain.from_iterable([part_keys for _, part_keys in parts])))
        now = self._began_at = self._clock.monotonic()
        until = max([waiter.until for waiter, _ in parts])
        position = self._position() if until - now >= self._timeout else None
        call = LookupCall(self, keys, parts, position, now, until)
        if position is not None:  # else nobody may join it
            for key in keys:
                self._calls_by_key[key] = call
        self._in_flight.add(call)
        if self._waiting:
            self._send_waiting()
        return call

    def finish(self, call: LookupCall, answers: Sequence[Answer] | None) -> None:
        """Hand over the answers of ``call``, in the order of its keys, and send what waits.

        ``answers``: None after a defect.
        """
        self._in_flight.discard(call)
        self._count(self._clock.monotonic() - call.began_at)
        if call.position is not None:
            for key in call.keys:
                if self._calls_by_key.get(key) is call:
                    del self._calls_by_key[key]
        if self._waiting:
            self._send_waiting()
        if len(call.parts) == 1 and answers is not None:
            waiter, keys = call.parts[0]
            # Nobody else waits, and nothing else is waited for.
            if keys is waiter.keys:
                if not waiter.gone:
                    waiter.deliver(waiter, answers)
                return
        by_key = {} if answers is None else dict(zip(call.keys, answers, strict=True))
        for waiter, keys in call.parts:
            if not waiter.gone:
                _deliver(waiter, None if answers is None else {key: by_key[key] for key in keys})

    def close(self) -> None:
        """Tell all reads that nothing will come, and send nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        waiting, self._waiting = self._waiting, OrderedDict()
        parts = [part for call in self._in_flight for part in call.parts]
        for waiter, _ in chain(parts, *waiting.values()):
            if not waiter.gone:
                _deliver(waiter, None)

    def _send_waiting(self) -> None:
        """Send what waits, if there is room; else try again when the call in flight is late."""
        if self._is_scheduled:
            return
        if self._has_room():
            self._is_scheduled = True
            self._schedule(self)
        elif self._timer is None and len(self._in_flight) < self._parallel_calls:
            self._timer = asyncio.get_running_loop().call_later(_QUICK, self._call_is_late)

    def _call_is_late(self) -> None:
        self._timer = None
        if self._waiting:
            self._send_waiting()

    def _has_room(self) -> bool:
        """Say whether one call more may be in flight."""
        if not self._in_flight:
            return True
        is_slow = self._mean_seconds >= _QUICK or self._clock.monotonic() - self._began_at >= _QUICK
        return is_slow and len(self._in_flight) < self._parallel_calls

    def _join(self, waiter: ReadWaiter) -> list[str]:
        """Join ``waiter`` to calls in flight; returns the keys that none of them reads.

        Nobody joins a call that began before an invalidation that may concern it, or longer ago
        than rows of the database may lag.
        """
        unread, now = [], self._clock.monotonic()
        for key in waiter.keys:
            call = self._calls_by_key.get(key)
            if (
                call is None
                or call.position is None
                or self._position() is None
                or self._is_outdated(call.position, now - call.began_at)
            ):
                unread.append(key)
            else:
                call.parts.append((waiter, [key]))
        return unread

    def _count(self, seconds: float) -> None:
        """Count how long a call took in the mean."""
        if self._mean_seconds == math.inf:
            self._mean_seconds = seconds
        else:
            self._mean_seconds += _LAST_WEIGHT * (seconds - self._mean_seconds)

    def _next_parts(self) -> list[_Part]:
        """Take what goes into the next call: of each client in turn, so that none fills it."""
        chosen: list[_Part] = []
        count = 0
        while self._waiting:
            client, parts = next(iter(self._waiting.items()))
            waiter, keys = parts[0]
            if not waiter.gone:
                if chosen and count + len(keys) > self._most_keys:
                    break
                chosen.append((waiter, keys))
                count += len(keys)
            parts.popleft()
            if parts:
                self._waiting.move_to_end(client)
            else:
                del self._waiting[client]
        return chosen


def _deliver(waiter: ReadWaiter, answers: dict[str, Answer] | None) -> None:
    """Add ``answers`` to those of a waiter, and hand them over once all have come."""
    if answers is None:
        waiter.gone = True
        waiter.deliver(waiter, None)
        return
    waiter.answers.update(answers)
    if len(waiter.answers) == len(waiter.keys):
        waiter.deliver(waiter, [waiter.answers[key] for key in waiter.keys])
