"""Whether a journal is what was written: the first entry that is not, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit.journal import checkpoints
from gateway.audit.journal.archive import ARCHIVE, Archive, read_archives, read_chain
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
from gateway.audit.journal.faults import Fault, FaultKind, JournalBroken, explain
from gateway.audit.journal.files import segment_files, segment_name
from gateway.audit.journal.head import HEAD, JournalHead, read_head
from gateway.audit.journal.recovery import Alarm
from gateway.keys.keyring import Keyring, Secret

#: What a gateway that started and found the end of its journal changed says in the next header.
_FOUND = {
    Alarm.ALTERED: "when the gateway started, the end of the segment before had been edited",
    Alarm.CUT: "when the gateway started, the end of the journal had been cut off",
    Alarm.HEADLESS: "when the gateway started, the head was missing or had been changed: whether "
    "the end of the journal had been cut off is not known",
}


@dataclass(slots=True)
class Report:
    """What was found up to the first fault.

    ``entries``, ``segments`` and ``checkpoints``: how many are good. ``seq``, ``at``: number and
    time of the last good entry. ``archived``: number of the last entry in archives, whose
    statements were checked and which were not read. ``is_archive``: the folder holds an archive.
    ``torn``: files with what crashes left of unfinished lines.
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
    """Checkpoints that were kept elsewhere, maybe of other journals too. ``name``: of the place."""

    name: str
    checkpoints: Iterable[Checkpoint]


def verify(
    folder: Path,
    chain: Keyring,
    public: Sequence[Ed25519PublicKey],
    kept: Sequence[ExternalCheckpoints] = (),
) -> Report:
    """Read the journal or archive in ``folder`` from its first line to the first fault.

    ``chain``: the keys that it was written with. ``public``: keys that may have signed checkpoints
    and archives. ``kept``: checkpoints that count beside those in the folder. A journal of which
    segments were archived is read from where the last archive ends. Works while a gateway writes:
    a line that is not yet whole is left out. Raises OSError for what cannot be read. Memory grows
    with the checkpoints only; takes about 6 us an entry.
    """
    reading = _Reading(folder, chain)
    try:
        reading.begin(folder, public)
        reading.expect(
            ExternalCheckpoints(CHECKPOINTS, checkpoints.read(folder / CHECKPOINTS)), public, True
        )
        for elsewhere in kept:
            reading.expect(elsewhere, public, False)
        reading.run()
    except JournalBroken as broken:
        reading.report.fault = broken.fault
    reading.report.at = stated_at(reading.last)
    return reading.report


