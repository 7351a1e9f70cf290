"""Facts about people agree with the truth of a generated population, which the gateway never sees.

No answer is wrong, and every "not known" has a cause that the generator planted or the law leaves
open. A run of 20,000 people: ``make facts``.

Covers ``connectors.synthetic.fact_truth``, ``gateway.derived.*``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.description import Group
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, clusters, personas, write
from gateway.settings import DatabaseSettings, Limits, RateLimits
from tests.support.fact_answers import FACTS, TODAY, Truths, faults
from tests.support.running import Running, running

DATABASES = tuple(database for database in installed_databases() if database.records)
PEOPLE = int(os.environ.get("FACT_PEOPLE", "600"))
#: Days of the past; in each a share of the people is asked about.
PAST = (date(2024, 2, 29), date(2019, 7, 1), date(2012, 12, 31), date(1999, 5, 5))
_AT_ONCE = 50
SCOPES = ("person:read", "person:sensitive", "population:read")
QUERY = f"query($ids: [PersonNumber!]!, $on: Date) {{ persons(ids: $ids) {{ id {FACTS} }} }}"


@pytest.fixture(scope="module")
def truths() -> Truths:
    known = Truths()
    for cluster in clusters(PopulationOptions(people=PEOPLE)):
        known.add(cluster)
    return known


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DatabaseSettings]:
    folder = tmp_path_factory.mktemp("people")
    paths = {database.name: folder / f"{database.name}.sqlite" for database in DATABASES}
    write(DATABASES, paths, PopulationOptions(people=PEOPLE))
    return {
        name: DatabaseSettings(url=f"sqlite:///{file}", timeout=300, group=Group.OPERATING)
        for name, file in paths.items()
    }


async def ask(
    gateway: Running, numbers: Sequence[str], on: date | None
) -> list[tuple[str, dict[str, Any]]]:
    variables = {"ids": list(numbers), "on": None if on is None else str(on)}
    reply = await gateway.post(QUERY, variables, gateway.token(*SCOPES))
    return list(zip(numbers, reply.json()["data"]["persons"], strict=True))


async def wrong_answers(
    folder: Path,
    databases: dict[str, DatabaseSettings],
    truths: Truths,
    numbers: Sequence[str],
    on: date | None,
) -> tuple[list[str], Counter[str]]:
    """Return what is wrong with the facts about ``numbers``, and how often facts are known."""
    limits = Limits(deadline=600, cost=10**9, persons_reached=10**6)
    rates, wrong, tally = RateLimits(enforced=False), list[str](), Counter[str]()
    async with running(folder, {}, DATABASES, databases, limits=limits, rates=rates) as gateway:
        for start in range(0, len(numbers), _AT_ONCE):
            for number, answer in await ask(gateway, numbers[start : start + _AT_ONCE], on):
                wrong += faults(truths, number, answer, on or TODAY)
                for name, fact in answer.items():
                    if isinstance(fact, dict):
                        tally[f"{name} {fact['reason'] or 'known'}"] += 1
    return wrong, tally


async def test_no_fact_is_wrong_and_what_is_not_known_has_a_cause(
    tmp_path: Path, databases: dict[str, DatabaseSettings], truths: Truths
) -> None:
    numbers = sorted(truths.people)
    wrong, tally = await wrong_answers(tmp_path, databases, truths, numbers, None)
    print(dict(sorted(tally.items())))
    assert wrong[:20] == [], len(wrong)
    for name, least in {
        "lifeStatus": 0.97,
        "maritalStatus": 0.75,
        "legalCapacity": 0.97,
        "guardianship": 0.95,
        "residence": 0.99,
        "hasActiveBlock": 0.99,
    }.items():
        assert tally[f"{name} known"] > least * len(numbers), name


@pytest.mark.parametrize("day", PAST, ids=str)
async def test_no_fact_of_a_past_day_is_wrong(
    tmp_path: Path, databases: dict[str, DatabaseSettings], truths: Truths, day: date
) -> None:
    numbers = sorted(truths.people)[PAST.index(day) :: len(PAST)]
    wrong, _ = await wrong_answers(tmp_path, databases, truths, numbers, day)
    assert wrong[:20] == [], len(wrong)


async def test_the_facts_about_the_personas_are_true(
    tmp_path: Path, databases: dict[str, DatabaseSettings], truths: Truths
) -> None:
    numbers = [str(persona["id"]) for persona in personas(truths.people.values())]
    wrong, _ = await wrong_answers(tmp_path, databases, truths, numbers, None)
    assert wrong == []
