"""The queue for the thread that compiles: its order, and its deadlines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from gateway.errors import GatewayError
from gateway.execution.compile_queue import CompileQueue, Work

LONG = 60.0


class Compiler:
    """A queue whose thread stands still until it is let go."""

    def __init__(self) -> None:
        self.queue = CompileQueue()
        self.compiled: list[str] = []
        self._go = threading.Event()
        self._gate = threading.Event()

    def work(self, name: str) -> Work[str]:
        return Work(self._compile(name), lambda _: None)

    def _compile(self, name: str) -> Callable[[], str]:
        def make() -> str:
            self._gate.set()
            self._go.wait(LONG)
            self.compiled.append(name)
            return name

        return make

    async def blocked(self) -> asyncio.Task[str]:
        """Give the thread a first piece, and return when it is at it."""
        first = self.wait("first", "nobody else")
        await asyncio.to_thread(self._gate.wait, LONG)
        return first

    def wait(
        self, name: str, client: str | None, work: Work[str] | None = None
    ) -> asyncio.Task[str]:
        return asyncio.create_task(self.queue.result(work or self.work(name), client, LONG))

    def go(self) -> None:
        self._go.set()


@pytest.fixture
def compiler() -> Iterator[Compiler]:
    compiler_under_test = Compiler()
    try:
        yield compiler_under_test
    finally:
        compiler_under_test.go()
        compiler_under_test.queue.close()


async def _queued(*tasks: asyncio.Task[str]) -> None:
    """Let ``tasks`` come as far as the queue."""
    for _ in tasks:
        await asyncio.sleep(0)


async def test_clients_take_turns_whoever_sent_more_before(compiler: Compiler) -> None:
    first = await compiler.blocked()
    tasks = [compiler.wait(f"a{number}", "a") for number in range(3)]
    tasks += [compiler.wait(f"b{number}", "b") for number in range(2)]
    await _queued(*tasks)
    compiler.go()
    await asyncio.gather(first, *tasks)
    assert compiler.compiled == ["first", "a0", "b0", "a1", "b1", "a2"]


async def test_the_anonymous_come_when_no_known_client_waits(compiler: Compiler) -> None:
    first = await compiler.blocked()
    tasks = [compiler.wait(f"anonymous{number}", None) for number in range(2)]
    tasks += [compiler.wait("a0", "a"), compiler.wait("a1", "a")]
    await _queued(*tasks)
    compiler.go()
    await asyncio.gather(first, *tasks)
    assert compiler.compiled == ["first", "a0", "a1", "anonymous0", "anonymous1"]


async def test_a_known_client_takes_what_an_anonymous_caller_waits_for_into_its_own_turn(
    compiler: Compiler,
) -> None:
    first = await compiler.blocked()
    shared = compiler.work("shared")
    tasks = [compiler.wait("anonymous", None), compiler.wait("", None, shared)]
    tasks += [compiler.wait("", "a", shared), compiler.wait("a", "a")]
    await _queued(*tasks)
    compiler.go()
    await asyncio.gather(first, *tasks)
    assert compiler.compiled == ["first", "shared", "a", "anonymous"], "and it is done once"


async def test_nobody_waits_beyond_their_deadline(compiler: Compiler) -> None:
    first = await compiler.blocked()
    late = compiler.work("late")
    with pytest.raises(GatewayError) as excinfo:
        await compiler.queue.result(late, "a", 0.0)
    assert (excinfo.value.code.name, excinfo.value.status) == ("GATEWAY_BUSY", 503)
    assert int(excinfo.value.headers["Retry-After"]) >= 1
    compiler.go()
    await first
    assert await compiler.wait("next", "a") == "next"
    assert compiler.compiled == ["first", "next"], "what nobody waits for is not begun"
    assert late.result.cancelled()


async def test_a_late_one_takes_the_work_from_nobody_who_has_time(compiler: Compiler) -> None:
    first = await compiler.blocked()
    shared = compiler.work("shared")
    patient = compiler.wait("", "b", shared)
    await _queued(patient)
    with pytest.raises(GatewayError):
        await compiler.queue.result(shared, "a", 0.0)
    compiler.go()
    assert [await first, await patient] == ["first", "shared"]


async def test_what_all_have_left_is_not_begun(compiler: Compiler) -> None:
    first = await compiler.blocked()
    cancelled_task = compiler.wait("left", "a")
    await _queued(cancelled_task)
    cancelled_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled_task
    compiler.go()
    await first
    await compiler.wait("next", "a")
    assert compiler.compiled == ["first", "next"]
    assert len(compiler.queue) == 0


async def test_a_defect_reaches_who_waits_and_the_next_is_served(compiler: Compiler) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    compiler.go()
    with pytest.raises(ZeroDivisionError):
        await compiler.queue.result(Work(fail, lambda _: None), "a", LONG)
    assert await compiler.wait("next", "a") == "next"
