"""GraphQL with the cookie of a session: taken with the token of a page alone, else refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.sessions.cookies import SESSION_COOKIE
from tests.support.pages import ParsedPage
from tests.support.running import codes
from tests.support.sign_ins import Ministry, Visitor, gateway_with_sign_in

Site = tuple[Visitor, Ministry]
QUERY = "{ myAccess { client subject } }"


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with gateway_with_sign_in(tmp_path) as (gateway, ministry):
        visitor = Visitor(gateway)
        await visitor.sign_in(ministry)
        yield visitor, ministry


async def page_elements(visitor: Visitor) -> dict[str, str]:
    """Return the ``meta`` elements of GraphiQL's page."""
    page = ParsedPage.of((await visitor.get("/graphql", accept="text/html")).text)
    return {
        str(attributes["name"]): str(attributes["content"])
        for tag, attributes in page.tags
        if tag == "meta" and {"name", "content"} <= attributes.keys()
    }


async def test_the_explorer_knows_who_is_signed_in_and_its_requests_are_theirs(site: Site) -> None:
    visitor, _ = site
    elements = await page_elements(visitor)
    assert elements["signed-in"] == "Tên officer-1"
    answer = await visitor.ask("{ __typename }", x_csrf_token=elements["csrf-token"])
    assert answer.json() == {"data": {"__typename": "Query"}}
    assert "csrf-token" not in await page_elements(Visitor(visitor.gateway))


async def test_a_cookie_without_the_token_of_a_page_is_refused(site: Site) -> None:
    visitor, _ = site
    token = (await page_elements(visitor))["csrf-token"]
    for headers in ({}, {"x_csrf_token": "x" * 64}, {"x_csrf_token": token[:-1]}):
        answer = await visitor.ask("{ __typename }", **headers)
        assert answer.status_code == 403
        assert codes(answer.json()) == ["CSRF_TOKEN_REQUIRED"]
    in_url = await visitor.get("/graphql?query={__typename}", accept="application/json")
    assert codes(in_url.json()) == ["CSRF_TOKEN_REQUIRED"]
    for site_name in ("cross-site", "same-site"):
        answer = await visitor.ask("{ __typename }", x_csrf_token=token, sec_fetch_site=site_name)
        assert codes(answer.json()) == ["CSRF_TOKEN_REQUIRED"]


async def test_the_token_of_another_session_does_not_count(site: Site) -> None:
    visitor, ministry = site
    other = Visitor(visitor.gateway)
    await other.sign_in(ministry)
    token = (await page_elements(other))["csrf-token"]
    answer = await visitor.ask("{ __typename }", x_csrf_token=token)
    assert codes(answer.json()) == ["CSRF_TOKEN_REQUIRED"]


async def test_a_cookie_whose_session_has_ended_is_never_nobody(site: Site) -> None:
    visitor, _ = site
    token = (await page_elements(visitor))["csrf-token"]
    visitor.gateway.clock.advance(31 * 60)
    answer = await visitor.ask("{ __typename }", x_csrf_token=token)
    assert (answer.status_code, codes(answer.json())) == (401, ["SESSION_EXPIRED"])
    visitor.cookies[SESSION_COOKIE] = "tampered"
    answer = await visitor.ask("{ __typename }")
    assert codes(answer.json()) == ["SESSION_EXPIRED"]


async def test_a_header_counts_and_the_cookie_beside_it_does_not(site: Site) -> None:
    visitor, _ = site
    bearer = visitor.gateway.token("introspect", client="machine")
    answer = await visitor.ask("{ __typename }", authorization=f"Bearer {bearer}")
    assert answer.status_code == 200
    answer = await visitor.ask("{ __typename }", authorization="Bearer nonsense")
    assert codes(answer.json()) == ["TOKEN_INVALID"]


async def test_a_form_of_another_site_is_no_json(site: Site) -> None:
    visitor, _ = site
    token = (await page_elements(visitor))["csrf-token"]
    answer = await visitor.post("/graphql", {"query": "{ __typename }"}, x_csrf_token=token)
    assert codes(answer.json()) == ["UNSUPPORTED_MEDIA_TYPE"]


async def test_files_for_the_explorer_are_those_of_who_is_signed_in(tmp_path: Path) -> None:
    async with gateway_with_sign_in(tmp_path, public_schema=False) as (gateway, ministry):
        visitor = Visitor(gateway)
        await visitor.sign_in(ministry, scope="introspect")
        token = (await page_elements(visitor))["csrf-token"]
        answer = await visitor.get("/schema.graphql", x_csrf_token=token)
        assert answer.text.startswith('"""')
        assert codes((await visitor.get("/schema.graphql")).json()) == ["UNAUTHENTICATED"]
        forged = await visitor.get("/schema.graphql", x_csrf_token="x" * 64)
        assert codes(forged.json()) == ["CSRF_TOKEN_REQUIRED"]


async def test_other_cookies_mean_nothing(site: Site) -> None:
    visitor, _ = site
    stranger = Visitor(visitor.gateway, {"theme": "dark"})
    assert (await stranger.ask("{ __typename }")).status_code == 200
