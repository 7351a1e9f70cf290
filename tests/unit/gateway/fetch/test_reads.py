"""Reads of a request: each key once, sent together, answered by the deadline.

Covers ``gateway.catalogue.read``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.backends.base import NOBODY, Asker
from connectors.description import Group
from connectors.population import DATABASE
from gateway.answer import Answer, State
from gateway.catalogue.read import Read
from gateway.fetch.reads import Reads
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, backends

IDENTITY = DATABASE.by_name["identity"]
LOOKUP = IDENTITY.lookups[0]
READ = Read(IDENTITY, LOOKUP)
KIND = READ.kind


def _source(fault: str | None = None, **settings: Any) -> tuple[Source, Faulty]:
    backend = Faulty(backends()["population"], fault)
    database_settings = DatabaseSettings.model_validate({"timeout": 20, **settings})
    return Source(DATABASE, backend, database_settings, SystemClock()), backend


def _reads(source: Source, seconds: float = 20) -> Reads:
    clock = SystemClock()
    return Reads({DATABASE.name: source}, clock, clock.monotonic() + seconds, NOBODY)


async def _states(reads: Reads, keys: Sequence[str]) -> list[State]:
    reads.column(READ).ask(keys)
    while await reads.arrive():
        pass
    reads.close()
    return [reads.column(READ).answers[key].report.state for key in keys]


async def test_keys_are_sent_together_and_each_is_asked_for_once() -> None:
    source, backend = _source()
    reads = _reads(source)
    reads.column(READ).ask([HOA])
    reads.column(READ).ask([HOA, LAN, HOA])
    assert await reads.arrive() == [reads.column(READ)]
    reads.column(READ).ask([LAN])
    assert await reads.arrive() == []
    assert backend.fetched == [("identity", "identity", (HOA, LAN))]


async def test_very_many_keys_are_sent_in_pieces() -> None:
    source, backend = _source()
    keys = [f"0010900{number:05d}" for number in range(450)]
    assert await _states(_reads(source), keys) == [State.ANSWERED] * 450
    assert [len(sent_keys) for _, _, sent_keys in backend.fetched] == [200, 200, 50]


async def test_nothing_asked_is_nothing_to_wait_for() -> None:
    source, _ = _source()
    assert await _reads(source).arrive() == []


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("down", State.UNAVAILABLE),
        ("defect", State.UNAVAILABLE),
        ("unmapped", State.NOT_OPERATING),
    ],
)
async def test_a_failing_source_gives_an_answer_all_the_same(fault: str, state: State) -> None:
    source, _ = _source(fault)
    assert await _states(_reads(source), [HOA, LAN]) == [state] * 2


async def test_what_is_not_answered_by_the_deadline_is_unknown() -> None:
    source, _ = _source("hangs")
    assert await _states(_reads(source, seconds=0.05), [HOA]) == [State.TIMED_OUT]


async def test_after_the_deadline_nothing_is_asked_any_more() -> None:
    source, backend = _source()
    assert await _states(_reads(source, seconds=-1), [HOA]) == [State.TIMED_OUT]
    assert backend.fetched == []


async def test_what_comes_after_the_deadline_changes_nothing() -> None:
    source, backend = _source("hangs", timeout=0.2)
    reads = _reads(source, seconds=0.05)
    assert await _states(reads, [HOA]) == [State.TIMED_OUT]
    before = reads.column(READ).answers[HOA]
    other_tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*other_tasks)
    assert reads.column(READ).answers[HOA] is before
    assert len(backend.fetched) == 1


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({"group": Group.PLANNED}, State.NOT_OPERATING),
        ({"maintenance": True}, State.MAINTENANCE),
    ],
)
async def test_what_is_certain_without_asking_is_not_asked(
    settings: dict[str, Any], state: State
) -> None:
    source, backend = _source(**settings)
    assert await _states(_reads(source), [HOA]) == [state]
    assert backend.fetched == []


class BrokenSource(Source):
    """A source with a defect."""

    async def fetch(
        self,
        read: Read,
        keys: Sequence[str],
        seconds_left: float,
        asker: Asker = NOBODY,
        *,
        stores: bool = True,
    ) -> list[Answer]:
        """Raise RuntimeError."""
        raise RuntimeError("a defect")


async def test_a_source_that_raises_after_all_is_unknown() -> None:
    source = BrokenSource(DATABASE, backends()["population"], DatabaseSettings(), SystemClock())
    assert await _states(_reads(source), [HOA, LAN]) == [State.UNAVAILABLE] * 2


async def test_a_slow_source_does_not_hold_up_what_has_come() -> None:
    slow, _ = _source("hangs")
    other = replace(DATABASE, name="other")
    quick, _ = _source()
    clock = SystemClock()
    reads = Reads({DATABASE.name: slow, other.name: quick}, clock, clock.monotonic() + 20, NOBODY)
    read = Read(replace(IDENTITY, database=other.name), LOOKUP)
    reads.column(READ).ask([HOA])
    reads.column(read).ask([HOA])
    assert await reads.arrive() == [reads.column(read)]
    reads.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
