"""Webhooks in a file of SQLite. Covers ``gateway.changes.webhooks.store`` too."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.changes.webhooks.sqlite_store import SqliteWebhooks
from gateway.storage.unavailable import StoreUnavailable
from tests.support.webhook_stores import CASES, put, sealed


@pytest.mark.parametrize("name", [*CASES])
async def test_a_store_in_a_file(tmp_path: Path, name: str) -> None:
    await CASES[name](SqliteWebhooks(tmp_path / "webhooks" / "webhooks.sqlite"))


async def test_no_file_is_made_before_the_first_webhook(tmp_path: Path) -> None:
    store = SqliteWebhooks(tmp_path / "webhooks.sqlite")
    assert await store.claimable(0) == []
    assert await store.pending("a", 9) == []
    assert not [*tmp_path.iterdir()]


async def test_a_file_that_is_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "webhooks.sqlite").write_bytes(b"no database" * 100)
    store = SqliteWebhooks(tmp_path / "webhooks.sqlite")
    with pytest.raises(StoreUnavailable):
        await put(store, sealed("a"))
    with pytest.raises(StoreUnavailable):
        await store.of_client("c")


async def test_a_webhook_whose_file_is_away_is_not_said_to_be_none(tmp_path: Path) -> None:
    store = SqliteWebhooks(tmp_path / "webhooks.sqlite")
    await put(store, sealed("a"))
    (tmp_path / "webhooks.sqlite").unlink()
    for answer in (store.of_client("c"), store.claimable(0), store.end("a", "c")):
        with pytest.raises(StoreUnavailable):
            await answer
