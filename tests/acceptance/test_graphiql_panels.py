"""The plan drawn beside the answer, and the access panel, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Request, expect

from tests.support.graphiql_page import PHONE, GraphiqlPage, open_graphiql
from tests.support.process import Process

#: A person, their spouse's names, and a view that reads more than it shows.
DOCUMENT = """query Spouses($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } source { state } } }
  civilStatus { marriages { items { husband { person {
    population { identity { item { fullName } } } } } } source { state } }
    adoptions { items { eventId } } }
  maritalStatus { value } } }"""
ETHNICITY = """query Ethnicity($id: PersonNumber!) { person(id: $id) {
  population { identity { item { ethnicity } } }
  notary { transactions { items { kind } } } } }"""


@pytest.fixture
def graphiql(
    browser: Browser, demo: Process, request: pytest.FixtureRequest
) -> Iterator[GraphiqlPage]:
    with open_graphiql(browser, demo, **getattr(request, "param", {})) as window:
        yield window


def type_document(graphiql: GraphiqlPage, document: str) -> None:
    """Put ``document`` into the editor in place of what is there, as by a paste."""
    editor = graphiql.page.locator(".query textarea").first
    editor.press("Control+A")
    editor.press("Delete")
    graphiql.page.keyboard.insert_text(" ".join(document.split()))
    graphiql.page.keyboard.press("Escape")


def boxes(panel: Locator, database: str) -> Locator:
    return panel.locator(f"[data-fetch^='{database}.']")


@contextmanager
def down(demo: Process, database: str, reading: str) -> Iterator[None]:
    """Take a database of the demo away, and wait until it is read again after it is back.

    ``reading``: a document that reads it.
    """
    path = demo.folder / "databases" / f"{database}.sqlite"
    away = path.with_suffix(".away")
    path.rename(away)
    try:
        yield
    finally:
        away.rename(path)
        # The breaker may be open until a ping, which each request but the first causes.
        for _ in range(500):
            if "errors" not in demo.ask(reading, {"id": demo.personas[0]["id"]}, "bench"):
                break
        else:
            pytest.fail(f"{database} was not asked again")


def test_the_plan_has_a_lane_for_each_database_with_times_and_batch_sizes(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("bench")
    answer = graphiql.run("Every database")
    databases = {fetch["database"] for fetch in answer["extensions"]["execution"]["fetches"]}
    assert len(databases) == 7
    panel = graphiql.show("plan")
    lanes = panel.locator("[data-lane]")
    expect(lanes).to_have_count(len(databases))
    assert {lane.get_attribute("data-lane") for lane in lanes.all()} == databases
    for text in panel.locator("[data-fetch]").all_text_contents():
        assert " ms" in text
        assert "1 khóa" in text
    rows = panel.locator(".reads tbody tr")
    expect(rows).to_have_count(panel.locator("[data-fetch]").count())
    graphiql.require_no_barriers("#panel")
    graphiql.require_quiet()


def test_the_answer_itself_is_shown_without_its_plan(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("bench")
    type_document(graphiql, "query Id($id: PersonNumber!) { person(id: $id) { id } }")
    assert "execution" in graphiql.send()["extensions"]
    result = graphiql.page.locator(".result-window")
    expect(result).to_contain_text('"atMost"')
    expect(result).not_to_contain_text('"plan"')


def test_waves_go_from_left_to_right_and_what_is_withheld_or_inner_is_no_row(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("bench")
    type_document(graphiql, DOCUMENT)
    graphiql.send()
    panel = graphiql.show("plan")
    names = panel.locator("[data-fetch='population.identity']")
    first, second = (box.bounding_box() for box in names.all())
    assert first is not None
    assert second is not None
    assert second["x"] > first["x"] + first["width"]
    adoptions = panel.locator("[data-fetch='civil_status.adoptions']")
    expect(adoptions).to_have_attribute("data-end", "WITHHELD")
    expect(adoptions).to_contain_text("luật không cho")
    expect(adoptions).not_to_contain_text("dòng")
    view = panel.locator("[data-fetch='civil_status.maritalStatus']")
    expect(view).not_to_contain_text("khóa")
    graphiql.require_quiet()


def test_a_box_can_be_reached_by_keyboard_and_says_in_words_what_it_shows(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("bench")
    graphiql.run("Persons")
    panel = graphiql.show("plan")
    panel.locator(".drawing").focus()
    graphiql.page.keyboard.press("Tab")
    box = panel.locator("[data-fetch]").first
    expect(box).to_be_focused()
    expect(box).to_have_role("img")
    label = box.get_attribute("aria-label") or ""
    for words in ("numbers", "wave 1", "answered", "database", "3 khóa"):
        assert words in label


@pytest.mark.parametrize(
    "graphiql", [{"viewport": PHONE, "color_scheme": "dark"}], indirect=True, ids=["phone, dark"]
)
def test_on_a_phone_both_panels_fit_and_the_drawing_scrolls_in_its_box(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("bench")
    graphiql.run("Every database")
    drawing = graphiql.show("plan").locator(".drawing")
    width, room = drawing.evaluate("box => [box.scrollWidth, box.clientWidth]")
    assert width > room
    graphiql.require_fit()
    graphiql.require_no_barriers("#panel")
    expect(graphiql.show("access")).to_contain_text("Không trường nào bị từ chối")
    graphiql.require_fit()


def test_a_database_that_is_down_is_drawn_as_failed_and_never_as_no_rows(
    graphiql: GraphiqlPage, demo: Process
) -> None:
    graphiql.act_as("bench")
    with down(demo, "notary", ETHNICITY):
        graphiql.run("Every database")
        panel = graphiql.show("plan")
        failed = boxes(panel, "notary")
        expect(failed.first).to_contain_text("không trả lời")
        expect(boxes(panel, "population").first).to_have_class("box ends-answered")
        expect(panel.locator(".reads tr.ends-failed")).to_have_count(failed.count())
        for box, text in zip(failed.all(), failed.all_text_contents(), strict=True):
            assert box.get_attribute("class") == "box ends-failed"
            assert "chưa rõ số dòng" in text
            assert "0 dòng" not in text
        for _ in range(20):  # the breaker opens once half of the last reads have failed
            fetches = graphiql.send()["extensions"]["execution"]["fetches"]
            if any(fetch["breakerOpen"] and not fetch["asked"] for fetch in fetches):
                break
        skipped = panel.locator("[data-fetch^='notary.'][data-end=SKIPPED]").first
        expect(skipped).to_have_class("box ends-failed")
        expect(skipped).to_contain_text("ngắt mạch, không hỏi")


def test_a_caller_without_the_scope_reads_which_is_missing_and_who_grants_it(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("officer")
    answer = graphiql.run("One person")
    assert "extensions" not in answer
    panel = graphiql.show("plan")
    expect(panel).to_contain_text("thiếu phạm vi plans")
    expect(panel).to_contain_text("The operator of this gateway grants it.")
    expect(panel.locator("svg")).to_have_count(0)


def test_a_refusal_and_an_answer_about_nobody_say_why_they_have_no_plan(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("operator")
    panel = graphiql.show("plan")
    expect(panel).to_contain_text("Chưa có câu trả lời")
    graphiql.run("Databases")
    expect(panel).to_contain_text("This answer is about nobody")
    type_document(graphiql, "{ nothing }")
    graphiql.send()
    expect(panel).to_contain_text("VALIDATION_FAILED")
    expect(panel).to_contain_text("nothing was read")


def test_what_is_typed_is_checked_before_it_is_run(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("officer")
    panel = graphiql.show("access")
    type_document(graphiql, ETHNICITY)
    ethnicity = panel.locator("[data-denied='person.population.identity.item.ethnicity']")
    expect(ethnicity).to_contain_text("The token lacks the scope population:sensitive")
    expect(ethnicity).to_contain_text("Bộ Công an")
    notary = panel.locator("[data-denied='person.notary.transactions']")
    expect(notary).to_contain_text("Mục đích 1.000894 không gồm notary.transactions")
    expect(notary).to_contain_text("Bộ Tư pháp")
    expect(panel.locator(".cost")).to_contain_text("/ 200.000")
    sent = [json.loads(request.post_data or "{}") for request in trials(graphiql)]
    assert sent
    assert not any("id" in request["variables"] for request in sent), "values stay in the page"
    names = {json.loads(request.post_data or "{}")["operationName"] for request in posts(graphiql)}
    assert names == {"Permits", "Trial"}, "nothing was run"
    graphiql.require_no_barriers("#panel")
    graphiql.require_quiet()


def trials(graphiql: GraphiqlPage) -> list[Request]:
    """Return the dry runs that were sent."""
    return [request for request in posts(graphiql) if '"Trial"' in (request.post_data or "")]


def posts(graphiql: GraphiqlPage) -> list[Request]:
    return graphiql.graphql_requests()


def test_what_is_no_document_yet_is_not_sent(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("officer")
    panel = graphiql.show("access")
    expect(panel).to_contain_text("Không trường nào bị từ chối")
    sent = len(trials(graphiql))
    type_document(graphiql, "{ person(id: ")
    expect(panel).to_contain_text("the syntax is not valid yet")
    type_document(graphiql, "{ nothing }")
    expect(panel).to_contain_text("does not fit the schema yet")
    assert len(trials(graphiql)) == sent


def test_what_the_token_permits_is_said_in_words(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("officer")
    panel = graphiql.show("access")
    expect(panel.locator("[data-opens=civil_status]")).to_contain_text("nhạy cảm")
    expect(panel.locator("[data-opens=population]")).to_contain_text("dân cư")
    marriage = panel.locator(".purposes li").filter(has_text="1.000894")
    expect(marriage).to_contain_text("Đăng ký kết hôn")
    expect(marriage).to_contain_text("đang nêu")
    expect(panel).to_contain_text("còn 23 giờ")


def test_another_caller_is_told_their_access_and_nobody_elses(graphiql: GraphiqlPage) -> None:
    graphiql.act_as("officer")
    panel = graphiql.show("access")
    type_document(graphiql, ETHNICITY)
    expect(panel.locator("[data-denied]").first).to_be_visible()
    graphiql.act_as("bench")
    expect(panel).to_contain_text("demo-bench")
    expect(panel).to_contain_text("Không trường nào bị từ chối")
    expect(panel.locator("[data-denied]")).to_have_count(0)


def test_a_partner_learns_that_only_published_operations_may_be_called(
    graphiql: GraphiqlPage,
) -> None:
    graphiql.act_as("partner")
    panel = graphiql.show("access")
    expect(panel).to_contain_text("chỉ gọi được thao tác đã công bố")
    expect(panel.locator(".purposes")).to_contain_text("notarised-transfer")


def test_a_token_that_is_not_accepted_is_said_to_be_and_nothing_is_said_of_denials(
    graphiql: GraphiqlPage,
) -> None:
    panel = graphiql.show("access")
    expect(panel).to_contain_text("Chưa có mã truy cập")
    graphiql.open_menu("caller").locator("input[name=token]").fill("nonsense")
    graphiql.page.keyboard.press("Escape")
    expect(panel).to_contain_text("could not be found out")
    expect(panel).not_to_contain_text("Không trường nào bị từ chối")
