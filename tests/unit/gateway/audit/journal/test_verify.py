"""Verification names the first entry affected by any change to a journal.

Covers ``gateway.audit.journal.reading``, ``gateway.audit.journal.faults`` and
``gateway.audit.journal.head``.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.journal.chain import ChainLink
from gateway.audit.journal.faults import Fault, FaultKind
from gateway.audit.journal.head import HeadFile, JournalHead
from gateway.keys.keyring import Keyring, Secret
from tests.support.journals import CHAIN, checked, filled, open_journal, segments

ENTRIES = 30


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A journal of 30 entries in some segments, with a checkpoint every 7 entries."""
    await filled(tmp_path / "journal", ENTRIES, segment_bytes=1_000, checkpoint_entries=7)
    assert len(segments(tmp_path / "journal")) > 3
    return tmp_path / "journal"


def _fault(folder: Path, copied: Path | None = None) -> Fault:
    fault = checked(folder, copied).fault
    assert fault is not None
    return fault


def _change(path: Path, change: Callable[[list[bytes]], object]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))


def _place(folder: Path, seq: int) -> tuple[Path, int]:
    """Return the segment of an entry, and the position of its line."""
    for path in segments(folder):
        for position, line in enumerate(path.read_bytes().splitlines()):
            if line.startswith(b'{"seq":%d,' % seq):
                return path, position
    raise AssertionError(f"no entry {seq}")


def _inner(folder: Path) -> list[int]:
    """Return entries that have another one before and after them in their segment."""
    return [
        seq
        for seq in range(2, ENTRIES)
        if len({_place(folder, neighbour)[0] for neighbour in (seq - 1, seq, seq + 1)}) == 1
    ]


def test_an_untouched_journal_is_good(folder: Path) -> None:
    report = checked(folder)
    assert report.fault is None
    assert (report.entries, report.seq, report.segments) == (30, 30, len(segments(folder)))
    assert report.checkpoints >= ENTRIES // 7


def test_an_edited_byte_is_found_wherever_it_is(folder: Path) -> None:
    rng = random.Random(7)
    for path in segments(folder):
        content = path.read_bytes()
        for offset in rng.sample(range(len(content)), 40):
            edited = bytearray(content)
            edited[offset] ^= 1 << rng.randrange(7)
            path.write_bytes(edited)
            fault = _fault(folder)
            line = content[:offset].count(b"\n") + 1
            assert (fault.file, fault.line) == (path.name, line), (fault, offset)
            first = content.splitlines()[line - 1]
            if line > 1:
                assert fault.seq is not None
                assert first.startswith(b'{"seq":%d,' % fault.seq)
        path.write_bytes(content)


def test_an_edited_entry_is_called_edited(folder: Path) -> None:
    for seq in _inner(folder):
        path, at = _place(folder, seq)
        content = path.read_bytes()
        lines = content.splitlines(keepends=True)
        lines[at] = lines[at].replace(b'"number":', b'"numbers":')
        path.write_bytes(b"".join(lines))
        fault = _fault(folder)
        assert (fault.kind, fault.seq, fault.line) == (FaultKind.EDITED, seq, at + 1)
        path.write_bytes(content)


def test_a_removed_line_is_called_removed(folder: Path) -> None:
    for seq in _inner(folder):
        path, at = _place(folder, seq)
        content = path.read_bytes()
        lines = content.splitlines(keepends=True)
        del lines[at]
        path.write_bytes(b"".join(lines))
        fault = _fault(folder)
        assert (fault.kind, fault.seq, fault.line) == (FaultKind.REMOVED, seq, at + 1)
        assert fault.message == f"removed: entry {seq} is missing"
        path.write_bytes(content)


def test_the_last_line_of_a_segment_is_missed_by_the_next_header(folder: Path) -> None:
    first, second = segments(folder)[:2]
    seq = len(first.read_bytes().splitlines()) - 1
    _change(first, lambda lines: lines.pop())
    fault = _fault(folder)
    assert (fault.kind, fault.seq, fault.file) == (FaultKind.REMOVED, seq, second.name)


def test_two_lines_that_changed_places_are_called_reordered(folder: Path) -> None:
    for seq in _inner(folder):
        path, at = _place(folder, seq)
        content = path.read_bytes()

        lines = content.splitlines(keepends=True)
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
        path.write_bytes(b"".join(lines))
        fault = _fault(folder)
        assert (fault.kind, fault.seq, fault.line) == (FaultKind.REORDERED, seq, at + 1)
        path.write_bytes(content)


