"""The report of a national run in a real browser, from its file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from connectors.registry import installed_databases
from reconcile.manifest import ExtractProgress
from reconcile.report.counts import write_counts
from reconcile.report.needs import MEASURES
from reconcile.report.write import write_report
from rules.registry import RULES
from tests.support.barriers import AXE
from tests.support.browser import require_file
from tests.support.page_window import PHONE, PICTURES, WIDE
from tests.support.report_runs import (
    SETTINGS,
    RunBuilder,
    draw_findings,
    draw_rows,
    unreadable,
)

COMPLETE = ExtractProgress(parts=1, rows=1000, complete=True)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of a second run, in which some things were not checked."""
    builder = RunBuilder.at(tmp_path_factory.mktemp("report"))
    rng = Random(11)
    builder.extracts = {record: draw_rows(rng, record, 1000) for record in MEASURES}
    before = draw_findings(rng, 4000)
    after = [each for each in before if rng.random() < 0.8] + draw_findings(rng, 600, 10_000)
    # A rule that needs divorces, which the second run could not read.
    after = [each for each in after if each.rule != "UNENDED_MARRIAGE"]
    gaps = {
        "civil_status.divorces": ExtractProgress(failure="the server ended the connection"),
        "population.identity": unreadable(COMPLETE, birth_date=4, sex=60),
    }
    path = Path()
    for findings, progress in ((before, {}), (after, gaps)):
        run = builder.add(findings, progress)
        write_counts(builder.folder, run, RULES, [], SETTINGS)
        write_report(builder.folder, run, RULES, installed_databases())
        path = run.report
    return path


@pytest.fixture
def page(
    browser: Browser, report: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Page, list[str], list[str]]]:
    """Open the report; with it what it asked for and what stands in the console."""
    choice: dict[str, Any] = getattr(request, "param", {})
    context = browser.new_context(**{"viewport": WIDE, "locale": "vi-VN", **choice})
    requests: list[str] = []
    messages: list[str] = []

    def note_request(asked: Request) -> None:
        requests.append(asked.url)

    def note_message(message: ConsoleMessage) -> None:
        messages.append(message.text)

    context.on("request", note_request)
    context.on("console", note_message)
    opened = context.new_page()
    opened.goto(report.as_uri())
    yield opened, requests, messages
    context.close()


@pytest.mark.parametrize(
    "page",
    [{}, {"viewport": PHONE}, {"color_scheme": "dark"}],
    indirect=True,
    ids=["1280 px, light", "390 px, light", "1280 px, dark"],
)
def test_there_are_no_barriers_and_nothing_is_cut_off(
    page: tuple[Page, list[str], list[str]], report: Path
) -> None:
    window, requests, messages = page
    expect(window.locator("h1")).to_be_visible()
    width, room = window.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= room
    assert requests == [report.as_uri()]
    assert messages == []
    require_file(AXE, "`make npm`")
    window.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = window.evaluate("axe.run()")
    assert [
        (finding["id"], [node["html"] for node in finding["nodes"]])
        for finding in found["violations"]
    ] == []


def test_what_was_not_checked_comes_first_and_has_its_own_mark(
    page: tuple[Page, list[str], list[str]],
) -> None:
    window, _, _ = page
    expect(window.locator("main section").first.locator("h2")).to_contain_text("Đã kiểm tra gì")
    verdict = window.locator(".verdict")
    expect(verdict).to_have_class("verdict is-open")
    expect(verdict).to_have_css("border-top-style", "dashed")
    expect(window.locator("rect.b-stub").first).to_be_visible()
    expect(window.locator("rect.b-gap").first).to_be_visible()
    if folder := os.environ.get(PICTURES):
        window.set_viewport_size({"width": 1280, "height": 1000})
        window.screenshot(path=Path(folder) / "reconcile-report.png")


def test_paper_is_a4_and_has_every_section(page: tuple[Page, list[str], list[str]]) -> None:
    window, _, _ = page
    window.emulate_media(media="print")
    assert window.locator("h2").count() == 9
    for heading in window.locator("h2").all():
        expect(heading).to_be_visible()
    sheets = window.pdf(prefer_css_page_size=True)
    boxes = re.findall(r"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", sheets.decode("latin-1"))
    assert {(round(float(wide)), round(float(high))) for wide, high in boxes} == {(595, 842)}
