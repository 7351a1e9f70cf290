"""The pages of procedures in a real browser, with the demo in a separate process."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from gateway.procedures.registry import ALL
from tests.support.browser import open_browser, require_file
from tests.support.journals import entries
from tests.support.process import Process, demo_process

AXE = Path(__file__).with_name("pages") / "node_modules/axe-core/axe.min.js"
#: Set it to a folder (docs/images) to have the pictures taken anew.
PICTURES = "PAGE_PICTURES"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
#: Who stands in the roles of cases: tags of personas.
CASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "no-sanction-check": {"applicant": ("married",)},
    "1.000894": {"groom": ("divorced",), "bride": ("widowed",)},
}
#: What a check needs beside what its form requires, since one of several fields has to be filled
#: in. An empty text: the number of somebody.
PARTICULARS: Mapping[str, Mapping[str, str]] = {
    "notarised-transfer": {"certificate_number": "BK 123456"},
    "security-registration": {"securing_party": "", "secured_party": "", "chassis_number": "X1"},
}
CHECKS = [procedure.codes[0] for procedure in ALL if procedure.check is not None]
every_case = pytest.mark.parametrize("code", [code for code in CASES if code in CHECKS])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with demo_process(tmp_path_factory.mktemp("demo") / ".demo") as process:
        yield process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@dataclass
class Window:
    """A page in the browser, and everything it asked for and complained about."""

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

    def open_form(self, code: str, language: str = "") -> None:
        """Open the page of a procedure and become the demo officer, by one click."""
        self.open(f"/procedures/{code}{language}")
        self.page.get_by_role("link", name="one_stop_desk").click()

    def check(self, code: str, language: str = "") -> None:
        """Fill the form of a case and send it."""
        self.open_form(code, language)
        for role, tags in CASES[code].items():
            self.page.locator(f"[name={role}]").fill(self.demo.tagged(*tags))
        self.page.locator("[name=case-number]").fill("HSĐ-12/2026/QĐ-UBND")
        self.page.locator("button.go").click()
        expect(self.page.locator(".outcome")).to_be_visible()

    def check_anybody(self, code: str) -> None:
        """Fill in whatever the form of a procedure requires, and send it."""
        self.open_form(code)
        people = (persona["id"] for persona in self.demo.personas)
        for control in self.page.locator("#check [aria-required]").all():
            if control.evaluate("each => each.localName") == "select":
                control.select_option(index=1)
            elif "number" in (control.get_attribute("class") or ""):
                control.fill(next(people))
            else:
                is_day = control.get_attribute("type") == "date"
                is_amount = control.get_attribute("inputmode") == "decimal"
                control.fill("2026-11-01" if is_day else "1" if is_amount else "HS-1")
        for name, value in PARTICULARS.get(code, {}).items():
            self.page.locator(f"[name={name}]").fill(value or next(people))
        self.page.locator("button.go").click()
        expect(self.page.locator(".outcome")).to_be_visible()

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
        require_file(AXE, "`make npm`")
        self.page.evaluate(AXE.read_text("utf-8"))
        report: dict[str, Any] = self.page.evaluate("axe.run()")
        assert [
            (finding["id"], [node["html"] for node in finding["nodes"]])
            for finding in report["violations"]
            if finding["impact"] in {"serious", "critical"}
        ] == []

    def take_picture(self, name: str, height: int = 800) -> None:
        if os.environ.get(PICTURES):
            self.page.set_viewport_size({"width": 1280, "height": height})
            self.page.screenshot(path=Path(os.environ[PICTURES]) / f"{name}.png")


@pytest.fixture
def window(browser: Browser, demo: Process, request: pytest.FixtureRequest) -> Iterator[Window]:
    """A window of a width and a colour scheme, which a test may choose; without scripts."""
    choice: dict[str, Any] = getattr(request, "param", {})
    options = {"viewport": WIDE, "locale": "vi-VN", **choice}
    context = browser.new_context(**options)
    opened = Window(context.new_page(), demo)
    context.on("request", opened.note_request)
    context.on("console", opened.note_console)
    opened.page.on("pageerror", lambda error: opened.defects.append(str(error)))
    yield opened
    context.close()


def test_the_list_leads_to_a_procedure(window: Window) -> None:
    window.open("/procedures")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Thủ tục hành chính")
    window.take_picture("procedures", 1100)
    window.page.get_by_role("link", name='Kiểm tra "chưa bị xử phạt"').click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text('Kiểm tra "chưa bị xử phạt"')
    expect(window.page.locator(".demo")).to_contain_text("BẢN DÙNG THỬ")
    window.require_quiet()


@every_case
def test_a_case_is_checked_and_recorded(window: Window, code: str) -> None:
    window.check(code)
    expect(window.page.locator("#result")).to_have_text("Kết quả kiểm tra")
    conditions = window.page.locator(".condition .badge")
    assert conditions.count() >= 3
    for badge in conditions.all():
        expect(badge.locator("svg")).to_be_visible()
        assert badge.inner_text().strip() != ""
    entry = entries(window.demo.folder / "journal")[-1]
    assert (entry["purpose"], entry["caseNumber"]) == (code, "HSĐ-12/2026/QĐ-UBND")
    if code == "1.000894":
        window.take_picture("procedure-result", 1500)
    window.require_quiet()


@every_case
def test_english_is_a_link_and_on_a_result_a_button(window: Window, code: str) -> None:
    window.open(f"/procedures/{code}")
    window.page.get_by_role("link", name="English").click()
    expect(window.page.locator("html")).to_have_attribute("lang", "en")
    window.check(code, "?lang=en")
    expect(window.page.locator("#result")).to_have_text("Result of the check")
    window.page.get_by_role("button", name="Kiểm tra lại bằng tiếng Việt").click()
    expect(window.page.locator("#result")).to_have_text("Kết quả kiểm tra")
    window.require_quiet()


@pytest.mark.parametrize("window", [{"viewport": PHONE}], indirect=True, ids=["390 px"])
@pytest.mark.parametrize("code", CHECKS)
def test_a_phone_shows_every_form_without_scrolling_sideways(window: Window, code: str) -> None:
    window.open_form(code)
    window.require_fit()
    window.page.locator("button.go").click()
    expect(window.page.get_by_role("alert")).to_be_visible()
    window.require_fit()
    window.require_no_barriers()
    window.check_anybody(code)
    window.require_fit()


@pytest.mark.parametrize("window", [{"viewport": PHONE}], indirect=True, ids=["390 px"])
@every_case
def test_a_phone_shows_a_result_without_scrolling_sideways(window: Window, code: str) -> None:
    window.open("/procedures")
    window.require_fit()
    window.check(code)
    window.require_fit()
    window.require_quiet()


@pytest.mark.parametrize("window", [{}, {"color_scheme": "dark"}], indirect=True,
                         ids=["light", "dark"])  # fmt: skip
@every_case
def test_there_are_no_barriers_in_light_and_dark(window: Window, code: str) -> None:
    window.open("/procedures")
    window.require_no_barriers()
    window.open_form(code)
    window.require_no_barriers()
    window.check(code)
    window.require_no_barriers()
    colours = window.page.evaluate(
        """[getComputedStyle(document.body).backgroundColor,
            matchMedia('(prefers-color-scheme: dark)').matches]"""
    )
    red = int(re.findall(r"\d+", colours[0])[0])
    assert (red < 64) is colours[1]


@pytest.mark.parametrize("code", CHECKS)
def test_a_result_is_printed_on_a_sheet(window: Window, code: str) -> None:
    window.check_anybody(code)
    sheets = window.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 1
    (size,) = set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", sheets))
    left, bottom, right, top = (float(number) for number in size.split())
    assert (right - left, top - bottom) == pytest.approx((595, 842), abs=1.5)
    window.page.emulate_media(media="print")
    expect(window.page.locator(".sheet-foot")).to_be_visible()
    expect(window.page.locator("#check")).to_be_hidden()


def test_everything_is_reached_by_the_keyboard(window: Window) -> None:
    window.open_form("no-sanction-check")
    window.page.keyboard.press("Tab")
    expect(window.page.locator(".skip")).to_be_focused()
    field = window.page.locator("[name=applicant]")
    for _ in range(12):
        window.page.keyboard.press("Tab")
        if field.evaluate("each => each === document.activeElement"):
            break
    expect(field).to_be_focused()
    assert field.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    window.page.keyboard.type(window.demo.tagged("married"))
    for _ in range(2):
        window.page.keyboard.press("Tab")
    window.page.keyboard.type("HS-1")
    window.page.keyboard.press("Enter")
    expect(window.page.locator(".outcome")).to_be_visible()


def test_bad_input_is_said_beside_its_field_and_mended(window: Window) -> None:
    window.open_form("no-sanction-check")
    field = window.page.get_by_label("Người đề nghị")
    field.fill("12x")
    window.page.get_by_label("Số hồ sơ").fill("HS-1")
    window.page.locator("button.go").click()
    expect(field).to_have_value("12x")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(window.page.locator("#e-applicant")).to_contain_text("12 chữ số")
    expect(window.page.locator("#e-applicant")).to_contain_text("12 digits")
    window.require_no_barriers()
    field.fill(window.demo.tagged("married"))
    window.page.locator("button.go").click()
    expect(window.page.locator(".outcome")).to_be_visible()


@pytest.mark.parametrize("window", [{"java_script_enabled": False}], indirect=True,
                         ids=["no scripts"])  # fmt: skip
def test_no_script_is_needed_and_no_cookie_is_set(window: Window) -> None:
    window.check("no-sanction-check")
    assert window.page.context.cookies() == []
    window.require_quiet()
