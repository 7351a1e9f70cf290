"""Calls to a source: bounded in number, and whoever is cancelled leaves at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar, cast

from connectors.backends.base import SourceUnavailable
from connectors.backends.session import InterruptedSource, Session, SqlSource

_T = TypeVar("_T")


class SourceCalls:
    """The calls to ``source``. At most ``at_once`` hold a connection; further ones wait."""

    def __init__(self, source: SqlSource, at_once: int) -> None:
        self._source = source
        self._at_once = at_once
        self._slots = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def run(self, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """Run ``work`` with a connection.

        Raises what ``work`` raises, and SourceUnavailable. Who is cancelled leaves at once; the
        statement is ended, and the connection comes back or is closed, before its place is free.
        """
        await self._take_slot()
        if not self._source.ends_when_cancelled:
            return await self._run_apart(work)
        loan, is_ending = self._source.use(), False
        try:
            session = await loan.__aenter__()
            try:
                result = await work(session)
            except asyncio.CancelledError as error:
                is_ending = True
                self._start(loan.__aexit__(type(error), error, error.__traceback__))
                raise
            except BaseException as error:
                await loan.__aexit__(type(error), error, error.__traceback__)
                raise
            await loan.__aexit__(None, None, None)
            return result
        finally:
            if not is_ending:
                self._slots.release()

    async def close(self) -> None:
        """Wait for the calls that hold a connection; those that wait for one fail."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._at_once):
            await self._slots.acquire()

    async def _take_slot(self) -> None:
        """Wait for a slot; raises SourceUnavailable once closed, also while it waits."""
        self._require_open()
        await self._slots.acquire()
        try:
            self._require_open()
        except SourceUnavailable:
            self._slots.release()
            raise

    def _require_open(self) -> None:
        if self._closed:
            raise SourceUnavailable("closed")

    async def _run_apart(self, work: Callable[[Session], Awaitable[_T]]) -> _T:
        """Run ``work`` in a task that the caller's cancellation does not reach."""
        call = _InterruptedCall(cast("InterruptedSource", self._source), work)
        task = self._start(call.run())
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            await call.abandon()
            raise
        return task.result()

    def _start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Run what holds a slot, until it ends, in a task of its own."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._slots.release()
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even when the caller has left


class _InterruptedCall(Generic[_T]):
    """A call to a source whose statements are ended by ``interrupt``."""

    def __init__(self, source: InterruptedSource, work: Callable[[Session], Awaitable[_T]]) -> None:
        self._source = source
        self._work = work
        self._session: Session | None = None
        self._is_abandoned = False

    async def run(self) -> _T:
        """Run it; raises SourceUnavailable where it is abandoned before."""
        async with self._source.use() as session:
            if self._is_abandoned:
                raise SourceUnavailable("abandoned")
            self._session = session
            try:
                return await self._work(session)
            finally:
                self._session = None

    async def abandon(self) -> None:
        """Interrupt the running statement; a call that has not begun never will."""
        self._is_abandoned = True
        if self._session is not None:
            await self._source.interrupt(self._session)
