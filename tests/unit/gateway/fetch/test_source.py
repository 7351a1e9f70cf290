"""A source: retry, breaker, maintenance, and failures of single keys and callers.

Covers ``gateway.fetch.coverage``, ``gateway.fetch.calls``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from connectors.backends.base import NOBODY, Asker, Batch, Rows
from connectors.backends.memory import MemoryBackend
from connectors.description import Lookup, Record, Text
from connectors.population import DATABASE
from gateway.answer import Answer, State
from gateway.catalogue.read import Read
from gateway.fetch.breaker import PING_EVERY, BreakerState
from gateway.fetch.maintenance import Maintenance, Window
from gateway.fetch.source import Source
from gateway.runtime.clock import Clock, SystemClock
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, backends
from tests.support.running import TestClock

IDENTITY = DATABASE.by_name["identity"]
LOOKUP = IDENTITY.lookups[0]


def _source(
    fault: str | None = None,
    clock: Clock | None = None,
    maintenance: Maintenance | None = None,
    **settings: Any,
) -> tuple[Source, Faulty]:
    backend = Faulty(backends()["population"], fault)
    database_settings = DatabaseSettings.model_validate({"timeout": 20, **settings})
    return Source(
        DATABASE, backend, database_settings, clock or SystemClock(), maintenance
    ), backend


async def _ask(source: Source, *keys: str, remaining: float = 20) -> list[Answer]:
    return await source.fetch(Read(IDENTITY, LOOKUP), keys or (HOA,), remaining)


async def _state(source: Source, remaining: float = 20) -> State:
    (answer,) = await _ask(source, remaining=remaining)
    return answer.report.state


async def _open(source: Source) -> None:
    while source.breaker.state is BreakerState.CLOSED:
        assert await _state(source) is State.UNAVAILABLE


async def _settled(source: Source) -> None:
    """Let pings that are under way end."""
    other_tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*other_tasks)


async def test_what_is_not_answered_once_is_asked_once_more() -> None:
    source, backend = _source("once")
    assert await _state(source) is State.ANSWERED
    assert len(backend.fetched) == 2


async def test_what_the_second_try_mends_is_no_failure() -> None:
    source, backend = _source()
    for _ in range(30):
        backend.fault = "once"
        assert await _state(source) is State.ANSWERED
    assert source.breaker.state is BreakerState.CLOSED


async def test_what_is_not_answered_twice_is_unknown() -> None:
    source, backend = _source("down")
    assert await _state(source) is State.UNAVAILABLE
    assert len(backend.fetched) == 2


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("refuses", State.UNAVAILABLE),
        ("spoilt", State.UNAVAILABLE),
        ("maintenance", State.MAINTENANCE),
        ("unmapped", State.NOT_OPERATING),
        ("defect", State.UNAVAILABLE),
    ],
)
async def test_a_source_that_says_no_is_not_asked_twice_and_is_not_down(
    fault: str, state: State
) -> None:
    source, backend = _source(fault)
    assert [await _state(source) for _ in range(30)] == [state] * 30
    assert len(backend.fetched) == 30
    assert source.breaker.state is BreakerState.CLOSED


async def test_answers_that_say_the_same_are_the_same() -> None:
    """One report for all that was read whole, and one answer for all keys without rows."""
    source, _ = _source()
    answers = await _ask(source, HOA, "0" * 12, LAN, "1" * 12)
    assert [bool(answer.rows) for answer in answers] == [True, False, True, False]
    assert answers[1] is answers[3]
    assert len({answer.report for answer in answers}) == 1


async def test_what_was_not_read_whole_is_told_apart_from_what_was() -> None:
    source = Source(DATABASE, _InParts(), DatabaseSettings(timeout=20), SystemClock())
    told = [
        (answer.report.state.name, answer.rows, answer.unreadable, answer.truncated)
        for answer in await _ask(source, *"abcde")
    ]
    assert told == [
        ("ANSWERED", (), 0, False),
        ("PARTIAL", (), 1, False),
        ("ANSWERED", (), 0, True),
        ("UNAVAILABLE", None, 0, False),
        ("UNAVAILABLE", None, 0, False),
    ]


class _InParts(MemoryBackend):
    """Reads one key whole, two in part, and two not at all."""

    def __init__(self) -> None:
        super().__init__(DATABASE, {"identity": []})

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        by_key = {"a": Rows(), "b": Rows(unreadable=1), "c": Rows(truncated=True)}
        return Batch(by_key, failed={"d": "it makes no sense"})


async def test_a_source_that_keeps_failing_is_asked_no_more_and_nothing_is_said_to_be_none() -> (
    None
):
    source, backend = _source("down")
    await _open(source)
    before = len(backend.fetched)
    (answer,) = await _ask(source)
    assert (answer.report.state, answer.rows) == (State.UNAVAILABLE, None)
    assert answer.report.fetched_at is None
    assert len(backend.fetched) == before


async def test_a_source_that_came_back_is_asked_again_after_a_ping() -> None:
    clock = TestClock()
    source, backend = _source("down", clock)
    await _open(source)
    clock.advance(PING_EVERY)
    assert await _state(source) is State.UNAVAILABLE
    await _settled(source)
    assert (backend.pings, source.breaker.state) == (1, BreakerState.OPEN)
    backend.fault = None
    clock.advance(PING_EVERY)
    assert await _state(source) is State.UNAVAILABLE
    await _settled(source)
    assert [await _state(source) for _ in range(3)] == [State.ANSWERED] * 3
    assert source.breaker.state is BreakerState.CLOSED


async def test_while_it_is_away_one_ping_at_a_time_is_all_that_it_gets() -> None:
    clock = TestClock()
    source, backend = _source("down", clock)
    await _open(source)
    before = len(backend.fetched)
    clock.advance(PING_EVERY)
    await asyncio.gather(*(_state(source) for _ in range(50)))
    await _settled(source)
    assert (backend.pings, len(backend.fetched)) == (1, before)


async def test_slow_answers_open_it_too_but_not_the_impatience_of_callers() -> None:
    source, _ = _source("hangs", timeout=0.02)
    for _ in range(8):
        assert await _state(source, remaining=0.001) is State.TIMED_OUT
    after = [source.breaker.state]
    for _ in range(5):
        assert await _state(source) is State.TIMED_OUT
    after.append(source.breaker.state)
    assert after == [BreakerState.CLOSED, BreakerState.OPEN]


async def test_the_short_deadline_of_one_caller_does_not_end_the_call_of_another() -> None:
    backend = _Slow()
    source = Source(DATABASE, backend, DatabaseSettings(timeout=120), SystemClock())
    patient = asyncio.create_task(_state(source))
    assert await _state(source, remaining=0.01) is State.TIMED_OUT
    backend.go.set()
    assert await patient is State.ANSWERED


async def test_a_caller_who_leaves_leaves_no_call_in_flight() -> None:
    source, backend = _source("hangs", calls_in_flight=1)
    cancelled_task = asyncio.create_task(_state(source))
    for _ in range(5):  # turns of the loop
        await asyncio.sleep(0)
    assert backend.fetched
    cancelled_task.cancel()
    await asyncio.gather(cancelled_task, return_exceptions=True)
    backend.fault = None
    assert await _state(source) is State.ANSWERED
    assert source.breaker.state is BreakerState.CLOSED


async def test_a_key_that_fails_costs_only_itself() -> None:
    source = Source(DATABASE, _OneFails(), DatabaseSettings(timeout=120), SystemClock())
    hoa, lan = await _ask(source, HOA, LAN)
    assert (hoa.report.state, hoa.rows) == (State.UNAVAILABLE, None)
    assert (lan.report.state, lan.rows) == (State.ANSWERED, ())


async def test_within_planned_maintenance_nothing_is_asked_and_the_end_is_told(
    tmp_path: Path,
) -> None:
    clock = TestClock()
    maintenance = Maintenance(tmp_path / "windows", clock)
    source, backend = _source(clock=clock, maintenance=maintenance)
    begins = clock.now() + timedelta(minutes=10)
    maintenance.plan(Window("population", begins, begins + timedelta(hours=1)))
    assert await _state(source) is State.ANSWERED
    clock.advance(601)
    (answer,) = await _ask(source)
    assert (answer.report.state, answer.rows) == (State.MAINTENANCE, None)
    assert answer.report.message == Text(
        "Cơ sở dữ liệu đang bảo trì đến 11:10 ngày 23/11/2026.",
        "The database is under maintenance until 2026-11-23T11:10+07:00.",
    )
    assert (await source.live()).state is State.MAINTENANCE
    clock.advance(3600)
    assert await _state(source) is State.ANSWERED
    assert len(backend.fetched) == 2


async def test_the_breaker_and_what_failed_show_in_metrics() -> None:
    def metric(name: str, **labels: str) -> float:
        value = REGISTRY.get_sample_value(name, {"database": "population", **labels})
        return value or 0.0

    source, _ = _source("down")
    assert metric("justice_gateway_circuit_breaker", state="CLOSED") == 1
    failures = metric("justice_gateway_source_failures_total", state="UNAVAILABLE")
    calls = metric("justice_gateway_source_seconds_count")
    await _open(source)
    assert metric("justice_gateway_circuit_breaker", state="OPEN") == 1
    assert metric("justice_gateway_circuit_breaker", state="CLOSED") == 0
    assert metric("justice_gateway_source_failures_total", state="UNAVAILABLE") > failures
    assert metric("justice_gateway_source_seconds_count") == calls + 10
    assert metric("justice_gateway_source_calls_in_flight") == 0


class _Slow(MemoryBackend):
    """Answers when told to go on."""

    def __init__(self) -> None:
        super().__init__(DATABASE, {"identity": []})
        self.go = asyncio.Event()

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        await self.go.wait()
        return await super().fetch(record, lookup, keys, asker)


class _OneFails(MemoryBackend):
    """Has no answer for the first key."""

    def __init__(self) -> None:
        super().__init__(DATABASE, {"identity": []})

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        return Batch({key: Rows() for key in keys[1:]}, failed={keys[0]: "it makes no sense"})


async def test_a_source_that_is_closed_leaves_no_task_behind() -> None:
    source, _ = _source("hangs")
    read = Read(IDENTITY, LOOKUP)
    delivered: list[object] = []
    for key in (HOA, "001090000002"):
        source.ask(read, [key], 20, NOBODY, lambda _, answers: delivered.append(answers))
    live = asyncio.ensure_future(source.live())
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) > 2, "beside this one and that of ``live``, it reads"
    await source.close()
    await asyncio.gather(live, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert delivered == [None, None]
