"""A file of SQLite that was there before is missed: what it held is not said to be none.

Covers ``gateway.storage.unavailable`` too.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.storage.sqlite_file import SqliteTable
from gateway.storage.unavailable import StoreUnavailable

TABLE = "CREATE TABLE IF NOT EXISTS names (name TEXT)"
NO_NAMES: list[str] = []


def table(folder: Path) -> SqliteTable:
    return SqliteTable(folder / "names.sqlite", TABLE)


async def add(store: SqliteTable, name: str) -> None:
    def run(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO names VALUES (?)", (name,))

    await store.transact(run, None, makes=True)


async def names(store: SqliteTable) -> list[str]:
    def run(connection: sqlite3.Connection) -> list[str]:
        return [str(row[0]) for row in connection.execute("SELECT name FROM names ORDER BY name")]

    return await store.transact(run, NO_NAMES)


async def require_unavailable(store: SqliteTable) -> None:
    """Fail unless the store neither reads nor writes."""
    with pytest.raises(StoreUnavailable):
        await names(store)
    with pytest.raises(StoreUnavailable):
        await add(store, "c")


async def test_a_file_that_is_gone_is_not_an_empty_one(tmp_path: Path) -> None:
    writer, reader, idle = table(tmp_path), table(tmp_path), table(tmp_path)
    await add(writer, "a")
    assert await names(reader) == ["a"]
    started = table(tmp_path)
    away = (tmp_path / "names.sqlite").rename(tmp_path / "away")
    for store in (writer, reader, started):
        await require_unavailable(store)
    assert not (tmp_path / "names.sqlite").exists(), "nobody makes it anew"
    assert await names(idle) == NO_NAMES, "it has never seen the file"
    away.rename(tmp_path / "names.sqlite")
    for store in (writer, reader, started, idle):
        assert await names(store) == ["a"]


async def test_another_file_is_not_the_former(tmp_path: Path) -> None:
    """Also where it has the number of the former on the disk."""
    path, store = tmp_path / "names.sqlite", table(tmp_path)
    await add(store, "a")
    shutil.copy(path, tmp_path / "copy")
    os.truncate(path, 0)
    await require_unavailable(store)
    assert path.stat().st_size == 0, "nothing was written to it"
    shutil.copyfile(tmp_path / "copy", path)
    assert await names(store) == ["a"]
    path.rename(tmp_path / "former")
    await add(table(tmp_path), "b")
    await require_unavailable(store)
    assert await names(table(tmp_path)) == ["b"], "whoever starts now takes what is there"
    (tmp_path / "former").rename(path)
    assert await names(store) == ["a"]
    (tmp_path / "copy").rename(path)
    await require_unavailable(store)


async def test_a_file_of_a_version_before_gets_an_identity(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "names.sqlite")
    connection.execute(TABLE)
    connection.execute("INSERT INTO names VALUES ('a')")
    connection.commit()
    connection.close()
    store, other = table(tmp_path), table(tmp_path)
    for _ in range(2):
        assert await names(store) == await names(other) == ["a"]
    os.truncate(tmp_path / "names.sqlite", 0)
    await require_unavailable(store)


async def test_a_file_of_which_nothing_can_be_told_is_not_an_empty_one(tmp_path: Path) -> None:
    """As on a disk with errors; here the system cannot follow the path."""
    (tmp_path / "names.sqlite").symlink_to("names.sqlite")
    await require_unavailable(table(tmp_path))


async def test_the_log_says_once_what_to_do(tmp_path: Path) -> None:
    path, store = tmp_path / "names.sqlite", table(tmp_path)
    await add(store, "a")
    path.rename(tmp_path / "away")
    with capture_logs() as lines:
        await require_unavailable(store)
    (line,) = lines
    assert (line["log_level"], line["file"]) == ("error", str(path))
    assert "restart" in line["event"]
    await add(table(tmp_path), "b")
    with capture_logs() as lines:
        await require_unavailable(store)
    assert len(lines) == 1
    (tmp_path / "away").rename(path)
    with capture_logs() as lines:
        assert await names(store) == await names(store) == ["a"]
    assert [line["log_level"] for line in lines] == ["info"]


async def test_who_starts_without_a_file_says_so_where_its_folder_is(tmp_path: Path) -> None:
    """A new site has no folder either, unless somebody made it: a disk may not be mounted."""
    with capture_logs() as lines:
        table(tmp_path / "folder")
        assert lines == []
        (tmp_path / "folder").mkdir()
        store = table(tmp_path / "folder")
    assert [line["file"] for line in lines] == [str(tmp_path / "folder/names.sqlite")]
    assert await names(store) == NO_NAMES
    await add(store, "a")
    with capture_logs() as lines:
        table(tmp_path / "folder")
    assert lines == []
