"""A key that a column seems unable to hold is not answered with "no rows" while columns change.

Keys here are numbers of contracts, which offices keep as text or as whole numbers.

Covers ``connectors.backends.mariadb_keys``.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from asyncmy.errors import OperationalError

from connectors.backends.base import Rows, SourceRefused
from connectors.backends.record_maps import RecordMap
from connectors.backends.sql import SqlBackend
from connectors.backends.statement_merger import MergeLimits
from connectors.declaration import BASIC, database, field, lookup, record
from connectors.description import Group, Record
from connectors.values import PersonNumber
from gateway.fetch.row_keys import require_keys
from tests.support.backend_samples import AN
from tests.support.running import TestClock
from tests.support.servers import SERVERS, Server

Make = Callable[..., SqlBackend]

#: Longer than what is learned of columns is believed, in seconds.
_LATER = 6.0


@record(
    ("Hợp đồng", "Contract"),
    lookups=[
        lookup("contracts", "Hợp đồng", "Contracts", by="holder_id"),
        lookup(
            "renewed", "Gia hạn", "Renewed", by=["number", "former"], on=("contracts", "number")
        ),
        lookup(
            "secured",
            "Bảo đảm",
            "Secured",
            by="asset_no",
            through=("pledges", "number"),
            on=("contracts", "number"),
        ),
    ],
    identity="number",
)
class Contract:
    number: str = field("số", "Number", BASIC)
    former: str | None = field("số cũ", "Former number", BASIC)
    holder_id: PersonNumber | None = field("ai", "Holder", BASIC, person="holder")


@record(
    ("Cầm cố", "Pledge"),
    lookups=[lookup("pledges", "Cầm cố", "Pledges", by="number", on=("contracts", "number"))],
    identity="pledge_no",
)
class Pledge:
    pledge_no: str = field("mã", "Id", BASIC)
    number: str | None = field("số hợp đồng", "Contract", BASIC)
    asset_no: str | None = field("tài sản", "Asset", BASIC)


OFFICE = database(
    "office",
    title=("Văn phòng", "Office"),
    owner=("Không ai", "Nobody"),
    legal_basis=(),
    group=Group.OPERATING,
    records=[Contract, Pledge],
)
CONTRACTS, PLEDGES = OFFICE.by_name["contracts"], OFFICE.by_name["pledges"]
MAPS = {name: RecordMap() for name in OFFICE.by_name}


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> Server:
    """Give a server, without tables of these."""
    server: Server = request.getfixturevalue(request.param)
    await server.execute("DROP TABLE IF EXISTS contracts", "DROP TABLE IF EXISTS pledges")
    return server


only_mariadb = pytest.mark.parametrize("server", ["mariadb"], indirect=True)
only_postgresql = pytest.mark.parametrize("server", ["postgresql"], indirect=True)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make a backend over a server; what was made is closed afterwards."""
    backends: list[SqlBackend] = []

    def make(server: Server, **settings: Any) -> SqlBackend:
        backends.append(SqlBackend(OFFICE, server.url, maps=MAPS, **settings))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


async def _contracts(
    server: Server, number: str, former: str = "varchar(20)", *rows: tuple[object, object]
) -> None:
    await server.execute(
        f"CREATE TABLE contracts (number {number}, former {former}, holder_id varchar(12))",
        *(f"INSERT INTO contracts VALUES ({row}, {other}, '{AN}')" for row, other in rows),
    )


async def _pledges(server: Server, number: str, asset: str, *rows: tuple[object, object]) -> None:
    await server.execute(
        f"CREATE TABLE pledges (pledge_no varchar(9), number {number}, asset_no {asset})",
        *(f"INSERT INTO pledges VALUES ('p{n}', {a}, {b})" for n, (a, b) in enumerate(rows)),
    )


async def _keys_of_rows(
    backend: SqlBackend, record: Record, name: str, *keys: str
) -> dict[str, Any]:
    """Return by key what identifies the rows that a lookup finds."""
    by = next(lookup for lookup in record.lookups if lookup.name == name)
    batch = await backend.fetch(record, by, keys)
    assert not batch.failed
    require_keys(record, by, batch.by_key)
    place = record.positions[record.identity]
    return {key: [row[place] for row in rows.rows] for key, rows in batch.by_key.items()}


def _alter(server: Server, table: str, column: str, kind: str) -> str:
    if server.make == "mariadb":
        return f"ALTER TABLE {table} MODIFY {column} {kind}"
    using = f"USING {column}::{kind}"
    return f"ALTER TABLE {table} ALTER {column} TYPE {kind} {using}"


