"""What a page shows of an answer: in order, in words, and nobody's number.

Covers ``gateway.pages.check_request``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from connectors.description import Coded, Text
from connectors.registry import installed_databases
from connectors.values import PersonNumber
from gateway.pages.check_request import select_value
from gateway.pages.check_view import ConditionView, ValueView, view_check, view_problems, view_value
from gateway.pages.languages import ENGLISH, VIETNAMESE
from gateway.procedures.no_sanction_check import CHECK

DATABASES = installed_databases()
TITLE = Text("kết quả; null: không rõ", "result; null: not known")


class Status(Coded):
    """A status."""

    SINGLE = "độc thân", "single"


@dataclass(frozen=True, slots=True)
class Period:
    """Thời gian / A period."""

    since: Annotated[date | None, Text("từ", "since")]
    spouse: Annotated[PersonNumber | None, Text("vợ chồng", "spouse")]


@dataclass(frozen=True, slots=True)
class Finding:
    """Kết quả / A result with values of every kind."""

    status: Annotated[Status, Text("tình trạng", "status")]
    periods: Annotated[list[Period], Text("các thời gian", "periods")]
    paid: Annotated[Decimal | None, Text("đã trả", "paid")]
    is_joint: Annotated[bool, Text("liên đới", "joint")]
    note: Annotated[Text, Text("ghi chú", "note")]
    heirs: Annotated[list[PersonNumber], Text("người thừa kế", "heirs")]


FINDING = {
    "status": "SINGLE", "periods": [{"since": "2020-02-29"}], "paid": "-1234567.50",
    "isJoint": False, "note": {"vi": "một", "en": "first"},
}  # fmt: skip


def rule(code: str, state: str, group: str | None = None, reason: str | None = None) -> Any:
    text = {"vi": f"{code} vi", "en": code}
    basis = {"database": "civil_status", "record": "marriages", "asOf": None}
    return {"code": code, "title": text, "group": group, "state": state, "reason": reason,
            "sentence": text, "law": text, "evidence": [basis, basis]}  # fmt: skip


def group(code: str, above: str | None, *, any_suffices: bool) -> Any:
    return {"code": code, "title": {"vi": code, "en": code}, "group": above,
            "anySuffices": any_suffices, "state": "UNKNOWN"}  # fmt: skip


def answer(**more: Any) -> dict[str, Any]:
    return {
        "outcome": "UNKNOWN", "at": "2026-11-23", "factsAsOf": "2026-11-23T20:30:00+00:00",
        "law": ["Luật"], "competentBody": {"vi": "xã", "en": "commune"}, "deadline": None,
        "groups": [], "rules": [rule("A", "PASS")], "papers": [], "sources": [], "silent": [],
        "results": {"isConsideredUnsanctioned": None}, **more,
    }  # fmt: skip


def outline(views: tuple[ConditionView, ...]) -> list[object]:
    """Return the titles of conditions, those of a group in a list behind its own."""
    outlined: list[object] = []
    for view in views:
        outlined.append(view.title)
        if view.inner:
            outlined.append(outline(view.inner))
    return outlined


def test_conditions_stand_in_groups_in_the_order_of_the_declaration() -> None:
    rules = [
        rule("A", "PASS"), rule("B", "FAIL", "INNER"), rule("C", "UNKNOWN", "OUTER", "STALE"),
        rule("D", "PASS"),
    ]  # fmt: skip
    inner, outer = (
        group("INNER", "OUTER", any_suffices=True), group("OUTER", None, any_suffices=False)
    )  # fmt: skip
    given = answer(rules=rules, groups=[inner, outer])
    shown = view_check(CHECK, DATABASES, ENGLISH, given)
    assert outline(shown.conditions) == ["A", "OUTER", ["INNER", ["B"], "C"], "D"]
    assert [state.name for state, _ in shown.counts] == ["PASS", "FAIL", "UNKNOWN"]
    unknown = shown.conditions[1].inner[1]
    assert unknown.reason == "there are older rows only, because a database failed"
    assert unknown.evidence == ("Marriage registration, Electronic Civil Status Database",)


def test_days_and_moments_are_those_of_viet_nam() -> None:
    shown = view_check(CHECK, DATABASES, VIETNAMESE, answer())
    assert (shown.at, shown.facts_as_of) == ("23/11/2026", "03:30:00 ngày 24/11/2026")
    assert view_check(CHECK, DATABASES, ENGLISH, answer(factsAsOf=None)).facts_as_of == ""


def test_a_result_that_is_not_known_is_said_to_be() -> None:
    (result,) = view_check(CHECK, DATABASES, VIETNAMESE, answer()).results
    assert (result.text, result.is_known) == ("chưa xác định được", False)
    assert view_value(ENGLISH, TITLE, bool, value=None) == ValueView(
        "Result", "not known", is_known=False
    )


def test_a_list_without_entries_is_none_and_a_missing_one_is_not() -> None:
    assert view_value(ENGLISH, TITLE, list[str], []).text == "none"
    assert view_value(ENGLISH, TITLE, list[str], None).text == "not known"


def test_a_struct_is_shown_part_by_part() -> None:
    shown = view_value(ENGLISH, TITLE, Finding, FINDING)
    parts = {part.title: part for part in shown.inner}
    assert parts.keys() == {"Status", "Periods", "Paid", "Joint", "Note"}
    assert parts["Status"].text == "single"
    assert parts["Periods"].items[0].inner[0].text == "29 February 2020"
    assert (parts["Paid"].text, parts["Joint"].text, parts["Note"].text) == (
        "-1,234,567.50", "no", "first"
    )  # fmt: skip
    vietnamese = view_value(VIETNAMESE, TITLE, Finding, FINDING | {"paid": None})
    assert [part.text for part in vietnamese.inner if part.title == "Đã trả"] == [
        "không rõ hoặc không ghi"
    ]


def test_numbers_of_people_are_not_even_selected() -> None:
    selected = select_value(Finding)
    assert selected == " { status periods { since } paid isJoint note { vi en } }"
    assert select_value(list[PersonNumber]) is None


def test_a_source_shows_its_worst_state_and_a_silent_one_whom_to_call() -> None:
    notary = {"name": "notary", "title": {"vi": "công chứng", "en": "notary"}}
    states = ("ANSWERED", "TIMED_OUT", "STALE")
    shown = view_check(CHECK, DATABASES, ENGLISH, answer(
        sources=[{"state": state, "database": notary} for state in states],
        silent=[{**notary, "owner": {"vi": "Bộ", "en": "the ministry"}, "contact": "1900 0000"}],
    ))  # fmt: skip
    assert [(title, state.name) for title, state in shown.sources] == [("Notary", "TIMED_OUT")]
    assert shown.silent == (("notary", "the ministry", "1900 0000"),)


def test_papers_that_are_not_decided_are_among_those_to_bring() -> None:
    states = ("TO_BRING", "UNDECIDED", "REPLACED")
    shown = view_check(CHECK, DATABASES, ENGLISH, answer(papers=[
        {"code": state, "name": {"vi": state, "en": state}, "state": state,
         "replacedBy": ["civil_status.births"]} for state in states
    ]))  # fmt: skip
    assert [name for name, _ in shown.to_bring] == ["TO_BRING", "UNDECIDED"]
    assert [name for name, _ in shown.replaced] == ["REPLACED"]
    assert "civil_status" not in shown.replaced[0][1]


def test_an_error_is_said_once_however_many_lists_it_is_of() -> None:
    errors = [
        {"message": "The database did not answer.",
         "extensions": {"code": "SOURCE_UNAVAILABLE", "messageVi": "Không trả lời.",
                        "database": "notary", "record": record}}
        for record in ("assets", "transactions")
    ]  # fmt: skip
    (problem,) = view_problems(errors, DATABASES, ENGLISH)
    assert (problem.text.vi, problem.text.en) == ("Không trả lời.", "The database did not answer.")
    assert problem.subject != ""
    assert problem.subject != "notary"
