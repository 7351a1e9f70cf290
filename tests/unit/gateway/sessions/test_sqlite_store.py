"""Sessions in a file of SQLite do what every store does.

Covers ``gateway.sessions.store``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.sessions.sqlite_store import SqliteSessions
from gateway.storage.unavailable import StoreUnavailable
from tests.support.session_stores import CASES, END, NOW, sealed


@pytest.mark.parametrize("name", [*CASES])
async def test_a_store_in_a_file(tmp_path: Path, name: str) -> None:
    await CASES[name](SqliteSessions(tmp_path / "sessions/sessions.sqlite"))


async def test_processes_share_a_file_which_nobody_else_may_read(tmp_path: Path) -> None:
    path = tmp_path / "sessions/sessions.sqlite"
    first, second = SqliteSessions(path), SqliteSessions(path)
    assert await second.get("a", NOW) is None
    assert not path.parent.exists()
    await first.put("a", sealed(), NOW)
    assert await second.get("a", NOW) == sealed()
    await second.remove("a")
    assert await first.get("a", NOW) is None
    assert path.stat().st_mode & 0o777 == 0o600


async def test_what_has_expired_is_deleted_when_somebody_signs_in(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    await SqliteSessions(path).put("old", sealed(b"old session" * 50), NOW)
    await SqliteSessions(path).put("new", sealed(expires=END + 1), END)
    assert b"old session" not in path.read_bytes()


async def test_a_file_that_is_none_is_said_to_be_unavailable(tmp_path: Path) -> None:
    (tmp_path / "sessions.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnavailable):
        await SqliteSessions(tmp_path / "sessions.sqlite").get("a", NOW)


async def test_who_signs_out_while_the_file_is_away_is_not_said_to_be_out(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    store = SqliteSessions(path)
    await store.put("a", sealed(), NOW)
    away = path.rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable):
        await store.remove("a")
    away.rename(path)
    assert await store.get("a", NOW) == sealed()
