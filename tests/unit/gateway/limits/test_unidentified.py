"""Numbers are not tried out: who is told of enough that they are nobody's names nobody that day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.limits.redis_leases import Shared
from gateway.limits.unidentified import UnidentifiedAnswers
from gateway.settings import Rates, Redis
from tests.support.people import HOA, NOBODY
from tests.support.redis_server import own_redis
from tests.support.running import OFFICER, Running, TestClock, codes, running
from tests.unit.gateway.protection.worlds import WAYS, answer

PERSONS = "query($ids: [PersonNumber!]!) { persons(ids: $ids) { id } }"
RATES = Rates(unidentified_per_caller_per_day=3, unidentified_per_day=5)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


async def name(gateway: Running, *numbers: str, subject: str = "a") -> dict[str, Any]:
    return await gateway.ask(PERSONS, {"ids": numbers}, OFFICER, subject=subject)


@pytest.mark.usefixtures("way")
async def test_a_caller_who_was_told_of_enough_names_nobody_until_the_day_is_over(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, rates=RATES) as gateway:
        told = await name(gateway, HOA, NOBODY, NOBODY, NOBODY)
        refused = await name(gateway, HOA)
        other = await name(gateway, HOA, subject="b")
        await gateway.pass_time(86_400)
        next_day = await name(gateway, HOA)
    assert len(told["data"]["persons"]) == 4
    assert codes(refused) == ["RATE_LIMITED"]
    assert other["data"] == next_day["data"] == {"persons": [{"id": HOA}]}


async def test_all_callers_of_a_client_count_for_it(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RATES) as gateway:
        for subject in "abc":
            await name(gateway, NOBODY, NOBODY, subject=subject)
        refused = await name(gateway, HOA, subject="d")
    assert codes(refused) == ["RATE_LIMITED"]


async def test_people_who_are_known_count_for_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RATES) as gateway:
        for _ in range(5):
            assert codes(await name(gateway, HOA, HOA)) == []


async def test_a_citizens_own_view_is_never_refused_for_it(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RATES) as gateway:
        for _ in range(5):
            body = await gateway.ask("{ me { id } }", scopes=["me"], subject=NOBODY)
            assert body["data"] == {"me": {"id": NOBODY}}


@pytest.mark.services
async def test_processes_count_together(tmp_path: Path) -> None:
    with own_redis(tmp_path) as server:
        clock = TestClock()
        url = f"redis://127.0.0.1:{server.port}/0"
        shared = [Shared(Redis(url=url, timeout=20), b"0" * 32, clock) for _ in range(2)]
        first, second = (UnidentifiedAnswers(RATES, clock, one, b"0" * 32) for one in shared)
        for one in shared:
            await one.open()
        await first.add("client", "a", 2)
        await second.add("client", "a", 1)
        for one in shared:
            await one.close()
    with pytest.raises(GatewayError):
        second.require_left("client", "a")
