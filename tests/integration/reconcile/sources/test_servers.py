"""Extracts of PostgreSQL and MariaDB: what the gateway reads, in parts, read-only, resumable.

Covers ``reconcile.sources.postgresql`` and ``reconcile.sources.mariadb``.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.backends.record_maps import RecordMap
from connectors.backends.server import ServerOptions, Tls
from connectors.values import PartialDate
from reconcile.sources import postgresql
from reconcile.sources.column_texts import RecordReading
from reconcile.sources.estimate import estimate_extract
from reconcile.sources.failures import SourceFailed
from reconcile.sources.mariadb import MariadbRecords
from reconcile.sources.open_source import open_source
from reconcile.sources.postgresql import PostgresqlRecords
from reconcile.sources.source import RecordSource
from tests.support.backend_samples import AN, BINH, CHI, DATABASE, EMPTY, THINGS, thing
from tests.support.backend_servers import MAPS, write_server
from tests.support.certificates import issue_certificate
from tests.support.extracts import (
    Access,
    backend_rows,
    extract,
    extracted_rows,
    unreadable_rows,
)
from tests.support.loaded import PASSWORD, site
from tests.support.pgbouncer import pgbouncer
from tests.support.server_processes import postgresql_process
from tests.support.servers import SERVERS, Server, run_in_thread

COLUMNS = tuple(column.name for column in THINGS.columns)
ROWS = [
    thing(
        "t1", AN, title="Đỗ 'A' \\ %s", amount=Decimal("1500000.50"), pieces=3, open=True,
        day=date(2001, 2, 3), about=PartialDate(1957, 3), mood="CALM",
        moment=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), moods=("CALM", "LOUD"),
        names=("Ánh", 'B"'), spot_name="Xã A", spot_since=PartialDate(1990), select="x",
    ),
    thing("T1", BINH, amount=Decimal(7), pieces=-1, open=False, about=PartialDate(2000, 2, 29)),
    thing("hoa", CHI, title=""),
    thing("hòa", CHI, day=date(1999, 12, 31)),
    thing("Hoa ", CHI),
]  # fmt: skip


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(request.param)
    return server


def _write(server: Server, rows: list[dict[str, object]], *, foreign: bool = False) -> None:
    run_in_thread(write_server(server, {**EMPTY, "things": rows}, foreign=foreign))


def _access(server: Server, *, foreign: bool = False) -> Access:
    return Access(DATABASE, server.url, maps=MAPS if foreign else {})


def _by_identity(rows: list[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    return sorted(rows, key=lambda row: str(row[0]))


@pytest.mark.parametrize("foreign", [False, True], ids=["declared", "mapped"])
@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_an_extract_is_what_the_gateway_reads(
    server: Server, tmp_path: Path, foreign: bool
) -> None:
    _write(server, ROWS, foreign=foreign)
    access = _access(server, foreign=foreign)
    (progress,) = extract(access, "things", COLUMNS, tmp_path)
    expected = asyncio.run(backend_rows(access, THINGS, COLUMNS, [AN, BINH, CHI]))
    assert _by_identity(extracted_rows(tmp_path)) == expected
    assert (progress.rows, progress.complete, progress.unreadable) == (5, True, {})


@pytest.mark.parametrize("server", SERVERS, indirect=True)
@pytest.mark.parametrize("part_rows", [1, 2, 3])
def test_parts_have_every_row_once_though_identities_are_alike(
    server: Server, tmp_path: Path, part_rows: int
) -> None:
    rows = [*ROWS, thing("t1", CHI), thing("t1", BINH), thing("z", AN), thing(None, AN)]  # type: ignore[arg-type]
    random.Random(part_rows).shuffle(rows)
    _write(server, rows)
    steps = extract(_access(server), "things", ("thing_id", "owner_id"), tmp_path, part_rows)
    assert sorted(extracted_rows(tmp_path), key=repr) == sorted(
        ((row["thing_id"], row["owner_id"]) for row in rows), key=repr
    )
    assert len(steps) > 1
    assert steps[-1].unreadable == {"thing_id": 1}
    assert unreadable_rows(tmp_path) == [("thing_id", None, AN), ("thing_id", None, None)]


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_an_extract_goes_on_behind_each_part(server: Server, tmp_path: Path) -> None:
    _write(server, [thing(f"t{number:02d}", AN) for number in range(10)])
    whole = extract(_access(server), "things", ("thing_id",), tmp_path / "whole", 3)
    for parts in range(len(whole)):
        folder = tmp_path / str(parts)
        # A part more is written than the manifest says.
        extract(_access(server), "things", ("thing_id",), folder, 3, most=parts + 1)
        before = whole[parts - 1] if parts else None
        resumed = extract(_access(server), "things", ("thing_id",), folder, 3, before)
        assert resumed == whole[parts:]
        assert extracted_rows(folder) == [(f"t{number:02d}",) for number in range(10)]


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_a_reader_reads_and_no_session_writes(server: Server, tmp_path: Path) -> None:
    with site(server, ["sample"]) as place:
        database = place.databases["sample"]
        _write(database, ROWS)
        run_in_thread(database.execute(f"GRANT SELECT ON things TO {place.reader}"))
        if server.make == "postgresql":
            run_in_thread(database.execute(f"GRANT USAGE ON SCHEMA public TO {place.reader}"))
        options = ServerOptions(password=lambda: PASSWORD, connect_timeout=20)
        access = Access(DATABASE, place.url("sample"), server=options)
        (progress,) = extract(access, "things", COLUMNS, tmp_path / "a")
        assert progress.rows == len(ROWS)
        (progress,) = extract(access, "unions", ("event_id",), tmp_path / "b")
        assert progress.failure is not None
        if server.make == "mariadb":  # PostgreSQL trusts this machine
            wrong = Access(
                DATABASE,
                access.url,
                server=ServerOptions(password=lambda: "sai", connect_timeout=20),
            )
            (progress,) = extract(wrong, "things", COLUMNS, tmp_path / "c")
            assert progress.failure == "OperationalError 1045"
    _write(server, ROWS)
    source = open_source(_access(server))
    reading = source.reading("things", COLUMNS)
    with pytest.raises(SourceFailed, match=r"25006|1792"):
        _write_by(source, reading)
    source.disconnect()
    assert asyncio.run(server.value("SELECT count(*) FROM things")) == len(ROWS)


def _write_by(source: RecordSource, reading: RecordReading) -> None:
    """Run a statement that writes in the session that reads."""
    if isinstance(source, PostgresqlRecords):
        with source._transaction(reading) as connection:
            postgresql._run(connection, "DELETE FROM things")
    elif isinstance(source, MariadbRecords):
        with source._opened(reading):
            source._run(source._fetch("DELETE FROM things", []))


@pytest.mark.services
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "UTF8"])
def test_databases_of_other_encodings_are_read_as_the_gateway_does(
    postgresql: Server, tmp_path: Path, encoding: str
) -> None:
    server = replace(postgresql, name=f"{postgresql.name}_{encoding.lower()}")
    make = f"CREATE DATABASE {server.name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    run_in_thread(postgresql.execute(make))
    try:
        _write(server, [thing("t1", AN, title="caf?"), thing("t2", BINH, title="a")])
        cafe = {"UTF8": "U&'caf\\00e9'", "LATIN1": "E'caf\\xe9'", "SQL_ASCII": "E'caf\\xe9'"}
        update = f"UPDATE things SET title = {cafe[encoding]} WHERE thing_id = 't1'"
        run_in_thread(server.execute(update))
        (progress,) = extract(_access(server), "things", ("thing_id", "title"), tmp_path)
        assert progress.failure is None
        readable = encoding != "SQL_ASCII"
        assert extracted_rows(tmp_path) == [("t1", "café" if readable else None), ("t2", "a")]
        assert progress.unreadable == ({} if readable else {"title": 1})
    finally:
        run_in_thread(postgresql.execute(f"DROP DATABASE {server.name} WITH (FORCE)"))


#: Types of columns that other offices use, with what the gateway makes of them.
_FOREIGN_TYPES = {
    "postgresql": {
        "title": ("bigint", "7"),
        "amount": ("double precision", "1.5"),
        "about": ("date", "'1957-03-02'"),
        "day": ("timestamp", "'2001-02-03 04:05:06'"),
        "moment": ("timestamp", "'2001-02-03 04:05:06.5'"),
        "names": ("text[]", "ARRAY['a', 'Đ\"']"),
        "select": ("uuid", "'00000000-0000-0000-0000-000000000001'"),
        "spot_name": ("char(9)", "'Xã A'"),
        "spot_since": ("date", "'infinity'"),
    },
    "mariadb": {
        "title": ("bigint", "7"),
        "amount": ("double", "1.5"),
        "about": ("date", "'1957-03-02'"),
        "day": ("datetime", "'2001-02-03 04:05:06'"),
        "moment": ("datetime(6)", "'2001-02-03 04:05:06.5'"),
        "spot_name": ("char(9)", "'Xã A'"),
        "spot_since": ("year", "1990"),
    },
}


@pytest.mark.parametrize("mapped", [False, True], ids=["declared", "mapped"])
@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_types_of_other_offices_are_read_as_the_gateway_does(
    server: Server, tmp_path: Path, mapped: bool
) -> None:
    """The gateway leaves out a row that it cannot read: each column is set in a row of its own."""
    types = _FOREIGN_TYPES[server.make]
    _write(server, [thing(name, f"{place:012d}") for place, name in enumerate(types)])
    quote = '"' if server.make == "postgresql" else "`"
    for name, (kind, value) in types.items():
        column = f"{quote}{name}{quote}"
        change = f"DROP COLUMN {column}, ADD COLUMN {column} {kind}"
        update = f"UPDATE things SET {column} = {value} WHERE thing_id = '{name}'"
        run_in_thread(server.execute(f"ALTER TABLE things {change}", update))
    zone = "Asia/Ho_Chi_Minh" if mapped else None
    maps = {"things": RecordMap()} if mapped else {}
    access = Access(DATABASE, server.url, maps=maps, zone=zone)
    (progress,) = extract(access, "things", COLUMNS, tmp_path)
    keys = [f"{place:012d}" for place in range(len(types))]
    expected = asyncio.run(backend_rows(access, THINGS, COLUMNS, keys))
    readable = {row[0] for row in expected}
    assert [row for row in sorted(extracted_rows(tmp_path)) if row[0] in readable] == expected
    assert set(progress.unreadable) == types.keys() - readable
    assert readable, "the gateway reads none of them: the test would tell nothing"


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_rows_are_estimated_or_counted(server: Server) -> None:
    _write(server, [thing(f"t{number:03d}") for number in range(100)])
    source = open_source(_access(server))
    analyse = "ANALYZE things" if server.make == "postgresql" else "ANALYZE TABLE things"
    estimates = [estimate_extract(source, "things", ("thing_id",), 10)]
    run_in_thread(server.execute(analyse))
    estimates.append(estimate_extract(source, "things", ("thing_id",), 10))
    source.disconnect()
    assert [estimate.rows for estimate in estimates] == [100, 100]
    assert estimates[-1].is_exact is False


@pytest.mark.services
def test_postgresql_is_authenticated_as_settings_say(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tls")
    issue_certificate(folder, "localhost", issue_certificate(folder, "ca", None))
    issue_certificate(folder, "stranger", None)
    process = postgresql_process(folder / "server", folder / "localhost.pem")
    try:
        process.start()
        server = Server("postgresql", process.port, "postgres", "postgres")
        _write(server, ROWS)
        run_in_thread(server.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
                                     "GRANT USAGE ON SCHEMA public TO reader",
                                     "GRANT SELECT ON things TO reader"))  # fmt: skip
        rules = "hostssl all reader all scram-sha-256\nhost all postgres all trust\n"
        (folder / "server" / "data" / "pg_hba.conf").write_text(rules)
        run_in_thread(server.execute("SELECT pg_reload_conf()"))

        def failure(host: str, tls: Tls, authority: str | None, password: str) -> str | None:
            options = ServerOptions(
                password=lambda: password,
                tls=tls,
                tls_ca=None if authority is None else folder / f"{authority}.pem",
                connect_timeout=20,
            )
            url = f"postgresql://reader@{host}:{server.port}/postgres"
            access = Access(DATABASE, url, server=options)
            name = f"{host}-{tls}-{authority}-{len(password)}"
            (progress,) = extract(access, "things", ("thing_id",), tmp_path / name)
            assert progress.complete == (progress.failure is None)
            return progress.failure

        assert failure("localhost", "verify", "ca", PASSWORD) is None
        assert failure("127.0.0.1", "require", None, PASSWORD) is None
        refused = [
            failure("localhost", "verify", "ca", "sai"),
            failure("localhost", "verify", "stranger", PASSWORD),
            failure("localhost", "verify", None, PASSWORD),
            failure("127.0.0.1", "verify", "ca", PASSWORD),
            failure("127.0.0.1", "off", None, PASSWORD),
        ]
        assert all(reason is not None for reason in refused)
        assert not any(PASSWORD in str(reason) or "sai" in str(reason) for reason in refused)
    finally:
        process.kill()


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_identities_that_are_whole_numbers_come_in_their_order(
    server: Server, tmp_path: Path
) -> None:
    _write(server, [thing(str(number), AN) for number in range(25)])
    kind = "TYPE bigint USING thing_id::bigint" if server.make == "postgresql" else "bigint"
    alter = "ALTER COLUMN" if server.make == "postgresql" else "MODIFY"
    run_in_thread(server.execute(f"ALTER TABLE things {alter} thing_id {kind}"))
    access = Access(DATABASE, server.url, maps={"things": RecordMap()})
    steps = extract(access, "things", ("thing_id",), tmp_path, 10)
    assert [step.rows for step in steps] == [10, 20, 25]
    assert extracted_rows(tmp_path) == [(str(number),) for number in range(25)]


@pytest.mark.services
def test_identities_that_a_collation_takes_for_the_same_are_in_one_part(
    postgresql: Server, tmp_path: Path
) -> None:
    identities = ["hoa", "Hoa", "HOA", "a", "b", "z", "hOa"]
    _write(postgresql, [thing(identity, AN) for identity in identities])
    run_in_thread(
        postgresql.execute(
            "CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level1', "
            "deterministic = false)",
            "ALTER TABLE things ALTER COLUMN thing_id TYPE text COLLATE same",
        )
    )
    steps = extract(_access(postgresql), "things", ("thing_id",), tmp_path, 3)
    assert [step.rows for step in steps] == [6, 7]
    assert sorted(row[0] or "" for row in extracted_rows(tmp_path)) == sorted(identities)


@pytest.mark.services
def test_a_pooler_may_stand_between(postgresql: Server, tmp_path: Path) -> None:
    _write(postgresql, ROWS)
    with pgbouncer(postgresql, tmp_path) as port:
        options = ServerOptions(transaction_pooling=True, connect_timeout=20)
        access = Access(DATABASE, postgresql.at(port), server=options)
        steps = extract(access, "things", COLUMNS, tmp_path / "out", 2)
    assert steps[-1].complete
    assert len(extracted_rows(tmp_path / "out")) == len(ROWS)


@pytest.mark.services
def test_rows_that_a_policy_hides_are_not_taken_for_none(
    postgresql: Server, tmp_path: Path
) -> None:
    with site(postgresql, ["sample"]) as place:
        database = place.databases["sample"]
        _write(database, ROWS)
        run_in_thread(
            database.execute(
                f"GRANT USAGE ON SCHEMA public TO {place.reader}",
                f"GRANT SELECT ON things TO {place.reader}",
                "ALTER TABLE things ENABLE ROW LEVEL SECURITY",
                f"CREATE POLICY of_one_person ON things USING (owner_id = '{AN}')",
            )
        )
        access = Access(DATABASE, place.url("sample"), server=ServerOptions(connect_timeout=20))
        (progress,) = extract(access, "things", ("thing_id",), tmp_path)
    assert (progress.failure, progress.complete) == ("ProgrammingError 42501", False)
