"""Probes, the schema as text, and answers for addresses that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.running import OPERATOR, running


async def test_the_process_is_live_and_ready_while_its_journal_takes_entries(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as gateway:
        live = await gateway.client.get("/health/live")
        ready = await gateway.client.get("/health/ready")
    assert (live.status_code, live.text) == (200, "live\n")
    assert (ready.status_code, ready.text) == (200, "ready\n")


async def test_without_a_journal_it_is_live_and_not_ready(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        await gateway.service.audit.journal.close()
        live = await gateway.client.get("/health/live")
        ready = await gateway.client.get("/health/ready")
    assert live.status_code == 200
    assert (ready.status_code, ready.text) == (503, "not ready: journal\n")


@pytest.mark.parametrize("public", [True, False])
async def test_the_schema_is_shown_to_everybody_or_to_those_who_may_introspect(
    tmp_path: Path, public: bool
) -> None:
    async with running(tmp_path, public_schema=public) as gateway:
        stranger = await gateway.client.get("/schema.graphql")
        answers = [
            await gateway.client.get(
                "/schema.graphql", headers={"authorization": f"Bearer {gateway.token(*scopes)}"}
            )
            for scopes in (OPERATOR, ["population:read"])
        ]
    operator, officer = answers
    assert operator.status_code == 200
    assert "type Query" in operator.text
    assert (stranger.status_code == 200) is public
    assert (officer.status_code == 200) is public
    if not public:
        assert stranger.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert officer.json()["errors"][0]["extensions"]["code"] == "INTROSPECTION_DENIED"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("DELETE", "/health/live", 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_what_routing_refuses_is_an_answer_with_a_code(
    tmp_path: Path, method: str, path: str, status: int, code: str
) -> None:
    async with running(tmp_path) as gateway:
        answer = await gateway.client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] == code
