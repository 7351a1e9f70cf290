"""Timestamps of servers keep their moment, whatever the offset of the time zone is today."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connectors.backends.base import Rows
from connectors.backends.record_maps import RecordMap
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import AN, DATABASE, EMPTY, THINGS, thing
from tests.support.backend_servers import write_server
from tests.support.servers import SERVERS, Server

_TYPES = {"postgresql": "timestamptz", "mariadb": "timestamp"}
_MAPS = {"things": RecordMap()}


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest) -> Server:
    """Give a server whose things have a moment and a day of the server's own type of moments."""
    server: Server = request.getfixturevalue(request.param)
    await write_server(server, {**EMPTY, "things": [thing("t1")]})
    change = "ALTER {} TYPE {} USING NULL" if server.make == "postgresql" else "MODIFY {} {} NULL"
    await server.execute(
        *(f"ALTER TABLE things {change.format(column, _TYPES[server.make])}"
          for column in ("moment", "day", "about"))
    )  # fmt: skip
    return server


async def _keep(server: Server, moment: str) -> None:
    """Have the server keep a moment, given in UTC."""
    utc = "SET time_zone = '+00:00'" if server.make == "mariadb" else "SET TIME ZONE 'UTC'"
    await server.execute(
        utc, f"UPDATE things SET moment = '{moment}', day = '{moment}', about = '{moment}'"
    )


async def _read(server: Server, zone: str | None) -> Rows:
    backend = SqlBackend(DATABASE, server.url, maps=_MAPS, zone=zone)
    try:
        return (await backend.fetch(THINGS, THINGS.lookups[0], [AN])).by_key[AN]
    finally:
        await backend.close()


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Asia/Ho_Chi_Minh", datetime(1972, 9, 23, 3, 5, 48, tzinfo=UTC), date(1972, 9, 23)),
        ("Asia/Ho_Chi_Minh", datetime(1972, 9, 22, 16, 30, tzinfo=UTC), date(1972, 9, 23)),
        ("Europe/Prague", datetime(2022, 9, 23, 3, 5, 48, tzinfo=UTC), date(2022, 9, 23)),
        ("Europe/Prague", datetime(2022, 7, 1, 22, 30, tzinfo=UTC), date(2022, 7, 2)),
        ("Europe/Prague", datetime(2022, 12, 1, 22, 30, tzinfo=UTC), date(2022, 12, 1)),
        # The hour that comes twice: both are 02:30 there.
        ("Europe/Prague", datetime(2022, 10, 30, 0, 30, tzinfo=UTC), date(2022, 10, 30)),
        ("Europe/Prague", datetime(2022, 10, 30, 1, 30, tzinfo=UTC), date(2022, 10, 30)),
    ],
)
async def test_a_moment_and_its_day_have_the_offset_of_that_moment(
    server: Server, zone: str, moment: datetime, day: date
) -> None:
    await _keep(server, f"{moment:%Y-%m-%d %H:%M:%S}")
    (row,) = (await _read(server, zone)).rows
    assert row[THINGS.positions["moment"]] == moment
    assert row[THINGS.positions["day"]] == day
    assert str(row[THINGS.positions["about"]]) == str(day)


async def test_a_moment_that_knows_its_offset_needs_no_zone_but_its_day_does(
    server: Server,
) -> None:
    await _keep(server, "2022-09-23 22:30:00")
    assert (await _read(server, None)).unreadable == 1
    await server.execute("UPDATE things SET day = NULL, about = NULL")
    (row,) = (await _read(server, None)).rows
    assert row[THINGS.positions["moment"]] == datetime(2022, 9, 23, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize("server", ["mariadb"], indirect=True)
async def test_a_moment_of_zeros_is_none_and_makes_its_row_unreadable(server: Server) -> None:
    await server.execute("SET sql_mode = ''", "UPDATE things SET moment = '0000-00-00 00:00:00'")
    assert await _read(server, "Asia/Ho_Chi_Minh") == Rows(unreadable=1)
