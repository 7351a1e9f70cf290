"""Behaviour of the memory backend only: it refuses rows that its database does not declare."""

from __future__ import annotations

import pytest

from connectors.backends.memory import MemoryBackend
from tests.support.backend_samples import AN, DATABASE, UNIONS, union


def test_a_record_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="sample declares no record marriages"):
        MemoryBackend(DATABASE, {"marriages": []})


def test_a_column_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sample\.unions declares no column colour"):
        MemoryBackend(DATABASE, {"unions": [union("u1", colour="red")]})


async def test_rows_are_copied_so_that_later_changes_do_not_reach_them() -> None:
    rows = [union("u1", AN)]
    backend = MemoryBackend(DATABASE, {"unions": rows})
    rows[0]["event_id"] = "u2"
    rows.clear()
    batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    assert [row[0] for row in batch.by_key[AN].rows] == ["u1"]
