"""A public notice of a debtor is hidden from everybody once it was taken down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.procedures.procedure import UNIFIED
from tests.support.people import HOA
from tests.support.running import running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, World, answer, world

QUERY = """{ civilEnforcement { publicNotices { items { noticeId removedOn } truncated }
  one: publicNotices(first: 1) { items { noticeId } truncated }
  old: publicNotices(to: "2016-01-01") { items { noticeId } } } }"""
PUBLISHED = {
    "publicNotices": {"items": [{"noticeId": "published", "removedOn": None}], "truncated": False},
    "one": {"items": [{"noticeId": "published"}], "truncated": False},
    "old": {"items": []},
}


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def enforcement() -> World:
    """One notice that is published, and two that were taken down, one of them only tomorrow."""
    notices: list[dict[str, Any]] = [
        {"notice_id": "published", "published_on": "2020-01-01"},
        {"notice_id": "old", "published_on": "2015-01-01", "removed_on": "2016-01-01"},
        {"notice_id": "new", "published_on": "2026-01-01", "removed_on": "2026-11-24"},
    ]
    rows: list[dict[str, object]] = [{**notice, "debtor_citizen_id": HOA} for notice in notices]
    return world({"civil_enforcement": {"public_notices": rows}})


@pytest.mark.parametrize("purpose", [UNIFIED, "enforcement-verification"])
async def test_what_was_taken_down_is_neither_shown_nor_counted(
    tmp_path: Path, purpose: str
) -> None:
    query = f"query($id: PersonNumber!) {{ person(id: $id) {QUERY} }}"
    async with running(tmp_path, enforcement(), ALL, LIVE) as gateway:
        token = gateway.token(*EVERY, purposes=[purpose])
        reply = await gateway.post(query, {"id": HOA}, token, x_purpose=purpose)
    assert reply.json()["data"]["person"]["civilEnforcement"] == PUBLISHED


async def test_the_debtor_does_not_see_it_either(tmp_path: Path) -> None:
    async with running(tmp_path, enforcement(), ALL, LIVE) as gateway:
        body = await gateway.ask(f"{{ me {QUERY} }}", scopes=("me",), subject=HOA)
    assert body["data"]["me"]["civilEnforcement"] == PUBLISHED
