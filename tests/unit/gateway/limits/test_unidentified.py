"""Numbers cannot be guessed: after too many unidentified ones a caller names nobody that day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.cache.rows import LOOKED
from gateway.settings import DatabaseSettings, RateLimits
from tests.support.metrics import value_of
from tests.support.people import HOA, NOBODY
from tests.support.running import OFFICER, Running, codes, running
from tests.support.worlds import WAYS, answer

PERSONS = "query($ids: [PersonNumber!]!) { persons(ids: $ids) { id } }"
RATES = RateLimits(unidentified_per_caller_per_day=3, unidentified_per_day=5)


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
        answer = await name(gateway, HOA, NOBODY, NOBODY, NOBODY)
        refused_answer = await name(gateway, HOA)
        other = await name(gateway, HOA, subject="b")
        await gateway.pass_time(86_400)
        next_day = await name(gateway, HOA)
    assert len(answer["data"]["persons"]) == 4
    assert codes(refused_answer) == ["RATE_LIMITED"]
    assert other["data"] == next_day["data"] == {"persons": [{"id": HOA}]}


async def test_all_callers_of_a_client_count_for_it(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RATES) as gateway:
        for subject in "abc":
            await name(gateway, NOBODY, NOBODY, subject=subject)
        refused_answer = await name(gateway, HOA, subject="d")
    assert codes(refused_answer) == ["RATE_LIMITED"]


async def test_answers_that_are_given_again_count_too(tmp_path: Path) -> None:
    kept = {"population": DatabaseSettings(timeout=120, fresh=1_000)}
    async with running(tmp_path, databases_=kept, rates=RATES) as gateway:
        before = value_of(LOOKED, "ready")
        answers = [await name(gateway, NOBODY) for _ in range(3)]
        assert value_of(LOOKED, "ready") == before + 1
        refused_answer = await name(gateway, NOBODY)
    assert [answer["data"]["persons"] for answer in answers] == [[{"id": NOBODY}]] * 3
    assert codes(refused_answer) == ["RATE_LIMITED"]


async def test_people_who_are_known_count_for_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RATES) as gateway:
        for _ in range(5):
            assert codes(await name(gateway, HOA, HOA)) == []


async def test_a_citizens_own_view_is_never_refused_for_it(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RATES) as gateway:
        for _ in range(5):
            body = await gateway.ask("{ me { id } }", scopes=["me"], subject=NOBODY)
            assert body["data"] == {"me": {"id": NOBODY}}
