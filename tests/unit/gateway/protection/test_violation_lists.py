"""Violations are listed for those who handle them and for the citizen only.

Covers ``gateway.protection.violation``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.administrative_violations import DATABASE as VIOLATIONS
from connectors.description import Record
from gateway.access.caller import Caller
from gateway.procedures.procedure import UNIFIED
from gateway.protection.rules import is_withheld
from gateway.protection.violation import PURPOSES
from tests.support.people import HOA, LAN
from tests.support.running import running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, World, answer, world

QUERY = """{ administrativeViolations {
  records { items { recordNo } source { state } }
  sanctions { items { decisionNo executions { items { executionId } } } source { state } }
  handlingDecisions { items { decisionNo } source { state } } } }"""
GENERAL = ("notarised-transfer", "no-sanction-check", "2.001263")


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def violations() -> World:
    """HOA was sanctioned long ago."""
    rows: dict[str, list[dict[str, object]]] = {
        "records": [{"record_no": "R", "violator_citizen_id": HOA}],
        "sanctions": [{"decision_no": "S", "violator_citizen_id": HOA, "main_sanction": "FINE"}],
        "executions": [{"execution_id": "E", "decision_no": "S", "completed_on": "2010-01-01"}],
        "handling_decisions": [{"decision_no": "H", "citizen_id": HOA}],
    }
    return world({"administrative_violations": rows})


VISIBLE_LISTS = {
    "records": {"items": [{"recordNo": "R"}], "source": {"state": "ANSWERED"}},
    "sanctions": {
        "items": [{"decisionNo": "S", "executions": {"items": [{"executionId": "E"}]}}],
        "source": {"state": "ANSWERED"},
    },
    "handlingDecisions": {"items": [{"decisionNo": "H"}], "source": {"state": "ANSWERED"}},
}


@pytest.mark.parametrize("purpose", [*sorted(PURPOSES), "violation-handling.H38"])
async def test_who_handles_violations_sees_the_lists(tmp_path: Path, purpose: str) -> None:
    query = f"query($id: PersonNumber!) {{ person(id: $id) {QUERY} }}"
    async with running(tmp_path, violations(), ALL, LIVE) as gateway:
        token = gateway.token(*EVERY, purposes=[purpose])
        reply = await gateway.post(query, {"id": HOA}, token, x_purpose=purpose)
    assert reply.json()["data"]["person"]["administrativeViolations"] == VISIBLE_LISTS


async def test_citizens_see_their_own_past_the_period_too(tmp_path: Path) -> None:
    async with running(tmp_path, violations(), ALL, LIVE) as gateway:
        body = await gateway.ask(f"{{ me {QUERY} }}", scopes=("me",), subject=HOA)
    assert body["data"]["me"]["administrativeViolations"] == VISIBLE_LISTS


@pytest.mark.parametrize("number", [HOA, LAN])
@pytest.mark.parametrize("purpose", GENERAL)
async def test_for_other_purposes_nothing_is_shown_or_fetched_of_anybody(
    tmp_path: Path, purpose: str, number: str
) -> None:
    all_sources = violations()
    query = f"query($id: PersonNumber!) {{ person(id: $id) {QUERY} }}"
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        token = gateway.token(*EVERY, purposes=[purpose])
        reply = await gateway.post(query, {"id": number}, token, x_purpose=purpose)
    lists: dict[str, Any] = reply.json()["data"]["person"]["administrativeViolations"]
    assert {shown_list["source"]["state"] for shown_list in lists.values()} <= {
        "DENIED",
        "WITHHELD",
    }
    assert [shown_list["items"] for shown_list in lists.values()] == [None] * 3
    assert all_sources.of("administrative_violations").fetched == []


@pytest.mark.parametrize("record", VIOLATIONS.records, ids=lambda record: record.name)
@pytest.mark.parametrize("purpose", [None, *GENERAL])
def test_a_purpose_that_covered_the_lists_would_still_not_show_them(
    record: Record, purpose: str | None
) -> None:
    assert is_withheld(record, Caller(purpose=purpose), is_own_view=False)
    assert not is_withheld(record, Caller(purpose=UNIFIED), is_own_view=False)
    assert not is_withheld(record, Caller(purpose=purpose), is_own_view=True)
