"""The identification of a person decides which states their lists may have.

Covers ``gateway.people.notices``.
"""

from __future__ import annotations

import pytest

from connectors.civil_status import DATABASE
from gateway.answer import Answer, Identification, SourceReport, State
from gateway.people.identification import Shortfall, says_none, state_for

RECORD = DATABASE.by_name["marriages"]
COMPLETE = [identification for identification in Identification if identification.is_complete]
DOUBTFUL = [identification for identification in Identification if not identification.is_complete]


@pytest.mark.parametrize("identification", COMPLETE)
@pytest.mark.parametrize("has_rows", [True, False])
def test_a_list_about_a_known_person_is_answered(
    identification: Identification, has_rows: bool
) -> None:
    assert state_for(State.ANSWERED, identification, has_rows) is State.ANSWERED


@pytest.mark.parametrize("identification", DOUBTFUL)
def test_rows_of_somebody_in_doubt_are_incomplete(identification: Identification) -> None:
    assert state_for(State.ANSWERED, identification, True) is State.INCOMPLETE


def test_no_rows_say_whether_nobody_is_known_or_the_numbers_are_not() -> None:
    states = {
        identification: state_for(State.ANSWERED, identification, False)
        for identification in DOUBTFUL
    }
    assert states == {
        Identification.NOT_IDENTIFIED: State.NOT_IDENTIFIED,
        Identification.UNDETERMINED: State.INCOMPLETE,
    }


@pytest.mark.parametrize("identification", list(Identification))
@pytest.mark.parametrize(
    "state", [possible for possible in State if possible is not State.ANSWERED]
)
def test_denials_protection_and_failures_come_first(
    state: State, identification: Identification
) -> None:
    assert state_for(state, identification, False) is state


@pytest.mark.parametrize("state", [possible for possible in State if possible.has_rows])
@pytest.mark.parametrize("truncated", [True, False])
def test_none_is_said_of_a_whole_answer_only(state: State, truncated: bool) -> None:
    report = SourceReport(state, DATABASE, DATABASE.coverage)
    answer = Answer(report, (), truncated=truncated)
    assert says_none(answer) is (state is State.ANSWERED and not truncated)


def test_a_reason_is_one_error_that_names_each_list_once_without_places_of_rows() -> None:
    shortfall = Shortfall(("persons", 3), ({"line": 1, "column": 2},))
    shortfall.note("NUMBERS_INCOMPLETE", ("persons", 3, "civilStatus", "deaths"))
    shortfall.note("NUMBERS_INCOMPLETE", ("persons", 3, "civilStatus", "births"))
    for place in range(3):
        path = ("persons", 3, "notary", "assets", "items", place, "owners")
        shortfall.note("KEY_NOT_RECORDED", path)
    assert [(error.code.name, error.details) for error in shortfall.errors()] == [
        ("NUMBERS_INCOMPLETE", {"lists": ["civilStatus.births", "civilStatus.deaths"]}),
        ("KEY_NOT_RECORDED", {"lists": ["notary.assets.items.owners"]}),
    ]
