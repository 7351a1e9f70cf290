"""Segments: their order, and recovery after a crash.

Covers ``gateway.audit.journal.files``.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import orjson
import pytest

from gateway.audit.journal.journal import Journal
from gateway.keys.keyring import Keyring, Secret
from tests.support.faulty_disk import numbers
from tests.support.journals import (
    CHAIN,
    SIGN,
    checked,
    crashed,
    filled,
    lines,
    open_journal,
    segments,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


async def test_the_chain_goes_on_where_it_ended(folder: Path) -> None:
    for number in range(3):
        await filled(folder, 1, number)
    assert numbers(folder) == [0, 1, 2]
    assert [line["seq"] for line in lines(folder)] == [0, 1, 2, 3], "of the header, and of entries"
    assert checked(folder).fault is None


async def test_a_line_cut_off_by_a_crash_is_put_aside(folder: Path) -> None:
    """The next entry must not hang on to the torn one and be lost with it."""
    await filled(folder, 2)
    (segment,) = segments(folder)
    with segment.open("ab") as file:
        file.write(b'{"seq":3,"wh')
    await filled(folder, 2, 3)
    assert numbers(folder) == [1, 2, 3, 4]
    (torn,) = folder.glob("torn-*.bin")
    assert torn.read_bytes() == b'{"seq":3,"wh', "it is left as evidence"
    report = checked(folder)
    assert (report.fault, report.entries, report.torn) == (None, 4, 1)


async def test_a_crash_may_cut_the_last_line_anywhere(folder: Path) -> None:
    await crashed(folder, 2)
    (segment,) = segments(folder)
    content = segment.read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(content), 7):
        again = folder.with_name(f"cut-{cut}")
        shutil.copytree(folder, again)
        (again / segment.name).write_bytes(content[:cut])
        await filled(again, 1, 9)
        assert numbers(again) == [1, 9]
        assert checked(again).fault is None


async def test_a_whole_last_line_that_nobody_waited_for_stays(folder: Path) -> None:
    await crashed(folder, 2)
    (segment,) = segments(folder)
    await filled(folder, 1, 3)
    assert numbers(folder) == [1, 2, 3]
    assert not list(folder.glob("torn-*"))
    assert segment.exists()
    assert checked(folder).fault is None


async def test_a_last_line_of_which_blocks_are_missing_is_put_aside(folder: Path) -> None:
    await crashed(folder, 3)
    (segment,) = segments(folder)
    content = bytearray(segment.read_bytes())
    content[-60:-50] = bytes(10)
    segment.write_bytes(content)
    await filled(folder, 1, 9)
    assert numbers(folder) == [1, 2, 9]
    assert checked(folder).fault is None


@pytest.mark.parametrize("cut", [0, 1, 40])
async def test_a_segment_whose_header_was_cut_off_by_a_crash_is_begun_anew(
    folder: Path, cut: int
) -> None:
    await filled(folder, 2)
    (first,) = segments(folder)
    (folder / "audit-00000002.jsonl").write_bytes(first.read_bytes()[:cut])
    await filled(folder, 1, 3)
    assert numbers(folder) == [1, 2, 3]
    assert checked(folder).fault is None


async def test_a_segment_that_begins_as_none_does_is_not_touched(folder: Path) -> None:
    folder.mkdir()
    (folder / "audit-00000001.jsonl").write_bytes(b"something\nelse\n")
    with pytest.raises(ValueError, match=r"audit-00000001\.jsonl does not begin"):
        Journal(folder, CHAIN, SIGN).open()
    assert (folder / "audit-00000001.jsonl").read_bytes() == b"something\nelse\n"


async def test_files_are_their_owners_only(folder: Path) -> None:
    await filled(folder, 1)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


async def test_a_folder_that_cannot_be_used_is_found_out_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(OSError, match="journal"):
        Journal(tmp_path / "journal", CHAIN, SIGN).open()


async def test_two_gateways_never_share_a_journal(folder: Path) -> None:
    async with open_journal(folder):
        with pytest.raises(BlockingIOError, match="journal of another gateway"):
            Journal(folder, CHAIN, SIGN).open()
    async with open_journal(folder):
        pass


async def test_the_name_of_a_new_segment_is_on_disk_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut, a file without a name in its folder has no content either."""
    synced: list[int] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            synced.append(len(segments(folder)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    async with open_journal(folder, segment_bytes=1) as journal:
        assert synced[-1] == 1
        await journal.append({"number": 1})
        await journal.append({"number": 2})
        assert synced[-1] == 2
    assert len(segments(folder)) == 2


async def test_a_segment_that_is_full_is_followed_by_another(folder: Path) -> None:
    await filled(folder, 20, segment_bytes=1_000)
    assert len(segments(folder)) > 2
    assert numbers(folder) == list(range(1, 21))
    headers = [line for line in lines(folder) if "version" in line]
    assert [header["segment"] for header in headers] == list(range(1, len(headers) + 1))
    assert {header["journal"] for header in headers} == {headers[0]["journal"]}
    report = checked(folder)
    assert (report.fault, report.entries, report.segments) == (None, 20, len(headers))


async def test_another_key_begins_another_segment(folder: Path) -> None:
    await filled(folder, 2)
    fresh = Keyring(Secret.of(b"x" * 32), (CHAIN.current,))
    await filled(folder, 2, 3, chain=fresh)
    headers = [line for line in lines(folder) if "version" in line]
    assert [header["key"] for header in headers] == [CHAIN.current.id, fresh.current.id]
    assert checked(folder, chain=fresh).fault is None
    with pytest.raises(ValueError, match=f"chain key {fresh.current.id} is missing"):
        Journal(folder, CHAIN, SIGN).open()


async def test_a_segment_that_is_moved_away_is_followed_by_another_that_says_so(
    folder: Path, tmp_path: Path
) -> None:
    async with open_journal(folder) as journal:
        await journal.append({"number": 1})
        moved = segments(folder)[0].rename(tmp_path / "moved.jsonl")
        await journal.append({"number": 2})
        await journal.append({"number": 3})
    assert numbers(folder) == [2, 3]
    assert b'"number":2' not in moved.read_bytes()
    assert lines(folder)[0]["after"] == "removed"
    fault = checked(folder).fault
    assert fault is not None
    assert str(fault) == (
        "audit-00000001.jsonl, entry 1: removed: the segment is missing: entries 1 to 1"
    )
    moved.rename(folder / "audit-00000001.jsonl")
    assert checked(folder).fault is None, "put back, nothing is missing"


async def test_a_segment_that_somebody_else_wrote_to_is_left_as_it_is(folder: Path) -> None:
    async with open_journal(folder) as journal:
        await journal.append({"number": 1})
        with segments(folder)[0].open("ab") as file:
            file.write(b"graffiti\n")
        await journal.append({"number": 2})
    headers = [orjson.loads(path.read_bytes().splitlines()[0]) for path in segments(folder)]
    assert [header["after"] for header in headers] == ["nothing", "changed"]
    fault = checked(folder).fault
    assert fault is not None
    assert (fault.line, fault.seq) == (3, 2)
