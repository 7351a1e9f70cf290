"""Checkpoints: when they are signed, and how they are read back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.audit.journal import checkpoints
from gateway.audit.journal.chain import ChainLink
from gateway.settings import Audit
from tests.support.faulty_disk import Disk, fail
from tests.support.journals import PUBLIC, SIGN, open_journal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def _sequence_numbers(folder: Path) -> list[int]:
    return [
        checkpoint.link.seq for checkpoint in checkpoints.read(folder / checkpoints.CHECKPOINTS)
    ]


async def test_an_entry_is_signed_in_time_though_no_other_follows(folder: Path) -> None:
    signed = asyncio.Event()
    async with open_journal(folder, checkpoint_seconds=0.01, timeout=20) as journal:
        journal.checkpointed = signed.set
        await journal.append({"number": 1})
        async with asyncio.timeout(20):
            await signed.wait()
        assert _sequence_numbers(folder) == [1]
        signed.clear()
        await journal.append({"number": 2})
        async with asyncio.timeout(20):
            await signed.wait()
        assert _sequence_numbers(folder) == [1, 2]


async def test_a_checkpoint_that_cannot_be_written_is_tried_again_without_another_entry(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, signed, failed = Disk(monkeypatch), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def once() -> None:
        disk.fault = lambda: None
        loop.call_soon_threadsafe(failed.set)
        fail()

    async with open_journal(folder, checkpoint_seconds=0.01, timeout=20) as journal:
        journal.checkpointed = signed.set
        journal.grown = lambda: setattr(disk, "fault", once)
        await journal.append({"number": 1})
        async with asyncio.timeout(20):
            await failed.wait()
            await signed.wait()
        assert _sequence_numbers(folder) == [1]


async def test_nothing_is_signed_where_nothing_is_written(folder: Path) -> None:
    async with open_journal(folder, checkpoint_seconds=0.001):
        pass
    assert _sequence_numbers(folder) == []


def test_settings_ask_for_a_checkpoint_a_minute_at_least() -> None:
    assert Audit().checkpoint_seconds <= 60
    with pytest.raises(ValueError, match="less than or equal to 60"):
        Audit(checkpoint_seconds=61)


def _lines(journal: str, count: int) -> list[bytes]:
    return [
        checkpoints.sign_checkpoint(SIGN, journal, ChainLink(seq, "a" * 64), "")
        for seq in range(1, count + 1)
    ]


def test_those_behind_an_entry_are_read_from_the_end_however_many_they_are(tmp_path: Path) -> None:
    path, lines = tmp_path / "checkpoints.jsonl", _lines("ours", 200)
    path.write_bytes(b"\n".join(lines) + b"\n")
    for seq in (0, 1, 40, 199):
        result = checkpoints.read_behind(path, "ours", seq)
        assert [entry.line for entry in result] == lines[seq:]
    assert checkpoints.read_behind(path, "ours", 200) == []
    assert checkpoints.read_behind(path, "other", 0) == []
    assert checkpoints.read_behind(tmp_path / "none", "ours", 0) == []


def test_the_newest_that_is_good_is_the_last(tmp_path: Path) -> None:
    path, lines = tmp_path / "checkpoints.jsonl", _lines("ours", 100)
    forged = lines[-1].replace(b'"seq":100', b'"seq":900')
    path.write_bytes(b"\n".join([*lines, forged, b"nothing", *_lines("other", 1), lines[0][:50]]))
    last = checkpoints.last(path, "ours", PUBLIC)
    assert last is not None
    assert last.link.seq == 100
    assert checkpoints.last(path, "none of these", PUBLIC) is None


def test_what_a_failure_left_torn_is_cut_off_before_the_next_one(tmp_path: Path) -> None:
    path, lines = tmp_path / "checkpoints.jsonl", _lines("ours", 90)
    for line in lines:
        checkpoints.append_line(path, line)
        with path.open("ab") as file:
            file.write(line[:40])
    checkpoints.append_line(path, lines[0])
    assert path.read_bytes().split(b"\n")[:-1] == [*lines, lines[0]]
