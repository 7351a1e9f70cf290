"""The home page, the catalogue, data dictionaries and the status page in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, expect

from connectors.registry import installed_databases
from gateway.pages.navigation import SECTIONS
from gateway.runtime.clock import LEGAL_ZONE
from tests.support.page_window import PHONE, PageWindow, open_window
from tests.support.process import Process, demo_process

PATHS = ("/", "/catalogue", "/status", "/catalogue/nothing")
#: CSS pixels of the part of an A4 sheet that is printed on: 210 mm less two margins of 13 mm.
SHEET = {"width": 695, "height": 1000}
WILLS = """query ($id: PersonNumber!) { person(id: $id) {
  notary { transactions { items { notarialNo } source { state } } } } }"""
PLAN = """mutation ($database: String!, $begins: DateTime, $ends: DateTime) {
  planMaintenance(database: $database, begins: $begins, ends: $ends) { id } }"""


@pytest.fixture(scope="module")
def troubled(demo: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run a demo of which a database is in maintenance, and the file of another is spoilt."""
    folder = tmp_path_factory.mktemp("troubled") / ".demo"
    shutil.copytree(demo.folder / "databases", folder / "databases")
    shutil.copy(demo.folder / "personas.json", folder)
    with demo_process(folder) as process:
        ends = datetime.now(LEGAL_ZONE).replace(microsecond=0) + timedelta(hours=3)
        begins = ends + timedelta(days=7)
        windows: list[dict[str, object]] = [
            {"database": "civil_enforcement", "ends": ends.isoformat()},
            {"database": "population", "begins": begins.isoformat()},
        ]
        for window in windows:
            assert "errors" not in process.ask(PLAN, window, caller="operator")
        (folder / "databases" / "notary.sqlite").write_bytes(b"this is no database\n" * 400)
        answer = process.ask(WILLS, {"id": process.personas[0]["id"]}, caller="bench")
        source = answer["data"]["person"]["notary"]["transactions"]["source"]
        assert source["state"] == "UNAVAILABLE"
        yield process


def test_the_home_page_leads_to_every_page(window: PageWindow) -> None:
    window.open("/")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Cổng tra cứu dữ liệu tư pháp")
    window.take_picture("home", 1250)
    window.page.locator("main").get_by_role("link", name="Danh mục cơ sở dữ liệu").first.click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Danh mục cơ sở dữ liệu")
    window.page.get_by_role("link", name="English").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Catalogue of databases")
    window.page.locator(".brand").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Justice gateway")
    window.require_quiet()


def test_every_page_of_the_navigation_answers(window: PageWindow) -> None:
    window.open("/status")
    links = window.page.locator("nav.sections a")
    addresses = [link.get_attribute("href") or "" for link in links.all()]
    assert addresses == [section.address for section in SECTIONS]
    for address in addresses:
        answer = window.page.context.request.get(
            window.demo.url + address, headers={"accept": "text/html"}
        )
        assert answer.status == 200, address


@pytest.mark.parametrize(
    "window", [{}, {"viewport": PHONE}, {"color_scheme": "dark"}], indirect=True,
    ids=["wide", "390 px", "dark"],
)  # fmt: skip
@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_and_has_no_barriers(window: PageWindow, path: str) -> None:
    window.open(path)
    window.require_fit()
    window.require_no_barriers()
    if path != "/catalogue/nothing":  # the browser itself reports a 404 in the console
        window.require_quiet()


@pytest.mark.parametrize("window", [{"viewport": PHONE}], indirect=True, ids=["390 px"])
def test_a_dictionary_fits_a_phone_and_has_no_barriers(window: PageWindow) -> None:
    window.open("/catalogue/population")
    window.require_fit()
    table = window.page.get_by_role("table").first
    expect(table.get_by_role("columnheader", name="Mức độ bảo vệ")).to_be_attached()
    expect(table.get_by_role("rowheader").first).to_be_visible()
    # Its parts are alike: axe-core would take many seconds for all of them.
    window.page.evaluate(
        "[...document.querySelectorAll('.record')].slice(1, -1).forEach(each => each.remove())"
    )
    window.require_no_barriers()
    window.require_quiet()


