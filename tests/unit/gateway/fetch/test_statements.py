"""The number of calls of a request depends on its fields, not on the number of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.people import backends
from tests.support.running import OFFICER, running

QUERY = """query($ids: [PersonNumber!]!) { persons(ids: $ids) {
  population { identity { item { fullName } } }
  civilStatus { births { items { registerNo } } marriages { items { certificateNo } } } } }"""


@pytest.mark.parametrize("fresh", [0, 600])
async def test_a_hundred_people_cost_as_many_calls_as_one(tmp_path: Path, fresh: float) -> None:
    cast = {name: Faulty(backend) for name, backend in backends().items()}
    settings = {name: DatabaseSettings(timeout=120, fresh=fresh) for name in cast}
    calls = []
    async with running(tmp_path, cast, (POPULATION, CIVIL_STATUS), settings) as gateway:
        for count in (1, 100):
            for backend in cast.values():
                backend.fetched.clear()
            numbers = [f"0010{count:02d}{place:06d}"[:12] for place in range(count)]
            body = await gateway.ask(QUERY, {"ids": numbers}, scopes=OFFICER)
            assert len(body["data"]["persons"]) == count
            calls.append(sum(len(backend.fetched) for backend in cast.values()))
    # Three to resolve numbers, identity among them, and two lists.
    assert calls == [5, 5]
