"""The event log as all listeners of a process follow it: read and opened once.

A task reads new entries and keeps the recent ones. A listener is a position and nothing else: it
takes its pages from the recent entries, and reads the log where it is further behind than they go.
Nobody has a buffer of their own, so nobody who is slow costs memory or entries. Ten thousand
recent entries take some 10 MB.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from cachetools import LRUCache

from gateway.changes.log import (
    EventLog,
    EventLogEntry,
    EventLogPage,
    EventLogUnavailable,
    PositionExpired,
)

log = structlog.get_logger(__name__)

#: Entries that are kept at least, and pages of older ones.
_RECENT, _OLDER_PAGES = 5_000, 16
#: Entries of a page; seconds of a wait, and of the pause after a failure.
_PAGE, _WAIT, _RETRY = 500, 30.0, 0.25


class Follower:
    """Follows a log from the first listener on until it is closed.

    ``recent``: how many entries are kept at least; twice as many at most.
    """

    def __init__(self, events: EventLog, recent: int = _RECENT) -> None:
        self._log, self._recent = events, RecentEntries(recent)
        self._older: LRUCache[tuple[str, int], EventLogPage] = LRUCache(_OLDER_PAGES)
        self._reads_older = asyncio.Lock()
        self._news: asyncio.Future[None] | None = None
        self._failure: str | None = None
        #: The end of the recent entries; None: begin anew, at the end of the log.
        self._position: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Stop following; whoever still waits gets EventLogUnavailable."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._tell("closed")

    @asynccontextmanager
    async def listen(self, after: str) -> AsyncIterator[Listener]:
        """Give a listener to what comes after a position of the log."""
        if self._task is None:
            self._failure, self._news = None, asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._follow())
        yield Listener(self, after)

    async def page(self, after: str, limit: int) -> EventLogPage:
        """Return what comes after a position, without waiting for it; see ``EventLog.read``.

        Pages that are not of recent entries are read one at a time, and the same one once for all.
        """
        page = self.recent_page(after, limit)
        if page is not None:
            return page
        async with self._reads_older:
            page = self._older.get((after, limit))
            if page is None:
                page = await self._log.read(after, limit)
                if page.entries:
                    self._older[after, limit] = page
            return page

    def recent_page(self, after: str, limit: int) -> EventLogPage | None:
        """Return what comes after a position, None where that is not among the recent entries."""
        return self._recent.page(after, limit)

    @property
    def news(self) -> asyncio.Future[None]:
        """What is done once there are new entries, or the log cannot be followed."""
        assert self._news is not None
        return self._news

    def require_success(self) -> None:
        """Raise EventLogUnavailable while the log cannot be followed."""
        if self._failure is not None:
            raise EventLogUnavailable(self._failure)

    def _tell(self, failure: str | None) -> None:
        """Wake all listeners."""
        self._failure = failure
        news, self._news = self._news, asyncio.get_running_loop().create_future()
        if news is not None and not news.done():
            news.set_result(None)

    async def _follow(self) -> None:
        task, self._position = asyncio.current_task(), None
        while self._task is task:  # a library may swallow a cancellation
            try:
                await self._step()
            except PositionExpired:
                self._position = None  # what is known is void, as each listener learns from the log
                self._older.clear()
            except EventLogUnavailable as error:
                self._tell(str(error))
                await asyncio.sleep(_RETRY)
            except Exception as error:  # a defect, which nobody must wait for in silence
                log.exception("the event log cannot be followed")
                self._position = None  # the recent entries may be incomplete
                self._recent.clear()
                self._tell(type(error).__name__)
                await asyncio.sleep(_RETRY)

    async def _step(self) -> None:
        """Read what comes after the position, and wait for more at the end of the log.

        The position moves with the entries: a wait that fails must not have them added again.
        """
        if self._position is None:
            position = await self._log.end()
            self._recent.begin(position)
            self._position = position
            self._tell(None)
        page = await self._log.read(self._position, _PAGE)
        self._recent.add(page)
        if page.entries:
            self._position = page.entries[-1].position
        if page.entries or self._failure is not None:
            self._tell(None)
        if page.is_end:
            await self._log.wait(self._position, _WAIT)


class Listener:
    """Reads on from ``position``, which is always after the last entry that it gave."""

    def __init__(self, follower: Follower, position: str) -> None:
        self.position = position
        self._follower = follower

    def __aiter__(self) -> Listener:
        """Return itself."""
        return self

    async def __anext__(self) -> EventLogPage:
        """Return the next page that has entries; raises as ``next_page`` does, and may go on."""
        return await self.next_page(None)

    async def next_page(self, seconds: float | None, limit: int = _PAGE) -> EventLogPage:
        """Return the next entries, in the order of the log; an empty page after ``seconds``.

        None: waits for as long as it takes. An empty page says ``is_end`` where it is known that
        the log had no more. Raises PositionExpired, EventLogUnavailable (about every second for as
        long as the log cannot be followed), and ValueError for what is no position. The listener
        keeps its position, so that it may be tried again.
        """
        page = EventLogPage((), is_end=False)
        try:
            async with asyncio.timeout(seconds):
                while not page.entries:
                    news = self._follower.news  # before the look, so that none is missed
                    page = await self._follower.page(self.position, limit)
                    if not page.entries:
                        await asyncio.shield(news)
                        self._follower.require_success()
        except TimeoutError:
            self._follower.require_success()
            page = self._follower.recent_page(self.position, limit) or page
        if page.entries:
            self.position = page.entries[-1].position
        return page


class RecentEntries:
    """The last entries of a log, found by the position before them.

    ``size``: how many are kept at least; twice as many are dropped to it.
    """

    def __init__(self, size: int) -> None:
        self._size, self._is_end = size, False
        self._entries: list[EventLogEntry] = []
        #: By a position, how many entries there were up to it since the beginning.
        self._numbers: dict[str, int] = {}
        self._dropped = 0
        self._before_first = ""

    def begin(self, position: str) -> None:
        """Start after a position, with no entries."""
        self.clear()
        self._before_first, self._numbers = position, {position: 0}

    def clear(self) -> None:
        """Know nothing, of no position, until the next ``begin``."""
        self._entries.clear()
        self._numbers.clear()
        self._dropped, self._is_end = 0, False

    def add(self, page: EventLogPage) -> None:
        """Add the entries that follow the last one; those that are there already are skipped."""
        for entry in page.entries:
            if entry.position in self._numbers:
                continue
            self._entries.append(entry)
            self._numbers[entry.position] = self._dropped + len(self._entries)
        self._is_end = page.is_end
        if len(self._entries) >= 2 * self._size:
            self._drop(len(self._entries) - self._size)

    def page(self, after: str, limit: int) -> EventLogPage | None:
        """Return what comes after a position; None where that is not known."""
        number = self._numbers.get(after)
        if number is None:
            return None
        begin = number - self._dropped
        entries: Sequence[EventLogEntry] = self._entries[begin : begin + limit]
        return EventLogPage(entries, self._is_end and begin + len(entries) == len(self._entries))

    def _drop(self, many: int) -> None:
        del self._numbers[self._before_first]
        for entry in self._entries[: many - 1]:
            del self._numbers[entry.position]
        self._before_first = self._entries[many - 1].position
        del self._entries[:many]
        self._dropped += many
