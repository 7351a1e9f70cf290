"""The explorer in GraphiQL: building by clicks, tables, copies, callers, phones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import require_file
from tests.support.graphiql_page import PHONE, GraphiqlPage, open_graphiql
from tests.support.process import Process

#: The most that a first visit may transfer, in bytes, with the schema and the workers.
FIRST_VISIT = 2_500_000
COMMANDS = {
    "curl": ["/bin/sh"],
    "Python": [sys.executable, "-"],
    "TypeScript": ["/usr/bin/env", "node", "--input-type=module", "-"],
}


@pytest.fixture
def graphiql(
    browser: Browser, demo: Process, request: pytest.FixtureRequest
) -> Iterator[GraphiqlPage]:
    options: dict[str, Any] = getattr(request, "param", {})
    with open_graphiql(browser, demo, **options) as window:
        yield window


def test_an_example_is_run_and_its_lists_are_tables(graphiql: GraphiqlPage, demo: Process) -> None:
    graphiql.act_as("officer")
    person = graphiql.run("One person")["data"]["person"]
    panel = graphiql.show("table")
    expect(panel.locator(".state")).to_contain_text("đã trả lời")
    expect(panel.locator(".state svg")).to_be_visible()
    name = person["population"]["identity"]["item"]["fullName"]
    expect(panel.locator("tbody")).to_contain_text(name)
    panel.locator("select[name=list]").select_option("person › civilStatus › marriages")
    marriage = person["civilStatus"]["marriages"]["items"][0]
    expect(panel.locator("tbody")).to_contain_text(marriage["husband"]["name"])
    expect(panel.locator("[data-csv=refused]")).to_be_visible()
    graphiql.require_quiet()


def test_a_list_that_was_denied_is_no_empty_table(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("officer")
    graphiql.run("Every database")
    panel = graphiql.show("table")
    choice = panel.locator("select[name=list]")
    choice.select_option("person › notary › assets")
    expect(panel.locator(".state.denied")).to_contain_text("không đủ quyền")
    expect(panel.locator(".empty")).to_contain_text("Không biết có bản ghi hay không")
    expect(panel.locator(".reasons")).to_contain_text("FORBIDDEN")
    expect(panel.locator("table")).to_have_count(0)
    assert "■" in choice.locator("option:checked").inner_text()


def test_what_each_row_is_denied_is_said_in_each_row(graphiql: GraphiqlPage, demo: Process) -> None:
    """The gateway reports once, with a count, what every row of a list lacks."""
    graphiql.act_as("officer")
    graphiql.page.get_by_label("Truy vấn mới").click()
    for field in ("person", "civilStatus", "birthsOfChildren", "note"):
        graphiql.page.locator(f".build [data-field={field}]").check()
    errors = graphiql.send()["errors"]
    assert [error["extensions"]["count"] for error in errors] == [2]
    panel = graphiql.show("table")
    expect(panel.locator("tbody .state.denied")).to_have_text(["không đủ quyềnFORBIDDEN"] * 2)


def test_without_a_token_every_list_is_unknown(graphiql: GraphiqlPage) -> None:
    graphiql.run("One person")
    panel = graphiql.show("table")
    expect(panel.locator(".empty")).to_contain_text("Không biết có bản ghi hay không")
    expect(panel.locator(".reasons")).to_contain_text("UNAUTHENTICATED")


def test_a_table_is_sorted_by_keyboard_and_saved_where_it_names_nobody(
    graphiql: GraphiqlPage,
) -> None:
    databases = graphiql.run("Databases")["data"]["databases"]
    panel = graphiql.show("table")
    header = panel.get_by_role("columnheader", name="name", exact=True)
    first = panel.locator("tbody tr").first.locator("td").nth(1)
    names = sorted(database["name"] for database in databases)
    for order, name in (("ascending", names[0]), ("descending", names[-1])):
        header.get_by_role("button").press("Enter")
        expect(header).to_have_attribute("aria-sort", order)
        expect(first).to_have_text(name)
    with graphiql.page.expect_download() as download:
        panel.locator("[data-csv=offered]").click()
    lines = Path(download.value.path()).read_bytes().decode("utf-8-sig").split("\r\n")
    assert lines[0] == "danh sách / list,databases"
    assert lines[7] == "name,title.vi,title.en,group"
    assert len(lines) == 8 + len(databases) + 1
    graphiql.require_quiet()


def test_a_cell_of_a_csv_is_never_a_formula() -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "|x", -1, 'say "no"', "a,b", None, True]
    script = (
        "import { csv } from './graphiql/src/panels/csv.js';"
        f"process.stdout.write(csv([], ['=name'], {json.dumps([[cell] for cell in cells])}))"
    )
    command = [*COMMANDS["TypeScript"][:-1], "--eval", script]
    ran = subprocess.run(command, capture_output=True, check=True)
    assert ran.stdout.decode("utf-8-sig").split("\r\n")[1:-1] == [
        "'=name", "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'|x",
        "-1", '"say ""no"""', '"a,b"', "", "true",
    ]  # fmt: skip


