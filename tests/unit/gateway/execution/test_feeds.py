"""Feeds over what a gateway has."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.execution.feeds import feed_parts
from gateway.settings import Settings
from tests.support.feeds import PURPOSES
from tests.support.running import running


async def test_where_no_database_is_followed_there_is_no_feed(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        with pytest.raises(GatewayError) as raised:
            feed_parts(gateway.service.resources)
    assert raised.value.code.name == "EVENTS_UNAVAILABLE"


def test_a_purpose_permits_no_interest_unless_settings_say_so() -> None:
    settings = Settings(purposes=PURPOSES)
    assert settings.interest_terms("1.000894.H38") == PURPOSES["1.000894"].interests
    for purpose in (None, "1.004873"):
        assert settings.interest_terms(purpose).kinds == frozenset()
