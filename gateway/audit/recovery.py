"""What a crash leaves at the end of a segment: found when the journal is opened, and put aside."""

from __future__ import annotations

import mmap
import os
import secrets
from datetime import datetime
from pathlib import Path

import structlog

from gateway.audit.chain import Header, Link, expected_mac, parse_header, stated_mac, stated_seq
from gateway.audit.files import new_file, sync_folder, write_all
from gateway.keys import Keyring, Secret


def cut(descriptor: int, good: int, folder: Path, now: datetime) -> None:
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


def last_good(descriptor: int, chain: Keyring, path: Path) -> tuple[Header, Link, int] | None:
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


def _last_link(content: mmap.mmap, header: Header, first: int, secret: Secret) -> tuple[Link, int]:
    """Return the last entry that fits the line before it, or the header, and where it ends."""
    last = content.rfind(b"\n") + 1
    while last > first:
        before = content.rfind(b"\n", 0, last - 1) + 1
        start = content.rfind(b"\n", 0, before - 1) + 1
        previous, line = stated_mac(content[start : before - 1]), content[before : last - 1]
        seq, mac = stated_seq(line), stated_mac(line)
        if previous and seq and mac and mac == expected_mac(secret, previous, line):
            return Link(seq, mac), last
        last = before
    return Link(header.seq, stated_mac(content[: first - 1]) or ""), first
