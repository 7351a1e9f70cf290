"""Whether a database is there: asked for the catalogue, and for a breaker that wants to close."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from connectors.backends.base import Backend, SourceMaintenance, SourceUnavailable
from gateway.answer import State
from gateway.fetch.breaker import CircuitBreaker
from gateway.runtime.clock import Clock

log = structlog.get_logger(__name__)

#: Seconds for which what a database answered stands in the catalogue.
_LIVE_FOR = 5.0


class LivenessProbe:
    """Asks the ``backend`` of one database, called ``name``, whether it is there.

    ``timeout``: how long it is waited for, in seconds. The breaker learns of every answer.
    """

    def __init__(
        self, name: str, backend: Backend, timeout: float, clock: Clock, breaker: CircuitBreaker
    ) -> None:
        self._name = name
        self._backend = backend
        self._timeout = timeout
        self._clock = clock
        self._breaker = breaker
        self._live: tuple[asyncio.Task[State], datetime, float] | None = None
        self._pinging: asyncio.Task[State] | None = None

    async def looked(self) -> tuple[State, datetime]:
        """Return what it answered, and when it was asked: within the last five seconds."""
        now = self._clock.monotonic()
        if self._live is None or now - self._live[2] > _LIVE_FOR:
            self._live = (asyncio.create_task(self._ping()), self._clock.now(), now)
        task, at, _ = self._live
        return await asyncio.shield(task), at

    def ping_if_due(self) -> None:
        """See in the background whether the database is back."""
        if self._pinging is None and self._breaker.ping_is_due():
            self._pinging = asyncio.create_task(self._ping())
            self._pinging.add_done_callback(self._pinged)

    def _pinged(self, _: asyncio.Task[State]) -> None:
        self._pinging = None

    async def _ping(self) -> State:
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
        self._breaker.answered()
        return State.ANSWERED
