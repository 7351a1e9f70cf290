"""A full disk: no answer until there is room, and an unbroken chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faulty_disk import numbers, refuses
from tests.support.journals import checked, open_journal
from tests.support.small_disk import small_disk


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB, of our own."""
    with small_disk(tmp_path / "small", 256 * 1024) as path:
        yield path


async def test_a_full_disk_means_no_answer_until_there_is_room(small_disk: Path) -> None:
    """The real thing: no monkey on the system calls."""
    folder = small_disk / "journal"
    ballast = small_disk / "ballast"
    async with open_journal(folder, segment_bytes=30_000, checkpoint_entries=5) as journal:
        await journal.append({"number": 0})
        ballast.write_bytes(bytes(150_000))
        number = 0
        while not await refuses(journal, {"number": number + 1, "filling": "x" * 5_000}):
            number += 1
        assert await refuses(journal, {"number": -2, "filling": "x" * 50_000})
        ballast.unlink()
        assert await journal.check()
        await journal.append({"number": -1})
    assert numbers(folder) == [*range(number + 1), -1]
    assert checked(folder).fault is None
    assert number > 5
