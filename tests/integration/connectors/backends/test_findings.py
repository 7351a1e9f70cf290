"""Examination of a server: read-only rights, time limits, and the tables of the settings.

Covers ``connectors.backends.examination``, ``connectors.backends.examine_mariadb``,
``connectors.backends.examine_postgresql``, ``connectors.backends.examine_sqlite``.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.backends.base import Examination, Finding, SourceUnavailable
from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import (
    AN,
    DATABASE,
    EMPTY,
    UNIONS,
    union,
    write_file,
)
from tests.support.backend_servers import write_server
from tests.support.servers import SERVERS, Server

_SECRET = "chìa khóa"


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> Server:
    """Give a server that holds the sample's tables."""
    server: Server = request.getfixturevalue(request.param)
    await write_server(server, {**EMPTY, "unions": [union("u1")]})
    return server


@pytest.fixture
async def reader(server: Server) -> AsyncIterator[str]:
    """Make a user who may read and nothing else."""
    name = f"reader_{secrets.token_hex(4)}"
    if server.make == "postgresql":
        await server.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{_SECRET}'",
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
        )
        yield name
        await server.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
        return
    await server.execute(
        f"CREATE USER {name}@'%' IDENTIFIED BY '{_SECRET}'",
        f"GRANT SELECT ON {server.name}.* TO {name}@'%'",
    )
    yield name
    await server.execute(f"DROP USER {name}@'%'")


def _backend(
    server: Server, user: str | None = None, maps: dict[str, RecordMap] | None = None
) -> SqlBackend:
    options = ServerOptions(password=lambda: "" if user is None else _SECRET)
    return SqlBackend(DATABASE, server.at(server.port, user), server=options, maps=maps)


async def _findings(backend: SqlBackend) -> list[Finding]:
    try:
        return list((await backend.examine()).findings)
    finally:
        await backend.close()


async def test_of_a_reader_there_is_nothing_to_find(server: Server, reader: str) -> None:
    assert await _findings(_backend(server, reader)) == []


async def test_a_reader_reads_with_the_password(server: Server, reader: str) -> None:
    backend = _backend(server, reader)
    batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    await backend.close()
    assert [row[0] for row in batch.by_key[AN].rows] == ["u1"]


async def test_a_right_that_was_revoked_is_no_missing_table(server: Server, reader: str) -> None:
    if server.make == "postgresql":
        await server.execute(f"REVOKE SELECT ON unions FROM {reader}")
    else:
        user = f"{reader}@'%'"
        await server.execute(
            f"REVOKE SELECT ON {server.name}.* FROM {user}", f"GRANT SELECT ON things TO {user}"
        )
    backend = _backend(server, reader)
    with pytest.raises(SourceUnavailable, match=r"InsufficientPrivilege|1142"):
        await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
    await backend.close()


async def test_an_administrator_is_found(server: Server) -> None:
    findings = await _findings(_backend(server))
    assert {entry.topic for entry in findings} == {"role"}


async def test_a_role_that_may_write_is_found(server: Server, reader: str) -> None:
    user = reader if server.make == "postgresql" else f"{reader}@'%'"
    await server.execute(f"GRANT INSERT ON unions TO {user}")
    (finding,) = await _findings(_backend(server, reader))
    assert finding.topic == "role"
    assert "unions" in finding.text


async def test_a_table_and_a_column_that_are_not_there_are_found(
    server: Server, reader: str
) -> None:
    maps = {
        "cases": RecordMap(table="vu_viec"),
        "unions": RecordMap(columns={"mood": "tam_trang"}),
        "things": RecordMap(mapped=False),
    }
    texts = {
        (finding.topic, finding.text) for finding in await _findings(_backend(server, reader, maps))
    }
    assert texts == {
        ("tables", "there is no table vu_viec for cases"),
        ("columns", "column tam_trang of unions is not there, or may not be read"),
    }


async def test_a_key_without_an_index_is_found(server: Server, reader: str) -> None:
    on = "" if server.make == "postgresql" else "ON unions"
    await server.execute(f"DROP INDEX ix_unions_2 {on}")
    (finding,) = await _findings(_backend(server, reader))
    assert (finding.topic, finding.setting) == ("index", ("records", "unions", "table"))
    assert finding.text == "one_id, other_id of unions: without an index it is read whole"
    assert "CREATE INDEX ON unions (other_id)" in finding.advice


async def test_a_link_without_an_index_is_found(server: Server, reader: str) -> None:
    on = "" if server.make == "postgresql" else "ON cases"
    await server.execute(f"DROP INDEX ix_cases_0 {on}")
    (finding,) = await _findings(_backend(server, reader))
    assert finding.topic == "index"
    assert finding.text == "case_no of cases: without an index it is read whole"


async def test_a_server_that_does_not_let_one_in_is_a_finding_without_names(
    server: Server,
) -> None:
    (finding,) = await _findings(_backend(server, "nobody_at_all"))
    assert finding.topic == "server"
    assert "nobody_at_all" not in finding.text
    assert _SECRET not in finding.text


def test_options_show_no_password() -> None:
    assert _SECRET not in repr(ServerOptions(password=lambda: _SECRET))


