"""Key files: created once, refused where others may read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.findings.key_files import KeyRefused, open_hash_key, read_key


def test_a_missing_key_is_created_for_its_owner_alone_and_then_stays(tmp_path: Path) -> None:
    file = tmp_path / "hash.key"
    key = open_hash_key(file)
    assert len(key) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert open_hash_key(file) == key == read_key(file)
    assert list(tmp_path.iterdir()) == [file]
    assert open_hash_key(tmp_path / "other.key") != key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "hash.key"
    open_hash_key(file)
    file.chmod(mode)
    with pytest.raises(KeyRefused, match="others may read it"):
        open_hash_key(file)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_what_is_not_32_bytes_is_no_key(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "operator.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(KeyRefused, match="32 random bytes"):
        read_key(file)


def test_a_key_that_is_not_there_is_not_made_up_by_reading(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_key(tmp_path / "operator.key")
