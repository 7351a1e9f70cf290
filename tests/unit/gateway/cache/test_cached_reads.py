"""Reads of a request with a cache: what it may serve, and for how long.

Covers ``gateway.fetch.sharing``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.backends.base import NOBODY, Asker, Backend, Batch, Capabilities, Scope
from connectors.backends.memory import MemoryBackend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Lookup, Record
from connectors.population import DATABASE
from connectors.security_measures import DATABASE as SECURITY
from gateway.answer import Answer, State
from gateway.cache.invalidations import Invalidation
from gateway.cache.rows import Cache
from gateway.catalogue.read import Read
from gateway.fetch.reads import Reads, SubjectNumbers
from gateway.fetch.sharing import SHARE_ALL, Sharing
from gateway.fetch.source import Source
from gateway.settings import DatabaseSettings
from tests.support.caches import process_cache
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, civil_status_rows, population_rows
from tests.support.people import NOBODY as UNKNOWN
from tests.support.running import TestClock

IDENTITY = DATABASE.by_name["identity"]
LOOKUP = IDENTITY.lookups[0]


class Site:
    """A source with a cache, and a clock that stands still."""

    def __init__(self, folder: Path, backend: Backend | None = None, **settings: object) -> None:
        self.clock = TestClock()
        self.cache = process_cache(folder, self.clock)
        inner = MemoryBackend(DATABASE, population_rows())
        self.backend: Backend = Faulty(inner) if backend is None else backend
        database_settings = DatabaseSettings.model_validate({"timeout": 20, **settings})
        self.source = Source(
            DATABASE,
            self.backend,
            database_settings,
            self.clock,
            deadline=30,
            cache=self.cache,
        )

    def reads(self, sharing: Sharing = SHARE_ALL) -> Reads:
        deadline = self.clock.monotonic() + 30
        return Reads({DATABASE.name: self.source}, self.clock, deadline, NOBODY, sharing)

    async def ask(
        self, key: str = HOA, fresh: bool = False, sharing: Sharing = SHARE_ALL
    ) -> Answer:
        return await _answer(self.reads(sharing), Read(IDENTITY, LOOKUP, fresh), key)

    @property
    def fetched(self) -> int:
        assert isinstance(self.backend, Faulty)
        return len(self.backend.fetched)


async def _answer(
    reads: Reads, read: Read, key: str, subject_numbers: SubjectNumbers = ()
) -> Answer:
    reads.column(read).ask((key,), subject_numbers)
    try:
        while await reads.arrive():
            pass
    finally:
        reads.close()
    return reads.column(read).answers[key]


async def _others_end() -> None:
    await asyncio.sleep(0)  # calls begin at the next turn
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


async def test_rows_are_read_once_as_long_as_they_are_fresh(tmp_path: Path) -> None:
    site = Site(tmp_path, fresh=60)
    first = await site.ask()
    site.clock.advance(59)
    second = await site.ask()
    assert second.rows == first.rows
    assert (first.report.from_cache, second.report.from_cache) == (False, True)
    assert second.report.fetched_at == first.report.fetched_at
    assert second.report.state is State.ANSWERED
    site.clock.advance(2)
    assert not (await site.ask()).report.from_cache
    assert site.fetched == 2


async def test_that_there_is_nothing_is_kept_too(tmp_path: Path) -> None:
    site = Site(tmp_path, fresh=60)
    for _ in range(3):
        assert (await site.ask(UNKNOWN)).rows == ()
    assert site.fetched == 1


async def test_by_default_nothing_is_kept(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for _ in range(2):
        assert not (await site.ask()).report.from_cache
    assert site.fetched == 2


async def test_rows_are_read_anew_behind_the_back_of_who_gets_the_older_ones(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, fresh=10, stale_while_revalidate=60)
    await site.ask()
    site.clock.advance(30)
    assert (await site.ask()).report.from_cache
    await _others_end()
    assert site.fetched == 2
    result = await site.ask()
    assert result.report.fetched_at == site.clock.now()
    assert site.fetched == 2


async def test_a_failure_is_not_kept_and_older_rows_stand_in_within_their_bound(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, fresh=10, stale_if_error=60)
    await site.ask()
    assert isinstance(site.backend, Faulty)
    site.backend.fault = "down"
    site.clock.advance(30)
    stale = await site.ask()
    assert (stale.report.state, stale.report.from_cache) == (State.STALE, True)
    assert stale.rows
    site.clock.advance(31)
    assert (await site.ask()).rows is None
    site.backend.fault = None
    assert (await site.ask()).report.state is State.ANSWERED


async def test_no_older_rows_stand_in_for_maintenance_or_for_another_person(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, stale_if_error=60)
    await site.ask(HOA)
    assert isinstance(site.backend, Faulty)
    site.backend.fault = "maintenance"
    assert (await site.ask(HOA)).report.state is State.MAINTENANCE
    site.backend.fault = "down"
    assert (await site.ask(LAN)).report.state is State.UNAVAILABLE
    assert (await site.ask(HOA)).report.state is State.STALE


@pytest.mark.parametrize("how", ["an argument", "the purpose"])
async def test_facts_that_decide_are_read_past_the_cache_and_never_stale(
    tmp_path: Path, how: str
) -> None:
    site = Site(tmp_path, fresh=60, stale_if_error=600)
    await site.ask()
    fresh = how == "an argument"
    sharing = SHARE_ALL if fresh else Sharing(["population.identity"])
    assert not (await site.ask(fresh=fresh, sharing=sharing)).report.from_cache
    assert isinstance(site.backend, Faulty)
    site.backend.fault = "down"
    answer = await site.ask(fresh=fresh, sharing=sharing)
    assert (answer.report.state, answer.rows) == (State.UNAVAILABLE, None)
    assert (await site.ask()).rows


async def test_who_reads_apart_leaves_no_trace_for_anybody(tmp_path: Path) -> None:
    """Reports say when rows were read: a read that is to stay hidden would show there."""
    site = Site(tmp_path, fresh=60, stale_if_error=600)
    isolated = Sharing(all_fresh=True, isolated=True)
    await site.ask(sharing=isolated)
    site.clock.advance(5)
    result = await site.ask()
    assert (result.report.from_cache, result.report.fetched_at) == (False, site.clock.now())
    site.clock.advance(5)
    assert not (await site.ask(sharing=isolated)).report.from_cache
    assert (await site.ask()).report.fetched_at == result.report.fetched_at, "nor is it replaced"


async def test_nobody_is_put_into_one_statement_with_who_reads_apart(tmp_path: Path) -> None:
    backend = ControlledBackend()
    site = Site(tmp_path, backend, fresh=60)
    tasks = [asyncio.create_task(site.ask(sharing=Sharing(all_fresh=True, isolated=True)))]
    await backend.started.wait()
    tasks.append(asyncio.create_task(site.ask()))
    backend.go.set()
    await asyncio.gather(*tasks)
    assert backend.calls == 2


async def test_an_invalidation_drops_the_stale_copies_too(tmp_path: Path) -> None:
    site = Site(tmp_path, fresh=60, stale_if_error=600)
    await site.ask()
    await site.cache.log.invalidate([Invalidation(HOA)])
    assert isinstance(site.backend, Faulty)
    site.backend.fault = "down"
    assert (await site.ask()).rows is None


async def test_while_the_log_cannot_be_asked_nothing_cached_is_served_or_kept(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, fresh=60, stale_if_error=600)
    (tmp_path / "invalidations.jsonl").mkdir()
    for _ in range(2):
        assert not (await site.ask()).report.from_cache
    (tmp_path / "invalidations.jsonl").rmdir()
    site.clock.advance(1)
    assert not (await site.ask()).report.from_cache
    assert (await site.ask()).report.from_cache


async def test_rows_that_were_being_read_when_they_were_invalidated_are_not_kept(
    tmp_path: Path,
) -> None:
    backend = ControlledBackend()
    site = Site(tmp_path, backend, fresh=60)
    task = asyncio.create_task(site.ask())
    await backend.started.wait()
    await site.cache.log.invalidate([Invalidation(HOA)])
    backend.go.set()
    assert not (await task).report.from_cache
    assert not (await site.ask()).report.from_cache


async def test_who_may_be_answered_from_the_cache_joins_who_reads_already(tmp_path: Path) -> None:
    backend = ControlledBackend()
    site = Site(tmp_path, backend, fresh=60)
    tasks = [asyncio.create_task(site.ask()) for _ in range(20)]
    await backend.started.wait()
    tasks += [asyncio.create_task(site.ask()) for _ in range(20)]
    await asyncio.sleep(0)
    backend.go.set()
    assert len({id(answer.rows) for answer in await asyncio.gather(*tasks)}) == 1
    assert backend.calls == 1


@pytest.mark.parametrize("why", ["invalidated", "past the cache", "not kept", "lags"])
async def test_nobody_joins_a_read_that_is_too_old_for_them(tmp_path: Path, why: str) -> None:
    backend = ControlledBackend()
    site = Site(tmp_path, backend, fresh=0 if why == "not kept" else 60, stale_if_error=60)
    first = asyncio.create_task(site.ask())
    await backend.started.wait()
    if why == "invalidated":
        await site.cache.log.invalidate([Invalidation(HOA)])
    if why == "lags":
        site.cache.lag.bound({DATABASE.name: 5.0})
        site.clock.advance(5.1)
    second = asyncio.create_task(site.ask(fresh=why == "past the cache"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    backend.go.set()
    await asyncio.gather(first, second)
    assert backend.calls == 2


async def test_where_messages_name_the_caller_nothing_is_kept(tmp_path: Path) -> None:
    backend = ControlledBackend(Scope.CALLER)
    backend.go.set()
    site = Site(tmp_path, backend, fresh=60, stale_if_error=60)
    for _ in range(2):
        assert not (await site.ask()).report.from_cache
    assert backend.calls == 2


async def test_a_request_that_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    backend = ControlledBackend()
    site = Site(tmp_path, backend, fresh=60)
    cancelled_task = asyncio.create_task(site.ask())
    await backend.started.wait()
    cancelled_task.cancel()
    await asyncio.gather(cancelled_task, return_exceptions=True)
    backend.go.set()
    await _others_end()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (await site.ask()).rows  # what it had asked for was read whole, and kept
    assert backend.calls == 1


async def test_what_hangs_on_a_record_is_dropped_for_the_person_it_is_reached_through(
    tmp_path: Path,
) -> None:
    """A collateral names nobody: whose it is, is known by who is asked about."""
    clock = TestClock()
    cache = process_cache(tmp_path, clock)
    record = SECURITY.by_name["collateral"]
    lookup = next(lookup for lookup in record.lookups if lookup.on is not None)
    read = Read(record, lookup)
    rows = {"collateral": [{"collateral_id": "C1", "registration_no": "R1"}]}
    settings = DatabaseSettings(timeout=120, fresh=60)
    source = Source(SECURITY, MemoryBackend(SECURITY, rows), settings, clock, cache=cache)

    def reads() -> Reads:
        return Reads({SECURITY.name: source}, clock, clock.monotonic() + 30, NOBODY)

    async def cached(subject_numbers: SubjectNumbers) -> bool:
        answer = await _answer(reads(), read, "R1", subject_numbers)
        return answer.report.from_cache

    assert [await cached((HOA,)), await cached((LAN,)), await cached(())] == [False, True, True]
    await cache.log.invalidate([Invalidation(LAN)])
    assert await cached((HOA,))
    shared_reads = reads()
    shared_reads.column(read).ask(("R1",), (HOA,))
    await shared_reads.arrive()
    assert shared_reads.column(read).answers["R1"].report.from_cache
    shared_reads.column(read).ask(("R1",), (LAN,))
    while await shared_reads.arrive():
        pass
    shared_reads.close()
    assert not shared_reads.column(read).answers["R1"].report.from_cache
    await cache.log.invalidate([Invalidation("001099999999", "security_measures")])
    assert not await cached(())


async def test_the_spouses_copy_of_a_marriage_is_dropped_with_the_others(tmp_path: Path) -> None:
    clock = TestClock()
    cache = process_cache(tmp_path, clock)
    record = CIVIL_STATUS.by_name["marriages"]
    read = Read(record, record.lookups[0])
    backend = MemoryBackend(CIVIL_STATUS, civil_status_rows())
    settings = DatabaseSettings(timeout=120, fresh=60)
    source = Source(CIVIL_STATUS, backend, settings, clock, cache=cache)

    async def cached(key: str) -> bool:
        reads = Reads({CIVIL_STATUS.name: source}, clock, clock.monotonic() + 30, NOBODY)
        return (await _answer(reads, read, key)).report.from_cache

    assert [await cached(HOA), await cached(HOA)] == [False, True]
    await cache.log.invalidate([Invalidation(LAN)])
    assert not await cached(HOA)


async def test_what_is_kept_has_a_bound_and_what_was_not_used_longest_goes(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, fresh=60)
    site.cache = process_cache(tmp_path, site.clock, capacity=3_500)
    site.source.cache = site.cache
    for key in (HOA, LAN, HOA, UNKNOWN):
        await site.ask(key)
    assert (await site.ask(HOA)).report.from_cache
    assert not (await site.ask(LAN)).report.from_cache


class ControlledBackend(MemoryBackend):
    """Answers when it is let go."""

    def __init__(self, scope: Scope = Scope.PROCESS) -> None:
        super().__init__(DATABASE, population_rows())
        self.capabilities = Capabilities(scope, scope)
        self.started, self.go = asyncio.Event(), asyncio.Event()
        self.calls = 0

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.calls += 1
        self.started.set()
        result = await super().fetch(record, lookup, keys, asker)
        await self.go.wait()
        return result


async def test_rows_that_lag_are_read_anew_and_served_again_once_changes_are_known(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, fresh=300)
    site.cache.lag.bound({DATABASE.name: 5.0})
    await site.ask()
    site.clock.advance(5)
    await site.ask()
    assert site.fetched == 1
    now = site.clock.now().timestamp()
    site.cache.lag.note({DATABASE.name: now}, now)
    site.clock.advance(5)
    await site.ask()
    assert site.fetched == 1
    site.clock.advance(1)
    await site.ask()
    assert site.fetched == 2


async def test_changes_that_are_known_again_let_older_rows_be_served(tmp_path: Path) -> None:
    site = Site(tmp_path, fresh=300)
    site.cache.lag.bound({DATABASE.name: 5.0})
    await site.ask()
    site.clock.advance(60)
    now = site.clock.now().timestamp()
    site.cache.lag.note({DATABASE.name: now}, now)
    answer = await site.ask()
    assert (site.fetched, answer.report.from_cache) == (1, True)


class MixedUp(MemoryBackend):
    """Answers LAN with the row of HOA, which changes once it was read alone."""

    cache: Cache

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        batch = await super().fetch(record, lookup, [HOA], asker)
        if tuple(keys) == (HOA,):
            await self.cache.log.invalidate([Invalidation(HOA, DATABASE.name)])
            return batch
        return replace(batch, by_key=dict.fromkeys(keys, batch.by_key[HOA]))


async def test_rows_read_by_halves_are_as_old_as_the_first_half(tmp_path: Path) -> None:
    backend = MixedUp(DATABASE, population_rows())
    site = Site(tmp_path, backend, fresh=300)
    backend.cache = site.cache
    first, _ = await site.source.fetch(Read(IDENTITY, LOOKUP), [HOA, LAN], 10)
    assert first.report.state is State.ANSWERED
    answer = await site.ask(HOA)
    assert not answer.report.from_cache
