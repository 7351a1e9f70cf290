"""Time to read an access log from a copy of ten million entries, and the query plan it takes.

    python -m bench.access_log [--entries 10000000] [--seconds 900] [--sqlite]

The copy is a database of its own in PostgreSQL at 127.0.0.1, dropped afterwards, or a SQLite file.
Loading stops after ``--seconds``, and the entries loaded by then are measured. Entries are 3
seconds apart. Nine of ten are about one of a million people, the others about two special people:

- *busy*: read in 5 of 100 entries;
- *attacked*: read in one of 100,000 entries, and refused in 5 of 100.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bench.report import console
from gateway.audit.access_log.entries import page, statement
from gateway.audit.copy.database import ENTRIES, METADATA, PERSONS, Copy

_SERVER = "postgresql+asyncpg://postgres@127.0.0.1:5432"
_START = datetime(2024, 1, 1, tzinfo=UTC)
_INTERVAL = timedelta(seconds=3)
_PEOPLE = 1_000_000
_CHUNK = 250_000
_REPETITIONS = 20
_FIRST = 50


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the two databases in the statements that load them."""

    series: str
    at: str
    hash: str
    yes: str
    explain: str


DIALECTS = {
    "postgresql": Dialect(
        "generate_series({first}, {last}) AS s(n)",
        "timestamptz '2024-01-01 00:00:00+00' + n * interval '3 seconds'",
        "'9c41d2e0:' || md5({0}::text) || md5(({0} + 1)::text)",
        "true",
        "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) ",
    ),
    "sqlite": Dialect(
        "(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last})"
        " SELECT n FROM s) AS s",
        "strftime('%Y-%m-%d %H:%M:%S.000000', '2024-01-01', '+' || (n * 3) || ' seconds')",
        "'9c41d2e0:' || printf('%064d', ({0} * 7919) % 1000003)",
        "1",
        "EXPLAIN QUERY PLAN ",
    ),
}


def person(kind: str, number: int | str) -> str:
    """Return SQL for the hash of a person: ``number`` is a column or a constant."""
    return DIALECTS[kind].hash.format(number)


#: Whom entry ``n`` is about.
_PERSON_OF_ENTRY = (
    "CASE WHEN n % 100 < 5 THEN -1 WHEN n % 100 < 10 THEN -2 WHEN n % 100000 = 50 THEN -2 "
    f"ELSE (n % {_PEOPLE}) * 79 % {_PEOPLE} END"
)
_ROLE = "CASE WHEN n % 100 >= 5 AND n % 100 < 10 THEN 'REFUSED' ELSE 'NAMED' END"


def statements(kind: str, first: int, last: int) -> list[str]:
    """Return SQL that adds entries ``first`` to ``last``."""
    dialect = DIALECTS[kind]
    series = dialect.series.format(first=first, last=last)
    hashed = person(kind, "whom")
    rows = (
        f"(SELECT n, {_PERSON_OF_ENTRY} AS whom, {_ROLE} AS role, {dialect.at} AS at"
        f" FROM {series}) AS r"
    )
    entry_id = "'e' || n"
    body = (
        '\'{"seq":\' || n || \',"id":"e\' || n || \'","agency":"UBND","persons":[{"person":"\''
        f' || {hashed} || \'","role":"\' || role || \'","sections":["population.identity"]}}],'
        '"sections":{"population.identity":"ANSWERED"},"codes":[],"mac":"\''
        f" || {hashed} || '\"}}'"
    )
    return [
        "INSERT INTO audit_entries (journal, seq, mac, at, entry_id, body) "
        f"SELECT 'bench', n, '{'0' * 64}', at, {entry_id}, {body} FROM {rows}",
        "INSERT INTO audit_persons "
        "(journal, seq, person, role, at, entry_id, shows_from, guardian_hidden) "
        f"SELECT 'bench', n, {hashed}, role, at, {entry_id}, NULL, NOT {dialect.yes} FROM {rows}",
    ]


