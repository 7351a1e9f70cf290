"""Signing in through a real OpenID Connect issuer, in a real browser."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.graphiql_page import GraphiqlPage
from tests.support.journals import entries
from tests.support.page_window import PHONE, PageWindow, open_window
from tests.support.process import Process
from tests.support.signing_in import CODE, give_password, sign_in_process

PAGE = f"/procedures/{CODE}"


@pytest.fixture(scope="module")
def site(demo: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run a gateway whose access tokens live for so short that each request renews them."""
    with sign_in_process(tmp_path_factory.mktemp("site") / "site", demo, life=20) as process:
        yield process


@pytest.fixture
def desk(browser: Browser, site: Process, request: pytest.FixtureRequest) -> Iterator[PageWindow]:
    """Open a window of the gateway; what it complains about counts from there on."""
    choice: dict[str, Any] = getattr(request, "param", {})
    with open_window(browser, site, **choice) as opened:
        yield opened


def sign_in(window: PageWindow, name: str = "an", path: str = PAGE) -> None:
    """Open a page, sign in from it, and come back to it."""
    window.open(path)
    window.page.locator("header").get_by_role("link", name="Đăng nhập").click()
    give_password(window.page, name)
    expect(window.page.get_by_role("button", name="Đăng xuất")).to_be_visible()
    assert window.page.url == f"{window.demo.url}{path}"


def sign_out(window: PageWindow) -> None:
    """Sign out here and, on the page that this leads to, at the issuer."""
    window.page.get_by_role("button", name="Đăng xuất").click()
    window.page.wait_for_url("**/session/end**")
    window.page.get_by_role("button", name="Đăng xuất").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Đã đăng xuất")


def fill(window: PageWindow, case: str) -> str:
    """Fill in the form, and return the number of the person in it."""
    number = window.demo.tagged("married")
    window.page.locator("[name=applicant]").fill(number)
    window.page.locator("[name=case-number]").fill(case)
    return number


def send(page: Page) -> None:
    page.locator("button.go[type=submit]").click()


def subjects(site: Process, case: str) -> list[object]:
    """Return who is in the journal for a case."""
    found = entries(site.folder / "journal")
    return [entry["subject"] for entry in found if entry.get("caseNumber") == case]


def require_sound(window: PageWindow) -> None:
    """Fail for barriers, for what is cut off, and for numbers in addresses of the gateway."""
    window.require_fit()
    window.require_no_barriers()
    assert window.defects == []
    number = window.demo.tagged("married")
    assert not any(number in request.url for request in window.requests)


@pytest.mark.parametrize("desk", [{}, {"viewport": PHONE}], indirect=True, ids=["wide", "390 px"])
def test_an_officer_signs_in_checks_a_case_and_signs_out(desk: PageWindow, site: Process) -> None:
    case = f"HS-{desk.page.evaluate('innerWidth')}"
    sign_in(desk)
    expect(desk.page.locator(".session strong")).to_have_text("Nguyễn Thị An")
    require_sound(desk)
    before = len(desk.console)
    fill(desk, case)
    send(desk.page)
    expect(desk.page.locator(".outcome")).to_be_visible()
    require_sound(desk)
    assert subjects(site, case) == ["an"]
    assert [message.text for message in desk.console[before:]] == []
    sign_out(desk)
    require_sound(desk)
    desk.open(PAGE)
    expect(desk.page.locator(".sign-in")).to_contain_text("Cần đăng nhập")
    require_sound(desk)
    desk.page.locator(".sign-in a").click()
    expect(desk.page.get_by_label("Mật khẩu")).to_be_visible()


def test_the_issuer_refuses_and_a_wrong_state_is_a_page(desk: PageWindow) -> None:
    desk.open(PAGE)
    desk.page.locator(".sign-in a").click()
    desk.page.get_by_role("button", name="Thôi").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("SIGN_IN_REFUSED")
    require_sound(desk)
    desk.open("/sign-in/callback?state=forged&code=stolen")
    expect(desk.page.get_by_role("alert")).to_contain_text("SIGN_IN_MISMATCH")
    require_sound(desk)
    desk.page.get_by_role("link", name="Đăng nhập lại").click()
    give_password(desk.page, "an")
    expect(desk.page.get_by_role("button", name="Đăng xuất")).to_be_visible()


def test_a_form_outlives_its_session(desk: PageWindow, site: Process) -> None:
    sign_in(desk)
    number = fill(desk, "HS-LATE")
    end_all_sessions(site)
    send(desk.page)
    alert = desk.page.get_by_role("alert")
    expect(alert).to_contain_text("Phiên đăng nhập đã kết thúc")
    require_sound(desk)
    with desk.page.expect_popup() as popup:
        alert.get_by_role("link").click()
    expect(popup.value.get_by_role("heading", level=1)).to_have_text("Đã đăng nhập")
    first, desk.page = desk.page, popup.value
    require_sound(desk)
    desk.page = first
    popup.value.close()
    expect(desk.page.locator("[name=applicant]")).to_have_value(number)
    send(desk.page)
    expect(desk.page.locator(".outcome")).to_be_visible()
    assert subjects(site, "HS-LATE") == ["an"]


def end_all_sessions(site: Process) -> None:
    """Let every session end, as by its time-out."""
    with sqlite3.connect(site.folder / "sessions/sessions.sqlite") as connection:
        connection.execute("UPDATE sessions SET expires = 0")
    connection.close()


def test_a_form_of_one_is_not_sent_as_another_from_a_second_tab(
    desk: PageWindow, site: Process
) -> None:
    sign_in(desk)
    number = fill(desk, "HS-TWO")
    first, desk.page = desk.page, desk.page.context.new_page()
    desk.open(PAGE)
    sign_out(desk)
    sign_in(desk, "binh")
    desk.page = first
    send(desk.page)
    expect(desk.page.get_by_role("alert")).to_contain_text("FORM_OF_ANOTHER")
    expect(desk.page.locator(".session strong")).to_have_text("Trần Văn Bình")
    expect(desk.page.locator("[name=applicant]")).to_have_value(number)
    require_sound(desk)
    send(desk.page)
    expect(desk.page.locator(".outcome")).to_be_visible()
    assert subjects(site, "HS-TWO") == ["binh"]


def test_who_signed_in_explores_without_a_token(desk: PageWindow) -> None:
    sign_in(desk)
    desk.open("/graphql")
    explorer = GraphiqlPage(desk.page, desk.demo)
    explorer.require_editor()
    expect(desk.page.locator("[data-menu=caller]")).to_contain_text("Nguyễn Thị An")
    with desk.page.expect_response("**/graphql") as answered:
        desk.page.locator(".run").click()
    assert "x-csrf-token" in answered.value.request.headers
    refusals = {error["extensions"]["code"] for error in answered.value.json().get("errors", [])}
    assert refusals.isdisjoint({"CSRF_TOKEN_REQUIRED", "SESSION_EXPIRED", "UNAUTHENTICATED"})
    assert client_of(desk.demo, answered.value.headers["x-request-id"]) == "gateway-pages"


def client_of(site: Process, request_id: str) -> object:
    """Return the client of a request, as the log has it soon after the response has left."""
    line_part = f'"request_id":"{request_id}"'
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for line in (site.folder / "serve.log").read_text("utf-8").splitlines():
            if line_part in line and line.endswith("}"):
                return json.loads(line)["client"]
        time.sleep(0.01)  # between two looks
    raise AssertionError(f"the log has no line of {request_id}")
