"""Isolates rows that a source cannot read from all other rows of the same statement.

A statement that fails at one value fails for all its keys. It is repeated for a quarter of the keys
each time, and then for a quarter of the rows of a key, until the unreadable row stands alone. The
quarters run concurrently: a request that shares keys with an unreadable row waits for some ten
statements.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from connectors.backends.base import Batch, DataFault, Rows, merge_batches
from connectors.backends.session import Provenance
from connectors.backends.statement import LookupStatement
from connectors.backends.statement_merger import LookupRows

#: Statements that an isolation may cost: one row among 500 keys and 200 rows takes 31.
MAX_STATEMENTS = 100
#: Seconds for which a key is searched apart afterwards, and how many keys of a lookup are.
_APART = 60.0
_REMEMBERED = 1_000
#: Parts into which a failed statement is split.
_PARTS = 4

_Find = Callable[[Sequence[str], range | None], Awaitable[LookupRows]]


@dataclass(slots=True)
class IsolationResult:
    """What could be read, and what could not.

    ``rows``: those of each key in order. ``spoilt``: by key, the positions of rows that cannot be
    read, from 1. ``unknown``: keys of which nothing is known. ``reasons``: of the source, for logs.
    ``origin``: of all rows; keys whose rows came from another origin are unknown.
    """

    rows: list[Sequence[object]] = field(default_factory=list)
    as_of: datetime | None = None
    origin: str = ""
    spoilt: dict[str, list[int]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)

    def under(self, keys: Mapping[str, str]) -> IsolationResult:
        """Return the same by key, where ``keys`` maps each text that was searched to its key."""
        spoilt: dict[str, list[int]] = {}
        for text, places in self.spoilt.items():
            spoilt.setdefault(keys[text], []).extend(places)
        return replace(self, spoilt=spoilt, unknown={keys[text] for text in self.unknown})


class UnreadableKeys:
    """Keys with unreadable rows, by lookup: they are searched apart from others for a minute.

    So other keys do not wait each time that one of them is in the batch. ``monotonic``: the clock,
    in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[LookupStatement, dict[str, float]] = {}

    def among(self, lookup: LookupStatement, keys: Sequence[str]) -> list[str]:
        """Return those of ``keys`` that are to be searched apart."""
        deadlines = self._until.get(lookup)
        if not deadlines:
            return []
        now = self._monotonic()
        for key in [key for key, until in deadlines.items() if until <= now]:
            del deadlines[key]
        return [key for key in keys if key in deadlines]

    def note(self, lookup: LookupStatement, result: IsolationResult) -> None:
        """Remember the keys with unreadable rows; the oldest of too many are forgotten."""
        deadlines = self._until.setdefault(lookup, {})
        until = self._monotonic() + _APART
        for key in result.spoilt:
            deadlines.pop(key, None)
            deadlines[key] = until
        for key in list(deadlines)[: max(0, len(deadlines) - _REMEMBERED)]:
            del deadlines[key]


def add_unreadable(batch: Batch, lookup: LookupStatement, result: IsolationResult) -> Batch:
    """Return ``batch`` with the rows counted that could not be read."""
    by_key, failed = dict(batch.by_key), dict(batch.failed)
    faults = frozenset(f"the source fails at a value ({reason})" for reason in result.reasons)
    limit = lookup.stored.record.fetch_limit
    for key, places in result.spoilt.items():
        if key in by_key:
            rows = by_key[key]
            unreadable = sum(place <= limit or not lookup.sorts for place in places)
            total = len(rows.rows) + rows.unreadable + len(places)
            by_key[key] = Rows(
                rows.rows,
                rows.unreadable + unreadable,
                rows.truncated or total > limit,
                rows.faults | faults,
            )
    for key in result.unknown:
        by_key.pop(key, None)
        failed[key] = "a value cannot be read, of this key or of others"
    return replace(batch, by_key=by_key, failed=failed)


