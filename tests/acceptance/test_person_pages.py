"""``/person`` and ``/me`` in a real browser, with the demo in a separate process."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.journals import entries
from tests.support.page_window import PHONE, PageWindow

CASE = "HSĐ-12/2026/QĐ-UBND"
#: Personas of whom there is something to correct, and a debtor whose asset is blocked.
CONFLICT, DEBTOR = "conflicting_data", "blocked_asset"


def look(
    window: PageWindow, tag: str = CONFLICT, caller: str = "officer", purpose: str = "1.000894",
    language: str = "",
) -> None:  # fmt: skip
    """Look at a persona as a demo officer."""
    window.open_as(f"/person{language}", caller)
    send_look(window, tag, purpose)


def send_look(window: PageWindow, tag: str, purpose: str = "1.000894") -> None:
    """Fill the form that is open with a look at a persona, and send it."""
    window.page.locator("[name=number]").fill(window.demo.tagged(tag))
    window.page.locator("[name=purpose]").select_option(purpose)
    window.page.locator("[name=case-number]").fill(CASE)
    window.page.locator("button.go").click()
    expect(window.page.locator(".person-view")).to_be_visible()


def open_own_view(window: PageWindow, language: str = "") -> None:
    """Become the demo citizen of whom two registers say different things."""
    window.open(f"/me{language}")
    names = [persona["name"] for persona in window.demo.personas if CONFLICT in persona["tags"]]
    window.page.get_by_role("link", name=names[1]).click()
    expect(window.page.locator(".full-name")).to_have_text(names[1])


def test_an_officer_sees_each_database_with_its_state(window: PageWindow) -> None:
    look(window)
    assert window.page.locator(".register").count() == 7
    for mark in window.page.locator(".mark-state").all():
        expect(mark.locator("svg")).to_be_visible()
        assert mark.inner_text().strip() != ""
    expect(window.page.locator("#notary")).to_contain_text("purpose:notary.transactions")
    entry = entries(window.demo.folder / "journal")[-1]
    assert (entry["purpose"], entry["caseNumber"]) == ("1.000894", CASE)
    window.require_quiet()
    window.take_picture("person", 1250)


def test_the_enforcement_officer_sees_assets_and_the_history(window: PageWindow) -> None:
    look(window, DEBTOR, "enforcement_officer", "enforcement-verification")
    expect(window.page.locator("#civilEnforcement .person-record").first).to_be_visible()
    expect(window.page.locator(".timeline .events li").first).to_be_visible()
    window.require_quiet()


def test_a_citizen_sees_a_conflict_and_prints_a_request(window: PageWindow) -> None:
    open_own_view(window)
    expect(window.page.locator(".side.prevails").first).to_be_visible()
    expect(window.page.locator(".log .events li").first).to_contain_text("Chính bạn")
    window.take_picture("me", 1250)
    window.page.get_by_role("link", name="Soạn đơn đề nghị chỉnh sửa").first.click()
    expect(window.page.locator(".motto")).to_contain_text("Độc lập - Tự do - Hạnh phúc")
    window.require_no_barriers()
    window.require_fit()
    sheets = window.page.pdf(prefer_css_page_size=True)
    letters = window.page.locator(".letter").count()
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == letters
    window.take_picture("correction", 1250)
    window.require_quiet()


@pytest.mark.parametrize("window", [{"viewport": PHONE}], indirect=True, ids=["390 px"])
def test_a_phone_shows_the_pages_without_scrolling_sideways(window: PageWindow) -> None:
    window.open("/me")
    window.require_fit()
    window.require_no_barriers()
    look(window)
    window.require_fit()
    open_own_view(window, "?lang=en")
    window.require_fit()
    window.require_quiet()


@pytest.mark.parametrize("window", [{"color_scheme": "dark"}], indirect=True, ids=["dark"])
def test_a_look_has_no_barriers_in_the_dark(window: PageWindow) -> None:
    look(window)
    window.require_no_barriers()
    window.require_quiet()


def test_the_own_view_has_no_barriers(window: PageWindow) -> None:
    open_own_view(window)
    window.require_no_barriers()


def test_print_shows_what_is_folded_on_the_screen(window: PageWindow) -> None:
    open_own_view(window)
    inside = window.page.locator("#civilStatus .person-record dl").first
    expect(inside).to_be_hidden()
    window.page.emulate_media(media="print")
    shown = "each => each.checkVisibility({contentVisibilityAuto: true})"
    assert inside.evaluate(shown)
    expect(window.page.locator(".cast")).to_be_hidden()
    expect(window.page.locator(".person-contents")).to_be_hidden()


def test_a_look_in_english_is_a_button(window: PageWindow) -> None:
    look(window)
    window.page.get_by_role("button", name="Look up again in English").click()
    expect(window.page.locator("html")).to_have_attribute("lang", "en")
    expect(window.page.locator("#result")).to_have_text("What is recorded")
    window.require_quiet()


def test_bad_input_is_said_beside_its_field_by_the_keyboard(window: PageWindow) -> None:
    window.open_as("/person", "officer")
    field = window.page.get_by_label("Số định danh")
    field.focus()
    window.page.keyboard.type("12x")
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("ArrowDown")
    window.page.keyboard.press("Tab")
    window.page.keyboard.type(CASE)
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#e-number")).to_contain_text("12 digits")
    expect(field).to_have_value("12x")
    expect(field).to_have_attribute("aria-invalid", "true")
    window.require_no_barriers()


@pytest.mark.parametrize("window", [{"java_script_enabled": False}], indirect=True,
                         ids=["no scripts"])  # fmt: skip
def test_no_script_is_needed_and_no_cookie_is_set(window: PageWindow) -> None:
    window.open("/person")
    window.choose_caller("officer")
    send_look(window, CONFLICT)
    window.page.get_by_role("link", name="Dữ liệu của tôi").click()
    expect(window.page.locator(".cast")).to_be_visible()
    assert window.page.context.cookies() == []
    window.require_quiet()
