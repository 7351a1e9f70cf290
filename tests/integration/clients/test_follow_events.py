"""The Python client that follows events: over a real socket, from the registration on."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

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


def test_the_client_is_short_enough_to_be_read() -> None:
    assert len(FILE.read_text("utf-8").splitlines()) < 60
