"""Reading on in a journal: the entries behind one that is known, in order, none left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.audit.chain import parse_header, stated_mac, stated_seq
from gateway.audit.segments import segment_files, segment_name


class Gap(Exception):
    """The journal does not hold what ought to come next; says what and where."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: its number, its mac, and the line without its end."""

    seq: int
    mac: str
    content: bytes


class Tail:
    """Reads a journal in ``folder`` on from behind entry ``seq``, whose mac is ``mac``.

    Raises Gap where the journal holds no such entry. Costs as much as reading one segment.
    """

    def __init__(self, folder: Path, seq: int, mac: str | None) -> None:
        self.seq = seq
        self._folder = folder
        self._number, self._offset = self._find(seq, mac)

    def read(self, until: int, most: int) -> list[Line]:
        """Return at most ``most`` entries, up to number ``until``, which is on disk.

        Raises Gap, and goes on where it was when asked again.
        """
        found: list[Line] = []
        while self.seq < until and len(found) < most:
            try:
                self._read(found, until, most)
                if self.seq < until and len(found) < most:
                    self._number, self._offset = self._next()
            except (FileNotFoundError, StopIteration):
                missing = f"entries {self.seq + 1} to {until} are missing"
                raise Gap(f"{missing} behind segment {self._number} in {self._folder}") from None
        return found

    def _read(self, found: list[Line], until: int, most: int) -> None:
        path = self._path(self._number)
        with path.open("rb") as file:
            file.seek(self._offset)
            while self.seq < until and len(found) < most:
                whole = file.readline()
                if not whole.endswith(b"\n"):
                    return
                content = whole[:-1]
                seq, mac = stated_seq(content), stated_mac(content)
                if seq != self.seq + 1 or mac is None:
                    raise Gap(f"entry {self.seq + 1} is not where it ought to be in {path}")
                found.append(Line(seq, mac, content))
                self.seq = seq
                self._offset += len(whole)

    def _next(self) -> tuple[int, int]:
        """Return number of the next segment and where its entries begin."""
        number = next(n for n, _ in segment_files(self._folder) if n > self._number)
        seq, offset = _start(self._path(number))
        if seq != self.seq:
            raise Gap(f"entries {self.seq + 1} to {seq} are missing before segment {number}")
        return number, offset

    def _find(self, seq: int, mac: str | None) -> tuple[int, int]:
        starts = [(n, *_start(path)) for n, path in segment_files(self._folder)]
        before = [one for one in starts if one[1] < seq] or starts[:1]
        if not before:
            raise Gap(f"there is no segment in {self._folder}")
        number, self.seq, self._offset = before[-1]
        self._number = number
        while self.seq < seq:
            last = self.read(seq, 1_000)[-1]
            if last.seq == seq and last.mac != mac:
                raise Gap(f"entry {seq} is another one than was shipped")
        if self.seq != seq:
            raise Gap(f"entries {seq + 1} to {self.seq} are missing")
        return self._number, self._offset

    def _path(self, number: int) -> Path:
        return self._folder / segment_name(number)


def _start(path: Path) -> tuple[int, int]:
    """Return the last entry before a segment, and where its own entries begin."""
    with path.open("rb") as file:
        whole = file.readline()
    try:
        return parse_header(whole.rstrip(b"\n")).seq, len(whole)
    except ValueError as error:
        raise Gap(f"{path}: {error}") from None
