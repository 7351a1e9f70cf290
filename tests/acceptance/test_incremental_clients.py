"""Clients that show a deferred section once it is there, over HTTP: Apollo Client and our own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from gateway.audit.journal.journal import Journal
from gateway.procedures.procedure import UNIFIED
from tests.support.browser import CHROMIUM, FLAGS, require_file
from tests.support.faults import Gated
from tests.support.people import DEAD, HOA, backends
from tests.support.running import CASE_NUMBER, OFFICER, Running, application, codes, running
from tests.support.sockets import serve

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients"
PACKAGES = ROOT / "tests" / "acceptance" / "apollo" / "node_modules"
GUIDE = ROOT / "docs" / "how-to" / "show-what-is-there-first.md"
STRICT = (
    "--strict", "--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler",
    "--lib", "es2022,dom,dom.asynciterable", "--skipLibCheck",
)  # fmt: skip
QUERY = """query Person($id: PersonNumber!) { person(id: $id) { __typename id
  population { __typename identity { __typename
    item { __typename recordId fullName } source { __typename state } } }
  ... @defer(label: "civil") { __typename civilStatus { __typename marriages { __typename
    items { __typename recordId eventId } truncated nextCursor source { __typename state } } } } }
}"""
#: The same, and somebody else later, whose notices are not selected.
WITH_DECEASED = (
    QUERY.removesuffix("}")
    + f"""  ... @defer(label: "dead") {{
  dead: person(id: "{DEAD}") {{ id civilStatus {{ marriages {{ source {{ state }} }} }} }} }} }}"""
)
PYTHON = """import json, sys
sys.path.insert(0, sys.argv[1])
from payloads import answers
for answer in answers(**json.load(open(sys.argv[2]))):
    print(json.dumps(answer), flush=True)
