"""The segments of a journal: the files, what a crash left in them, and writing to the last one."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit import checkpoints
from gateway.audit.chain import START, Header, Link, add, written
from gateway.audit.files import lock, new_file, sync_folder, write_all
from gateway.audit.recovery import cut, last_good
from gateway.clock import Clock
from gateway.keys import Keyring

_NAME = re.compile(r"audit-(\d{8})\.jsonl")


@dataclass(frozen=True, slots=True)
class Options:
    """How the journal is kept. ``timeout``: seconds that an answer waits for its entry."""

    segment_bytes: int = 64 * 1024 * 1024
    checkpoint_entries: int = 10_000
    timeout: float = 2.0


@dataclass(slots=True)
class Segment:
    """The segment that is written to: ``size`` is what is known to be on disk."""

    path: Path
    header: Header
    descriptor: int
    file: tuple[int, int]
    size: int


def segment_name(number: int) -> str:
    """Return the name of a segment's file."""
    return f"audit-{number:08}.jsonl"


def segment_files(folder: Path) -> list[tuple[int, Path]]:
    """Return number and path of every segment in ``folder``, in order."""
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


class Writer:
    """Writes entries to the last segment of ``folder``. Not for several threads at a time."""

    def __init__(
        self,
        folder: Path,
        chain: Keyring,
        sign: Ed25519PrivateKey,
        options: Options,
        clock: Clock,
    ) -> None:
        self.journal = ""
        self.link = Link(0, START)
        self._folder = folder
        self._chain = chain
        self._sign = sign
        self._options = options
        self._clock = clock
        self._lock: int | None = None
        self._segment: Segment | None = None
        self._torn = False
        self._checked = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a segment to write to."""
        return self._segment is not None

    def open(self) -> None:
        """Take the folder, put right what a crash left and go on with the chain.

        Raises OSError, BlockingIOError where another gateway has the folder, and ValueError where
        the key of the last segment is not known. Costs as much as reading a few lines.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock(self._folder)
        self.link, self._torn = Link(0, START), False
        try:
            last = self._recover()
            checkpoints.keep_public_key(self._folder, self._sign.public_key())
            if last is None:
                self.journal = secrets.token_hex(8)
                self._start_segment("nothing")
            self._checked = self._last_checked()
            self._checkpoint()
            if last is not None and last.header.key != self._chain.current.id:
                self._start_segment("key")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Sign how far the journal came and leave the folder to others."""
        if self._segment is not None:
            with contextlib.suppress(OSError):
                if self._torn:
                    self._mend(self._segment)
            self._checkpoint()
            with contextlib.suppress(OSError):
                os.close(self._segment.descriptor)
            self._segment = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write(self, bodies: Sequence[bytes]) -> int:
        """Have entries (JSON objects) on disk and return the number of the first; raises OSError.

        What failed is as if it had not been tried: the chain stays where the disk is.
        """
        segment = self._present()
        lines, link = add(self._chain.current, self.link, bodies)
        self._torn = True
        write_all(segment.descriptor, lines)
        os.fdatasync(segment.descriptor)
        self._torn = False
        segment.size += len(lines)
        first, self.link = self.link.seq + 1, link
        if link.seq - self._checked >= self._options.checkpoint_entries:
            self._checkpoint()
        return first

    def _present(self) -> Segment:
        """Return the segment to write to: the one at hand if it is whole and not full."""
        if self._segment is None:
            raise OSError("the journal is not open")
        if self._torn:
            self._mend(self._segment)
        segment = self._segment
        try:
            found = segment.path.stat()
        except FileNotFoundError:
            return self._start_segment("removed")
        if (found.st_dev, found.st_ino) != segment.file:
            return self._start_segment("removed")
        if found.st_size != segment.size:
            return self._start_segment("changed")
        if segment.size >= self._options.segment_bytes and self.link.seq > segment.header.seq:
            return self._start_segment("full")
        return segment

    def _mend(self, segment: Segment) -> None:
        """Cut off what a failure left behind the last line that is on disk; raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(segment.path, os.O_RDWR | os.O_APPEND)
            found = os.fstat(descriptor)
            if (found.st_dev, found.st_ino) != segment.file:
                os.close(descriptor)
            else:
                with contextlib.suppress(OSError):
                    os.close(segment.descriptor)
                segment.descriptor = descriptor
                if found.st_size > segment.size:
                    os.ftruncate(descriptor, segment.size)
        self._torn = False

    def _start_segment(self, after: str) -> Segment:
        """Begin the next segment; raises OSError, and then all is as before."""
        number = max((number for number, _ in segment_files(self._folder)), default=0)
        if self._segment is not None:
            self._checkpoint()
            number = max(number, self._segment.header.segment)
        key = self._chain.current
        at = written(self._clock.now())
        header = Header(self.journal, number + 1, *self._ends(), key.id, at, after)
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
        self.link = Link(self.link.seq, mac)
        return self._use(path, header, descriptor)

    def _ends(self) -> tuple[int, str]:
        return self.link.seq, self.link.mac

    def _use(self, path: Path, header: Header, descriptor: int) -> Segment:
        found = os.fstat(descriptor)
        file = (found.st_dev, found.st_ino)
        self._segment = Segment(path, header, descriptor, file, found.st_size)
        return self._segment

    def _checkpoint(self) -> None:
        """Sign how far the journal came; if that fails it is tried again after the next entries."""
        segment = self._segment
        if segment is None or self.link.seq in {self._checked, segment.header.seq}:
            return
        line = checkpoints.signed(self._sign, self.journal, self.link, written(self._clock.now()))
        try:
            checkpoints.append(self._folder, line)
            self._checked = self.link.seq
        except OSError as error:
            structlog.get_logger().error("audit_checkpoint_failed", error=str(error))

    def _last_checked(self) -> int:
        """Return the entry that the last checkpoint is of."""
        path = self._folder / checkpoints.CHECKPOINTS
        try:
            ours = [one for one in checkpoints.read(path) if one.journal == self.journal]
        except ValueError:  # for ``verify`` to find
            return 0
        return ours[-1].link.seq if ours else 0

    def _recover(self) -> Segment | None:
        """Open the last segment at its last good line; raises OSError, ValueError."""
        for _, path in reversed(segment_files(self._folder)):
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
            try:
                found = last_good(descriptor, self._chain, path)
                cut(descriptor, 0 if found is None else found[2], self._folder, self._clock.now())
            except BaseException:
                os.close(descriptor)
                raise
            if found is not None:
                header, self.link, _ = found
                self.journal = header.journal
                return self._use(path, header, descriptor)
            os.close(descriptor)
            path.unlink()
        return None
