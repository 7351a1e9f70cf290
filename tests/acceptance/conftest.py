"""The demo and the browser, which tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import SharedBrowser
from tests.support.page_window import PageWindow, open_window
from tests.support.process import Process, demo_process

_FOLDER = Path(__file__).parent
_BROWSER = SharedBrowser()


def _uses_browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in a browser behind one another, ahead of the others of this folder."""
    places = [place for place, item in enumerate(items) if item.path.is_relative_to(_FOLDER)]
    ordered = sorted((items[place] for place in places), key=lambda item: not _uses_browser(item))
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the browser ahead of a test without it, which may run an event loop."""
    if nextitem is None or not _uses_browser(nextitem):
        _BROWSER.end()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run one demo for all tests of a worker; a test that changes it for good starts its own."""
    with demo_process(tmp_path_factory.mktemp("demo") / ".demo") as process:
        yield process


@pytest.fixture
def browser() -> Browser:
    """Return the Chromium of this worker."""
    return _BROWSER.open()


@pytest.fixture
def window(browser: Browser, demo: Process, request: pytest.FixtureRequest) -> Iterator[PageWindow]:
    """Open a window of a width and a colour scheme, which a test may choose."""
    choice: dict[str, Any] = getattr(request, "param", {})
    with open_window(browser, demo, **choice) as opened:
        yield opened
