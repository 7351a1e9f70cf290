"""Who may read the metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.running import OFFICER, running


@pytest.mark.parametrize("scope", ["metrics:read", "operate"])
async def test_monitoring_and_operators_read_what_is_counted(tmp_path: Path, scope: str) -> None:
    async with running(tmp_path) as gateway:
        headers = {"authorization": f"Bearer {gateway.token(scope)}"}
        answer = await gateway.client.get("/metrics", headers=headers)
        assert answer.status_code == 200
        assert "justice_gateway_requests_in_flight" in answer.text


async def test_nobody_else_reads_what_is_counted(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        answer = await gateway.client.get("/metrics")
        assert answer.status_code == 401
        assert "www-authenticate" in answer.headers
        headers = {"authorization": f"Bearer {gateway.token(*OFFICER)}"}
        answer = await gateway.client.get("/metrics", headers=headers)
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["missing"] == ["metrics:read"]
        answer = await gateway.client.get("/metrics", headers={"authorization": "Bearer x"})
        assert answer.status_code == 401


async def test_everybody_reads_it_where_settings_say_so(tmp_path: Path) -> None:
    async with running(tmp_path, public_metrics=True) as gateway:
        answer = await gateway.client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
