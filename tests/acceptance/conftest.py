"""The demo and the browser, which tests of pages share.

A module with a fixture of its own by these names has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import open_browser
from tests.support.page_window import PageWindow, open_window
from tests.support.process import Process, demo_process


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run one demo for all tests of a worker; a test that changes it starts its own."""
    with demo_process(tmp_path_factory.mktemp("demo") / ".demo") as process:
        yield process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Chromium for a module: its event loop must have ended before tests with their own."""
    with open_browser() as chromium:
        yield chromium


@pytest.fixture
def window(browser: Browser, demo: Process, request: pytest.FixtureRequest) -> Iterator[PageWindow]:
    """Open a window of a width and a colour scheme, which a test may choose."""
    choice: dict[str, Any] = getattr(request, "param", {})
    with open_window(browser, demo, **choice) as opened:
        yield opened
