"""Servers are loaded in bulk with the same people as files, and a load can be resumed.

Covers ``connectors.synthetic.loading.chunks``, ``connectors.synthetic.loading.layout``,
``connectors.synthetic.loading.loader``, ``connectors.synthetic.loading.mariadb``,
``connectors.synthetic.loading.postgresql``, ``connectors.synthetic.loading.target``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.description import Database
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.population import DATABASE as POPULATION
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, clusters, write
from connectors.synthetic.loading import NotLoaded, ServerTarget, load
from connectors.synthetic.loading.chunks import chunk_text, copied
from connectors.values import PartialDate
from gateway.settings import LOADER_VARIABLE
from tests.support.loaded import PASSWORD, Site, site
from tests.support.servers import SERVERS, Server

_NEW_YEAR = "2026-01-01T00:00:00+00:00"
OPTIONS = PopulationOptions(people=120, seed=7, contradiction_rate=0.4)
DECLARED = [database for database in installed_databases() if database.records]
_NAMES = [database.name for database in DECLARED]
_COUNT_TABLES = (
    "SELECT count(*) FROM information_schema.tables WHERE table_schema NOT IN "
    "('information_schema', 'pg_catalog', 'mysql', 'performance_schema', 'sys')"
)


@pytest.fixture(scope="module", params=SERVERS)
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, Path]]:
    """Load all seven databases into a server, and into files."""
    server: Server = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp("loaded")
    write(DECLARED, {name: folder / f"{name}.sqlite" for name in _NAMES}, OPTIONS, folder / "t1")
    (folder / "server").mkdir()
    with site(server, _NAMES) as loaded_site:
        targets = loaded_site.targets(DECLARED)
        _, messages = asyncio.run(load(targets, OPTIONS, folder / "server" / "t1", processes=1))
        assert messages == []
        yield loaded_site, folder


def _backend(loaded_site: Site, name: str) -> SqlBackend:
    described = next(database for database in DECLARED if database.name == name)
    return SqlBackend(
        described, loaded_site.url(name), server=ServerOptions(password=lambda: PASSWORD)
    )


async def _assert_same_rows(described: Database, server: SqlBackend, file: SqlBackend) -> None:
    """Hold all lists of all people in a server against those in a file; closes both."""
    people = [person.id for cluster in clusters(OPTIONS) for person in cluster.truth]
    keys = [person for person in people if person is not None]
    count = 0
    try:
        for record in described.records:
            for lookup in record.lookups:
                server_batch = await server.fetch(record, lookup, keys)
                file_batch = await file.fetch(record, lookup, keys)
                assert server_batch.by_key == file_batch.by_key
                count += sum(len(rows.rows) for rows in server_batch.by_key.values())
    finally:
        await server.close()
        await file.close()
    assert count > 0


@pytest.mark.parametrize("name", _NAMES)
async def test_the_same_seed_makes_the_same_rows_whatever_the_make(
    loaded: tuple[Site, Path], name: str
) -> None:
    loaded_site, folder = loaded
    described = next(database for database in DECLARED if database.name == name)
    server, file = (
        _backend(loaded_site, name),
        SqlBackend(described, f"sqlite:///{folder / name}.sqlite"),
    )
    await _assert_same_rows(described, server, file)


@pytest.mark.parametrize("name", _NAMES)
async def test_what_was_loaded_is_as_the_doctor_wants_it(
    loaded: tuple[Site, Path], name: str
) -> None:
    backend = _backend(loaded[0], name)
    examination = await backend.examine(thoroughly=True)
    await backend.close()
    assert examination.findings == ()


def test_the_truth_and_the_contradictions_are_the_same_too(loaded: tuple[Site, Path]) -> None:
    folder = loaded[1]
    names = ["contradictions.jsonl", "t1"]
    for name in names:
        content = (folder / "server" / name).read_bytes()
        assert content == (folder / name).read_bytes()
        assert content
    assert sorted(path.name for path in (folder / "server").iterdir()) == names


@pytest.mark.parametrize(
    ("value", "text", "line"),
    [
        (None, None, "\\N"),
        ("", "", ""),
        ("\\N", "\\N", "\\\\N"),
        ("a\tb\nc\rd\\", "a\tb\nc\rd\\", "a\\tb\\nc\\rd\\\\"),
        (True, "1", "1"),
        (False, "0", "0"),
        (7, "7", "7"),
        (Decimal("1250000.50"), "1250000.50", "1250000.50"),
        (date(2024, 2, 29), "2024-02-29", "2024-02-29"),
        (PartialDate.parse("1957-03"), "1957-03", "1957-03"),
        (datetime(2026, 1, 1, tzinfo=UTC), _NEW_YEAR, _NEW_YEAR),
        (("à", "b"), '["à", "b"]', '["à", "b"]'),
    ],
)
def test_values_are_written_as_servers_read_them(
    value: object, text: str | None, line: str
) -> None:
    assert chunk_text(value) == text
    assert copied([value]) == line
    assert copied(["x", value, None]) == f"x\t{line}\t\\N"


@pytest.mark.parametrize("make", SERVERS)
async def test_tables_that_are_there_are_left_alone_unless_told(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    small = PopulationOptions(people=10)
    with site(server, ["legal_aid"]) as loaded_site:
        targets = loaded_site.targets([LEGAL_AID])
        table = LEGAL_AID.records[0].table
        here_is = loaded_site.databases["legal_aid"]
        await here_is.execute(f"CREATE TABLE {table} (precious integer)")
        with pytest.raises(NotLoaded, match="legal_aid: it holds tables already"):
            await load(targets, small, tmp_path / "truth", processes=1)
        assert await here_is.value(f"SELECT count(precious) FROM {table}") == 0
        summary, _ = await load(targets, small, tmp_path / "truth", replace=True, processes=1)
        assert summary.people >= 10
        with pytest.raises(NotLoaded, match="--replace"):
            await load(targets, small, tmp_path / "truth", processes=1)
        summary, messages = await load(targets, small, tmp_path / "truth", keep=True, processes=1)
        assert (summary.people, messages) == (0, ["legal_aid: left alone, it has tables"])


def _sharing(loaded_site: Site, tables: dict[str, dict[str, str] | None]) -> list[ServerTarget]:
    """Return registers that are all in the database of the notaries."""
    url = sa.make_url(loaded_site.databases["notary"].url)
    return [
        ServerTarget(database, url, ServerOptions(), loaded_site.reader, tables[database.name])
        for database in DECLARED
        if database.name in tables
    ]


def _prefixed(database: Database, prefix: str) -> dict[str, str]:
    return {record.name: f"{prefix}{record.table}" for record in database.records}


async def _count_tables(loaded_site: Site) -> int:
    """Return how many tables are in the site's databases, in all schemas."""
    count = 0
    for database in loaded_site.databases.values():
        in_schema = " AND table_catalog = current_database()"
        if loaded_site.server.make != "postgresql":
            in_schema = " AND table_schema = database()"
        count += await database.value(_COUNT_TABLES + in_schema)
    return count