@asynccontextmanager
async def database(kind: str) -> AsyncIterator[str]:
    """Yield the URL of an empty database, and drop the database afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite+aiosqlite:///{Path(folder) / 'copy.sqlite'}"
        return
    name = f"bench_audit_{secrets.token_hex(4)}"
    server = create_async_engine(f"{_SERVER}/postgres", isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(sa.text(f"CREATE DATABASE {name}"))
        try:
            yield f"{_SERVER}/{name}"
        finally:
            await connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


async def load(url: str, kind: str, entries: int, seconds: float) -> int:
    """Make the tables and fill them; keys and indexes come last. Returns how many entries."""
    engine, deadline, loaded = create_async_engine(url), time.monotonic() + seconds, 0
    async with engine.begin() as connection:
        await connection.run_sync(_bare_tables, kind)
    while loaded < entries and time.monotonic() < deadline:
        last = min(loaded + _CHUNK, entries)
        async with engine.begin() as connection:
            for command in statements(kind, loaded + 1, last):
                await connection.exec_driver_sql(command)
        loaded = last
    async with engine.begin() as connection:
        await _index(connection, kind)
    await engine.dispose()
    return loaded


def _bare_tables(connection: sa.Connection, kind: str) -> None:
    """Make the tables of a copy; in PostgreSQL without keys, indexes and the server's own log."""
    METADATA.create_all(connection)
    for table in (ENTRIES, PERSONS):
        for index in table.indexes:
            index.drop(connection)
        if kind == "postgresql":
            connection.execute(sa.text(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey"))
            connection.execute(sa.text(f"ALTER TABLE {table} SET UNLOGGED"))


async def _index(connection: AsyncConnection, kind: str) -> None:
    for table in (ENTRIES, PERSONS):
        if kind == "postgresql":
            names = ", ".join(column.name for column in table.primary_key)
            await connection.execute(sa.text(f"ALTER TABLE {table} ADD PRIMARY KEY ({names})"))
        for index in table.indexes:
            await connection.run_sync(index.create)
    await connection.execute(sa.text("ANALYZE"))


async def measure(url: str, kind: str, entries: int) -> None:
    """Print how long pages take, and the plan of one."""
    copy = Copy(url, patience=60)
    middle = _START + _INTERVAL * (entries // 2)
    cursor = base64.urlsafe_b64encode(f"{middle:%Y-%m-%dT%H:%M:%S.%f}|e0".encode()).decode()
    busy, attacked = await _hash(copy, kind, -1), await _hash(copy, kind, -2)
    numbers = (entry * 79 % _PEOPLE for entry in range(51, _PEOPLE, _PEOPLE // 40))
    ordinary = [await _hash(copy, kind, number) for number in numbers]
    table = Table(title=f"ms of a page of {_FIRST}, {entries:,} entries in {kind}")
    for column in ("whose log", "median", "most", "entries"):
        table.add_column(column, justify="left" if column == "whose log" else "right")
    cases: dict[str, tuple[list[list[str]], str | None]] = {
        "anybody's, each another": ([[person] for person in ordinary[:_REPETITIONS]], None),
        "anybody's, four numbers and keys": (
            [ordinary[place : place + 4] for place in range(_REPETITIONS)], None,
        ),
        "busy": ([[busy]] * _REPETITIONS, None),
        "busy, from the middle on": ([[busy]] * _REPETITIONS, cursor),
        "attacked": ([[attacked]] * _REPETITIONS, None),
    }  # fmt: skip
    for name, (people, after) in cases.items():
        durations, count = await _timed(copy, people, after)
        table.add_row(name, f"{median(durations):.1f}", f"{max(durations):.1f}", str(count))
    console.print(table)
    await _explain(copy, kind, [attacked])
    await copy.close()


async def _timed(
    copy: Copy, people: Sequence[list[str]], after: str | None
) -> tuple[list[float], int]:
    now, durations, count = datetime.now(UTC) + timedelta(days=3650), [], 0
    for persons in people:
        start = time.perf_counter()
        count = len((await page(copy, persons, now, _FIRST, after, False)).entries)
        durations.append((time.perf_counter() - start) * 1000)
    return durations, count


async def _hash(copy: Copy, kind: str, number: int) -> str:
    async def work(connection: AsyncConnection) -> str:
        text = f"SELECT {person(kind, f'({number})')}"
        return str((await connection.exec_driver_sql(text)).scalar_one())

    return await copy.run(work)


async def _explain(copy: Copy, kind: str, persons: list[str]) -> None:
    async def work(connection: AsyncConnection) -> list[str]:
        query = statement(persons, datetime.now(UTC), _FIRST, None, False)
        text = str(
            query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        )
        rows = await connection.exec_driver_sql(DIALECTS[kind].explain + text)
        return [str(row[-1]) for row in rows]

    console.print("\n".join(await copy.run(work)), highlight=False)


async def run(kind: str, entries: int, seconds: float) -> None:
    """Load and measure one database."""
    async with database(kind) as url:
        start = time.monotonic()
        loaded = await load(url, kind, entries, seconds)
        console.print(f"{loaded:,} entries in {kind} after {time.monotonic() - start:.0f} s")
        await measure(url, kind, loaded)


def main() -> None:
    """Measure and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--sqlite", action="store_true")
    options = parser.parse_args()
    asyncio.run(run("sqlite" if options.sqlite else "postgresql", options.entries, options.seconds))


if __name__ == "__main__":
    main()
