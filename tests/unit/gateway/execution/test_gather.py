"""Gathering: who waits for whom, and who does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from gateway.execution.gather import MOST_KEYS, MOST_REQUESTS, Gatherer, Waiting
from gateway.execution.operation import OperationRequest


class Program:
    """Notes the batches that it runs; each lasts until ``go`` is set."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.go = asyncio.Event()
        self.fault: Exception | None = None

    async def run(self, batch: Sequence[Waiting]) -> None:
        self.batches.append([cast("str", waiting.request) for waiting in batch])
        self.begun.put_nowait(None)
        await self.go.wait()
        if self.fault is not None:
            raise self.fault
        for waiting in batch:
            if not waiting.result.done():
                waiting.result.set_result(cast("Any", waiting.request))


@pytest.fixture
async def gatherer() -> AsyncIterator[Gatherer]:
    """Return a gatherer whose batches end with the test."""
    gatherer = Gatherer()
    yield gatherer
    await gatherer.close()


def _send(
    gatherer: Gatherer, program: Program, *names: str, keys: int = 1
) -> list[asyncio.Task[Any]]:
    def waiting(name: str) -> Waiting:
        result = asyncio.get_running_loop().create_future()
        return Waiting(cast("OperationRequest", name), (), keys, result)

    return [
        asyncio.create_task(gatherer.execute(program, waiting(name), program.run)) for name in names
    ]


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_comes_in_the_same_turn_goes_together(gatherer: Gatherer) -> None:
    program = Program()
    program.go.set()
    tasks = _send(gatherer, program, "a", "b", "c")
    assert await asyncio.gather(*tasks) == ["a", "b", "c"]
    assert program.batches == [["a", "b", "c"]]


async def test_who_is_alone_waits_for_nobody(gatherer: Gatherer) -> None:
    program = Program()
    tasks = _send(gatherer, program, "a")
    await _turns()
    assert program.batches == [["a"]]
    program.go.set()
    await asyncio.gather(*tasks)


async def test_what_comes_meanwhile_is_collected_and_goes_when_the_batch_has_ended(
    gatherer: Gatherer,
) -> None:
    program = Program()
    tasks = _send(gatherer, program, "a")
    await _turns()
    tasks += _send(gatherer, program, "b")
    await _turns()
    tasks += _send(gatherer, program, "c")
    program.go.set()
    assert await asyncio.gather(*tasks) == ["a", "b", "c"]
    assert program.batches == [["a"], ["b", "c"]]


async def test_beside_a_batch_that_is_late_another_one_starts(gatherer: Gatherer) -> None:
    program = Program()
    tasks = _send(gatherer, program, "a")
    await _turns()
    tasks += _send(gatherer, program, "b")
    await program.begun.get()
    await program.begun.get()
    assert program.batches == [["a"], ["b"]]
    program.go.set()
    assert await asyncio.gather(*tasks) == ["a", "b"]


async def test_programs_do_not_wait_for_each_other(gatherer: Gatherer) -> None:
    first, second = Program(), Program()
    tasks = _send(gatherer, first, "a")
    await _turns()
    second.go.set()
    assert await asyncio.gather(*_send(gatherer, second, "b")) == ["b"]
    first.go.set()
    await asyncio.gather(*tasks)


async def test_a_batch_has_a_bound_in_requests_and_in_keys(gatherer: Gatherer) -> None:
    program = Program()
    program.go.set()
    await asyncio.gather(*_send(gatherer, program, *map(str, range(MOST_REQUESTS + 1))))
    assert [len(batch) for batch in program.batches] == [MOST_REQUESTS, 1]
    program.batches.clear()
    await asyncio.gather(*_send(gatherer, program, "a", "b", "c", keys=MOST_KEYS // 2))
    assert program.batches == [["a", "b"], ["c"]]


async def test_a_request_that_names_more_than_a_batch_holds_goes_alone(
    gatherer: Gatherer,
) -> None:
    program = Program()
    program.go.set()
    await asyncio.gather(*_send(gatherer, program, "a", "b", keys=MOST_KEYS + 1))
    assert program.batches == [["a"], ["b"]]


async def test_who_has_gone_away_is_not_executed(gatherer: Gatherer) -> None:
    program = Program()
    tasks = _send(gatherer, program, "a")
    await _turns()
    tasks += _send(gatherer, program, "b", "c")
    await _turns()
    tasks[1].cancel()
    await _turns()
    program.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [results[0], results[2]] == ["a", "c"]
    assert program.batches == [["a"], ["c"]]


async def test_a_batch_that_fails_fails_for_its_requests_and_the_next_one_runs(
    gatherer: Gatherer,
) -> None:
    program = Program()
    program.go.set()
    program.fault = ValueError("a defect")
    results = await asyncio.gather(*_send(gatherer, program, "a", "b"), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    program.fault = None
    assert await asyncio.gather(*_send(gatherer, program, "c")) == ["c"]


async def test_closing_ends_what_is_under_way_and_nobody_waits_for_ever() -> None:
    gatherer, program = Gatherer(), Program()
    tasks = _send(gatherer, program, "a")
    await _turns()
    await gatherer.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError]
