"""Checkpoints: signed statements of how far the journal had come at a time.

The chain alone cannot show that its end was cut off: what is left fits. A checkpoint shows it, as
does a copy of it that is kept elsewhere. They are signed (Ed25519, RFC 8032), so that whoever
checks needs no secret.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.audit.journal.chain import ChainLink
from gateway.audit.journal.files import new_file, sync_folder, write_all

CHECKPOINTS = "checkpoints.jsonl"
_BEFORE_SIGNATURE, _AFTER_SIGNATURE = b',"signature":"', b'"}'
#: Bytes at the end of the file in which the newest lines are looked for.
_LOOKED_AT = 16 * 1024
_TAIL = len(_BEFORE_SIGNATURE) + 128 + len(_AFTER_SIGNATURE)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``journal`` had come to ``link`` at the time ``at``; signed with the key whose id is ``key``.

    ``line``: as it stands in the file, without its end.
    """

    journal: str
    link: ChainLink
    at: str
    key: str
    line: bytes

    def is_signed(self, public: Sequence[Ed25519PublicKey]) -> bool:
        """Return whether one of ``public`` signed it."""
        return is_signed(self.line, self.key, public)


def key_id(public: Ed25519PublicKey) -> str:
    """Return what tells a public key from others: 16 hex digits of its hash."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def sign_checkpoint(sign: Ed25519PrivateKey, journal: str, link: ChainLink, at: str) -> bytes:
    """Return a checkpoint as a line without its end. Costs about 50 us."""
    shown = {"checkpoint": 1, "journal": journal, "seq": link.seq, "mac": link.mac, "at": at}
    return sign_line(sign, shown)


def sign_line(sign: Ed25519PrivateKey, shown: Mapping[str, object]) -> bytes:
    """Return a JSON object with the id of the key and a signature as its last two members."""
    unsigned = orjson.dumps({**shown, "key": key_id(sign.public_key())})[:-1]
    signature = sign.sign(unsigned).hex().encode()
    return unsigned + _BEFORE_SIGNATURE + signature + _AFTER_SIGNATURE


def is_signed(line: bytes, key: str, public: Sequence[Ed25519PublicKey]) -> bool:
    """Return whether the one of ``public`` whose id is ``key`` signed ``line``."""
    signer = next((candidate for candidate in public if key_id(candidate) == key), None)
    tail = line[-_TAIL:]
    if signer is None or not tail.startswith(_BEFORE_SIGNATURE):
        return False
    try:
        signature = bytes.fromhex(tail[len(_BEFORE_SIGNATURE) : -len(_AFTER_SIGNATURE)].decode())
        signer.verify(signature, line[:-_TAIL])
    except (InvalidSignature, ValueError):
        return False
    return True


def append(folder: Path, line: bytes) -> None:
    """Have a checkpoint on disk; raises OSError."""
    append_line(folder / CHECKPOINTS, line)


def append_line(path: Path, content: bytes) -> None:
    """Append lines (the last without its end) and have them on disk; raises OSError.

    What an earlier failure left torn is cut off.
    """
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        _cut_torn(descriptor)
        write_all(descriptor, content + b"\n")
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)


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
            yield parse_checkpoint(whole[:-1], f"{path.name}, line {number}")


def last(
    path: Path, journal: str | None, public: Sequence[Ed25519PublicKey] | None
) -> Checkpoint | None:
    """Return the newest checkpoint of ``journal`` (None: of any) in a file, if there is one.

    ``public``: it is signed with one of these; None: signatures are not looked at. Looks at the end
    of the file only, so that it costs the same however long the file is. Raises OSError.
    """
    if not path.exists():
        return None
    for line in reversed(_whole_lines(path, _LOOKED_AT)[0]):
        with contextlib.suppress(ValueError):
            checkpoint = parse_checkpoint(line, path.name)
            is_wanted = journal in {None, checkpoint.journal}
            if is_wanted and (public is None or checkpoint.is_signed(public)):
                return checkpoint
    return None


def read_behind(path: Path, journal: str, seq: int) -> list[Checkpoint]:
    """Return the checkpoints of ``journal`` in a file that count more than ``seq`` entries.

    Reads the file from its end, as far as needed. Raises OSError, and ValueError for a line that is
    no checkpoint.
    """
    if not path.exists():
        return []
    length = _LOOKED_AT
    while True:
        lines, is_whole = _whole_lines(path, length)
        read = [parse_checkpoint(line, path.name) for line in lines]
        if is_whole or (read and read[0].link.seq <= seq):
            break
        length *= 4
    return [one for one in read if one.journal == journal and one.link.seq > seq]


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


def parse_checkpoint(line: bytes, where: str) -> Checkpoint:
    """Return a line (without its end) as a checkpoint; raises ValueError. Checks no signature."""
    try:
        read = orjson.loads(line)
        link = ChainLink(int(read["seq"]), str(read["mac"]))
        return Checkpoint(str(read["journal"]), link, str(read["at"]), str(read["key"]), line)
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{where} is no checkpoint") from None


def _cut_torn(descriptor: int) -> None:
    """Cut off what an earlier failure left behind the last whole line."""
    size = os.fstat(descriptor).st_size
    start = max(size - _LOOKED_AT, 0)
    whole = os.pread(descriptor, size - start, start).rfind(b"\n") + 1
    if start + whole < size and (whole or not start):
        os.ftruncate(descriptor, start + whole)


def _whole_lines(path: Path, length: int) -> tuple[list[bytes], bool]:
    """Return the whole lines in the last bytes of a file, and whether they are all of its lines."""
    with path.open("rb") as file:
        start = max(os.fstat(file.fileno()).st_size - length, 0)
        file.seek(start)
        lines = file.read().split(b"\n")[:-1]
    return lines[1:] if start else lines, not start
