"""One pass over a journal or an archive, to the first fault (``gateway.audit.journal.verify``)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit.journal import checkpoints
from gateway.audit.journal.archive import (
    ARCHIVE,
    Archive,
    read_archives,
    read_chain,
)
from gateway.audit.journal.chain import (
    START,
    ChainLink,
    SegmentHeader,
    expected_mac,
    parse_header,
    stated_at,
    stated_mac,
)
from gateway.audit.journal.checkpoints import CHECKPOINTS, Checkpoint
from gateway.audit.journal.faults import Fault, FaultKind, JournalBroken, explain_fault
from gateway.audit.journal.files import file_size, segment_files, segment_name
from gateway.audit.journal.head import HEAD, JournalHead, read_head
from gateway.audit.journal.recovery import Alarm
from gateway.keys.keyring import Keyring, Secret

#: The fault of a segment whose header says why the one before it ended.
_ENDED_BY = {
    Alarm.ALTERED: "when the gateway started, the end of the segment before had been edited",
    Alarm.CUT: "when the gateway started, the end of the journal had been cut off",
    Alarm.HEADLESS: "when the gateway started, the head was missing or had been changed: whether "
    "the end of the journal had been cut off is not known",
}


@dataclass(slots=True)
class VerificationReport:
    """The result of a verification, up to the first fault.

    ``entries``, ``segments`` and ``checkpoints``: how many are valid. ``seq``, ``at``: number and
    time of the last valid entry. ``archived``: number of the last entry in archives, whose
    statements were verified and whose entries were not read. ``is_archive``: the folder holds an
    archive. ``torn``: files with lines that a crash left unfinished.
    """

    journal: str | None = None
    entries: int = 0
    segments: int = 0
    seq: int = 0
    at: str | None = None
    checkpoints: int = 0
    archived: int = 0
    is_archive: bool = False
    torn: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class ExternalCheckpoints:
    """Checkpoints kept outside the journal's folder, of other journals too. ``name``: the place."""

    name: str
    checkpoints: Iterable[Checkpoint]