def test_the_catalogue_shows_state_and_measurements(window: PageWindow) -> None:
    number = window.demo.personas[0]["id"]
    window.demo.ask(WILLS, {"id": number}, caller="bench")
    window.open("/catalogue")
    for database in installed_databases():
        card = window.page.locator(".card", has_text=database.name)
        badge = card.locator(".badge")
        expect(badge.locator("svg")).to_be_visible()
        expect(badge).to_have_text("Đang trả lời")
    notary = window.page.locator(".card", has_text="notary")
    expect(notary).to_contain_text(re.compile(r"trung vị (< )?[\d,]+ ms"))
    expect(notary).to_contain_text("lần gọi: ")
    expect(window.page.get_by_role("heading", name="Dự kiến xây dựng 0")).to_be_visible()
    window.take_picture("catalogue", 1000)
    window.require_quiet()


def test_a_dictionary_is_read_and_its_contract_downloaded(window: PageWindow) -> None:
    window.open("/catalogue/civil_status")
    window.take_picture("dictionary", 1300)
    window.page.get_by_role("link", name="Kết hôn", exact=True).click()
    expect(window.page.locator("#type-Marriage")).to_be_in_viewport()
    with window.page.expect_download() as download:
        window.page.get_by_role("link", name="Tải hợp đồng dữ liệu").click()
    assert download.value.suggested_filename == "civil_status.odcs.yaml"
    contract = yaml.safe_load(Path(download.value.path()).read_text("utf-8"))
    assert (contract["kind"], contract["apiVersion"]) == ("DataContract", "v3.1.0")
    assert {"births", "marriages"} <= {record["name"] for record in contract["schema"]}


def test_a_dictionary_fits_on_paper(window: PageWindow) -> None:
    window.open("/catalogue/civil_status")
    sheets = window.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) > 5
    for size in set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", sheets)):
        left, bottom, right, top = (float(number) for number in size.split())
        assert (right - left, top - bottom) == pytest.approx((595, 842), abs=1.5)
    window.page.emulate_media(media="print")
    window.page.set_viewport_size(SHEET)  # type: ignore[arg-type]
    window.require_fit()
    cut = """[...document.querySelectorAll('th, td, dd, caption + thead')]
        .filter(cell => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 1)
        .map(cell => cell.textContent)"""
    assert window.page.evaluate(cut) == []
    heads = "[...document.querySelectorAll('thead')].map(each => getComputedStyle(each).display)"
    assert set(window.page.evaluate(heads)) == {"table-header-group"}
    expect(window.page.locator(".contents")).to_be_hidden()
    expect(window.page.locator("nav.sections")).to_be_hidden()


def test_everything_is_reached_by_the_keyboard(window: PageWindow) -> None:
    window.open("/catalogue")
    window.page.keyboard.press("Tab")
    expect(window.page.locator(".skip")).to_be_focused()
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")
    link = window.page.locator(".card a").first
    expect(link).to_be_focused()
    assert link.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    title = link.inner_text()
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(title)


def test_an_unknown_database_is_said_in_both_languages(window: PageWindow) -> None:
    window.open("/catalogue/nothing")
    expect(window.page.locator("main")).to_contain_text("Không có địa chỉ này.")
    expect(window.page.locator("main [lang=en]")).to_have_text("There is nothing at this address.")
    window.page.get_by_role("link", name="Quay lại").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Danh mục cơ sở dữ liệu")


@pytest.mark.parametrize("choice", [{}, {"viewport": PHONE}, {"color_scheme": "dark"}],
                         ids=["wide", "390 px", "dark"])  # fmt: skip
def test_trouble_is_shown_by_word_and_shape(
    browser: Browser, troubled: Process, choice: dict[str, object]
) -> None:
    with open_window(browser, troubled, **choice) as window:
        window.open("/status")
        expect(window.page.locator("#statement")).to_contain_text("không trả lời đầy đủ")
        notary = window.page.locator(".register", has_text="công chứng").first
        expect(notary.locator(".badge")).to_have_text("Không trả lời")
        enforcement = window.page.locator(".register", has_text="thi hành án dân sự").first
        expect(enforcement.locator(".badge")).to_have_text("Đang bảo trì")
        expect(enforcement).to_contain_text(re.compile(r"đến \d\d:\d\d:\d\d ngày"))
        planned = window.page.locator("section[aria-labelledby=planned] .register")
        expect(planned).to_contain_text("dân cư")
        expect(planned).to_contain_text("đến khi có thông báo mới")
        shapes = {
            badge.evaluate("each => each.querySelector('svg').innerHTML")
            for badge in window.page.locator(".badge").all()
        }
        assert len(shapes) == 3
        expect(window.page.locator("main")).not_to_contain_text("sqlite")
        window.require_fit()
        window.require_no_barriers()
        window.require_quiet()
        if not choice:
            window.take_picture("status", 1350)
