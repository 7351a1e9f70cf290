"""The clients that follow events: over a real socket, from the registration on."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.changes.untold import UntoldEvents
from gateway.changes.event import LifeEventKind
from gateway.procedures.procedure import UNIFIED
from tests.support.event_documents import READING, following, register
from tests.support.people import HOA
from tests.support.running import application
from tests.support.sockets import serve
from tests.support.typescript import CLIENTS, ROOT, compile_client, require_typescript

PYTHON = ROOT / "clients/python/follow_events.py"
TYPESCRIPT = CLIENTS / "follow-events.ts"
SCRIPT = """
import { follow, NotKnown } from "./follow-events.js";
const [url, headers, after, rounds] = JSON.parse(process.argv[2]);
const pages = [];
try {
  for await (const { events, cursor, completeUntil } of follow(url, headers, after, 0, rounds))
    pages.push([events, cursor, completeUntil]);
  console.log(JSON.stringify(pages));
} catch (error) {
  if (!(error instanceof NotKnown)) throw error;
  console.log(JSON.stringify(error.message));
}
"""
#: Returns pages (events, cursor, completeness by database), or why it is not known.
Follow = Callable[[str, Mapping[str, str], str | None, int], Any]
pytestmark = pytest.mark.services


@pytest.fixture
def python() -> Follow:
    spec = importlib.util.spec_from_file_location("follow_events", PYTHON)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def pages(url: str, headers: Mapping[str, str], after: str | None, rounds: int) -> Any:
        try:
            return list(module.follow(url, headers, after, seconds=0, rounds=rounds))
        except module.NotKnown as error:
            return str(error)

    return pages


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Follow:
    require_typescript()
    folder = tmp_path_factory.mktemp("client")
    (folder / "script.mjs").write_text(SCRIPT, "utf-8")
    compile_client(folder, TYPESCRIPT.name)

    def pages(url: str, headers: Mapping[str, str], after: str | None, rounds: int) -> Any:
        command = ["node", "script.mjs", json.dumps([url, headers, after, rounds])]
        completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert completed.returncode == 0, completed.stderr
        return json.loads(completed.stdout)

    return pages


@pytest.mark.parametrize("client", ["python", "typescript"])
async def test_a_client_follows_people_and_knows_what_silence_means(
    client: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    follow: Follow = request.getfixturevalue(client)
    async with following(tmp_path) as feeds, serve(application(feeds.gateway)) as served:
        token = feeds.gateway.token(*READING)
        headers = {"Authorization": f"Bearer {token}", "X-Purpose": UNIFIED}

        async def pages(after: str | None, rounds: int) -> Any:
            url = f"http://127.0.0.1:{served.port}/graphql"
            return await asyncio.to_thread(follow, url, headers, after, rounds)

        assert await pages(None, 1) == "NO_INTEREST"
        cursor = (await register(feeds))["data"]["registerInterest"]["cursor"]
        event = await feeds.happen(LifeEventKind.BLOCK_PLACED)
        first, second = await pages(cursor, 2)
        assert [(each["id"], each["person"]) for each in first[0]] == [(event.id, {"id": HOA})]
        assert first[2]["civil_status"] is None
        assert first[2]["notary"] is not None
        assert second[0] == []
        feeds.log.removed, feeds.log.epoch = 0, "b"
        assert await pages(second[1], 1) == "CURSOR_EXPIRED"


@pytest.mark.parametrize("client", ["python", "typescript"])
async def test_a_database_that_can_never_tell_some_events_is_complete_for_nothing(
    client: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    follow: Follow = request.getfixturevalue(client)
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
        ((events, _, complete),) = await asyncio.to_thread(follow, url, headers, None, 1)
        assert [each["id"] for each in events] == [event.id]
        assert complete == {"notary": None}


@pytest.mark.parametrize("file", [PYTHON, TYPESCRIPT], ids=["python", "typescript"])
def test_a_client_is_short_enough_to_be_read(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) < 60