# ---- whole numbers of every kind


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("tinyint unsigned", "255"),
        ("int unsigned", "3000000001"),
        ("bigint unsigned", "18446744073709551615"),
        ("bigint", "-9223372036854775808"),
        ("int", "-5"),
        ("int", "0"),
    ],
)
@only_mariadb
async def test_a_key_is_found_wherever_its_column_can_hold_it(
    server: Server, make: Make, kind: str, key: str
) -> None:
    await _contracts(server, kind, kind, (key, "NULL"))
    await _pledges(server, kind, kind, (key, key))
    backend = make(server)
    assert await _keys_of_rows(backend, CONTRACTS, "renewed", key, "7", "x") == {
        key: [key],
        "7": [],
        "x": [],
    }
    assert await _keys_of_rows(backend, PLEDGES, "pledges", key) == {key: ["p0"]}
    assert await _keys_of_rows(backend, CONTRACTS, "secured", key) == {key: [key]}


@pytest.mark.parametrize(
    ("kind", "key"),
    [("smallint", "-32768"), ("int", "2147483647"), ("bigint", "-9223372036854775808")],
)
@only_postgresql
async def test_a_key_is_found_at_either_end_of_its_column(
    server: Server, make: Make, kind: str, key: str
) -> None:
    await _contracts(server, kind, kind, (key, "NULL"))
    expected = {key: [key], "99999999999999999999": [], "-0": []}
    assert await _keys_of_rows(make(server), CONTRACTS, "renewed", *expected) == expected


@pytest.mark.parametrize("key", ["1000000000", "001000000000", "0001000000000"])
@only_mariadb
async def test_a_number_that_the_server_pads_is_found_with_its_zeros_and_without(
    server: Server, make: Make, key: str
) -> None:
    padded = "int(12) zerofill"
    await _contracts(server, padded, padded, (1000000000, "NULL"), (7, 1000000000))
    backend = make(server)
    assert await _keys_of_rows(backend, CONTRACTS, "renewed", key, "x", "8") == {
        key: ["1000000000", "7"],
        "x": [],
        "8": [],
    }


@only_mariadb
async def test_the_largest_number_that_the_server_pads_is_found(server: Server, make: Make) -> None:
    largest = "18446744073709551615"
    await _contracts(server, "bigint(22) zerofill", "int", (largest, "NULL"))
    expected = {largest: [largest], f"00{largest}": [largest], f"1{largest}": []}
    assert await _keys_of_rows(make(server), CONTRACTS, "renewed", *expected) == expected


@pytest.mark.parametrize("link", ["int", "bigint(5) zerofill", "int(12) unsigned zerofill"])
@only_mariadb
async def test_rows_are_reached_through_a_number_that_the_server_pads(
    server: Server, make: Make, link: str
) -> None:
    await _contracts(server, "int(12) zerofill", "int", (7, "NULL"))
    await _pledges(server, link, "int(4) zerofill", (7, 9))
    expected = {"9": ["7"], "0009": ["7"], "10": []}
    assert await _keys_of_rows(make(server), CONTRACTS, "secured", *expected) == expected


@only_postgresql
async def test_rows_are_reached_through_a_number_that_is_written_otherwise(
    server: Server, make: Make
) -> None:
    await _contracts(server, "int", "int", (7, "NULL"), (8, "NULL"))
    await _pledges(server, "numeric(9,2)", "text", (7, "'a'"))
    assert await _keys_of_rows(make(server), CONTRACTS, "secured", "a") == {"a": ["7"]}


@pytest.mark.parametrize(("kind", "other_kind"), [("int", "numeric(9,2)"), ("date", "datetime")])
@only_mariadb
async def test_links_that_compare_otherwise_than_they_are_written_are_refused(
    server: Server, make: Make, kind: str, other_kind: str
) -> None:
    await _contracts(server, kind, "int")
    await _pledges(server, other_kind, "varchar(9)")
    with pytest.raises(SourceRefused):
        await _keys_of_rows(make(server), CONTRACTS, "secured", "a")


@only_postgresql
async def test_links_that_do_not_compare_are_refused(server: Server, make: Make) -> None:
    await _contracts(server, "int", "int")
    await _pledges(server, "text", "text")
    with pytest.raises(SourceRefused):
        await _keys_of_rows(make(server), CONTRACTS, "secured", "a")


