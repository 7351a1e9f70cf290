"""The catalogue and the data dictionaries over ASGI: who sees what, and what is said of it.

Covers ``gateway.pages.*``, ``gateway.pages.phrases.*``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from connectors.description import Group
from gateway.errors import CODES
from gateway.settings import DatabaseSettings
from tests.support.pages import LOCAL, ParsedPage, hire
from tests.support.people import HOA
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, World, world

QUERY = """query ($id: PersonNumber!) { person(id: $id) {
  civilStatus { births { items { eventId } source { state } } } } }"""
NAMES = [database.name for database in ALL]


@pytest.fixture
def known() -> World:
    return world({})


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE, public_metrics=True) as started:
        yield started


@pytest_asyncio.fixture
async def closed(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE, demo=False, public_schema=False) as started:
        yield started


async def get(gateway: Running, path: str, *scopes: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {gateway.token(*scopes)}"} if scopes else {}
    return await gateway.client.get(LOCAL + path, headers=headers)


async def read(gateway: Running, path: str, *scopes: str) -> ParsedPage:
    answer = await get(gateway, path, *scopes)
    assert answer.status_code == 200
    return ParsedPage.of(answer.text)


async def test_every_database_is_there_with_owner_and_law(gateway: Running, known: World) -> None:
    page = await read(gateway, "/catalogue")
    for database in ALL:
        assert f"/catalogue/{database.name}" in page.links
        assert database.owner.vi[1:] in page.text
        assert all(law in page.text for law in database.legal_basis)
    assert known.fetched == []


async def test_the_four_groups_are_there_also_where_they_are_empty(tmp_path: Path) -> None:
    groups = {
        "notary": DatabaseSettings(group=Group.PLANNED),
        "legal_aid": DatabaseSettings(group=Group.UNDER_CONSTRUCTION),
    }
    async with running(tmp_path, world({}), ALL, {**LIVE, **groups}) as gateway:
        text = (await read(gateway, "/catalogue?lang=en")).text
    operating, rest = text.split("Under construction 1")
    construction, rest = rest.split("Built, not yet operating 0")
    built, planned = rest.split("Planned 1")
    assert "Legal Aid Database" in construction
    assert "No database is in this group." in built
    assert "Notarization Database" in planned
    assert "Not operating or not connected" in planned
    assert "Notarization" not in operating


async def test_what_was_not_measured_is_not_zero(gateway: Running) -> None:
    text = (await read(gateway, "/catalogue?lang=en")).text
    assert "Latency not measured yet" in text
    assert "0 ms" not in text
    await gateway.ask(QUERY, {"id": HOA})
    measured = (await read(gateway, "/catalogue/civil_status?lang=en")).text
    assert "median" in measured
    assert re.search(r"\(calls: \d+, since 10:00:00 on 23 November 2026\)", measured)


async def test_the_share_from_the_cache_is_of_all_keys(tmp_path: Path) -> None:
    cached = {**LIVE, "civil_status": DatabaseSettings(timeout=120, fresh=60)}
    async with running(tmp_path, world({}), ALL, cached, public_metrics=True) as gateway:
        before = (await read(gateway, "/catalogue/civil_status?lang=en")).text
        assert "From the cache not measured yet" in before
        for _ in range(2):
            await gateway.pass_time(1)
            document = QUERY.replace("query", f"query Q{_}")
            await gateway.ask(document, {"id": HOA})
        after = (await read(gateway, "/catalogue/civil_status?lang=en")).text
        assert "From the cache 50% (look-ups: 4, since" in after
        other = (await read(gateway, "/catalogue/notary?lang=en")).text
        assert "From the cache not cached here" in other


async def test_measurements_are_for_those_who_may_read_metrics(closed: Running) -> None:
    await closed.ask(QUERY, {"id": HOA}, purposes=["1.000894"], scopes=("population:read",))
    for page in ("/catalogue?lang=en", "/catalogue/civil_status?lang=en"):
        stranger = (await read(closed, page)).text
        assert "Measurements are shown to operators and monitoring only." in stranger
        assert "not measured yet" not in stranger
        assert "not measured yet" in (await read(closed, page, "metrics:read")).text


@pytest.mark.parametrize("name", NAMES)
async def test_a_dictionary_has_every_field_that_the_schema_has(
    gateway: Running, name: str
) -> None:
    page = await read(gateway, f"/catalogue/{name}")
    database = next(each for each in ALL if each.name == name)
    types = gateway.service.resources.schema.type_map
    for record in database.records:
        assert record.title.vi[1:] in page.text
        for field in record.fields if record.type_name in types else ():
            assert field.title.vi[1:] in page.text
            assert field.title.en[1:] in page.text
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= {*ids}


async def test_what_the_schema_does_not_show_nobody_sees(gateway: Running) -> None:
    text = (await read(gateway, "/catalogue/notary?lang=en")).text
    assert "Link between a transaction and an asset" in text
    assert "the schema has no type for it" in text


async def test_a_record_that_is_kept_closer_says_so_of_every_field(gateway: Running) -> None:
    html = (await get(gateway, "/catalogue/civil_status?lang=en")).text
    adoptions = html.split('id="type-Adoption"')[1].split("</table>")[0]
    assert adoptions.count('class="level l-RESTRICTED"') == adoptions.count('scope="row"') > 5
    assert "l-BASIC" not in adoptions


async def test_an_enumeration_is_listed_with_its_values(gateway: Running) -> None:
    text = (await read(gateway, "/catalogue/legal_aid")).text
    assert "POOR_HOUSEHOLD người thuộc hộ nghèo member of a poor household" in text
    assert "nhạy cảm" in text


async def test_a_closed_schema_stays_closed(closed: Running) -> None:
    stranger = await read(closed, "/catalogue/legal_aid")
    assert "Không hiện ở đây không có nghĩa là không có" in stranger.text
    for hidden in ("beneficiaryCategory", "POOR_HOUSEHOLD", "LegalAidChannel", "contract.yaml"):
        assert hidden not in stranger.text
        assert not any(hidden in link for link in stranger.links)
    assert "LegalAidCase" in stranger.text, "the catalogue of GraphQL names it too"
    analyst = await read(closed, "/catalogue/legal_aid", "introspect")
    assert "beneficiaryCategory" in analyst.text
    assert "POOR_HOUSEHOLD" in analyst.text
    assert "beneficiaryCategory" not in (await read(closed, "/catalogue/legal_aid")).text


async def test_the_catalogue_of_graphql_shows_strangers_as_much(closed: Running) -> None:
    answer = await closed.post(
        "{ databases { name title { vi } owner { vi } legalBasis group contact"
        " records { typeName title { vi } lists events { code } } live { state breaker } } }"
    )
    assert "errors" not in answer.json()


async def test_the_purpose_of_the_demo_is_named_there_alone(gateway: Running) -> None:
    assert "bench-unified" in (await read(gateway, "/catalogue/notary")).text


async def test_only_purposes_of_this_installation_are_named(closed: Running) -> None:
    shown = (await read(closed, "/catalogue/notary", "introspect")).text
    assert "bench-unified" not in shown
    assert "notarised-transfer" in shown


@pytest.mark.parametrize(
    "path", ["%00", "%ff%fe", "..%2f..%2fetc", "%3Cb%3E", "x" * 300, "a/b/c", "", "%E2%80%AE", HOA]
)
@pytest.mark.parametrize("suffix", ["", "/contract.yaml"])
async def test_strange_addresses_are_a_clear_page(gateway: Running, path: str, suffix: str) -> None:
    answer = await get(gateway, f"/catalogue/{path}{suffix}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert CODES["NOT_FOUND"].vi in answer.text
    assert CODES["NOT_FOUND"].en in answer.text
    assert "<b>" not in answer.text
    assert HOA not in answer.text


async def test_a_bad_token_is_refused_in_words(closed: Running) -> None:
    for path in ("/catalogue", "/catalogue/notary", "/catalogue/notary/contract.yaml"):
        answer = await closed.client.get(
            LOCAL + path, headers={"authorization": "Bearer no.such.token"}
        )
        assert answer.status_code == 401
        assert CODES["TOKEN_INVALID"].vi in answer.text


async def test_a_demo_caller_who_was_chosen_stays_chosen(gateway: Running) -> None:
    hire(gateway)
    page = await read(gateway, "/catalogue?as=desk")
    assert "/catalogue/notary?as=desk" in page.links


@pytest.mark.parametrize("path", ["/", "/catalogue", "/catalogue/notary", "/status"])
async def test_pages_load_nothing_from_elsewhere(gateway: Running, path: str) -> None:
    answer = await gateway.client.get(LOCAL + path, headers={"accept": "text/html"})
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'self'", "script-src 'none'", "frame-ancestors 'none'"} <= {*policy}
    assert answer.headers["cache-control"] == "no-store"
    assert "style=" not in answer.text
