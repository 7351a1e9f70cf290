"""Time-outs of entries do not count the time in which the process stood still."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from gateway.audit.journal.pending import LoopClock, PendingEntry
from tests.support.faulty_disk import Disk, hold, numbers, refuses
from tests.support.journals import open_journal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_an_entry_that_got_on_disk_during_a_standstill_is_not_refused(
    folder: Path, disk: Disk
) -> None:
    """The loop wakes when the time is over, and has not seen yet what the disk did meanwhile."""
    go_on = threading.Event()
    disk.sync_fault = lambda: hold(go_on)
    async with open_journal(folder, timeout=0.2) as journal:
        waiting = asyncio.create_task(refuses(journal, {"number": 1}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go_on.set()
        time.sleep(0.5)  # the loop itself stands still: that is the test  # noqa: ASYNC251
        assert not await waiting
        assert await journal.check()
    assert numbers(folder) == [1]


async def test_an_entry_that_the_copy_got_during_a_standstill_is_not_refused(
    folder: Path, disk: Disk
) -> None:
    async with open_journal(folder, timeout=0.2) as journal:
        loop = asyncio.get_running_loop()
        committing = loop.create_future()
        reached: asyncio.Future[None] = loop.create_future()

        def committed(seq: int) -> asyncio.Future[None]:
            committing.set_result(seq)
            return reached

        journal.committed = committed
        waiting = asyncio.create_task(refuses(journal, {"number": 1}))
        assert await committing == 1
        threading.Timer(0.1, loop.call_soon_threadsafe, (reached.set_result, None)).start()
        time.sleep(0.5)  # noqa: ASYNC251  # as above
        assert not await waiting


async def test_an_entry_that_the_copy_never_gets_is_refused(folder: Path, disk: Disk) -> None:
    async with open_journal(folder, timeout=0.05) as journal:
        never: list[asyncio.Future[None]] = []

        def committed(seq: int) -> asyncio.Future[None]:
            never.append(asyncio.get_running_loop().create_future())
            return never[-1]

        journal.committed = committed
        assert await refuses(journal, {"number": 1})
        assert never[0].cancelled(), "and nobody waits for it any more"
        journal.committed = None
        assert not await refuses(journal, {"number": 2})


def _waiting(clock: LoopClock) -> PendingEntry:
    return PendingEntry(b"{}", asyncio.get_running_loop().create_future(), clock.stamp())


async def test_an_entry_waits_for_its_whole_time_and_hardly_longer() -> None:
    clock = LoopClock(2.0)
    clock.start(100.0)
    waiting = _waiting(clock)
    for tick in range(1, 21):
        clock.tick(100.0 + tick / 10)
        assert not clock.is_over(waiting)
    clock.tick(102.11)
    assert clock.is_over(waiting)


async def test_of_a_standstill_two_ticks_count() -> None:
    clock = LoopClock(2.0)
    clock.start(100.0)
    waiting = _waiting(clock)
    clock.tick(160.0)
    for tick in range(1, 19):
        assert not clock.is_over(waiting)
        clock.tick(160.0 + tick / 10)
    clock.tick(162.0)
    assert clock.is_over(waiting)