def test_a_line_that_stands_twice_is_called_repeated(folder: Path) -> None:
    seq = _inner(folder)[0]
    path, at = _place(folder, seq)
    _change(path, lambda lines: lines.insert(at + 1, lines[at]))
    fault = _fault(folder)
    assert (fault.kind, fault.line) == (FaultKind.REPEATED, at + 2)
    assert f"entry {seq} stands here once more" in str(fault)


def test_a_segment_that_is_removed_is_missed_with_its_entries(folder: Path) -> None:
    for path in segments(folder)[:-1]:
        content = path.read_bytes()
        path.unlink()
        fault = _fault(folder)
        seqs = [int(line[7 : line.index(b",")]) for line in content.splitlines()[1:]]
        assert (fault.kind, fault.file, fault.seq) == (FaultKind.REMOVED, path.name, seqs[0])
        assert f"entries {seqs[0]} to {seqs[-1]}" in fault.message
        path.write_bytes(content)


def test_a_last_segment_that_is_removed_is_missed_by_a_checkpoint(folder: Path) -> None:
    segments(folder)[-1].unlink()
    fault = _fault(folder)
    assert fault.kind is FaultKind.CUT
    assert fault.message.endswith(f"counts {ENTRIES} entries")


def test_an_end_that_is_cut_off_is_missed_by_a_checkpoint_and_by_the_head(folder: Path) -> None:
    last = segments(folder)[-1]
    _change(last, lambda lines: lines.pop())
    fault = _fault(folder)
    assert (fault.kind, fault.file, fault.seq) == (FaultKind.CUT, last.name, ENTRIES)
    copied = folder.with_name("copied.jsonl")
    (folder / "checkpoints.jsonl").rename(copied)
    assert _fault(folder).message == f"the end is cut off: the head counts {ENTRIES} entries"
    (folder / "head.json").unlink()
    assert _fault(folder).file == "head.json", "that nothing is missing is not claimed without it"
    assert "a checkpoint of" in _fault(folder, copied).message, (
        "a copy that was kept elsewhere knows"
    )


def test_a_head_that_was_edited_is_no_head(folder: Path) -> None:
    head = folder / "head.json"
    content = head.read_bytes()
    for offset in range(0, len(content.rstrip()), 11):
        edited = bytearray(content)
        edited[offset] ^= 1
        head.write_bytes(edited)
        assert _fault(folder).file == "head.json"
    head.write_bytes(content)
    assert checked(folder).fault is None


async def test_the_head_of_another_journal_is_none_of_this_one(
    folder: Path, tmp_path: Path
) -> None:
    await filled(tmp_path / "other", 3)
    shutil.copy(tmp_path / "other" / "head.json", folder / "head.json")
    assert _fault(folder).file == "head.json"


async def test_an_end_that_is_cut_off_and_written_anew_is_missed_by_a_checkpoint(
    folder: Path,
) -> None:
    """By a gateway of before, that is: one that reads the head does not go on from there."""
    checkpoints = (folder / "checkpoints.jsonl").read_bytes()
    _change(segments(folder)[-1], lambda lines: lines.pop())
    (folder / "checkpoints.jsonl").unlink()
    HeadFile(folder).write(
        CHAIN.current, JournalHead(str(checked(folder).journal), 4, ChainLink(29, ""))
    )
    await filled(folder, 3, 900)
    (folder / "checkpoints.jsonl").write_bytes(checkpoints)
    fault = _fault(folder)
    assert (fault.kind, fault.seq) == (FaultKind.CUT, ENTRIES)
    assert "written anew" in fault.message


async def test_a_header_that_is_replaced_is_found(folder: Path) -> None:
    second, third = segments(folder)[1:3]
    content = second.read_bytes()
    others = third.read_bytes().splitlines(keepends=True)[0]
    _change(second, lambda lines: lines.__setitem__(0, others))
    fault = _fault(folder)
    assert (fault.kind, fault.file, fault.line) == (FaultKind.FOREIGN, second.name, 1)
    second.write_bytes(content)
    _change(second, lambda lines: lines.__setitem__(0, lines[0].replace(b'"full"', b'"none"')))
    assert _fault(folder).kind is FaultKind.HEADER
    second.write_bytes(content)
    _change(second, lambda lines: lines.pop(0))
    assert _fault(folder).kind is FaultKind.HEADER


