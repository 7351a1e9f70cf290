"""The doctor counts links to missing rows, for every pair of tables."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from connectors.backends.base import Finding
from connectors.backends.examine_links import examine_links
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import (
    AN,
    CASES,
    DATABASE,
    EMPTY,
    write_file,
)
from tests.support.backend_servers import write_server
from tests.support.servers import Server

#: More links than the doctor reads of any table as a sample, all of which lead somewhere.
CASE_NUMBERS = [str(number) for number in range(600)]
Look = Callable[..., Awaitable[list[Finding]]]


@pytest.fixture(
    params=[
        "sqlite",
        *(pytest.param(make, marks=pytest.mark.services) for make in ("postgresql", "mariadb")),
    ]
)
def look(request: pytest.FixtureRequest, tmp_path: Path) -> Look:
    """Look thoroughly at the cases ``MANY`` and further links; gives what is found of links."""

    async def look(*links: str | None) -> list[Finding]:
        parties = [
            {"party_no": str(place), "case_no": case, "who_id": AN}
            for place, case in enumerate((*CASE_NUMBERS, *links))
        ]
        filled = {
            **EMPTY,
            "cases": [{"case_no": case} for case in CASE_NUMBERS],
            "case_parties": parties,
        }
        url = f"sqlite:///{tmp_path / secrets.token_hex(4)}.sqlite"
        if request.param == "sqlite":
            write_file(Path(url.removeprefix("sqlite:///")), filled)
        else:
            server: Server = request.getfixturevalue(request.param)
            await write_server(server, filled)
            url = server.url
        backend = SqlBackend(DATABASE, url)
        examination = await backend.examine(thoroughly=True)
        await backend.close()
        return [finding for finding in examination.findings if finding.topic == "links"]

    return look


async def test_of_links_that_lead_somewhere_there_is_nothing_to_find(look: Look) -> None:
    assert await look("1", "2") == []


async def test_links_that_lead_to_no_row_are_counted_over_the_whole_table(look: Look) -> None:
    (finding,) = await look("no such case", None, "599")
    assert finding.text == "2 rows of case_parties name no row that is in cases"
    assert finding.setting == ("records", "case_parties")
    assert "PARTIAL" in finding.advice
    assert "no such case" not in str(finding)


async def test_links_for_which_there_is_no_time_are_told(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sample.sqlite", EMPTY)
    backend = SqlBackend(DATABASE, f"sqlite:///{path}")
    lookups = [backend._lookup_statement(CASES, CASES.lookups[0])]
    async with backend._source.use() as session:
        (finding,) = await examine_links(session, backend._source.idiom, lookups, seconds=0)
    await backend.close()
    expected = "links from case_parties were not looked through: there was no time left"
    assert finding.text == expected
