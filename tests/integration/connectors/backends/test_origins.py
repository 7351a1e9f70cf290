"""The origin of rows: another server, file or table is another origin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.backends.base import SourceUnavailable
from connectors.backends.origins import Origins
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
from tests.support.pgbouncer import pgbouncer
from tests.support.servers import SERVERS, Server

ROWS = {**EMPTY, "unions": [union("u1")]}


@dataclass
class OriginReader:
    """A backend whose looks at the source are ten seconds apart by a clock of its own."""

    url: str
    options: ServerOptions = field(default_factory=ServerOptions)
    seconds: float = 100.0

    def __post_init__(self) -> None:
        self.backend = SqlBackend(
            DATABASE, self.url, server=self.options, monotonic=lambda: self.seconds
        )

    async def origin(self, later: float = 10.0) -> str | None:
        """Return where rows come from, so many seconds later; once more after a failure."""
        self.seconds += later
        try:
            return (await self.backend.fetch(UNIONS, UNIONS.lookups[0], [AN])).origin
        except SourceUnavailable:
            return (await self.backend.fetch(UNIONS, UNIONS.lookups[0], [AN])).origin


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> Server:
    """Give a server that holds one union of AN."""
    server: Server = request.getfixturevalue(request.param)
    await write_server(server, ROWS)
    return server


@pytest.fixture
async def reader(server: Server) -> AsyncIterator[OriginReader]:
    """Give a backend over the server."""
    reader = OriginReader(server.url)
    yield reader
    await reader.backend.close()


async def test_the_origin_stays_while_rows_change(server: Server, reader: OriginReader) -> None:
    before = await reader.origin()
    assert before
    await server.execute("UPDATE unions SET mood = 'CALM'", "DELETE FROM things")
    assert [await reader.origin() for _ in range(3)] == [before] * 3


async def test_two_backends_over_the_same_tables_say_the_same(
    server: Server, reader: OriginReader
) -> None:
    other = OriginReader(server.url)
    assert await other.origin() == await reader.origin()
    await other.backend.close()


async def test_a_table_that_was_put_in_anothers_place_is_another_origin(
    server: Server, reader: OriginReader
) -> None:
    before = await reader.origin()
    # MariaDB's tables have no number, and times in whole seconds: another engine tells them apart.
    engine = "ENGINE = Aria" if server.make == "mariadb" else ""
    await server.execute(
        f"CREATE TABLE fresh {engine} AS SELECT * FROM unions",
        "ALTER TABLE unions RENAME TO aside",
        "ALTER TABLE fresh RENAME TO unions",
    )
    assert await reader.origin(later=9.9) == before
    assert await reader.origin() != before


async def test_a_view_that_was_replaced_is_another_origin(
    server: Server, reader: OriginReader
) -> None:
    await server.execute(
        "ALTER TABLE unions RENAME TO stored", "CREATE VIEW unions AS SELECT * FROM stored"
    )
    before = await reader.origin()
    await server.execute(
        "CREATE OR REPLACE VIEW unions AS SELECT * FROM stored WHERE event_id <> 'u2'"
    )
    assert await reader.origin() != before


@pytest.mark.services
async def test_a_table_that_was_emptied_is_another_origin(postgresql: Server) -> None:
    await write_server(postgresql, ROWS)
    reader = OriginReader(postgresql.url)
    before = await reader.origin()
    await postgresql.execute("TRUNCATE unions")
    assert await reader.origin() != before
    await reader.backend.close()


@contextmanager
def _way(server: Server, folder: Path, pooled: bool) -> Iterator[str]:
    """Give the URL of a server, through a pooler or not."""
    if not pooled:
        yield server.url
        return
    with pgbouncer(server, folder) as port:
        yield server.at(port)


async def _swap(server: Server, other: str) -> None:
    """Put another database in the place of the server's, as a restored dump is."""
    ends = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname IN ('{server.name}', '{other}')"
    )
    await server.execute(
        ends,
        f"ALTER DATABASE {server.name} RENAME TO {other}_aside",
        f"ALTER DATABASE {other} RENAME TO {server.name}",
        f"ALTER DATABASE {other}_aside RENAME TO {other}",
        database="",
    )


@pytest.mark.services
@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "pooler"])
async def test_a_database_that_was_restored_under_its_name_is_another_origin(
    postgresql: Server, tmp_path: Path, pooled: bool
) -> None:
    await write_server(postgresql, ROWS)
    other = f"{postgresql.name}_other"
    await postgresql.execute(f"CREATE DATABASE {other} TEMPLATE {postgresql.name}", database="")
    with _way(postgresql, tmp_path, pooled) as url:
        reader = OriginReader(url, ServerOptions(transaction_pooling=pooled))
        before = await reader.origin()
        await _swap(postgresql, other)
        after = await reader.origin(later=0)
        assert after not in {before, None}
        await reader.backend.close()
    await postgresql.execute(f"DROP DATABASE {other} WITH (FORCE)", database="")


async def test_a_file_that_changed_is_another_origin(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sample.sqlite", ROWS)
    reader = OriginReader(f"sqlite:///{path}")
    before = await reader.origin()
    assert before == await reader.origin()
    write_file(tmp_path / "newer.sqlite", ROWS).replace(path)
    assert await reader.origin(later=0) not in {before, None}
    await reader.backend.close()


def test_connections_to_a_server_are_left_when_one_answers_that_was_never_met() -> None:
    origins = Origins()
    first = origins.meet("first")
    assert origins.meet("first") is first
    assert not origins.is_left(first)
    second = origins.meet("second")
    assert (origins.is_left(first), origins.is_left(second)) == (True, False)


def test_servers_that_take_turns_are_left_once_and_no_more() -> None:
    origins = Origins()
    first, second = origins.meet("first"), origins.meet("second")
    for name in ("first", "second", "first"):
        origins.meet(name)
        assert not origins.is_left(first)
        assert not origins.is_left(second)
