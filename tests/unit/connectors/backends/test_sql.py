"""Behaviour of files only: removed, replaced, locked or corrupt; and never written.

Covers ``connectors.backends.file_version``, ``connectors.backends.sqlite``,
``connectors.backends.session``, ``connectors.backends.statement``.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.backends.base import Batch, NotMapped, Rows, SourceUnavailable
from connectors.backends.record_maps import map_records
from connectors.backends.sql import SqlBackend
from connectors.backends.sqlite import FileSession
from connectors.backends.statement import SQLITE, lookup_statement
from tests.support.backend_samples import (
    AN,
    BINH,
    CASES,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    thing,
    union,
    write_file,
)

Make = Callable[..., SqlBackend]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file that holds one union of AN."""
    return write_file(tmp_path / "sample.sqlite", {"unions": [union("u1")], "things": []})


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make a backend over a file; what was made is closed afterwards."""
    backends: list[SqlBackend] = []

    def make(path: Path, **settings: object) -> SqlBackend:
        # Settings are of several types; what does not fit fails in the test.
        options: dict[str, Any] = {"busy_timeout": 0.01} | settings
        backends.append(SqlBackend(DATABASE, f"sqlite:///{path}", **options))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


async def _unions(backend: SqlBackend) -> list[object]:
    batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    return [row[0] for row in batch.by_key[AN].rows]


async def _as_of(backend: SqlBackend) -> datetime | None:
    batch: Batch = await backend.fetch(THINGS, THINGS.lookups[0], [AN])
    return batch.as_of


async def _run(backend: SqlBackend, *statements: str) -> None:
    """Run statements on one of the backend's own connections."""
    async with backend._source.use() as session:
        assert isinstance(session, FileSession)
        for statement in statements:
            await session.connection.execute(sa.text(statement))


async def _until_idle(backend: SqlBackend) -> None:
    async with asyncio.timeout(10):
        while backend.in_use:  # noqa: ASYNC110 - nothing tells when, and nothing sleeps
            await asyncio.sleep(0)


def _execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        for statement in statements:
            file.execute(statement)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file as a program does that writes into it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


# ---- removed, replaced


async def test_a_file_that_is_not_there_is_unavailable_and_is_not_created(
    make: Make, tmp_path: Path
) -> None:
    backend = make(tmp_path / "none.sqlite")
    await backend.open()
    with pytest.raises(SourceUnavailable):
        await _unions(backend)
    with pytest.raises(SourceUnavailable):
        await backend.ping()
    assert list(tmp_path.iterdir()) == []


async def test_a_removed_file_is_noticed_and_not_created_anew(make: Make, path: Path) -> None:
    backend = make(path)
    assert await _unions(backend) == ["u1"]
    path.unlink()
    with pytest.raises(SourceUnavailable):
        await _unions(backend)
    assert not path.exists()


async def test_a_file_that_comes_back_is_read_again(make: Make, path: Path) -> None:
    backend = make(path)
    await _unions(backend)
    aside = path.rename(path.with_suffix(".aside"))
    with pytest.raises(SourceUnavailable):
        await _unions(backend)
    aside.rename(path)
    assert await _unions(backend) == ["u1"]


async def test_a_file_that_took_anothers_place_is_read_at_the_next_use(
    make: Make, path: Path
) -> None:
    backend = make(path)
    assert await _unions(backend) == ["u1"]
    write_file(path.with_suffix(".new"), {"unions": [union("u2")]}).replace(path)
    assert await _unions(backend) == ["u2"]


async def test_a_link_that_leads_elsewhere_is_noticed(make: Make, path: Path) -> None:
    other = write_file(path.with_suffix(".other"), {"unions": [union("u2")]})
    link, newer = path.with_suffix(".link"), path.with_suffix(".newer")
    link.symlink_to(path)
    backend = make(link)
    assert await _unions(backend) == ["u1"]
    newer.symlink_to(other)
    newer.replace(link)
    assert await _unions(backend) == ["u2"]


async def test_what_was_known_of_the_old_file_is_not_held_against_the_new(
    make: Make, path: Path
) -> None:
    write_file(path.with_suffix(".bare"), {"unions": []}).replace(path)
    backend = make(path)
    with pytest.raises(NotMapped):
        await _as_of(backend)
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    write_file(path.with_suffix(".full"), EMPTY, moment).replace(path)
    assert await _as_of(backend) == moment


async def test_rows_written_into_the_file_in_place_are_seen(make: Make, path: Path) -> None:
    backend = make(path)
    await _unions(backend)
    _execute(path, f"INSERT INTO unions (event_id, one_id) VALUES ('u2', '{AN}')")
    assert await _unions(backend) == ["u1", "u2"]


