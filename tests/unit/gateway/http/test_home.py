"""The home page ``/``: links for a browser, a line of text for programs."""

from __future__ import annotations

from pathlib import Path

from tests.support.running import running


async def test_a_browser_gets_a_page_of_links_that_lead_somewhere(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        page = await gateway.client.get("/", headers={"accept": "text/html,*/*;q=0.8"})
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        links = [part.split('"')[0] for part in page.text.split('href="')[1:]]
        assert "/graphql" in links
        for link in links:
            answer = await gateway.client.get(link, headers={"accept": "text/html"})
            assert answer.status_code != 404, link


async def test_a_program_is_told_where_the_endpoint_is(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        answer = await gateway.client.get("/", headers={"accept": "*/*"})
    assert answer.text == "justice-gateway: POST /graphql\n"
