"""A failing disk: no answer without an entry, and an unbroken chain."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.journal.journal import Journal
from tests.support.faulty_disk import Disk, fail, hold, numbers, refuses
from tests.support.journals import checked, entries, lines, open_journal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_a_disk_that_takes_a_few_bytes_at_a_time_gets_all_of_them(
    folder: Path, disk: Disk
) -> None:
    disk.shortest = 3
    async with open_journal(folder, fill_bytes=100) as journal:
        await journal.append({"name": "Nguyễn Văn Hòa"})
        assert entries(folder) == [{"name": "Nguyễn Văn Hòa"}]
        assert len(disk.written) > 3


async def test_an_entry_that_cannot_be_written_is_refused_until_it_can(
    folder: Path, disk: Disk
) -> None:
    async with open_journal(folder) as journal:
        assert await journal.check()
        disk.fault = fail
        assert await refuses(journal, {"number": 1})
        assert not await journal.check()
        assert not await journal.check(), "it tries again each time"
        disk.fault = lambda: None
        assert await journal.check()
        await journal.append({"number": 2})
    assert numbers(folder) == [2]
    assert checked(folder).fault is None


async def test_an_entry_that_cannot_be_synced_is_refused_and_leaves_the_chain_whole(
    folder: Path, disk: Disk
) -> None:
    async with open_journal(folder) as journal:
        await journal.append({"number": 0})
        disk.sync_fault = fail
        assert await refuses(journal, {"number": 1})
        assert not await journal.check()
        disk.sync_fault = lambda: None
        assert await journal.check()
        await journal.append({"number": 2})
    assert numbers(folder) == [0, 2]
    assert checked(folder).fault is None


async def test_a_probe_takes_the_room_of_a_large_answers_entry(folder: Path, disk: Disk) -> None:
    """Else a disk with a little room left would be called ready, and answers refused."""
    async with open_journal(folder) as journal:
        disk.fault = fail
        assert await refuses(journal, {"number": 1})
        disk.fault = lambda: None
        assert await journal.check()
        (probe,) = lines(folder)[1:]
    assert len(probe["probe"]) >= 4096


async def test_recovery_needs_no_probe(folder: Path, disk: Disk) -> None:
    """Requests go on trying: the first one that can be written is answered."""
    async with open_journal(folder) as journal:
        disk.fault = fail
        assert await refuses(journal, {"number": 1})
        disk.fault = lambda: None
        assert not await refuses(journal, {"number": 2})
        before = lines(folder)
        assert await journal.check()
        assert lines(folder) == before, "a healthy journal is not written to by probes"


async def test_a_line_torn_by_a_full_disk_is_cut_off(folder: Path, disk: Disk) -> None:
    async with open_journal(folder) as journal:
        await journal.append({"number": 0})
        disk.shortest = 5
        disk.fault = lambda: fail() if len(disk.written) > 1 else None
        assert await refuses(journal, {"number": 1})
        disk.shortest, disk.fault = None, lambda: None
        await journal.append({"number": 2})
    assert numbers(folder) == [0, 2]
    assert checked(folder).fault is None


async def test_every_entry_of_a_batch_that_failed_is_refused(folder: Path, disk: Disk) -> None:
    async with open_journal(folder) as journal:
        disk.fault = fail
        outcomes = await asyncio.gather(*(refuses(journal, {"n": n}) for n in range(20)))
        assert all(outcomes)


async def test_a_defect_below_the_file_refuses_as_well(folder: Path, disk: Disk) -> None:
    """Whatever goes wrong: nobody waits for ever, and nobody is answered without a trace."""

    def raise_defect() -> None:
        raise RuntimeError("can't start new thread")

    async with open_journal(folder) as journal:
        disk.fault = raise_defect
        async with asyncio.timeout(10):
            assert await refuses(journal, {"number": 1})
        disk.fault = lambda: None
        assert await journal.check()


async def test_a_disk_that_stands_still_refuses_when_the_time_is_over(
    folder: Path, disk: Disk
) -> None:
    go_on = threading.Event()
    disk.sync_fault = lambda: hold(go_on)
    async with open_journal(folder, timeout=0.05) as journal:
        first = asyncio.create_task(refuses(journal, {"number": 1}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.create_task(refuses(journal, {"number": 2}))
        assert await first
        assert await second, "it waited behind the first"
        assert not await journal.check()
        go_on.set()
        disk.sync_fault = lambda: None
    assert numbers(folder) == [1, 2], "they may be written later: one too many does no harm"
    assert checked(folder).fault is None


async def test_memory_does_not_fill_up_while_the_disk_stands_still(
    folder: Path, disk: Disk
) -> None:
    go_on = threading.Event()
    disk.sync_fault = lambda: hold(go_on)
    async with open_journal(folder, timeout=20, max_waiting=5) as journal:
        first = asyncio.create_task(journal.append({"number": 0}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        later = [asyncio.create_task(refuses(journal, {"number": n})) for n in range(1, 9)]
        await asyncio.sleep(0)
        go_on.set()
        await first
        assert await asyncio.gather(*later) == [False] * 4 + [True] * 4, "five with the first"


async def test_files_may_grow_only_so_far_and_the_gateway_goes_on(folder: Path) -> None:
    """A limit to the size of files, as an operator may set it: the same in a process of its own."""
    program = """
import asyncio, resource, sys
from pathlib import Path
from tests.support.journals import open_journal
from gateway.errors import GatewayError

async def main(folder):
    async with open_journal(folder, timeout=20) as journal:
        await journal.append({"number": 1})
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
        try:
            await journal.append({"number": 2, "filling": "x" * 5_000})
        except GatewayError:
            print("refused")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        await journal.append({"number": 3})

asyncio.run(main(Path(sys.argv[1])))
"""
    completed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[5])},
    )
    assert b"refused\n" in completed.stdout
    assert numbers(folder) == [1, 3]
    assert checked(folder).fault is None


async def test_a_caller_that_goes_away_before_a_failure_leaves_no_stray_error(
    folder: Path, disk: Disk
) -> None:
    strays: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strays.append(context))
    disk.fault = fail
    async with open_journal(folder) as journal:
        waiting = [asyncio.create_task(refuses(journal, {"n": n})) for n in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [outcomes[0], outcomes[2]] == [True, True]
    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert strays == []


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_fails_and_whenever_who_was_answered_stands_in_an_unbroken_journal(
    folder: Path, disk: Disk, seed: int
) -> None:
    rng = random.Random(seed)
    answered: list[int] = []
    number = 0

    def sometimes() -> None:
        if rng.random() < 0.3:
            fail()

    async def ask(journal: Journal, number_of_entry: int) -> None:
        if not await refuses(
            journal, {"number": number_of_entry, "filling": "x" * rng.randrange(200)}
        ):
            answered.append(number_of_entry)

    for _ in range(4):
        async with open_journal(folder, segment_bytes=1_500, checkpoint_entries=9) as journal:
            for _ in range(15):
                disk.fault = rng.choice([lambda: None, sometimes])
                disk.sync_fault = rng.choice([lambda: None, sometimes])
                disk.shortest = rng.choice([None, 50])
                numbers_now = range(number, number + rng.randrange(1, 8))
                await asyncio.gather(*(ask(journal, entry_number) for entry_number in numbers_now))
                number = numbers_now.stop
            disk.fault = disk.sync_fault = lambda: None
    assert numbers(folder) == sorted(answered)
    assert len(answered) > number / 4, "and most of the time somebody was"
    report = checked(folder)
    assert report.fault is None
    assert report.segments > 2
