"""Whether a journal is what was written: the first entry that is not, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit import checkpoints
from gateway.audit.chain import (
    START,
    Header,
    Link,
    expected_mac,
    parse_header,
    stated_at,
    stated_mac,
)
from gateway.audit.checkpoints import CHECKPOINTS, Checkpoint
from gateway.audit.faults import Broken, Fault, Wrong, explain
from gateway.audit.segments import segment_files, segment_name
from gateway.keys import Keyring, Secret


@dataclass(slots=True)
class Report:
    """What was found up to the first fault.

    ``entries``, ``segments`` and ``checkpoints``: how many are good. ``seq``, ``at``: number and
    time of the last good entry. ``torn``: files with what crashes left of unfinished lines.
    """

    journal: str | None = None
    entries: int = 0
    segments: int = 0
    seq: int = 0
    at: str | None = None
    checkpoints: int = 0
    torn: int = 0
    fault: Fault | None = None


def verify(
    folder: Path,
    chain: Keyring,
    public: Sequence[Ed25519PublicKey],
    copied: Path | None = None,
) -> Report:
    """Read the journal in ``folder`` from its first line to the first fault.

    ``chain``: the keys that it was written with. ``public``: keys that may have signed
    checkpoints. ``copied``: checkpoints kept elsewhere, which count beside those in the folder.
    Works while a gateway writes: a line that is not yet whole is left out. Raises OSError for what
    cannot be read. Memory grows with the checkpoints only; takes about 6 us an entry.
    """
    reading = _Reading(folder, chain)
    try:
        reading.expect(folder / CHECKPOINTS, public, is_copy=False)
        if copied is not None:
            reading.expect(copied, public, is_copy=True)
        reading.run()
    except Broken as broken:
        reading.report.fault = broken.fault
    reading.report.at = stated_at(reading.last)
    return reading.report


class _Reading:
    """One pass over a journal. ``last``: the last good line."""

    def __init__(self, folder: Path, chain: Keyring) -> None:
        self.report = Report(torn=sum(1 for _ in folder.glob("torn-*.bin")))
        self.last = b""
        self._chain = chain
        self._link = Link(0, START)
        self._checkpoints: dict[int, list[Checkpoint]] = {}
        self._files = segment_files(folder)
        self.report.journal = _journal(self._files)

    def expect(self, path: Path, public: Sequence[Ed25519PublicKey], is_copy: bool) -> None:
        """Note the checkpoints in a file. A copy may hold those of other journals too."""
        if is_copy and not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        journal, known = self.report.journal, 0
        try:
            for line, one in enumerate(checkpoints.read(path), 1):
                seq = one.link.seq
                if one.journal != journal and is_copy:
                    continue
                if one.journal != journal:
                    says = f"a checkpoint of the journal {one.journal}, and this one is {journal}"
                    raise Broken(Wrong.CHECKPOINT, path.name, line, seq, says)
                if not one.is_signed(public):
                    says = "the signature of the checkpoint is not good"
                    raise Broken(Wrong.CHECKPOINT, path.name, line, seq, says)
                self._checkpoints.setdefault(seq, []).append(one)
                known += 1
        except ValueError as error:
            raise Broken(Wrong.CHECKPOINT, path.name, 0, None, str(error)) from None
        if is_copy and not known:
            says = f"no checkpoint in it is of this journal ({journal})"
            raise Broken(Wrong.CHECKPOINT, path.name, 0, None, says)

    def run(self) -> None:
        """Read all segments; raises Broken at the first fault."""
        name, line = CHECKPOINTS, 0
        for position, (number, path) in enumerate(self._files, 1):
            if number != position:
                raise self._missing(position, path)
            name, line = path.name, self._segment(number, path, position == len(self._files))
            self.report.segments += 1
        beyond = min((seq for seq in self._checkpoints if seq > self._link.seq), default=None)
        if beyond is not None:
            at = self._checkpoints[beyond][0].at
            says = f"the end is cut off: a checkpoint of {at} counts {beyond} entries"
            raise Broken(Wrong.CUT, name, line, self._link.seq + 1, says)

    def _missing(self, number: int, then: Path) -> Broken:
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
        return Broken(Wrong.REMOVED, segment_name(number), 0, first, says)

    def _segment(self, number: int, path: Path, is_last: bool) -> int:
        """Check one segment and return how many lines it has."""
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
                    raise Broken(Wrong.EDITED, path.name, line, seq, "the line is cut short")
                self._entry(secret, whole[:-1], line, path)
            return line

    def _header(self, line: bytes, number: int, name: str) -> Secret:
        """Check the first line of a segment and return the key of the others."""
        try:
            header = parse_header(line)
        except ValueError as error:
            says = f"the header was edited: {error}"
            raise Broken(Wrong.HEADER, name, 1, None, says) from None
        secret = self._chain.by_id(header.key)
        if secret is None:
            says = f"written with the chain key {header.key}, which is not among those known"
            raise Broken(Wrong.KEY, name, 1, None, says)
        mac = stated_mac(line) or ""
        if mac != expected_mac(secret, header.previous, line):
            raise Broken(Wrong.HEADER, name, 1, None, "the header was edited or forged")
        if header.journal != self.report.journal or header.segment != number:
            says = f"this is segment {header.segment} of the journal {header.journal}"
            raise Broken(Wrong.FOREIGN, name, 1, None, says)
        if (header.seq, header.previous) != (self._link.seq, self._link.mac):
            raise self._gap(header, name)
        self._link = Link(header.seq, mac)
        return secret

    def _gap(self, header: Header, name: str) -> Broken:
        """Say what lies between the end of a segment and the next one."""
        first = self._link.seq + 1
        if header.seq >= first:
            says = f"removed: entries {first} to {header.seq} at the end of the segment before"
            return Broken(Wrong.REMOVED, name, 1, first, says)
        says = "the segment does not continue the one before"
        return Broken(Wrong.FOREIGN, name, 1, first, says)

    def _entry(self, secret: Secret, line: bytes, number: int, path: Path) -> None:
        link = self._link
        mac = stated_mac(line)
        if mac is None or mac != expected_mac(secret, link.mac, line):
            raise explain(secret, link, line, number, path)
        seq = link.seq + 1
        if seq in self._checkpoints:
            self._compare(seq, mac, number, path.name)
        self._link = Link(seq, mac)
        self.last = line
        self.report.entries += 1
        self.report.seq = seq

    def _compare(self, seq: int, mac: str, line: int, name: str) -> None:
        for one in self._checkpoints[seq]:
            if one.link.mac != mac:
                says = f"not the entry that a checkpoint of {one.at} is of: the end was cut and "
                raise Broken(Wrong.CUT, name, line, seq, says + "written anew")
            self.report.checkpoints += 1


def _journal(files: Sequence[tuple[int, Path]]) -> str | None:
    """Return which journal the first readable header is of."""
    for _, path in files:
        with path.open("rb") as file:
            try:
                return parse_header(file.readline().rstrip(b"\n")).journal
            except ValueError:
                continue
    return None
