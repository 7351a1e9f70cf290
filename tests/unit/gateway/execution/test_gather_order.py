"""Gathering, whatever the order of events: every request gets exactly what is its own.

Arrivals, callers that go away, batches that end, fail or are late, and the end of the process come
in generated orders. Covers ``gateway.execution.gather``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.execution.gather import MOST_KEYS, MOST_REQUESTS, Gatherer, Waiting
from gateway.execution.operation import OperationRequest

PROGRAMS = ("first", "second")
#: Ways in which a batch ends: all get their results, nobody does, or only the first half.
ENDS = ("answers", "fails", "fails half way", "forgets")

EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("send"), st.sampled_from(PROGRAMS), st.sampled_from((1, 2, 200, 400, 600))
        ),
        st.tuples(st.just("flood"), st.sampled_from(PROGRAMS), st.integers(1, MOST_REQUESTS + 6)),
        st.tuples(st.just("go away"), st.integers(0, 200), st.just(0)),
        st.tuples(st.just("end"), st.sampled_from(ENDS), st.integers(0, 5)),
        st.tuples(st.just("be late"), st.just(""), st.just(0)),
        st.tuples(st.just("step"), st.just(""), st.integers(1, 3)),
        st.tuples(st.just("turn"), st.just(""), st.just(0)),
    ),
    max_size=40,
)


class ManualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes when the test says so; ``timers``: all that were set."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        """Return the time of the test."""
        return self.now

    def call_at(  # type: ignore[override]
        self, when: float, *arguments: Any, **options: Any
    ) -> asyncio.TimerHandle:
        """Set a timer, and note it."""
        timer = super().call_at(when, *arguments, **options)
        self.timers.append(timer)
        return timer


@dataclass(eq=False)
class RunningBatch:
    """A batch under way. ``end``: how it is to end; set by the test."""

    program: str
    members: Sequence[Waiting]
    end: asyncio.Future[str]


@dataclass(eq=False)
class Sent:
    """A request that was sent. ``number``: of all; its result must be ``result_of(number)``."""

    program: str
    number: int
    keys: int
    task: asyncio.Task[Any]
    has_left: bool = False


def result_of(number: int) -> str:
    return f"the result of {number}"


def number_of(waiting: Waiting) -> int:
    return cast("int", waiting.request)


@dataclass
class Play:
    """A gatherer and what happens to it."""

    gatherer: Gatherer = field(default_factory=Gatherer)
    sent: list[Sent] = field(default_factory=list)
    batches: list[RunningBatch] = field(default_factory=list)
    under_way: list[RunningBatch] = field(default_factory=list)

    def send(self, program: str, keys: int) -> None:
        loop, number = asyncio.get_running_loop(), len(self.sent)
        waiting = Waiting(cast("OperationRequest", number), (), keys, loop.create_future())
        run = self.runner(program)
        task = loop.create_task(self.gatherer.execute(program, waiting, run))
        self.sent.append(Sent(program, number, keys, task))

    def runner(self, program: str) -> Callable[[Sequence[Waiting]], Awaitable[None]]:
        async def run(members: Sequence[Waiting]) -> None:
            batch = RunningBatch(program, members, asyncio.get_running_loop().create_future())
            self.batches.append(batch)
            self.under_way.append(batch)
            try:
                end = await batch.end
            finally:
                self.under_way.remove(batch)
            reached = len(members) // 2 if end == "fails half way" else len(members)
            for waiting in members[: reached if end.startswith(("answers", "fails half")) else 0]:
                if not waiting.result.done():
                    waiting.result.set_result(cast("Any", result_of(number_of(waiting))))
            if end.startswith("fails"):
                raise ValueError(str(self.batches.index(batch)))

        return run

    async def settle(self) -> None:
        """Let everything run that can."""
        for _ in range(8):
            await asyncio.sleep(0)

    def check_nobody_waits_for_another_program(self) -> None:
        for program in PROGRAMS:
            waits = any(
                not sent.task.done() and not sent.has_left
                for sent in self.sent
                if sent.program == program
            )
            runs = any(batch.program == program for batch in self.under_way)
            assert runs or not waits, f"nothing runs for {program}"

    async def play(self, events: Sequence[tuple[str, Any, int]]) -> None:
        loop = cast("ManualLoop", asyncio.get_running_loop())
        for event, what, number in events:
            match event:
                case "send":
                    self.send(what, number)
                case "flood":
                    for _ in range(number):
                        self.send(what, 1)
                case "go away":
                    self.leave(what)
                case "end":
                    waiting = [batch for batch in self.under_way if not batch.end.done()]
                    if waiting:
                        waiting[number % len(waiting)].end.set_result(what)
                case "be late":
                    loop.now += 0.03
                case "step":
                    for _ in range(number):
                        await asyncio.sleep(0)
                case _:
                    await self.settle()
                    self.check_nobody_waits_for_another_program()

    def leave(self, index: int) -> None:
        if self.sent:
            sent = self.sent[index % len(self.sent)]
            if not sent.task.done():
                sent.has_left = True
                sent.task.cancel()

    async def end_everything(self) -> None:
        while True:
            await self.settle()
            for batch in self.under_way:
                if not batch.end.done():
                    batch.end.set_result("answers")
            if not self.under_way and all(sent.task.done() for sent in self.sent):
                return

    def check_results(self) -> None:
        batch_of: dict[int, int] = {}
        for index, batch in enumerate(self.batches):
            for waiting in batch.members:
                assert number_of(waiting) not in batch_of, "executed twice"
                batch_of[number_of(waiting)] = index
        for sent in self.sent:
            if sent.task.cancelled():
                assert sent.has_left, f"{sent.number} is cancelled, and nobody cancelled it"
                continue
            error = sent.task.exception()
            if error is None:
                assert sent.task.result() == result_of(sent.number)
            elif isinstance(error, ValueError):
                assert str(error) == str(batch_of[sent.number]), "another batch's failure"
            else:
                assert isinstance(error, RuntimeError)

    def check_bounds_and_order(self) -> None:
        for batch in self.batches:
            keys = [waiting.keys for waiting in batch.members]
            assert 1 <= len(keys) <= MOST_REQUESTS
            assert sum(keys) <= MOST_KEYS or len(keys) == 1
        for program in PROGRAMS:
            order = [
                number_of(waiting)
                for batch in self.batches
                if batch.program == program
                for waiting in batch.members
            ]
            assert order == sorted(order), "somebody was overtaken"
            assert {self.sent[number].program for number in order} <= {program}


def _run(events: Sequence[tuple[str, Any, int]], work: Callable[[Play], Awaitable[None]]) -> None:
    async def play() -> None:
        game = Play()
        await game.play(events)
        await work(game)
        await game.settle()
        for sent in game.sent:  # what failed before the end was looked at by nobody
            if not sent.task.cancelled():
                sent.task.exception()
        left = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
        assert left == set(), "tasks are left"
        loop = cast("ManualLoop", asyncio.get_running_loop())
        pending = [timer for timer in loop.timers if not timer.cancelled()]
        assert [timer for timer in pending if timer.when() > loop.now] == [], "timers are left"

    with asyncio.Runner(loop_factory=ManualLoop) as runner:
        runner.run(play())


@settings(max_examples=150, deadline=None)
@given(EVENTS)
def test_every_request_gets_its_own_result_whatever_the_order_of_events(
    events: list[tuple[str, Any, int]],
) -> None:
    async def end(game: Play) -> None:
        await game.end_everything()
        game.check_results()
        game.check_bounds_and_order()

    _run(events, end)


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_closing_ends_everything_whatever_has_happened(events: list[tuple[str, Any, int]]) -> None:
    async def close(game: Play) -> None:
        batches = len(game.batches)
        await game.gatherer.close()
        assert len(game.batches) == batches, "batches begin after the end"
        game.send("first", 1)
        await game.settle()
        assert all(sent.task.done() for sent in game.sent)
        assert len(game.batches) == batches
        assert game.under_way == []

    _run(events, close)


def test_a_batch_ends_when_nobody_waits_for_it_any_more() -> None:
    events = [("send", "first", 1), ("send", "first", 1), ("turn", "", 0)]

    async def leave(game: Play) -> None:
        game.leave(0)
        await game.settle()
        assert len(game.under_way) == 1, "somebody still waits"
        game.leave(1)
        await game.settle()
        assert game.under_way == []

    _run(events, leave)


def test_closing_starts_no_batch_of_those_that_wait() -> None:
    events = [("send", "first", 1), ("turn", "", 0), ("send", "first", 1), ("turn", "", 0)]

    async def close(game: Play) -> None:
        await game.gatherer.close()
        await game.settle()
        assert [len(batch.members) for batch in game.batches] == [1]
        assert [sent.task.cancelled() for sent in game.sent] == [True, True]

    _run(events, close)
