"""The status page: what works now, as of when, and nothing of how it is done.

Covers ``gateway.changes.status_board`` too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.changes.changes import Changes
from gateway.changes.log import FollowState, SourceStatus
from gateway.changes.status_board import StatusBoard
from gateway.fetch.maintenance import Window
from gateway.settings import ChangeSettings, FollowSettings, RateLimits
from tests.support.listed_changes import sqlite_event_log
from tests.support.pages import LOCAL, ParsedPage
from tests.support.people import HOA
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, World, world

BIRTHS = """query ($id: PersonNumber!) { person(id: $id) {
  civilStatus { births { items { eventId } source { state } } } } }"""


@pytest.fixture
def known() -> World:
    return world({})


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE) as started:
        yield started


async def read_status(gateway: Running, query: str = "") -> str:
    answer = await gateway.client.get(f"{LOCAL}/status{query}")
    assert answer.status_code == 200
    return ParsedPage.of(answer.text).text


def part_of(text: str, title: str) -> str:
    """Return what the page says before the title of the next database."""
    after = text.split(title, 1)[1]
    titles = [database.title.vi for database in ALL if database.title.vi in after]
    return min((after.split(other, 1)[0] for other in titles), key=len, default=after)


TITLE = next(database.title.vi for database in ALL if database.name == "civil_status")


ENGLISH_TITLE = next(each.title.en for each in ALL if each.name == "civil_status")


async def test_the_page_asks_nobody(gateway: Running, known: World) -> None:
    pings = sum(known.of(name).pings for name in known)
    await read_status(gateway)
    assert known.fetched == []
    assert sum(known.of(name).pings for name in known) == pings


async def test_a_statement_has_its_moment(gateway: Running) -> None:
    assert "Tính đến 10:00:00 ngày 23/11/2026" in await read_status(gateway)
    assert "As of 10:00:00 on 23 November 2026" in await read_status(gateway, "?lang=en")


async def test_what_was_not_asked_of_late_is_not_said_to_work(gateway: Running) -> None:
    await gateway.ask(BIRTHS, {"id": HOA})
    assert "Trả lời mọi lần liên lạc gần đây." in part_of(await read_status(gateway), TITLE)
    gateway.clock.advance(3_600)
    said = part_of(await read_status(gateway), TITLE)
    assert "Chưa kiểm tra kể từ 10:00:00" in said.replace("chưa", "Chưa")
    assert "Trả lời mọi lần" not in said
    assert "đều trả lời" not in await read_status(gateway)


async def test_a_database_that_fails_is_said_to_fail_and_no_more(
    gateway: Running, known: World
) -> None:
    known.of("civil_status").fault = "down"
    await gateway.ask(BIRTHS, {"id": HOA})
    text = await read_status(gateway)
    assert "không trả lời" in part_of(text, TITLE).lower()
    assert "Có cơ sở dữ liệu hiện không trả lời đầy đủ" in text
    assert "secret" not in text


async def test_maintenance_is_said_while_it_lasts_and_before(gateway: Running) -> None:
    now, maintenance = gateway.clock.now(), gateway.service.resources.maintenance
    maintenance.plan(Window("civil_status", now, now + timedelta(hours=2), planned_by="SECRET"))
    maintenance.plan(Window("notary", now + timedelta(days=1)))
    gateway.clock.advance(1)
    text = await read_status(gateway)
    assert "đến 12:00:00 ngày 23/11/2026" in text
    assert "từ 10:00:00 ngày 24/11/2026 đến khi có thông báo mới" in text
    assert "SECRET" not in text
    gateway.clock.advance(7_201)
    assert "12:00:00 ngày 23/11/2026" not in await read_status(gateway)


@pytest.mark.parametrize("spoilt", ["unreadable", "unclear"])
async def test_a_plan_that_cannot_be_read_is_not_an_empty_plan(
    gateway: Running, spoilt: str
) -> None:
    assert "Chưa có đợt bảo trì nào được lên lịch." in await read_status(gateway)
    settings = gateway.service.resources.settings
    file = settings.path(settings.maintenance)
    file.parent.mkdir(parents=True, exist_ok=True)
    if spoilt == "unreadable":
        file.mkdir()
    else:
        file.write_text("{}\n")
    gateway.clock.advance(1)
    text = await read_status(gateway)
    assert "Lịch bảo trì hiện không đọc được hết" in text
    assert "Chưa có đợt bảo trì" not in text


async def test_what_does_not_operate_stands_apart(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, {}, demo=False) as gateway:
        operating, others = (await read_status(gateway)).split("Chưa vận hành, chưa kết nối")
    planned = next(database.title.vi for database in ALL if database.name == "legal_aid")
    assert planned not in operating
    assert "đang xây dựng" in part_of(others, planned)


async def test_everybody_may_see_it_also_when_rates_are_used_up(tmp_path: Path) -> None:
    rates = RateLimits(enforced=True, anonymous_per_minute=1)
    async with running(tmp_path, world({}), ALL, LIVE, rates=rates, demo=False) as gateway:
        refused = [await gateway.client.get(f"{LOCAL}/catalogue") for _ in range(3)]
        assert refused[-1].status_code == 429
        answer = await gateway.client.get(
            f"{LOCAL}/status", headers={"authorization": "Bearer no.such.token"}
        )
        assert answer.status_code == 200
        assert "ratelimit-limit" not in answer.headers


async def test_the_page_says_up_to_when_the_events_of_a_database_are_complete(
    gateway: Running,
) -> None:
    log = sqlite_event_log(gateway.folder, gateway.clock)
    board = StatusBoard(log, gateway.clock)
    followed = {"civil_status": FollowSettings(source="outbox")}
    changes = Changes(ChangeSettings(), log, followed, board)
    resources = replace(gateway.service.resources, changes=changes)
    gateway.app.state.service = replace(gateway.service, resources=resources)
    assert "Chưa bắt đầu theo dõi thay đổi" in part_of(await read_status(gateway), TITLE)
    now = gateway.clock.now()
    status = SourceStatus("civil_status", FollowState.FOLLOWED, now, "1", now, "")
    assert await log.acquire("civil_status", "one", 100)
    await log.append("one", [], status)
    gateway.clock.advance(5)
    text = part_of(await read_status(gateway), TITLE)
    assert "Sự kiện đầy đủ đến 10:00:00 ngày 23/11/2026" in text
    await log.append("one", [], replace(status, state=FollowState.INTERRUPTED))
    gateway.clock.advance(5)
    text = part_of(await read_status(gateway, "?lang=en"), ENGLISH_TITLE)
    assert "not been followed since 10:00:00 on 23 November 2026" in text
    await log.close()
    gateway.clock.advance(5)
    (gateway.folder / "events.sqlite").unlink()
    (gateway.folder / "events.sqlite").mkdir()
    assert "Hiện không xác định được" in part_of(await read_status(gateway), TITLE)
