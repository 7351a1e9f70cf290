"""The journal: an entry is on disk before its answer leaves, or there is no answer."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.audit.journal import Journal
from gateway.errors import GatewayError


@asynccontextmanager
async def _open(path: Path) -> AsyncIterator[Journal]:
    journal = Journal(path)
    journal.open()
    try:
        yield journal
    finally:
        await journal.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "audit.jsonl"


def _lines(path: Path) -> list[Any]:
    """Read the file afresh, by a descriptor of our own."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def _refused(journal: Journal, entry: dict[str, object]) -> bool:
    code = None
    try:
        await journal.append(entry)
    except GatewayError as error:
        code = error.code.name
    assert code in {None, "AUDIT_UNAVAILABLE"}
    return code is not None


class Disk:
    """What the journal does to the disk, and faults to plant there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[bytes] = []
        self.synced = 0
        self.fault: Callable[[], None] = lambda: None
        self.sync_fault: Callable[[], None] = lambda: None
        self.shortest: int | None = None
        self._write, self._fsync = os.write, os.fsync
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "fsync", self.fsync)

    def write(self, descriptor: int, content: memoryview) -> int:
        self.fault()
        part = content[: self.shortest]
        self.written.append(bytes(part))
        return self._write(descriptor, part)

    def fsync(self, descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            self.sync_fault()
            self.synced += 1
        self._fsync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def _fail() -> None:
    raise OSError(28, "No space left on device")


async def test_an_entry_is_in_the_file_when_append_returns(path: Path, disk: Disk) -> None:
    async with _open(path) as journal:
        await journal.append({"number": 1})
        assert _lines(path) == [{"number": 1}]
        assert disk.synced == 1
        await journal.append({"number": 2})
        assert _lines(path) == [{"number": 1}, {"number": 2}]
        assert disk.synced == 2


async def test_nothing_is_answered_between_writing_and_syncing(path: Path, disk: Disk) -> None:
    """The entry counts only once it has reached the disk, not the kernel's memory."""
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        assert go_on.wait(10)

    async with _open(path) as journal:
        disk.sync_fault = wait
        waiting = asyncio.create_task(journal.append({"number": 1}))
        assert await asyncio.to_thread(reached.wait, 10)
        assert path.read_bytes(), "it is written"
        assert not waiting.done(), "but not synced"
        go_on.set()
        await waiting


async def test_entries_that_wait_at_the_same_time_share_a_sync(path: Path, disk: Disk) -> None:
    async with _open(path) as journal:
        await asyncio.gather(*(journal.append({"number": number}) for number in range(500)))
        assert [line["number"] for line in _lines(path)] == list(range(500)), "all, in order"
        assert disk.synced < 50


async def test_entries_that_come_while_others_are_written_are_not_forgotten(
    path: Path, disk: Disk
) -> None:
    go_on = threading.Event()
    disk.sync_fault = lambda: _hold(go_on)
    async with _open(path) as journal:
        first = asyncio.create_task(journal.append({"number": 0}))
        await asyncio.sleep(0)
        later = [asyncio.create_task(journal.append({"number": n})) for n in range(1, 20)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, *later)
        assert [line["number"] for line in _lines(path)] == list(range(20))
        assert disk.synced == 2


def _hold(event: threading.Event) -> None:
    assert event.wait(10)


async def test_what_is_there_already_is_kept(path: Path) -> None:
    for number in range(3):
        async with _open(path) as journal:
            await journal.append({"number": number})
    assert [line["number"] for line in _lines(path)] == [0, 1, 2]


async def test_a_line_cut_off_by_a_crash_is_closed_off(path: Path) -> None:
    """The next entry must not hang on to the torn one and be lost with it."""
    path.parent.mkdir()
    path.write_bytes(b'{"number":0}\n{"number":1,"wh')
    async with _open(path) as journal:
        await journal.append({"number": 2})
        await journal.append({"number": 3})
    lines = path.read_bytes().splitlines()
    assert lines[1] == b'{"number":1,"wh', "it is left as evidence"
    assert [orjson.loads(line)["number"] for line in (lines[0], *lines[2:])] == [0, 2, 3]
    assert path.read_bytes().endswith(b"\n")


async def test_a_disk_that_takes_a_few_bytes_at_a_time_gets_all_of_them(
    path: Path, disk: Disk
) -> None:
    disk.shortest = 3
    async with _open(path) as journal:
        await journal.append({"name": "Nguyễn Văn Hòa"})
        assert _lines(path) == [{"name": "Nguyễn Văn Hòa"}]
        assert len(disk.written) > 3


async def test_an_entry_that_cannot_be_written_is_refused_until_it_can(
    path: Path, disk: Disk
) -> None:
    async with _open(path) as journal:
        assert await journal.check()
        disk.fault = _fail
        assert await _refused(journal, {"number": 1})
        assert not await journal.check()
        assert not await journal.check(), "it tries again each time"
        disk.fault = lambda: None
        assert await journal.check()
        await journal.append({"number": 2})
    assert [line for line in _lines(path) if line and "number" in line] == [{"number": 2}]


async def test_an_entry_that_cannot_be_synced_is_refused(path: Path, disk: Disk) -> None:
    async with _open(path) as journal:
        disk.sync_fault = _fail
        assert await _refused(journal, {"number": 1})
        assert not await journal.check()
        disk.sync_fault = lambda: None
        assert await journal.check()


