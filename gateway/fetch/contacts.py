"""What a process learns of a database while it uses it: contacts, how long calls took, cache use.

Nothing here asks a database. All of it belongs to this process and begins anew with it.
"""

from __future__ import annotations

import math
from asyncio import CancelledError
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connectors.backends.base import NotMapped, SourceMaintenance
from gateway.answer import State
from gateway.runtime.clock import Clock

#: Calls that are remembered of each database.
_CALLS = 512
#: The last contacts that tell whether a database answers, as many as the circuit breaker counts.
_RECENT = 20


class Contact(NamedTuple):
    """A sign of a database, or the lack of it. ``at``: when it ended (UTC).

    ``state``: ANSWERED, or why there was no answer. ``seconds``: that a call took; None: a ping or
    an examination, which is not measured.
    """

    state: State
    at: datetime
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that the last answered calls took: their median and 95th percentile.

    ``calls``: how many they are, ``since`` when (UTC).
    """

    median: float
    p95: float
    calls: int
    since: datetime


class Contacts:
    """The contacts with one database, as this process had them.

    ``patience``: seconds after which a call that is broken off says something of the database.
    """

    def __init__(self, clock: Clock, patience: float) -> None:
        self._clock = clock
        self._patience = patience
        self._calls: deque[Contact] = deque(maxlen=_CALLS)
        self._recent: deque[Contact] = deque(maxlen=_RECENT)

    def note_call(self, seconds: float, error: type[BaseException] | None) -> None:
        """Note a call that took ``seconds``. ``error``: what it raised. Costs 0.5 us.

        A call that a request with little time left broke off says nothing.
        """
        state = _state_after(error)
        if state is State.TIMED_OUT and seconds < self._patience:
            return
        contact = Contact(state, self._clock.now(), seconds)
        self._calls.append(contact)
        self._recent.append(contact)

    def note_check(self, state: State) -> None:
        """Note a ping or an examination of the database."""
        self._recent.append(Contact(state, self._clock.now()))

    @property
    def latest(self) -> Contact | None:
        """The latest contact; None: this process never had any."""
        return self._recent[-1] if self._recent else None

    @property
    def recent(self) -> Sequence[Contact]:
        """The last twenty contacts, the latest last."""
        return tuple(self._recent)

    def latency(self) -> Latency | None:
        """Return how long the last calls took that were answered; None: there was none.

        Sorts them: some 50 us.
        """
        answered = [call for call in self._calls if call.state is State.ANSWERED]
        if not answered:
            return None
        seconds = sorted(call.seconds or 0.0 for call in answered)
        return Latency(
            _percentile(seconds, 0.5), _percentile(seconds, 0.95), len(seconds), answered[0].at
        )


@dataclass(slots=True)
class CacheShare:
    """Keys that were looked up in a database, and those of them that the cache had, ``since`` when.

    Answers that were ready as a whole are in neither: they look up nothing.
    """

    since: datetime
    keys: int = 0
    cached: int = 0

    @property
    def share(self) -> float | None:
        """The part of the keys that the cache had, from 0 to 1; None: there were no keys."""
        return self.cached / self.keys if self.keys else None


def _state_after(error: type[BaseException] | None) -> State:
    if error is None or issubclass(error, NotMapped):  # it answers that it has no such table
        return State.ANSWERED
    if issubclass(error, CancelledError | TimeoutError):
        return State.TIMED_OUT
    return State.MAINTENANCE if issubclass(error, SourceMaintenance) else State.UNAVAILABLE


def _percentile(values: Sequence[float], part: float) -> float:
    """Return the least of sorted ``values`` that ``part`` of them do not exceed (nearest rank)."""
    return values[math.ceil(part * len(values)) - 1]
