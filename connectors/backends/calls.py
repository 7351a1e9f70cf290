"""Calls to a source: bounded in number, each in a task of its own, which can be abandoned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from connectors.backends.base import SourceUnavailable
from connectors.backends.session import Session, SqlSource

_T = TypeVar("_T")


class SourceCall(Generic[_T]):
    """A call that has begun; ``task`` is its result."""

    def __init__(
        self,
        source: SqlSource,
        slots: asyncio.Semaphore,
        work: Callable[[Session], Awaitable[_T]],
    ) -> None:
        self._source = source
        self._slots = slots
        self._work = work
        self._session: Session | None = None
        self._abandoned = False
        self._waits = True
        self.task: asyncio.Task[_T] = asyncio.create_task(self._run())

    async def _run(self) -> _T:
        async with self._slots:
            self._waits = False
            if self._abandoned:
                raise SourceUnavailable("closed")
            async with self._source.use() as session:
                if self._abandoned:
                    raise SourceUnavailable("abandoned")
                self._session = session
                try:
                    return await self._work(session)
                finally:
                    self._session = None

    def forget(self) -> None:
        """Cancel the call if it still waits for a slot."""
        if self._waits:
            self._abandoned = True

    async def abandon(self) -> None:
        """Interrupt the running statement; a call that has not begun never will."""
        self._abandoned = True
        if self._waits:
            self.task.cancel()
        elif self._session is not None:
            await self._source.interrupt(self._session)


class SourceCalls:
    """The calls to ``source``. At most ``at_once`` hold a connection; further ones wait."""

    def __init__(self, source: SqlSource, at_once: int) -> None:
        self._source = source
        self._slots = asyncio.Semaphore(at_once)
        self._under_way: dict[asyncio.Task[Any], SourceCall[Any]] = {}
        self._closed = False

    def begin(self, work: Callable[[Session], Awaitable[_T]]) -> SourceCall[_T]:
        """Start ``work`` with a connection; raises SourceUnavailable once closed."""
        if self._closed:
            raise SourceUnavailable("closed")
        call = SourceCall(self._source, self._slots, work)
        self._under_way[call.task] = call
        call.task.add_done_callback(self._ended)
        return call

    async def run(self, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """Run ``work`` with a connection, in a task that the caller's cancellation does not reach.

        Raises what ``work`` raises, and SourceUnavailable.
        """
        call = self.begin(work)
        try:
            await asyncio.wait((call.task,))
        except asyncio.CancelledError:
            await call.abandon()
            raise
        return call.task.result()

    async def close(self) -> None:
        """Wait for the calls that hold a connection, and cancel those that wait for one."""
        self._closed = True
        await asyncio.sleep(0)  # those that have just begun get as far as they can
        for call in self._under_way.values():
            call.forget()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _ended(self, task: asyncio.Task[_T]) -> None:
        del self._under_way[task]
        if not task.cancelled():
            task.exception()  # seen, even when the caller has left
