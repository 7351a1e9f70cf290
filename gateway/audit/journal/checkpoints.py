"""Checkpoints: signed statements of how many entries the journal had at a time.

The chain alone cannot show that its end was cut off: the rest is still valid. A checkpoint shows
it, even a copy kept elsewhere. Checkpoints are signed (Ed25519, RFC 8032), so that verifying them
needs no secret.
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
#: Bytes read at the end of the file to find the newest lines.
_END_BYTES = 16 * 1024
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
    """Return the id of a public key: 16 hex digits of its hash."""
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


def append_checkpoint(folder: Path, line: bytes) -> None:
    """Append a checkpoint, which is on disk when this returns; raises OSError."""
    append_line(folder / CHECKPOINTS, line)


def append_line(path: Path, content: bytes) -> None:
    """Append lines (the last without its end), which are on disk when this returns.

    An unfinished line of an earlier failure is cut off. Raises OSError.
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


def read(path: Path, size: int | None = None) -> Iterator[Checkpoint]:
    """Yield the checkpoints in a file, in order; none without a file.

    ``size``: only those in so many bytes, which the file had at some time. An unfinished last line
    is left out. Raises ValueError for a line that is not a checkpoint.
    """
    if not path.exists():
        return
    end = 0
    with path.open("rb") as file:
        for number, whole in enumerate(file, 1):
            end += len(whole)
            if not whole.endswith(b"\n") or (size is not None and end > size):
                return
            yield parse_checkpoint(whole[:-1], f"{path.name}, line {number}")


def last(
    path: Path, journal: str | None, public: Sequence[Ed25519PublicKey] | None
) -> Checkpoint | None:
    """Return the newest checkpoint of ``journal`` (None: of any) in a file, if there is one.

    ``public``: the keys that may have signed it; None: signatures are not verified. Reads the end
    of the file only, so the cost does not depend on its length. Raises OSError.
    """
    if not path.exists():
        return None
    for line in reversed(_whole_lines(path, _END_BYTES)[0]):
        with contextlib.suppress(ValueError):
            checkpoint = parse_checkpoint(line, path.name)
            is_of_journal = journal in {None, checkpoint.journal}
            if is_of_journal and (public is None or checkpoint.is_signed(public)):
                return checkpoint
    return None


def read_behind(path: Path, journal: str, seq: int) -> list[Checkpoint]:
    """Return the checkpoints of ``journal`` in a file that count more than ``seq`` entries.

    Reads the file from its end, as far as needed. Raises OSError, and ValueError for a line that is
    no checkpoint.
    """
    if not path.exists():
        return []
    length = _END_BYTES
    while True:
        lines, is_whole = _whole_lines(path, length)
        parsed = [parse_checkpoint(line, path.name) for line in lines]
        if is_whole or (parsed and parsed[0].link.seq <= seq):
            break
        length *= 4
    return [
        checkpoint
        for checkpoint in parsed
        if checkpoint.journal == journal and checkpoint.link.seq > seq
    ]


def keep_public_key(folder: Path, public: Ed25519PublicKey) -> None:
    """Write the public key beside the checkpoints, so that it is copied along with them."""
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
    """Cut off an unfinished line after the last whole one."""
    size = os.fstat(descriptor).st_size
    start = max(size - _END_BYTES, 0)
    whole = os.pread(descriptor, size - start, start).rfind(b"\n") + 1
    if start + whole < size and (whole or not start):
        os.ftruncate(descriptor, start + whole)


def _whole_lines(path: Path, length: int) -> tuple[list[bytes], bool]:
    """Return the whole lines in the last ``length`` bytes, and whether the file has no others."""
    with path.open("rb") as file:
        start = max(os.fstat(file.fileno()).st_size - length, 0)
        file.seek(start)
        lines = file.read().split(b"\n")[:-1]
    return lines[1:] if start else lines, not start
