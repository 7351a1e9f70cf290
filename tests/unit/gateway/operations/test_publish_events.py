"""Partners register interests and read events by published operations, which lend the scopes.

Covers ``gateway.operations.publish``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.changes.event import LifeEventKind
from gateway.settings import OperationSettings, Purpose
from tests.support.event_documents import FEED, REGISTER, UNTIL, following
from tests.support.feeds import TERMS, Feeds
from tests.support.operation_files import write
from tests.support.people import HOA
from tests.support.running import CASE_NUMBER, codes

PURPOSE = "notarised-transfer"
PURPOSES: dict[str, Purpose] = {PURPOSE: TERMS}


async def call(feeds: Feeds, name: str, variables: dict[str, Any], client: str = "office") -> Any:
    token = feeds.gateway.token(client=client, purposes=[PURPOSE])
    headers = {"authorization": f"Bearer {token}", "x-case-number": CASE_NUMBER}
    answer = await feeds.gateway.client.post(f"/operations/{name}", json=variables, headers=headers)
    return answer.json()


async def test_a_partner_follows_people_by_published_operations(tmp_path: Path) -> None:
    folder = tmp_path / "operations"
    entries = {"purposes": PURPOSE, "clients": "office"}
    write(
        folder,
        "register.graphql",
        REGISTER.replace("($", " Register($", 1),
        name="register",
        **entries,
    )
    write(folder, "feed.graphql", FEED.replace("($", " Feed($", 1), name="feed", **entries)
    write(
        folder,
        "other.graphql",
        "mutation End($p: String!) { invalidate(database: $p) { effectiveBy } }",
        name="end",
        **entries,
    )
    operations = OperationSettings(folder=folder, reload_seconds=0)
    async with following(tmp_path, purposes=PURPOSES, operations=operations) as feeds:
        published = feeds.gateway.service.operations.all()
        assert [each.header.name for each in published] == ["feed", "register"]
        variables = {"persons": [HOA], "kinds": ["BLOCK_PLACED"], "until": UNTIL}
        body = await call(feeds, "register", variables)
        assert codes(body) == []
        block = await feeds.happen(LifeEventKind.BLOCK_PLACED)
        await feeds.happen(LifeEventKind.CASE_OPENED)
        body = await call(feeds, "feed", {})
        assert codes(body) == []
        feed = body["data"]["lifeEvents"]
        assert [edge["node"]["id"] for edge in feed["edges"]] == [block.id]
        assert codes(await call(feeds, "feed", {}, client="other")) == ["OPERATION_UNKNOWN"]
        token = feeds.gateway.token(client="office", purposes=[PURPOSE])
        free_form = await feeds.gateway.post(FEED, {}, token, x_purpose=PURPOSE)
        assert codes(free_form.json()) == ["PUBLISHED_ONLY"]
