"""Checks of marriages agree with the truth of a generated population, in every rule.

No rule passes or fails wrongly, and every UNKNOWN has a cause that the generator planted or the law
leaves open. Half of the couples are kin, whom the simulation never marries. A run of 10,000
couples: ``make marriages``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Group
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PopulationOptions, clusters, write
from gateway.settings import DatabaseSettings, Limits, RateLimits
from tests.support.fact_answers import Truths
from tests.support.marriage_answers import Kinship, couples, faults
from tests.support.running import Running, running

COUPLES = int(os.environ.get("MARRIAGE_COUPLES", "300"))
#: People enough for kin of every degree.
OPTIONS = PopulationOptions(people=max(1_200, COUPLES))
DATABASES = (POPULATION, CIVIL_STATUS)
_AT_ONCE = 15
CODE = "1.000894"
#: Kinds of couples of whom some must be barred for certain.
BARRED_KINDS = (
    "siblings", "cousins", "aunt or uncle", "parent", "grandparent", "great-grandparent",
    "adopter", "siblings by adoption", "adopted away", "step-parent", "parent-in-law",
)  # fmt: skip


async def states_of(gateway: Running, pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the states of the rules of several couples, by their codes."""
    places = range(len(pairs))
    inputs = ", ".join(f"$i{place}: CheckInput!" for place in places)
    checks = " ".join(
        f'c{place}: checkProcedure(code: "{CODE}", input: $i{place}) {{ rules {{ code state }} }}'
        for place in places
    )
    variables = {
        f"i{place}": {"marriageRegistration": {"groom": groom, "bride": bride}}
        for place, (groom, bride) in enumerate(pairs)
    }
    token = gateway.token("procedures:check", purposes=[CODE])
    reply = await gateway.post(f"query({inputs}) {{ {checks} }}", variables, token, x_purpose=CODE)
    data = reply.json()["data"]
    return [
        {rule["code"]: rule["state"] for rule in data[f"c{place}"]["rules"]} for place in places
    ]


async def test_no_rule_is_wrong_about_any_couple(tmp_path: Path) -> None:
    truths = Truths()
    for cluster in clusters(OPTIONS):
        truths.add(cluster)
    kinship = Kinship(truths)
    paths = {database.name: tmp_path / f"{database.name}.sqlite" for database in DATABASES}
    write(DATABASES, paths, OPTIONS)
    settings = {
        name: DatabaseSettings(url=f"sqlite:///{path}", timeout=300, group=Group.OPERATING)
        for name, path in paths.items()
    }
    limits = Limits(deadline=600, cost=10**9, persons_reached=10**6)
    tally, wrong = Counter[str](), list[str]()
    planted = list(couples(kinship, COUPLES))
    async with running(
        tmp_path, {}, DATABASES, settings, limits=limits, rates=RateLimits(enforced=False)
    ) as gateway:
        for start in range(0, len(planted), _AT_ONCE):
            batch = planted[start : start + _AT_ONCE]
            answers = await states_of(gateway, [(groom, bride) for _, groom, bride in batch])
            for (kind, groom, bride), states in zip(batch, answers, strict=True):
                wrong += faults(kinship, groom, bride, states)
                tally[f"{kind}: {states['NO_CLOSE_KIN']}"] += 1
                tally.update(f"{code} {state}" for code, state in states.items())
    for name, times in sorted(tally.items()):
        print(f"{times:7,} {name}")
    assert wrong[:20] == [], len(wrong)
    assert len(planted) == COUPLES
    for kind in BARRED_KINDS:
        assert tally[f"{kind}: FAIL"], kind
    assert tally["strangers: PASS"] > COUPLES // 100
