"""Verification of a journal that changes between any two looks at it.

Covers ``gateway.audit.journal.verify``. Whatever a gateway or an archiver does meanwhile is no
fault; what somebody takes away is one. The same for other readers: the copy, and the archiver.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from gateway.audit.copy.tail import Tail
from gateway.audit.journal import checkpoints
from gateway.audit.journal.archiver import Archiver, NotArchived
from gateway.audit.journal.checkpoints import CHECKPOINTS, Checkpoint
from gateway.audit.journal.faults import FaultKind
from gateway.audit.journal.files import segment_name
from gateway.audit.journal.head import HEAD
from gateway.audit.journal.reading import ExternalCheckpoints, VerificationReport
from gateway.audit.journal.segments import JournalOptions, Writer
from gateway.audit.journal.verify import verify
from gateway.runtime.clock import SystemClock
from tests.support.faulty_disk import fail
from tests.support.journals import CHAIN, PUBLIC, SIGN, checked, segments
from tests.support.looks import Looks

LATER = datetime.now(UTC) + timedelta(days=1)
#: Two entries fill a segment, and every entry has a checkpoint.
OPTIONS = JournalOptions(segment_bytes=600, checkpoint_entries=1, fill_bytes=1_000)
LISTING = "listdir journal"


class Gateway:
    """A journal that is written in steps, in the thread of the test."""

    def __init__(self, folder: Path, options: JournalOptions = OPTIONS) -> None:
        self.folder = folder
        self.writer = Writer(folder, CHAIN, SIGN, options, SystemClock())

    def start(self) -> None:
        self.writer.open()

    def write(self, entries: int = 5) -> None:
        for _ in range(entries):
            self.writer.write([b'{"filling":"%b"}' % (b"x" * 100)])

    def restart(self) -> None:
        self.writer.close()
        self.start()
        self.write()

    def archive(self) -> None:
        target = self.folder.with_name("archives")
        target.mkdir(exist_ok=True)
        archiver = Archiver(self.folder, target, CHAIN, SIGN, PUBLIC)
        assert archiver.run(LATER, None, LATER) is not None

    def write_and_archive(self) -> None:
        self.write()
        self.archive()


@contextmanager
def _started(folder: Path) -> Iterator[Gateway]:
    """A gateway that has written some segments, of which the first are archived."""
    gateway = Gateway(folder)
    gateway.start()
    gateway.write()
    gateway.archive()
    gateway.write()
    yield gateway
    gateway.writer.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with _started(tmp_path / "journal") as gateway:
        yield gateway


def _verify(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[], object] = lambda: None,
    look: int | None = None,
) -> tuple[VerificationReport, list[str]]:
    """Verify a journal, with ``change`` before one look (None: before each); return the looks."""

    def meanwhile() -> None:
        if look in {None, len(looks.names) - 1}:
            change()

    with monkeypatch.context() as patches:
        looks = Looks(patches, folder, meanwhile)
        return checked(folder), looks.names


def test_a_gateway_writes_between_any_two_looks(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, looks = _verify(gateway.folder, monkeypatch, gateway.write)
    assert report.fault is None
    assert looks.count(LISTING) == 1, "it is read once: nothing looked like a fault"
    assert report.checkpoints >= 5, "what was counted before the segments were listed is compared"


@pytest.mark.parametrize(
    "change",
    [Gateway.write, Gateway.restart, Gateway.archive, Gateway.write_and_archive],
    ids=["write", "restart", "archive", "write and archive"],
)
def test_a_change_before_any_look_is_no_fault(
    gateway: Gateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Gateway], None],
) -> None:
    looks = _verify(gateway.folder, monkeypatch)[1]
    faults = []
    for look in range(len(looks)):
        with _started(tmp_path / str(look) / "journal") as changed:
            report, _ = _verify(changed.folder, monkeypatch, partial(change, changed), look)
        faults.append((looks[look], report.fault))
    assert faults == [(look, None) for look in looks]


def test_the_first_start_of_a_gateway_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verified(look: int) -> list[str]:
        gateway = Gateway(tmp_path / str(look) / "journal")
        gateway.folder.mkdir(parents=True)

        def start() -> None:
            gateway.start()
            gateway.write()

        report, looks = _verify(gateway.folder, monkeypatch, start, look)
        assert report.fault is None, (looks[:look], report.fault)
        gateway.writer.close()
        return looks

    looks = verified(-1)
    assert len(looks) > 3
    for look in range(len(looks)):
        verified(look)


def test_checkpoints_elsewhere_may_grow_while_they_are_read(gateway: Gateway) -> None:
    def growing() -> Iterator[Checkpoint]:
        gateway.write()
        yield from checkpoints.read(gateway.folder / CHECKPOINTS)

    report = verify(gateway.folder, CHAIN, PUBLIC, [ExternalCheckpoints("elsewhere", growing())])
    assert report.fault is None
    assert report.seq == gateway.writer.link.seq


def test_a_segment_that_a_listing_passed_over_is_not_missing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that comes while a folder is listed may be listed or not (POSIX, readdir)."""
    list_names = os.listdir

    def pass_over(folder: Path) -> list[str]:
        names = list_names(folder)
        monkeypatch.setattr(os, "listdir", list_names)
        gateway.write()
        return [*names, segments(folder)[-1].name]

    monkeypatch.setattr(os, "listdir", pass_over)
    report = checked(gateway.folder)
    assert report.fault is None
    assert report.seq == gateway.writer.link.seq


