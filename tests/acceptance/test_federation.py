"""The guide to federation, followed with real routers: Apollo's gateway and Hive's.

A second subgraph has parcels of land with an owner each, a third has titles that state who the
owner is; queries cross them for many people. Hive Gateway by its command line is 500 MB of
packages: ``make routers`` installs them, and tests it too.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.schema.texts import subgraph_text
from gateway.settings import Client
from tests.support.people import HOA, LAN, OLD_NUMBER, SHARED_NUMBER
from tests.support.process import free_port
from tests.support.running import CASE_NUMBER, Running, built, running
from tests.support.sockets import PATIENCE, serve
from tests.support.worlds import ALL, EVERY, LIVE, World, world

pytestmark = pytest.mark.services

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "acceptance" / "federation"
HIVE_GATEWAY = FOLDER.with_name("hive_gateway") / "node_modules"
#: How each router is started; PORT is the variable that Hive Gateway reads, too.
ROUTERS = {
    "apollo": ("node", "apollo.mjs"),
    "hive-runtime": ("node", "hive.mjs"),
    "hive-gateway": (
        "node_modules/.bin/hive-gateway", "supergraph", "supergraph.graphql",
        "--config-path", "hive.config.mjs", "--host", "127.0.0.1",
    ),
}  # fmt: skip
GUIDE = ROOT / "docs" / "how-to" / "federate.md"
#: In place of the gateway's address, which is another for each test.
NOWHERE = "http://justice.invalid/graphql"
PURPOSE = "bench-unified"
#: Owners of parcels: forty people, some of whom have none that can be shown.
OWNERS = [HOA, LAN, OLD_NUMBER, SHARED_NUMBER, None, "12", HOA,
          *(f"0010900{number:05}" for number in range(40))]  # fmt: skip
#: What titles state about their owners, and which of them is shown to whom must match.
TITLES: list[tuple[dict[str, str | None], bool]] = [
    ({"id": HOA, "birthDate": "1990-02-03", "name": None}, True),
    ({"id": OLD_NUMBER, "birthDate": "1990-02-03", "name": "NGUYỄN VĂN HÒA"}, True),
    ({"id": LAN, "birthDate": "1991", "name": "Trần Thị Lan"}, True),
    ({"id": LAN, "birthDate": "1990-02-03", "name": None}, False),
    ({"id": HOA, "birthDate": None, "name": None}, False),
]
TITLES_QUERY = "{ titles { owner { id askedAs } } }"
QUERY = """{ parcels { number owner { id askedAs notices { code }
  civilStatus { marriages { items { eventId } source { state } } } } } }"""


def guide_files() -> dict[str, str]:
    """Return the files that the guide shows, by name."""
    text = GUIDE.read_text("utf-8")
    files = dict(re.findall(r"^```js\n// (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    blocks = re.findall(r"^```text\n(extend schema.*?)^```$", text, re.MULTILINE | re.DOTALL)
    subgraphs = zip(("parcels", "titles"), blocks, strict=True)
    return {**files, **{f"{name}.graphql": block for name, block in subgraphs}}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve the second subgraph, compose both; return the folder of the graph."""
    if shutil.which("node") is None or not (FOLDER / "node_modules" / "@apollo").is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/federation are missing")
        pytest.skip("node or the packages of tests/acceptance/federation are missing")
    folder = tmp_path_factory.mktemp("graph")
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    shutil.copy(FOLDER / "subgraphs.mjs", folder)
    for name, text in guide_files().items():
        (folder / name).write_text(text, "utf-8")
    rows: dict[str, list[object]] = {
        "parcels": [owner and {"id": owner} for owner in OWNERS],
        "titles": [{"matching": statement} for statement, _ in TITLES],
    }
    numbered = {
        name: [{"number": str(place), "owner": owner} for place, owner in enumerate(owners)]
        for name, owners in rows.items()
    }
    (folder / "rows.json").write_text(json.dumps(numbered), "utf-8")
    (folder / "justice.graphql").write_text(subgraph_text(built(ALL)), "utf-8")
    with subprocess.Popen(
        ["node", "subgraphs.mjs"], cwd=folder, stdout=subprocess.PIPE, encoding="utf-8"
    ) as server:
        assert server.stdout is not None
        urls = json.loads(server.stdout.readline())
        assert urls.keys() == rows.keys()
        composed = subprocess.run(
            ["node", "compose.mjs"],
            cwd=folder, env={**os.environ, "SUBGRAPHS": json.dumps({"justice": NOWHERE, **urls})},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        try:
            assert (composed.returncode, composed.stderr) == (0, "")
            yield folder
        finally:
            server.terminate()


@asynccontextmanager
async def routing(graph: Path, router: str, gateway: Running) -> AsyncIterator[httpx2.AsyncClient]:
    """Run a router of the guide in front of ``gateway``; yield a client of it."""
    if router == "hive-gateway" and not HIVE_GATEWAY.is_dir():
        pytest.skip("the packages of tests/acceptance/hive_gateway are missing: make routers")
    folder = gateway.folder / "router"
    folder.mkdir()
    packages = HIVE_GATEWAY if router == "hive-gateway" else FOLDER / "node_modules"
    (folder / "node_modules").symlink_to(packages)
    for name in ("apollo.mjs", "hive.config.mjs", "hive.mjs"):
        shutil.copy(graph / name, folder)
    async with serve(gateway.app) as served:
        supergraph = (graph / "supergraph.graphql").read_text("utf-8")
        url = f"http://127.0.0.1:{served.port}/graphql"
        (folder / "supergraph.graphql").write_text(supergraph.replace(NOWHERE, url), "utf-8")
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            *ROUTERS[router], cwd=folder, env={**os.environ, "PORT": str(port)}
        )
        try:
            await _listening(port, process)
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE
            ) as client:
                yield client
        finally:
            if process.returncode is None:
                process.kill()  # a router that is asked to end waits for its connections
            await process.wait()


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(120):
        while True:
            assert process.returncode is None, "the router ended"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)  # between two looks, not instead of one
            else:
                writer.close()
                return


