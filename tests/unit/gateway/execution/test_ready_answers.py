"""Answers that are given again: only where everything that decides them is the same.

Covers ``gateway.cache.answer_store``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.cache.invalidations import Invalidation
from gateway.cache.rows import LOOKED
from gateway.execution.execute import execute
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.resources import ExecutionResources
from gateway.fetch.maintenance import Window
from gateway.procedures.procedure import UNIFIED
from gateway.runtime.append_only_file import READ_EVERY
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.metrics import value_of
from tests.support.people import HOA, LAN, backends
from tests.support.running import CASE_NUMBER, OFFICER, Running, TestClock, codes, running

KEPT = {name: DatabaseSettings(timeout=120, fresh=1_000) for name in ("population", "civil_status")}
QUERY = """query($id: PersonNumber!) { person(id: $id) { id
  population { identity { item { fullName ethnicity } source { state fromCache fetchedAt } } }
  civilStatus { marriages { items { husband { name } } source { fromCache } } } } }"""
PLAIN = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } } } } }"""


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    cast = {name: Faulty(one) for name, one in backends().items()}
    async with running(tmp_path, cast, (POPULATION, CIVIL_STATUS), KEPT) as started:
        yield started


def _ready() -> float:
    return value_of(LOOKED, "ready")


async def _ask(gateway: Running, query: str = PLAIN, number: str = HOA, **more: Any) -> bool:
    """Ask; returns whether the answer was ready."""
    before = _ready()
    body = await gateway.ask(query, {"id": number}, **more)
    assert body["data"]
    return _ready() > before


async def test_the_third_answer_is_ready_and_the_same_as_the_second(gateway: Running) -> None:
    token = gateway.token(*OFFICER, "population:sensitive")
    before = _ready()
    answers = [await gateway.post(QUERY, {"id": HOA}, token) for _ in range(4)]
    assert _ready() == before + 2
    first, second, third, fourth = (one.json() for one in answers)
    assert second == third == fourth
    source = second["data"]["person"]["population"]["identity"].pop("source")
    assert source["fromCache"]
    assert first["data"]["person"]["population"]["identity"].pop("source") != source


async def test_every_ready_answer_leaves_its_own_entry_in_the_journal(gateway: Running) -> None:
    for number in range(4):
        await _ask(gateway, client=f"desk-{number}" if number == 3 else "desk")
    entries = gateway.journal()
    assert len({one["id"] for one in entries}) == 4
    differing = {"id", "requestId", "at", "client", "tokenId"}
    said = [{name: one[name] for name in one.keys() - differing} for one in entries]
    assert said[0] == said[1] == said[2]
    assert [one["client"] for one in entries][-1] == "desk-3"


@pytest.mark.parametrize(
    "other",
    [
        {"scopes": ("population:read",)},
        {"purposes": ("1.000894",)},
        {"client": "another"},
        {"subject": HOA, "scopes": ("me", *OFFICER)},
    ],
)
async def test_who_has_other_rights_gets_another_answer(
    gateway: Running, other: Mapping[str, Any]
) -> None:
    for _ in range(2):
        await _ask(gateway)
    assert await _ask(gateway)
    before = _ready()
    purpose = other.get("purposes", ("bench-unified",))[0]
    scopes = other.get("scopes", OFFICER)
    kept = {name: one for name, one in other.items() if name != "scopes"}
    token = gateway.token(*scopes, **kept)
    await gateway.post(PLAIN, {"id": HOA}, token, x_purpose=purpose)
    assert _ready() == before


async def test_who_asks_for_the_plan_has_the_operation_executed(gateway: Running) -> None:
    token = gateway.token(*OFFICER, "plans")
    for _ in range(2):
        await gateway.post(PLAIN, {"id": HOA}, token)
    before = _ready()
    answer = await gateway.client.post(
        "/graphql",
        json={"query": PLAIN, "variables": {"id": HOA}, "extensions": {"plan": True}},
        headers={
            "authorization": f"Bearer {token}",
            "x-purpose": UNIFIED,
            "x-case-number": CASE_NUMBER,
        },
    )
    explained = answer.json()
    assert _ready() == before
    ready = (await gateway.post(PLAIN, {"id": HOA}, token)).json()
    assert _ready() == before + 1
    assert explained["data"] == ready["data"]
    assert explained["extensions"].pop("plan")
    assert explained["extensions"].pop("execution")["fetches"]
    assert explained["extensions"] == ready["extensions"]
    plain, with_plan = gateway.journal()[-1], gateway.journal()[-2]
    assert {name: plain[name] for name in ("persons", "sections", "asked", "document")} == {
        name: with_plan[name] for name in ("persons", "sections", "asked", "document")
    }


