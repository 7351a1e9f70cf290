"""Tickets in a file of SQLite do what every store does.

Covers ``gateway.tickets.store``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.storage.unavailable import StoreUnavailable
from gateway.tickets.sqlite_store import SqliteTickets
from tests.support.ticket_stores import CASES, END, NOW, put, sealed


@pytest.mark.parametrize("name", [*CASES])
async def test_a_store_in_a_file(tmp_path: Path, name: str) -> None:
    await CASES[name](SqliteTickets(tmp_path / "tickets/tickets.sqlite"))


async def test_there_is_no_file_before_the_first_ticket(tmp_path: Path) -> None:
    path = tmp_path / "tickets/tickets.sqlite"
    store = SqliteTickets(path)
    assert await store.due(NOW, 9) == []
    assert await store.get("a", NOW) is None
    assert not path.parent.exists()
    await put(store, sealed("a"))
    assert path.stat().st_mode & 0o777 == 0o600


async def test_processes_share_a_file(tmp_path: Path) -> None:
    first, second = (SqliteTickets(tmp_path / "tickets.sqlite") for _ in range(2))
    await put(first, sealed("a"))
    assert await second.get("a", NOW) == b"a"
    assert await second.get("a", END) is None


async def test_a_file_that_is_none_is_said_to_be_unavailable(tmp_path: Path) -> None:
    (tmp_path / "tickets.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnavailable):
        await put(SqliteTickets(tmp_path / "tickets.sqlite"), sealed("a"))


async def test_a_ticket_whose_file_is_away_is_not_said_to_be_none(tmp_path: Path) -> None:
    store = SqliteTickets(tmp_path / "tickets.sqlite")
    await put(store, sealed("a"))
    (tmp_path / "tickets.sqlite").unlink()
    with pytest.raises(StoreUnavailable):
        await store.get("a", NOW)
    with pytest.raises(StoreUnavailable):
        await store.due(NOW, 9)
