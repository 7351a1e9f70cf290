"""Checkpoints: signed statements of how far the journal had come at a time.

The chain alone cannot show that its end was cut off: what is left fits. A checkpoint shows it, as
does a copy of it that is kept elsewhere. They are signed (Ed25519, RFC 8032), so that whoever
checks needs no secret.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.audit.chain import Link
from gateway.audit.files import new_file, sync_folder, write_all

CHECKPOINTS = "checkpoints.jsonl"
_BEFORE_SIGNATURE, _AFTER_SIGNATURE = b',"signature":"', b'"}'
_TAIL = len(_BEFORE_SIGNATURE) + 128 + len(_AFTER_SIGNATURE)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``journal`` had come to ``link`` at the time ``at``; signed with the key whose id is ``key``.

    ``line``: as it stands in the file, without its end.
    """

    journal: str
    link: Link
    at: str
    key: str
    line: bytes

    def is_signed(self, public: Sequence[Ed25519PublicKey]) -> bool:
        """Return whether one of ``public`` signed it."""
        key = next((one for one in public if key_id(one) == self.key), None)
        tail = self.line[-_TAIL:]
        if key is None or not tail.startswith(_BEFORE_SIGNATURE):
            return False
        try:
            signature = bytes.fromhex(
                tail[len(_BEFORE_SIGNATURE) : -len(_AFTER_SIGNATURE)].decode()
            )
            key.verify(signature, self.line[:-_TAIL])
        except (InvalidSignature, ValueError):
            return False
        return True


def key_id(public: Ed25519PublicKey) -> str:
    """Return what tells a public key from others: 16 hex digits of its hash."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def signed(sign: Ed25519PrivateKey, journal: str, link: Link, at: str) -> bytes:
    """Return a checkpoint as a line without its end. Costs about 50 us."""
    shown = {
        "checkpoint": 1,
        "journal": journal,
        "seq": link.seq,
        "mac": link.mac,
        "at": at,
        "key": key_id(sign.public_key()),
    }
    unsigned = orjson.dumps(shown)[:-1]
    signature = sign.sign(unsigned).hex().encode()
    return unsigned + _BEFORE_SIGNATURE + signature + _AFTER_SIGNATURE


def append(folder: Path, line: bytes) -> None:
    """Have a checkpoint on disk; raises OSError. What an earlier failure left torn is cut off."""
    path = folder / CHECKPOINTS
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        whole = path.read_bytes().rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)
        write_all(descriptor, line + b"\n")
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(folder)


def read(path: Path) -> Iterator[Checkpoint]:
    """Return the checkpoints in a file, in order; no file, none. A torn last line is left out.

    Raises ValueError for a line that is no checkpoint.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, whole in enumerate(file, 1):
            if not whole.endswith(b"\n"):
                return
            yield _parsed(whole[:-1], f"{path.name}, line {number}")


def keep_public_key(folder: Path, public: Ed25519PublicKey) -> None:
    """Leave the key that checks the signatures beside them, so that it is copied along."""
    path = folder / f"checkpoints-{key_id(public)}.pem"
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if path.exists() and path.read_bytes() == pem:
        return
    path.unlink(missing_ok=True)  # cut short by a crash
    descriptor = new_file(path)
    try:
        write_all(descriptor, pem)
    finally:
        os.close(descriptor)


def _parsed(line: bytes, where: str) -> Checkpoint:
    try:
        read = orjson.loads(line)
        link = Link(int(read["seq"]), str(read["mac"]))
        return Checkpoint(str(read["journal"]), link, str(read["at"]), str(read["key"]), line)
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{where} is no checkpoint") from None
