"""The zeros behind the last line of a segment: no reader takes them for entries, or for damage.

Covers ``gateway.audit.journal.files``, ``segments``, ``recovery`` and ``verify``, and the tail of
``gateway.audit.copy``. A copy of the folder of a running journal is what a kill would leave.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.audit.copy.tail import Tail
from gateway.audit.journal.chain import parse_header
from gateway.audit.journal.checkpoints import CHECKPOINTS
from gateway.audit.journal.faults import FaultKind
from gateway.audit.journal.files import content_end
from gateway.audit.journal.head import HEAD
from gateway.audit.journal.recovery import ALARMS
from tests.support.faulty_disk import Disk, fail, numbers, refuses
from tests.support.journals import CHAIN, checked, filled, lines, open_journal, segments
from tests.support.metrics import value_of

FILLED = 4096


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


async def _killed(folder: Path, groups: Sequence[int], *, counted: bool = True) -> Path:
    """Write groups of so many entries each, and return a copy of the folder as a kill leaves it.

    ``counted``: whether the head counts the last group.
    """
    killed = folder.with_name("killed")
    number = 0
    async with open_journal(folder, fill_bytes=FILLED) as journal:
        for group in groups:
            beside = {
                name: (folder / name).read_bytes()
                for name in (HEAD, CHECKPOINTS)
                if (folder / name).exists()
            }
            await asyncio.gather(
                *(journal.append({"number": number + n}) for n in range(1, group + 1))
            )
            number += group
        shutil.copytree(folder, killed)
    if not counted:
        for name, content in beside.items():
            (killed / name).write_bytes(content)
    return killed


def _again(killed: Path, name: str, content: bytes) -> Path:
    """Return a copy of a killed journal in which the segment has other content."""
    again = killed.with_name(name)
    shutil.copytree(killed, again)
    (segment,) = segments(again)
    segment.write_bytes(content)
    return again


def _alarms() -> float:
    # Not from the registry, which collects every metric of the process each time.
    kinds = ("altered", "cut", "headless", "removed", "changed")
    return sum(value_of(ALARMS, kind) for kind in kinds)


def _torn(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob("torn-*.bin")]


def _ends(content: bytes) -> list[int]:
    """Return where each line of a segment ends, its header too."""
    return [at + 1 for at, byte in enumerate(content) if byte == ord("\n")]


async def test_a_segment_is_filled_ahead_and_ends_without_zeros(folder: Path) -> None:
    async with open_journal(folder, fill_bytes=FILLED) as journal:
        (segment,) = segments(folder)
        assert b"\0" not in segment.read_bytes(), "the header is there, and nothing to come"
        await journal.append({"number": 1})
        filled_to = segment.stat().st_size
        content = segment.read_bytes()
        assert content.endswith(b"}\n" + bytes(FILLED))
        await journal.append({"number": 2})
        assert segment.stat().st_size == filled_to, "the second entry took the place of zeros"
        assert checked(folder).fault is None
        assert checked(folder).entries == 2
    assert b"\0" not in segment.read_bytes()
    assert numbers(folder) == [1, 2]
    assert checked(folder).fault is None


async def test_a_segment_is_filled_again_when_its_zeros_are_used_up(folder: Path) -> None:
    async with open_journal(folder, fill_bytes=FILLED) as journal:
        for number in range(100):
            await journal.append({"number": number})
            (segment,) = segments(folder)
            content = segment.read_bytes()
            assert 0 < len(content) - len(content.rstrip(b"\0")) <= FILLED
    assert numbers(folder) == list(range(100))


async def test_a_segment_is_never_filled_beyond_its_greatest_size(folder: Path) -> None:
    async with open_journal(folder, fill_bytes=FILLED, segment_bytes=1_000) as journal:
        for number in range(20):
            await journal.append({"number": number})
            *ended, last = segments(folder)
            assert not any(b"\0" in segment.read_bytes() for segment in ended)
            content = last.read_bytes()
            assert len(content) <= 1_000 or b"\0" not in content
    assert len(segments(folder)) > 2
    assert numbers(folder) == list(range(20))
    assert checked(folder).fault is None


async def test_a_kill_leaves_zeros_that_are_cut_off(folder: Path) -> None:
    killed, alarms = await _killed(folder, [1, 2]), _alarms()
    (segment,) = segments(killed)
    assert segment.read_bytes().endswith(bytes(1000))
    report = checked(killed)
    assert (report.fault, report.entries) == (None, 3)
    await filled(killed, 1, 4)
    assert numbers(killed) == [1, 2, 3, 4]
    assert segments(killed) == [segment]
    assert b"\0" not in segment.read_bytes()
    assert _torn(killed) == []
    assert _alarms() == alarms
    assert checked(killed).fault is None


@pytest.mark.parametrize("zeros", [True, False], ids=["before the zeros", "at the end of the file"])
async def test_a_kill_may_cut_the_last_group_at_every_byte(folder: Path, zeros: bool) -> None:
    """Nothing counts the group: no answer was sent. What is whole stays, the rest is put aside."""
    killed = await _killed(folder, [1, 3], counted=False)
    whole = segments(killed)[0].read_bytes()
    content, alarms = whole.rstrip(b"\0"), _alarms()
    ends = _ends(content)
    for cut in range(ends[1], len(content)):
        torn = content[:cut] + (bytes(len(whole) - cut) if zeros else b"")
        again = _again(killed, f"cut-{cut}", torn)
        complete = sum(1 for end in ends[1:] if end <= cut)
        report = checked(again)
        assert (report.fault, report.entries) == (None, complete), cut
        await filled(again, 1, 9)
        assert numbers(again) == [*range(1, complete + 1), 9], cut
        last = max(end for end in ends if end <= cut)
        assert _torn(again) == ([content[last:cut]] if cut > last else []), cut
        assert checked(again).fault is None
        shutil.rmtree(again)
    assert _alarms() == alarms


@pytest.mark.parametrize("zeros", [True, False], ids=["before the zeros", "at the end of the file"])
async def test_a_cut_of_what_the_head_counts_is_an_alarm_at_every_byte(
    folder: Path, zeros: bool
) -> None:
    """Answers may have been sent: no entry may go without a trace."""
    killed = await _killed(folder, [1, 2])
    whole = segments(killed)[0].read_bytes()
    content = whole.rstrip(b"\0")
    for cut in range(_ends(content)[1], len(content)):
        torn = content[:cut] + (bytes(len(whole) - cut) if zeros else b"")
        again, alarms = _again(killed, f"cut-{cut}", torn), _alarms()
        fault = checked(again).fault
        assert fault is not None, cut
        assert fault.kind is FaultKind.CUT
        await filled(again, 1, 9)
        assert _alarms() == alarms + 1, cut
        assert segments(again)[0].read_bytes() == torn, "it stays as it is, as evidence"
        header = parse_header(segments(again)[1].read_bytes().splitlines()[0])
        assert header.after == ("cut" if content[cut - 1 : cut] == b"\n" else "altered")
        assert _torn(again) == []
        assert checked(again).fault is not None, cut
        shutil.rmtree(again)


@pytest.mark.parametrize("width", [1, 64])
async def test_a_power_cut_may_keep_later_blocks_of_a_group_and_lose_earlier_ones(
    folder: Path, width: int
) -> None:
    """The lines behind the hole may match each other: they go with it, for no answer was sent."""
    killed = await _killed(folder, [1, 3], counted=False)
    whole = segments(killed)[0].read_bytes()
    content, alarms = whole.rstrip(b"\0"), _alarms()
    ends = _ends(content)
    for hole in range(ends[1], len(content) - width):
        holed = whole[:hole] + bytes(width) + whole[hole + width :]
        again = _again(killed, f"hole-{hole}", holed)
        complete = sum(1 for end in ends[1:] if end <= hole)
        report = checked(again)
        assert (report.fault, report.entries) == (None, complete), hole
        await filled(again, 1, 9)
        assert numbers(again) == [*range(1, complete + 1), 9], hole
        (torn,) = _torn(again)
        assert torn == holed[ends[complete] :].rstrip(b"\0")
        assert checked(again).fault is None
        shutil.rmtree(again)
    assert _alarms() == alarms


async def test_zeros_in_what_the_head_counts_are_an_alarm(folder: Path) -> None:
    killed = await _killed(folder, [1, 3])
    whole = segments(killed)[0].read_bytes()
    ends = _ends(whole)
    for hole in range(ends[0], ends[-1]):
        holed = whole[:hole] + b"\0" + whole[hole + 1 :]
        again, alarms = _again(killed, f"hole-{hole}", holed), _alarms()
        assert checked(again).fault is not None, hole
        await filled(again, 1, 9)
        assert _alarms() == alarms + 1, hole
        assert segments(again)[0].read_bytes() == holed
        assert checked(again).fault is not None, hole
        shutil.rmtree(again)


async def test_a_line_with_zeros_is_no_unfinished_one_where_no_head_says_so(folder: Path) -> None:
    killed = await _killed(folder, [1, 3], counted=False)
    whole = segments(killed)[0].read_bytes()
    hole = _ends(whole)[2]
    again = _again(killed, "hole", whole[:hole] + b"\0" + whole[hole + 1 :])
    assert checked(again).fault is None
    (again / HEAD).unlink()
    fault = checked(again).fault
    assert fault is not None
    assert (fault.kind, fault.seq) == (FaultKind.EDITED, 3)


@pytest.mark.parametrize("byte", [b"\n", b"x", b"{", b"\xff"])
async def test_a_byte_among_the_zeros_is_put_aside_and_does_no_harm(
    folder: Path, byte: bytes
) -> None:
    """After a kill. It is no entry, and every entry is there: a warning, and no alarm."""
    killed, alarms = await _killed(folder, [1, 2]), _alarms()
    whole = segments(killed)[0].read_bytes()
    end = len(whole.rstrip(b"\0"))
    for at in (end + 1, end + 2, end + 511, end + 2048, len(whole) - 1):
        again = _again(killed, f"flipped-{at}", whole[:at] + byte + whole[at + 1 :])
        report = checked(again)
        assert (report.fault, report.entries) == (None, 3)
        await filled(again, 1, 4)
        assert numbers(again) == [1, 2, 3, 4]
        assert _torn(again) == [bytes(at - end) + byte]
        report = checked(again)
        assert (report.fault, report.torn) == (None, 1)
        shutil.rmtree(again)
    assert _alarms() == alarms


async def test_a_byte_among_the_zeros_of_a_running_journal_is_overwritten_or_cut_off(
    folder: Path,
) -> None:
    async with open_journal(folder, fill_bytes=FILLED) as journal:
        await journal.append({"number": 1})
        (segment,) = segments(folder)
        with segment.open("r+b") as file:
            end = content_end(file.fileno())
            for at in (end + 10, end + FILLED - 1):
                file.seek(at)
                file.write(b"\n")
        report = checked(folder)
        assert (report.fault, report.entries) == (None, 1)
        await journal.append({"number": 2})
    assert numbers(folder) == [1, 2]
    assert b"\n\n" not in segment.read_bytes()
    assert checked(folder).fault is None


async def test_a_whole_line_among_the_zeros_is_an_alarm(folder: Path) -> None:
    killed, alarms = await _killed(folder, [1, 2]), _alarms()
    whole = segments(killed)[0].read_bytes()
    end, forged = len(whole.rstrip(b"\0")), b'{"seq":4,"number":4}\n'
    again = _again(killed, "forged", whole[:end] + forged + whole[end + len(forged) :])
    fault = checked(again).fault
    assert fault is not None
    assert (fault.kind, fault.seq) == (FaultKind.EDITED, 4)
    await filled(again, 1, 9)
    assert _alarms() == alarms + 1
    assert numbers(again) == [1, 2, 3, 4, 9], "it stays, and is a fault"
    assert checked(again).fault is not None


async def test_zeros_behind_a_segment_that_ended_are_no_fault_and_anything_else_is(
    folder: Path,
) -> None:
    """Such a segment was moved away while it was written to, and put back."""
    await filled(folder, 20, segment_bytes=1_000)
    first = segments(folder)[0]
    whole = first.read_bytes()
    first.write_bytes(whole + bytes(FILLED))
    report = checked(folder)
    assert (report.fault, report.entries) == (None, 20)
    first.write_bytes(whole + bytes(FILLED) + b"x")
    fault = checked(folder).fault
    assert fault is not None
    assert fault.kind is FaultKind.EDITED


@pytest.mark.parametrize("change", [-1, 1])
async def test_zeros_that_somebody_adds_or_takes_away_end_the_segment(
    folder: Path, change: int
) -> None:
    alarms = _alarms()
    async with open_journal(folder, fill_bytes=FILLED) as journal:
        await journal.append({"number": 1})
        (segment,) = segments(folder)
        os.truncate(segment, segment.stat().st_size + change)
        await journal.append({"number": 2})
    assert _alarms() == alarms + 1
    assert [line["after"] for line in lines(folder) if "version" in line] == ["nothing", "changed"]
    assert numbers(folder) == [1, 2]
    assert checked(folder).fault is None


async def test_a_disk_without_room_for_zeros_takes_entries_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last room on a disk is for entries. No zeros are missed where there are none."""
    pwrite, limit = os.pwrite, 5_000

    def limited(descriptor: int, content: memoryview, offset: int) -> int:
        room = limit - offset
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, content[:room], offset)

    monkeypatch.setattr(os, "pwrite", limited)
    async with open_journal(folder, fill_bytes=FILLED) as journal:
        number = 0
        while not await refuses(journal, {"number": number, "filling": "x" * 100}):
            number += 1
        (segment,) = segments(folder)
        assert segment.stat().st_size == 5_000
        limit = 50_000
        await journal.append({"number": number})
    assert number > 15
    assert numbers(folder) == list(range(number + 1))
    assert checked(folder).fault is None


