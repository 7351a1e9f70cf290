"""The tax code of a household business is its owner's number; a company's code is nobody's.

Covers ``connectors.backends.statement``.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from connectors.backends.record_maps import RecordMap
from connectors.backends.sql import SqlBackend
from connectors.declaration import BASIC, database, field, lookup, record
from connectors.description import Group
from connectors.vocabulary import Party, codes_of, numbers_of
from tests.support.servers import SERVERS, Server

#: Whose number, without its zeros, is the code of a company.
OWNER, COMPANY = "003100109106", "3100109106"


@record(
    ("Việc", "Case"),
    lookups=[
        lookup("cases", "Việc", "Cases", by=numbers_of("party")),
        lookup(
            "cases_of_organisation", "Việc", "Cases", by=codes_of("party"), organisation="cases"
        ),
        lookup(
            "cases_through_parties",
            "Việc",
            "Cases",
            by=numbers_of("party"),
            through=("cases", "case_no"),
            hidden=True,
        ),
    ],
    identity="case_no",
)
class HouseholdCase:
    case_no: str = field("số", "Number", BASIC)
    party: Party | None = field("bên", "Party", BASIC)


DATABASE = database(
    "households",
    title=("Hộ", "Households"),
    owner=("Bộ", "Ministry"),
    legal_basis=("Luật",),
    group=Group.OPERATING,
    records=[HouseholdCase],
)
CASES = DATABASE.by_name["cases"]
BY_NUMBER, BY_CODE, THROUGH = CASES.lookups
#: Number of the case, citizen ID of the party, and its enterprise code.
ROWS = (
    ("as a person", OWNER, None),
    ("as a business", None, OWNER),
    ("as both", OWNER, OWNER),
    ("a company", None, COMPANY),
    ("a branch", None, f"{COMPANY}-001"),
    ("with a line end", None, f"{COMPANY}\r\n"),
)
Make = Callable[..., Awaitable[SqlBackend]]


def _statements() -> list[str]:
    def text(value: str | None) -> str:
        return "NULL" if value is None else "'" + value.replace("\r\n", "\r\n") + "'"

    columns = ", ".join(f"{column.name} varchar(40)" for column in CASES.columns)
    names = "case_no, party_citizen_id, party_enterprise_code"
    rows = ", ".join(f"({', '.join(map(text, row))})" for row in ROWS)
    return [
        "DROP TABLE IF EXISTS cases",
        f"CREATE TABLE cases ({columns})",
        f"INSERT INTO cases ({names}) VALUES {rows}",
    ]


@pytest.fixture(params=["sqlite", *SERVERS])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    """Make a backend over the rows."""
    backends: list[SqlBackend] = []

    async def make(**settings: object) -> SqlBackend:
        if request.param == "sqlite":
            path = tmp_path / f"{secrets.token_hex(4)}.sqlite"
            with closing(sqlite3.connect(path)) as file, file:
                for statement in _statements():
                    file.execute(statement)
            url = f"sqlite:///{path}"
        else:
            server: Server = request.getfixturevalue(request.param)
            await server.execute(*_statements())
            url = server.url
        maps = {"cases": RecordMap(**settings)}  # type: ignore[arg-type]
        backends.append(SqlBackend(DATABASE, url, maps=maps))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


async def _found(backend: SqlBackend, key: str, place: int) -> set[object]:
    batch = await backend.fetch(CASES, CASES.lookups[place], [key])
    return {row[0] for row in batch.by_key[key].rows}


@pytest.mark.parametrize("normalised", [False, True])
async def test_a_number_finds_its_household_business_and_no_company(
    make: Make, normalised: bool
) -> None:
    backend = await make(normalised=normalised)
    theirs = {"as a person", "as a business", "as both"}
    for lookup_place in (0, 2):
        assert await _found(backend, OWNER, lookup_place) == theirs
    assert await _found(backend, COMPANY, 1) == {"a company"}
    assert await _found(backend, f"{COMPANY}-001", 1) == {"a branch"}
    assert await _found(backend, OWNER, 1) == {"as a business", "as both"}
