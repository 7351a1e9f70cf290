"""The tail of a journal: the entries after a given one, in order and without a gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.audit.journal.chain import (
    ChainLink,
    expected_mac,
    parse_header,
    stated_mac,
    stated_seq,
)
from gateway.audit.journal.files import segment_files, segment_name
from gateway.keys.keyring import Keyring, Secret


class Gap(Exception):
    """The journal lacks the entry that must come next; the message says which and where."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: its number, its mac, and the line without its end."""

    seq: int
    mac: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Start:
    """The start of the entries of segment ``number``, at ``offset``.

    ``before``: the end of the chain before the segment. ``mac``: of its header. ``secret``: the key
    of its lines.
    """

    number: int
    offset: int
    before: ChainLink
    mac: str
    secret: Secret


class Tail:
    """Reads the journal in ``folder`` after entry ``seq``, whose mac is ``mac``.

    ``chain``: its keys, which verify each line: an edited line is not read. Raises Gap if the
    journal has no such entry. Costs as much as reading one segment.
    """

    def __init__(self, folder: Path, seq: int, mac: str | None, chain: Keyring) -> None:
        self._folder = folder
        self._chain = chain
        self._find(seq, mac)

    def read(self, until: int, most: int) -> list[Line]:
        """Return at most ``most`` entries, up to number ``until``, which is on disk.

        Raises Gap; the next call continues at the same place.
        """
        lines: list[Line] = []
        while self.seq < until and len(lines) < most:
            self._read(lines, until, most)
            if self.seq < until and len(lines) < most:
                following = self._next()
                if following is None:
                    missing = f"entries {self.seq + 1} to {until} are missing"
                    raise Gap(f"{missing} behind segment {self._number} in {self._folder}")
                self._begin(following)
        return lines

    def _begin(self, start: _Start) -> None:
        self.seq = start.before.seq
        self._number, self._offset = start.number, start.offset
        self._mac, self._secret = start.mac, start.secret

    def _read(self, lines: list[Line], until: int, most: int) -> None:
        path = self._folder / segment_name(self._number)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return  # it was read to its end and archived, or entries are missing
        with file:
            file.seek(self._offset)
            while self.seq < until and len(lines) < most:
                whole = file.readline()
                if not whole.endswith(b"\n"):
                    return
                content = whole[:-1]
                seq, mac = stated_seq(content), stated_mac(content)
                if seq != self.seq + 1 or mac is None:
                    raise Gap(f"entry {self.seq + 1} is not where it ought to be in {path}")
                if mac != expected_mac(self._secret, self._mac, content):
                    raise Gap(f"entry {seq} in {path} is not what was written")
                lines.append(Line(seq, mac, content))
                self.seq, self._mac = seq, mac
                self._offset += len(whole)

    def _next(self) -> _Start | None:
        """Return where the next segment begins, None if there is none."""
        start = next(self._starts(self._number + 1), None)
        if start is None:
            return None
        number = start.number
        if start.before.seq != self.seq:
            missing = f"entries {self.seq + 1} to {start.before.seq} are missing"
            raise Gap(f"{missing} before segment {number}")
        if start.before.mac != self._mac:
            raise Gap(f"segment {number} does not continue the one before")
        return start

    def _find(self, seq: int, mac: str | None) -> None:
        starts = list(self._starts(0))
        behind = next(
            (first for first in starts if first.before == ChainLink(seq, mac or "")), None
        )
        if behind is not None:
            self._begin(behind)
            return
        before = [start for start in starts if start.before.seq < seq] or starts[:1]
        if not before:
            raise Gap(f"there is no segment in {self._folder}")
        self._begin(before[-1])
        while self.seq < seq:
            last = self.read(seq, 1_000)[-1]
            if last.seq == seq and last.mac != mac:
                raise Gap(f"entry {seq} is another one than was shipped")
        if self.seq != seq:
            raise Gap(f"entries {seq + 1} to {self.seq} are missing")

    def _starts(self, first: int) -> Iterator[_Start]:
        """Yield where the segments from number ``first`` on begin.

        Left out are those that an archiver has taken away meanwhile, or that are just being made. A
        listing may pass over a segment that comes meanwhile, so the first is tried anyway.
        """
        listed = [number for number, _ in segment_files(self._folder) if number > first]
        for number in (first, *listed):
            start = self._start(number)
            if start is not None:
                yield start

    def _start(self, number: int) -> _Start | None:
        path = self._folder / segment_name(number)
        try:
            with path.open("rb") as file:
                whole = file.readline()
        except FileNotFoundError:
            return None
        if not whole.endswith(b"\n"):
            return None
        line = whole.rstrip(b"\n")
        try:
            header = parse_header(line)
        except ValueError as error:
            raise Gap(f"{path}: {error}") from None
        secret, mac = self._chain.by_id(header.key), stated_mac(line)
        if secret is None:
            raise Gap(f"{path}: its chain key {header.key} is missing")
        if mac is None or mac != expected_mac(secret, header.previous, line):
            raise Gap(f"{path}: its header is not what was written")
        return _Start(number, len(whole), ChainLink(header.seq, header.previous), mac, secret)