async def test_a_write_that_fails_leaves_no_part_of_it_among_the_zeros(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    async with open_journal(folder, fill_bytes=FILLED) as journal:
        await journal.append({"number": 1})
        disk.sync_fault = fail
        assert await refuses(journal, {"number": 2, "filling": "x" * 500})
        disk.sync_fault = lambda: None
        await journal.append({"number": 3})
        (segment,) = segments(folder)
        content = segment.read_bytes()
        assert b"x" not in content[content.rfind(b'{"seq"') :]
        assert content.endswith(b"}\n" + bytes(FILLED)), "it is filled again"
        shutil.copytree(folder, folder.with_name("killed"))
    assert numbers(folder) == numbers(folder.with_name("killed")) == [1, 3]
    assert checked(folder.with_name("killed")).fault is None


async def test_a_journal_is_verified_and_shipped_while_entries_take_the_place_of_zeros(
    folder: Path,
) -> None:
    """A reader that reads zeros and then what came behind them would see a line that never was."""
    ended, faults, read, most = threading.Event(), [], [], 400

    def verify_repeatedly() -> None:
        while not ended.is_set():
            faults.append(checked(folder).fault)

    async with open_journal(folder, fill_bytes=FILLED, segment_bytes=100_000) as journal:
        verifying = asyncio.create_task(asyncio.to_thread(verify_repeatedly))
        tail = Tail(folder, 0, None, CHAIN)
        for number in range(most):
            filling = "x" * (number * 37 % 900)
            group = (journal.append({"number": number, "filling": filling}) for _ in range(5))
            await asyncio.gather(*group)
            read += await asyncio.to_thread(tail.read, journal.on_disk, 1_000)
        ended.set()
        await verifying
        assert len(segments(folder)) > 2
    assert [line.seq for line in read] == list(range(1, 5 * most + 1))
    assert set(faults) == {None}
    assert len(faults) > 5
