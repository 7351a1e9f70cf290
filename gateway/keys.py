"""Secret keys in files: written for their owner only, never overwritten, never printed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_key(path: Path, content: bytes) -> None:
    """Write ``content`` to a new file with mode 0600; raises FileExistsError if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def read_key(path: Path) -> bytes:
    """Return a key file's content; raises FileNotFoundError, naming the path."""
    return path.read_bytes()


def create_secret(path: Path) -> None:
    """Write a new random 256-bit secret (hex) to ``path``."""
    write_key(path, secrets.token_hex(32).encode())


def load_secret(path: Path) -> bytes:
    """Read a secret written by ``create_secret``; raises FileNotFoundError, ValueError."""
    secret = bytes.fromhex(read_key(path).decode().strip())
    if len(secret) < 32:
        raise ValueError(f"{path} holds less than 256 bits")
    return secret
