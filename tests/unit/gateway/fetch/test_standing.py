"""How a database stands: by recent contacts only, and without asking it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.backends.base import Backend, Examination
from connectors.backends.memory import MemoryBackend
from connectors.civil_status import DATABASE
from connectors.description import Group
from gateway.catalogue.read import Read
from gateway.databases.startup_checks import DatabaseWatch
from gateway.fetch.maintenance import Maintenance, Window
from gateway.fetch.source import Source
from gateway.fetch.standing import SourceCondition, describe_standing
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.running import TestClock

SETTINGS = DatabaseSettings(group=Group.OPERATING, timeout=120)
READ = Read(DATABASE.by_name["births"], DATABASE.by_name["births"].lookups[0])


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def maintenance(tmp_path: Path, clock: TestClock) -> Maintenance:
    return Maintenance(tmp_path / "windows.jsonl", clock)


@pytest.fixture
def backend() -> Faulty:
    return Faulty(MemoryBackend(DATABASE, {record.name: () for record in DATABASE.records}))


@pytest_asyncio.fixture
async def source(
    backend: Faulty, clock: TestClock, maintenance: Maintenance
) -> AsyncIterator[Source]:
    opened = Source(DATABASE, backend, SETTINGS, clock, maintenance)
    yield opened
    await opened.close()


def condition(source: Source, clock: TestClock) -> SourceCondition:
    return describe_standing(source, clock.now()).condition


async def ask(source: Source, times: int = 1) -> None:
    for _ in range(times):
        await source.fetch(READ, ["012345678901"], 100)


async def test_a_database_that_was_never_asked_is_not_checked(
    source: Source, clock: TestClock, backend: Faulty
) -> None:
    standing = describe_standing(source, clock.now())
    assert standing.condition is SourceCondition.NOT_CHECKED
    assert standing.checked_at is None
    assert (backend.fetched, backend.pings) == ([], 0)


async def test_an_answer_says_so_for_a_quarter_of_an_hour(source: Source, clock: TestClock) -> None:
    await ask(source)
    asked_at = clock.now()
    assert condition(source, clock) is SourceCondition.ANSWERING
    clock.advance(900)
    assert condition(source, clock) is SourceCondition.ANSWERING
    clock.advance(1)
    standing = describe_standing(source, clock.now())
    assert standing.condition is SourceCondition.NOT_CHECKED
    assert standing.checked_at == asked_at


async def test_failures_are_told_and_told_apart(
    source: Source, clock: TestClock, backend: Faulty
) -> None:
    backend.fault = "down"
    await ask(source)
    assert condition(source, clock) is SourceCondition.FAILING
    backend.fault = None
    await ask(source)
    assert condition(source, clock) is SourceCondition.UNSTEADY
    clock.advance(901)
    await ask(source)
    assert condition(source, clock) is SourceCondition.ANSWERING


async def test_an_open_breaker_is_said_until_it_closes(
    source: Source, clock: TestClock, backend: Faulty
) -> None:
    backend.fault = "down"
    await ask(source, 5)
    assert condition(source, clock) is SourceCondition.SUSPENDED
    backend.fault = None
    source.breaker.note_ping_answered()
    assert condition(source, clock) is SourceCondition.ON_TRIAL


async def test_the_databases_own_word_of_maintenance_counts(
    source: Source, clock: TestClock, backend: Faulty
) -> None:
    backend.fault = "maintenance"
    await ask(source)
    assert condition(source, clock) is SourceCondition.MAINTENANCE


async def test_a_ping_counts_as_a_check(source: Source, clock: TestClock) -> None:
    await source.live()
    assert condition(source, clock) is SourceCondition.ANSWERING


class Examined(Faulty):
    """Answers an examination as a test says."""

    def __init__(self, inner: Backend, examination: Examination) -> None:
        super().__init__(inner)
        self.examination = examination

    async def examine(self, *, thoroughly: bool = False) -> Examination:
        return self.examination


@pytest.mark.parametrize(
    ("examination", "expected"),
    [
        (Examination(), SourceCondition.ANSWERING),
        (Examination(serves=False), SourceCondition.FAILING),
        (Examination(reached=False), SourceCondition.FAILING),
    ],
    ids=["answers", "refuses the gateway", "cannot be reached"],
)
async def test_an_examination_counts_as_a_check(
    clock: TestClock, backend: Faulty, examination: Examination, expected: SourceCondition
) -> None:
    source = Source(DATABASE, Examined(backend.inner, examination), SETTINGS, clock)
    watch = DatabaseWatch(clock)
    watch.watch(source)
    async with asyncio.timeout(20):
        while source.contacts.latest is None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    assert condition(source, clock) is expected
    await watch.close()


async def test_a_window_says_until_when_and_what_is_to_come(
    source: Source, clock: TestClock, maintenance: Maintenance
) -> None:
    now = clock.now()
    later = Window("civil_status", now + timedelta(days=1), now + timedelta(days=2))
    maintenance.plan(later)
    maintenance.plan(Window("civil_status", now, now + timedelta(hours=2)))
    standing = describe_standing(source, now)
    assert standing.condition is SourceCondition.MAINTENANCE
    assert standing.until == now + timedelta(hours=2)
    assert [window.begins for window in standing.planned] == [later.begins]


def test_maintenance_by_settings_has_no_end(clock: TestClock, backend: Faulty) -> None:
    settings = DatabaseSettings(group=Group.OPERATING, maintenance=True)
    standing = describe_standing(Source(DATABASE, backend, settings, clock), clock.now())
    assert (standing.condition, standing.until) == (SourceCondition.MAINTENANCE, None)


@pytest.mark.parametrize("group", [group for group in Group if group is not Group.OPERATING])
def test_what_does_not_operate_is_neither_well_nor_failing(
    clock: TestClock, backend: Faulty, group: Group
) -> None:
    planned = Source(DATABASE, backend, DatabaseSettings(group=group), clock)
    assert condition(planned, clock) is SourceCondition.NOT_OPERATING
    unconnected = Source(DATABASE, None, SETTINGS, clock)
    assert condition(unconnected, clock) is SourceCondition.NOT_OPERATING
