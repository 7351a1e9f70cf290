"""Plans give what graphql-core gives, field by field, over naive reads of the same databases.

Operations, people, holes, failures and callers are generated; requests come singly or together,
also of callers with other rights, and some databases tell each caller something else. ``make fuzz``
asks far more of them.

Covers ``gateway.execution.reference``, ``gateway.execution.decisions``, ``gateway.fetch.loaders``,
``gateway.shape.response``, ``gateway.shape.attributes``, ``gateway.shape.codegen``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import structlog

from connectors.registry import installed_databases
from gateway.settings import Limits, RateLimits
from tests.support.deferred import deferred_operation
from tests.support.differential import differences
from tests.support.running import running

OPERATIONS = int(os.environ.get("FUZZ_OPERATIONS", "1000"))
SEED = int(os.environ.get("FUZZ_SEED", "2026"))
PARTS = 8

#: Generated details seldom agree; which of them is refused must not depend on the order.
_NO_LIMITS = {
    "mismatches_per_person_per_day": 10**9,
    "mismatches_per_caller_per_day": 10**9,
    "mismatches_per_day": 10**9,
}


@pytest.mark.parametrize("part", range(PARTS))
async def test_plans_and_the_oracle_agree_on_generated_operations(
    tmp_path: Path, part: int
) -> None:
    limits = Limits(new_documents_per_minute=10**9, cost=10**12, deadline=1e9)
    databases = installed_databases()
    # What fails is logged with its traceback, which takes longer to print than to happen.
    with structlog.testing.capture_logs():
        rates = RateLimits.model_validate({"enforced": False, **_NO_LIMITS})
        async with running(tmp_path, {}, databases, limits=limits, rates=rates) as gateway:
            faults, tally = await differences(
                gateway.service.resources, SEED * PARTS + part, OPERATIONS // PARTS
            )
    assert faults == [], f"{len(faults)} of {tally.operations}, the first: {faults[0]}"
    assert tally.planned > 0.5 * tally.operations, tally
    assert tally.with_rows > 0.3 * tally.planned, tally
    assert tally.with_errors > 0.3 * tally.planned, tally
    assert tally.mixed > 0.05 * tally.planned, tally
    assert tally.together > 0.2 * tally.planned, tally
    assert tally.checked > 0.01 * tally.planned, tally
    assert tally.queued, tally


async def test_payloads_amount_to_what_the_oracle_gives(tmp_path: Path) -> None:
    limits = Limits(
        new_documents_per_minute=10**9, cost=10**12, deadline=1e9, tokens=10**4, directives=10**3
    )
    databases = installed_databases()
    with structlog.testing.capture_logs():
        rates = RateLimits.model_validate({"enforced": False, **_NO_LIMITS})
        async with running(tmp_path, {}, databases, limits=limits, rates=rates) as gateway:
            seed, count = SEED + 5_000, OPERATIONS // 20
            faults, tally = await differences(
                gateway.service.resources, seed, count, generate=deferred_operation
            )
    assert faults == [], f"{len(faults)} of {tally.operations}, the first: {faults[0]}"
    assert tally.planned > 0.5 * tally.operations, tally
    assert tally.fragments > 0.2 * tally.operations, tally


@pytest.mark.parametrize("part", range(PARTS))
async def test_rows_from_the_cache_and_ready_answers_give_what_the_oracle_gives(
    tmp_path: Path, part: int
) -> None:
    """Each operation runs three times: from the sources, from the cache, and as a ready answer."""
    limits = Limits(new_documents_per_minute=10**9, cost=10**12, deadline=1e9)
    with structlog.testing.capture_logs():
        rates = RateLimits.model_validate({"enforced": False, **_NO_LIMITS})
        databases = installed_databases()
        async with running(tmp_path, {}, databases, limits=limits, rates=rates) as gateway:
            seed, count = SEED * PARTS + part + 1_000, OPERATIONS // PARTS // 2
            faults, tally = await differences(gateway.service.resources, seed, count, fresh=600)
    assert faults == [], f"{len(faults)} of {tally.operations}, the first: {faults[0]}"
    assert tally.ready > 0.02 * tally.planned, tally
