"""Whether a person counts as not sanctioned: periods of Law 15/2012/QH13 Art. 7, to the day.

Covers ``gateway.derived.registry``, ``gateway.derived.view``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.administrative_violations import DATABASE
from connectors.description import Record
from gateway.derived.registry import ALL, derived_of
from gateway.derived.unsanctioned import DERIVED, considered_unsanctioned
from gateway.derived.view import Facts, reads_of

Row = dict[str, Any]
READS = reads_of(DERIVED, [DATABASE]) or {}
COMPLETED_ON = date(2025, 3, 10)


def record(name: str) -> Record:
    return READS[f"administrative_violations.{name}"][0]


def facts(
    sanctions: list[Row] | None = None,
    executions: list[Row] | None = None,
    handling_decisions: list[Row] | None = None,
    incomplete: str | None = None,
) -> Mapping[str, Facts]:
    """Return what a person's records say; rows name the columns that they have."""
    rows_by_list = {
        "sanctions": sanctions or [],
        "executions": executions or [],
        "handling_decisions": handling_decisions or [],
    }
    return {
        name: Facts(
            record(name),
            [tuple(row.get(column.name) for column in record(name).columns) for row in rows],
            name != incomplete,
        )
        for name, rows in rows_by_list.items()
    }


def sanction(**changes: Any) -> Row:
    usual = {"decision_no": "S", "main_sanction": "FINE", "status": "EXECUTED"}
    return {**usual, "decision_date": date(2025, 1, 10), **changes}


def carried_out(on: date = COMPLETED_ON, **changes: Any) -> Row:
    return {"decision_no": "S", "completed_on": on, **changes}


def measure(**changes: Any) -> Row:
    usual = {"decision_no": "H", "measure": "COMPULSORY_REHAB", "status": "COMPLETED"}
    return {**usual, "valid_from": date(2020, 1, 1), **changes}


def is_sanctioned_until(
    end: date, known_facts: Mapping[str, Facts], sector: str | None = None
) -> bool:
    """Say whether somebody is sanctioned up to the day before ``end``, and from then on not."""
    before = considered_unsanctioned(known_facts, end - timedelta(days=1), sector)
    return (before, considered_unsanctioned(known_facts, end, sector)) == (False, True)


def test_who_has_no_records_was_not_sanctioned() -> None:
    assert considered_unsanctioned(facts(), COMPLETED_ON, None) is True


@pytest.mark.parametrize(
    ("main", "completed_on", "end"),
    [
        ("FINE", date(2025, 3, 10), date(2026, 3, 10)),
        ("EXPULSION", date(2025, 3, 10), date(2026, 3, 10)),
        (None, date(2025, 3, 10), date(2026, 3, 10)),
        ("WARNING", date(2025, 3, 10), date(2025, 9, 10)),
        ("WARNING", date(2025, 8, 31), date(2026, 2, 28)),
        ("WARNING", date(2023, 8, 31), date(2024, 2, 29)),
        ("WARNING", date(2025, 12, 31), date(2026, 6, 30)),
        ("FINE", date(2024, 2, 29), date(2025, 2, 28)),
        ("FINE", date(9999, 3, 10), date.max),
    ],
)
def test_a_sanction_counts_until_its_period_after_being_carried_out_is_over(
    main: str | None, completed_on: date, end: date
) -> None:
    decisions = [sanction(main_sanction=main, decision_date=date(2023, 1, 1))]
    assert is_sanctioned_until(end, facts(decisions, [carried_out(completed_on)]))


@pytest.mark.parametrize("main", ["FINE", "WARNING"])
def test_after_the_limitation_it_counts_for_a_year(main: str) -> None:
    expired = {"decision_no": "S", "expired_on": date(2025, 5, 31)}
    assert is_sanctioned_until(date(2026, 5, 31), facts([sanction(main_sanction=main)], [expired]))


def test_what_was_carried_out_counts_from_then_and_not_from_the_limitation() -> None:
    completions = [carried_out(COMPLETED_ON), {"decision_no": "S", "expired_on": date(2026, 1, 10)}]
    assert is_sanctioned_until(date(2026, 3, 10), facts([sanction()], completions))


def test_of_several_steps_the_last_counts_and_those_of_other_decisions_do_not() -> None:
    steps = [
        carried_out(date(2025, 3, 10)),
        carried_out(date(2025, 4, 10)),
        carried_out(date(2025, 6, 10), decision_no="another"),
    ]
    assert is_sanctioned_until(date(2026, 4, 10), facts([sanction()], steps))


def test_a_new_sanction_within_the_period_counts_until_its_own_is_over() -> None:
    second_sanction = sanction(decision_no="T", decision_date=date(2026, 1, 10))
    completions = [carried_out(COMPLETED_ON), carried_out(date(2026, 2, 1), decision_no="T")]
    assert is_sanctioned_until(date(2027, 2, 1), facts([sanction(), second_sanction], completions))


def test_a_cancelled_decision_does_not_count() -> None:
    known_facts = facts([sanction(status="CANCELLED")], [carried_out()])
    assert considered_unsanctioned(known_facts, COMPLETED_ON, None) is True