@only_mariadb
async def test_a_padded_number_and_text_are_not_compared(server: Server, make: Make) -> None:
    await _contracts(server, "int(4) zerofill", "int", (7, "NULL"))
    await _pledges(server, "varchar(9)", "varchar(9)", ("'0007'", "'a'"))
    with pytest.raises(SourceRefused):
        await _keys_of_rows(make(server), CONTRACTS, "secured", "a")


async def test_each_column_of_a_lookup_takes_the_keys_that_it_can_hold(
    server: Server, make: Make
) -> None:
    await _contracts(server, "int", "bigint", (7, 3000000001), (8, 7))
    expected = {"3000000001": ["7"], "7": ["7", "8"], "x": []}
    assert await _keys_of_rows(make(server), CONTRACTS, "renewed", *expected) == expected


@only_postgresql
async def test_columns_of_numbers_and_of_text_are_searched_by_one_lookup(
    server: Server, make: Make
) -> None:
    await _contracts(server, "int", "text", (7, "'HĐ-07'"), (8, "'7'"))
    expected = {"HĐ-07": ["7"], "7": ["7", "8"], "007": []}
    assert await _keys_of_rows(make(server), CONTRACTS, "renewed", *expected) == expected


@pytest.mark.parametrize("kind", ["contract_no", "char(12)", "citext"])
@only_postgresql
async def test_keys_that_are_text_of_another_name_are_found(
    server: Server, make: Make, kind: str
) -> None:
    await server.execute(
        "CREATE EXTENSION IF NOT EXISTS citext",
        "DROP DOMAIN IF EXISTS contract_no",
        "CREATE DOMAIN contract_no AS varchar(20)",
    )
    await _contracts(server, kind, kind, ("'HĐ-07'", "NULL"))
    expected = {"HĐ-07": ["HĐ-07"], "hđ-07": [], "a\0b": []}
    assert await _keys_of_rows(make(server), CONTRACTS, "renewed", *expected) == expected


@only_postgresql
async def test_a_key_that_is_no_uuid_is_in_no_column_of_them(server: Server, make: Make) -> None:
    key = "0190163d-8694-739b-aea5-966c26f8ad91"
    await _contracts(server, "uuid", "text", (f"'{key}'", "NULL"))
    expected = {key: [key], "x": [], key.upper(): []}
    assert await _keys_of_rows(make(server), CONTRACTS, "renewed", *expected) == expected


@pytest.mark.parametrize("kind", ["numeric(9)", "double precision", "date"])
async def test_keys_of_types_that_compare_otherwise_are_refused_and_not_none(
    server: Server, make: Make, kind: str
) -> None:
    await _contracts(server, kind, kind)
    with pytest.raises(SourceRefused):
        await _keys_of_rows(make(server), CONTRACTS, "renewed", "7")


@pytest.mark.parametrize("server", ["mariadb"], indirect=True)
async def test_a_key_with_a_letter_that_only_some_servers_hold_is_asked_for(
    server: Server, make: Make
) -> None:
    await _contracts(server, "varchar(9)", "varchar(9)", ("'a\\0b'", "NULL"))
    assert await _keys_of_rows(make(server), CONTRACTS, "renewed", "a\0b") == {"a\0b": ["a\0b"]}


