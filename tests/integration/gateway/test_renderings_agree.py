"""Lists that PostgreSQL writes give what graphql-core gives over rows of the same tables.

Operations, people, holes and callers are generated, as for plans over databases in memory
(``tests/unit/gateway/test_plans_agree.py``). ``make fuzz`` asks far more of them.

Covers ``gateway.execution.renderings``, ``gateway.plan.templates``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import structlog

from connectors.backends.memory import MemoryBackend
from connectors.backends.sql import SqlBackend
from connectors.description import Record
from connectors.registry import installed_databases
from gateway.settings import Limits, RateLimits, RenderingSettings
from tests.support.backend_servers import write_server
from tests.support.differential import differences
from tests.support.holes import World
from tests.support.loaded import Site, site
from tests.support.plain_lists import plain_operation
from tests.support.renderings import COLUMN_TYPES, CountingBackend, RenderingCount
from tests.support.running import running
from tests.support.servers import Server

pytestmark = pytest.mark.services

OPERATIONS = int(os.environ.get("FUZZ_OPERATIONS", "100"))
SEED = int(os.environ.get("FUZZ_SEED", "2026"))
PARTS = 4
PER_WORLD = 100

_NO_LIMITS = {
    "mismatches_per_person_per_day": 10**9,
    "mismatches_per_caller_per_day": 10**9,
    "mismatches_per_day": 10**9,
}


@dataclass
class _Mover:
    """Moves the databases of worlds to PostgreSQL, those that are in memory and do not fail."""

    place: Site
    count: RenderingCount = field(default_factory=RenderingCount)
    backends: list[SqlBackend] = field(default_factory=list)

    async def move(self, world: World) -> World:
        await self.close()
        backends = dict(world.backends)
        for database in world.databases:
            name = database.name
            if not isinstance(backends.get(name), MemoryBackend):
                continue
            rows = {
                record.name: _stored(record, world.rows[name].get(record.name, ()))
                for record in database.records
            }
            server = self.place.databases[name]
            await write_server(server, rows, described=database)
            backend = CountingBackend(database, server.url, self.count)
            backends[name] = backend
            self.backends.append(backend)
        return replace(world, backends=backends)

    async def close(self) -> None:
        backends, self.backends = self.backends, []
        for backend in backends:
            await backend.close()


def _stored(record: Record, rows: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return the rows as PostgreSQL stores them, each identity once: the order of two is any."""
    stored = {str(row.get(record.identity)): _typed(record, row) for row in rows}
    return list(stored.values())


def _typed(record: Record, row: Mapping[str, object]) -> dict[str, object]:
    """Return a row without values of other types than their columns have in PostgreSQL."""
    typed = {}
    for column in record.columns:
        value = row.get(column.name)
        expected = None if column.field.many else COLUMN_TYPES.get(column.field.kind)
        typed[column.name] = value if expected is None or type(value) is expected else None
    return typed


@pytest.fixture(params=range(PARTS))
def part(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def mover(postgresql: Server) -> Iterator[_Mover]:
    """Give a mover to databases of its own."""
    with site(postgresql, [database.name for database in installed_databases()]) as place:
        yield _Mover(place)


async def test_lists_that_are_written_and_the_oracle_agree_on_generated_operations(
    tmp_path: Path, mover: _Mover, part: int
) -> None:
    limits = Limits(new_documents_per_minute=10**9, cost=10**12, deadline=1e9)
    rates = RateLimits.model_validate({"enforced": False, **_NO_LIMITS})
    rendering = RenderingSettings(keys=1, uses=0)
    with structlog.testing.capture_logs():
        async with running(
            tmp_path, {}, installed_databases(), limits=limits, rates=rates, rendering=rendering
        ) as gateway:
            faults, tally = await differences(
                gateway.service.resources,
                SEED * PARTS + part + 9_000,
                OPERATIONS // PARTS,
                move=mover.move,
                per_world=PER_WORLD,
                generate=plain_operation,
            )
            await mover.close()
    assert faults == [], f"{len(faults)} of {tally.operations}, the first: {faults[0]}"
    count = mover.count
    assert count.with_rows > 0.02 * tally.planned, (count, tally)
    assert count.without > 0.02 * tally.planned, (count, tally)
    assert count.refused > 0, "some rows must be read instead"