class JournalReading:
    """One pass over a journal. ``last``: the last valid line.

    ``counted``: entries that there must be, as the pass before knew.
    """

    def __init__(self, folder: Path, chain: Keyring, counted: int = 0) -> None:
        self.report = VerificationReport(torn=sum(1 for _ in folder.glob("torn-*.bin")))
        self.last = b""
        self._chain = chain
        self._link = ChainLink(0, START)
        self._start = self._link
        self._first = 1
        self._archive: Archive | None = None
        self._checkpoints: dict[int, list[Checkpoint]] = {}
        self._folder = folder
        self._counted = counted
        self._head = read_head(folder, chain)
        self._checkpoint_bytes = file_size(folder / CHECKPOINTS)
        self._has_head = False
        self._files = segment_files(folder)  # after all that counts their entries
        headed = None if self._head is None else self._head.journal
        self.report.journal = journal_of_segments(self._files) or headed

    @property
    def counted(self) -> int:
        """Entries that there must be, by the head and the checkpoints."""
        head = 0 if self._head is None else self._head.link.seq
        return max((head, self._counted, *self._checkpoints))

    def verify(
        self, public: Sequence[Ed25519PublicKey], external: Sequence[ExternalCheckpoints]
    ) -> VerificationReport:
        """Read the journal or archive; return the report."""
        path = self._folder / CHECKPOINTS
        counted = ExternalCheckpoints(CHECKPOINTS, checkpoints.read(path, self._checkpoint_bytes))
        try:
            self._begin(public)
            self._expect(counted, public, True)
            for source in external:
                self._expect(source, public, False)
            self._run()
        except JournalBroken as broken:
            self.report.fault = broken.fault
        self.report.at = stated_at(self.last)
        return self.report

    def _begin(self, public: Sequence[Ed25519PublicKey]) -> None:
        """Set where to start: after the last archive, or at the start of an archive."""
        if self._head is not None and self._head.journal != self.report.journal:
            self._head = None
        archived = read_archives(self._folder / ARCHIVE, public)
        if archived:
            self._archive = archive = archived[0]
            self._first, self._link = archive.first, archive.start
            self.report.is_archive = True
        else:
            archives = read_chain(self._folder, public)
            if not archives:
                return
            archive = archives[-1]
            self._first, self._link = archive.last + 1, archive.end
            self.report.archived = self.report.seq = archive.end.seq
            self._files = [file for file in self._files if file[0] > archive.last]
        self._start = self._link
        self.report.journal = journal_of_segments(self._files) or archive.journal
        if archive.journal != self.report.journal:
            message = f"an archive of the journal {archive.journal}, this is {self.report.journal}"
            raise JournalBroken(FaultKind.ARCHIVE, ARCHIVE, 1, None, message)

    def _expect(
        self, source: ExternalCheckpoints, public: Sequence[Ed25519PublicKey], is_ours: bool
    ) -> None:
        """Note checkpoints to compare. Those from outside may be of other journals too."""
        journal, count = self.report.journal, 0
        try:
            for line, checkpoint in enumerate(source.checkpoints, 1):
                seq = checkpoint.link.seq
                if checkpoint.journal != journal and not is_ours:
                    continue
                count += 1
                if seq <= self._start.seq or (self._archive and seq > self._archive.end.seq):
                    continue
                if checkpoint.journal != journal:
                    message = (
                        f"a checkpoint of the journal {checkpoint.journal}, this one is {journal}"
                    )
                    raise JournalBroken(FaultKind.CHECKPOINT, source.name, line, seq, message)
                if not checkpoint.is_signed(public):
                    message = "the signature of the checkpoint is not good"
                    raise JournalBroken(FaultKind.CHECKPOINT, source.name, line, seq, message)
                self._checkpoints.setdefault(seq, []).append(checkpoint)
        except ValueError as error:
            raise JournalBroken(FaultKind.CHECKPOINT, source.name, 0, None, str(error)) from None
        if not is_ours and not count:
            message = f"no checkpoint in it is of this journal ({journal})"
            raise JournalBroken(FaultKind.CHECKPOINT, source.name, 0, None, message)

    def _run(self) -> None:
        """Read all segments; raises JournalBroken at the first fault."""
        name, line = CHECKPOINTS, 0
        for number, path in self._segments():
            is_open = self._archive is None and path == self._files[-1][1]
            try:
                name, line = path.name, self._segment(number, path, is_open)
            except FileNotFoundError:
                raise self._missing(number, path) from None
            self.report.segments += 1
        beyond = min((seq for seq in self._checkpoints if seq > self._link.seq), default=None)
        if beyond is not None:
            at = self._checkpoints[beyond][0].at
            message = f"the end is cut off: a checkpoint of {at} counts {beyond} entries"
            raise JournalBroken(FaultKind.CUT, name, line, self._link.seq + 1, message)
        if self._archive is None:
            self._check_head(self._head, name, line)
        elif (name, self._link) != (segment_name(self._archive.last), self._archive.end):
            message = f"the archive was signed with entries up to {self._archive.end.seq}"
            raise JournalBroken(FaultKind.CUT, name, line, self._link.seq + 1, message)
        if self._counted > self._link.seq:
            message = f"the end is cut off: {self._counted} entries were counted a moment before"
            raise JournalBroken(FaultKind.CUT, name, line, self._link.seq + 1, message)

    def _segments(self) -> Iterator[tuple[int, Path]]:
        """Yield number and path of each segment; raises JournalBroken where one is missing.

        A listing may pass over a file that comes meanwhile, and have one that came later.
        """
        position = self._first
        for number, path in self._files:
            while position < number and (unlisted := self._path(position)).exists():
                yield position, unlisted
                position += 1
            if number != position:
                raise self._missing(position, path)
            yield number, path
            position += 1

    def _path(self, number: int) -> Path:
        return self._folder / segment_name(number)

    def _check_head(self, head: JournalHead | None, name: str, line: int) -> None:
        """Raise Broken if the head counts more entries than there are, or is missing."""
        if head is None and not self._has_head:
            return
        if head is None:
            message = "the head is missing, or was changed: whether the end is cut off is not known"
            raise JournalBroken(FaultKind.CUT, HEAD, 0, None, message)
        if head.link.seq > self._link.seq:
            message = f"the end is cut off: the head counts {head.link.seq} entries"
            raise JournalBroken(FaultKind.CUT, name, line, self._link.seq + 1, message)

    def _missing(self, number: int, following: Path) -> JournalBroken:
        """Return the fault of a missing segment: its entries, as far as the next one shows them."""
        first = self._link.seq + 1
        try:
            with following.open("rb") as file:
                last = parse_header(file.readline().rstrip(b"\n")).seq
        except (ValueError, FileNotFoundError):
            range_text = ""
        else:
            range_text = f": entries {first} to {last}" if last >= first else ", without entries"
        message = f"removed: the segment is missing{range_text}"
        return JournalBroken(FaultKind.REMOVED, segment_name(number), 0, first, message)

    def _segment(self, number: int, path: Path, is_last: bool) -> int:
        """Verify one segment and return its number of lines. ``is_last``: it may still grow."""
        with path.open("rb") as file:
            whole = file.readline()
            if is_last and not whole.endswith(b"\n"):
                return 0  # it is just being made
            secret = self._header(whole.rstrip(b"\n"), number, path.name)
            line = 1
            for line, whole in enumerate(file, 2):
                if is_last and self._is_unfinished(whole):
                    return line - 1
                if not whole.strip(b"\0"):
                    return line - 1  # the segment was filled ahead
                if not whole.endswith(b"\n"):
                    seq = self._link.seq + 1
                    raise JournalBroken(
                        FaultKind.EDITED, path.name, line, seq, "the line is cut short"
                    )
                self._entry(secret, whole[:-1], line, path)
            return line

    def _is_unfinished(self, line: bytes) -> bool:
        """Return whether ``line`` is being written, or was when the gateway was killed.

        It may have an end and zeros before it: of those that it is written over, or because a power
        cut kept some blocks of a write and not others. An entry that the head counts has none.
        """
        if not line.endswith(b"\n"):
            return True
        return b"\0" in line and self._head is not None and self._head.link.seq <= self._link.seq

    def _header(self, line: bytes, number: int, name: str) -> Secret:
        """Verify the first line of a segment and return the key of the others."""
        try:
            header = parse_header(line)
        except ValueError as error:
            message = f"the header was edited: {error}"
            raise JournalBroken(FaultKind.HEADER, name, 1, None, message) from None
        secret = self._chain.by_id(header.key)
        if secret is None:
            message = f"written with the chain key {header.key}, which is not among those known"
            raise JournalBroken(FaultKind.KEY, name, 1, None, message)
        mac = stated_mac(line) or ""
        if mac != expected_mac(secret, header.previous, line):
            raise JournalBroken(FaultKind.HEADER, name, 1, None, "the header was edited or forged")
        if header.journal != self.report.journal or header.segment != number:
            message = f"this is segment {header.segment} of the journal {header.journal}"
            raise JournalBroken(FaultKind.FOREIGN, name, 1, None, message)
        if (header.seq, header.previous) != (self._link.seq, self._link.mac):
            raise self._gap(header, name)
        if header.after in _ENDED_BY:
            raise JournalBroken(
                FaultKind.CUT, name, 1, header.seq + 1, _ENDED_BY[Alarm(header.after)]
            )
        self._has_head = header.version > 1
        self._link = ChainLink(header.seq, mac)
        return secret

    def _gap(self, header: SegmentHeader, name: str) -> JournalBroken:
        """Return the fault between the end of a segment and the next one."""
        first = self._link.seq + 1
        if header.seq >= first:
            message = f"removed: entries {first} to {header.seq} at the end of the segment before"
            return JournalBroken(FaultKind.REMOVED, name, 1, first, message)
        message = "the segment does not continue the one before"
        return JournalBroken(FaultKind.FOREIGN, name, 1, first, message)

    def _entry(self, secret: Secret, line: bytes, number: int, path: Path) -> None:
        link = self._link
        mac = stated_mac(line)
        if mac is None or mac != expected_mac(secret, link.mac, line):
            raise explain_fault(secret, link, line, number, path)
        seq = link.seq + 1
        if seq in self._checkpoints:
            self._compare(seq, mac, number, path.name)
        if self._head is not None and self._head.link.seq == seq and self._head.link.mac != mac:
            message = "not the entry that the head is of: the end was cut and written anew"
            raise JournalBroken(FaultKind.CUT, path.name, number, seq, message)
        self._link = ChainLink(seq, mac)
        self.last = line
        self.report.entries += 1
        self.report.seq = seq

    def _compare(self, seq: int, mac: str, line: int, name: str) -> None:
        for checkpoint in self._checkpoints[seq]:
            if checkpoint.link.mac != mac:
                at = checkpoint.at
                message = f"not the entry that a checkpoint of {at} is of: the end was cut and "
                raise JournalBroken(FaultKind.CUT, name, line, seq, message + "written anew")
            self.report.checkpoints += 1


def journal_of_segments(files: Sequence[tuple[int, Path]]) -> str | None:
    """Return the id of a journal by the first readable header of its segments, else None."""
    for _, path in files:
        with contextlib.suppress(ValueError, FileNotFoundError), path.open("rb") as file:
            return parse_header(file.readline().rstrip(b"\n")).journal
    return None