def test_a_document_is_built_by_clicks_only(graphiql: GraphiqlPage, demo: Process) -> None:
    graphiql.act_as("officer")
    page = graphiql.page
    page.get_by_label("Truy vấn mới").click()
    build = page.locator(".pane.build")
    build.locator("[data-field=person]").check()
    expect(build.get_by_label("id", exact=True)).to_have_value(demo.personas[0]["id"])
    build.get_by_label("Lọc trường").fill("ho tich")  # found without its tones
    build.locator("[data-field=civilStatus]").check()
    expect(build.locator(".hint")).to_contain_text("Chọn ít nhất một trường")
    build.get_by_label("Lọc trường").fill("")
    build.locator("[data-field=marriages]").check()
    build.get_by_text("Thêm tham số").last.click()
    build.get_by_label("order", exact=True).select_option("OLDEST_FIRST")
    build.get_by_label("from", exact=True).fill("1990-01-01")
    answer = graphiql.send()
    assert "errors" not in answer
    marriages = answer["data"]["person"]["civilStatus"]["marriages"]
    assert marriages["source"]["state"] == "ANSWERED"
    sent = graphiql.last_sent()
    assert sent["variables"] == {"id": demo.personas[0]["id"], "from": "1990-01-01"}
    assert "marriages(order: OLDEST_FIRST, from: $from)" in sent["query"]
    build.locator("[data-field=marriages]").uncheck()
    assert '"from"' not in graphiql.document()
    graphiql.require_quiet()


@pytest.mark.parametrize("language", list(COMMANDS))
def test_what_is_copied_runs_and_has_no_token(
    graphiql: GraphiqlPage, demo: Process, language: str
) -> None:
    require_file(Path("/usr/bin/curl"), "Debian's package curl")
    graphiql.act_as("officer")
    sheet = graphiql.open_menu("caller")
    sheet.locator("input[name=case-number]").fill("HSĐ-12/2026/QĐ-UBND")
    graphiql.page.keyboard.press("Escape")
    graphiql.choose("One person")
    sheet = graphiql.open_menu("copy-as")
    sheet.locator(f"[data-language={language}]").click()
    text = sheet.locator("textarea").input_value()
    assert demo.tokens["officer"] not in text
    environment = {"PATH": os.environ["PATH"], "JUSTICE_TOKEN": demo.tokens["officer"]}
    ran = subprocess.run(
        COMMANDS[language], input=text.encode(), env=environment, capture_output=True, check=True
    )
    answer = json.loads(ran.stdout)
    assert answer["data"]["person"]["id"] == demo.personas[0]["id"]
    assert "errors" not in answer


