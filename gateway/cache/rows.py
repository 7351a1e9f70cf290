"""The cache: rows of one record under one key, before permission and protection, in two levels.

Freshness and the log of invalidations alone decide what is kept. Who may see the rows is decided
for each request. Nothing is served and nothing is kept while the log cannot be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client import Counter, Gauge

from connectors.description import Column, Database, Lookup, Record
from gateway.answer import Answer, State
from gateway.cache.invalidations import Hashes, InvalidationLog, Position
from gateway.cache.lag import CacheLag
from gateway.cache.memory import (
    CacheEntry,
    MemoryCache,
    Reports,
    Shelf,
    StatementAnswers,
    numbers_in,
)
from gateway.cache.redis_rows import RedisCache
from gateway.cache.seal import EntryRejected, Seal
from gateway.runtime.clock import Clock
from gateway.settings.freshness import Freshness

LOOKED = Counter(
    "justice_gateway_cache_reads",
    "Keys looked up in the cache, by outcome: missed in the process, then perhaps shared;"
    " ready: whole answers",
    ["outcome"],
)
REJECTED = Counter(
    "justice_gateway_cache_rejected",
    "Values in Redis that are not entries of this gateway, by reason",
    ["reason"],
)
BYTES = Gauge("justice_gateway_cache_bytes", "Bytes of rows kept in this process, estimated")

_FRESH, _REFRESHED = LOOKED.labels("fresh"), LOOKED.labels("refreshed")
_SHARED, _MISSED, _STALE = LOOKED.labels("shared"), LOOKED.labels("missed"), LOOKED.labels("stale")
#: Seconds by which the clocks of machines may differ: rows from further in the future are refused.
_CLOCK_SKEW = 2.0


@dataclass(frozen=True, slots=True)
class CachedLookup:
    """One lookup of one source, as the cache keeps its rows.

    ``namespace``: of the source (``namespace_of``). ``reports``: makes the reports of answers.
    """

    namespace: str
    record: Record
    lookup: Lookup
    freshness: Freshness
    reports: Reports

    @property
    def shelf(self) -> Shelf:
        """Where the rows stand in the memory of the process."""
        return (self.namespace, self.lookup.name)

    def subject_numbers(self, key: str, numbers: tuple[str, ...]) -> tuple[str, ...]:
        """Return the numbers of the person whom the rows under ``key`` are about.

        ``numbers``, where they are known; else ``key``, where the lookup is by the number of a
        person; () for rows below another record, and for those found by a number of a thing.
        """
        is_by_person = self.lookup.on is None and self.lookup.entry is None
        return numbers or ((key,) if is_by_person else ())


#: An entry, and whether it is time to read its rows again.
Hit = tuple[CacheEntry, bool]
#: A read that Redis may answer: lookup, key, and the numbers of the person for whose view it is.
SharedRead = tuple[CachedLookup, str, tuple[str, ...]]


class Cache:
    """Both levels, and the log that they depend on. ``shared`` None: there is no Redis.

    ``lag``: how far rows may lag behind databases whose changes are followed.
    """

    def __init__(
        self,
        memory: MemoryCache,
        log: InvalidationLog,
        clock: Clock,
        shared: RedisCache | None = None,
        seal: Seal | None = None,
    ) -> None:
        self.log = log
        self.lag = CacheLag()
        self._memory = memory
        self._clock = clock
        self._shared = shared
        self._seal = seal

    @property
    def hashes(self) -> Hashes:
        """The keyed hashes that stand for the numbers of persons."""
        return self.log.invalidations.hashes

    async def open(self) -> None:
        """Start to follow the log."""
        await self.log.open()

    async def close(self) -> None:
        """Stop following the log and close the connections."""
        await self.log.close()
        if self._shared is not None:
            await self._shared.close()

    def position(self) -> Position | None:
        """Return the position to keep rows with that are read from now on; None: keep none."""
        return self.log.position()

    @property
    def may_ask_shared(self) -> bool:
        """Whether the level that processes share can be asked now."""
        return self._shared is not None and self._shared.up and self.position() is not None

    def find(
        self, lookup: CachedLookup, numbers_by_key: Mapping[str, tuple[str, ...]]
    ) -> dict[str, Hit]:
        """Return what this process keeps, by key, and whether it is time to read it again.

        ``numbers_by_key``: for each key, the numbers of the person for whose view the rows are.
        Costs some 2 us a key that is kept.
        """
        hits: dict[str, Hit] = {}
        if self._memory.has_any(lookup.shelf, numbers_by_key):
            for key, numbers in numbers_by_key.items():
                hit = self._find_fresh(lookup, key, numbers)
                if hit is not None:
                    hits[key] = hit
                    (_REFRESHED if hit[1] else _FRESH).inc()
        if len(hits) < len(numbers_by_key):
            _MISSED.inc(len(numbers_by_key) - len(hits))
        return hits

    def may_serve(
        self, lookup: CachedLookup, key: str, numbers: tuple[str, ...], answer: Answer
    ) -> bool:
        """Return whether ``answer``, served from here, may serve for the view of ``numbers`` too.

        False if it is no longer what is kept: rows that were read anew say nothing about it.
        """
        entry = self._find_valid(lookup, key, numbers)
        if entry is None:
            return False
        cached = entry.answer
        is_same = cached.report.fetched_at == answer.report.fetched_at
        return is_same and cached.rows is answer.rows

    def _find_fresh(self, lookup: CachedLookup, key: str, numbers: tuple[str, ...]) -> Hit | None:
        entry = self._find_valid(lookup, key, numbers)
        if entry is None:
            return None
        now, fresh = self._clock.now().timestamp(), lookup.freshness.fresh
        age = _age(entry, now)
        longest = max(fresh, lookup.freshness.revalidated)
        if age is None or age > longest or longest <= 0:
            return None
        if not self.lag.is_within(lookup.record.database, entry.read_at, now):
            return None  # it may be again, once changes are read again
        is_due = age > fresh or fresh <= 0
        if not entry.shared:
            self._share(lookup, key, entry, age)
        return entry, is_due

    async def find_shared(self, reads: Sequence[SharedRead]) -> list[Hit | None]:
        """Return what processes share, for each of ``reads``; one command to Redis for all.

        A hit is kept in the process as well. Waits for twice ``redis.timeout`` at most.
        """
        assert self._shared is not None
        keys = [self._redis_key(lookup, key) for lookup, key, _ in reads]
        values = await self._shared.get(keys)
        position = self.position()
        if position is None:
            return [None] * len(reads)
        for read, redis_key, value in zip(reads, keys, values, strict=True):
            if value is not None:
                self._take(read, redis_key, value, position)
        hits = [
            None if value is None else self._find_fresh(*read)
            for read, value in zip(reads, values, strict=True)
        ]
        _SHARED.inc(sum(hit is not None for hit in hits))
        return hits

    def find_stale(self, lookup: CachedLookup, key: str, numbers: tuple[str, ...]) -> Answer | None:
        """Return rows that may stand in for a source that fails, as STALE; None for none."""
        if lookup.freshness.if_error <= 0:
            return None
        entry = self._find_valid(lookup, key, numbers)
        age = None if entry is None else _age(entry, self._clock.now().timestamp())
        if entry is None or age is None or age > lookup.freshness.if_error:
            return None
        _STALE.inc()
        answer, original = entry.answer, entry.answer.report
        report = lookup.reports(
            lookup.record,
            State.STALE,
            as_of=original.as_of,
            fetched_at=original.fetched_at,
            from_cache=True,
            evidence=original.evidence,
        )
        return Answer(report, answer.rows, answer.unreadable, answer.truncated)

    def keep(self, lookup: CachedLookup, answers: Mapping[str, Answer], position: Position) -> None:
        """Keep the answers of a statement, by key; ``position``: from before it began.

        Rows that an invalidation has concerned since are not kept. Costs some 15 us a statement,
        and 0.3 us a key.
        """
        now = self.position()
        if lookup.freshness.longest <= 0 or now is None:
            return
        storable = {
            key: answer
            for key, answer in answers.items()
            if answer.rows is not None and answer.report.fetched_at is not None
        }
        if now != position:
            storable = self._not_concerned(lookup, storable, position)
        if storable:
            statement = StatementAnswers.weigh(storable, position)
            self._memory.keep_statement(lookup.shelf, statement)
            BYTES.set(self._memory.weight)

    def _not_concerned(
        self, lookup: CachedLookup, answers: Mapping[str, Answer], position: Position
    ) -> dict[str, Answer]:
        """Return the answers that no invalidation since ``position`` concerns."""
        record, invalidations = lookup.record, self.log.invalidations
        return {
            key: answer
            for key, answer in answers.items()
            if not invalidations.concerns(
                record,
                numbers_in(record, answer.rows or ()),
                lookup.subject_numbers(key, ()),
                position,
            )
        }

    def _share(self, lookup: CachedLookup, key: str, entry: CacheEntry, age: float) -> None:
        """Hand rows that were asked for twice to other processes: most rows never are.

        Sealing costs as much as reading did: some 15 us for a row of 40 values.
        """
        entry.shared = True
        if self._shared is not None and self._seal is not None and self._shared.up:
            redis_key = self._redis_key(lookup, key)
            time_to_live = lookup.freshness.longest - max(age, 0.0)
            self._shared.put(redis_key, self._seal.close(redis_key, entry), time_to_live)

    def _find_valid(
        self, lookup: CachedLookup, key: str, numbers: tuple[str, ...]
    ) -> CacheEntry | None:
        """Return the kept entry, unless an invalidation that is known concerns it."""
        entry = self._memory.get(lookup.shelf, key)
        now = None if entry is None else self.position()
        if entry is None or now is None:
            return None
        if self._is_valid(lookup, key, numbers, entry, now):
            return entry
        if lookup.subject_numbers(key, ()):
            self._memory.drop(lookup.shelf, key)
        return None  # rows below another record may still be valid for another person

    def _is_valid(
        self,
        lookup: CachedLookup,
        key: str,
        numbers: tuple[str, ...],
        entry: CacheEntry,
        now: Position,
    ) -> bool:
        """Return whether no invalidation that is known at ``now`` concerns ``entry``."""
        subject_numbers = lookup.subject_numbers(key, numbers)
        return entry.is_valid(lookup.record, self.log.invalidations, subject_numbers, now)

    def _take(self, read: SharedRead, redis_key: str, value: bytes, now: Position) -> None:
        """Keep an entry of Redis if it is genuine, valid and newer than the one that is kept."""
        assert self._seal is not None
        lookup, key, numbers = read
        try:
            entry = self._seal.open(redis_key, value, now.epoch, lookup.record, lookup.reports)
        except EntryRejected as rejected:
            REJECTED.labels(str(rejected)).inc()
            return
        if not self._is_valid(lookup, key, numbers, entry, now):
            REJECTED.labels("invalidated").inc()
            return
        present = self._memory.get(lookup.shelf, key)
        if present is None or present.read_at < entry.read_at:
            self._memory.keep(lookup.shelf, key, entry)
            BYTES.set(self._memory.weight)

    def _redis_key(self, lookup: CachedLookup, key: str) -> str:
        """Return a key in Redis: those of one person's lists are in one slot of a cluster."""
        hashed = self.hashes.of(key)
        return f"justice-gateway:rows:{{{hashed}}}:{lookup.namespace}:{lookup.lookup.name}"


def _age(entry: CacheEntry, now: float) -> float | None:
    """Return the age of an entry in seconds; None where a clock must be wrong."""
    age = now - entry.read_at
    return age if age >= -_CLOCK_SKEW else None


def namespace_of(database: Database, *words: object) -> str:
    """Return the namespace of a source's rows: 16 hex digits of a hash.

    ``words``: where the source is, and how its records are mapped. Rows read from another server,
    or before a column was declared, have another namespace.
    """
    declared = ", ".join(map(_declaration, database.records))
    text = f"({database.name!r}, [{declared}], {words!r})"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=1_024)  # a declaration never changes, and is long
def _declaration(record: Record) -> str:
    parts = (record.name, record.fetch_limit, record.date, record.identity, record.lookups)
    return repr((*parts, *_columns(record)))


def _columns(record: Record) -> list[object]:
    return [
        (column.name, column.required, column.field.kind, column.field.many, _codes(column))
        for column in record.columns
    ]


def _codes(column: Column) -> list[str]:
    enumeration = column.field.enumeration
    return [] if enumeration is None else list(enumeration.__members__)