async def test_another_person_or_document_gets_another_answer(gateway: Running) -> None:
    for _ in range(3):
        await _ask(gateway)
    assert not await _ask(gateway, number=LAN)
    assert not await _ask(gateway, PLAIN + " ")


async def test_an_invalidation_ends_it(gateway: Running) -> None:
    for _ in range(3):
        await _ask(gateway)
    log = gateway.service.resources.cache.log
    await log.invalidate([Invalidation(LAN)])
    assert await _ask(gateway), "somebody else's"
    await log.invalidate([Invalidation(HOA)])
    assert not await _ask(gateway)


async def test_it_ends_with_the_freshness_of_the_first_of_its_rows(gateway: Running) -> None:
    for _ in range(3):
        await _ask(gateway)
    await gateway.pass_time(999)
    assert await _ask(gateway)
    await gateway.pass_time(2)
    assert not await _ask(gateway)


async def test_it_ends_with_the_legal_day(gateway: Running) -> None:
    """A sanction may be past its period tomorrow: midnight in Viet Nam is 17:00 UTC."""
    gateway.clock.moment = gateway.clock.moment.replace(hour=16, minute=59)
    for _ in range(3):
        await _ask(gateway)
    await gateway.pass_time(59)
    assert await _ask(gateway)
    await gateway.pass_time(2)
    assert not await _ask(gateway)


async def test_maintenance_of_a_database_ends_it_at_once(gateway: Running) -> None:
    for _ in range(3):
        await _ask(gateway)
    maintenance = gateway.service.resources.maintenance
    maintenance.plan(Window("population", maintenance.now()))
    gateway.clock.advance(READ_EVERY)
    body = await gateway.ask(PLAIN, {"id": HOA})
    assert "SOURCE_MAINTENANCE" in codes(body)


@pytest.mark.parametrize(
    "query",
    [
        "query($id: PersonNumber!) { person(id: $id) { population { identity(fresh: true) {"
        " item { fullName } } } } }",
        "query($id: PersonNumber!) { person(id: $id) { population { identity {"
        " source { database { live { state } } } } } } }",
    ],
    ids=["past the cache", "whether it is there"],
)
async def test_what_is_asked_anew_every_time_is_never_ready(gateway: Running, query: str) -> None:
    assert [await _ask(gateway, query) for _ in range(4)] == [False] * 4


async def test_an_answer_with_something_wrong_in_it_is_never_ready(gateway: Running) -> None:
    scopes = ("population:read",)
    before = _ready()
    for _ in range(4):
        body = await gateway.ask(QUERY, {"id": HOA}, scopes=scopes)
        assert "FORBIDDEN" in codes(body)
    assert _ready() == before


@pytest.mark.parametrize("depth", [200, 300, 900])
async def test_variables_of_any_depth_are_refused_with_a_code(gateway: Running, depth: int) -> None:
    """They are looked at before they are judged; some cannot be written as JSON again."""
    nested = "[" * depth + "]" * depth
    body = f'{{"query": "{" ".join(PLAIN.split())}", "variables": {{"id": {nested}}}}}'
    headers = {
        "authorization": f"Bearer {gateway.token(*OFFICER)}",
        "content-type": "application/json",
        "x-purpose": "bench-unified",
        "x-case-number": "1/2026",
    }
    answer = await gateway.client.post("/graphql", content=body, headers=headers)
    assert answer.status_code == 422
    assert codes(answer.json()) == ["INVALID_PERSON_NUMBER"]


class ClockAtMidnight(TestClock):
    """A clock that passes midnight once it has been read."""

    def now(self) -> datetime:
        """Return the moment; from then on it is two seconds later."""
        moment = self.moment
        self.moment = moment + timedelta(seconds=2)
        return moment


async def test_an_answer_made_before_midnight_is_not_kept_for_the_day_after(
    gateway: Running,
) -> None:
    """The day by which rows were judged counts, not the one on which the answer is done."""
    midnight = gateway.clock.moment.replace(hour=17, minute=0, second=0)
    gateway.clock.moment = midnight - timedelta(seconds=1)
    await gateway.ask(QUERY, {"id": HOA})  # the rows are there; of PLAIN there is no answer
    service = gateway.service

    async def execute_over_midnight(
        resources: ExecutionResources,
        request: OperationRequest,
        executable: ExecutableOperation | None,
    ) -> Result:
        clock = ClockAtMidnight(gateway.clock.moment)
        result = await execute(replace(resources, clock=clock), request, executable)
        gateway.clock.moment = clock.moment
        return result

    gateway.app.state.service = replace(service, execute=execute_over_midnight)
    await _ask(gateway)
    assert gateway.clock.moment > midnight
    gateway.app.state.service = service
    assert not await _ask(gateway)
    assert await _ask(gateway)
