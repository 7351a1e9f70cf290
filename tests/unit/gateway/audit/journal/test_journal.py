"""The journal: an entry is on disk before its answer leaves."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import orjson
import pytest

from gateway.audit.journal.journal import Journal
from tests.support.faulty_disk import Disk, hold, numbers, refuses
from tests.support.journals import CHAIN, SIGN, checked, entries, open_journal, segments


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_an_entry_is_in_the_file_when_append_returns(folder: Path, disk: Disk) -> None:
    async with open_journal(folder) as journal:
        await journal.append({"number": 1})
        assert entries(folder) == [{"number": 1}]
        assert disk.synced == 1
        await journal.append({"number": 2})
        assert entries(folder) == [{"number": 1}, {"number": 2}]
        assert disk.synced == 2
        assert journal.on_disk == 2


async def test_nothing_is_answered_between_writing_and_syncing(folder: Path, disk: Disk) -> None:
    """The entry counts only once it has reached the disk, not the kernel's memory."""
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        assert go_on.wait(10)

    async with open_journal(folder, timeout=20) as journal:
        disk.sync_fault = wait
        waiting = asyncio.create_task(journal.append({"number": 1}))
        assert await asyncio.to_thread(reached.wait, 10)
        assert entries(folder), "it is written"
        assert not waiting.done(), "but not synced"
        go_on.set()
        await waiting


async def test_entries_that_wait_at_the_same_time_share_a_sync(folder: Path, disk: Disk) -> None:
    async with open_journal(folder) as journal:
        await asyncio.gather(*(journal.append({"number": number}) for number in range(500)))
        assert numbers(folder) == list(range(500)), "all, in order"
        assert disk.synced < 50


async def test_entries_that_come_while_others_are_written_are_not_forgotten(
    folder: Path, disk: Disk
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        hold(go_on)

    disk.sync_fault = wait
    async with open_journal(folder, timeout=20) as journal:
        first = asyncio.create_task(journal.append({"number": 0}))
        assert await asyncio.to_thread(reached.wait, 10)
        later = [asyncio.create_task(journal.append({"number": n})) for n in range(1, 20)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, *later)
        assert numbers(folder) == list(range(20))
        assert disk.synced == 2


async def test_entries_of_one_turn_of_the_loop_are_one_write(folder: Path, disk: Disk) -> None:
    async with open_journal(folder) as journal:
        for turn in range(1, 4):
            await asyncio.gather(*(journal.append({"number": n}) for n in range(100)))
            assert (len(disk.written), disk.synced) == (turn, turn)


async def test_a_journal_that_is_not_open_refuses(folder: Path) -> None:
    journal = Journal(folder, CHAIN, SIGN)
    assert not await journal.check()
    assert await refuses(journal, {"number": 1})
    journal.open()
    assert await journal.check()
    await journal.close()
    assert not await journal.check()
    assert await refuses(journal, {"number": 2})


async def test_a_caller_that_goes_away_takes_nobodys_entry_along(folder: Path, disk: Disk) -> None:
    go_on = threading.Event()
    disk.sync_fault = lambda: hold(go_on)
    async with open_journal(folder, timeout=20) as journal:
        waiting = [asyncio.create_task(journal.append({"number": n})) for n in range(10)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        waiting[5].cancel()
        await asyncio.sleep(0)
        go_on.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if outcome is not None] == [0, 5]
    assert numbers(folder) == list(range(10)), "an entry too many does no harm"


async def test_closing_writes_what_is_waiting(folder: Path) -> None:
    journal = Journal(folder, CHAIN, SIGN)
    journal.open()
    waiting = [asyncio.create_task(journal.append({"number": n})) for n in range(50)]
    await asyncio.sleep(0)
    await journal.close()
    assert numbers(folder) == list(range(50))
    await asyncio.gather(*waiting)


async def test_closing_twice_or_unopened_does_no_harm(folder: Path) -> None:
    journal = Journal(folder, CHAIN, SIGN)
    await journal.close()
    journal.open()
    await journal.close()
    await journal.close()


async def test_an_entry_is_one_line_whatever_is_in_it(folder: Path) -> None:
    entry = {"caseNumber": 'a\nb\r\n"}\u2028', "persons": ["x"], 'mac"': "}", "nothing": None}
    async with open_journal(folder) as journal:
        await journal.append(entry)
        await journal.append({})
        await journal.append({"made": orjson.Fragment(b'{"before":1}')})
    assert len(segments(folder)[0].read_bytes().splitlines()) == 4
    assert entries(folder) == [entry, {}, {"made": {"before": 1}}]
    assert checked(folder).fault is None
