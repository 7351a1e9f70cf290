"""Pages without a query count towards the rate too.

Covers ``gateway.http.probes``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import RateLimits
from tests.support.running import running


@pytest.mark.parametrize("page", ["/schema.graphql", "/openapi.json", "/metrics"])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}], ids=["none", "bad"])
async def test_pages_count_towards_the_rate(
    tmp_path: Path, page: str, headers: dict[str, str]
) -> None:
    async with running(tmp_path, rates=RateLimits(anonymous_per_minute=1)) as gateway:
        assert (await gateway.client.get(page, headers=headers)).status_code != 429
        answer = await gateway.client.get(page, headers=headers)
        assert answer.status_code == 429
        assert "retry-after" in answer.headers
