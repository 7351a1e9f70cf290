"""GraphiQL in a real browser, with the demo in a separate process."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.support.graphiql_page import GraphiqlPage, open_graphiql
from tests.support.journals import entries
from tests.support.process import Process

SOURCE = Path("graphiql")
BUILD_FOLDER = Path("gateway/http/graphiql")
#: Set it to a file name (docs/graphiql.png) to have the picture taken anew.
PICTURE = "GRAPHIQL_PICTURE"


@pytest.fixture
def graphiql(browser: Browser, demo: Process) -> Iterator[GraphiqlPage]:
    with open_graphiql(browser, demo) as window:
        yield window


def test_a_demo_caller_and_an_example_are_chosen_and_the_answer_is_there(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("officer")
    answer = graphiql.run("One person")
    population = answer["data"]["person"]["population"]
    assert population["identity"]["source"]["state"] == "ANSWERED"
    assert "errors" not in answer
    expect(graphiql.page.locator(".result-window")).to_contain_text("ANSWERED")
    expect(graphiql.page.locator(".result-window .view-line").nth(3)).to_be_visible()
    expect(graphiql.page).to_have_title("Cổng tra cứu dữ liệu tư pháp · Justice gateway")
    if os.environ.get(PICTURE):
        graphiql.page.screenshot(path=os.environ[PICTURE])
    graphiql.require_quiet()


def test_the_editors_workers_run_and_know_the_schema(graphiql: GraphiqlPage) -> None:
    graphiql.run("Databases")
    editor = graphiql.page.locator(".editor.query .monaco-editor textarea")
    editor.press("Control+A")
    editor.press_sequentially("{ databases { legalB")
    editor.press("Control+Space")
    expect(graphiql.page.locator(".suggest-widget")).to_contain_text("legalBasis")
    names = {Path(urlsplit(url).path).name.split(".")[0] for url in graphiql.workers}
    assert {"json", "graphql"} <= names
    graphiql.require_quiet()


def test_the_documentation_is_there_for_callers_who_may_not_introspect(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("citizen")
    graphiql.page.locator("[data-pane=docs]").click()
    graphiql.page.get_by_role("link", name="Query").click()
    expect(graphiql.page.locator(".pane.docs")).to_contain_text("the citizen's own view")
    assert graphiql.graphql_requests() == []
    graphiql.require_quiet()


def test_a_citizen_sees_their_own_view(graphiql: GraphiqlPage, demo: Process) -> None:
    graphiql.act_as("citizen")
    me = graphiql.run("Me")["data"]["me"]
    assert me["id"] == demo.personas[0]["id"]
    assert me["civilStatus"]["births"]["source"]["state"] == "ANSWERED"


def test_another_persona_changes_the_variables_and_the_citizens_token(
    graphiql: GraphiqlPage, demo: Process
) -> None:
    graphiql.act_as("citizen")
    other = next(
        number for number in [*demo.tokens["citizens"]] if number != demo.personas[0]["id"]
    )
    graphiql.open_menu("caller").locator("select[name=persona]").select_option(other)
    graphiql.page.keyboard.press("Escape")
    expect(graphiql.page.locator(".editor.variables")).to_contain_text(other)
    assert graphiql.run("Me")["data"]["me"]["id"] == other


def test_several_persons_by_one_example(graphiql: GraphiqlPage, demo: Process) -> None:
    graphiql.act_as("officer")
    persons = graphiql.run("Persons")["data"]["persons"]
    assert [person["askedAs"] for person in persons] == [
        person["id"] for person in demo.personas[:3]
    ]


def test_purpose_and_case_number_go_along_as_headers_and_nothing_into_the_address(
    graphiql: GraphiqlPage, demo: Process
) -> None:
    graphiql.act_as("officer")
    sheet = graphiql.open_menu("caller")
    sheet.locator("input[name=purpose]").fill("1.001193")
    sheet.locator("input[name=case-number]").fill("HS-2026-000123")
    assert "errors" not in graphiql.run("One person")
    headers = graphiql.graphql_requests()[-1].all_headers()
    assert headers["x-purpose"] == "1.001193"
    assert headers["x-case-number"] == "HS-2026-000123"
    assert headers["authorization"] == f"Bearer {demo.tokens['officer']}"
    addresses = {urlsplit(item.url) for item in graphiql.requests}
    assert not any(item.query or item.fragment for item in addresses)


def test_a_case_number_in_vietnamese_reaches_the_journal_whole(
    graphiql: GraphiqlPage, demo: Process
) -> None:
    graphiql.act_as("officer")
    sheet = graphiql.open_menu("caller")
    sheet.locator("input[name=case-number]").fill("HSĐ-12/2026/QĐ-UBND")
    assert "errors" not in graphiql.run("One person")
    case_number = graphiql.graphql_requests()[-1].all_headers()["x-case-number"]
    assert case_number == "HS%C4%90-12%2F2026%2FQ%C4%90-UBND"
    assert entries(demo.folder / "journal")[-1]["caseNumber"] == "HSĐ-12/2026/QĐ-UBND"


def test_the_token_lives_in_this_tab_only(graphiql: GraphiqlPage, demo: Process) -> None:
    graphiql.act_as("officer")
    graphiql.run("One person")
    graphiql.page.reload()
    field = graphiql.page.locator("input[name=token]")
    expect(field).to_have_value(demo.tokens["officer"])
    assert graphiql.page.evaluate("Object.keys(localStorage)") == []
    assert graphiql.page.evaluate("document.cookie") == ""
    fresh = graphiql.page.context.new_page()
    fresh.goto(f"{demo.url}/graphql")
    expect(fresh.locator("input[name=token]")).to_have_value("")


def test_a_refusal_is_shown_as_it_is(graphiql: GraphiqlPage) -> None:
    graphiql.run("One person")
    expect(graphiql.page.locator(".result-window")).to_contain_text("UNAUTHENTICATED")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in folder.rglob("*")
        if path.is_file() and "node_modules" not in path.parts
    }


def test_the_built_files_are_those_of_the_source() -> None:
    recorded = json.loads((BUILD_FOLDER / "built.json").read_text("utf-8"))
    contents = {name: value for name, value in files(SOURCE).items() if name != "README.md"}
    assert contents == recorded["sources"], "run `make graphiql` and commit what it builds"


def test_the_built_files_are_untouched_complete_and_small() -> None:
    recorded = json.loads((BUILD_FOLDER / "built.json").read_text("utf-8"))
    contents = files(BUILD_FOLDER)
    del contents["built.json"]
    assert contents == recorded["built"]
    assert not [name for name in contents if name.endswith(".map")]
    assert sum((BUILD_FOLDER / name).stat().st_size for name in contents) < 2_000_000
