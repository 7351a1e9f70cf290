"""A batch of 500 keys: what is wrong with one concerns no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from connectors.backends.base import Batch, Rows
from connectors.backends.calls import SourceCalls
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import DATABASE, EMPTY, UNIONS, union
from tests.support.backend_servers import write_server
from tests.support.running import TestClock
from tests.support.servers import SERVERS, Server

Make = Callable[..., SqlBackend]

PEOPLE = [f"{1_090_000_000 + number:012}" for number in range(500)]
POISONED, UNREADABLE, TRUNCATED, ABSENT = PEOPLE[123], PEOPLE[250], PEOPLE[377], PEOPLE[499]
#: A column of a view that fails for the row ``bad``, whichever rows are asked for with it.
_MOOD = (
    "(SELECT v.x FROM (SELECT 'CALM' AS x UNION ALL SELECT 'LOUD') v "
    "WHERE event_id = 'bad' OR v.x = 'CALM')"
)


def _rows() -> list[dict[str, object]]:
    """Return two unions of everybody: one that is bad, one without an id, and one too many."""
    rows = [
        union(f"{person}-{number}", person, registered_on=f"202{number}", mood="CALM")
        for person in PEOPLE
        for number in range(2)
        if person not in (POISONED, ABSENT)
    ]
    unreadable = next(row for row in rows if row["one_id"] == UNREADABLE)
    rows.remove(unreadable)
    limit = UNIONS.fetch_limit
    more = [union(f"t{n}", TRUNCATED, registered_on=f"201{n}", mood="CALM") for n in range(limit)]
    poisoned = [
        union("bad", POISONED, registered_on="2021", mood="CALM"),
        union("good", POISONED, registered_on="2020", mood="CALM"),
    ]
    return [*rows, *more, *poisoned, {**unreadable, "registered_on": "soon"}]


async def _write(server: Server, *, poisoned: bool) -> None:
    await write_server(server, {**EMPTY, "unions": _rows()})
    if not poisoned:
        return
    quote = '"' if server.make == "postgresql" else "`"
    names = [f"{quote}{column.name}{quote}" for column in UNIONS.columns if column.name != "mood"]
    await server.execute(
        "ALTER TABLE unions RENAME TO theirs",
        f"CREATE VIEW unions AS SELECT {', '.join(names)}, {_MOOD} AS mood FROM theirs",
    )


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Make a backend over a server; what was made is closed afterwards."""
    backends: list[SqlBackend] = []

    def make(server: Server, **settings: Any) -> SqlBackend:
        backends.append(SqlBackend(DATABASE, server.url, **settings))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note every call that takes a connection: each runs one statement for rows."""
    noted: list[object] = []
    run = SourceCalls.run

    async def noting(calls: SourceCalls, work: Any) -> Any:
        noted.append(work)
        return await run(calls, work)

    monkeypatch.setattr(SourceCalls, "run", noting)
    return noted


async def _fetch(backend: SqlBackend, people: Sequence[str] = PEOPLE) -> Batch:
    return await backend.fetch(UNIONS, UNIONS.lookups[0], people)


def _is_plain(person: str, rows: Rows) -> bool:
    """Say whether somebody's two unions are there, and nothing is said to be wrong."""
    ids = [row[0] for row in rows.rows]
    return ids == [f"{person}-1", f"{person}-0"] and not (rows.unreadable or rows.truncated)


def _assert_others_unaffected(batch: Batch) -> None:
    assert not batch.failed
    assert list(batch.by_key) == PEOPLE
    odd = {person for person, rows in batch.by_key.items() if not _is_plain(person, rows)}
    assert odd - {POISONED} == {UNREADABLE, TRUNCATED, ABSENT}
    unreadable, truncated = batch.by_key[UNREADABLE], batch.by_key[TRUNCATED]
    assert ([row[0] for row in unreadable.rows], unreadable.unreadable) == ([f"{UNREADABLE}-1"], 1)
    assert [row[0] for row in truncated.rows] == [f"{TRUNCATED}-1", f"{TRUNCATED}-0", "t2"]
    assert truncated.truncated
    assert batch.by_key[ABSENT] == Rows()


@pytest.mark.parametrize("make_of_server", SERVERS)
async def test_unreadable_and_truncated_keys_cost_the_others_nothing(
    request: pytest.FixtureRequest, make: Make, make_of_server: str, calls: list[object]
) -> None:
    server: Server = request.getfixturevalue(make_of_server)
    await _write(server, poisoned=False)
    batch = await _fetch(make(server))
    _assert_others_unaffected(batch)
    assert _ids(batch, POISONED) == ["bad", "good"]
    # PostgreSQL reads the key that has too many rows again, in order.
    assert len(calls) == (2 if make_of_server == "postgresql" else 1)


@pytest.mark.parametrize("make_of_server", SERVERS)
async def test_a_key_that_fails_the_statement_is_told_apart_by_few_more(
    request: pytest.FixtureRequest, make: Make, make_of_server: str, calls: list[object]
) -> None:
    server: Server = request.getfixturevalue(make_of_server)
    await _write(server, poisoned=True)
    clock = TestClock()
    backend = make(server, monotonic=clock.monotonic)
    batch = await _fetch(backend)
    _assert_others_unaffected(batch)
    assert batch.by_key[POISONED].unreadable >= 1
    assert len(calls) <= 40, "in halves of halves, not key by key"
    calls.clear()
    _assert_others_unaffected(await _fetch(backend))
    assert len(calls) <= 12, "the others are read at once, beside that key"
    calls.clear()
    rest = [person for person in PEOPLE if person != POISONED]
    assert len((await _fetch(backend, rest)).by_key) == 499
    assert len(calls) <= 2


@pytest.mark.services
async def test_many_batches_at_once_are_each_whole(postgresql: Server, make: Make) -> None:
    await _write(postgresql, poisoned=True)
    backend = make(postgresql, pool_size=2)
    for batch in await asyncio.gather(*(_fetch(backend) for _ in range(3))):
        _assert_others_unaffected(batch)


def _ids(batch: Batch, person: str) -> list[object]:
    return [row[0] for row in batch.by_key[person].rows]
