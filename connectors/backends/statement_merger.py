"""Lookups that are asked for in one turn of the event loop, put to the source as one statement.

What a request asks of a database at once costs one round trip and one connection so
(``docs/decisions``, 33), where the make of database can (``SqlSource.joins``). A statement fails as
a whole, so each of its lookups is then asked alone; and they go alone for a minute after that, and
after they were slow together: of connections of their own each takes its own time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from connectors.backends.base import SourceUnavailable
from connectors.backends.calls import SourceCall, SourceCalls
from connectors.backends.session import MergeFailed, MergingSession, Provenance, Session
from connectors.backends.statement import LookupStatement

#: How many keys one statement is given.
_KEYS_AT_ONCE = 500
#: How many lookups one statement answers; how many statements of several there are, and how often
#: what they answer was asked for at once before: servers keep a megabyte of each, on each
#: connection, and lookups of different requests may meet by chance.
_MOST = 8
_STATEMENTS = 8
_OFTEN = 10
#: How many such meetings are remembered.
_MEETINGS = 1_000
#: Seconds after which a statement of several is slow, and for how long its lookups go alone then.
_SLOW = 0.1
_ALONE = 60.0

#: The rows of a lookup, each the matched key and then ``StoredTable.names``, and their provenance.
LookupRows = tuple[Sequence[Sequence[object]], Provenance]


@dataclass(slots=True, eq=False)
class _Part:
    """A lookup that somebody waits for; ``sent`` and ``call``: with whom it went, and how."""

    wanted: LookupStatement
    keys: Sequence[str]
    found: asyncio.Future[LookupRows]
    sent: Sequence[_Part] = ()
    call: SourceCall[list[LookupRows]] | None = None


class StatementMerger:
    """Asks for lookups by ``calls``; belongs to one event loop.

    ``state`` reads with a connection what the source states of itself. ``joins``: several lookups
    may be one statement. ``monotonic``: the clock, in seconds.
    """

    def __init__(
        self,
        calls: SourceCalls,
        state: Callable[[Session], Awaitable[Provenance]],
        joins: bool,
        monotonic: Callable[[], float],
    ) -> None:
        self._calls = calls
        self._state = state
        self._joins = joins
        self._monotonic = monotonic
        self._gathered: list[_Part] = []
        self._statements: set[frozenset[LookupStatement]] = set()
        self._met: Counter[frozenset[LookupStatement]] = Counter()
        self._alone_until: dict[LookupStatement, float] = {}

    async def find(self, wanted: LookupStatement, keys: Sequence[str]) -> LookupRows:
        """Return the rows of ``wanted`` for ``keys``, such as a database could hold.

        Raises SourceUnavailable or NotMapped.
        """
        if not self._joins or len(keys) > _KEYS_AT_ONCE:
            return await self.find_alone(wanted, keys)
        loop = asyncio.get_running_loop()
        part = _Part(wanted, keys, loop.create_future())
        if not self._gathered:
            loop.call_soon(self.send)
        self._gathered.append(part)
        try:
            return await part.found
        except asyncio.CancelledError:
            if part.call is not None and all(one.found.cancelled() for one in part.sent):
                await part.call.abandon()
            raise

    async def find_alone(
        self, wanted: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> LookupRows:
        """Return the rows of ``wanted`` for ``keys`` by a statement of their own.

        ``places``: of each key the rows that stand there, from 1. Raises as ``find``.
        """
        return await self._calls.run(partial(self._alone, wanted, keys, places))

    def send(self) -> None:
        """Ask for what has been gathered."""
        gathered, self._gathered = self._gathered, []
        joined: dict[LookupStatement, _Part] = {}
        now = self._monotonic()
        for part in gathered:
            if part.found.done():
                continue  # who asked has left
            wanted = part.wanted
            if wanted in joined or len(joined) == _MOST or self._alone_until.get(wanted, now) > now:
                self._begin([part])
            else:
                joined[wanted] = part
        if self._may_join(frozenset(joined)):
            # Always in one order: it is one statement, whoever came first.
            self._begin(sorted(joined.values(), key=lambda one: id(one.wanted)))
        else:
            for part in joined.values():
                self._begin([part])

    def _may_join(self, wanted: frozenset[LookupStatement]) -> bool:
        if len(wanted) < 2:
            return False
        if wanted in self._statements:
            return True
        if len(self._statements) == _STATEMENTS:
            return False
        if len(self._met) == _MEETINGS:
            self._met.clear()
        self._met[wanted] += 1
        if self._met[wanted] <= _OFTEN:
            return False
        self._statements.add(wanted)
        return True

    def _begin(self, parts: Sequence[_Part]) -> None:
        try:
            call = self._calls.begin(partial(self._work, parts))
        except SourceUnavailable as error:
            _fail(parts, error)
            return
        for part in parts:
            part.sent, part.call = parts, call
        call.task.add_done_callback(partial(self._ended, parts))

    async def _work(self, parts: Sequence[_Part], session: Session) -> list[LookupRows]:
        if len(parts) == 1:
            return [await self._alone(parts[0].wanted, parts[0].keys, None, session)]
        stated = await self._state(session)  # read first, it is true of the rows as well
        began = self._monotonic()
        joining = cast("MergingSession", session)
        found = await joining.find_together([(one.wanted, one.keys) for one in parts])
        if self._monotonic() - began > _SLOW:
            self._go_alone(parts)
        return [(rows, stated) for rows in found]

    async def _alone(
        self, wanted: LookupStatement, keys: Sequence[str], places: range | None, session: Session
    ) -> LookupRows:
        stated = await self._state(session)
        rows: list[Sequence[object]] = []
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            rows += await session.find(wanted, keys[start : start + _KEYS_AT_ONCE], places)
        return rows, stated

    def _ended(self, parts: Sequence[_Part], task: asyncio.Task[list[LookupRows]]) -> None:
        for part in parts:  # else they would hold each other, and what was found
            part.sent, part.call = (), None
        if task.cancelled():
            _fail(parts, SourceUnavailable("abandoned"))
            return
        error = task.exception()
        if isinstance(error, MergeFailed):
            self._go_alone(parts)
            for part in parts:
                if not part.found.done():
                    self._begin([part])
        elif error is not None:
            _fail(parts, error)
        else:
            for part, found in zip(parts, task.result(), strict=True):
                if not part.found.done():
                    part.found.set_result(found)

    def _go_alone(self, parts: Sequence[_Part]) -> None:
        until = self._monotonic() + _ALONE
        self._alone_until.update((one.wanted, until) for one in parts)


def _fail(parts: Sequence[_Part], error: BaseException) -> None:
    for part in parts:
        if not part.found.done():
            part.found.set_exception(error)