# ---- overwritten in place


def _shuffled(path: Path, seed: int, count: int = 3_000) -> Path:
    """Write things of many owners, each titled with its owner, in an order of its own."""
    owners = [f"0010900{number:05d}" for number in range(count)]
    Random(seed).shuffle(owners)
    rows = [thing(f"t{number:05d}", owner, title=owner) for number, owner in enumerate(owners)]
    return write_file(path, {"things": rows})


async def _titles(backend: SqlBackend, keys: Sequence[str]) -> dict[str, list[object]]:
    batch = await backend.fetch(THINGS, THINGS.lookups[0], keys)
    place = THINGS.positions["title"]
    return {key: [row[place] for row in rows.rows] for key, rows in batch.by_key.items()}


async def _read_during(backend: SqlBackend, change: Callable[[], object]) -> None:
    """Have the file change between a statement and the end of the connection's loan."""
    async with backend._source.use() as session:
        await session.probe()
        change()


async def test_a_file_overwritten_in_place_gives_nobody_the_row_of_another(
    make: Make, tmp_path: Path
) -> None:
    path = _shuffled(tmp_path / "file.sqlite", 1)
    other = _shuffled(tmp_path / "other.sqlite", 2)
    assert path.stat().st_size == other.stat().st_size
    backend = make(path, pool_size=1)
    keys = [f"0010900{number:05d}" for number in range(0, 3_000, 7)]
    assert await _titles(backend, keys[:1]) == {keys[0]: [keys[0]]}
    path.write_bytes(other.read_bytes())
    assert await _titles(backend, keys) == {key: [key] for key in keys}


