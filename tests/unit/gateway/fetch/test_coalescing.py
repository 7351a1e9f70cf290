"""Reads of several requests in one call: who may share it, and failures that stay separate."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.backends.base import NOBODY, Asker, Batch, Capabilities, Scope
from connectors.backends.memory import MemoryBackend
from connectors.description import Lookup, Record
from connectors.population import DATABASE
from gateway.answer import Answer, State
from gateway.catalogue.read import Read
from gateway.fetch.coalescing import Batches, ReadWaiter
from gateway.fetch.joint_calls import JointCalls
from gateway.fetch.reads import Reads
from gateway.fetch.source import Source
from gateway.runtime.clock import Clock, SystemClock
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN, population_rows
from tests.support.running import TestClock

IDENTITY = DATABASE.by_name["identity"]
LOOKUP = IDENTITY.lookups[0]
READ = Read(IDENTITY, LOOKUP)
CLOCK = SystemClock()


@dataclass
class ControlledBackend(MemoryBackend):
    """Notes what is asked together, by whom, and answers when it is let go."""

    scope: Scope = Scope.PROCESS
    fetched: list[tuple[tuple[str, ...], Asker]] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        MemoryBackend.__init__(self, DATABASE, population_rows())
        self.capabilities = Capabilities(self.scope, self.scope)

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.fetched.append((tuple(keys), asker))
        await self.go.wait()
        return await super().fetch(record, lookup, keys, asker)


def _source(backend: ControlledBackend, calls: int = 4) -> Source:
    settings = DatabaseSettings(timeout=120, calls_in_flight=calls)
    return Source(DATABASE, backend, settings, CLOCK)


def _request(source: Source, asker: Asker = NOBODY, seconds: float = 20) -> Reads:
    return Reads({DATABASE.name: source}, CLOCK, CLOCK.monotonic() + seconds, asker)


async def _ask(reads: Reads, *keys: str) -> list[State]:
    reads.column(READ).ask(keys)
    try:
        while await reads.arrive():
            pass
    finally:
        reads.close()
    return [reads.column(READ).answers[key].report.state for key in keys]


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_while_a_call_is_in_flight_the_others_are_collected_into_one() -> None:
    backend = ControlledBackend()
    source = _source(backend)
    tasks = [asyncio.create_task(_ask(_request(source), HOA))]
    await _turns()
    tasks += [asyncio.create_task(_ask(_request(source), key)) for key in (LAN, HOA, "1")]
    await _turns()
    assert [keys for keys, _ in backend.fetched] == [(HOA,)]
    backend.go.set()
    assert await asyncio.gather(*tasks) == [[State.ANSWERED]] * 4
    assert [keys for keys, _ in backend.fetched] == [(HOA,), (LAN, HOA, "1")]


async def test_with_room_nobody_waits_for_company() -> None:
    backend = ControlledBackend()
    source = _source(backend, calls=8)
    tasks = []
    for key in (HOA, LAN):
        tasks.append(asyncio.create_task(_ask(_request(source), key)))
        await _turns()
    assert [keys for keys, _ in backend.fetched] == [(HOA,), (LAN,)]
    backend.go.set()
    await asyncio.gather(*tasks)


async def test_where_messages_name_who_asks_keys_of_two_never_come_together() -> None:
    backend = ControlledBackend(scope=Scope.CALLER)
    source = _source(backend)
    askers = [Asker("desk", f"officer-{number}") for number in range(5)]
    tasks = [asyncio.create_task(_ask(_request(source, asker), HOA)) for asker in askers]
    await _turns()
    backend.go.set()
    assert await asyncio.gather(*tasks) == [[State.ANSWERED]] * 5
    assert backend.fetched == [((HOA,), asker) for asker in askers]


async def test_a_waiter_leaves_at_its_own_deadline_and_the_others_are_answered() -> None:
    backend = ControlledBackend()
    source = _source(backend)
    first = asyncio.create_task(_ask(_request(source), HOA))
    await _turns()
    patient = asyncio.create_task(_ask(_request(source), LAN))
    hasty = asyncio.create_task(_ask(_request(source, seconds=0.05), LAN))
    assert await hasty == [State.TIMED_OUT]
    backend.go.set()
    assert list(await asyncio.gather(first, patient)) == [[State.ANSWERED]] * 2
    assert [keys for keys, _ in backend.fetched] == [(HOA,), (LAN,)]


async def test_a_waiter_that_is_cancelled_hurts_no_other_and_leaves_nothing_behind() -> None:
    backend = ControlledBackend()
    source = _source(backend)
    first = asyncio.create_task(_ask(_request(source), HOA))
    await _turns()
    cancelled_task = asyncio.create_task(_ask(_request(source), LAN))
    staying = asyncio.create_task(_ask(_request(source), LAN))
    await _turns()
    for read in (first, cancelled_task):
        read.cancel()
    await asyncio.gather(first, cancelled_task, return_exceptions=True)
    backend.go.set()
    assert await staying == [State.ANSWERED]
    await _turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_nobody_waits_for_any_more_is_not_asked() -> None:
    backend = ControlledBackend()
    source = _source(backend)
    first = asyncio.create_task(_ask(_request(source), HOA))
    await _turns()
    cancelled_task = asyncio.create_task(_ask(_request(source), LAN))
    await _turns()
    cancelled_task.cancel()
    await asyncio.gather(cancelled_task, return_exceptions=True)
    backend.go.set()
    assert await first == [State.ANSWERED]
    await _turns()
    assert [keys for keys, _ in backend.fetched] == [(HOA,)]


# ---- shares


async def _never(*_: object) -> list[list[Answer] | None]:
    raise AssertionError("there is one lookup")


@dataclass
class ControlledCalls:
    """Takes calls, and ends them when told."""

    calls: list[list[str]] = field(default_factory=list)
    ends: list[asyncio.Future[None]] = field(default_factory=list)
    lefts: list[float] = field(default_factory=list)
    answers: dict[str, str | None] = field(default_factory=dict)

    async def ask(self, _: Read, keys: Sequence[str], remaining: float) -> list[Answer]:
        end = asyncio.get_running_loop().create_future()
        self.calls.append(list(keys))
        self.lefts.append(remaining)
        self.ends.append(end)
        await end
        report = _source(ControlledBackend()).report(IDENTITY, State.ANSWERED)
        return [Answer(report, ((key,),)) for key in keys]

    def batches(self, clock: Clock, parallel_calls: int, most_keys: int) -> Batches:
        calls = JointCalls(self.ask, _never, None, clock, math.inf, asyncio.create_task)
        return Batches(READ, calls.schedule, clock, parallel_calls, most_keys)

    def waiter(self, *keys: str, client: str = "a", seconds: float = 20) -> ReadWaiter:
        def deliver(waiter: ReadWaiter, answers: Sequence[Answer] | None) -> None:
            for place, key in enumerate(waiter.keys):
                rows = answers[place].rows if answers is not None else None
                self.answers[key] = None if rows is None else str(rows[0][0])

        return ReadWaiter(keys, CLOCK.monotonic() + seconds, client, deliver)


async def test_each_client_has_its_share_of_a_call() -> None:
    controlled = ControlledCalls()
    batches = controlled.batches(CLOCK, parallel_calls=1, most_keys=4)
    batches.add(controlled.waiter("first"))
    await _turns()
    for number in range(6):
        batches.add(controlled.waiter(f"a{number}"))
    batches.add(controlled.waiter("b0", client="b"))
    await _turns()
    controlled.ends[0].set_result(None)
    await _turns()
    assert controlled.calls[1] == ["a0", "b0", "a1", "a2"]
    controlled.ends[1].set_result(None)
    await _turns()
    assert controlled.calls[2] == ["a3", "a4", "a5"]
    controlled.ends[2].set_result(None)
    await _turns()
    assert {key: value for key, value in controlled.answers.items() if key != value} == {}
    assert len(controlled.answers) == 8


async def test_one_who_asks_for_more_than_a_call_takes_goes_alone() -> None:
    controlled = ControlledCalls()
    batches = controlled.batches(CLOCK, parallel_calls=1, most_keys=2)
    batches.add(controlled.waiter("first"))
    await _turns()
    batches.add(controlled.waiter("x", "y", "z"))
    batches.add(controlled.waiter("w", client="b"))
    for number in range(3):
        await _turns()
        controlled.ends[number].set_result(None)
    await _turns()
    assert controlled.calls == [["first"], ["x", "y", "z"], ["w"]]


async def test_a_call_lives_as_long_as_the_latest_of_its_waiters_has() -> None:
    controlled = ControlledCalls()
    batches = controlled.batches(CLOCK, parallel_calls=1, most_keys=9)
    batches.add(controlled.waiter("first", seconds=1))
    await _turns()
    batches.add(controlled.waiter("hasty", seconds=2))
    batches.add(controlled.waiter("patient", seconds=60))
    await _turns()
    controlled.ends[0].set_result(None)
    await _turns()
    assert controlled.lefts[0] <= 1
    assert 50 < controlled.lefts[1] <= 60
    controlled.ends[1].set_result(None)
    await _turns()


async def test_of_a_quick_lookup_one_call_is_in_flight_but_for_one_that_is_late() -> None:
    controlled, clock = ControlledCalls(), TestClock()
    batches = controlled.batches(clock, parallel_calls=3, most_keys=9)

    async def answered(number: int) -> None:
        controlled.ends[number].set_result(None)
        await _turns()

    batches.add(controlled.waiter("first"))
    await _turns()
    clock.advance(0.001)
    await answered(0)
    batches.add(controlled.waiter("a"))
    await _turns()
    batches.add(controlled.waiter("b"))
    batches.add(controlled.waiter("c"))
    await _turns()
    assert controlled.calls == [["first"], ["a"]]
    clock.advance(0.03)
    batches.add(controlled.waiter("d"))
    await _turns()
    assert controlled.calls == [["first"], ["a"], ["b", "c", "d"]], "the second is late"
    await answered(1)
    await answered(2)
    assert set(controlled.answers) == {"first", "a", "b", "c", "d"}


async def test_what_comes_in_one_turn_is_one_call() -> None:
    controlled = ControlledCalls()
    batches = controlled.batches(TestClock(), parallel_calls=1, most_keys=3)
    for key in ("a", "b", "a", "c"):
        batches.add(controlled.waiter(key))
    await _turns()
    assert controlled.calls == [["a", "b"]], "of three keys at most, one of which is there twice"
    controlled.ends[0].set_result(None)
    await _turns()
    controlled.ends[1].set_result(None)
    await _turns()
    assert controlled.calls == [["a", "b"], ["c"]]
    assert set(controlled.answers) == {"a", "b", "c"}


async def test_who_waits_for_a_quick_call_that_is_late_goes_though_nobody_else_comes() -> None:
    controlled, clock = ControlledCalls(), TestClock()
    batches = controlled.batches(clock, parallel_calls=2, most_keys=9)
    batches.add(controlled.waiter("first"))
    await _turns()
    controlled.ends[0].set_result(None)
    await _turns()
    batches.add(controlled.waiter("stuck"))
    await _turns()
    batches.add(controlled.waiter("behind"))
    await _turns()
    assert controlled.calls == [["first"], ["stuck"]]
    clock.advance(1)
    async with asyncio.timeout(20):
        while len(controlled.calls) < 3:  # noqa: ASYNC110 - a timer sends it, and tells nobody
            await asyncio.sleep(0.001)  # between two looks, not instead of one
    assert controlled.calls[2] == ["behind"]
    for end in controlled.ends[1:]:
        end.set_result(None)
    await _turns()
    assert set(controlled.answers) == {"first", "stuck", "behind"}


async def test_of_a_slow_lookup_several_calls_are_in_flight() -> None:
    controlled, clock = ControlledCalls(), TestClock()
    batches = controlled.batches(clock, parallel_calls=3, most_keys=9)
    batches.add(controlled.waiter("first"))
    await _turns()
    clock.advance(0.1)
    controlled.ends[0].set_result(None)
    await _turns()
    for key in "abcd":
        batches.add(controlled.waiter(key))
        await _turns()
    assert controlled.calls == [["first"], ["a"], ["b"], ["c"]]
    for end in controlled.ends[1:]:
        end.set_result(None)
    await _turns()
    controlled.ends[4].set_result(None)
    await _turns()
    assert controlled.calls[4] == ["d"]
    assert set(controlled.answers) == {"first", "a", "b", "c", "d"}


async def test_after_a_defect_those_of_that_call_know_nothing_and_the_next_are_asked() -> None:
    controlled = ControlledCalls()
    batches = controlled.batches(CLOCK, parallel_calls=1, most_keys=9)
    batches.add(controlled.waiter("x"))
    await _turns()
    batches.add(controlled.waiter("y"))
    await _turns()
    controlled.ends[0].set_exception(RuntimeError("a defect"))
    await _turns()
    assert controlled.answers == {"x": None}
    controlled.ends[1].set_result(None)
    await _turns()
    assert controlled.answers == {"x": None, "y": "y"}
