"""The pages of procedures in a real browser, with the demo in a separate process."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import expect

from gateway.procedures.registry import ALL
from tests.support.journals import entries
from tests.support.page_window import PHONE, PageWindow

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


def open_form(window: PageWindow, code: str, language: str = "") -> None:
    """Open the page of a procedure as the desk of the demo."""
    window.open_as(f"/procedures/{code}{language}", "one_stop_desk")


def check(window: PageWindow, code: str, language: str = "") -> None:
    """Open the form of a case, fill it and send it."""
    open_form(window, code, language)
    send_case(window, code)


def send_case(window: PageWindow, code: str) -> None:
    """Fill the form that is open with a case and send it."""
    for role, tags in CASES[code].items():
        window.page.locator(f"[name={role}]").fill(window.demo.tagged(*tags))
    window.page.locator("[name=case-number]").fill("HSĐ-12/2026/QĐ-UBND")
    window.page.locator("button.go").click()
    expect(window.page.locator(".outcome")).to_be_visible()


def check_anybody(window: PageWindow, code: str) -> None:
    """Fill in whatever the form that is open requires, and send it."""
    people = (persona["id"] for persona in window.demo.personas)
    for control in window.page.locator("#check [aria-required]").all():
        if control.evaluate("each => each.localName") == "select":
            control.select_option(index=1)
        elif "number" in (control.get_attribute("class") or ""):
            control.fill(next(people))
        else:
            is_day = control.get_attribute("type") == "date"
            is_amount = control.get_attribute("inputmode") == "decimal"
            control.fill("2026-11-01" if is_day else "1" if is_amount else "HS-1")
    for name, value in PARTICULARS.get(code, {}).items():
        window.page.locator(f"[name={name}]").fill(value or next(people))
    window.page.locator("button.go").click()
    expect(window.page.locator(".outcome")).to_be_visible()


def test_the_list_leads_to_a_procedure(window: PageWindow) -> None:
    window.open("/procedures")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Thủ tục hành chính")
    window.take_picture("procedures", 1100)
    window.page.get_by_role("link", name='Kiểm tra "chưa bị xử phạt"').click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text('Kiểm tra "chưa bị xử phạt"')
    expect(window.page.locator(".demo")).to_contain_text("BẢN DÙNG THỬ")
    window.require_quiet()


@every_case
def test_a_case_is_checked_and_recorded(window: PageWindow, code: str) -> None:
    check(window, code)
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
def test_english_is_a_link_and_on_a_result_a_button(window: PageWindow, code: str) -> None:
    window.open(f"/procedures/{code}")
    window.page.get_by_role("link", name="English").click()
    expect(window.page.locator("html")).to_have_attribute("lang", "en")
    window.choose_caller("one_stop_desk")
    send_case(window, code)
    expect(window.page.locator("#result")).to_have_text("Result of the check")
    window.page.get_by_role("button", name="Kiểm tra lại bằng tiếng Việt").click()
    expect(window.page.locator("#result")).to_have_text("Kết quả kiểm tra")
    window.require_quiet()


@pytest.mark.parametrize("window", [{"viewport": PHONE}], indirect=True, ids=["390 px"])
@pytest.mark.parametrize("code", CHECKS)
def test_every_form_fits_a_phone_and_its_result_a_sheet(window: PageWindow, code: str) -> None:
    open_form(window, code)
    window.require_fit()
    window.page.locator("button.go").click()
    expect(window.page.get_by_role("alert")).to_be_visible()
    window.require_fit()
    window.require_no_barriers()
    check_anybody(window, code)
    window.require_fit()
    sheets = window.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 1
    (size,) = set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", sheets))
    left, bottom, right, top = (float(number) for number in size.split())
    assert (right - left, top - bottom) == pytest.approx((595, 842), abs=1.5)
    window.page.emulate_media(media="print")
    expect(window.page.locator(".sheet-foot")).to_be_visible()
    expect(window.page.locator("#check")).to_be_hidden()


@pytest.mark.parametrize("window", [{"viewport": PHONE}], indirect=True, ids=["390 px"])
@every_case
def test_a_phone_shows_a_result_without_scrolling_sideways(window: PageWindow, code: str) -> None:
    window.open("/procedures")
    window.require_fit()
    check(window, code)
    window.require_fit()
    window.require_quiet()


@pytest.mark.parametrize("window", [{}, {"color_scheme": "dark"}], indirect=True,
                         ids=["light", "dark"])  # fmt: skip
def test_there_are_no_barriers_in_light_and_dark(window: PageWindow) -> None:
    window.open("/procedures")
    window.require_no_barriers()
    for code in CASES:
        open_form(window, code)
        window.require_no_barriers()
        send_case(window, code)
        window.require_no_barriers()
    colours = window.page.evaluate(
        """[getComputedStyle(document.body).backgroundColor,
            matchMedia('(prefers-color-scheme: dark)').matches]"""
    )
    red = int(re.findall(r"\d+", colours[0])[0])
    assert (red < 64) is colours[1]


def test_everything_is_reached_by_the_keyboard(window: PageWindow) -> None:
    open_form(window, "no-sanction-check")
    window.page.keyboard.press("Tab")
    expect(window.page.locator(".skip")).to_be_focused()
    field = window.page.locator("[name=applicant]")
    for _ in range(40):
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


def test_bad_input_is_said_beside_its_field_and_mended(window: PageWindow) -> None:
    open_form(window, "no-sanction-check")
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
def test_no_script_is_needed_and_no_cookie_is_set(window: PageWindow) -> None:
    window.open("/procedures/no-sanction-check")
    window.choose_caller("one_stop_desk")
    send_case(window, "no-sanction-check")
    assert window.page.context.cookies() == []
    window.require_quiet()