@pytest.mark.parametrize("make", SERVERS)
async def test_registers_of_one_database_are_loaded_side_by_side(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    with site(server, ["notary", "civil_status"]) as loaded_site:
        schema = loaded_site.databases["civil_status"].name  # for MariaDB a schema is a database
        if make == "postgresql":
            await loaded_site.databases["notary"].execute(f"CREATE SCHEMA {schema}")
        tables = {
            "notary": None,
            "legal_aid": _prefixed(LEGAL_AID, "aid_"),
            "population": _prefixed(POPULATION, f"{schema}."),
        }
        targets = _sharing(loaded_site, tables)
        summary, messages = await load(targets, OPTIONS, tmp_path / "truth", processes=1)
        assert messages == []
        write(DECLARED, {n: tmp_path / n for n in tables}, OPTIONS)
        for target in targets:
            name = target.database.name
            maps = {n: RecordMap(table=t) for n, t in (tables[name] or {}).items()}
            url = loaded_site.url("notary")
            options = ServerOptions(password=lambda: PASSWORD)
            loaded_backend = SqlBackend(target.database, url, server=options, maps=maps)
            file = SqlBackend(target.database, f"sqlite:///{tmp_path / name}")
            await _assert_same_rows(target.database, loaded_backend, file)
        assert summary.people >= OPTIONS.people
        expected = sum(len(target.database.records) for target in targets)
        assert await _count_tables(loaded_site) == expected


@pytest.mark.parametrize("make", SERVERS)
async def test_no_register_takes_the_table_of_another(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    with site(server, ["notary"]) as loaded_site:
        aid, notary = _sharing(loaded_site, {"notary": None, "legal_aid": None})
        table = aid.database.records[0].table
        clash = ServerTarget(
            notary.database, notary.url, notary.options, notary.reader,
            _prefixed(notary.database, "n_") | {notary.database.records[0].name: table},
        )  # fmt: skip
        with pytest.raises(NotLoaded, match=f"would share the table {table}: give them"):
            await load([clash, aid], OPTIONS, tmp_path / "t", replace=True, processes=1)
        target_without_schema = ServerTarget(
            aid.database, aid.url, aid.options, aid.reader, _prefixed(aid.database, "nowhere.")
        )
        with pytest.raises(NotLoaded, match="legal_aid: no schema nowhere"):
            await load([notary, target_without_schema], OPTIONS, tmp_path / "t", processes=1)
        assert await _count_tables(loaded_site) == 0


@pytest.mark.parametrize("make", SERVERS)
async def test_replacing_one_register_leaves_the_others_of_its_database(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    with site(server, ["notary"]) as loaded_site:
        tables = {"notary": None, "legal_aid": _prefixed(LEGAL_AID, "aid_")}
        aid, notary = _sharing(loaded_site, tables)
        await load([notary], OPTIONS, tmp_path / "t", processes=1)
        database, record = loaded_site.databases["notary"], notary.database.records[0]
        rows = await database.value(f"SELECT count(*) FROM {record.table}")
        stated = await database.value("SELECT as_of FROM source_statement")
        for _ in range(2):
            await load([aid], OPTIONS, tmp_path / "t", replace=True, processes=1)
        assert await database.value(f"SELECT count(*) FROM {record.table}") == rows > 0
        assert await database.value("SELECT as_of FROM source_statement") == stated


@pytest.mark.parametrize("make", SERVERS)
async def test_a_server_that_does_not_let_one_in_is_told_without_secrets(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    with site(server, ["legal_aid"]) as loaded_site:
        (target,) = loaded_site.targets([LEGAL_AID])
        wrong = type(target)(
            LEGAL_AID,
            target.url.set(username="nobody_at_all"),
            ServerOptions(password=lambda: PASSWORD),
            "",
        )
        with pytest.raises(NotLoaded) as raised:
            await load([wrong], PopulationOptions(people=10), tmp_path / "truth", processes=1)
    assert PASSWORD not in str(raised.value)
    assert str(raised.value).startswith("legal_aid: ")


def _rows(server: Server) -> str:
    """Return what sums up all rows of a database."""
    sums = []
    for record in POPULATION.records:
        columns = ", ".join(c.name for c in record.columns)
        sums.append(f"(SELECT sum(length(concat_ws('|', {columns}))) FROM {record.table})")
    return f"SELECT concat_ws(' ', {', '.join(sums)})"


@pytest.mark.long
@pytest.mark.parametrize("make", SERVERS)
async def test_a_load_that_was_killed_goes_on_and_ends_with_the_same_rows(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    with site(server, ["population"]) as loaded_site, site(server, ["population"]) as other_site:
        population = loaded_site.databases["population"]
        config = tmp_path / "gateway.toml"
        config.write_text(f'[databases.population]\nurl = "{loaded_site.url("population")}"\n')
        command = [
            sys.executable, "-m", "gateway", "generate", "--people", "3000",
            "--contradictions", "0.4", "--user", server.user, "--config", str(config),
        ]  # fmt: skip
        environment = {**os.environ, LOADER_VARIABLE: "", "COLUMNS": "200"}
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, start_new_session=True, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 60
            progress_query = "SELECT count(*) FROM information_schema.tables WHERE table_name = "
            scope = "current_schema()" if make == "postgresql" else "database()"
            progress_query += f"'generation_progress' AND table_schema = {scope}"
            while True:
                assert time.monotonic() < deadline, "it does not get on"
                assert process.returncode is None, "it ended before it was killed"
                if await population.value(progress_query) and await population.value(
                    "SELECT chunks FROM generation_progress"
                ):
                    break
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        chunks = await population.value("SELECT chunks FROM generation_progress")
        assert chunks >= 1
        second_load = await asyncio.create_subprocess_exec(*command, env=environment)
        assert await asyncio.wait_for(second_load.wait(), 120) == 0
        options = PopulationOptions(people=3000, contradiction_rate=0.4)
        (tmp_path / "whole").mkdir()
        truth = tmp_path / "whole" / "truth.jsonl"
        await load(other_site.targets([POPULATION]), options, truth, processes=2)
        sums = _rows(population)
        assert await population.value(sums) == await other_site.databases["population"].value(sums)
        assert not await population.value(progress_query)
    for name in ("truth.jsonl", "contradictions.jsonl"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
