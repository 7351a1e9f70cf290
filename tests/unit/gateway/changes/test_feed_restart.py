"""Between two pages the gateway, the log and the store of interests are started anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.changes.event import LifeEventKind
from tests.support.event_documents import feed, following, register
from tests.support.feeds import events_caller
from tests.support.memory_event_log import MemoryEventLog
from tests.support.people import HOA

BLOCK, CASE = LifeEventKind.BLOCK_PLACED, LifeEventKind.CASE_OPENED
CALLER = events_caller()


async def test_nothing_is_lost_or_doubled_over_restarts(tmp_path: Path) -> None:
    async with following(tmp_path) as feeds:
        await feeds.open_log(tmp_path / "events.sqlite")
        await feeds.register(CALLER, HOA)
        events: list[str] = []
        seen: list[str] = []
        after = None
        for round_ in range(4):
            events += [(await feeds.happen(kind)).id for kind in (BLOCK, CASE, BLOCK)]
            await feeds.open_log(tmp_path / "events.sqlite")
            page = await feeds.read(CALLER, after=after, first=2 + round_)
            after = page.end_cursor
            seen += [edge.event.id for edge in page.edges]
        await feeds.open_log(tmp_path / "events.sqlite")
        page = await feeds.read(CALLER, after=after)
        assert seen + [edge.event.id for edge in page.edges] == events
        assert not page.has_more
        assert {each.database for each in page.sources if each.complete_until} == {
            "notary",
            "civil_enforcement",
        }
        await feeds.log.close()


async def test_a_cursor_from_before_a_restart_of_the_gateway_goes_on(tmp_path: Path) -> None:
    log = MemoryEventLog()
    pages: list[Any] = []
    for row in ("R1", "R2"):
        async with following(tmp_path, log=log) as feeds:
            if not pages:
                await register(feeds, kinds=["BLOCK_PLACED"])
            cursor = pages[-1]["pageInfo"]["endCursor"] if pages else None
            await feeds.happen(BLOCK, row=row)
            pages.append((await feed(feeds, after=cursor))["data"]["lifeEvents"])
    assert [[edge["node"]["person"] for edge in page["edges"]] for page in pages] == [
        [{"id": HOA}],
        [{"id": HOA}],
    ]
    assert pages[0]["edges"][0]["node"]["recordId"] != pages[1]["edges"][0]["node"]["recordId"]
