"""Archives: old segments are moved, and verification continues from their end.

Covers ``gateway.audit.journal.archive``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.copy.database import Copy
from gateway.audit.copy.shipper import Shipper
from gateway.audit.journal.archive import Archive, signed_archive
from gateway.audit.journal.archiver import Archiver, NotArchived, verify_archives
from gateway.audit.journal.chain import ChainLink, SegmentHeader, parse_header
from gateway.audit.journal.faults import FaultKind
from gateway.audit.journal.files import write_all
from tests.support.copies import database
from tests.support.faulty_disk import numbers
from tests.support.journals import CHAIN, PUBLIC, SIGN, checked, filled, open_journal, segments
from tests.support.running import TestClock

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "archives").mkdir()
    return tmp_path / "archives"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A journal of 30 entries in some segments, with a checkpoint every 7 entries."""
    await filled(tmp_path / "journal", 30, segment_bytes=1_000, checkpoint_entries=7)
    assert len(segments(tmp_path / "journal")) > 3
    return tmp_path / "journal"


def _archiver(folder: Path, target: Path) -> Archiver:
    return Archiver(folder, target, CHAIN, SIGN, PUBLIC)


def _archive(folder: Path, target: Path, shipped: int | None = None) -> Archive | None:
    return _archiver(folder, target).run(LATER, shipped, LATER)


def _closed(folder: Path, count: int) -> list[tuple[int, SegmentHeader]]:
    """Return number of each of the first segments, and the header of the one behind it."""
    files = segments(folder)
    behind = [parse_header(path.read_bytes().splitlines()[0]) for path in files[1 : count + 1]]
    return [(header.segment - 1, header) for header in behind]


def _fault(folder: Path) -> FaultKind:
    fault = checked(folder).fault
    assert fault is not None
    return fault.kind


async def test_verification_goes_on_from_where_the_archive_ends(folder: Path, target: Path) -> None:
    last = segments(folder)[-1]
    archive = _archive(folder, target)
    assert archive is not None
    assert segments(folder) == [last]
    report = checked(folder)
    assert (report.fault, report.seq, report.archived) == (None, 30, archive.end.seq)
    assert report.entries == 30 - archive.end.seq
    await filled(folder, 30, 31, segment_bytes=1_000)
    assert checked(folder).seq == 60
    second = _archive(folder, target)
    assert second is not None
    assert (second.first, second.start) == (archive.last + 1, archive.end)
    assert checked(folder).fault is None


def test_an_archive_is_verified_alone(folder: Path, target: Path) -> None:
    archive = _archive(folder, target)
    assert archive is not None
    report = checked(target / archive.folder_name)
    assert (report.fault, report.is_archive, report.entries) == (None, True, archive.end.seq)
    assert report.checkpoints >= 2
    ((_, archived),) = verify_archives(folder, target, CHAIN, PUBLIC)
    assert archived.entries == archive.end.seq


@pytest.mark.parametrize(
    "change",
    [
        lambda archive: segments(archive)[0].unlink(),
        lambda archive: segments(archive)[-1].unlink(),
        lambda archive: segments(archive)[-1].write_bytes(
            b"".join(segments(archive)[-1].read_bytes().splitlines(keepends=True)[:-1])
        ),
        lambda archive: segments(archive)[1].write_bytes(
            segments(archive)[1].read_bytes().replace(b'"number":', b'"numbers":', 1)
        ),
        lambda archive: (archive / "archive.json").unlink(),
        shutil.rmtree,
    ],
    ids=["first segment", "last segment", "last line", "edited", "statement", "all"],
)
def test_what_is_done_to_an_archive_is_found(
    folder: Path, target: Path, change: Callable[[Path], object]
) -> None:
    archive = _archive(folder, target)
    assert archive is not None
    change(target / archive.folder_name)
    ((_, report),) = verify_archives(folder, target, CHAIN, PUBLIC)
    assert report.fault is not None


