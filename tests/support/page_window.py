"""A page of the demo in a real browser, and everything that it asked for and complained about."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.support.barriers import serious_barriers
from tests.support.browser import open_page
from tests.support.process import Process

#: Set it to a folder (docs/images) to have the pictures taken anew.
PICTURES = "PAGE_PICTURES"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@dataclass
class PageWindow:
    """A window of the browser. ``requests``, ``console`` and ``defects``: since it was opened."""

    page: Page
    demo: Process
    requests: list[Request] = field(default_factory=list)
    console: list[ConsoleMessage] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    def note_request(self, request: Request) -> None:
        self.requests.append(request)

    def note_console(self, message: ConsoleMessage) -> None:
        self.console.append(message)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.demo.url}{path}")

    def open_as(self, path: str, caller: str) -> None:
        """Open a page as a demo caller, by the address to which their link leads."""
        self.open(f"{path}{'&' if '?' in path else '?'}as={caller}")
        self._require_caller(caller)

    def choose_caller(self, caller: str) -> None:
        """Become a demo caller on the page that is open, by one click."""
        self.page.get_by_role("link", name=caller, exact=False).first.click()
        self._require_caller(caller)

    def _require_caller(self, caller: str) -> None:
        # The page that the click leads to, and no longer the page that was left.
        expect(self.page.locator(f".cast a[aria-current]:has-text('{caller}')")).to_be_visible()

    def require_quiet(self) -> None:
        """Fail for anything in the console, and for requests to other origins or with numbers."""
        assert [message.text for message in self.console] == []
        assert self.defects == []
        own_host = urlsplit(self.demo.url).netloc
        for request in self.requests:
            assert urlsplit(request.url).netloc == own_host
            assert not re.search(r"[0-9]{9}", request.url.replace(own_host, ""))

    def require_fit(self) -> None:
        """Fail if the page is wider than the window."""
        width, room = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= room

    def require_no_barriers(self) -> None:
        """Fail for what axe-core finds of serious barriers."""
        assert serious_barriers(self.page) == []

    def take_picture(self, name: str, height: int = 800) -> None:
        if os.environ.get(PICTURES):
            self.page.set_viewport_size({"width": 1280, "height": height})
            self.page.screenshot(path=Path(os.environ[PICTURES]) / f"{name}.png")


@contextmanager
def open_window(browser: Browser, demo: Process, **choice: Any) -> Iterator[PageWindow]:
    """Open a window of a width and a colour scheme; the choices are those of ``open_page``."""
    with open_page(browser, **{"viewport": WIDE, "locale": "vi-VN", **choice}) as page:
        window = PageWindow(page, demo)
        page.context.on("request", window.note_request)
        page.context.on("console", window.note_console)
        page.on("pageerror", lambda error: window.defects.append(str(error)))
        try:
            yield window
        finally:
            page.context.remove_listener("request", window.note_request)
            page.context.remove_listener("console", window.note_console)
