"""Tasks end when they are told to, whatever swallows their cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from gateway.runtime.tasks import end_tasks


class Renewals:
    """Renews something again and again, with a library that swallows some cancellations."""

    def __init__(self, swallows: int) -> None:
        self.cancellations, self._swallows = 0, swallows
        self.begun, self.cancelled = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        while True:
            self.begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancellations += 1
                self.cancelled.set()
                if self.cancellations > self._swallows:
                    raise


async def test_a_task_ends_although_a_library_swallows_its_cancellation() -> None:
    renewals = Renewals(swallows=2)
    task = asyncio.create_task(renewals.run())
    await renewals.begun.wait()
    async with asyncio.timeout(20):
        await end_tasks(task, patience=0.01)
    assert (task.cancelled(), renewals.cancellations) == (True, 3)


async def test_what_a_task_raises_is_of_no_concern_to_whoever_ends_it() -> None:
    async def fail() -> None:
        raise OSError

    failed, waiting = asyncio.create_task(fail()), asyncio.create_task(asyncio.Event().wait())
    await asyncio.wait([failed])
    await end_tasks(failed, waiting)
    assert waiting.cancelled()


async def test_whoever_is_cancelled_while_tasks_end_waits_for_them_first() -> None:
    renewals = Renewals(swallows=1)
    task = asyncio.create_task(renewals.run())
    await renewals.begun.wait()
    ending = asyncio.create_task(end_tasks(task, patience=60))
    await renewals.cancelled.wait()
    ending.cancel()
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(20):
            await ending
    assert task.cancelled()
    with pytest.raises(asyncio.CancelledError):
        ending.result()