def test_a_published_operation_runs_by_its_name(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("partner")
    sheet = graphiql.open_menu("samples")
    sheet.locator("[data-published=blocks-on-person]").click()
    expect(graphiql.page.locator(".actions code")).to_have_text("blocks-on-person")
    answer = graphiql.send()
    assert answer["data"]["person"]["identification"] == "IDENTIFIED"
    sent = graphiql.last_sent()
    assert sent["documentId"] == "blocks-on-person"
    assert "query" not in sent
    graphiql.show("table")
    graphiql.require_quiet()


def test_another_caller_does_not_see_the_answer(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("officer")
    name = graphiql.run("One person")["data"]["person"]["population"]["identity"]["item"][
        "fullName"
    ]
    expect(graphiql.show("table")).to_contain_text(name)
    graphiql.act_as("analyst")
    expect(graphiql.show("table")).to_contain_text("Chưa có câu trả lời")
    expect(graphiql.page.locator("#panel")).not_to_contain_text(name)
    graphiql.act_as("officer")
    expect(graphiql.show("json")).not_to_contain_text(name)


def test_two_tabs_with_two_callers_do_not_mix(graphiql: GraphiqlPage, demo: Process) -> None:
    graphiql.act_as("officer")
    other = GraphiqlPage(graphiql.page.context.new_page(), demo)
    other.page.goto(f"{demo.url}/graphql")
    other.require_editor()
    other.act_as("citizen")
    assert other.run("Me")["data"]["me"]["id"] == demo.personas[0]["id"]
    graphiql.page.bring_to_front()  # a page behind another hardly draws
    graphiql.run("One person")
    graphiql.page.reload()
    for window, caller in ((graphiql, "officer"), (other, "citizen")):
        window.page.bring_to_front()
        sheet = window.open_menu("caller")
        expect(sheet.locator("input[name=token]")).to_have_value(demo.tokens[caller])
    expect(graphiql.page.locator(".results .empty")).to_contain_text("Nhấn Chạy")
    expect(other.page.locator(".result-window")).to_contain_text(demo.personas[0]["id"])


def test_the_editor_has_most_of_the_height_and_keys_are_enough(graphiql: GraphiqlPage) -> None:
    box = graphiql.page.locator(".editor.query").bounding_box()
    assert box is not None
    assert box["height"] >= 400
    graphiql.page.locator(".editor.query textarea").focus()
    with graphiql.page.expect_response("**/graphql"):
        graphiql.page.keyboard.press("Control+Enter")
    graphiql.page.locator("[data-tab=json]").focus()
    graphiql.page.keyboard.press("ArrowRight")
    expect(graphiql.page.locator("[data-tab=table]")).to_be_focused()
    expect(graphiql.page.locator("#panel.table")).to_be_visible()
    bar = graphiql.page.get_by_label("Size of the answer")
    before = bar.get_attribute("aria-valuenow")
    bar.press("ArrowLeft")
    expect(bar).not_to_have_attribute("aria-valuenow", str(before))


@pytest.mark.parametrize("graphiql", [{"viewport": PHONE}], indirect=True, ids=["390 px"])
def test_on_a_phone_nothing_is_cut_off(graphiql: GraphiqlPage) -> None:
    page = graphiql.page
    for menu in ("caller", "samples", "copy-as"):
        graphiql.open_menu(menu)
        graphiql.require_fit()
        page.keyboard.press("Escape")
    graphiql.act_as("officer")
    graphiql.choose("Every database")
    for pane in ("build", "docs", "history"):
        page.locator(f"[data-pane={pane}]").click()
        expect(page.locator(f".pane.{pane}")).to_be_visible()
        graphiql.require_fit()
    page.locator("[data-part=query]").click()
    graphiql.require_fit()
    graphiql.send()
    for tab in ("table", "plan", "access", "json"):
        graphiql.show(tab)
        graphiql.require_fit()
    graphiql.require_quiet()


@pytest.mark.parametrize("graphiql", [{}, {"color_scheme": "dark"}], indirect=True,
                         ids=["light", "dark"])  # fmt: skip
def test_there_are_no_barriers(graphiql: GraphiqlPage) -> None:
    graphiql.run("Databases")
    graphiql.require_no_barriers()
    for tab in ("table", "plan", "access"):
        graphiql.show(tab)
        graphiql.require_no_barriers("#panel")
    for menu in ("caller", "samples", "copy-as"):
        graphiql.open_menu(menu)
        graphiql.require_no_barriers(f"#{menu}")
        graphiql.page.keyboard.press("Escape")
    page = graphiql.page
    page.locator("[data-pane=docs]").click()
    page.get_by_role("link", name="String", exact=True).click()  # a short page
    expect(page.get_by_role("link", name="AccessLog", exact=True)).to_have_count(0)
    graphiql.require_no_barriers(".pane")
    page.locator("[data-pane=history]").click()
    expect(page.locator(".runs")).to_be_visible()
    graphiql.require_no_barriers(".pane")


@pytest.mark.parametrize("graphiql", [{"fresh": True}], indirect=True, ids=["empty cache"])
def test_a_first_visit_transfers_little_and_a_second_hardly_anything(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.run("Databases")
    sizes = "performance.getEntriesByType('resource').map(each => each.transferSize)"
    of_page = "performance.getEntriesByType('navigation')[0].transferSize"
    transferred = graphiql.page.evaluate(of_page) + sum(graphiql.page.evaluate(sizes))
    assert 500_000 < transferred < FIRST_VISIT
    graphiql.page.reload()
    graphiql.require_editor()
    fresh = "performance.getEntriesByType('resource').filter(each => each.transferSize > 300)"
    names = graphiql.page.evaluate(f"{fresh}.map(each => new URL(each.name).pathname)")
    assert not [name for name in names if name.startswith("/graphiql/assets/")]
