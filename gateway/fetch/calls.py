"""Calls of one database's backend: the number in flight, one retry, and the circuit breaker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from connectors.backends.base import (
    Asker,
    Backend,
    Batch,
    DataFault,
    LookupKeys,
    NotMapped,
    SourceMaintenance,
    SourceRefused,
    SourceUnavailable,
    merge_batches,
    merging_backend,
    rendering_backend,
)
from connectors.description import Lookup, Record
from gateway.answer import State
from gateway.cache.invalidations import Position
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState, CircuitBreaker
from gateway.fetch.contacts import Contacts
from gateway.fetch.liveness import LivenessProbe
from gateway.fetch.row_keys import ForeignRows, require_keys
from gateway.runtime.clock import Clock
from gateway.settings import DatabaseSettings
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

#: What a database raises that is up: a retry does not help, and the breaker does not count it.
_NO_RETRY = (SourceRefused, SourceMaintenance, DataFault)


@dataclass(slots=True)
class BackendCall:
    """One fetch: who asks, and when.

    ``at``: when the last statement began (UTC), the first of those by halves. ``began_at``: the
    first try, None before it (monotonic). ``turn``: of the breaker. ``stores``: what is read may be
    cached. ``position``: the position in the log of invalidations before the statement; None:
    nothing may be cached.
    """

    asker: Asker
    at: datetime
    stores: bool = True
    began_at: float | None = None
    turn: int = 0
    position: Position | None = None

    def begin(self, turn: int, clock: Clock, position: Position | None) -> None:
        """Note that a statement begins in this ``turn`` of the breaker."""
        self.at, self.turn, self.position = clock.now(), turn, position
        self.began_at = clock.monotonic() if self.began_at is None else self.began_at

    def seconds(self, clock: Clock) -> float:
        """Return how long ago the first try began, in seconds."""
        return 0.0 if self.began_at is None else clock.monotonic() - self.began_at


class BackendCaller:
    """Calls the ``backend`` of the database called ``database``.

    ``contacts``: is told of every call and ping. ``position``: returns the position in the log of
    invalidations. ``start``: begins a task that whoever made the caller ends at shutdown.
    """

    def __init__(
        self,
        database: str,
        backend: Backend,
        settings: DatabaseSettings,
        clock: Clock,
        breaker: CircuitBreaker,
        contacts: Contacts,
        position: Callable[[], Position | None],
        start: Callable[[Coroutine[Any, Any, State]], asyncio.Task[State]],
    ) -> None:
        self._database = database
        self._backend = backend
        self._clock = clock
        self._position = position
        self._slots = asyncio.Semaphore(settings.calls_in_flight)
        self._seconds = metrics.SOURCE_SECONDS.labels(database)
        self._in_flight = 0
        metrics.SOURCE_CALLS.labels(database).set_function(lambda: self._in_flight)
        self._breaker = breaker
        self._contacts = contacts
        self.probe = LivenessProbe(
            database, backend, settings.timeout, clock, breaker, contacts, start
        )

    async def fetch(self, read: Read, keys: Sequence[str], call: BackendCall) -> Batch:
        """Fetch ``keys`` together; by halves where rows do not contain their keys.

        So a key whose rows are mixed up spoils no other. Raises what ``Backend.fetch`` does, and
        SourceUnavailable while the breaker is open.
        """
        try:
            return await self._fetch_counted(read, keys, call)
        except ForeignRows as error:
            if len(keys) == 1:
                return Batch({}, failed={keys[0]: str(error)})
        half = len(keys) // 2
        first = await self.fetch(read, keys[:half], call)
        at, position = call.at, call.position
        second = await self.fetch(read, keys[half:], call)
        # What came to be known between the two may concern the rows of the first.
        call.at, call.position = at, position
        return merge_batches([first, second])

    async def _fetch_counted(self, read: Read, keys: Sequence[str], call: BackendCall) -> Batch:
        """Fetch, and count the outcome for the breaker; raises as ``fetch``, and ForeignRows."""
        succeeded: bool | None = None
        try:
            batch = await self._fetch_retrying(read, keys, call)
            succeeded = True
        except NotMapped:
            succeeded = True
            raise
        except (*_NO_RETRY, ForeignRows):
            raise  # it is up: it refuses, or its answer cannot be used
        except SourceUnavailable:
            succeeded = False
            raise
        finally:
            if succeeded is not None and call.began_at is not None:
                self._breaker.count(call.turn, succeeded)
        return batch

    async def _fetch_retrying(self, read: Read, keys: Sequence[str], call: BackendCall) -> Batch:
        try:
            return await self._fetch_once(read, keys, call)
        except _NO_RETRY:
            raise
        except SourceUnavailable:  # ForeignRows too: a file may have changed meanwhile
            if self._breaker.state is not BreakerState.CLOSED:
                raise
            metrics.SOURCE_RETRIES.labels(self._database).inc()
            return await self._fetch_once(read, keys, call)

    async def _fetch_once(self, read: Read, keys: Sequence[str], call: BackendCall) -> Batch:
        record, lookup = read.record, read.lookup
        if read.template is not None:  # found by the column of the key, which is not in the JSON
            backend = rendering_backend(self._backend)
            assert backend is not None
            return await self._call(
                partial(backend.render, record, lookup, keys, read.template), call
            )
        fetch = partial(self._backend.fetch, record, lookup, keys, call.asker)
        batch = await self._call(fetch, call)
        self._require_keys(record, lookup, batch)
        return batch

    async def fetch_together(
        self, lookups: Sequence[LookupKeys], call: BackendCall
    ) -> list[Batch | None]:
        """Fetch several lookups by one call; None for those whose rows do not bear their keys.

        Raises what ``MergingBackend.fetch_together`` does, and SourceUnavailable while the breaker
        is open. A failure does not count for the breaker: of each lookup nothing is known yet.
        """
        backend = merging_backend(self._backend)
        assert backend is not None
        batches: list[Batch | None] = []
        for lookup, batch in zip(
            lookups, await self._call(partial(backend.fetch_together, lookups), call), strict=True
        ):
            try:
                self._require_keys(lookup.record, lookup.lookup, batch)
                batches.append(batch)
            except ForeignRows:
                batches.append(None)
        self._breaker.count(call.turn, succeeded=True)
        return batches

    async def _call(self, fetch: Callable[[], Awaitable[_T]], call: BackendCall) -> _T:
        """Run ``fetch`` when there is a slot, unless the breaker is open."""
        async with self._slots:
            turn = self._breaker.enter()
            if turn is None:
                self.probe.ping_if_due()
                raise SourceUnavailable("not asked: the breaker is open")
            call.begin(turn, self._clock, self._position() if call.stores else None)
            began = time.perf_counter()
            self._in_flight += 1
            raised: type[BaseException] | None = None
            try:
                return await fetch()
            except BaseException as error:
                raised = type(error)
                raise
            finally:
                self._in_flight -= 1
                seconds = time.perf_counter() - began
                self._seconds.observe(seconds)
                self._contacts.note_call(seconds, raised)

    def _require_keys(self, record: Record, lookup: Lookup, batch: Batch) -> None:
        """Require that each row bears its key; raises ForeignRows, which is logged and counted."""
        try:
            require_keys(record, lookup, batch.by_key)
        except ForeignRows as error:
            metrics.FOREIGN_ROWS.labels(self._database).inc()
            log.error(
                "rows of other keys",
                database=self._database,
                record=record.name,
                lookup=lookup.name,
                reason=str(error),
            )
            raise
