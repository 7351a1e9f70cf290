"""Entities by plan are what graphql-core gives, field by field: generated, as in test_plans_agree.

Covers ``gateway.catalogue.entities``, ``gateway.people.entities``.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from connectors.registry import installed_databases
from gateway.settings import Limits, RateLimits
from tests.support.differential import differences
from tests.support.entities import entities_operation
from tests.support.running import running
from tests.support.worlds import ALL, EVERY, LIVE, world

#: ``make fuzz`` asks more.
OPERATIONS = int(os.environ.get("FUZZ_OPERATIONS", "600")) // 10
SEED = int(os.environ.get("FUZZ_SEED", "2026"))
QUERY = """query($of: [_Any!]!) { _entities(representations: $of) { ... on Person {
  civilStatus { marriages { items { eventId } } } } } }"""


async def test_a_hundred_entities_of_one_request_are_one_statement_a_record(
    tmp_path: Path,
) -> None:
    databases = world({})
    people = [{"__typename": "Person", "id": f"0010900{number:05}"} for number in range(100)]
    statements = []
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        for count in (2, 100):
            databases.forget()
            body = await gateway.ask(QUERY, {"of": people[:count]}, EVERY)
            assert len(body["data"]["_entities"]) == count
            statements.append(sorted((record, lookup) for record, lookup, _ in databases.fetched))
    assert statements[0] == statements[1]
    assert statements[1] == [
        ("civil_status.marriages", "marriages"),
        ("population.earlier_numbers", "earlier_numbers"),
        ("population.earlier_numbers", "holders"),
        ("population.identity", "identity"),
    ]


async def test_plans_and_the_oracle_agree_on_entities(tmp_path: Path) -> None:
    limits = Limits(new_documents_per_minute=10**9, cost=10**12, deadline=1e9)
    rates = RateLimits.model_validate(
        {
            "enforced": False,
            "mismatches_per_person_per_day": 10**9,
            "mismatches_per_caller_per_day": 10**9,
            "mismatches_per_day": 10**9,
        }
    )
    with structlog.testing.capture_logs():
        async with running(
            tmp_path, {}, installed_databases(), limits=limits, rates=rates
        ) as gateway:
            faults, tally = await differences(
                gateway.service.resources, SEED, OPERATIONS, generate=entities_operation
            )
    assert faults == [], f"{len(faults)} of {tally.operations}, the first: {faults[0]}"
    assert tally.planned > 0.5 * tally.operations, tally
    assert tally.with_rows > 0.2 * tally.planned, tally
    assert tally.together > 0.2 * tally.planned, tally
    assert tally.codes is not None
    assert {"INVALID_REPRESENTATION", "INVALID_VALUE"} <= {*tally.codes}
