"""Key files: readable by their owner only, never overwritten, replaced in one step."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from joserfc.jwk import OKPKey

from gateway.keys.keyring import (
    FEWEST_BYTES,
    KEY_NAMES,
    KID_MARK,
    SECRET_MARK,
    SECRET_NAMES,
    KeyName,
    SigningName,
    key_path,
    key_text,
    load_ring,
    load_signing,
)
from gateway.settings import Settings


def create_missing(settings: Settings, demo: bool) -> list[Path]:
    """Create the key files that settings name and that are missing; return their paths.

    ``demo``: mark the keys as those of the demo, which production refuses. Never overwrites a file.
    """
    created = []
    for name in KEY_NAMES:
        path = key_path(settings, name)
        if path is not None and not path.exists():
            write_key(path, _content(name, [_new(name, demo)]))
            created.append(path)
    return created


def rotate(settings: Settings, name: KeyName) -> None:
    """Put a new key before those in the file; only the public half of former signing keys stays.

    Raises FileNotFoundError, ValueError for a key that is given as a value or cannot be loaded, and
    FileExistsError while another process rotates the same key.
    """
    with _replacing(settings, name) as file:
        former = _entries(settings, name, private=False)
        file.write(_content(name, [_new(name, settings.demo), *former]))


def revoke(settings: Settings, name: SigningName, key_id: str, now: datetime) -> None:
    """Mark a signing key as revoked: its public half stays, for others to learn that.

    The key that signs is replaced by a new one. Raises as ``rotate`` does, and ValueError for an id
    that is not in the file.
    """
    with _replacing(settings, name) as file:
        keys = load_signing(settings, name)
        if key_id not in {key.kid for key in keys}:
            raise ValueError(f"there is no key {key_id} in keys.{name}")
        entries: list[str | dict[str, Any]] = []
        for key in keys:
            is_meant = key.kid == key_id
            jwk: dict[str, Any] = dict(key.as_dict(private=key.is_private and not is_meant))
            if is_meant and "revoked" not in jwk:
                jwk["revoked"] = {"revoked_at": int(now.timestamp())}
            entries.append(jwk)
        if keys[0].kid == key_id:
            entries.insert(0, _new(name, settings.demo))
        file.write(_content(name, entries))


def drop_former(settings: Settings, name: KeyName) -> None:
    """Leave only the current key in the file; raises as ``rotate`` does."""
    with _replacing(settings, name) as file:
        file.write(_content(name, _entries(settings, name, private=True)[:1]))


def write_key(path: Path, content: bytes) -> None:
    """Write ``content`` to a new file with mode 0600; raises FileExistsError if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _new_file(path) as file:
        file.write(content)


def _new(name: KeyName, demo: bool) -> str | dict[str, Any]:
    """Return a new key in the format of its file: a line, or a JWK."""
    if name in SECRET_NAMES:
        return (SECRET_MARK if demo else "") + secrets.token_hex(FEWEST_BYTES)
    kid = (KID_MARK if demo else "") + secrets.token_hex(8)
    return dict(OKPKey.generate_key("Ed25519", {"kid": kid}).as_dict(private=True))


def _entries(settings: Settings, name: KeyName, private: bool) -> list[str | dict[str, Any]]:
    """Return the keys of a file in its format, the current one first."""
    match name:
        case "token" | "audit_sign" | "receipt_sign" | "webhook_sign":
            keys = load_signing(settings, name)
            return [dict(key.as_dict(private=private and key.is_private)) for key in keys]
        case _:
            load_ring(settings, name)
            return list(key_text(settings, name)[0].split())


def _content(name: KeyName, entries: list[str | dict[str, Any]]) -> bytes:
    if name in SECRET_NAMES:
        return "".join(f"{entry}\n" for entry in entries).encode()
    jwk = entries[0] if len(entries) == 1 else {"keys": entries}
    return f"{json.dumps(jwk)}\n".encode()


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file, which is on disk when the block ends, and removed if the block fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _replacing(settings: Settings, name: KeyName) -> Iterator[BinaryIO]:
    """Open a new file that replaces the file of a key, in one step, when the block ends.

    Creating it first makes one of two concurrent rotations fail.
    """
    path = key_path(settings, name)
    if path is None:
        raise ValueError(f"keys.{name} is given as a value: change it where it is given")
    key_text(settings, name)
    fresh = path.with_name(path.name + ".new")
    try:
        with _new_file(fresh) as file:
            owner = path.stat()
            with contextlib.suppress(PermissionError):
                os.chown(fresh, owner.st_uid, owner.st_gid)
            yield file
    except FileExistsError:
        under_way = f"{fresh} is there: the key is being rotated, or that was broken off"
        raise FileExistsError(under_way) from None
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