async def _in_a_file(path: Path, kind: str, number: float) -> Rows:
    """Return what the number finds in a column of this type."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(f"CREATE TABLE contracts (number {kind}, former {kind}, holder_id TEXT)")
        file.execute("INSERT INTO contracts VALUES (?, NULL, NULL)", (number,))
    backend = SqlBackend(OFFICE, f"sqlite:///{path}", maps=MAPS)
    by = next(lookup for lookup in CONTRACTS.lookups if lookup.name == "renewed")
    try:
        return (await backend.fetch(CONTRACTS, by, [str(number)])).by_key[str(number)]
    finally:
        await backend.close()


async def test_a_whole_number_of_a_file_is_found(tmp_path: Path) -> None:
    ids = await _in_a_file(tmp_path / "office.sqlite", "INTEGER", 2**62)
    assert [row[0] for row in ids.rows] == [str(2**62)]


async def test_a_number_that_a_file_writes_otherwise_is_refused_and_not_none(
    tmp_path: Path,
) -> None:
    with pytest.raises(SourceRefused):
        await _in_a_file(tmp_path / "office.sqlite", "REAL", 7)


# ---- columns that change while the gateway runs


_CHANGES = [
    pytest.param("int", "bigint", "3000000001", id="wider"),
    pytest.param("bigint", "int", "7", id="narrower"),
    pytest.param("int", "varchar(20)", "HĐ-07", id="text"),
    pytest.param("varchar(20)", "int", "7", id="number"),
]


@pytest.mark.parametrize(("before", "after", "key"), _CHANGES)
async def test_a_column_that_changes_is_read_as_it_is_at_once(
    server: Server, make: Make, before: str, after: str, key: str
) -> None:
    await _contracts(server, before, before, ("'5'", "NULL"))
    await _pledges(server, before, before, ("'5'", "'5'"))
    backend = make(server, pool_size=1)
    for _ in range(2):
        assert await _keys_of_rows(backend, CONTRACTS, "renewed", "5", key) == {"5": ["5"], key: []}
        assert await _keys_of_rows(backend, CONTRACTS, "secured", "5", key) == {"5": ["5"], key: []}
    await server.execute(
        *(_alter(server, "contracts", column, after) for column in ("number", "former")),
        *(_alter(server, "pledges", column, after) for column in ("number", "asset_no")),
        f"INSERT INTO contracts VALUES ('{key}', NULL, NULL)",
        f"INSERT INTO pledges VALUES ('p9', '{key}', '{key}')",
    )
    assert await _keys_of_rows(backend, CONTRACTS, "secured", key, "5") == {key: [key], "5": ["5"]}
    assert await _keys_of_rows(backend, CONTRACTS, "renewed", key, "5") == {key: [key], "5": ["5"]}
    assert await _keys_of_rows(backend, PLEDGES, "pledges", key, "5") == {key: ["p9"], "5": ["p0"]}


@pytest.mark.parametrize("before", ["int", "varchar(20)"])
async def test_a_column_that_compares_otherwise_now_is_refused_within_seconds(
    server: Server, make: Make, before: str
) -> None:
    clock = TestClock()
    await _contracts(server, "int", "int", (7, "NULL"))
    await _pledges(server, "int", before, (7, "'5'"))
    backend = make(server, monotonic=clock.monotonic)
    assert await _keys_of_rows(backend, CONTRACTS, "secured", "5") == {"5": ["7"]}
    await server.execute(_alter(server, "pledges", "asset_no", "numeric(9,2)"))
    clock.advance(_LATER)
    with pytest.raises(SourceRefused):
        await _keys_of_rows(backend, CONTRACTS, "secured", "5")


@pytest.mark.parametrize(("before", "after", "key"), _CHANGES)
@only_postgresql
async def test_lookups_that_go_together_notice_a_column_that_changes(
    server: Server,
    make: Make,
    before: str,
    after: str,
    key: str,
) -> None:
    await _contracts(server, before, before)
    await _pledges(server, before, before)
    backend = make(server, merge_limits=MergeLimits(meetings=0))

    async def fetch_both() -> list[dict[str, Any]]:
        lookups = (CONTRACTS, "renewed"), (PLEDGES, "pledges")
        return await asyncio.gather(*(_keys_of_rows(backend, *lookup, key) for lookup in lookups))

    assert await fetch_both() == [{key: []}, {key: []}]
    await server.execute(
        *(_alter(server, "contracts", column, after) for column in ("number", "former")),
        *(_alter(server, "pledges", column, after) for column in ("number", "asset_no")),
        f"INSERT INTO contracts VALUES ('{key}', NULL, NULL)",
        f"INSERT INTO pledges VALUES ('p9', '{key}', NULL)",
    )
    assert await fetch_both() == [{key: [key]}, {key: ["p9"]}]


async def test_what_was_learned_on_a_connection_ends_with_it(server: Server, make: Make) -> None:
    await _contracts(server, "int", "int", (7, "NULL"))
    await _pledges(server, "int", "int", (7, 5))
    backend = make(server, pool_size=1)
    assert await _keys_of_rows(backend, CONTRACTS, "secured", "5") == {"5": ["7"]}
    await server.execute(_alter(server, "pledges", "asset_no", "numeric(9,2)"))
    await _disconnect(server)
    with pytest.raises(SourceRefused):
        await _keys_of_rows(backend, CONTRACTS, "secured", "5")


#: MariaDB error ER_NO_SUCH_THREAD.
_UNKNOWN_THREAD = 1094


async def _disconnect(server: Server) -> None:
    if server.make == "postgresql":
        await server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return
    ids = await server.value(
        "SELECT group_concat(id) FROM information_schema.processlist "
        "WHERE db = database() AND id <> connection_id()"
    )
    for number in str(ids).split(","):
        try:
            await server.execute(f"KILL {number}")
        except OperationalError as error:
            if error.args[0] != _UNKNOWN_THREAD:  # it ended by itself meanwhile
                raise
