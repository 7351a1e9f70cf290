"""Clients that others wrote, and those of the guide, over the sockets of a whole gateway.

The gateway is in this process, served by uvicorn as in production; the event log is in memory, so
that an event is there when a test wants it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from gateway.changes.event import LifeEventKind
from gateway.settings import StreamSettings
from tests.support.browser import CHROMIUM, FLAGS, require_file
from tests.support.event_documents import READING, following, register
from tests.support.feeds import Feeds
from tests.support.sockets import PATIENCE
from tests.support.streams import stated, streaming

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "tests" / "acceptance" / "subscriptions" / "node_modules"
GUIDE = (ROOT / "docs" / "how-to" / "subscribe.md").read_text("utf-8")
BLOCK, DEATH = LifeEventKind.BLOCK_PLACED, LifeEventKind.DEATH
STRICT = (
    "--strict", "--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler",
    "--types", "node",
)  # fmt: skip


def client_of_guide(language: str, url: str) -> str:
    """Return the client of the guide in a language, with the address of a gateway."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert code.count("\n") < 60
    return str(code).replace("127.0.0.1:8000", url.removeprefix("http://"))


@asynccontextmanager
async def gateway(folder: Path) -> AsyncIterator[tuple[Feeds, str, dict[str, str]]]:
    """Run a gateway with an interest; give its address, and the environment of a client."""
    async with (
        following(folder, subscriptions=StreamSettings(heartbeat=300)) as feeds,
        streaming(feeds.gateway) as server,
    ):
        await register(feeds)
        headers = stated(feeds.gateway.token(*READING))
        environment = {
            **os.environ,
            "TOKEN": headers["Authorization"].removeprefix("Bearer "),
            "PURPOSE": headers["X-Purpose"],
            "CASE_NUMBER": headers["X-Case-Number"],
        }
        yield feeds, f"http://127.0.0.1:{server.served.port}", environment


@asynccontextmanager
async def client(
    folder: Path, environment: Mapping[str, str], *command: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the block ends."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=None
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line(process: asyncio.subprocess.Process) -> str:
    """Return the next line that a program prints; empty at its end."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().rstrip("\n")


def node_folder(folder: Path) -> Path:
    """Return a folder in which Node.js finds the packages; skip where they are missing."""
    if shutil.which("node") is None or not (PACKAGES / "graphql-ws").is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/subscriptions are missing")
        pytest.skip("node or the packages of tests/acceptance/subscriptions are missing")
    folder.mkdir()
    (folder / "node_modules").symlink_to(PACKAGES)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    return folder


@pytest.mark.services
async def test_graphql_ws_and_graphql_sse_follow_and_go_on(tmp_path: Path) -> None:
    folder = node_folder(tmp_path / "clients")
    shutil.copy(PACKAGES.parent / "clients.mjs", folder)
    said: list[dict[str, Any]] = []
    async with gateway(tmp_path / "gateway") as (feeds, url, environment):
        environment |= {"URL": f"{url}/graphql"}
        expected: list[dict[str, Any]] = []
        async with client(folder, environment, "node", "clients.mjs") as process:
            assert process.stdin is not None
            while text := await line(process):
                said.append(json.loads(text))
                name = said[-1]["name"]
                if "query" in said[-1]:
                    expected.append({"name": name, "query": True})
                if "ready" in said[-1]:
                    event = await feeds.happen(BLOCK)
                    expected += [
                        {"name": name, "ready": said[-1]["ready"]},
                        {"name": name, "event": {"id": event.id, "kind": "BLOCK_PLACED"}},
                    ]
                if "away" in said[-1]:
                    event = await feeds.happen(DEATH)
                    process.stdin.write(b"\n")
                    expected += [
                        {"name": name, "away": True},
                        {"name": name, "resumed": [{"id": event.id, "kind": "DEATH"}]},
                    ]
            assert await process.wait() == 0
    expected += [
        {"name": "graphql-ws", "closed": 4401, "reason": "TOKEN_INVALID"},
        {"name": "graphql-sse", "status": 401},
    ]
    assert [each for each in said if each.get("closed") != 1000] == expected


async def test_the_client_in_python_prints_what_happens(tmp_path: Path) -> None:
    async with gateway(tmp_path / "gateway") as (feeds, url, environment):
        (tmp_path / "client.py").write_text(client_of_guide("python", url), "utf-8")
        async with client(tmp_path, environment, sys.executable, "client.py") as process:
            await follows(feeds, process)


@pytest.mark.services
async def test_the_client_in_typescript_compiles_strictly_and_prints_what_happens(
    tmp_path: Path,
) -> None:
    folder = node_folder(tmp_path / "clients")
    async with gateway(tmp_path / "gateway") as (feeds, url, environment):
        (folder / "client.ts").write_text(client_of_guide("typescript", url), "utf-8")
        compiler = ("node", "node_modules/typescript/bin/tsc", *STRICT, "client.ts")
        async with client(folder, environment, *compiler) as process:
            assert await line(process) == ""
            assert await process.wait() == 0
        async with client(folder, environment, "node", "client.js") as process:
            await follows(feeds, process)


async def follows(feeds: Feeds, process: asyncio.subprocess.Process) -> None:
    """Hold a client to what it prints: states of sources, then an event."""
    assert (await line(process)).endswith(" INTERRUPTED")
    assert (await line(process)).endswith(" INTERRUPTED")
    await feeds.happen(DEATH)
    assert await line(process) == "DEATH 2026-11-22"


async def test_a_page_with_an_event_source_shows_what_happens(tmp_path: Path) -> None:
    require_file(CHROMIUM, "Debian's package chromium")
    async with (
        gateway(tmp_path / "gateway") as (feeds, url, environment),
        async_playwright() as playwright,
    ):
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await chromium.new_context()
        # Stands for the session of who is signed in, which a browser sends in a cookie.
        token = environment["TOKEN"]
        await context.set_extra_http_headers({"authorization": f"Bearer {token}"})
        page = await context.new_page()
        html = client_of_guide("html", url).replace("1.000894", environment["PURPOSE"])
        await page.route(
            "**/events.html", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        await page.goto(f"{url}/events.html")
        await page.wait_for_function("sources.textContent.includes('INTERRUPTED')")
        await feeds.happen(DEATH)
        await page.wait_for_selector("#events li")
        assert await page.text_content("#events li") == "khai tử 2026-11-22"
        await chromium.close()