async def test_of_a_file_tables_columns_and_indexes_are_found(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sample.sqlite", {**EMPTY, "unions": ()})
    assert await _findings(SqlBackend(DATABASE, f"sqlite:///{path}")) == []
    maps = {
        "things": RecordMap(table="do_vat"),
        "cases": RecordMap(columns={"opened_on": "ngay_mo"}),
    }
    findings = await _findings(SqlBackend(DATABASE, f"sqlite:///{path}", maps=maps))
    assert {(entry.topic, entry.setting) for entry in findings} == {
        ("columns", ("records", "cases", "columns", "opened_on")),
        ("tables", ("records", "things", "table")),
    }
    with closing(sqlite3.connect(path)) as connection:
        (index,) = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%unions%other_id%'"
        ).fetchone()
        connection.execute(f"DROP INDEX {index}")
    (missing_index,) = await _findings(SqlBackend(DATABASE, f"sqlite:///{path}"))
    assert (missing_index.topic, "other_id" in missing_index.advice) == ("index", True)


@pytest.mark.parametrize("rotated", [False, True])
async def test_a_file_that_holds_parts_of_two_is_found_and_renaming_advised(
    tmp_path: Path, rotated: bool
) -> None:
    rows = [union(f"u{number:04d}", f"0010900{number:05d}") for number in range(2_000)]
    path = write_file(tmp_path / "sample.sqlite", {**EMPTY, "unions": rows})
    moved = [*rows[1_000:], *rows[:1_000]] if rotated else rows[::-1]
    other = write_file(tmp_path / "other.sqlite", {**EMPTY, "unions": moved})
    half = path.stat().st_size // 8192 * 4096
    with path.open("r+b") as file:  # as a copy that has got half-way
        file.write(other.read_bytes()[:half])
    backend = SqlBackend(DATABASE, f"sqlite:///{path}")
    finding = (await backend.examine(thoroughly=True)).findings[0]
    await backend.close()
    assert (finding.topic, "rename" in finding.advice) == ("file", True)


async def test_a_file_that_was_cut_short_is_found(tmp_path: Path) -> None:
    rows = [union(f"u{number:04d}", f"0010900{number:05d}") for number in range(2_000)]
    path = write_file(tmp_path / "sample.sqlite", {**EMPTY, "unions": rows})
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)
    backend = SqlBackend(DATABASE, f"sqlite:///{path}")
    topic = {finding.topic for finding in (await backend.examine()).findings}
    await backend.close()
    assert "file" in topic or "server" in topic


# ---- a thorough look


async def _thoroughly(server: Server, reader: str) -> Examination:
    backend = _backend(server, reader)
    try:
        return await backend.examine(thoroughly=True)
    finally:
        await backend.close()


async def test_the_server_its_clock_and_the_time_of_a_look_up_are_told(
    server: Server, reader: str
) -> None:
    examination = await _thoroughly(server, reader)
    assert examination.findings == ()
    make, version = (examination.server or "").split()
    assert (make.lower(), int(version.split(".")[0]) >= 10) == (server.make, True)
    assert examination.encoding in {"UTF8", "utf8mb4"}
    assert examination.clock_ahead is not None
    assert abs(examination.clock_ahead) < 60
    assert examination.latency is not None
    assert 0 < examination.latency[0] <= examination.latency[1] < 5


async def test_a_code_that_is_not_known_is_told_and_nothing_that_may_name_somebody(
    server: Server, reader: str
) -> None:
    await server.execute(
        "UPDATE unions SET mood = 'FURIOUS'",
        "INSERT INTO unions (event_id, one_id, mood) VALUES ('u2', NULL, '001090000001')",
        "INSERT INTO unions (event_id, one_id, mood) VALUES ('u3', NULL, 'Nguyễn Văn An')",
    )
    findings = (await _thoroughly(server, reader)).findings
    (code_finding,) = [finding for finding in findings if finding.topic != "unnumbered"]
    assert (code_finding.topic, code_finding.setting) == (
        "codes",
        ("records", "unions", "values", "mood"),
    )
    assert code_finding.text == (
        "column mood of unions has codes that are not known: (not shown), FURIOUS, (not shown)"
    )


async def test_rows_that_cannot_be_read_are_counted_by_column(server: Server, reader: str) -> None:
    await server.execute("UPDATE unions SET registered_on = 'hôm qua'")
    (finding,) = (await _thoroughly(server, reader)).findings
    assert finding.topic == "values"
    assert finding.text == "of 1 rows of unions, 1 cannot be read: registered_on cannot be read"


async def test_a_type_that_loses_the_zeros_of_numbers_is_found(server: Server, reader: str) -> None:
    maria = "ALTER TABLE unions MODIFY other_id BIGINT"
    other = "ALTER TABLE unions ALTER other_id TYPE bigint USING other_id::bigint"
    await server.execute("UPDATE unions SET other_id = NULL")
    await server.execute(other if server.make == "postgresql" else maria)
    findings = await _findings(_backend(server, reader))
    assert ("types", "records.unions.columns.other_id") in {
        (entry.topic, ".".join(entry.setting)) for entry in findings
    }