async def test_recovery_needs_no_probe(path: Path, disk: Disk) -> None:
    """Requests go on trying: the first one that can be written is answered."""
    async with _open(path) as journal:
        disk.fault = _fail
        assert await _refused(journal, {"number": 1})
        disk.fault = lambda: None
        assert not await _refused(journal, {"number": 2})
        before = path.read_bytes()
        assert await journal.check()
        assert path.read_bytes() == before, "a healthy journal is not written to by probes"


async def test_a_line_torn_by_a_full_disk_is_closed_off_too(path: Path, disk: Disk) -> None:
    async with _open(path) as journal:
        await journal.append({"number": 0})
        disk.shortest = 5
        disk.fault = lambda: _fail() if len(disk.written) > 1 else None
        assert await _refused(journal, {"number": 1})
        disk.shortest, disk.fault = None, lambda: None
        await journal.append({"number": 2})
    lines = path.read_bytes().splitlines()
    assert [orjson.loads(line)["number"] for line in (lines[0], lines[2])] == [0, 2]
    assert b'{"number":1}'.startswith(lines[1])


async def test_every_entry_of_a_batch_that_failed_is_refused(path: Path, disk: Disk) -> None:
    async with _open(path) as journal:
        disk.fault = _fail
        refused = await asyncio.gather(*(_refused(journal, {"n": n}) for n in range(20)))
        assert all(refused)


async def test_a_defect_below_the_file_refuses_as_well(path: Path, disk: Disk) -> None:
    """Whatever goes wrong: nobody waits for ever, and nobody is answered without a trace."""

    def broken() -> None:
        raise RuntimeError("can't start new thread")

    async with _open(path) as journal:
        disk.fault = broken
        async with asyncio.timeout(10):
            assert await _refused(journal, {"number": 1})
        disk.fault = lambda: None
        assert await journal.check()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
async def test_a_full_device_means_no_answer() -> None:
    """The real thing: no monkey on the system calls."""
    journal = Journal(Path("/dev/full"))
    journal.open()
    assert await _refused(journal, {"number": 1})
    assert not await journal.check()
    await journal.close()


async def test_a_descriptor_that_went_bad_means_no_answer(path: Path) -> None:
    journal = Journal(path)
    journal.open()
    good = journal._descriptor
    assert good is not None
    journal._descriptor = os.open(path, os.O_RDONLY)
    assert await _refused(journal, {"number": 1})
    assert not await journal.check()
    os.close(journal._descriptor)
    journal._descriptor = good
    assert await journal.check()
    await journal.close()


async def test_a_journal_that_is_not_open_refuses(path: Path) -> None:
    journal = Journal(path)
    assert not await journal.check()
    assert await _refused(journal, {"number": 1})
    journal.open()
    assert await journal.check()
    await journal.close()
    assert not await journal.check()
    assert await _refused(journal, {"number": 2})


async def test_a_caller_that_goes_away_takes_nobodys_entry_along(path: Path, disk: Disk) -> None:
    go_on = threading.Event()
    disk.sync_fault = lambda: _hold(go_on)
    async with _open(path) as journal:
        waiting = [asyncio.create_task(journal.append({"number": n})) for n in range(10)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        waiting[5].cancel()
        await asyncio.sleep(0)
        go_on.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [n for n, one in enumerate(outcomes) if one is not None] == [0, 5]
    written = [line["number"] for line in _lines(path)]
    assert written == list(range(10)), "an entry too many does no harm"


async def test_a_caller_that_goes_away_before_a_failure_leaves_no_stray_error(
    path: Path, disk: Disk
) -> None:
    strays: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: strays.append(context))
    disk.fault = _fail
    async with _open(path) as journal:
        waiting = [asyncio.create_task(_refused(journal, {"n": n})) for n in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [outcomes[0], outcomes[2]] == [True, True]
    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert strays == []


async def test_closing_writes_what_is_waiting(path: Path) -> None:
    journal = Journal(path)
    journal.open()
    waiting = [asyncio.create_task(journal.append({"number": n})) for n in range(50)]
    await asyncio.sleep(0)
    await journal.close()
    assert [line["number"] for line in _lines(path)] == list(range(50))
    await asyncio.gather(*waiting)


async def test_closing_twice_or_unopened_does_no_harm(path: Path) -> None:
    journal = Journal(path)
    await journal.close()
    journal.open()
    await journal.close()
    await journal.close()


async def test_the_file_is_its_owners_only(path: Path) -> None:
    async with _open(path):
        assert path.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_cannot_be_opened_is_found_out_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(OSError, match=r"audit\.jsonl"):
        Journal(tmp_path / "audit.jsonl").open()


async def test_the_name_of_a_new_file_is_on_disk_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut, a file without a name in its folder has no content either."""
    folders: list[int] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folders.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    async with _open(path):
        assert folders == [path.parent.stat().st_ino]
    async with _open(path):
        assert len(folders) == 1, "once is enough"


async def test_an_entry_is_one_line_whatever_is_in_it(path: Path) -> None:
    entry = {"caseNumber": 'a\nb\r\n"}\u2028', "persons": ["x"], "nothing": None}
    async with _open(path) as journal:
        await journal.append(entry)
    assert path.read_bytes().count(b"\n") == 1
    assert _lines(path) == [entry]


async def test_a_file_that_is_moved_away_is_made_anew(path: Path, tmp_path: Path) -> None:
    journal = Journal(path)
    journal.open()
    await journal.append({"n": 1})
    moved = path.rename(tmp_path / "rotated.jsonl")
    await journal.append({"n": 2})
    path.unlink()
    await journal.append({"n": 3})
    await journal.close()
    assert moved.read_text() == '{"n":1}\n'
    assert path.read_text() == '{"n":3}\n'
