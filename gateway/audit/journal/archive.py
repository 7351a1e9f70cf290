"""Archives: old segments in another folder, and the signed statements about them.

A statement names the segments of an archive, and the ends of the chain before and after them. It is
in the archive, so that the archive can be verified by itself, and in the journal's folder, so that
verification of the journal continues from there. Each statement starts where the last one ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.audit.journal.chain import START, ChainLink
from gateway.audit.journal.checkpoints import is_signed, sign_line
from gateway.audit.journal.faults import FaultKind, JournalBroken

#: The statements about all archives of a journal, in its folder.
ARCHIVES = "archives.jsonl"
#: The statement about one archive, in it.
ARCHIVE = "archive.json"


@dataclass(frozen=True, slots=True)
class Archive:
    """Segments ``first`` to ``last`` of ``journal``; the chain went from ``start`` to ``end``.

    ``at``: when they were archived. ``key``: id of the key that signed. ``line``: as it stands in
    the file, without its end.
    """

    journal: str
    first: int
    last: int
    start: ChainLink
    end: ChainLink
    at: str
    key: str
    line: bytes

    @property
    def folder_name(self) -> str:
        """Return the name of the archive's folder."""
        return f"{self.journal}-{self.first:08}-{self.last:08}"


def signed_archive(
    sign: Ed25519PrivateKey,
    journal: str,
    segments: tuple[int, int],
    links: tuple[ChainLink, ChainLink],
    at: str,
) -> Archive:
    """Return the statement that the ``segments`` (first and last) of a journal are archived."""
    shown = {
        "archive": 1,
        "journal": journal,
        "first": segments[0],
        "last": segments[1],
        "start": {"seq": links[0].seq, "mac": links[0].mac},
        "end": {"seq": links[1].seq, "mac": links[1].mac},
        "at": at,
    }
    return _parsed(sign_line(sign, shown))


def read_archives(path: Path, public: Sequence[Ed25519PublicKey]) -> list[Archive]:
    """Return the statements in a file, in order; none without a file.

    An unfinished last line is left out. Raises JournalBroken for a line that is not a statement or
    is not signed with one of ``public``.
    """
    if not path.exists():
        return []
    archives = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            archive = _parsed(line)
        except (ValueError, TypeError, KeyError):
            message = "it is no statement about an archive"
            raise JournalBroken(FaultKind.ARCHIVE, path.name, number, None, message) from None
        if not is_signed(line, archive.key, public):
            message = "the signature of the statement about an archive is not good"
            raise JournalBroken(FaultKind.ARCHIVE, path.name, number, None, message)
        archives.append(archive)
    return archives


def read_chain(folder: Path, public: Sequence[Ed25519PublicKey]) -> list[Archive]:
    """Return the archives of the journal in ``folder``, the oldest first.

    Raises Broken as ``read_archives`` does, and where one does not begin where the last one ended.
    """
    archives = read_archives(folder / ARCHIVES, public)
    segment, link = 0, ChainLink(0, START)
    for number, archive in enumerate(archives, 1):
        is_next = (archive.first, archive.start) == (segment + 1, link)
        if not is_next or archive.journal != archives[0].journal:
            message = "the archive does not begin where the one before ended"
            raise JournalBroken(FaultKind.ARCHIVE, ARCHIVES, number, archive.start.seq + 1, message)
        segment, link = archive.last, archive.end
    return archives


def journal_of_archives(folder: Path) -> str | None:
    """Return the id of the journal of whose archives ``folder`` has statements; None without any.

    Signatures are not verified.
    """
    path = folder / ARCHIVES
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for line in reversed(lines):
        with contextlib.suppress(ValueError, TypeError, KeyError):
            return _parsed(line).journal
    return None


def _parsed(line: bytes) -> Archive:
    read = orjson.loads(line)
    start, end = (
        ChainLink(int(read[name]["seq"]), str(read[name]["mac"])) for name in ("start", "end")
    )
    numbers = int(read["first"]), int(read["last"])
    return Archive(
        str(read["journal"]), *numbers, start, end, str(read["at"]), str(read["key"]), line
    )