def test_a_decision_does_not_count_before_its_day() -> None:
    known_facts = facts([sanction()], [carried_out()])
    assert considered_unsanctioned(known_facts, date(2025, 1, 9), None) is True
    assert considered_unsanctioned(known_facts, date(2025, 1, 10), None) is False


@pytest.mark.parametrize(
    ("main", "unknown_from"), [("FINE", date(2027, 1, 10)), ("WARNING", date(2026, 7, 10))]
)
def test_one_that_was_not_carried_out_counts_until_nobody_knows(
    main: str, unknown_from: date
) -> None:
    known_facts = facts([sanction(main_sanction=main)])
    assert considered_unsanctioned(known_facts, unknown_from - timedelta(days=1), None) is False
    assert considered_unsanctioned(known_facts, unknown_from, None) is None


def test_of_a_sanction_without_any_date_nothing_is_known() -> None:
    assert (
        considered_unsanctioned(facts([sanction(decision_date=None)]), COMPLETED_ON, None) is None
    )


def test_one_that_counts_decides_whatever_else_is_unknown() -> None:
    decisions = [sanction(decision_no="T", decision_date=None), sanction()]
    assert considered_unsanctioned(facts(decisions, [carried_out()]), COMPLETED_ON, None) is False


@pytest.mark.parametrize(
    ("dates", "end"),
    [
        ({"completed_on": date(2024, 2, 29)}, date(2026, 2, 28)),
        ({"completed_on": date(2024, 3, 10)}, date(2026, 3, 10)),
        ({"expired_on": date(2024, 3, 10)}, date(2025, 3, 10)),
        (
            {"completed_on": date(2024, 3, 10), "expired_on": date(2026, 3, 1)},
            date(2026, 3, 10),
        ),
    ],
)
def test_a_measure_counts_for_two_years_or_one(dates: Row, end: date) -> None:
    assert is_sanctioned_until(end, facts(handling_decisions=[measure(**dates)]))


@pytest.mark.parametrize(
    "changes",
    [{"status": "CANCELLED"}, {"measure": "WARNING_REMINDER"}, {"measure": "FAMILY_MANAGEMENT"}],
)
def test_cancelled_measures_and_those_in_place_of_others_do_not_count(changes: Row) -> None:
    known_facts = facts(handling_decisions=[measure(completed_on=COMPLETED_ON, **changes)])
    assert considered_unsanctioned(known_facts, COMPLETED_ON, None) is True


def test_a_measure_without_an_end_counts_until_nobody_knows() -> None:
    known_facts = facts(handling_decisions=[measure()])
    assert considered_unsanctioned(known_facts, date(2019, 12, 31), None) is True
    assert considered_unsanctioned(known_facts, date(2022, 12, 31), None) is False
    assert considered_unsanctioned(known_facts, date(2023, 1, 1), None) is None
    open_ended = facts(handling_decisions=[measure(valid_from=None)])
    assert considered_unsanctioned(open_ended, COMPLETED_ON, None) is None


def test_for_a_sector_only_its_own_sanctions_count() -> None:
    decisions, completions = [sanction(sector="traffic")], [carried_out()]
    known_facts = facts(decisions, completions, [measure(completed_on=COMPLETED_ON)])
    assert considered_unsanctioned(known_facts, COMPLETED_ON, "traffic") is False
    assert considered_unsanctioned(known_facts, COMPLETED_ON, "tax") is True
    assert considered_unsanctioned(known_facts, COMPLETED_ON, None) is False


def test_a_sanction_whose_sector_is_not_known_leaves_it_open_while_it_counts() -> None:
    known_facts = facts([sanction(sector=None)], [carried_out()])
    assert considered_unsanctioned(known_facts, COMPLETED_ON, "tax") is None
    assert considered_unsanctioned(known_facts, date(2026, 3, 10), "tax") is True
    assert considered_unsanctioned(known_facts, COMPLETED_ON, None) is False


@pytest.mark.parametrize("incomplete", ["sanctions", "executions", "handling_decisions"])
def test_where_something_may_be_missing_nobody_is_said_to_be_unsanctioned(
    incomplete: str,
) -> None:
    assert considered_unsanctioned(facts(incomplete=incomplete), COMPLETED_ON, None) is None
    expired = facts([sanction()], [carried_out()], incomplete=incomplete)
    assert considered_unsanctioned(expired, date(2026, 3, 10), None) is None
    counting = facts([sanction()], [carried_out()], incomplete=incomplete)
    assert considered_unsanctioned(counting, COMPLETED_ON, None) is False


def test_one_that_may_have_been_carried_out_long_ago_is_not_said_to_count() -> None:
    """A warning carried out at once is over after six months, which nobody could read here."""
    decisions, on = [sanction(main_sanction="WARNING")], date(2025, 12, 1)
    assert considered_unsanctioned(facts(decisions), on, None) is False
    assert considered_unsanctioned(facts(decisions, incomplete="executions"), on, None) is None


def test_the_view_belongs_to_the_violations_and_reads_three_lists() -> None:
    assert derived_of("administrative_violations") == (DERIVED,)
    assert DERIVED in ALL
    assert derived_of("notary") == ()
    assert [name.partition(".")[2] for name in READS] == [
        "sanctions",
        "handling_decisions",
        "executions",
    ]
