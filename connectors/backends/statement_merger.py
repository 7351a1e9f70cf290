"""Merges lookups that are made at the same time into one statement.

The lookups of a request to one database then cost one round trip and one connection
(``docs/decisions``, 33), where the make of database allows it (``SqlSource.merges``). That pays for
few keys only: rows in arrays are dearer to write and to read than rows (``docs/decisions``, 53).

A merged statement fails as a whole: nothing is known of its lookups then, and each has to be made
alone. Lookups also go alone for a minute after such a failure, and after a slow merged statement:
on connections of their own, a slow lookup does not hold up the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from connectors.backends.calls import SourceCalls
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
#: Seconds after which a merged statement is slow, and for how long its lookups go alone then.
_SLOW = 0.1
_ALONE = 60.0

#: The rows of a lookup, each the matched key and then ``StoredTable.names``.
RowSet = Sequence[Sequence[object]]
#: The rows of a lookup and their provenance.
LookupRows = tuple[RowSet, Provenance]


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
        self._provenance = provenance
        self._merges = merges
        self._monotonic = monotonic
        self._limits = limits
        self._statements: set[frozenset[LookupStatement]] = set()
        self._combinations: Counter[frozenset[LookupStatement]] = Counter()
        self._alone_until: dict[LookupStatement, float] = {}

    def group(self, lookups: Sequence[tuple[LookupStatement | None, int]]) -> list[list[int]]:
        """Return which of ``lookups`` are to be made by one statement, as places in it.

        ``lookups``: each with the number of its keys; None goes alone. Every place is in one group.
        """
        joined: dict[LookupStatement, int] = {}
        groups: list[list[int]] = []
        now = self._monotonic()
        for place, (lookup, keys) in enumerate(lookups):
            if (
                lookup is None
                or keys > self._limits.keys
                or lookup in joined
                or len(joined) == _MOST
                or self._alone_until.get(lookup, now) > now
            ):
                groups.append([place])
            else:
                joined[lookup] = place
        if self._may_join(frozenset(joined)):
            # In a fixed order, so that the same lookups give the same statement.
            groups.append([joined[lookup] for lookup in sorted(joined, key=id)])
        else:
            groups += [[place] for place in joined.values()]
        return groups

    async def find(
        self, lookup: LookupStatement, keys: Sequence[str], most: int | None = None
    ) -> LookupRows:
        """Return the rows of ``lookup`` for ``keys``, all of which a database could hold.

        ``most``: as many rows at most, in any order (``LookupPart``); only where ``merges``. Raises
        SourceUnavailable or NotMapped.
        """
        if not self._merges or len(keys) > KEYS_AT_ONCE:
            return await self.find_alone(lookup, keys)
        (rows,), provenance = await self.find_together([LookupPart(lookup, keys, most)])
        return rows, provenance

    async def find_together(self, parts: Sequence[LookupPart]) -> tuple[list[RowSet], Provenance]:
        """Return the rows of each of ``parts``, by one statement; only where ``merges``.

        Raises as ``find``; for several parts SourceUnavailable, which says nothing of each alone.
        """
        return await self._calls.run(partial(self._together, parts))

    async def find_alone(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None = None
    ) -> LookupRows:
        """Return the rows of ``lookup`` for ``keys``, in their order.

        ``places``: of each key only the rows at these positions, from 1. Raises as ``find``.
        """
        return await self._calls.run(partial(self._alone, lookup, keys, places))

    def _may_join(self, lookups: frozenset[LookupStatement]) -> bool:
        if len(lookups) < 2:
            return False
        if lookups in self._statements:
            return True
        if len(self._statements) == self._limits.statements:
            return False
        if len(self._combinations) == _MEETINGS:
            self._combinations.clear()
        self._combinations[lookups] += 1
        if self._combinations[lookups] <= self._limits.meetings:
            return False
        self._statements.add(lookups)
        return True

    async def _together(
        self, parts: Sequence[LookupPart], session: Session
    ) -> tuple[list[RowSet], Provenance]:
        # Read first, so that it holds for the rows as well.
        provenance = await self._provenance(session)
        merging = cast("MergingSession", session)
        if len(parts) == 1:
            return list(await merging.find_parts(parts)), provenance
        began = self._monotonic()
        try:
            row_sets = list(await merging.find_parts(parts))
        except MergeFailed:
            self._go_alone(parts)
            raise
        finally:  # also where the statement was ended, because it took too long
            if self._monotonic() - began > _SLOW:
                self._go_alone(parts)
        return row_sets, provenance

    async def _alone(
        self, lookup: LookupStatement, keys: Sequence[str], places: range | None, session: Session
    ) -> LookupRows:
        provenance = await self._provenance(session)
        rows: list[Sequence[object]] = []
        for start in range(0, len(keys), KEYS_AT_ONCE):
            rows += await session.find(lookup, keys[start : start + KEYS_AT_ONCE], places)
        return rows, provenance

    def _go_alone(self, parts: Sequence[LookupPart]) -> None:
        until = self._monotonic() + _ALONE
        self._alone_until.update((part.lookup, until) for part in parts)
