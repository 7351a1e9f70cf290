"""Key files: 32 random bytes that nobody but their owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


class KeyRefused(ValueError):
    """A key file cannot be used: others may read it, or it does not hold 32 bytes."""


def open_hash_key(file: Path) -> bytes:
    """Return the key of all keyed hashes; create it where there is none.

    With another key the findings of earlier runs are those of strangers: keep it as long as any
    findings. Raises KeyRefused, OSError.
    """
    if not file.exists():
        _create(file)
    return read_key(file)


def read_key(file: Path) -> bytes:
    """Return the key in a file; raises KeyRefused, and OSError where it cannot be read."""
    descriptor = os.open(file, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as stream:
        if os.fstat(descriptor).st_mode & 0o077:
            raise KeyRefused(f"{file}: others may read it: chmod 600 it, or take another key")
        key = stream.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise KeyRefused(f"{file}: it must hold {KEY_BYTES} random bytes, and nothing else")
    return key


def _create(file: Path) -> None:
    """Write a new key, which is there as a whole or not at all; the first of two wins."""
    temporary = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(descriptor)
        try:
            os.link(temporary, file)
        except FileExistsError:
            return
    finally:
        temporary.unlink()
