"""Sealed interests open as what they were, or are said to be unavailable."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.changes.sealed_interests import decode_interest, encode_interest
from gateway.changes.sqlite_interests import SqliteInterests
from gateway.keys.keyring import Keyring
from gateway.storage.unavailable import StoreUnavailable
from tests.support.interest_stores import NEW_KEY, NOW, OLD_KEY, OWNER, interest, over


def test_an_interest_is_the_same_after_it_was_kept() -> None:
    for each in (interest("a"), interest("b", numbers=["123456789"], position="log.1")):
        assert decode_interest(encode_interest(each)) == each
    with pytest.raises(ValueError, match="no interest"):
        decode_interest(b'{"id": "a"}')


async def test_an_interest_that_does_not_open_is_not_left_out(tmp_path: Path) -> None:
    """A feed without it would pass for a complete one."""
    store = SqliteInterests(tmp_path / "interests.sqlite")
    await over(store, Keyring(OLD_KEY)).put([interest("a")], 9, NOW)
    both = over(store, Keyring(NEW_KEY, (OLD_KEY,)))
    (kept,) = await both.of_owner(OWNER, NOW)
    assert kept == interest("a")
    (row,) = (
        await store.of_groups(
            both._hashes(b'group of interests ["notary-1","agency","notarised-transfer"]'), 0
        )
    ).items()
    assert row[0] == "a"
    with pytest.raises(StoreUnavailable, match="key is gone"):
        over(store, Keyring(NEW_KEY))._open(*row)


async def test_that_all_can_be_read_is_never_remembered(tmp_path: Path) -> None:
    """Another process may have the next key first."""
    store = SqliteInterests(tmp_path / "interests.sqlite")
    interests = over(store)
    await interests.put([interest("a")], 9, NOW)
    assert await interests.count_unreadable(NOW) == 0
    await over(store, Keyring(OLD_KEY)).put([interest("b")], 9, NOW)
    assert await interests.count_unreadable(NOW) == 1
