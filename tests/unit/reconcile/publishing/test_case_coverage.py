"""What a run has checked of each case, from how far its extracts came."""

from __future__ import annotations

import pytest

from connectors.reconciliation import RuleCoverage
from reconcile.manifest import Manifest
from reconcile.publishing.case_coverage import CaseCoverage, case_coverage, rule_coverage
from rules.registry import RULES
from tests.support.published_runs import manifest_of, with_extract


def coverage(manifest: Manifest, rule: str, case: int = 0, **people: set[str]) -> CaseCoverage:
    unchecked = {name.replace("__", "."): hashes for name, hashes in people.items()}
    (found,) = [
        each
        for each in case_coverage(manifest, RULES, unchecked)
        if (each.rule, each.case) == (rule, case)
    ]
    return found


def test_a_run_that_read_everything_has_checked_every_case_for_everybody() -> None:
    cases = case_coverage(manifest_of(1), RULES)
    assert [(each.rule, each.case) for each in cases] == [
        (rule.name, place) for rule in RULES for place in range(len(rule.cases))
    ]
    assert {each.coverage for each in cases} == {RuleCoverage.EVERYBODY}


@pytest.mark.parametrize(
    ("record", "rule", "case"),
    [
        ("civil_status.divorces", "MARITAL_STATUS", 1),  # only "no divorce" is said of it
        ("notary.transaction_parties", "EVENT_AFTER_DEATH", 3),  # through which deeds are found
        ("population.earlier_numbers", "UNENDED_MARRIAGE", 0),  # whose number it is
    ],
)
def test_a_case_needs_every_record_that_it_rests_on(record: str, rule: str, case: int) -> None:
    failed = with_extract(manifest_of(1), record, complete=False, failure="gone")
    found = coverage(failed, rule, case)
    assert (found.coverage, found.unread) == (RuleCoverage.NOBODY, (record,))


def test_unreadable_rows_leave_those_unchecked_whose_they_are() -> None:
    manifest = with_extract(manifest_of(1), "civil_status.births", unreadable={"birth_date": 2})
    assert coverage(manifest, "BIRTH_DATE").coverage is RuleCoverage.NOBODY
    known = coverage(manifest, "BIRTH_DATE", civil_status__births={"p1", "p2"})
    assert known.people_unchecked == {"p1", "p2"}
    assert known.coverage is RuleCoverage.NOT_EVERYBODY
    assert coverage(manifest, "DEATH_DATE").coverage is RuleCoverage.EVERYBODY


@pytest.mark.parametrize(
    ("record", "column", "level"),
    [
        ("civil_status.births", "birth_date", RuleCoverage.NOBODY),
        ("civil_status.births", "status", RuleCoverage.NOBODY),
        ("civil_status.births", "event_id", RuleCoverage.NOBODY),
        ("civil_status.births", "citizen_id", RuleCoverage.NOBODY),
        ("population.earlier_numbers", "number", RuleCoverage.NOBODY),
        ("civil_status.births", "note", RuleCoverage.EVERYBODY),
    ],
)
def test_a_case_rests_on_what_it_compares_and_on_what_its_rows_are_found_by(
    record: str, column: str, level: RuleCoverage
) -> None:
    manifest = with_extract(manifest_of(1), record, unreadable={column: 1})
    assert coverage(manifest, "BIRTH_DATE").coverage is level


def test_people_are_no_excuse_for_a_record_that_was_not_read_to_its_end() -> None:
    manifest = with_extract(manifest_of(1), "civil_status.births", complete=False, failure="gone")
    found = coverage(manifest, "BIRTH_DATE", civil_status__births={"p1"})
    assert found.people_unchecked is None


def test_a_rule_is_covered_as_its_cases_are() -> None:
    everybody = CaseCoverage("A", 0, set(), ())
    nobody = CaseCoverage("A", 1, None, ("x.y",))
    alone = CaseCoverage("B", 0, None, ("x.y",))
    assert [
        (each.rule, each.coverage, each.unread)
        for each in rule_coverage([everybody, nobody, alone])
    ] == [
        ("A", RuleCoverage.NOT_EVERYBODY, ("x.y",)),
        ("B", RuleCoverage.NOBODY, ("x.y",)),
    ]