async def ask(
    client: httpx2.AsyncClient, token: str | None, query: str = QUERY, **headers: str
) -> dict[str, Any]:
    """Ask the router; ``token``: None for nobody's."""
    stated = {"x-purpose": PURPOSE, "x-case-number": CASE_NUMBER, **headers}
    if token is not None:
        stated["authorization"] = f"Bearer {token}"
    sent = {name: value for name, value in stated.items() if value}
    reply = await client.post("/graphql", json={"query": query}, headers=sent)
    body: dict[str, Any] = reply.json()
    return body


def by_owner(body: dict[str, Any]) -> dict[str | None, Any]:
    parcels = body["data"]["parcels"]
    return {owner: parcel["owner"] for owner, parcel in zip(OWNERS, parcels, strict=True)}


def codes(body: dict[str, Any]) -> list[str]:
    return sorted({error["extensions"]["code"] for error in body.get("errors", ())})


def rows() -> World:
    marriages: list[dict[str, object]] = [
        {"event_id": "M1", "husband_citizen_id": HOA, "wife_citizen_id": LAN, "status": "VALID"}
    ]
    return world({"civil_status": {"marriages": marriages}})


@pytest.mark.parametrize("router", ROUTERS)
async def test_a_query_crosses_two_subgraphs_for_many_people(
    graph: Path, tmp_path: Path, router: str
) -> None:
    databases, clients = rows(), {"matching": Client(matching=True)}
    async with (
        running(tmp_path, databases, ALL, LIVE, clients=clients) as gateway,
        routing(graph, router, gateway) as client,
    ):
        body = await ask(client, gateway.token(*EVERY))
        (entry,) = gateway.journal()
        statements = [(record, lookup) for record, lookup, _ in databases.fetched]
        denied = await ask(client, gateway.token("population:read"))
        unnamed = await ask(client, gateway.token("introspect"))
        unmatched = await ask(client, gateway.token(*EVERY, client="matching"))
        strangers = await ask(client, None, **{"x-purpose": "", "x-case-number": ""})
        purposeless = await ask(client, gateway.token(*EVERY), **{"x-purpose": ""})
        read = len(databases.fetched)
        titles = [
            await ask(client, gateway.token(*EVERY, client=name), TITLES_QUERY)
            for name in ("another", "matching")
        ]
        titles_read = [record for record, _, _ in databases.fetched[read:]]
        entries = gateway.journal()[-2:]
    owners = by_owner(body)
    assert [owners[HOA]["civilStatus"], owners[LAN]["civilStatus"]] == [
        {"marriages": {"items": [{"eventId": "M1"}], "source": {"state": "ANSWERED"}}}
    ] * 2
    assert owners[OLD_NUMBER]["askedAs"] == OLD_NUMBER
    assert owners[OLD_NUMBER]["notices"] == [{"code": "EARLIER_NUMBER"}]
    assert owners[None] is owners[SHARED_NUMBER] is owners["12"] is None
    assert owners["001090000001"]["civilStatus"]["marriages"]["items"] is None
    assert codes(body) == ["INVALID_PERSON_NUMBER", "NUMBER_CONFLICT", "PERSON_NOT_IDENTIFIED"]
    # One request about all of them, in the name of whoever asked; one statement a record.
    assert (entry["purpose"], entry["caseNumber"]) == (PURPOSE, CASE_NUMBER)
    assert len(entry["persons"]) == 44
    assert statements.count(("civil_status.marriages", "marriages")) == 2  # and an earlier number
    assert statements.count(("population.identity", "identity")) <= 3
    assert len(statements) < 12, statements
    assert by_owner(denied)[HOA]["civilStatus"] == {
        "marriages": {"items": None, "source": {"state": "DENIED"}}
    }
    assert "FORBIDDEN" in codes(denied)
    for refused, code in (
        (unnamed, "FORBIDDEN"), (unmatched, "MATCHING_REQUIRED"),
        (strangers, "UNAUTHENTICATED"), (purposeless, "PURPOSE_REQUIRED"),
    ):  # fmt: skip
        assert {*by_owner(refused).values()} == {None}
        assert code in json.dumps(refused["errors"]), refused["errors"]
    for (body, shown), entry in zip(
        ((titles[0], [True, True, True, False, True]), (titles[1], [shown for _, shown in TITLES])),
        entries,
        strict=True,
    ):
        owners_of_titles = [title["owner"] for title in body["data"]["titles"]]
        assert [owner is not None for owner in owners_of_titles] == shown, body
        assert owners_of_titles[1] == {"id": HOA, "askedAs": OLD_NUMBER}
        assert len(entry["persons"]) == 3
    assert codes(titles[0]) == ["PERSON_NOT_MATCHED"]
    assert codes(titles[1]) == ["MATCHING_REQUIRED", "PERSON_NOT_MATCHED"]
    assert len(titles_read) < 12, titles_read
