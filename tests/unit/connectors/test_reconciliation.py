"""The database of findings says which records contradict each other, and nothing that they say."""

from __future__ import annotations

from connectors.description import Kind, Sensitivity
from connectors.reconciliation import DATABASE, UNRECORDED_CORRECTIONS, FindingSeverity
from rules.rule import ConflictCode, ConflictSeverity

OF_PEOPLE = [DATABASE.by_name[name] for name in ("findings", "finding_sides")]


def test_severities_and_rules_are_those_of_the_rules() -> None:
    assert [(each.name, each.title) for each in FindingSeverity] == [
        (each.name, each.title) for each in ConflictSeverity
    ]
    assert ConflictCode.__members__.keys() >= UNRECORDED_CORRECTIONS


def test_all_that_is_said_of_a_person_needs_the_scope_for_sensitive_fields() -> None:
    """That records contradict each other tells of databases that the caller may not see."""
    for record in OF_PEOPLE:
        assert {column.sensitivity for column in record.columns} == {Sensitivity.SENSITIVE}
        assert record.events == ()


def test_no_number_but_the_persons_and_no_row_can_be_read_off_a_finding() -> None:
    kinds = [column.field.kind for record in OF_PEOPLE for column in record.columns]
    assert kinds.count(Kind.PERSON_NUMBER) == 1
    sides = DATABASE.by_name["finding_sides"]
    assert [column.name for column in sides.columns] == [
        "side_id",
        "finding_id",
        "place",
        "source_database",
        "source_record",
        "row_hash",
        "prevails",
    ]


def test_what_a_run_has_checked_of_a_rule_is_of_nobody_and_public() -> None:
    rules = DATABASE.by_name["rule_coverage"]
    assert {column.sensitivity for column in rules.columns} == {Sensitivity.PUBLIC}
    assert Kind.PERSON_NUMBER not in {column.field.kind for column in rules.columns}


def test_coverage_says_that_an_empty_list_is_not_no_conflict() -> None:
    excluded = [text.en for text in DATABASE.coverage.excludes]
    assert "rules and people that the run could not check (see reconciliationRule)" in excluded
    assert "what has changed since the run" in excluded
