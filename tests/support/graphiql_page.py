"""The GraphiQL page in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from tests.support.barriers import serious_barriers
from tests.support.browser import open_page
from tests.support.process import Process

WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@dataclass
class GraphiqlPage:
    """The page in the browser, and everything it asked for and complained about."""

    page: Page
    demo: Process
    requests: list[Request] = field(default_factory=list)
    console: list[ConsoleMessage] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    workers: list[str] = field(default_factory=list)

    def note_request(self, request: Request) -> None:
        self.requests.append(request)

    def note_console(self, message: ConsoleMessage) -> None:
        self.console.append(message)

    def require_editor(self) -> None:
        """Wait until the editor has its first document, which takes a busy machine its time."""
        lines = self.page.locator(".query .view-lines")
        expect(lines).to_contain_text("query", timeout=60_000)

    def open_menu(self, name: str) -> Locator:
        """Open a menu of the bar and return its sheet."""
        sheet = self.page.locator(f"#{name}")
        self.page.locator(f"[data-menu={name}]").click()
        expect(sheet).to_be_visible()
        return sheet

    def act_as(self, name: str) -> None:
        """Take the part of a demo caller."""
        self.open_menu("caller").locator(f"[data-caller={name}]").click()

    def choose(self, example: str) -> None:
        """Put an example into the editor."""
        self.open_menu("samples").locator(f"[data-example='{example}']").click()

    def send(self) -> dict[str, Any]:
        """Run what is in the editor and return the answer that came; it must be on the page."""
        with self.page.expect_response("**/graphql") as response:
            self.page.locator(".run").click()
        answer: dict[str, Any] = response.value.json()
        about = self.page.locator(".about")
        expect(about).to_contain_text(str(response.value.status), timeout=30_000)
        return answer

    def run(self, example: str) -> dict[str, Any]:
        """Choose an example, run it, and return its answer."""
        self.choose(example)
        return self.send()

    def show(self, tab: str) -> Locator:
        """Show a panel of the answer, and return it."""
        self.page.locator(f"[data-tab={tab}]").click()
        panel = self.page.locator(f"#panel.{tab}")
        expect(panel).to_be_visible()
        return panel

    def document(self) -> str:
        """Return the text in the editor, as it would be copied as curl."""
        sheet = self.open_menu("copy-as")
        sheet.locator("[data-language=curl]").click()
        text = sheet.locator("textarea").input_value()
        self.page.keyboard.press("Escape")
        return text

    def graphql_requests(self) -> list[Request]:
        """Return what was sent to the gateway as GraphQL."""
        return [request for request in self.requests if request.method == "POST"]

    def last_sent(self) -> dict[str, Any]:
        """Return the body of the last request as GraphQL."""
        body: dict[str, Any] = json.loads(self.graphql_requests()[-1].post_data or "{}")
        return body

    def require_quiet(self) -> None:
        """Fail for complaints of the browser, for other origins and for data in addresses."""
        assert [message.text for message in self.console] == []
        assert self.defects == []
        host = urlsplit(self.demo.url).netloc
        for request in self.requests:
            address = urlsplit(request.url)
            assert address.netloc == host or address.scheme in {"blob", "data"}, request.url
            assert not address.query

    def require_fit(self) -> None:
        """Fail if the page is wider than the window, or a control is cut off at its side."""
        width, room = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= room
        assert self.page.evaluate(_CUT_OFF) == []

    def require_no_barriers(self, part: str = "body") -> None:
        """Fail for what axe-core finds of serious barriers outside the editor's inner parts.

        ``part``: a selector; a check takes the longer the more elements there are.

        Monaco draws its lines into ``div``s that scroll by script and hides a ``textarea``; what
        a screen reader gets is that ``textarea``, which is named.
        """
        assert serious_barriers(self.page, part, [".monaco-editor"]) == []


#: Controls that stand out of the window at its sides, unless something around them scrolls.
_CUT_OFF = """
[...document.querySelectorAll('button, input, select, textarea, a, summary')]
  .filter((control) => !control.closest('.monaco-editor, .scroll') && control.checkVisibility())
  .filter((control) => {
    const { left, right, width } = control.getBoundingClientRect();
    return width > 0 && (left < 0 || right > innerWidth);
  })
  .map((control) => control.outerHTML.slice(0, 120))
"""


@contextmanager
def open_graphiql(browser: Browser, demo: Process, **options: Any) -> Iterator[GraphiqlPage]:
    """Open the page in a tab, and wait until its editor takes text.

    ``options``: those of ``open_page``, such as ``viewport`` and ``color_scheme``.
    """
    with open_page(browser, **{"viewport": WIDE, "locale": "vi-VN", **options}) as page:
        window = GraphiqlPage(page, demo)
        page.context.on("request", window.note_request)
        page.context.on("console", window.note_console)
        page.on("pageerror", lambda error: window.defects.append(str(error)))
        page.on("worker", lambda worker: window.workers.append(worker.url))
        try:
            page.goto(f"{demo.url}/graphql")
            window.require_editor()
            yield window
        finally:
            page.context.remove_listener("request", window.note_request)
            page.context.remove_listener("console", window.note_console)