class _Reading:
    """One pass over a journal. ``last``: the last good line."""

    def __init__(self, folder: Path, chain: Keyring) -> None:
        self.report = Report(torn=sum(1 for _ in folder.glob("torn-*.bin")))
        self.last = b""
        self._chain = chain
        self._link = ChainLink(0, START)
        self._start = self._link
        self._first = 1
        self._archive: Archive | None = None
        self._checkpoints: dict[int, list[Checkpoint]] = {}
        self._head = read_head(folder, chain)  # before the segments: they may grow meanwhile
        self._has_head = False
        self._files = segment_files(folder)
        headed = None if self._head is None else self._head.journal
        self.report.journal = _journal_of(self._files) or headed

    def begin(self, folder: Path, public: Sequence[Ed25519PublicKey]) -> None:
        """Find out where to begin: behind what was archived, or where an archive begins."""
        if self._head is not None and self._head.journal != self.report.journal:
            self._head = None
        archived = read_archives(folder / ARCHIVE, public)
        if archived:
            self._archive = archive = archived[0]
            self._first, self._link = archive.first, archive.start
            self.report.is_archive = True
        else:
            archives = read_chain(folder, public)
            if not archives:
                return
            archive = archives[-1]
            self._first, self._link = archive.last + 1, archive.end
            self.report.archived = self.report.seq = archive.end.seq
            self._files = [file for file in self._files if file[0] > archive.last]
        self._start = self._link
        self.report.journal = _journal_of(self._files) or archive.journal
        if archive.journal != self.report.journal:
            says = f"an archive of the journal {archive.journal}, this is {self.report.journal}"
            raise JournalBroken(FaultKind.ARCHIVE, ARCHIVE, 1, None, says)

    def expect(
        self, kept: ExternalCheckpoints, public: Sequence[Ed25519PublicKey], is_ours: bool
    ) -> None:
        """Note checkpoints. Those kept elsewhere may be of other journals too."""
        journal, known = self.report.journal, 0
        try:
            for line, one in enumerate(kept.checkpoints, 1):
                seq = one.link.seq
                if one.journal != journal and not is_ours:
                    continue
                known += 1
                if seq <= self._start.seq or (self._archive and seq > self._archive.end.seq):
                    continue
                if one.journal != journal:
                    says = f"a checkpoint of the journal {one.journal}, and this one is {journal}"
                    raise JournalBroken(FaultKind.CHECKPOINT, kept.name, line, seq, says)
                if not one.is_signed(public):
                    says = "the signature of the checkpoint is not good"
                    raise JournalBroken(FaultKind.CHECKPOINT, kept.name, line, seq, says)
                self._checkpoints.setdefault(seq, []).append(one)
        except ValueError as error:
            raise JournalBroken(FaultKind.CHECKPOINT, kept.name, 0, None, str(error)) from None
        if not is_ours and not known:
            says = f"no checkpoint in it is of this journal ({journal})"
            raise JournalBroken(FaultKind.CHECKPOINT, kept.name, 0, None, says)

    def run(self) -> None:
        """Read all segments; raises Broken at the first fault."""
        name, line = CHECKPOINTS, 0
        for position, (number, path) in enumerate(self._files, self._first):
            if number != position:
                raise self._missing(position, path)
            is_open = self._archive is None and path == self._files[-1][1]
            name, line = path.name, self._segment(number, path, is_open)
            self.report.segments += 1
        beyond = min((seq for seq in self._checkpoints if seq > self._link.seq), default=None)
        if beyond is not None:
            at = self._checkpoints[beyond][0].at
            says = f"the end is cut off: a checkpoint of {at} counts {beyond} entries"
            raise JournalBroken(FaultKind.CUT, name, line, self._link.seq + 1, says)
        if self._archive is None:
            self._check_head(self._head, name, line)
        elif (name, self._link) != (segment_name(self._archive.last), self._archive.end):
            says = f"the archive was signed with entries up to {self._archive.end.seq}"
            raise JournalBroken(FaultKind.CUT, name, line, self._link.seq + 1, says)

    def _check_head(self, head: JournalHead | None, name: str, line: int) -> None:
        """Raise Broken where the head counts more than there is, or should be there and is not."""
        if head is None and not self._has_head:
            return
        if head is None:
            says = "the head is missing, or was changed: whether the end is cut off is not known"
            raise JournalBroken(FaultKind.CUT, HEAD, 0, None, says)
        if head.link.seq > self._link.seq:
            says = f"the end is cut off: the head counts {head.link.seq} entries"
            raise JournalBroken(FaultKind.CUT, name, line, self._link.seq + 1, says)

    def _missing(self, number: int, then: Path) -> JournalBroken:
        """Say which entries a segment that is not there held, as far as the next one tells."""
        first = self._link.seq + 1
        try:
            with then.open("rb") as file:
                last = parse_header(file.readline().rstrip(b"\n")).seq
        except ValueError:
            held = ""
        else:
            held = f": entries {first} to {last}" if last >= first else ", without entries"
        says = f"removed: the segment is missing{held}"
        return JournalBroken(FaultKind.REMOVED, segment_name(number), 0, first, says)

    def _segment(self, number: int, path: Path, is_last: bool) -> int:
        """Check one segment and return how many lines it has. ``is_last``: it may still grow."""
        with path.open("rb") as file:
            whole = file.readline()
            if is_last and not whole.endswith(b"\n"):
                return 0  # it is just being made
            secret = self._header(whole.rstrip(b"\n"), number, path.name)
            line = 1
            for line, whole in enumerate(file, 2):
                if not whole.endswith(b"\n"):
                    if is_last:
                        return line - 1  # being written, or was when the gateway was killed
                    seq = self._link.seq + 1
                    raise JournalBroken(
                        FaultKind.EDITED, path.name, line, seq, "the line is cut short"
                    )
                self._entry(secret, whole[:-1], line, path)
            return line

    def _header(self, line: bytes, number: int, name: str) -> Secret:
        """Check the first line of a segment and return the key of the others."""
        try:
            header = parse_header(line)
        except ValueError as error:
            says = f"the header was edited: {error}"
            raise JournalBroken(FaultKind.HEADER, name, 1, None, says) from None
        secret = self._chain.by_id(header.key)
        if secret is None:
            says = f"written with the chain key {header.key}, which is not among those known"
            raise JournalBroken(FaultKind.KEY, name, 1, None, says)
        mac = stated_mac(line) or ""
        if mac != expected_mac(secret, header.previous, line):
            raise JournalBroken(FaultKind.HEADER, name, 1, None, "the header was edited or forged")
        if header.journal != self.report.journal or header.segment != number:
            says = f"this is segment {header.segment} of the journal {header.journal}"
            raise JournalBroken(FaultKind.FOREIGN, name, 1, None, says)
        if (header.seq, header.previous) != (self._link.seq, self._link.mac):
            raise self._gap(header, name)
        if header.after in _FOUND:
            raise JournalBroken(FaultKind.CUT, name, 1, header.seq + 1, _FOUND[Alarm(header.after)])
        self._has_head = header.version > 1
        self._link = ChainLink(header.seq, mac)
        return secret

    def _gap(self, header: SegmentHeader, name: str) -> JournalBroken:
        """Say what lies between the end of a segment and the next one."""
        first = self._link.seq + 1
        if header.seq >= first:
            says = f"removed: entries {first} to {header.seq} at the end of the segment before"
            return JournalBroken(FaultKind.REMOVED, name, 1, first, says)
        says = "the segment does not continue the one before"
        return JournalBroken(FaultKind.FOREIGN, name, 1, first, says)

    def _entry(self, secret: Secret, line: bytes, number: int, path: Path) -> None:
        link = self._link
        mac = stated_mac(line)
        if mac is None or mac != expected_mac(secret, link.mac, line):
            raise explain(secret, link, line, number, path)
        seq = link.seq + 1
        if seq in self._checkpoints:
            self._compare(seq, mac, number, path.name)
        if self._head is not None and self._head.link.seq == seq and self._head.link.mac != mac:
            says = "not the entry that the head is of: the end was cut and written anew"
            raise JournalBroken(FaultKind.CUT, path.name, number, seq, says)
        self._link = ChainLink(seq, mac)
        self.last = line
        self.report.entries += 1
        self.report.seq = seq

    def _compare(self, seq: int, mac: str, line: int, name: str) -> None:
        for one in self._checkpoints[seq]:
            if one.link.mac != mac:
                says = f"not the entry that a checkpoint of {one.at} is of: the end was cut and "
                raise JournalBroken(FaultKind.CUT, name, line, seq, says + "written anew")
            self.report.checkpoints += 1


def journal_in(folder: Path) -> str | None:
    """Return which journal is in ``folder``: that of the first header that can be read, if any."""
    return _journal_of(segment_files(folder))


def _journal_of(files: Sequence[tuple[int, Path]]) -> str | None:
    for _, path in files:
        with path.open("rb") as file:
            try:
                return parse_header(file.readline().rstrip(b"\n")).journal
            except ValueError:
                continue
    return None
