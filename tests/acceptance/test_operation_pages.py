"""The pages of published operations in a real browser, with the demo in a separate process."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.journals import entries
from tests.support.page_window import PHONE, PageWindow

CASE = "HSĐ-12/2026/QĐ-UBND"


def open_form(window: PageWindow) -> None:
    """Open the page of an operation, whose form holds its example."""
    window.open("/operations/marital-status/try?as=officer")
    expect(window.page.locator("[name='v.id']")).to_have_value(window.demo.tagged("married"))


def test_an_operation_is_tried_from_the_list(window: PageWindow) -> None:
    page = window.page
    window.open("/operations")
    window.choose_caller("officer")
    page.get_by_role("link", name="Tình trạng hôn nhân kèm căn cứ").click()
    page.get_by_label("Mục đích").select_option("1.000894")
    page.get_by_label("Số hồ sơ").fill(CASE)
    page.get_by_role("button", name="Gọi thao tác").click()
    expect(page.locator("#result")).to_be_visible()
    expect(page.locator(".figures .json")).to_contain_text('"state": "ANSWERED"')
    expect(page.locator("[name='case-number']")).to_have_value(CASE)
    entry = entries(window.demo.folder / "journal")[-1]
    assert entry["operation"] == "marital-status.v2"
    assert (entry["purpose"], entry["caseNumber"]) == ("1.000894", CASE)
    window.require_fit()
    window.take_picture("operations", 1250)
    page.emulate_media(media="print")
    expect(page.locator(".figures .json")).to_be_visible()
    expect(page.locator("#call")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Call again in English").click()
    expect(page.locator("#result")).to_have_text("Result")
    window.require_quiet()


@pytest.mark.parametrize(
    "window",
    [{"viewport": PHONE}, {"color_scheme": "dark"}],
    indirect=True,
    ids=["390 px, light", "1280 px, dark"],
)
def test_there_are_no_barriers_and_nothing_is_cut_off(window: PageWindow) -> None:
    window.open("/operations?as=officer")
    window.require_fit()
    window.require_no_barriers()
    open_form(window)
    window.page.locator("button.go").click()
    expect(window.page.get_by_role("alert")).to_contain_text("PURPOSE_REQUIRED")
    window.require_fit()
    window.require_no_barriers()


def test_a_bad_number_is_mended_by_the_keyboard(window: PageWindow) -> None:
    open_form(window)
    page = window.page
    page.get_by_label("Mục đích").select_option("1.000894")
    page.get_by_label("Số hồ sơ").fill(CASE)
    number = page.locator("[name='v.id']")
    number.fill("12x")
    number.press("Enter")
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[id='e-v.id']")).to_contain_text("12 digits")
    number.press("Control+A")
    page.keyboard.type(window.demo.tagged("married"))
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_be_visible()