def test_segments_removed_without_an_archive_are_missed(folder: Path, target: Path) -> None:
    segments(folder)[0].unlink()
    assert _fault(folder) is FaultKind.REMOVED
    with pytest.raises(NotArchived, match="the segment is missing"):
        _archive(folder, target)


def test_segments_removed_after_an_archive_are_missed(folder: Path, target: Path) -> None:
    second = _closed(folder, 2)[-1][1]
    assert _archive(folder, target, shipped=second.seq) is not None
    assert checked(folder).fault is None
    segments(folder)[0].unlink()
    assert _fault(folder) is FaultKind.REMOVED


@pytest.mark.parametrize(
    "sign", [Ed25519PrivateKey.generate(), SIGN], ids=["another key", "another beginning"]
)
def test_a_statement_that_is_not_good_hides_nothing(
    folder: Path, target: Path, sign: Ed25519PrivateKey
) -> None:
    header = _closed(folder, 2)[-1][1]
    start = ChainLink(0, "0" * 64) if sign is not SIGN else ChainLink(1, "0" * 64)
    forged = signed_archive(
        sign, header.journal, (1, 2), (start, ChainLink(header.seq, header.previous)), ""
    )
    (folder / "archives.jsonl").write_bytes(forged.line + b"\n")
    for path in segments(folder)[:2]:
        path.unlink()
    assert _fault(folder) is FaultKind.ARCHIVE


def test_only_what_is_old_and_in_the_copy_is_archived(folder: Path, target: Path) -> None:
    archiver = _archiver(folder, target)
    assert archiver.run(LATER - timedelta(days=30), None, LATER) is None
    assert archiver.run(LATER, 0, LATER) is None
    first, second = (header for _, header in _closed(folder, 2))
    archive = archiver.run(LATER, second.seq - 1, LATER)
    assert archive is not None
    assert archive.end.seq == first.seq


class _BrokenOff(Exception):
    pass


@pytest.mark.parametrize("at", range(40))
def test_an_archiving_that_is_broken_off_anywhere_is_finished_by_the_next(
    folder: Path, target: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """At each step that changes a file or a folder."""
    steps = 0

    def step(change: Callable[..., object]) -> Callable[..., object]:
        def stepped(*arguments: object, **more: object) -> object:
            nonlocal steps
            steps += 1
            if steps > at:
                raise _BrokenOff
            return change(*arguments, **more)

        return stepped

    with monkeypatch.context() as breaking:
        for name in ("unlink", "rename", "mkdir", "chmod"):
            breaking.setattr(Path, name, step(getattr(Path, name)))
        breaking.setattr(shutil, "copyfile", step(shutil.copyfile))
        breaking.setattr("gateway.audit.journal.checkpoints.write_all", step(write_all))
        try:
            _archive(folder, target)
        except _BrokenOff:
            pass
        else:
            assert at > 10, "and there are more steps than that"
    assert checked(folder).fault is None, "nothing is missing in between"
    _archive(folder, target)
    assert len(segments(folder)) == 1
    ((_, report),) = verify_archives(folder, target, CHAIN, PUBLIC)
    assert report.fault is None
    assert report.entries + checked(folder).entries == 30


async def test_the_gateway_writes_and_ships_on_meanwhile(tmp_path: Path, target: Path) -> None:
    folder = tmp_path / "journal"
    async with database("sqlite", tmp_path) as url:
        copy = Copy(url)
        async with open_journal(folder, segment_bytes=1_000, timeout=20) as journal:
            shipper = Shipper(journal, copy, TestClock())
            shipper.open()
            for number in range(30):
                await journal.append({"number": number})
            assert await shipper.catch_up(10)
            assert _archive(folder, target, shipped=30) is not None
            for number in range(30, 60):
                await journal.append({"number": number})
            assert await shipper.catch_up(10)
        await shipper.close()
        assert (await copy.shipped(journal.id)).seq == 60
        await copy.close()
    assert numbers(folder)[-1] == 59
    report = checked(folder)
    assert (report.fault, report.seq) == (None, 60)
