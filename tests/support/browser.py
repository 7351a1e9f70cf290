"""A real browser without a window: Chromium from Debian, driven by Playwright."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
#: Milliseconds until what is expected must be there: time enough for a busy machine.
_PATIENCE = 30_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


#: The windows of a browser that are kept for the next test that wants the same, by their choices.
_WINDOWS: WeakKeyDictionary[Browser, dict[str, BrowserContext]] = WeakKeyDictionary()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Run Chromium until the block ends; without it tests are skipped, or fail if they must."""
    require_file(CHROMIUM, "Debian's package chromium")
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class SharedBrowser:
    """Chromium for tests that follow one another; the first to need it waits for its start."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._browser: Browser | None = None

    def open(self) -> Browser:
        """Return the browser, which runs from now on."""
        if self._browser is None:
            self._browser = self._stack.enter_context(open_browser())
        return self._browser

    def end(self) -> None:
        """End the browser and its event loop, beside which no other can run in this thread."""
        self._browser = None
        self._stack.close()


@contextmanager
def open_page(browser: Browser, *, fresh: bool = False, **choices: Any) -> Iterator[Page]:
    """Open a tab that knows nothing of those before it, except files that may be cached.

    A window costs Chromium a second of processor time, a tab a quarter of it: the window of the
    same ``choices``, which are those of ``new_context``, is kept. ``fresh``: the tab has a window
    for itself, with an empty cache.
    """
    if fresh:
        context = browser.new_context(**choices)
        try:
            yield context.new_page()
        finally:
            context.close()
        return
    windows = _WINDOWS.setdefault(browser, {})
    name = json.dumps(choices, sort_keys=True)
    if name not in windows:
        windows[name] = browser.new_context(**choices)
        windows[name].new_page()  # a window ends with its last tab
    context = windows[name]
    origins: set[str] = set()

    def note_origin(request: Request) -> None:
        address = urlsplit(request.url)
        origins.add(f"{address.scheme}://{address.netloc}")

    context.on("request", note_origin)
    try:
        yield context.new_page()
    finally:
        first, *others = context.pages
        for page in others:
            page.close()
        context.remove_listener("request", note_origin)
        context.clear_cookies()
        session = context.new_cdp_session(first)
        for origin in sorted(origins):
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        session.detach()


def require_file(path: Path, origin: str) -> None:
    """Skip a test that needs a file that is not there; fail where services are required."""
    if path.exists():
        return
    missing = f"missing: {path} ({origin})"
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(missing)
    pytest.skip(missing)
