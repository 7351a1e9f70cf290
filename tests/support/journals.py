"""Journals for tests: opened, filled, and read back through a separate descriptor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.journal import checkpoints
from gateway.audit.journal.files import segment_files
from gateway.audit.journal.head import HEAD
from gateway.audit.journal.journal import Journal
from gateway.audit.journal.reading import ExternalCheckpoints, VerificationReport
from gateway.audit.journal.segments import JournalOptions
from gateway.audit.journal.verify import verify
from gateway.keys.keyring import Keyring, Secret

CHAIN = Keyring(Secret.of(b"chain key of the tests, 32 bytes"))
SIGN = Ed25519PrivateKey.from_private_bytes(b"signing key of the tests 32 byte")
PUBLIC = (SIGN.public_key(),)


@asynccontextmanager
async def open_journal(
    folder: Path, chain: Keyring = CHAIN, sign: Ed25519PrivateKey = SIGN, **options: Any
) -> AsyncIterator[Journal]:
    """Open a journal, and close it when the block ends."""
    journal = Journal(folder, chain, sign, JournalOptions(**options))
    journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def filled(folder: Path, entries: int, first: int = 1, **options: Any) -> None:
    """Write ``entries`` entries ``{"number": first}`` and on, each by itself."""
    async with open_journal(folder, **options) as journal:
        for number in range(first, first + entries):
            await journal.append({"number": number})


def segments(folder: Path) -> list[Path]:
    """Return the files of the segments, in order."""
    return [path for _, path in segment_files(folder)]


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return all lines of all segments, headers too, without the zeros of the last one."""
    content = b"".join(path.read_bytes().rstrip(b"\0") for path in segments(folder))
    return [orjson.loads(line) for line in content.splitlines()]


def entries(folder: Path) -> list[dict[str, Any]]:
    """Return all entries as they were handed over."""
    records = [line for line in lines(folder) if "version" not in line]
    return [{k: v for k, v in record.items() if k not in {"seq", "mac"}} for record in records]


def checked(folder: Path, copied: Path | None = None, chain: Keyring = CHAIN) -> VerificationReport:
    """Verify a journal with the keys of the tests. ``copied``: a file of checkpoints."""
    checkpoint_copies = (
        () if copied is None else (ExternalCheckpoints(copied.name, checkpoints.read(copied)),)
    )
    return verify(folder, chain, PUBLIC, checkpoint_copies)


async def crashed(folder: Path, entries: int, first: int = 1, **options: Any) -> None:
    """Write as ``filled`` does, and leave the folder as a crash during the last write would.

    The last entry is in the segment; nobody was told, and neither head nor checkpoints count it.
    """
    await filled(folder, entries - 1, first, **options)
    saved = {name: (folder / name).read_bytes() for name in (HEAD, checkpoints.CHECKPOINTS)}
    await filled(folder, 1, first + entries - 1, **options)
    for name, content in saved.items():
        (folder / name).write_bytes(content)
