"""The report as HTML: well-formed, of one file, readable, and in the colours of the pages."""

from __future__ import annotations

import base64
import re
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import pytest

from connectors.registry import installed_databases
from reconcile.report.counts import write_counts
from reconcile.report.needs import MEASURES
from reconcile.report.page import number
from reconcile.report.write import write_report
from rules.registry import RULES
from tests.support.report_runs import SETTINGS, RunBuilder, draw_findings, draw_rows

VOID = {"meta", "path", "circle", "line", "rect", "link", "br"}
PAGES = Path("gateway/pages/static/style.css").read_text("utf-8")
STYLE = Path("reconcile/report/templates/report.css").read_text("utf-8")


class Outline(HTMLParser):
    """Elements of a page: whether each is closed, identifiers, headings, charts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.identifiers: list[str] = []
        self.references: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        values = dict(attrs)
        self.identifiers += [values["id"] or ""] if "id" in values else []
        self.references += (values.get("aria-labelledby") or "").split()
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") or name == "style" for name in values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    builder = RunBuilder.at(tmp_path_factory.mktemp("report"))
    rng = Random(3)
    builder.extracts = {record: draw_rows(rng, record, 200) for record in MEASURES}
    text = ""
    for first in (0, 100):
        run = builder.add(draw_findings(rng, 500, first))
        write_counts(builder.folder, run, RULES, [], SETTINGS)
        write_report(builder.folder, run, RULES, installed_databases())
        text = run.report.read_text("utf-8")
    return text


def test_every_element_is_closed_and_every_reference_leads_somewhere(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert len(set(outline.identifiers)) == len(outline.identifiers)
    assert set(outline.references) <= set(outline.identifiers)
    assert outline.tags["h1"] == 1


def test_a_chart_has_a_title_a_description_and_a_table_beside_it(page: str) -> None:
    charts = re.findall(r'<figure class="chart">(.*?)</figure>\s*<table', page, re.DOTALL)
    assert len(charts) == page.count('<figure class="chart">') >= 5 + len(MEASURES) - 1
    for chart in charts:
        title = re.search(r"<title [^>]*>(.+?)</title>", chart)
        described = re.search(r"<desc [^>]*>(.+?)</desc>", chart)
        assert title
        assert described


def test_it_loads_and_runs_nothing(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.addresses == []
    assert outline.tags["script"] == outline.tags["link"] == outline.tags["img"] == 0
    assert "@import" not in page
    assert set(re.findall(r"url\(([^)]*)\)", page)) == {"#hatch"}
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in page
    assert "default-src &#39;none&#39;" in page


def test_every_rule_has_its_advice_and_legal_basis_in_both_languages(page: str) -> None:
    text = re.sub(r"\s+", " ", page.replace("&#39;", "'").replace("&amp;", "&"))
    for rule in RULES:
        for words in (rule.code.title, rule.advice, rule.severity.title):
            assert words.vi in text
            assert words.en in text
        assert rule.legal_basis in text


def test_colours_are_those_of_the_pages() -> None:
    def schemes(style: str) -> list[dict[str, str]]:
        return [
            dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})\b", block))
            for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
        ]

    for report, pages in zip(schemes(STYLE), schemes(PAGES), strict=True):
        assert report
        assert report.items() <= pages.items()


def test_thousands_stand_apart() -> None:
    assert [number(each) for each in (5, 1000, 1234567)] == [
        "5",
        "1\u202f000",
        "1\u202f234\u202f567",
    ]
