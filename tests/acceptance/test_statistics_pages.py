"""The page of statistics in a real browser, with the demo in a separate process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.journals import entries
from tests.support.page_window import PHONE, PageWindow

BIRTHS = "record=civil_status.births&by=YEAR&by=SEX&show=1"


def open_figures(window: PageWindow) -> None:
    window.open(f"/statistics?as=analyst&{BIRTHS}")
    expect(window.page.locator("table.counts")).to_be_visible()


def test_figures_are_chosen_by_clicks_and_the_table_is_taken_home(
    window: PageWindow, tmp_path: Path
) -> None:
    page = window.page
    window.open("/statistics")
    window.choose_caller("analyst")
    page.get_by_label("Cơ sở dữ liệu và loại bản ghi").select_option("civil_status.births")
    page.get_by_role("button", name="Chọn", exact=True).click()
    page.get_by_label("Năm", exact=True).check()
    page.get_by_label("Giới tính").check()
    page.get_by_role("button", name="Hiện số liệu").click()
    expect(page.locator("svg.bars rect").first).to_be_visible()
    assert page.locator("td.suppressed").count() > 0
    assert all(text == "ẩn" for text in page.locator("td.suppressed").all_inner_texts())
    window.require_fit()
    window.take_picture("statistics", 1420)
    entry = entries(window.demo.folder / "journal")[-1]
    assert entry["sections"] == {"civil_status.births": "ANSWERED"}
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải bảng về (CSV)").click()
    file = tmp_path / "file.csv"
    download.value.save_as(file)
    rows = [line for line in file.read_text("utf-8-sig").splitlines() if line[:1] != "#"]
    assert len(rows) - 1 == page.locator("table.counts td").count()
    page.get_by_role("link", name="English").click()
    expect(page.locator("table.counts caption")).to_contain_text("by year, Sex")
    window.require_quiet()


@pytest.mark.parametrize(
    "window",
    [{"viewport": PHONE}, {"color_scheme": "dark"}],
    indirect=True,
    ids=["390 px, light", "1280 px, dark"],
)
def test_there_are_no_barriers_and_nothing_is_cut_off(window: PageWindow) -> None:
    open_figures(window)
    window.require_fit()
    window.require_no_barriers()
    open_refusal(window)
    window.require_fit()
    window.require_no_barriers()


def open_refusal(window: PageWindow) -> None:
    window.open(
        "/statistics?as=analyst&record=civil_status.births&by=YEAR&from=2025&to=2020&show=1"
    )
    expect(window.page.get_by_role("alert")).to_contain_text("INVALID_VALUE")


def test_a_reversed_range_is_mended_by_the_keyboard(window: PageWindow) -> None:
    open_refusal(window)
    first = window.page.get_by_label("Từ năm")
    expect(first).to_have_value("2025")
    expect(first).to_have_attribute("aria-invalid", "true")
    first.press("Control+A")
    window.page.keyboard.type("2019")
    window.page.keyboard.press("Enter")
    expect(window.page.locator("table.counts tbody tr")).to_have_count(2)


def test_paper_has_the_figures_and_not_the_form(window: PageWindow) -> None:
    open_figures(window)
    window.page.emulate_media(media="print")
    expect(window.page.locator("table.counts")).to_be_visible()
    expect(window.page.locator("#count")).to_be_hidden()
    sheets = window.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 1
