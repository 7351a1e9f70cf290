"""The archiver: moves old segments of a journal into an archive, so that a crash loses nothing.

The segments are copied and verified in the archive. Then the signed statement is added to the
journal's folder, and only then are they removed there. The next run finishes an interrupted one.
The gateway may run meanwhile: the segment that it writes to is never touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.audit.journal import checkpoints
from gateway.audit.journal.archive import (
    ARCHIVE,
    ARCHIVES,
    Archive,
    read_archives,
    read_chain,
    signed_archive,
)
from gateway.audit.journal.chain import START, ChainLink, SegmentHeader, format_moment, parse_header
from gateway.audit.journal.checkpoints import CHECKPOINTS
from gateway.audit.journal.faults import Fault, FaultKind, JournalBroken
from gateway.audit.journal.files import segment_files, segment_name, sync_folder
from gateway.audit.journal.reading import VerificationReport
from gateway.audit.journal.verify import verify
from gateway.keys.keyring import Keyring


class NotArchived(Exception):
    """Nothing was archived or removed; the message says why."""


@dataclass(frozen=True, slots=True)
class Archiver:
    """Archives segments of the journal in ``folder`` below ``target``, another folder.

    ``chain``: the journal's keys; ``sign``, ``public``: the key that signs, those that may have.
    """

    folder: Path
    target: Path
    chain: Keyring
    sign: Ed25519PrivateKey
    public: Sequence[Ed25519PublicKey]

    def run(self, ended_by: datetime, shipped: int | None, now: datetime) -> Archive | None:
        """Archive the segments that had ended at ``ended_by``; None: there is none.

        ``shipped``: only entries up to this number, which are in the copy; None: there is no copy.
        Raises OSError, and NotArchived where the journal or the archive that was made is not good,
        or another run archives this journal. Costs about 12 us an entry.
        """
        with self._lock():
            return self._run(ended_by, shipped, now)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Let no other run state anything about the journal's archives; raises NotArchived."""
        path = self.folder / ARCHIVES
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if is_new:
                sync_folder(self.folder)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotArchived("another run archives this journal") from None
            yield
        finally:
            os.close(descriptor)

    def _run(self, ended_by: datetime, shipped: int | None, now: datetime) -> Archive | None:
        try:
            archives = read_chain(self.folder, self.public)
            if archives:
                self._finish(archives[-1])
            self._require_valid(self.folder)
            headers = self._closed(archives, ended_by, shipped)
            if not headers:
                return None
            archive = self._statement(archives, headers, now)
            archive = self._copied(archive)
            checkpoints.append_line(self.folder / ARCHIVES, archive.line)
            self._finish(archive)
        except JournalBroken as broken:
            raise NotArchived(str(broken.fault)) from None
        return archive

    def _closed(
        self, archives: Sequence[Archive], ended_by: datetime, shipped: int | None
    ) -> list[tuple[int, SegmentHeader]]:
        """Return number of each segment that may go, and the header of the one behind it."""
        archived = archives[-1].last if archives else 0
        files = [file for file in segment_files(self.folder) if file[0] > archived]
        closed = []
        for (number, _), (_, behind) in itertools.pairwise(files):
            header = _header(behind)
            if header is None:
                break  # the gateway is just making the segment behind it
            if datetime.fromisoformat(header.at) > ended_by:
                break
            if shipped is not None and header.seq > shipped:
                break
            closed.append((number, header))
        return closed

    def _statement(
        self,
        archives: Sequence[Archive],
        closed: Sequence[tuple[int, SegmentHeader]],
        now: datetime,
    ) -> Archive:
        start = archives[-1].end if archives else ChainLink(0, START)
        last, behind = closed[-1]
        links = start, ChainLink(behind.seq, behind.previous)
        numbers = closed[0][0], last
        return signed_archive(self.sign, behind.journal, numbers, links, format_moment(now))

    def _copied(self, archive: Archive) -> Archive:
        """Create the archive and return its statement; that of an earlier run, if it exists."""
        target = self.target / archive.folder_name
        if not target.exists():
            part = target.with_name(target.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            for number in range(archive.first, archive.last + 1):
                _copy(self.folder / segment_name(number), part)
            for key in self.folder.glob("checkpoints-*.pem"):
                _copy(key, part)
            self._copy_checkpoints(archive, part)
            checkpoints.append_line(part / ARCHIVE, archive.line)
            sync_folder(part)
            part.rename(target)
            sync_folder(self.target)
        self._require_valid(target)
        (present,) = read_archives(target / ARCHIVE, self.public)
        same = (present.journal, present.first, present.last, present.start, present.end)
        if same != (archive.journal, archive.first, archive.last, archive.start, archive.end):
            raise NotArchived(f"{target} is there and holds something else")
        return present

    def _copy_checkpoints(self, archive: Archive, part: Path) -> None:
        lines = [
            checkpoint.line
            for checkpoint in checkpoints.read(self.folder / CHECKPOINTS)
            if archive.start.seq < checkpoint.link.seq <= archive.end.seq
        ]
        if lines:
            checkpoints.append_line(part / CHECKPOINTS, b"\n".join(lines))

    def _finish(self, archive: Archive) -> None:
        """Remove the segments of an archive from the journal's folder, if any are left there."""
        remaining = [path for number, path in segment_files(self.folder) if number <= archive.last]
        if not remaining:
            return
        target = self.target / archive.folder_name
        if not target.is_dir():
            raise NotArchived(f"{target} is missing, and its segments are still in {self.folder}")
        self._require_valid(target)
        for path in remaining:
            path.unlink()
        sync_folder(self.folder)

    def _require_valid(self, folder: Path) -> None:
        fault = verify(folder, self.chain, self.public).fault
        if fault is not None:
            raise NotArchived(f"{folder}: {fault}")


def verify_archives(
    folder: Path, archives: Path, chain: Keyring, public: Sequence[Ed25519PublicKey]
) -> list[tuple[Archive, VerificationReport]]:
    """Verify every archive of the journal in ``folder``, the oldest first, up to the first fault.

    ``archives``: the folder below which they are. Raises OSError, and Broken where the statements
    about them are not good.
    """
    reports = []
    for archive in read_chain(folder, public):
        target = archives / archive.folder_name
        report = verify(target, chain, public) if target.is_dir() else VerificationReport()
        if report.fault is None and not _is_in(target, archive, public):
            message = (
                f"the archive is not there: entries {archive.start.seq + 1} to {archive.end.seq}"
            )
            report.fault = Fault(FaultKind.REMOVED, str(target), 0, archive.start.seq + 1, message)
        reports.append((archive, report))
        if report.fault is not None:
            break
    return reports


def _is_in(target: Path, archive: Archive, public: Sequence[Ed25519PublicKey]) -> bool:
    return [statement.line for statement in read_archives(target / ARCHIVE, public)] == [
        archive.line
    ]


def _header(path: Path) -> SegmentHeader | None:
    """Return the header of a segment, None if it is not written yet."""
    with path.open("rb") as file:
        line = file.readline()
    return parse_header(line.rstrip(b"\n")) if line.endswith(b"\n") else None


def _copy(path: Path, folder: Path) -> None:
    """Copy a file and sync the copy to disk."""
    target = folder / path.name
    shutil.copyfile(path, target)
    target.chmod(0o600)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
