"""Whoever waits for entries is woken by one reader, by what it sees and by its failure."""

from __future__ import annotations

import asyncio

import pytest

from gateway.changes.log import EventLogUnavailable
from gateway.changes.positions import LogPosition
from gateway.changes.tail import LogTail

#: Written down: the workers of a parallel run must name tests alike.
EPOCH, OTHER_EPOCH = "6d350032ba7b6711", "01a52dd1e88171a8"


class Engine:
    """The end of a log, which a test moves; ``failure``: of the next look."""

    def __init__(self) -> None:
        self.end = LogPosition(EPOCH, 5)
        self.failure: Exception | None = None
        self.looks = 0
        self.moved = asyncio.Event()

    async def look(self, end: LogPosition | None, seconds: float) -> LogPosition:
        self.looks += 1
        if self.failure is None and end == self.end:
            self.moved.clear()
            await self.moved.wait()
        if self.failure is not None:
            raise self.failure
        return self.end

    def move(self, sequence: int, epoch: str = EPOCH) -> None:
        self.end = LogPosition(epoch, sequence)
        self.moved.set()


async def started(tail: LogTail, sequence: int, many: int = 1) -> asyncio.Future[list[None]]:
    """Return waits that have begun."""
    after = str(LogPosition(EPOCH, sequence))
    waits = asyncio.gather(*(tail.wait(after, 60) for _ in range(many)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waits.done()
    return waits


async def test_a_thousand_who_wait_cost_one_look() -> None:
    engine = Engine()
    tail = LogTail(engine.look)
    waits = await started(tail, 5, many=1000)
    looks = engine.looks
    engine.move(6)
    await waits
    assert engine.looks <= looks + 1 == 3
    await tail.close()


@pytest.mark.parametrize(("sequence", "epoch"), [(3, EPOCH), (5, OTHER_EPOCH)])
async def test_a_log_that_went_back_or_began_anew_wakes(sequence: int, epoch: str) -> None:
    engine = Engine()
    tail = LogTail(engine.look)
    waits = await started(tail, 5)
    engine.move(sequence, epoch)
    await waits
    await tail.close()


async def test_who_is_behind_does_not_wait() -> None:
    engine = Engine()
    tail = LogTail(engine.look)
    waits = await started(tail, 5)
    await tail.wait(str(LogPosition(EPOCH, 4)), 60)
    waits.cancel()
    await tail.close()


@pytest.mark.parametrize("failure", [EventLogUnavailable("down"), ZeroDivisionError()], ids=repr)
async def test_a_failure_reaches_whoever_waits_and_the_next_wait_looks_again(
    failure: Exception,
) -> None:
    engine = Engine()
    tail = LogTail(engine.look)
    waits = await started(tail, 5)
    engine.failure = failure
    engine.moved.set()
    with pytest.raises(EventLogUnavailable):
        await waits
    engine.failure = None
    await tail.wait(str(LogPosition(EPOCH, 4)), 60)
    await tail.close()


async def test_closing_leaves_nobody_waiting() -> None:
    tail = LogTail(Engine().look)
    waits = await started(tail, 5)
    await tail.close()
    with pytest.raises(EventLogUnavailable):
        await waits
    assert asyncio.all_tasks() == {asyncio.current_task()}
