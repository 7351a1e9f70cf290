"""Only pages of the origins in the settings may call from a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.settings import Cors
from tests.support.running import OPERATOR, running

PORTAL = "https://portal.example"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-purpose,x-case-number",
}


async def test_no_origin_is_let_in_by_default(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        headers = {"origin": PORTAL}
        preflight = await gateway.client.options("/graphql", headers=headers | PREFLIGHT)
        answer = await gateway.client.post(
            "/graphql", json={"query": "{__typename}"}, headers=headers
        )
    for reply in (preflight, answer):
        assert not [name for name in reply.headers if name.startswith("access-control")]


async def test_an_origin_of_the_settings_may_ask_and_read(tmp_path: Path) -> None:
    async with running(tmp_path, cors=Cors(origins=(PORTAL,))) as gateway:
        headers = {"origin": PORTAL}
        preflight = await gateway.client.options("/graphql", headers=headers | PREFLIGHT)
        answer = await gateway.client.post(
            "/graphql",
            json={"query": "{__typename}"},
            headers=headers | {"authorization": f"Bearer {gateway.token(*OPERATOR)}"},
        )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PORTAL
    assert answer.json() == {"data": {"__typename": "Query"}}
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert "Origin" in answer.headers["vary"]
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_refusal_can_be_read_by_the_page_too(tmp_path: Path) -> None:
    async with running(tmp_path, cors=Cors(origins=(PORTAL,))) as gateway:
        headers = {"origin": PORTAL, "authorization": "Bearer nonsense"}
        answer = await gateway.client.post(
            "/graphql", json={"query": "{__typename}"}, headers=headers
        )
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == PORTAL


async def test_another_origin_is_not_let_in(tmp_path: Path) -> None:
    async with running(tmp_path, cors=Cors(origins=(PORTAL,))) as gateway:
        for origin in ("https://portal.example.org", "http://portal.example", "null"):
            headers = {"origin": origin}
            preflight = await gateway.client.options("/graphql", headers=headers | PREFLIGHT)
            answer = await gateway.client.post(
                "/graphql", json={"query": "{__typename}"}, headers=headers
            )
            for reply in (preflight, answer):
                assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("origin", ["*", "portal.example", "https://portal.example/", "null", ""])
def test_what_is_no_origin_is_no_setting(origin: str) -> None:
    with pytest.raises(ValidationError):
        Cors(origins=(origin,))