async def test_a_line_of_another_journal_is_called_foreign(folder: Path, tmp_path: Path) -> None:
    await filled(tmp_path / "other", ENTRIES, 100)
    seq = _inner(folder)[1]
    path, at = _place(folder, seq)
    content = path.read_bytes()
    other, there = _place(tmp_path / "other", seq)
    line = other.read_bytes().splitlines(keepends=True)[there]
    _change(path, lambda lines: lines.__setitem__(at, line))
    fault = _fault(folder)
    assert (fault.kind, fault.seq, fault.line) == (FaultKind.FOREIGN, seq, at + 1), "in its place"
    path.write_bytes(content)
    _change(path, lambda lines: lines.insert(at, line))
    fault = _fault(folder)
    assert (fault.kind, fault.seq, fault.line) == (FaultKind.FOREIGN, seq, at + 1), "put in"


async def test_a_segment_of_another_journal_is_called_foreign(folder: Path, tmp_path: Path) -> None:
    await filled(tmp_path / "other", ENTRIES, 100, segment_bytes=1_000)
    second = segments(folder)[1]
    shutil.copy(segments(tmp_path / "other")[1], second)
    fault = _fault(folder)
    assert (fault.kind, fault.file, fault.line) == (FaultKind.FOREIGN, second.name, 1)


async def test_a_journal_forged_with_another_key_is_refused(folder: Path, tmp_path: Path) -> None:
    key = Secret.of(b"the key that a forger made up...")
    shutil.rmtree(folder)
    await filled(folder, 3, chain=Keyring(key))
    assert _fault(folder).kind is FaultKind.KEY
    shutil.rmtree(folder)
    await filled(folder, 3, chain=Keyring(Secret(key.key, CHAIN.current.id)))
    assert _fault(folder).kind is FaultKind.HEADER, "also under the id of the true one"


async def test_lines_forged_with_another_key_do_not_fit(folder: Path, tmp_path: Path) -> None:
    forger = Keyring(Secret(b"the key that a forger made up...", CHAIN.current.id))
    await filled(tmp_path / "forged", ENTRIES, chain=forger)
    seq = _inner(folder)[0]
    path, at = _place(folder, seq)
    other, there = _place(tmp_path / "forged", seq)
    forged = other.read_bytes().splitlines(keepends=True)[there:]
    _change(path, lambda lines: lines.__setitem__(slice(at, None), forged))
    fault = _fault(folder)
    assert (fault.kind, fault.seq, fault.line) == (FaultKind.FOREIGN, seq, at + 1)


async def test_a_checkpoint_that_another_key_signed_does_not_count(tmp_path: Path) -> None:
    await filled(tmp_path / "journal", 3, sign=Ed25519PrivateKey.generate())
    fault = _fault(tmp_path / "journal")
    assert (fault.kind, fault.file, fault.line) == (FaultKind.CHECKPOINT, "checkpoints.jsonl", 1)


def test_a_checkpoint_that_was_edited_does_not_count(folder: Path) -> None:
    path = folder / "checkpoints.jsonl"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"seq":7,', b'"seq":6,'))
    assert _fault(folder).kind is FaultKind.CHECKPOINT
    path.write_bytes(b"nothing\n" + content)
    assert _fault(folder).message == "checkpoints.jsonl, line 1 is no checkpoint"
    path.write_bytes(content[:-20])
    assert checked(folder).fault is None, "but one that a crash cut short is left out"


async def test_a_journal_that_was_replaced_whole_does_not_fit_the_copied_checkpoints(
    folder: Path, tmp_path: Path
) -> None:
    copied = shutil.copy(folder / "checkpoints.jsonl", tmp_path / "copied.jsonl")
    await filled(tmp_path / "other", ENTRIES)
    fault = _fault(tmp_path / "other", Path(copied))
    assert fault.kind is FaultKind.CHECKPOINT
    assert "no checkpoint in it is of this journal" in fault.message
    assert (
        "no checkpoint in it is of this journal" in _fault(folder, tmp_path / "none.jsonl").message
    )


async def test_a_journal_is_verified_while_it_is_written(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "journal", segment_bytes=2_000) as journal:
        for number in range(20):
            await journal.append({"number": number})
            report = checked(tmp_path / "journal")
            assert (report.fault, report.entries) == (None, number + 1)
        with segments(tmp_path / "journal")[-1].open("ab") as file:
            file.write(b'{"seq":21,"half":')
        assert checked(tmp_path / "journal").fault is None


def test_a_journal_whose_segments_are_all_removed_is_missed_by_the_head(folder: Path) -> None:
    for path in segments(folder):
        path.unlink()
    (folder / "checkpoints.jsonl").unlink()
    assert _fault(folder).message == f"the end is cut off: the head counts {ENTRIES} entries"


def test_a_folder_without_a_journal_has_no_entries(tmp_path: Path) -> None:
    report = checked(tmp_path)
    assert (report.fault, report.entries, report.at) == (None, 0, None)
