"""Tickets are sealed, bound to their id, and found by their text alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.keys.keyring import Keyring, Secret
from gateway.settings import TicketSettings
from gateway.tickets.sqlite_store import SqliteTickets
from gateway.tickets.tickets import Tickets
from tests.support.running import TestClock

OLD, NEW = Secret.of(b"1" * 32), Secret.of(b"2" * 32)
CONTENT = b'{"who": "001090012345"}'


def tickets(folder: Path, *secrets: Secret) -> Tickets:
    current, *former = secrets
    store = SqliteTickets(folder / "tickets.sqlite")
    return Tickets(store, TicketSettings(), Keyring(current, tuple(former)), TestClock(), 60)


async def test_a_ticket_is_found_by_its_text(tmp_path: Path) -> None:
    kept = tickets(tmp_path, OLD)
    text = await kept.leave("client", CONTENT)
    found = await kept.find(text)
    assert found is not None
    assert found.content == CONTENT
    assert len(text) == 43
    for other in (text[:-1], text + "A", text.swapcase(), ""):
        assert await kept.find(other) is None
    assert await kept.take(found.id, "client")
    assert await kept.find(text) is None


async def test_a_ticket_outlives_a_rotation_of_keys_but_not_the_loss_of_its_key(
    tmp_path: Path,
) -> None:
    text = await tickets(tmp_path, OLD).leave("client", CONTENT)
    rotated = tickets(tmp_path, NEW, OLD)
    found = await rotated.find(text)
    assert found is not None
    await rotated.answer(found.id, b"answer")
    again = await rotated.find(text)
    assert again is not None
    assert again.content == b"answer"
    assert await tickets(tmp_path, NEW).find(text) is None


async def test_what_is_kept_is_sealed_and_bound_to_its_ticket(tmp_path: Path) -> None:
    kept = tickets(tmp_path, OLD)
    texts = [await kept.leave("client", CONTENT) for _ in range(2)]
    with sqlite3.connect(tmp_path / "tickets.sqlite") as connection:
        rows = connection.execute("SELECT id, client, value FROM tickets").fetchall()
        assert all(text not in str(row) and row[1] != "client" for text in texts for row in rows)
        assert CONTENT not in rows[0][2]
        connection.execute("UPDATE tickets SET value = ? WHERE id = ?", (rows[1][2], rows[0][0]))
    opened = [await kept.find(text) for text in texts]
    assert [found is None for found in opened].count(True) == 1


@pytest.mark.parametrize("place", [0, 1, 9, 20, -1])
async def test_a_changed_byte_opens_nothing(tmp_path: Path, place: int) -> None:
    kept = tickets(tmp_path, OLD)
    text = await kept.leave("client", CONTENT)
    with sqlite3.connect(tmp_path / "tickets.sqlite") as connection:
        ((value,),) = connection.execute("SELECT value FROM tickets").fetchall()
        changed = bytearray(value)
        changed[place] ^= 1
        connection.execute("UPDATE tickets SET value = ?", (bytes(changed),))
    assert await kept.find(text) is None
