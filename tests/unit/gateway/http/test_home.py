"""The address ``/``: a page for a browser, a line of text for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.running import running


async def test_a_browser_gets_a_page(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        page = await gateway.client.get("/", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain"])
async def test_a_program_is_told_where_the_endpoint_is(tmp_path: Path, accept: str) -> None:
    async with running(tmp_path) as gateway:
        answer = await gateway.client.get("/", headers={"accept": accept})
    assert answer.text == "justice-gateway: POST /graphql\n"
    assert answer.headers["vary"] == "Accept"
