"""Extracts of PostgreSQL and MariaDB: what the gateway reads, in parts, read-only, resumable.

Covers ``reconcile.sources.postgresql`` and ``reconcile.sources.mariadb``.
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.values import PartialDate
from tests.support.backend_samples import AN, BINH, CHI, DATABASE, EMPTY, THINGS, thing
from tests.support.backend_servers import MAPS, write_server
from tests.support.extracts import (
    Access,
    backend_rows,
    extract,
    extracted_rows,
    unreadable_rows,
)
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