def test_lines_that_take_the_place_of_others_while_they_are_read_are_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write whose sync fails is in the file for a while, and other lines take its place."""
    gateway = Gateway(tmp_path / "journal")
    gateway.start()
    gateway.write(1)
    with monkeypatch.context() as patches:
        patches.setattr(os, "fdatasync", lambda _: fail())
        with pytest.raises(OSError, match="No space left"):
            gateway.writer.write([b'{"lost":"%b"}' % (b"x" * 100)] * 100)

    def write_again() -> None:
        """Write once the segment's header, and the first part of its lines, were read."""
        if looks.names.count("read audit-00000001.jsonl") == 3 and gateway.writer.link.seq == 1:
            gateway.writer.write([b'{"kept":"%b"}' % (b"y" * 100)] * 100)

    with monkeypatch.context() as patches:
        looks = Looks(patches, gateway.folder, write_again)
        report = checked(gateway.folder)
    assert gateway.writer.link.seq == 101
    assert (report.fault, report.entries) == (None, 101)


@pytest.mark.parametrize("change", [Gateway.archive, Gateway.write], ids=["archive", "write"])
def test_a_copy_is_resumed_while_segments_go_to_an_archive(
    gateway: Gateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Gateway], None],
) -> None:
    """The archiver takes what the copy has, and so may a look at it come too late."""

    def resume(changed: Gateway, look: int | None) -> tuple[list[int], list[str]]:
        link, names = changed.writer.link, []
        with monkeypatch.context() as patches:
            looks = Looks(
                patches,
                changed.folder,
                lambda: change(changed) if len(looks.names) - 1 == look else None,
            )
            tail = Tail(changed.folder, link.seq, link.mac, CHAIN)
            names = looks.names
        changed.write()
        lines = tail.read(changed.writer.link.seq, 1_000)
        return [line.seq - link.seq for line in lines], names

    for look in range(len(resume(gateway, None)[1])):
        with _started(tmp_path / str(look) / "journal") as changed:
            numbers, looks = resume(changed, look)
            assert numbers == list(range(1, changed.writer.link.seq - 10 + 1)), looks[look]


def test_a_segment_that_is_just_being_made_is_none_yet_for_a_copy_or_an_archive(
    gateway: Gateway,
) -> None:
    link, last = gateway.writer.link, segments(gateway.folder)[-1]
    new = last.with_name(segment_name(int(last.stem[-8:]) + 1))
    for content in (b"", last.read_bytes()[:50]):
        new.write_bytes(content)
        Tail(gateway.folder, link.seq, link.mac, CHAIN)
    gateway.archive()
    assert [path.name for path in segments(gateway.folder)] == [last.name, new.name]


def test_of_two_archivers_of_a_journal_one_does_nothing(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement must stand once: a second one would be a fault of the archives for ever."""
    other = tmp_path / "other"
    other.mkdir()
    said: list[str] = []

    def archive_too() -> None:
        if not said:
            with pytest.raises(NotArchived) as refusal:
                Archiver(gateway.folder, other, CHAIN, SIGN, PUBLIC).run(LATER, None, LATER)
            said.append(str(refusal.value))

    with monkeypatch.context() as patches:
        looks = Looks(patches, gateway.folder, lambda: archive_too() if looks.names[1:] else None)
        gateway.archive()
    assert said == ["another run archives this journal"]
    assert checked(gateway.folder).fault is None
    gateway.write_and_archive()


def _cut_last_line(folder: Path) -> None:
    """Remove the last line of the last segment that has entries."""
    for path in reversed(segments(folder)):
        lines = path.read_bytes().rstrip(b"\0").splitlines(keepends=True)
        if len(lines) > 1:
            path.write_bytes(b"".join(lines[:-1]))
            return


def _remove_last_segment(folder: Path) -> None:
    segments(folder)[-1].unlink()


@pytest.mark.parametrize(
    "cut", [_cut_last_line, _remove_last_segment], ids=["last line", "last segment"]
)
def test_an_end_that_is_cut_off_before_it_is_read_is_found(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, cut: Callable[[Path], None]
) -> None:
    last = segments(gateway.folder)[-1]
    untouched = _verify(gateway.folder, monkeypatch)[1]
    until = untouched.index(f"open {last.name}")
    whole = {path: path.read_bytes() for path in gateway.folder.iterdir()}
    kinds = []
    for look in range(until + 1):
        report, _ = _verify(gateway.folder, monkeypatch, partial(cut, gateway.folder), look)
        kinds.append(report.fault and report.fault.kind)
        for path, content in whole.items():
            path.write_bytes(content)
    assert kinds == [FaultKind.CUT] * (until + 1)


@pytest.mark.parametrize(
    "names",
    [["audit-*"], ["audit-*", CHECKPOINTS], ["audit-*", CHECKPOINTS, HEAD], ["*"]],
    ids=["segments", "checkpoints too", "head too", "all"],
)
def test_what_goes_with_all_that_counts_it_is_missed_by_a_verification_under_way(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    """Later, only checkpoints elsewhere know of it."""

    def remove() -> None:
        if looks.names[-1] == LISTING:
            for path in (path for name in names for path in gateway.folder.glob(name)):
                path.unlink()

    with monkeypatch.context() as patches:
        looks = Looks(patches, gateway.folder, remove)
        fault = checked(gateway.folder).fault
    assert fault is not None
    assert fault.kind is FaultKind.CUT
