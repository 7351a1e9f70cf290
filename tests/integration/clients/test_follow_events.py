"""The Python client that follows events: over a real socket, from the registration on."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from connectors.changes.untold import UntoldEvents
from gateway.changes.event import LifeEventKind
from gateway.procedures.procedure import UNIFIED
from tests.support.event_documents import READING, following, register
from tests.support.people import HOA
from tests.support.running import application
from tests.support.sockets import serve

FILE = Path(__file__).parents[3] / "clients/python/follow_events.py"
pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("follow_events", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_a_client_follows_people_and_knows_what_silence_means(
    client: ModuleType, tmp_path: Path
) -> None:
    async with following(tmp_path) as feeds, serve(application(feeds.gateway)) as served:
        token = feeds.gateway.token(*READING)
        headers = {"Authorization": f"Bearer {token}", "X-Purpose": UNIFIED}

        def pages(after: str | None, rounds: int) -> list[Any]:
            url = f"http://127.0.0.1:{served.port}/graphql"
            return list(client.follow(url, headers, after, seconds=0, rounds=rounds))

        with pytest.raises(client.NotKnown, match="NO_INTEREST"):
            await asyncio.to_thread(pages, None, 1)
        cursor = (await register(feeds))["data"]["registerInterest"]["cursor"]
        event = await feeds.happen(LifeEventKind.BLOCK_PLACED)
        first, second = await asyncio.to_thread(pages, cursor, 2)
        assert [(each["id"], each["person"]) for each in first[0]] == [(event.id, {"id": HOA})]
        assert first[2]["civil_status"] is None
        assert first[2]["notary"] is not None
        assert second[0] == []
        feeds.log.removed, feeds.log.epoch = 0, "b"
        with pytest.raises(client.NotKnown, match="CURSOR_EXPIRED"):
            await asyncio.to_thread(pages, second[1], 1)


async def test_a_database_that_can_never_tell_some_events_is_complete_for_nothing(
    client: ModuleType, tmp_path: Path
) -> None:
    some = UntoldEvents("BLOCK_PLACED", "preventive_infos", False, ("asset_owners",))
    async with (
        following(tmp_path, untold={"notary": [some]}) as feeds,
        serve(application(feeds.gateway)) as served,
    ):
        headers = {"Authorization": f"Bearer {feeds.gateway.token(*READING)}"}
        headers["X-Purpose"] = UNIFIED
        await register(feeds, kinds=["BLOCK_PLACED"])
        event = await feeds.happen(LifeEventKind.BLOCK_PLACED)
        url = f"http://127.0.0.1:{served.port}/graphql"
        ((events, _, complete),) = await asyncio.to_thread(
            lambda: list(client.follow(url, headers, None, rounds=1))
        )
        assert [each["id"] for each in events] == [event.id]
        assert complete == {"notary": None}


def test_the_client_is_short_enough_to_be_read() -> None:
    assert len(FILE.read_text("utf-8").splitlines()) < 60
