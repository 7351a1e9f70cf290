"""Published findings on real servers, as the gateway's connector reads them there.

Covers ``reconcile.publishing.connection``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.reconciliation import DATABASE
from reconcile.publishing.case_coverage import case_coverage
from reconcile.publishing.connection import run_in_database
from reconcile.publishing.follow import correction_progress
from reconcile.publishing.publish import Publication, PublicationRefused, publish_run
from reconcile.publishing.request import request_correction
from rules.registry import RULES
from tests.support.published_runs import NOW, finding_of, manifest_of, publish
from tests.support.servers import SERVERS, Server

_T = TypeVar("_T")
NUMBER = "001090000001"
MANY = 6_000


@pytest.fixture(params=[*SERVERS, "sqlite"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Return the URL of an empty database: a server's, or a file."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'reconciliation.sqlite'}"
        return
    server: Server = request.getfixturevalue(request.param)
    name = f"{server.name}_published"
    await server.execute(f"CREATE DATABASE {name}")
    yield replace(server, name=name).url
    await server.execute(f"DROP DATABASE {name}")


async def run(url: str, work: Callable[[sa.Connection], _T]) -> _T:
    return await run_in_database(url, ServerOptions(), work)


async def read(url: str, record: str, key: str) -> Sequence[dict[str, Any]]:
    """Return the rows of a key as the gateway's backend decodes them."""
    declared = DATABASE.by_name[record]
    backend = SqlBackend(DATABASE, url)
    try:
        batch = await backend.fetch(declared, declared.lookups[0], [key])
    finally:
        await backend.close()
    assert batch.as_of is not None
    found = batch.by_key[key]
    assert not found.unreadable
    return [dict(zip(declared.positions, row, strict=True)) for row in found.rows]


async def test_a_correction_is_followed_until_the_registers_agree(url: str) -> None:
    await run(url, lambda c: publish(c, manifest_of(1), finding_of("a"), finding_of("b")))
    await run(url, lambda c: request_correction(c, ["a"], "12/CV-BTP", NOW))
    again = await run(url, lambda c: publish(c, manifest_of(2), finding_of("a")))
    assert again == Publication(is_repeated=False, confirmed=1, corrected=1)
    first, second = sorted(await read(url, "findings", NUMBER), key=lambda row: row["finding_id"])
    assert first == {
        "finding_id": "a",
        "citizen_id": NUMBER,
        "rule": "MARITAL_STATUS",
        "severity": "HIGH",
        "state": "REQUESTED",
        "first_run": manifest_of(1).run,
        "first_found_on": date(2026, 12, 1),
        "last_run": manifest_of(2).run,
        "last_found_on": date(2026, 12, 2),
        "requested_at": datetime(2026, 12, 31, tzinfo=UTC),
        "request_reference": "12/CV-BTP",
        "corrected_on": None,
        "returns": 0,
    }
    assert (second["state"], second["corrected_on"]) == ("CORRECTED", date(2026, 12, 2))
    sides = await read(url, "finding_sides", "a")
    assert [(side["source_record"], side["prevails"]) for side in sides] == [
        ("identity", False),
        ("marriages", True),
    ]
    (rule,) = await read(url, "rule_coverage", "LIFE_STATE")
    assert (rule["coverage"], rule["run_on"], rule["records_unread"]) == (
        *("EVERYBODY", date(2026, 12, 2)),
        (),
    )
    back = await run(url, lambda c: publish(c, manifest_of(3), finding_of("a"), finding_of("b")))
    assert (back.confirmed, back.returned) == (1, 1)
    progress = await run(url, lambda c: correction_progress(c, date(2026, 12, 3)))
    assert [(each.state, each.count) for each in progress.counts] == [
        ("OPEN", 1),
        ("REQUESTED", 1),
    ]


async def test_many_findings_are_published_in_batches(url: str) -> None:
    names = [f"{place:06}" for place in range(MANY)]
    batches = [
        [finding_of(name, number=name) for name in names[start : start + 1000]]
        for start in range(0, MANY, 1000)
    ]
    cases = case_coverage(manifest_of(1), RULES)
    done = await run(url, lambda c: publish_run(c, manifest_of(1), cases, batches, NOW))
    assert done.new == MANY
    done = await run(url, lambda c: publish_run(c, manifest_of(2), cases, batches[1:], NOW))
    assert (done.confirmed, done.corrected) == (MANY - 1000, 1000)


async def test_two_runs_that_are_published_at_once_are_not_mixed(url: str) -> None:
    """One of them is refused, or waits for the other; what is served is of one run."""
    await run(url, lambda c: publish(c, manifest_of(1), finding_of("a")))
    results = await asyncio.gather(
        run(url, lambda c: publish(c, manifest_of(2), finding_of("b"))),
        run(url, lambda c: publish(c, manifest_of(3), finding_of("c"))),
        return_exceptions=True,
    )
    refused = [each for each in results if isinstance(each, BaseException)]
    assert all(isinstance(each, PublicationRefused) for each in refused), refused
    found = {row["finding_id"]: row["state"] for row in await read(url, "findings", NUMBER)}
    (rule,) = await read(url, "rule_coverage", "LIFE_STATE")
    assert {name for name, state in found.items() if state == "OPEN"} == {
        {manifest_of(2).run: "b", manifest_of(3).run: "c"}[rule["run"]]
    }
