"""What a list says for each answer: "none" in a single case. Values in words; numbers masked.

Covers ``gateway.pages.person.view``, ``gateway.pages.person.records``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.description import Coverage, Field, Kind, Sensitivity, Text
from connectors.registry import installed_databases
from gateway.answer import State
from gateway.catalogue.sections import person_lists
from gateway.pages.languages import ENGLISH, VIETNAMESE
from gateway.pages.person.ask import JoinedAnswer
from gateway.pages.person.records import ValueWriter, mask_numbers, say_date, split_statement
from gateway.pages.person.selection import ChosenList, ChosenRegister
from gateway.pages.person.view import NONE, PersonViewer

DATABASE = next(each for each in installed_databases() if each.name == "civil_status")
RECORD, LOOKUP = person_lists(DATABASE)["marriages"]
COLUMN = RECORD.column("event_id")
MARRIAGES = ChosenList("marriages", LOOKUP, RECORD, (COLUMN,), (), (), False, Coverage())
REGISTER = ChosenRegister("civilStatus", DATABASE, (MARRIAGES,), ())


def viewer(section: Mapping[str, Any] | None) -> PersonViewer:
    answer = JoinedAnswer({"civilStatus": section}, (), {})
    return PersonViewer(VIETNAMESE, answer, ValueWriter(VIETNAMESE))


@pytest.mark.parametrize("is_continued", [False, True])
@pytest.mark.parametrize("cursor", [None, "next"])
@pytest.mark.parametrize("truncated", [False, True, None])
@pytest.mark.parametrize("items", [None, [], [{"eventId": "M1"}]], ids=["null", "empty", "rows"])
@pytest.mark.parametrize("state", State)
def test_none_is_said_of_a_whole_list_that_answered_and_is_empty(
    state: State, items: list[Any] | None, truncated: bool | None, cursor: str | None,
    is_continued: bool,
) -> None:  # fmt: skip
    source = {"state": state.name, "asOf": None, "fetchedAt": None, "message": None}
    value = {"items": items, "truncated": truncated, "nextCursor": cursor, "source": source}
    shown = viewer({"marriages": value}).list_view(REGISTER, MARRIAGES, is_continued=is_continued)
    is_whole = not truncated and cursor is None and not is_continued
    is_none = state is State.ANSWERED and items == [] and is_whole
    assert (shown.shape == NONE) is is_none
    assert ("Không có bản ghi" in shown.word) is is_none
    assert shown.has_failed is False or state is not State.ANSWERED or items is None


@pytest.mark.parametrize("section", [None, {}, {"marriages": None}])
def test_what_is_not_in_the_answer_is_not_known(section: Mapping[str, Any] | None) -> None:
    shown = viewer(section).list_view(REGISTER, MARRIAGES)
    assert shown.shape == "UNKNOWN"
    assert shown.has_failed
    assert "chưa biết có hay không" in shown.sentence


@pytest.mark.parametrize(
    ("text", "vi", "en"),
    [
        ("1957", "1957", "1957"),
        ("1957-03", "03/1957", "March 1957"),
        ("1957-03-02", "02/03/1957", "2 March 1957"),
        ("0001", "0001", "0001"),
    ],
)
def test_dates_are_written_as_far_as_they_are_known(text: str, vi: str, en: str) -> None:
    assert (say_date(VIETNAMESE, text), say_date(ENGLISH, text)) == (vi, en)


def test_numbers_are_masked_wherever_they_stand() -> None:
    assert mask_numbers("001090012345") == "•••••••••345"
    assert mask_numbers("CMND 123456789, 12 đường A") == "CMND ••••••789, 12 đường A"
    assert mask_numbers("0100109106") == "0100109106"  # the code of an enterprise
    card = Field("number", Text("số", "number"), Kind.STRING, Sensitivity.BASIC)
    assert ValueWriter(VIETNAMESE, masks=True).leaf(card, "001090012345") == "•••••••••345"
    assert ValueWriter(VIETNAMESE).leaf(card, "001090012345") == "001090012345"


def test_a_statement_is_parted_at_the_names_of_columns_alone() -> None:
    parts = split_statement(RECORD, "effectiveFrom: 2004; note: a; b: c; endedOn: null")
    assert [(column.name, value) for column, value in parts] == [
        ("effective_from", "2004"),
        ("note", "a; b: c"),
        ("ended_on", "null"),
    ]
