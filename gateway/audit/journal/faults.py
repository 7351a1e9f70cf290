"""Faults of a journal, described so that a reader knows where to look.

Nothing here decides whether a journal is valid: it describes a line that is known not to match. The
reason that it gives is the likely one, by the lines around the fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from gateway.audit.journal.chain import ChainLink, expected_mac, stated_mac, stated_seq
from gateway.keys.keyring import Secret


class FaultKind(Enum):
    """The kinds of faults that a journal can have."""

    EDITED = "edited"
    FOREIGN = "foreign"
    REMOVED = "removed"
    REORDERED = "reordered"
    REPEATED = "repeated"
    CUT = "cut"
    HEADER = "header"
    KEY = "key"
    CHECKPOINT = "checkpoint"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first fault: its file and line (from 1; 0: none), its entry, and a description."""

    kind: FaultKind
    file: str
    line: int
    seq: int | None
    message: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        entry = "" if self.seq is None else f", entry {self.seq}"
        return f"{self.file}{line}{entry}: {self.message}"


class JournalBroken(Exception):
    """Raised at the first fault."""

    def __init__(
        self, kind: FaultKind, file: str, line: int, seq: int | None, message: str
    ) -> None:
        self.fault = Fault(kind, file, line, seq, message)
        super().__init__(str(self.fault))


@dataclass(frozen=True, slots=True)
class _Around:
    """The lines around one that does not match.

    ``next``: the line after it. ``copies``: None if no other line has the same number, True if an
    identical one has, else False. ``is_later``: whether the expected entry comes further on.
    """

    next: bytes | None
    copies: bool | None
    is_later: bool


def explain_fault(
    secret: Secret, link: ChainLink, line: bytes, number: int, path: Path
) -> JournalBroken:
    """Return the fault of ``line``, which does not match after ``link``; reads its segment."""
    expected, seq = link.seq + 1, stated_seq(line)
    if seq is None or stated_mac(line) is None:
        return JournalBroken(
            FaultKind.EDITED, path.name, number, expected, "it is no line of a journal"
        )
    around = _around(path, number, line, seq, expected)
    if _fits_after(secret, link, line, around.next):
        kind, message = FaultKind.EDITED, "the entry was edited: the one after it fits what it was"
    else:
        kind, message = _in_place(around) if seq == expected else _moved(seq, expected, around)
    return JournalBroken(kind, path.name, number, expected, message)


def _in_place(around: _Around) -> tuple[FaultKind, str]:
    """Return the fault of a line that has the expected number."""
    if around.next is None:
        return FaultKind.EDITED, "the entry was edited, or forged with another key"
    return FaultKind.FOREIGN, "the entry is of another journal, or forged with another key"


def _moved(seq: int, expected: int, around: _Around) -> tuple[FaultKind, str]:
    """Return the fault of a line that has another number."""
    if around.copies is True:
        return FaultKind.REPEATED, f"entry {seq} stands here once more"
    if around.copies is False:
        return FaultKind.FOREIGN, f"an entry {seq} of another journal, or forged, was put in"
    if around.is_later:
        return FaultKind.REORDERED, f"entry {seq} stands here, and entry {expected} further on"
    if seq > expected:
        missing = f"{expected}" if seq == expected + 1 else f"{expected} to {seq - 1}"
        return FaultKind.REMOVED, f"removed: entry {missing} is missing"
    return FaultKind.FOREIGN, f"an entry {seq} of another journal, or forged, stands here"


def _fits_after(secret: Secret, link: ChainLink, line: bytes, after: bytes | None) -> bool:
    """Return whether the next line was written after this one: then only its content was edited."""
    if after is None or stated_seq(after) != link.seq + 2:
        return False
    macs = (stated_mac(line) or "", expected_mac(secret, link.mac, line))
    return any(stated_mac(after) == expected_mac(secret, mac, after) for mac in macs)


def _around(path: Path, number: int, line: bytes, seq: int, expected: int) -> _Around:
    after: bytes | None = None
    copies: bool | None = None
    is_later = False
    with path.open("rb") as file:
        for position, whole in enumerate(file, 1):
            other = whole.rstrip(b"\n")
            if position == number + 1:
                after = other
            if position == number:
                continue
            number_there = stated_seq(other)
            if number_there == seq and copies is not True:
                copies = other == line
            is_later = is_later or (number_there == expected and position > number)
    return _Around(after, copies, is_later)
