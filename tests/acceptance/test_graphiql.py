"""GraphiQL in a real browser, with the demo in a separate process."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.support.browser import open_browser
from tests.support.journals import entries
from tests.support.process import Process, demo_process

SOURCE = Path("graphiql")
BUILD_FOLDER = Path("gateway/http/graphiql")
#: Set it to a file name (docs/graphiql.png) to have the picture taken anew.
PICTURE = "GRAPHIQL_PICTURE"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with demo_process(tmp_path_factory.mktemp("demo") / ".demo") as process:
        yield process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@dataclass
class GraphiqlPage:
    """The page in the browser, and everything it asked for and complained about."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    console: list[ConsoleMessage] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    workers: list[str] = field(default_factory=list)

    def note_request(self, request: Request) -> None:
        self.requests.append(request)

    def note_console(self, message: ConsoleMessage) -> None:
        self.console.append(message)

    def act_as(self, name: str) -> None:
        self.page.locator(f"[data-caller={name}]").click()

    def run(self, example: str) -> dict[str, Any]:
        """Choose an example, run it, and return the answer that came; it must be on the page."""
        self.page.locator(f"[data-example='{example}']").click()
        with self.page.expect_response("**/graphql") as response:
            self.page.locator(".graphiql-execute-button").click()
        answer: dict[str, Any] = response.value.json()
        expect(self.page.locator(".result-window")).to_contain_text('"data"')
        return answer

    def graphql_requests(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]


@pytest.fixture
def graphiql(browser: Browser, demo: Process) -> Iterator[GraphiqlPage]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    window = GraphiqlPage(context.new_page())
    context.on("request", window.note_request)
    context.on("console", window.note_console)
    window.page.on("pageerror", lambda error: window.defects.append(str(error)))
    window.page.on("worker", lambda worker: window.workers.append(worker.url))
    window.page.goto(f"{demo.url}/graphql")
    expect(window.page.locator("[data-example]:enabled").first).to_be_visible()
    yield window
    context.close()


def complaints(graphiql: GraphiqlPage) -> list[str]:
    messages = [
        message.text for message in graphiql.console if message.type in {"error", "warning"}
    ]
    return messages + graphiql.defects


def foreign(graphiql: GraphiqlPage, demo: Process) -> set[str]:
    own_host = urlsplit(demo.url).netloc
    return {
        request.url for request in graphiql.requests if urlsplit(request.url).netloc != own_host
    }


def test_a_demo_caller_by_one_click_an_example_by_another_and_the_answer_is_there(
    graphiql: GraphiqlPage, demo: Process
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
    assert complaints(graphiql) == []
    assert foreign(graphiql, demo) == set()


def test_the_editors_workers_run_and_know_the_schema(graphiql: GraphiqlPage) -> None:
    graphiql.run("Databases")
    editor = graphiql.page.locator(".graphiql-query-editor .monaco-editor textarea")
    editor.press("Control+A")
    editor.press_sequentially("{ databases { legalB")
    editor.press("Control+Space")
    expect(graphiql.page.locator(".suggest-widget")).to_contain_text("legalBasis")
    names = {Path(urlsplit(url).path).name.split(".")[0] for url in graphiql.workers}
    assert names == {"json", "graphql", "editor"}
    assert complaints(graphiql) == []


def test_the_documentation_is_there_for_callers_who_may_not_introspect(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("citizen")
    graphiql.page.get_by_label("Show Documentation Explorer").click()
    graphiql.page.get_by_role("link", name="Query").click()
    expect(graphiql.page.locator(".graphiql-plugin")).to_contain_text("the citizen's own view")
    assert graphiql.graphql_requests() == []
    assert complaints(graphiql) == []


def test_a_citizen_sees_their_own_view(graphiql: GraphiqlPage, demo: Process) -> None:
    graphiql.act_as("citizen")
    me = graphiql.run("Me")["data"]["me"]
    assert me["id"] == demo.personas[0]["id"]
    assert me["civilStatus"]["source"]["state"] == "ANSWERED"


def test_another_persona_changes_the_variables_and_the_citizens_token(
    graphiql: GraphiqlPage, demo: Process
) -> None:
    graphiql.act_as("citizen")
    other = next(
        number for number in [*demo.tokens["citizens"]] if number != demo.personas[0]["id"]
    )
    graphiql.page.locator("select[name=persona]").select_option(other)
    variables = graphiql.page.get_by_role("region", name="Variables")
    expect(variables).to_contain_text(other)
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
    graphiql.page.locator("input[name=purpose]").fill("1.001193")
    graphiql.page.locator("input[name=case-number]").fill("HS-2026-000123")
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
    graphiql.page.locator("input[name=case-number]").fill("HSĐ-12/2026/QĐ-UBND")
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
    graphiql.page.locator("[data-example='One person']").click()
    graphiql.page.locator(".graphiql-execute-button").click()
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
    assert sum((BUILD_FOLDER / name).stat().st_size for name in contents) < 8_000_000
