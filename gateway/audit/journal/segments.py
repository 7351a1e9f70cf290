"""The segments of a journal: opening them after a crash, and writing to the last one.

The segment that is written to is filled with zeros ahead. Entries overwrite them, so that a sync
has no size and no blocks of the file to record. The zeros are cut off when the segment ends.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.journal import checkpoints
from gateway.audit.journal.chain import START, ChainLink, SegmentHeader, format_moment, seal_entries
from gateway.audit.journal.files import (
    lock,
    new_file,
    segment_files,
    segment_name,
    sync_folder,
    write_all,
    write_filled,
)
from gateway.audit.journal.head import HeadFile, JournalHead
from gateway.audit.journal.recovery import (
    Alarm,
    JournalEvidence,
    cut_torn_end,
    find_alarm,
    find_last_good_line,
    gather_evidence,
    newest_head,
    raise_alarm,
)
from gateway.keys.keyring import Keyring
from gateway.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """Options of the journal.

    A checkpoint is signed after ``checkpoint_entries``, and at the latest ``checkpoint_seconds``
    after an entry. ``timeout``: seconds that an answer waits for its entry. ``max_waiting``:
    entries that may wait; with more, the disk has stalled, and memory must not fill up.
    ``fill_bytes``: zeros with which a segment is filled ahead at a time; 0: it is not.
    """

    segment_bytes: int = 64 * 1024 * 1024
    checkpoint_entries: int = 10_000
    checkpoint_seconds: float = 30.0
    timeout: float = 2.0
    max_waiting: int = 10_000
    fill_bytes: int = 256 * 1024


@dataclass(slots=True)
class Segment:
    """The segment that is written to. ``file``: device and inode.

    ``size``: bytes of lines on disk. ``filled``: bytes of the file, with the zeros behind them.
    """

    path: Path
    header: SegmentHeader
    descriptor: int
    file: tuple[int, int]
    size: int
    filled: int


class Writer:
    """Writes entries to the last segment of ``folder``. Not safe for concurrent threads."""

    def __init__(
        self,
        folder: Path,
        chain: Keyring,
        sign: Ed25519PrivateKey,
        options: JournalOptions,
        clock: Clock,
    ) -> None:
        self.journal = ""
        self.link = ChainLink(0, START)
        self._folder = folder
        self._chain = chain
        self._sign = sign
        self._options = options
        self._clock = clock
        self._lock: int | None = None
        self._segment: Segment | None = None
        self._torn = False
        self._head: HeadFile | None = None
        #: Number of the entry of the last checkpoint.
        self.checked = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a segment to write to."""
        return self._segment is not None

    def open(self) -> None:
        """Lock the folder, recover from a crash, and continue the chain.

        Raises OSError, BlockingIOError if another gateway has the folder, and ValueError if the key
        of the last segment is unknown. Costs as much as reading a few lines.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock(self._folder)
        self.link, self._torn = ChainLink(0, START), False
        try:
            checkpoints.keep_public_key(self._folder, self._sign.public_key())
            evidence, after = self._recover()
            self.journal = self.journal or secrets.token_hex(8)
            self.checked = self._last_checked()
            self._head = HeadFile(self._folder)
            header = None if self._segment is None else self._segment.header
            self._write_head(newest_head(self.journal, header, self.link, evidence))
            self._head.sync()
            self.checkpoint()
            if after is not None:
                self._start_segment(after, evidence.segment if evidence else 0)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Sign a last checkpoint and release the folder."""
        if self._segment is not None:
            with contextlib.suppress(OSError):
                if self._torn:
                    self._mend(self._segment)
            self.checkpoint()
            with contextlib.suppress(OSError):
                _cut_zeros(self._segment)
            with contextlib.suppress(OSError):
                os.close(self._segment.descriptor)
            self._segment = None
        if self._head is not None:
            with contextlib.suppress(OSError):
                self._head.sync()
            self._head.close()
            self._head = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write(self, bodies: Sequence[bytes]) -> int:
        """Write and sync entries (JSON objects); return the number of the first.

        Raises OSError. After a failure the chain is unchanged, as if nothing had been written.
        """
        segment = self._present()
        lines, link = seal_entries(self._chain.current, self.link, bodies)
        zeros = self._zeros(segment, segment.size + len(lines))
        self._torn = True
        end = write_filled(segment.descriptor, lines, zeros, segment.size)
        os.fdatasync(segment.descriptor)
        self._torn = False
        segment.size += len(lines)
        segment.filled = max(segment.filled, end)
        first, self.link = self.link.seq + 1, link
        try:
            self._write_head(JournalHead(self.journal, segment.header.segment, link))
        except OSError as error:  # the entries are on disk all the same
            structlog.get_logger().error("audit_head_failed", error=str(error))
        if link.seq - self.checked >= self._options.checkpoint_entries:
            self.checkpoint()
        return first

    def _zeros(self, segment: Segment, end: int) -> int:
        """Return how many zeros to write behind lines that end at ``end``; 0 if there are some."""
        if end <= segment.filled:
            return 0
        return max(min(self._options.fill_bytes, self._options.segment_bytes - end), 0)

    def checkpoint(self) -> None:
        """Sign a checkpoint; a failure is logged, and the next entries try again."""
        segment = self._segment
        if segment is None or self.link.seq in {self.checked, segment.header.seq}:
            return
        line = checkpoints.sign_checkpoint(
            self._sign, self.journal, self.link, format_moment(self._clock.now())
        )
        try:
            checkpoints.append_checkpoint(self._folder, line)
            self.checked = self.link.seq
        except OSError as error:
            structlog.get_logger().error("audit_checkpoint_failed", error=str(error))

    def _write_head(self, head: JournalHead) -> None:
        if self._head is not None:
            self._head.write(self._chain.current, head)

    def _present(self) -> Segment:
        """Return the segment to write to: the current one, if it is intact and not full."""
        if self._segment is None:
            raise OSError("the journal is not open")
        if self._torn:
            self._mend(self._segment)
        segment = self._segment
        try:
            status = segment.path.stat()
        except FileNotFoundError:
            return self._leave_segment("removed")
        if (status.st_dev, status.st_ino) != segment.file:
            return self._leave_segment("removed")
        if status.st_size != segment.filled:
            return self._leave_segment("changed")
        if segment.size >= self._options.segment_bytes and self.link.seq > segment.header.seq:
            return self._start_segment("full")
        return segment

    def _mend(self, segment: Segment) -> None:
        """Cut off what a failed write left after the last line on disk; raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(segment.path, os.O_RDWR)
            status = os.fstat(descriptor)
            if (status.st_dev, status.st_ino) != segment.file:
                os.close(descriptor)
            else:
                with contextlib.suppress(OSError):
                    os.close(segment.descriptor)
                segment.descriptor = descriptor
                if status.st_size > segment.size:
                    os.ftruncate(descriptor, segment.size)
                segment.filled = segment.size
        self._torn = False

    def _leave_segment(self, after: str) -> Segment:
        """Start the next segment because somebody removed or changed the current one."""
        segment = self._start_segment(after)
        raise_alarm(after, before=segment.path.name)
        return segment

    def _start_segment(self, after: str, beyond: int = 0) -> Segment:
        """Start the next segment, with a number above ``beyond``.

        Raises OSError, and then nothing has changed.
        """
        number = max((number for number, _ in segment_files(self._folder)), default=beyond)
        number = max(number, beyond)
        if self._segment is not None:
            self.checkpoint()
            number = max(number, self._segment.header.segment)
            _cut_zeros(self._segment)
        key = self._chain.current
        at = format_moment(self._clock.now())
        header = SegmentHeader(self.journal, number + 1, *self._ends(), key.id, at, after)
        line, mac = header.line(key)
        path = self._folder / segment_name(header.segment)
        descriptor = new_file(path)
        try:
            write_all(descriptor, line + b"\n")
            os.fdatasync(descriptor)
            sync_folder(self._folder)
        except BaseException:
            os.close(descriptor)
            path.unlink()
            raise
        if self._segment is not None:
            with contextlib.suppress(OSError):
                os.close(self._segment.descriptor)
        self.link = ChainLink(self.link.seq, mac)
        return self._use(path, header, descriptor)

    def _ends(self) -> tuple[int, str]:
        return self.link.seq, self.link.mac

    def _use(self, path: Path, header: SegmentHeader, descriptor: int) -> Segment:
        status = os.fstat(descriptor)
        file = (status.st_dev, status.st_ino)
        self._segment = Segment(path, header, descriptor, file, status.st_size, status.st_size)
        return self._segment

    def _last_checked(self) -> int:
        """Return the number of the entry of the last checkpoint."""
        public = [self._sign.public_key()]
        checkpoint = checkpoints.last(self._folder / checkpoints.CHECKPOINTS, self.journal, public)
        return 0 if checkpoint is None else checkpoint.link.seq

    def _recover(self) -> tuple[JournalEvidence | None, str | None]:
        """Open the last segment at its last valid line; raises OSError, ValueError.

        Returns the evidence of head and checkpoints, and why another segment must start, if so.
        """
        for _, path in reversed(segment_files(self._folder)):
            descriptor = os.open(path, os.O_RDWR)
            try:
                resumable = find_last_good_line(descriptor, self._chain, path)
                if resumable is not None:
                    return self._resume(path, descriptor, *resumable)
                cut_torn_end(descriptor, 0, self._folder, self._clock.now())
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
            path.unlink()
        evidence = self._evidence(None)
        if evidence is None or not evidence.link.seq:
            return None, "nothing"
        self.journal, self.link = evidence.journal, evidence.link
        raise_alarm(Alarm.CUT, entries=evidence.link.seq, missing="every segment")
        return evidence, Alarm.CUT

    def _resume(
        self, path: Path, descriptor: int, header: SegmentHeader, link: ChainLink, good: int
    ) -> tuple[JournalEvidence | None, str | None]:
        """Continue after the last valid line; with an alarm, leave the segment as it is."""
        evidence = self._evidence(header.journal)
        alarm = find_alarm(descriptor, good, header, link, evidence)
        if alarm in {None, Alarm.HEADLESS}:
            cut_torn_end(descriptor, good, self._folder, self._clock.now())
        self.journal, self.link = header.journal, link
        self._use(path, header, descriptor)
        if alarm is not None:
            if evidence is not None and evidence.link.seq > link.seq:
                self.link = evidence.link
            raise_alarm(alarm, segment=path.name, good_until=link.seq, written_until=self.link.seq)
            return evidence, alarm
        if header.version == 1:
            return evidence, "version"
        return evidence, None if header.key == self._chain.current.id else "key"

    def _evidence(self, journal: str | None) -> JournalEvidence | None:
        return gather_evidence(self._folder, self._chain, [self._sign.public_key()], journal)


def _cut_zeros(segment: Segment) -> None:
    """Cut off the zeros behind the last line of a segment, which ends; raises OSError.

    A file whose size somebody else changed stays as it is.
    """
    if os.fstat(segment.descriptor).st_size == segment.filled > segment.size:
        os.ftruncate(segment.descriptor, segment.size)
        os.fsync(segment.descriptor)
        segment.filled = segment.size