async def test_a_file_overwritten_in_place_is_known_though_size_and_date_are_the_same(
    make: Make, tmp_path: Path
) -> None:
    path = write_file(tmp_path / "file.sqlite", {"things": [thing("t1", title="Hoa")]})
    other = write_file(tmp_path / "other.sqlite", {"things": [thing("t1", title="Lan")]})
    backend = make(path)
    assert await _titles(backend, [AN]) == {AN: ["Hoa"]}
    before = path.stat()
    path.write_bytes(other.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert await _titles(backend, [AN]) == {AN: ["Lan"]}


async def test_what_was_read_while_the_file_was_overwritten_is_thrown_away(
    make: Make, tmp_path: Path
) -> None:
    path = _shuffled(tmp_path / "file.sqlite", 1, 10)
    other = _shuffled(tmp_path / "other.sqlite", 2, 10)
    backend = make(path)
    await _titles(backend, [AN])
    with pytest.raises(SourceUnavailable, match="changed while it was read"):
        await _read_during(backend, lambda: path.write_bytes(other.read_bytes()))
    assert await _titles(backend, ["001090000001"]) == {"001090000001": ["001090000001"]}


async def test_what_was_read_while_another_file_took_its_place_stands(
    make: Make, path: Path
) -> None:
    backend = make(path)
    newer = write_file(path.with_suffix(".new"), {"unions": [union("u2")]})
    await _read_during(backend, lambda: newer.replace(path))
    assert await _unions(backend) == ["u2"]


async def test_a_row_that_does_not_bear_the_key_in_its_index_is_unavailable(
    make: Make, tmp_path: Path
) -> None:
    path = write_file(tmp_path / "file.sqlite", {"things": [thing("t1", AN), thing("t2", BINH)]})
    _exchange(path, "things", AN, BINH)
    with pytest.raises(SourceUnavailable, match="index does not fit"):
        await _titles(make(path), [AN])


async def test_a_row_that_is_found_through_others_bears_their_link(
    make: Make, tmp_path: Path
) -> None:
    parties = [
        {"party_no": "p1", "case_no": "c1", "who_id": AN},
        {"party_no": "p2", "case_no": "c2", "who_id": BINH},
    ]
    rows = {"cases": [{"case_no": "c1"}, {"case_no": "c2"}], "case_parties": parties}
    for table, first, second in (("cases", "c1", "c2"), ("case_parties", AN, BINH)):
        path = write_file(tmp_path / f"{table}.sqlite", rows)
        backend = make(path)
        assert [row[0] for row in (await _cases(backend)).rows] == ["c1"]
        _exchange(path, table, first, second)
        with pytest.raises(SourceUnavailable, match="index does not fit"):
            await _cases(backend)


@pytest.mark.parametrize("table", ["things", "cases", "case_parties"])
async def test_a_row_that_is_in_an_index_and_not_in_its_table_is_unavailable(
    make: Make, tmp_path: Path, table: str
) -> None:
    rows: dict[str, list[dict[str, object]]] = {
        "things": [thing("t1", AN)],
        "cases": [{"case_no": "c1"}],
        "case_parties": [{"party_no": "p1", "case_no": "c1", "who_id": AN}],
    }
    path = write_file(tmp_path / "file.sqlite", rows)
    _lose_rows(path, table)
    with pytest.raises(SourceUnavailable, match="index does not fit"):
        await (_titles(make(path), [AN]) if table == "things" else _cases(make(path)))


def _lose_rows(path: Path, table: str) -> None:
    """Delete the rows of a table while SQLite does not know of its indexes."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA writable_schema = ON")
        query = "SELECT * FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
        indexes = file.execute(query, [table]).fetchall()
        file.execute("DELETE FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", [table])
        file.commit()
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"DELETE FROM {table}")
        file.execute("PRAGMA writable_schema = ON")
        file.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", indexes)
        file.commit()


async def _cases(backend: SqlBackend) -> Rows:
    return (await backend.fetch(CASES, CASES.lookups[0], [AN])).by_key[AN]


def _exchange(path: Path, table: str, first: str, second: str) -> None:
    """Exchange two values in a table and not in its index, as where half of another file lies."""
    with closing(sqlite3.connect(path)) as file:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (number,) = file.execute(query, [table]).fetchone()
        (size,) = file.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    page = content[size * (number - 1) : size * number]
    places = [page.index(value.encode()) for value in (first, second)]
    for place, value in zip(places, (second, first), strict=True):
        page[place : place + len(value)] = value.encode()
    content[size * (number - 1) : size * number] = page
    path.write_bytes(content)


async def test_a_file_that_is_never_still_is_unavailable(make: Make, path: Path) -> None:
    still = asyncio.Event()
    backend = make(path, now=lambda: time.time() if still.is_set() else _modified_at(path))
    with pytest.raises(SourceUnavailable, match="being written"):
        await _unions(backend)
    still.set()
    assert await _unions(backend) == ["u1"]


def _modified_at(path: Path) -> float:
    return path.stat().st_ctime_ns / 1e9


# ---- locked, broken


async def test_a_locked_file_is_unavailable_until_it_is_free(make: Make, path: Path) -> None:
    backend = make(path)
    await _unions(backend)
    with _locked(path):
        with pytest.raises(SourceUnavailable, match="SQLITE_BUSY"):
            await _unions(backend)
        with pytest.raises(SourceUnavailable, match="SQLITE_BUSY"):
            await backend.ping()
    assert await _unions(backend) == ["u1"]


async def test_a_file_that_is_locked_from_the_start_is_read_when_free(
    make: Make, path: Path
) -> None:
    backend = make(path)
    with _locked(path), pytest.raises(SourceUnavailable):
        await _unions(backend)
    assert await _unions(backend) == ["u1"]


@pytest.mark.parametrize("content", [b"", b"not a database at all " * 100, b"SQLite format 3\x00"])
async def test_a_file_that_is_no_database_is_unavailable(
    make: Make, tmp_path: Path, content: bytes
) -> None:
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(content)
    backend = make(garbage)
    with pytest.raises(SourceUnavailable):
        await _unions(backend)
    assert garbage.read_bytes() == content


async def test_a_folder_is_no_database(make: Make, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable):
        await _unions(make(tmp_path))


async def test_a_file_that_breaks_and_is_mended_in_place_is_read_again(
    make: Make, path: Path
) -> None:
    backend = make(path)
    await _unions(backend)
    content = path.read_bytes()
    path.write_bytes(b"x" * len(content))
    with pytest.raises(SourceUnavailable):
        await _unions(backend)
    path.write_bytes(content)
    assert await _unions(backend) == ["u1"]


async def test_a_missing_column_is_no_empty_answer(make: Make, path: Path) -> None:
    _execute(path, "ALTER TABLE unions DROP COLUMN mood")
    with pytest.raises(SourceUnavailable, match="SQLITE_ERROR"):
        await _unions(make(path))


async def test_a_missing_table_is_not_mapped(make: Make, path: Path) -> None:
    _execute(path, "DROP TABLE unions")
    backend = make(path)
    with pytest.raises(NotMapped):
        await _unions(backend)
    await _as_of(backend)


async def test_a_view_serves_as_a_table(make: Make, path: Path) -> None:
    _execute(
        path, "ALTER TABLE unions RENAME TO stored", "CREATE VIEW unions AS SELECT * FROM stored"
    )
    assert await _unions(make(path)) == ["u1"]


async def test_text_that_is_not_unicode_costs_only_its_row(make: Make, path: Path) -> None:
    _execute(
        path,
        "INSERT INTO unions (event_id, one_id) "
        f"VALUES (CAST(x'4eff' AS TEXT), '{AN}'), ('u2', '{AN}')",
    )
    batch = await make(path).fetch(UNIONS, UNIONS.lookups[0], [AN])
    rows = batch.by_key[AN]
    assert ([row[0] for row in rows.rows], rows.unreadable) == (["u1", "u2"], 1)


async def test_the_reason_names_no_value(make: Make, path: Path) -> None:
    _execute(path, "ALTER TABLE unions DROP COLUMN mood")
    with pytest.raises(SourceUnavailable) as caught:
        await _unions(make(path))
    assert str(caught.value) == "SQLITE_ERROR"
    assert caught.value.__suppress_context__


# ---- only read


async def test_reading_leaves_the_file_and_its_folder_as_they_were(make: Make, path: Path) -> None:
    before = (path.stat().st_mtime_ns, path.read_bytes())
    backend = make(path)
    await _unions(backend)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    await backend.close()
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


async def test_a_connection_refuses_to_write(path: Path, make: Make) -> None:
    backend = make(path)
    for write in ("INSERT INTO unions (event_id) VALUES ('u2')", "CREATE TABLE mine (x)"):
        with pytest.raises(SourceUnavailable, match="SQLITE_READONLY"):
            await _run(backend, write)
    assert await _unions(backend) == ["u1"]


async def test_a_connection_stays_read_only_when_it_is_told_otherwise(
    path: Path, make: Make
) -> None:
    with pytest.raises(SourceUnavailable, match="SQLITE_READONLY"):
        await _run(make(path), "PRAGMA query_only = OFF", "DELETE FROM unions")


# ---- the source's own statement


async def test_a_statement_that_was_changed_is_read_at_once(make: Make, path: Path) -> None:
    backend = make(path)
    _execute(path, "INSERT INTO source_statement VALUES ('2026-11-01T05:00:00+00:00')")
    five, six = (datetime(2026, 11, 1, hour, tzinfo=UTC) for hour in (5, 6))
    assert await _as_of(backend) == five
    _execute(path, "UPDATE source_statement SET as_of = '2026-11-01T13:00:00+07:00'")
    assert await _as_of(backend) == six


@pytest.mark.parametrize("stated", ["yesterday", "2026-11-01", "2026-11-01T05:00:00", ""])
async def test_a_statement_that_makes_no_sense_is_none(make: Make, path: Path, stated: str) -> None:
    _execute(path, f"INSERT INTO source_statement VALUES ('{stated}')")
    assert await _as_of(make(path)) is None


async def test_a_source_without_the_table_states_nothing(make: Make, path: Path) -> None:
    _execute(path, "DROP TABLE source_statement")
    assert await _as_of(make(path)) is None


# ---- many at once, cancelled, closed


async def test_more_fetches_than_connections_are_all_answered(make: Make, path: Path) -> None:
    backend = make(path, pool_size=2)
    assert await asyncio.gather(*(_unions(backend) for _ in range(50))) == [["u1"]] * 50
    assert backend.in_use == 0


async def test_cancelled_fetches_leave_no_connection_behind(make: Make, path: Path) -> None:
    backend = make(path)
    for turns in range(50):  # each is cancelled a little later on its way than the one before
        fetches = [asyncio.create_task(_unions(backend)) for _ in range(50)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
    await _until_idle(backend)
    assert await asyncio.gather(*(_unions(backend) for _ in range(8))) == [["u1"]] * 8


async def test_fetches_cancelled_while_they_wait_for_a_lock_leave_nothing_behind(
    make: Make, path: Path
) -> None:
    backend = make(path, busy_timeout=60.0)
    await _unions(backend)
    with _locked(path):
        fetches = [asyncio.create_task(_unions(backend)) for _ in range(50)]
        async with asyncio.timeout(10):
            while backend.in_use < 4:  # noqa: ASYNC110 - as in _until_idle
                await asyncio.sleep(0)
        for fetch in fetches:
            fetch.cancel()
        results = await asyncio.gather(*fetches, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    await _until_idle(backend)
    assert await _unions(backend) == ["u1"]


async def test_a_statement_whose_caller_has_left_is_stopped(make: Make, path: Path) -> None:
    _execute(
        path,
        "DROP TABLE unions",
        "CREATE VIEW unions AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
        "SELECT x AS event_id, CAST(x AS TEXT) AS one_id, NULL AS other_id, NULL AS registered_on, "
        "NULL AS mood FROM n",
    )
    backend = make(path, pool_size=1)
    await _as_of(backend)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await _unions(backend)
    async with asyncio.timeout(10):  # the only connection is free again
        await _as_of(backend)


async def test_closing_waits_for_what_is_in_flight(make: Make, path: Path) -> None:
    backend = make(path)
    fetch = asyncio.create_task(_unions(backend))
    await asyncio.sleep(0)
    await backend.close()
    assert await fetch == ["u1"]


async def test_a_closed_backend_is_unavailable(make: Make, path: Path) -> None:
    backend = make(path)
    await _unions(backend)
    await backend.close()
    with pytest.raises(SourceUnavailable):
        await _unions(backend)
    with pytest.raises(SourceUnavailable):
        await backend.ping()


async def test_fetches_that_wait_when_the_backend_closes_are_told_so(
    make: Make, path: Path
) -> None:
    backend = make(path, pool_size=1)
    fetches = [asyncio.create_task(_unions(backend)) for _ in range(5)]
    await asyncio.sleep(0)
    await backend.close()
    first, *others = await asyncio.gather(*fetches, return_exceptions=True)
    assert first == ["u1"]
    assert all(isinstance(other, SourceUnavailable) for other in others)


async def test_no_thread_outlives_the_backend(path: Path) -> None:
    before = set(threading.enumerate())
    backend = SqlBackend(DATABASE, f"sqlite:///{path}")
    await asyncio.gather(*(_unions(backend) for _ in range(8)))
    await backend.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)
        assert not thread.is_alive()


async def test_replacing_the_file_under_load_closes_the_old_one(make: Make, path: Path) -> None:
    backend = make(path)
    for number in range(5):
        fetches = [asyncio.create_task(_unions(backend)) for _ in range(12)]
        await asyncio.sleep(0)
        newer = write_file(path.with_suffix(".new"), {"unions": [union(f"n{number}")]})
        newer.replace(path)
        await asyncio.gather(*fetches)
        assert await _unions(backend) == [f"n{number}"]
    assert backend.in_use == 0


# ---- what it is made from


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("oracle://user:secret@db/civil", "oracle databases are not supported"),
        ("postgresql://user:secret@db/civil", "must not hold a password"),
        ("mariadb://user:secret@db/civil", "must not hold a password"),
        ("postgresql://user@db/civil?password=secret", "nothing after a"),
        ("mariadb://user@db", "a server's URL is"),
        ("postgresql://db/civil", "a server's URL is"),
        ("mysql://user:secret@db/civil", "mysql databases are not supported"),
        ("user:secret@db", "a database URL must be written"),
        ("sqlite://", "an SQLite URL is"),
        ("sqlite:///:memory:", "an SQLite URL is"),
        ("sqlite:///file.sqlite?mode=rwc", "an SQLite URL is"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(
    url: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        SqlBackend(DATABASE, url)
    assert "secret" not in str(caught.value)


async def test_a_path_may_be_relative_and_hold_any_character(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "Hộ tịch #1 (50% mới).sqlite"
    write_file(tmp_path / name, {"unions": [union("u1")]})
    backend = make(Path(name))
    monkeypatch.chdir("/")
    assert await _unions(backend) == ["u1"]


def test_every_column_of_a_lookup_is_searched_by_its_index(path: Path) -> None:
    lookup = lookup_statement(SQLITE, map_records(DATABASE)["unions"], UNIONS.lookups[0])
    compiled = lookup.statement.params(keys=[AN, BINH])
    text = str(
        compiled.compile(
            dialect=sa.create_engine("sqlite://").dialect, compile_kwargs={"literal_binds": True}
        )
    )
    with closing(sqlite3.connect(path)) as file:
        plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert [step for step in plan if "unions" in step] == [
        "SEARCH unions USING INDEX ix_unions_one_id (one_id=?)",
        "SEARCH unions USING INDEX ix_unions_other_id (other_id=?)",
    ]


async def test_text_in_a_wrong_encoding_costs_its_own_row_only(tmp_path: Path) -> None:
    path = write_file(tmp_path / "file.sqlite", {"things": [thing("good"), thing("bad")]})
    with closing(sqlite3.connect(path)) as file, file:
        # "Hà Nội" as a database in TCVN3 would hand it out: bytes that are no UTF-8.
        file.execute(
            "UPDATE things SET title = CAST(x'48b5204ee96920' AS TEXT) WHERE thing_id = 'bad'"
        )
    backend = SqlBackend(DATABASE, f"sqlite:///{path}")
    batch = await backend.fetch(THINGS, THINGS.lookups[0], [AN])
    await backend.close()
    assert [row[0] for row in batch.by_key[AN].rows] == ["good"]
    assert batch.by_key[AN].unreadable == 1
