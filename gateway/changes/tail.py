"""The end of an event log, watched once for all who wait in a process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.changes.log import EventLogUnavailable
from gateway.changes.positions import LogPosition, parse_position

log = structlog.get_logger(__name__)

#: Seconds of one look at the end, and of the pause after one that failed.
_LOOK, _PAUSE = 1.0, 0.25
#: Looks without anybody waiting, after which nobody looks.
_IDLE = 3

#: Returns the position of the end of a log: at once if it is not the given one, else after so many
#: seconds at most. Raises EventLogUnavailable.
Look = Callable[[LogPosition | None, float], Awaitable[LogPosition]]


class LogTail:
    """Wakes whoever waits for entries.

    A task looks while somebody waits, and for three seconds longer. Someone who waits costs a
    timer and no command of the engine.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._end: LogPosition | None = None
        self._waiters = 0
        self._looks: asyncio.Future[str | None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def wait(self, after: str, seconds: float) -> None:
        """Return when the log ends at another position, after ``seconds`` at most.

        May return early. Raises EventLogUnavailable; ValueError for what is no position.
        """
        position = parse_position(after)
        self._waiters += 1
        try:
            async with asyncio.timeout(seconds):
                while not self._is_beyond(position):
                    await self._next_look()
                    if self._end != position:
                        return
        except TimeoutError:
            pass
        finally:
            self._waiters -= 1

    async def close(self) -> None:
        """End the task; whoever still waits gets EventLogUnavailable."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._tell("closed")

    def _is_beyond(self, position: LogPosition) -> bool:
        """Return whether it is known that there are entries after ``position``."""
        end = self._end
        return end is not None and end.epoch == position.epoch and end.sequence > position.sequence

    async def _next_look(self) -> None:
        """Wait for a look to end; raises EventLogUnavailable where it failed."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done():
            self._end, self._looks = None, loop.create_future()
            self._task = loop.create_task(self._run())
        assert self._looks is not None
        failure = await asyncio.shield(self._looks)
        if failure is not None:
            raise EventLogUnavailable(failure)

    async def _run(self) -> None:
        task, idle = asyncio.current_task(), 0
        while idle < _IDLE and self._task is task:  # a library may swallow a cancellation
            failure = None
            try:
                self._end = await self._look(self._end, _LOOK)
            except EventLogUnavailable as error:
                failure = str(error)
            except Exception as error:  # a defect, which nobody must wait for in silence
                log.exception("the end of the event log cannot be watched")
                failure = type(error).__name__
            if failure is not None:
                self._end = None
            self._tell(failure)
            if failure is not None:
                await asyncio.sleep(_PAUSE)
            idle = 0 if self._waiters else idle + 1

    def _tell(self, failure: str | None) -> None:
        """Wake everybody who waits for the look that has ended."""
        looks, self._looks = self._looks, asyncio.get_running_loop().create_future()
        if looks is not None and not looks.done():
            looks.set_result(failure)
