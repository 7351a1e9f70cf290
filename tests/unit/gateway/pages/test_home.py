"""The home page leads to what is there on this installation, and to nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import CODES
from gateway.pages.navigation import SECTIONS
from gateway.settings.storage import OperationSettings
from tests.support.pages import LOCAL, ParsedPage
from tests.support.running import Running, running

BROWSER = {"accept": "text/html,*/*;q=0.8"}


async def read_home(gateway: Running, query: str = "") -> ParsedPage:
    answer = await gateway.client.get(f"{LOCAL}/{query}", headers=BROWSER)
    assert answer.status_code == 200
    assert "Accept" in answer.headers["vary"]
    return ParsedPage.of(answer.text)


async def test_every_link_of_the_page_and_the_navigation_leads_somewhere(tmp_path: Path) -> None:
    async with running(
        tmp_path, public_metrics=True, operations=OperationSettings(public_catalogue=True)
    ) as gateway:
        page = await read_home(gateway)
        links = {link for link in page.links if link.startswith("/")}
        assert {section.address for section in SECTIONS} <= links
        assert {"/openapi.json", "/schema.graphql", "/metrics", "/keys"} <= links
        for link in links:
            answer = await gateway.client.get(f"{LOCAL}{link}", headers=BROWSER)
            assert answer.status_code == 200, link


async def test_what_is_closed_here_is_not_mentioned(tmp_path: Path) -> None:
    async with running(tmp_path, demo=False, public_schema=False) as gateway:
        links = (await read_home(gateway)).links
    assert links.count("/status") >= 2
    for closed in ("/openapi.json", "/schema.graphql", "/metrics", "/demo/callers"):
        assert closed not in links


async def test_links_keep_the_language_where_there_is_any(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        page = await read_home(gateway, "?lang=en")
    assert "Owners of databases" in page.text
    assert "/catalogue?lang=en" in page.links
    assert "/keys" in page.links


@pytest.mark.parametrize("path", ["/catalogue/x", "/catalogue/x/contract.yaml"])
async def test_a_refusal_is_said_in_both_languages(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as gateway:
        answer = await gateway.client.get(f"{LOCAL}{path}?lang=en", headers=BROWSER)
    text = ParsedPage.of(answer.text).text
    assert answer.status_code == 404
    assert CODES["NOT_FOUND"].vi in text
    assert CODES["NOT_FOUND"].en in text
    assert "x" not in text.split()