"""
TYPESCRIPT = """import { readFile } from "node:fs/promises";
import { answers } from "./payloads.js";
const { url, query, variables, headers } = JSON.parse(await readFile(process.argv[2], "utf-8"));
const shown = answers(url, query, variables, headers);
for await (const answer of shown) console.log(JSON.stringify(answer));
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the TypeScript of ``clients``, compiled strictly."""
    if shutil.which("node") is None or not (PACKAGES / "@apollo").is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/apollo are missing")
        pytest.skip("node or the packages of tests/acceptance/apollo are missing")
    folder = tmp_path_factory.mktemp("clients")
    (folder / "node_modules").symlink_to(PACKAGES)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    for name in ("apollo-cache.ts", "client-types.ts", "payloads.ts"):
        text = (CLIENTS / "typescript" / name).read_text("utf-8")
        text = text.replace('"./client-types"', '"./client-types.js"')
        (folder / name).write_text(text, "utf-8")
    (folder / "run.mjs").write_text(TYPESCRIPT, "utf-8")
    shutil.copy(ROOT / "tests" / "acceptance" / "apollo" / "defer.mjs", folder)
    compile_command = ["node", "node_modules/typescript/bin/tsc", *STRICT]
    completed = subprocess.run(
        [*compile_command, "apollo-cache.ts", "payloads.ts"],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    return folder


@asynccontextmanager
async def held(folder: Path, query: str = QUERY) -> AsyncIterator[tuple[Running, Gated, Path]]:
    """Serve a gateway whose civil status waits at a gate; yield both, and a file of the request."""
    sources = backends()
    gate = Gated(sources["civil_status"])
    async with (
        running(folder, {**sources, "civil_status": gate}) as gateway,
        serve(application(gateway)) as served,
    ):
        headers = {
            "authorization": f"Bearer {gateway.token(*OFFICER)}",
            "x-purpose": UNIFIED,
            "x-case-number": CASE_NUMBER,
        }
        url = f"http://127.0.0.1:{served.port}/graphql"
        request = {"url": url, "query": query, "variables": {"id": HOA}, "headers": headers}
        (folder / "request.json").write_text(json.dumps(request), "utf-8")
        yield gateway, gate, folder / "request.json"


async def shown(
    folder: Path, gate: Gated, *command: str, journal: Journal | None = None
) -> list[Mapping[str, Any]]:
    """Return what a client shows before the gate is opened, and after it.

    ``journal``: is closed in between, so that the rest cannot be recorded.
    """
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(120):
        first = await process.stdout.readline()
        if journal is not None:
            await journal.close()
        gate.gate.set()
        rest, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    return [json.loads(line) for line in (first, *rest.splitlines())]


def assert_shown(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    assert before["data"]["person"]["population"]["identity"]["item"]["fullName"]
    assert "civilStatus" not in before["data"]["person"]
    marriages = after["data"]["person"]["civilStatus"]["marriages"]
    assert marriages["source"]["state"] == "ANSWERED"
    assert marriages["items"]
    assert after["data"]["person"]["population"] == before["data"]["person"]["population"]


def assert_notices_shown(answer: Mapping[str, Any]) -> None:
    (notices,) = answer["extensions"]["notices"]
    assert notices["path"] == ["dead"]
    assert "DECEASED" in [notice["code"] for notice in notices["notices"]]


def assert_failed(answer: Mapping[str, Any]) -> None:
    assert "civilStatus" not in answer["data"]["person"]
    (fragment,) = answer["failed"]
    assert (fragment["path"], fragment["label"]) == (["person"], "civil")
    assert codes(fragment) == ["AUDIT_UNAVAILABLE"]
    assert fragment["errors"] == answer["errors"]
    assert fragment["errors"][0]["path"] == ["person"]


@pytest.mark.services
async def test_apollo_client_shows_the_section_after_the_rest(
    tmp_path: Path, compiled: Path
) -> None:
    async with held(tmp_path) as (_, gate, request):
        before, after = await shown(compiled, gate, "node", "defer.mjs", ".", str(request))
    assert (before["dataState"], after["dataState"]) == ("streaming", "complete")
    assert_shown(before, after)


@pytest.mark.services
async def test_the_client_in_typescript_shows_the_section_after_the_rest(
    tmp_path: Path, compiled: Path
) -> None:
    async with held(tmp_path, WITH_DECEASED) as (_, gate, request):
        before, *_, after = await shown(compiled, gate, "node", "run.mjs", str(request))
    assert_shown(before, after)
    assert_notices_shown(after)
    assert {fragment["label"] for fragment in before["pending"]} == {"civil", "dead"}
    assert (after["pending"], after["failed"], after["errors"]) == ([], [], [])


@pytest.mark.services
async def test_the_client_in_typescript_says_which_section_failed(
    tmp_path: Path, compiled: Path
) -> None:
    async with held(tmp_path) as (gateway, gate, request):
        command, journal = ("node", "run.mjs", str(request)), gateway.service.audit.journal
        before, after = await shown(compiled, gate, *command, journal=journal)
    assert (before["failed"], after["pending"]) == ([], [])
    assert_failed(after)


async def test_the_client_in_python_shows_the_section_after_the_rest(tmp_path: Path) -> None:
    async with held(tmp_path, WITH_DECEASED) as (_, gate, request):
        command = (sys.executable, "-c", PYTHON, str(CLIENTS / "python"), str(request))
        before, *_, after = await shown(tmp_path, gate, *command)
    assert_shown(before, after)
    assert_notices_shown(after)
    assert {fragment["label"] for fragment in before["pending"].values()} == {"civil", "dead"}
    assert (after["pending"], after["failed"]) == ({}, [])
    assert "errors" not in after


async def test_the_client_in_python_says_which_section_failed(tmp_path: Path) -> None:
    async with held(tmp_path) as (gateway, gate, request):
        command = (sys.executable, "-c", PYTHON, str(CLIENTS / "python"), str(request))
        journal = gateway.service.audit.journal
        before, after = await shown(tmp_path, gate, *command, journal=journal)
    assert (before["failed"], after["pending"]) == ([], {})
    assert_failed(after)


async def test_the_page_of_the_guide_says_what_it_waits_for_and_what_is_not_known(
    tmp_path: Path,
) -> None:
    require_file(CHROMIUM, "Debian's package chromium")
    (html,) = re.findall(
        r"^```html\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert html.count("\n") < 60
    async with held(tmp_path) as (gateway, gate, request), async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await chromium.new_page()
        await page.add_init_script(f"Object.assign(sessionStorage, {stored(request)})")
        await page.route(
            "**/page.html", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        address = json.loads(stored(request))["gateway"] + "/page.html"
        await page.goto(address)
        await page.wait_for_function("state.textContent.includes('đang chờ / Marriages: waiting')")
        assert await page.text_content("#fullName") == "Nguyễn Văn Hòa"
        gate.gate.set()
        await page.wait_for_selector("#marriages li")
        assert await page.text_content("#state") == ""
        gate.gate.clear()
        await page.goto(address)
        await page.wait_for_function("state.textContent.includes('waiting')")
        await gateway.service.audit.journal.close()
        gate.gate.set()
        await page.wait_for_function(
            "state.textContent.includes('không biết / Marriages: not known')"
        )
        assert await page.locator("#marriages li").count() == 0
        await chromium.close()


def stored(request: Path) -> str:
    """Return what the page finds in its storage, as JSON."""
    sent = json.loads(request.read_text("utf-8"))
    headers = sent["headers"]
    return json.dumps(
        {
            "gateway": sent["url"].removesuffix("/graphql"),
            "token": headers["authorization"].removeprefix("Bearer "),
            "purpose": headers["x-purpose"],
            "caseNumber": headers["x-case-number"],
            "id": sent["variables"]["id"],
        }
    )


@pytest.mark.parametrize("file", ["python/payloads.py", "typescript/payloads.ts"])
def test_a_client_is_short_enough_to_be_read(file: str) -> None:
    assert len((CLIENTS / file).read_text("utf-8").splitlines()) < 60
