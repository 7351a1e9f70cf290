"""The gateway that tests of webhooks share, of each module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.running import Running
from tests.support.webhooks import webhook_gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Run a gateway with webhooks whose databases hold nothing."""
    async with webhook_gateway(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway
