"""Interests in a file of SQLite do what every store does.

Covers ``gateway.changes.interests``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.changes.sqlite_interests import SqliteInterests
from gateway.storage.unavailable import StoreUnavailable
from tests.support.interest_stores import CASES, NOW, OWNER, interest, over


@pytest.mark.parametrize("name", [*CASES])
async def test_a_store_in_a_file(tmp_path: Path, name: str) -> None:
    await CASES[name](SqliteInterests(tmp_path / "interests/interests.sqlite"))


async def test_processes_share_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    path = tmp_path / "interests/interests.sqlite"
    first, second = (over(SqliteInterests(path)) for _ in range(2))
    assert await second.of_owner(OWNER, NOW) == []
    assert not path.parent.exists()
    await first.put([interest("a")], 9, NOW)
    assert [*await second.of_owner(OWNER, NOW)] == [interest("a")]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_file_that_is_none_is_said_to_be_unavailable(tmp_path: Path) -> None:
    (tmp_path / "interests.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnavailable):
        await over(SqliteInterests(tmp_path / "interests.sqlite")).of_owner(OWNER, NOW)
