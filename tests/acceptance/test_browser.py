"""The browser that tests of pages share: a test sees nothing of those before it."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.support.barriers import serious_barriers
from tests.support.browser import open_page
from tests.support.process import Process

FILL = "document.cookie = 'a=1'; localStorage.a = '1'; sessionStorage.a = '1'; window.name = 'a'"
READ = "[document.cookie, localStorage.a, sessionStorage.a, window.name]"


def test_a_tab_knows_nothing_of_those_before_it(browser: Browser, demo: Process) -> None:
    with open_page(browser, locale="vi-VN") as page:
        page.goto(demo.url)
        page.evaluate(FILL)
        assert page.evaluate(READ) == ["a=1", "1", "1", "a"]
        window, other = page.context, page.context.new_page()
        other.goto(demo.url)
        assert other.evaluate(READ) == ["a=1", "1", None, ""]
    with open_page(browser, locale="vi-VN") as page:
        page.goto(demo.url)
        assert page.context is window
        assert page.evaluate(READ) == ["", None, None, ""]
    with open_page(browser, fresh=True, locale="vi-VN") as page:
        assert page.context is not window


def test_a_serious_barrier_is_seen_where_it_is_looked_for(browser: Browser) -> None:
    with open_page(browser) as page:
        page.set_content(
            "<html lang=en><title>a</title><main><h1>a</h1><img src=a id=a>"
            "<p id=b style='color:#999;background:#fff'>text</p></main>"
        )
        assert [barrier.partition(":")[0] for barrier in serious_barriers(page)] == [
            "color-contrast",
            "image-alt",
        ]
        assert [barrier[:9] for barrier in serious_barriers(page, "main", ["#b"])] == ["image-alt"]
        assert serious_barriers(page, "h1") == []
