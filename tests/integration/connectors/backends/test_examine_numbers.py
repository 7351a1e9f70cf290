"""The doctor counts the person numbers of a table that no lookup finds, and prints none."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from connectors.backends.base import Finding
from connectors.backends.examine_numbers import examine_numbers
from connectors.backends.findings import tables_of_lookups
from connectors.backends.record_maps import RecordMap
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import (
    AN,
    BINH,
    DATABASE,
    EMPTY,
    THINGS,
    thing,
    write_file,
)
from tests.support.backend_servers import write_server
from tests.support.servers import Server

#: More rows than the doctor reads of any table as a sample, all of them well.
VALID_THINGS = [thing(f"a{number:05d}", f"0010900{number:05d}") for number in range(600)]
Look = Callable[..., Awaitable[list[Finding]]]


@pytest.fixture(
    params=[
        "sqlite",
        *(pytest.param(make, marks=pytest.mark.services) for make in ("postgresql", "mariadb")),
    ]
)
def look(request: pytest.FixtureRequest, tmp_path: Path) -> Look:
    """Look thoroughly at things of the given owners; gives what is found of numbers."""

    async def look(owners: Sequence[str | None], spelt: bool = False) -> list[Finding]:
        rows = [thing(f"z{place:05d}", owner) for place, owner in enumerate(owners)]
        maps = {"things": RecordMap(normalised=True)} if spelt else None
        filled = {**EMPTY, "things": [*VALID_THINGS, *rows]}
        url = f"sqlite:///{tmp_path / secrets.token_hex(4)}.sqlite"
        if request.param == "sqlite":
            write_file(Path(url.removeprefix("sqlite:///")), filled)
        else:
            server: Server = request.getfixturevalue(request.param)
            await write_server(server, filled)
            url = server.url
        backend = SqlBackend(DATABASE, url, maps=maps)
        examination = await backend.examine(thoroughly=True)
        await backend.close()
        return [
            finding
            for finding in examination.findings
            if finding.topic in {"numbers", "unnumbered"}
        ]

    return look


async def test_of_numbers_that_are_well_there_is_nothing_to_find(look: Look) -> None:
    assert await look([AN, "012345678"]) == []


async def test_blanks_and_lost_zeros_are_counted_over_the_whole_table(look: Look) -> None:
    odd = [f"{AN} ", f" {BINH}", f"{AN}\r", "'001090000001"]
    (finding,) = await look([*odd, "1090000001", "79190000001", "12345678"])
    assert finding.setting == ("records", "things", "normalised")
    assert finding.text == (
        "of 607 numbers in column owner_id of things, 4 have blanks or other signs and 3 have lost "
        "leading zeros"
    )
    assert "normalised = true" in finding.advice


async def test_rows_without_a_number_are_counted_over_the_whole_table(look: Look) -> None:
    (finding,) = await look([AN, None, None])
    assert finding.text == "of 603 rows of things, 2 hold no number of a person"
    assert finding.setting == ("records", "things", "unnumbered")


async def test_normalised_numbers_are_no_finding(look: Look) -> None:
    assert await look([f"{AN} ", f"{AN}\r", "1090000001"], spelt=True) == []


async def test_what_no_spelling_finds_is_told_with_the_setting_and_without(look: Look) -> None:
    unreachable = ["00109000001", f"{AN}   ", "unknown", "123"]
    text = "4 are in no spelling that a look-up could find"
    for spelt in (False, True):
        findings = await look(unreachable, spelt=spelt)
        assert f"of 604 numbers in column owner_id of things, {text}" in {
            entry.text for entry in findings
        }
        assert not any(number in findings[-1].text for number in (AN, "00109000001"))


async def test_tables_for_which_there_is_no_time_are_told(tmp_path: Path) -> None:
    path = write_file(tmp_path / "sample.sqlite", {**EMPTY, "things": VALID_THINGS})
    backend = SqlBackend(DATABASE, f"sqlite:///{path}")
    tables = tables_of_lookups([backend._lookup_statement(THINGS, THINGS.lookups[0])])
    async with backend._source.use() as session:
        (finding,) = await examine_numbers(session, backend._source.idiom, tables, seconds=0)
    await backend.close()
    assert finding.text == "numbers in things were not looked through: there was no time left"
