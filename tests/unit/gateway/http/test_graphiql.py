"""GraphiQL at GET /graphql: who gets the page, its headers, and the callers of the demo."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from gateway.http import graphiql
from tests.support.running import Running, running

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
ASSETS = Path(graphiql.__file__).with_name("graphiql") / "assets"
TOKENS = {"citizen": "c1", "citizens": {"086184715052": "c1"}, "officer": "o1"}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("gateway"), demo=False) as running_gateway:
        yield running_gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("demo"), demo=True) as running_gateway:
        (running_gateway.folder / "tokens.json").write_text(json.dumps(TOKENS), "utf-8")
        (running_gateway.folder / "personas.json").write_text('[{"id": "086184715052"}]', "utf-8")
        yield running_gateway


async def get(gateway: Running, accept: str, url: str = "/graphql") -> httpx2.Response:
    return await gateway.client.get(url, headers={"accept": accept})


@pytest.mark.parametrize("accept", [CHROMIUM, "text/html", "text/html, application/json;q=0.9"])
async def test_a_browser_gets_the_page(gateway: Running, accept: str) -> None:
    answer = await get(gateway, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert 'data-demo="false" data-public-schema="true"' in answer.text


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "",
        "application/json",
        "application/graphql-response+json",
        "text/html, application/json",
        "text/html;q=0.5, application/*",
        "text/html;q=0, */*",
    ],
)
async def test_others_get_graphql_over_http_as_before(gateway: Running, accept: str) -> None:
    answer = await get(gateway, accept)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_an_operation_in_the_address_is_answered_even_to_a_browser(gateway: Running) -> None:
    answer = await get(gateway, CHROMIUM, "/graphql?query={databases{name}}")
    assert [database["name"] for database in answer.json()["data"]["databases"]] != []


async def test_the_policy_allows_nothing_inline_and_a_nonce_is_used_once(gateway: Running) -> None:
    policies = set()
    for _ in range(2):
        answer = await get(gateway, CHROMIUM)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        nonce = re.findall(r"'nonce-([\w-]{22})'", policy)
        assert answer.text.count(f'nonce="{nonce[0]}"') >= 2
        assert "__" not in answer.text.replace(nonce[0], "")
        policies.add(policy)
    assert len(policies) == 2


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".js", "text/javascript; charset=utf-8"),
        (".css", "text/css; charset=utf-8"),
        (".svg", "image/svg+xml"),
        (".ttf", "font/ttf"),
    ],
)
async def test_files_are_kept_for_good_under_their_types(
    gateway: Running, suffix: str, kind: str
) -> None:
    files = list(ASSETS.glob(f"*{suffix}.gz"))
    assert files
    for file in files:
        answer = await gateway.client.get(f"/graphiql/assets/{file.stem}")
        assert answer.content == gzip.decompress(file.read_bytes())
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) == file.stat().st_size
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("coding", ["", "identity", "gzip;q=0", "br, *;q=0"])
async def test_who_cannot_unpack_gets_files_unpacked(gateway: Running, coding: str) -> None:
    file = next(ASSETS.glob("index-*.js.gz"))
    headers = {"accept-encoding": coding}
    answer = await gateway.client.get(f"/graphiql/assets/{file.stem}", headers=headers)
    assert "content-encoding" not in answer.headers
    assert answer.content == gzip.decompress(file.read_bytes())
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    ["", "no-such.js", "../index.html", "%2e%2e/index.html", "..%2f..%2fgraphql.py", "%00", ".gz"],
)
async def test_nothing_else_is_served_from_there(gateway: Running, path: str) -> None:
    answer = await gateway.client.get(f"/graphiql/assets/{path}")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_the_demo_hands_its_callers_to_this_machine(demo: Running) -> None:
    answer = await demo.client.get("http://127.0.0.1:8000/demo/callers")
    assert answer.json() == {
        "callers": [{"name": "citizen", "token": "c1"}, {"name": "officer", "token": "o1"}],
        "citizens": {"086184715052": "c1"},
        "personas": [{"id": "086184715052"}],
    }
    assert answer.headers["cache-control"] == "no-store"
    assert 'data-demo="true"' in (await get(demo, CHROMIUM)).text


@pytest.mark.parametrize(
    ("client", "host"),
    [
        ("192.0.2.7", "127.0.0.1"),
        ("::ffff:192.0.2.7", "localhost"),
        ("127.0.0.1", "rebound.example"),
        ("127.0.0.1", "192.0.2.1"),
    ],
)
async def test_nobody_else_gets_the_demos_callers(demo: Running, client: str, host: str) -> None:
    answer = await _ask_from(demo, client, f"http://{host}/demo/callers")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("client", "host"),
    [("::1", "[::1]"), ("::ffff:127.0.0.1", "localhost"), ("127.0.0.2", "[::1]")],
)
async def test_this_machine_has_many_names(demo: Running, client: str, host: str) -> None:
    assert (await _ask_from(demo, client, f"http://{host}/demo/callers")).status_code == 200


async def test_a_demo_without_its_files_has_no_callers(tmp_path: Path) -> None:
    async with running(tmp_path, demo=True) as running_gateway:
        answer = await running_gateway.client.get("http://127.0.0.1/demo/callers")
    assert answer.status_code == 404


async def test_in_production_there_is_no_such_address(gateway: Running) -> None:
    (gateway.folder / "tokens.json").write_text(json.dumps(TOKENS), "utf-8")
    answer = await gateway.client.get("http://127.0.0.1:8000/demo/callers")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def _ask_from(demo: Running, client: str, url: str) -> httpx2.Response:
    other = httpx2.ASGITransport(app=demo.app, client=(client, 40000))
    async with httpx2.AsyncClient(transport=other) as asking:
        return await asking.get(url)