def merge_in_order(keys: Sequence[str], batches: Sequence[Batch]) -> Batch:
    """Merge batches into one, in the order of ``keys``; ``as_of`` is the oldest.

    The origin is that of the last batch that has one: keys with rows of another origin fail.
    """
    origin = next((batch.origin for batch in reversed(batches) if batch.origin), None)
    alike = [batch for batch in batches if batch.origin in {origin, None}]
    whole = merge_batches(alike)
    by_key = {key: whole.by_key[key] for key in keys if key in whole.by_key}
    settled = by_key.keys() | whole.failed.keys()
    failed = {key: "another server answers than before" for key in keys if key not in settled}
    return replace(whole, by_key=by_key, failed={**whole.failed, **failed}, origin=origin)


async def isolate(find: _Find, lookup: LookupStatement, keys: Sequence[str]) -> IsolationResult:
    """Read the rows of ``lookup`` for ``keys``, whose common statement failed.

    ``find`` reads rows of keys, at some positions. Costs up to 100 statements; keys that are not
    isolated by then are unknown. Raises SourceUnavailable and NotMapped.
    """
    return await _Isolation(find, lookup.most).run(keys)


class _Isolation:
    """``parts``: keys, and positions of their rows, that are still to be read."""

    def __init__(self, find: _Find, most: int) -> None:
        self._find = find
        self._every = range(1, most + 1)
        #: Beyond all rows: a key that fails here fails for every range of rows.
        self._beyond = range(most + 1, most + 2)
        self._parts: deque[tuple[Sequence[str], range]] = deque()
        self._rows: list[tuple[int, Sequence[Sequence[object]]]] = []
        self._provenances: list[Provenance] = []
        self._result = IsolationResult()

    async def run(self, keys: Sequence[str]) -> IsolationResult:
        """Return the result for all ``keys``."""
        self._failed(keys, self._every)
        left = MAX_STATEMENTS
        while self._parts and left > 0:
            parts = [self._parts.popleft() for _ in range(min(left, len(self._parts)))]
            left -= len(parts)
            calls = (self._ask(*part) for part in parts)
            for failed in await asyncio.gather(*calls, return_exceptions=True):
                if failed is not None:
                    raise failed
        result = self._result
        result.unknown.update(key for part, _ in self._parts for key in part)
        # The parts of a key complete in any order.
        result.rows = [row for _, rows in sorted(self._rows, key=_start) for row in rows]
        moments = [
            provenance.as_of for provenance in self._provenances if provenance.as_of is not None
        ]
        result.as_of = min(moments) if moments and len(moments) == len(self._provenances) else None
        result.origin = self._provenances[0].origin if self._provenances else ""
        return result

    async def _ask(self, keys: Sequence[str], places: range) -> None:
        try:
            rows, provenance = await self._find(keys, None if places is self._every else places)
        except DataFault as error:
            self._result.reasons.add(str(error))
            self._failed(keys, places)
            return
        if self._provenances and provenance.origin != self._provenances[0].origin:
            self._result.unknown.update(keys)
            return
        self._provenances.append(provenance)
        self._rows.append((places.start, rows))
        if places is self._beyond:
            self._split_places(keys, self._every)

    def _failed(self, keys: Sequence[str], places: range) -> None:
        """Split a part that failed, or note that it is a single row."""
        if len(keys) > 1:
            self._parts += [(part, places) for part in _split(keys)]
        elif places is self._every:
            self._parts.append((keys, self._beyond))
        elif places is self._beyond or len(places) == 1:
            place = 1 if places is self._beyond else places.start
            self._result.spoilt.setdefault(keys[0], []).append(place)
        else:
            self._split_places(keys, places)

    def _split_places(self, keys: Sequence[str], places: range) -> None:
        self._parts += [(keys, part) for part in _split(places)]


_Sequence = TypeVar("_Sequence", Sequence[str], range)


def _split(whole: _Sequence) -> list[_Sequence]:
    size = -(-len(whole) // _PARTS)
    return [whole[start : start + size] for start in range(0, len(whole), size)]


def _start(part: tuple[int, Sequence[Sequence[object]]]) -> int:
    return part[0]
