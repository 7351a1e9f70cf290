"""Recovery: the end of a journal when it is opened, after a crash or after tampering.

A crash leaves an unfinished line, for which no answer was sent: it is moved aside. It also leaves
the zeros with which the segment was filled ahead: they are cut off. Anything else that does not
match raises an alarm and is left as it is.
"""

from __future__ import annotations

import mmap
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from prometheus_client import Counter

from gateway.audit.journal import checkpoints
from gateway.audit.journal.chain import (
    START,
    ChainLink,
    SegmentHeader,
    expected_mac,
    parse_header,
    stated_mac,
    stated_seq,
)
from gateway.audit.journal.files import content_end, new_file, sync_folder, write_all
from gateway.audit.journal.head import JournalHead, read_head
from gateway.keys.keyring import Keyring, Secret

ALARMS = Counter(
    "justice_gateway_audit_alarms",
    "Signs that somebody changed the journal or removed a part of it",
    ["kind"],
)

#: Bytes examined after the last valid line.
_EXAMINED_BYTES = 1024 * 1024


class Alarm(StrEnum):
    """Signs of tampering while the gateway was down.

    ALTERED: a written line was changed. CUT: the end is missing. HEADLESS: the head is missing, so
    a missing end could go unnoticed.
    """

    ALTERED = "altered"
    CUT = "cut"
    HEADLESS = "headless"


@dataclass(frozen=True, slots=True)
class JournalEvidence:
    """The last entry of a journal according to its head and checkpoints, not its segments.

    ``segment``: the segment of that entry, 0 if unknown. ``has_head``: whether there is a valid
    head.
    """

    journal: str
    segment: int
    link: ChainLink
    has_head: bool


def gather_evidence(
    folder: Path, chain: Keyring, public: Sequence[Ed25519PublicKey], journal: str | None
) -> JournalEvidence | None:
    """Return the evidence in ``folder`` about ``journal`` (None: about any); None without any."""
    head = read_head(folder, chain)
    if head is not None and journal not in {None, head.journal}:
        head = None
    if head is not None:
        journal = head.journal
    checkpoint = checkpoints.last(folder / checkpoints.CHECKPOINTS, journal, public)
    if checkpoint is not None and (head is None or checkpoint.link.seq > head.link.seq):
        return JournalEvidence(checkpoint.journal, 0, checkpoint.link, head is not None)
    return None if head is None else JournalEvidence(head.journal, head.segment, head.link, True)


def find_alarm(
    descriptor: int,
    good: int,
    header: SegmentHeader,
    link: ChainLink,
    evidence: JournalEvidence | None,
) -> Alarm | None:
    """Return the sign of tampering in the segment whose last valid line ends at ``good``.

    ``link``: the last valid entry. None: there is no sign.
    """
    if evidence is not None and evidence.link.seq > link.seq:
        return Alarm.ALTERED if content_end(descriptor) > good else Alarm.CUT
    line, end, _ = os.pread(descriptor, _EXAMINED_BYTES, good).partition(b"\n")
    if end and b"\0" not in line:  # a crash leaves no whole line that does not match
        return Alarm.ALTERED
    if header.version > 1 and (evidence is None or not evidence.has_head):
        return Alarm.HEADLESS
    return None


def newest_head(
    journal: str, header: SegmentHeader | None, link: ChainLink, evidence: JournalEvidence | None
) -> JournalHead:
    """Return the head to write when a journal is opened: of the newest known entry.

    ``header``: of the last segment. ``link``: the end of the chain, which may be that header.
    """
    if header is not None and link.seq > max(header.seq, evidence.link.seq if evidence else 0):
        return JournalHead(journal, header.segment, link)
    if evidence is not None:
        return JournalHead(journal, evidence.segment, evidence.link)
    return JournalHead(journal, 0, ChainLink(0, START))


def raise_alarm(alarm: str, **details: object) -> None:
    """Log an alarm and count it."""
    ALARMS.labels(alarm).inc()
    structlog.get_logger().error("audit_alarm", kind=alarm, **details)


def cut_torn_end(descriptor: int, good: int, folder: Path, now: datetime) -> None:
    """Move the bytes after the last valid line of a segment into a new file in ``folder``.

    ``good``: where that line ends. Zeros at the end of the segment are cut off, and kept nowhere.
    Raises OSError.
    """
    end = content_end(descriptor)
    if end > good:
        path = folder / f"torn-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.bin"
        side = new_file(path)
        try:
            write_all(side, os.pread(descriptor, end - good, good))
            os.fsync(side)
        finally:
            os.close(side)
        sync_folder(folder)
        structlog.get_logger().warning("audit_torn", bytes=end - good, kept_in=path.name)
    os.ftruncate(descriptor, good)
    os.fsync(descriptor)  # lines that were written but not synced when the process ended


def find_last_good_line(
    descriptor: int, chain: Keyring, path: Path
) -> tuple[SegmentHeader, ChainLink, int] | None:
    """Return the header, the last valid line, and where it ends; None without a header.

    A crash leaves whole lines up to some point, and then less than a line: so the search starts at
    the end. It starts before the first zero, because no line has zeros: behind it the segment was
    filled ahead, or a power cut kept some blocks of a write and not others. Raises ValueError for a
    file that is not a segment, or whose key is unknown. Reads the file once: 64 MB take some 10 ms.
    """
    if os.fstat(descriptor).st_size == 0:
        return None
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
        end = content.find(b"\n")
        try:
            header = parse_header(content[: max(end, 0)])
        except ValueError:
            if content.find(b"\n", end + 1) > 0:  # no start of a segment cut short by a crash
                raise ValueError(f"{path} does not begin as a segment of a journal does") from None
            return None
        secret = chain.by_id(header.key)
        if secret is None:
            raise ValueError(f"{path}: its chain key {header.key} is missing")
        return header, *_last_link(content, header, end + 1, secret)


def _last_link(
    content: mmap.mmap, header: SegmentHeader, first: int, secret: Secret
) -> tuple[ChainLink, int]:
    """Return the last entry that matches the line before it, or the header, and where it ends."""
    zeros = content.find(b"\0", first)
    last = content.rfind(b"\n", 0, len(content) if zeros < 0 else zeros) + 1
    while last > first:
        before = content.rfind(b"\n", 0, last - 1) + 1
        start = content.rfind(b"\n", 0, before - 1) + 1
        previous, line = stated_mac(content[start : before - 1]), content[before : last - 1]
        seq, mac = stated_seq(line), stated_mac(line)
        if previous and seq and mac and mac == expected_mac(secret, previous, line):
            return ChainLink(seq, mac), last
        last = before
    return ChainLink(header.seq, stated_mac(content[: first - 1]) or ""), first
