"""The head: a small file with the last entry of the journal, replaced after each batch.

A chain whose end was cut off is valid as far as it goes, and an edited last line looks like one
that a crash left unfinished. The head tells the difference: every entry that it counts was on disk.
It is authenticated with the chain key. It cannot show an end that was replaced together with an old
head: checkpoints kept elsewhere do.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.audit.journal.chain import ChainLink, expected_mac, seal_line, stated_mac
from gateway.audit.journal.files import sync_folder
from gateway.keys.keyring import Keyring, Secret

HEAD = "head.json"

#: Bytes of the file: within one sector, so that a power cut leaves the old head or the new one.
_SIZE = 512
#: Stands for the mac of a line before: no line of a journal has it.
_DOMAIN = "head"


@dataclass(frozen=True, slots=True)
class JournalHead:
    """``journal`` had come to the entry ``link``, which is in segment ``segment``."""

    journal: str
    segment: int
    link: ChainLink


class HeadFile:
    """The head of the journal in ``folder``, open for writing. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        path = folder / HEAD
        is_new = not path.exists()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if is_new:
            sync_folder(folder)

    def write(self, secret: Secret, head: JournalHead) -> None:
        """Replace the head; raises OSError. Costs about 6 us.

        It is not synced: after a power cut the head may be older than the journal, never newer.
        """
        shown = {
            "head": 1,
            "journal": head.journal,
            "segment": head.segment,
            "seq": head.link.seq,
            "last": head.link.mac,
            "key": secret.id,
        }
        line, _ = seal_line(secret, _DOMAIN, orjson.dumps(shown)[:-1])
        os.pwrite(self._descriptor, line.ljust(_SIZE - 1) + b"\n", 0)

    def sync(self) -> None:
        """Sync the head to disk; raises OSError."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def read_head(folder: Path, chain: Keyring) -> JournalHead | None:
    """Return the head of the journal in ``folder``; None if it is missing, edited or forged.

    Raises OSError if it cannot be read.
    """
    try:
        line = (folder / HEAD).read_bytes()[:_SIZE].rstrip()
    except FileNotFoundError:
        return None
    try:
        shown = orjson.loads(line)
        secret = chain.by_id(shown["key"])
        if secret is None or stated_mac(line) != expected_mac(secret, _DOMAIN, line):
            return None
        link = ChainLink(int(shown["seq"]), str(shown["last"]))
        return JournalHead(str(shown["journal"]), int(shown["segment"]), link)
    except (ValueError, TypeError, KeyError):
        return None
