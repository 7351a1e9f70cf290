"""Merges the lookups of one turn of the event loop into one statement.

The lookups of a request to one database then cost one round trip and one connection
(``docs/decisions``, 33), where the make of database allows it (``SqlSource.merges``). That pays for
few keys only: rows in arrays are dearer to write and to read than rows (``docs/decisions``, 53).

A merged statement fails as a whole: each of its lookups is then run alone. Lookups also run alone
for a minute after such a failure, and after a slow merged statement: on connections of their own, a
slow lookup does not hold up the others.
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
from connectors.backends.session import (
    LookupPart,
    MergeFailed,
    MergingSession,
    Provenance,
    Session,
)
from connectors.backends.statement import LookupStatement

#: Keys of one statement.
KEYS_AT_ONCE = 500
#: Lookups in one merged statement.
_MOST = 8
#: Sets of lookups whose meetings are counted.
_MEETINGS = 1_000
#: Seconds after which a merged statement is slow, and for how long its lookups run alone then.
_SLOW = 0.1
_ALONE = 60.0

#: The rows of a lookup, each the matched key and then ``StoredTable.names``, and their provenance.
LookupRows = tuple[Sequence[Sequence[object]], Provenance]


@dataclass(frozen=True, slots=True)
class MergeLimits:
    """When lookups are merged into one statement.

    A server keeps a megabyte of each statement, on each connection, and lookups of different
    requests may meet by chance: there are ``statements`` merged ones at most, of lookups that have
    met ``meetings`` times before. ``keys``: the most of a lookup that is merged.
    """

    statements: int = 8
    meetings: int = 10
    keys: int = 8


@dataclass(slots=True, eq=False)
class _Part:
    """A lookup that a caller waits for.

    ``sent``: the parts of the same statement; ``call``: the call that runs it.
    """

    wanted: LookupPart
    rows: asyncio.Future[LookupRows]
    sent: Sequence[_Part] = ()
    call: SourceCall[list[LookupRows]] | None = None


class StatementMerger:
    """Runs lookups by ``calls``, merged where possible; belongs to one event loop.

    ``provenance`` reads, with a connection, the state of the source. ``merges``: several lookups
    may be one statement. ``monotonic``: the clock, in seconds.
    """

    def __init__(
        self,
        calls: SourceCalls,
        provenance: Callable[[Session], Awaitable[Provenance]],
        merges: bool,
        monotonic: Callable[[], float],
        limits: MergeLimits,
    ) -> None:
        self._calls = calls
        self._limits = limits
        self._provenance = provenance
        self._merges = merges
        self._monotonic = monotonic
        self._gathered: list[_Part] = []
        self._statements: set[frozenset[LookupStatement]] = set()
        self._met: Counter[frozenset[LookupStatement]] = Counter()
        self._alone_until: dict[LookupStatement, float] = {}

    async def find(
        self, lookup: LookupStatement, keys: Sequence[str], most: int | None = None
    ) -> LookupRows:
        """Return the rows of ``lookup`` for ``keys``, all of which a database could hold.

        ``most``: as many rows at most, in any order (``LookupPart``); only where ``merges``. Raises
        SourceUnavailable or NotMapped.
        """
        if not self._merges or len(keys) > KEYS_AT_ONCE:
            return await self.find_alone(lookup, keys)
        loop = asyncio.get_running_loop()
        part = _Part(LookupPart(lookup, keys, most), loop.create_future())
        if len(keys) > self._limits.keys:
            self._begin([part])
        else:
            if not self._gathered:
                loop.call_soon(self.send)
            self._gathered.append(part)
        try:
            return await part.rows
        except asyncio.CancelledError:
            if part.call is not None and all(sibling.rows.cancelled() for sibling in part.sent):
                await part.call.abandon()
            raise

    async def find_alone(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> LookupRows:
        """Return the rows of ``lookup`` for ``keys`` by a statement of its own.

        ``places``: of each key only the rows at these positions, from 1. Raises as ``find``.
        """
        return await self._calls.run(partial(self._alone, lookup, keys, places))

    def send(self) -> None:
        """Run the lookups that have been gathered."""
        gathered, self._gathered = self._gathered, []
        joined: dict[LookupStatement, _Part] = {}
        now = self._monotonic()
        for part in gathered:
            if part.rows.done():
                continue  # the caller was cancelled
            lookup = part.wanted.lookup
            if lookup in joined or len(joined) == _MOST or self._alone_until.get(lookup, now) > now:
                self._begin([part])
            else:
                joined[lookup] = part
        if self._may_join(frozenset(joined)):
            # In a fixed order, so that the same lookups give the same statement.
            self._begin(sorted(joined.values(), key=lambda part: id(part.wanted.lookup)))
        else:
            for part in joined.values():
                self._begin([part])

    def _may_join(self, lookups: frozenset[LookupStatement]) -> bool:
        if len(lookups) < 2:
            return False
        if lookups in self._statements:
            return True
        if len(self._statements) == self._limits.statements:
            return False
        if len(self._met) == _MEETINGS:
            self._met.clear()
        self._met[lookups] += 1
        if self._met[lookups] <= self._limits.meetings:
            return False
        self._statements.add(lookups)
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
        # Read first, so that it holds for the rows as well.
        provenance = await self._provenance(session)
        began = self._monotonic()
        merging = cast("MergingSession", session)
        row_sets = await merging.find_parts([part.wanted for part in parts])
        if len(parts) > 1 and self._monotonic() - began > _SLOW:
            self._go_alone(parts)
        return [(rows, provenance) for rows in row_sets]

    async def _alone(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None, session: Session
    ) -> LookupRows:
        provenance = await self._provenance(session)
        rows: list[Sequence[object]] = []
        for start in range(0, len(keys), KEYS_AT_ONCE):
            rows += await session.find(lookup, keys[start : start + KEYS_AT_ONCE], places)
        return rows, provenance

    def _ended(self, parts: Sequence[_Part], task: asyncio.Task[list[LookupRows]]) -> None:
        for part in parts:  # breaks the reference cycle, which would keep the rows alive
            part.sent, part.call = (), None
        if task.cancelled():
            _fail(parts, SourceUnavailable("abandoned"))
            return
        error = task.exception()
        if isinstance(error, MergeFailed):
            self._go_alone(parts)
            for part in parts:
                if not part.rows.done():
                    self._begin([part])
        elif error is not None:
            _fail(parts, error)
        else:
            for part, rows in zip(parts, task.result(), strict=True):
                if not part.rows.done():
                    part.rows.set_result(rows)

    def _go_alone(self, parts: Sequence[_Part]) -> None:
        until = self._monotonic() + _ALONE
        self._alone_until.update((part.wanted.lookup, until) for part in parts)


def _fail(parts: Sequence[_Part], error: BaseException) -> None:
    for part in parts:
        if not part.rows.done():
            part.rows.set_exception(error)
