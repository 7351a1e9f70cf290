"""An access log comes back with the PostgreSQL database that holds the copy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Audit, Limits
from tests.support.access_logs import (
    logged,
    logged_requests,
    look_up,
    own_answer,
)
from tests.support.copies import Line, database
from tests.support.people import HOA
from tests.support.running import Running
from tests.support.worlds import WAYS, answer

LOG_AND_REST = """{ me { id accessLog { items { at } next state completeUntil }
  population { identity { item { fullName } } } } }"""

UNAVAILABLE_LOG = {"items": None, "next": None, "state": "UNAVAILABLE", "completeUntil": None}

#: A copy that is gone is waited for: not long here.
SOON = Limits(deadline=1, new_documents_per_minute=1_000_000)


@pytest.fixture(autouse=True, params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def is_unknown_and_the_rest_stands(body: dict[str, Any]) -> bool:
    assert body["data"]["me"] == {
        "id": HOA,
        "accessLog": UNAVAILABLE_LOG,
        "population": {"identity": {"item": {"fullName": "Nguyễn Văn Hòa"}}},
    }
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "ACCESS_LOG_UNAVAILABLE"
    return bool(error["path"] == ["me", "accessLog"])


@pytest.mark.services
async def test_a_log_comes_back_with_its_database(tmp_path: Path) -> None:
    async with database("postgresql", tmp_path) as url:
        line = Line.to(url)
        await line.join()
        line_url = line.url(url)
        async with logged(
            tmp_path, audit=Audit(copy_url=line_url, timeout=20), limits=SOON
        ) as gateway:
            request_id = await look_up(gateway)
            assert (await known_log(gateway))["state"] == "ANSWERED"
            await line.cut()
            assert is_unknown_and_the_rest_stands(await own_answer(gateway, query=LOG_AND_REST))
            await line.join()
            assert request_id in logged_requests(await known_log(gateway))
        await line.cut()


async def known_log(gateway: Running) -> dict[str, Any]:
    """Ask until the log is whole: the shipper tries again by itself."""
    async with asyncio.timeout(30):
        while True:
            body = await own_answer(gateway)
            log: dict[str, Any] = body["data"]["me"]["accessLog"]
            if log["state"] == "ANSWERED":
                return log
