"""Whether a database is up: pings for the catalogue, and for a circuit breaker that is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import structlog

from connectors.backends.base import Backend, SourceMaintenance, SourceUnavailable
from gateway.answer import State
from gateway.fetch.breaker import CircuitBreaker
from gateway.fetch.contacts import Contacts
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Seconds for which the result of a ping is shown.
_PING_LIFETIME = 5.0


class LivenessProbe:
    """Pings the ``backend`` of the database called ``name``.

    ``timeout``: of a ping, in seconds. ``breaker``: is told of every answer, ``contacts`` of every
    ping. ``start``: begins a task that whoever made the probe ends at shutdown.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        timeout: float,
        clock: Clock,
        breaker: CircuitBreaker,
        contacts: Contacts,
        start: Callable[[Coroutine[Any, Any, State]], asyncio.Task[State]] = asyncio.create_task,
    ) -> None:
        self._name = name
        self._backend = backend
        self._timeout = timeout
        self._clock = clock
        self._breaker = breaker
        self._contacts = contacts
        self._start = start
        self._last: tuple[asyncio.Task[State], datetime, float] | None = None
        self._pinging: asyncio.Task[State] | None = None

    async def last_state(self) -> tuple[State, datetime]:
        """Return the result of a ping of the last five seconds, and when it began (UTC)."""
        now = self._clock.monotonic()
        if self._last is None or now - self._last[2] > _PING_LIFETIME:
            self._last = (self._start(self._ping()), self._clock.now(), now)
        task, began_at, _ = self._last
        return await asyncio.shield(task), began_at

    def ping_if_due(self) -> None:
        """Ping in the background if the breaker is open and its last ping is long enough ago."""
        if self._pinging is None and self._breaker.ping_is_due():
            self._pinging = self._start(self._ping())
            self._pinging.add_done_callback(self._forget)

    def _forget(self, _: asyncio.Task[State]) -> None:
        self._pinging = None

    async def _ping(self) -> State:
        state = await self._try_ping()
        self._contacts.note_check(state)
        return state

    async def _try_ping(self) -> State:
        try:
            async with asyncio.timeout(self._timeout):
                await self._backend.ping()
        except TimeoutError:
            return State.TIMED_OUT
        except SourceMaintenance:
            return State.MAINTENANCE
        except SourceUnavailable:
            return State.UNAVAILABLE
        except Exception:  # a defect of a backend costs its own lists only
            log.exception("backend failed", database=self._name)
            return State.UNAVAILABLE
        self._breaker.note_ping_answered()
        return State.ANSWERED
