"""What is at the end of a journal when it is opened: what a crash left, or what somebody did.

A crash leaves a line that is not whole, and that nobody was answered for: it is put aside. Anything
else that does not fit is an alarm, and stays as it is.
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
from gateway.audit.journal.files import new_file, sync_folder, write_all
from gateway.audit.journal.head import JournalHead, read_head
from gateway.keys.keyring import Keyring, Secret

ALARMS = Counter(
    "justice_gateway_audit_alarms",
    "Signs that somebody changed the journal or removed a part of it",
    ["kind"],
)

#: How much behind the last good line is looked at.
_LOOKED_AT = 1024 * 1024


class Alarm(StrEnum):
    """What somebody did to the journal while the gateway was down.

    ALTERED: a line that had been written is not what it was. CUT: the end is missing. HEADLESS: the
    head is, so that a missing end might not be noticed.
    """

    ALTERED = "altered"
    CUT = "cut"
    HEADLESS = "headless"


@dataclass(frozen=True, slots=True)
class JournalEvidence:
    """What else than the segments says how far a journal had come: to the entry ``link``.

    ``segment``: the one in which that entry is, 0 if that is not known. ``has_head``: whether there
    is a good head.
    """

    journal: str
    segment: int
    link: ChainLink
    has_head: bool


def gather_evidence(
    folder: Path, chain: Keyring, public: Sequence[Ed25519PublicKey], journal: str | None
) -> JournalEvidence | None:
    """Return what head and checkpoints in ``folder`` say of ``journal`` (None: of any)."""
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
    known: JournalEvidence | None,
) -> Alarm | None:
    """Return what somebody did to the segment whose last good line ends at ``good``.

    ``link``: the last good entry.
    """
    rest = os.pread(descriptor, _LOOKED_AT, good)
    if known is not None and known.link.seq > link.seq:
        return Alarm.ALTERED if rest else Alarm.CUT
    line, end, _ = rest.partition(b"\n")
    if end and b"\0" not in line:  # no crash leaves a whole line that does not fit
        return Alarm.ALTERED
    if header.version > 1 and (known is None or not known.has_head):
        return Alarm.HEADLESS
    return None


def newest_head(
    journal: str, header: SegmentHeader | None, link: ChainLink, known: JournalEvidence | None
) -> JournalHead:
    """Return the head that is right when a journal is opened: of the newest entry that is known.

    ``header``: of the last segment. ``link``: where the chain stands, maybe at that header.
    """
    if header is not None and link.seq > max(header.seq, known.link.seq if known else 0):
        return JournalHead(journal, header.segment, link)
    if known is not None:
        return JournalHead(journal, known.segment, known.link)
    return JournalHead(journal, 0, ChainLink(0, START))


def raise_alarm(alarm: str, **details: object) -> None:
    """Let log and metrics say that somebody changed the journal."""
    ALARMS.labels(alarm).inc()
    structlog.get_logger().error("audit_alarm", kind=alarm, **details)


def cut_torn_end(descriptor: int, good: int, folder: Path, now: datetime) -> None:
    """Move what is behind the last good line of a segment into a file of its own in ``folder``.

    ``good``: where that line ends. Raises OSError.
    """
    size = os.fstat(descriptor).st_size
    if size > good:
        path = folder / f"torn-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.bin"
        side = new_file(path)
        try:
            write_all(side, os.pread(descriptor, size - good, good))
            os.fsync(side)
        finally:
            os.close(side)
        sync_folder(folder)
        os.ftruncate(descriptor, good)
        structlog.get_logger().warning("audit_torn", bytes=size - good, kept_in=path.name)
    os.fsync(descriptor)  # lines that were written, not synced, when the process ended


def find_last_good_line(
    descriptor: int, chain: Keyring, path: Path
) -> tuple[SegmentHeader, ChainLink, int] | None:
    """Return header, last line that fits the one before, and where it ends; None without header.

    A crash leaves whole lines up to some point and then nothing or less than a line: so one looks
    from the end. Raises ValueError for what is no segment, or one whose key is not known.
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
    """Return the last entry that fits the line before it, or the header, and where it ends."""
    last = content.rfind(b"\n") + 1
    while last > first:
        before = content.rfind(b"\n", 0, last - 1) + 1
        start = content.rfind(b"\n", 0, before - 1) + 1
        previous, line = stated_mac(content[start : before - 1]), content[before : last - 1]
        seq, mac = stated_seq(line), stated_mac(line)
        if previous and seq and mac and mac == expected_mac(secret, previous, line):
            return ChainLink(seq, mac), last
        last = before
    return ChainLink(header.seq, stated_mac(content[: first - 1]) or ""), first
