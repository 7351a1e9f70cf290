"""The cache: rows of one record for one key, before permission and protection, in two levels.

What is kept is decided by deadlines (``Freshness``) and by the log of invalidations alone; who may
see the rows is decided anew for every request. Nothing is served, and nothing kept, while the log
cannot be asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prometheus_client import Counter, Gauge

from connectors.description import Column, Database, Lookup, Record
from gateway.answer import Answer, SourceReport, State
from gateway.cache.invalidations import Hashes, InvalidationLog, Position
from gateway.cache.memory import CacheEntry, Key, MemoryCache, Reports, numbers_in, weight_of
from gateway.cache.redis_rows import RedisCache
from gateway.cache.sealing import EntryRejected, Seal
from gateway.runtime.clock import Clock
from gateway.settings.freshness import Freshness

LOOKED = Counter(
    "justice_gateway_cache_reads",
    "Keys looked for in the cache, by what came of them: missed by the process, then perhaps"
    " shared; ready: whole answers",
    ["outcome"],
)
REJECTED = Counter(
    "justice_gateway_cache_rejected",
    "Values in Redis that were no entries of this gateway's, by reason",
    ["reason"],
)
BYTES = Gauge("justice_gateway_cache_bytes", "Bytes of rows kept in this process, about")

_FRESH, _REFRESHED = LOOKED.labels("fresh"), LOOKED.labels("refreshed")
_SHARED, _MISSED, _STALE = LOOKED.labels("shared"), LOOKED.labels("missed"), LOOKED.labels("stale")
#: How far clocks of machines may differ: rows from further in the future are none.
_SKEW = 2.0


@dataclass(frozen=True, slots=True)
class CachedLookup:
    """Where the rows of one lookup of one source are kept.

    ``namespace``: of the source (``namespace_of``). ``reports``: makes what answers report.
    """

    namespace: str
    record: Record
    lookup: Lookup
    freshness: Freshness
    reports: Reports

    def place(self, key: str) -> Key:
        """Return where the rows under ``key`` are kept in the process."""
        return (self.namespace, self.lookup.name, key)

    def about(self, key: str, about: tuple[str, ...]) -> tuple[str, ...]:
        """Return whom the rows under ``key`` are about where nobody says: who is looked up by it.

        () for what hangs on something, or is found by a thing.
        """
        keyed = self.lookup.on is None and self.lookup.entry is None
        return about or ((key,) if keyed else ())


#: What is kept, and whether it is time to read it anew.
Hit = tuple[CacheEntry, bool]
#: A key of a shelf, and for the view of whom it is looked for: their numbers.
SharedRead = tuple[CachedLookup, str, tuple[str, ...]]


class Cache:
    """Both levels, and the log that they depend on. ``shared`` None: there is no Redis."""

    def __init__(
        self,
        level: MemoryCache,
        log: InvalidationLog,
        clock: Clock,
        shared: RedisCache | None = None,
        seal: Seal | None = None,
    ) -> None:
        self.log = log
        self._level = level
        self._clock = clock
        self._shared = shared
        self._seal = seal

    @property
    def hashes(self) -> Hashes:
        """What stands for persons' numbers."""
        return self.log.known.hashes

    async def open(self) -> None:
        """Begin to follow the log."""
        await self.log.open()

    async def close(self) -> None:
        """Let go of everything."""
        await self.log.close()
        if self._shared is not None:
            await self._shared.close()

    def position(self) -> Position | None:
        """Return what rows read from now on are to be kept with; None: they are not to be kept."""
        return self.log.position()

    @property
    def asks_shared(self) -> bool:
        """Whether it is worth asking the level that processes share."""
        return self._shared is not None and self._shared.up and self.position() is not None

    def find(self, shelf: CachedLookup, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, Hit]:
        """Return what this process keeps, by key, and whether it is time to read it anew.

        ``wanted``: by key, the numbers of the person for whose view it is. Costs some 2 us a key.
        """
        found = {}
        for key, about in wanted.items():
            hit = self._fresh(shelf, key, about)
            if hit is not None:
                found[key] = hit
                (_REFRESHED if hit[1] else _FRESH).inc()
        _MISSED.inc(len(wanted) - len(found))
        return found

    def serves(self, shelf: CachedLookup, key: str, about: tuple[str, ...]) -> bool:
        """Say whether what this process keeps may be served for the view of these numbers too."""
        return self._fresh(shelf, key, about) is not None

    def _fresh(self, shelf: CachedLookup, key: str, about: tuple[str, ...]) -> Hit | None:
        entry = self._held(shelf, key, about)
        age = None if entry is None else self._age(entry)
        fresh, longest = (
            shelf.freshness.fresh,
            max(shelf.freshness.fresh, shelf.freshness.revalidated),
        )
        if entry is None or age is None or age > longest or longest <= 0:
            return None
        due = age > fresh or fresh <= 0
        if not entry.shared:
            self._share(shelf, key, entry, age)
        return entry, due

    async def get_shared(self, sought: Sequence[SharedRead]) -> list[Hit | None]:
        """As ``find``, of what processes share: one question to Redis for all of ``sought``.

        What is found is kept in the process as well. Waits for twice ``redis.timeout`` at most.
        """
        assert self._shared is not None
        keys = [self._key(shelf, key) for shelf, key, _ in sought]
        values = await self._shared.get(keys)
        position = self.position()
        if position is None:
            return [None] * len(sought)
        for one, key, value in zip(sought, keys, values, strict=True):
            if value is not None:
                self._take(one, key, value, position)
        found = [
            None if value is None else self._fresh(*one)
            for one, value in zip(sought, values, strict=True)
        ]
        _SHARED.inc(sum(one is not None for one in found))
        return found

    def older(self, shelf: CachedLookup, key: str, about: tuple[str, ...]) -> Answer | None:
        """Return rows that may stand in for a source that fails, as STALE; None for none."""
        if shelf.freshness.if_error <= 0:
            return None
        entry = self._held(shelf, key, about)
        age = None if entry is None else self._age(entry)
        if entry is None or age is None or age > shelf.freshness.if_error:
            return None
        _STALE.inc()
        answer, was = entry.answer, entry.answer.report
        report = shelf.reports(
            shelf.record,
            State.STALE,
            as_of=was.as_of,
            fetched_at=was.fetched_at,
            from_cache=True,
            evidence=was.evidence,
        )
        return Answer(report, answer.rows, answer.unreadable, answer.truncated)

    def keep(self, shelf: CachedLookup, answers: Mapping[str, Answer], position: Position) -> None:
        """Keep what was read, by key; ``position``: from before its statement began.

        What is known by now to be out of date is not kept. Costs some 5 us a key, and as much a
        row of 40 values.
        """
        now = self.position()
        if shelf.freshness.longest <= 0 or now is None:
            return
        reports: dict[int, SourceReport] = {}  # most answers of a statement share one
        for key, answer in answers.items():
            was, rows = answer.report, answer.rows
            if rows is None or was.fetched_at is None:
                continue
            report = reports.get(id(was))
            if report is None:
                report = reports[id(was)] = replace(was, from_cache=True)
            kept = Answer(report, rows, answer.unreadable, answer.truncated)
            mentions = numbers_in(shelf.record, rows)
            entry = CacheEntry(
                kept, position, was.fetched_at.timestamp(), mentions, weight_of(rows)
            )
            if now == position or self.holds(shelf, key, (), entry, now):
                self._level.keep(shelf.place(key), entry)
        BYTES.set(self._level.weight)

    def _share(self, shelf: CachedLookup, key: str, entry: CacheEntry, age: float) -> None:
        """Hand on to other processes what was asked for a second time: most rows never are.

        Sealing costs as much as reading did: some 15 us for a row of 40 values.
        """
        entry.shared = True
        if self._shared is not None and self._seal is not None and self._shared.up:
            place = self._key(shelf, key)
            left = shelf.freshness.longest - max(age, 0.0)
            self._shared.put(place, self._seal.close(place, entry), left)

    def _held(self, shelf: CachedLookup, key: str, about: tuple[str, ...]) -> CacheEntry | None:
        """Return what is kept, unless something that is known concerns it."""
        place = shelf.place(key)
        entry = self._level.get(place)
        now = None if entry is None else self.position()
        if entry is None or now is None:
            return None
        if self.holds(shelf, key, about, entry, now):
            return entry
        if shelf.about(key, ()):
            self._level.drop(place)
        return None  # what hangs on something may hold for another person

    def holds(
        self,
        shelf: CachedLookup,
        key: str,
        about: tuple[str, ...],
        entry: CacheEntry,
        now: Position,
    ) -> bool:
        """Say whether nothing that is known at ``now`` concerns what is in ``entry``."""
        return entry.holds(shelf.record, self.log.known, shelf.about(key, about), now)

    def _take(self, sought: SharedRead, place: str, value: bytes, now: Position) -> None:
        """Keep what stood in Redis, if it is what it should be and newer than what is there."""
        assert self._seal is not None
        shelf, key, about = sought
        try:
            entry = self._seal.open(place, value, now.epoch, shelf.record, shelf.reports)
        except EntryRejected as rejected:
            REJECTED.labels(str(rejected)).inc()
            return
        if not self.holds(shelf, key, about, entry, now):
            REJECTED.labels("invalidated").inc()
            return
        there = self._level.get(shelf.place(key))
        if there is None or there.read_at < entry.read_at:
            self._level.keep(shelf.place(key), entry)
            BYTES.set(self._level.weight)

    def _age(self, entry: CacheEntry) -> float | None:
        """Return the age of an entry in seconds; None where a clock must be wrong."""
        age = self._clock.now().timestamp() - entry.read_at
        return age if age >= -_SKEW else None

    def _key(self, shelf: CachedLookup, key: str) -> str:
        """Return a key in Redis: those of one person's lists stand in one slot of a cluster."""
        hashed = self.hashes.of(key)
        return f"justice-gateway:rows:{{{hashed}}}:{shelf.namespace}:{shelf.lookup.name}"


def namespace_of(database: Database, *words: object) -> str:
    """Return what tells rows of one source from those of another: 16 hex digits of a hash.

    ``words``: where it is, and how its records are mapped. Rows read from another server, or before
    a column was declared, are not this source's.
    """
    declared = [
        (
            record.name,
            record.fetch_limit,
            record.date,
            record.identity,
            record.lookups,
            *_columns(record),
        )
        for record in database.records
    ]
    return hashlib.sha256(repr((database.name, declared, words)).encode()).hexdigest()[:16]


def _columns(record: Record) -> list[object]:
    return [
        (one.name, one.required, one.field.kind, one.field.many, _codes(one))
        for one in record.columns
    ]


def _codes(column: Column) -> list[str]:
    found = column.field.enumeration
    return [] if found is None else list(found.__members__)
