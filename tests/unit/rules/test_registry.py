"""Every rule finds what the generator planted for it, and nothing else, in both executions.

Covers ``rules.conflicts.*``, ``rules.comparisons``, ``connectors.synthetic.contradictions``,
``connectors.synthetic.contradiction_ledger``, ``connectors.synthetic.number_contradictions``,
``connectors.synthetic.entry_contradictions``, ``connectors.synthetic.place_contradictions``.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.options import TODAY
from rules.registry import NUMBER_RULES, RULES
from rules.row_program import RowProgram
from rules.rule import ConflictCode
from rules.statements import rule_statements
from tests.support.rule_databases import prepare, rows_found, sqlite_databases
from tests.support.rule_people import ComparedFinding, compared, findings_of

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "conflicts.md"
#: ``make conflicts`` checks 20,000.
PEOPLE = int(os.environ.get("CONFLICT_PEOPLE", "2000"))
NAME_RULES = {"DIFFERENT_NAME", "INCOMPLETE_NAME", "NAME_FORM", "UNREADABLE_NAME"}
PROGRAM = RowProgram(RULES)

Tables = dict[tuple[str, str], list[Mapping[str, object]]]


@dataclass
class People:
    """Generated people: their rows, what was planted, and what the program finds."""

    tables: Tables
    planted: set[ComparedFinding]
    found: set[ComparedFinding]
    shown: list[tuple[object, ...]]


def generated(options: PopulationOptions) -> People:
    people = People(defaultdict(list), set(), set(), [])
    for cluster in clusters(options):
        for key, rows in cluster.rows.items():
            people.tables[key] += rows
        people.planted |= {
            (planted.rule, planted.person_id, planted.record_ids)
            for planted in cluster.contradictions
        }
    for number, finding in findings_of(PROGRAM, people.tables, TODAY):
        people.found.add(compared(number, finding))
        people.shown.append((*compared(number, finding), finding.values()))
    return people


@pytest.fixture(scope="module")
def people() -> People:
    return generated(
        PopulationOptions(people=PEOPLE, contradiction_rate=0.4, disagreement_rate=0.05)
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_finds_what_was_planted_for_it_and_nothing_else(
    rule: object, people: People
) -> None:
    name = getattr(rule, "name", "")
    planted = {finding for finding in people.planted if finding[0] == name}
    found = {finding for finding in people.found if finding[0] == name}
    assert planted, "nothing was planted"
    hits = len(planted & found)
    least = 0.98 if name in NAME_RULES else 1.0
    assert hits / len(planted) >= least, sorted(planted - found)[:5]
    assert hits / len(found) >= least, sorted(found - planted)[:5]


def test_records_that_nobody_planted_anything_in_contradict_each_other_in_nothing() -> None:
    options = PopulationOptions(
        people=1_000,
        seed=7,
        disagreement_rate=0.0,
        missing_divorce_note_rate=0.0,
        marriage_end_noted_rate=1.0,
    )
    clean = generated(options)
    assert clean.found == clean.planted
    assert {finding[0] for finding in clean.found} <= {"SHARED_NUMBER", "UNENDED_MARRIAGE"}


def test_both_executions_find_the_same_of_the_same_people(people: People) -> None:
    statements = rule_statements(RULES)
    with sqlite_databases(people.tables).connect() as connection:
        prepare(connection, statements)
        found = [
            (case.rule.name, row[0], case.record_ids(row), case.values(row))
            for case, row in rows_found(connection, statements, TODAY)
        ]
    assert sorted(map(repr, found)) == sorted(map(repr, people.shown))


def test_what_is_hidden_from_callers_changes_no_finding(people: People) -> None:
    """Adoptions, replaced births and wills: without them the rules find the same."""
    tables: Tables = dict(people.tables)
    hidden = 0
    for key, column, values in (
        (("civil_status", "births"), "status", {"SUPERSEDED"}),
        (("civil_status", "court_notes"), "event_type", {"ADOPTION", "ADOPTION_TERMINATION"}),
        (("notary", "transactions"), "kind", {"WILL"}),
    ):
        rows = [row for row in tables[key] if row.get(column) not in values]
        hidden += len(tables[key]) - len(rows)
        tables[key] = rows
    hidden += len(tables.pop(("civil_status", "adoptions")))
    tables.pop(("notary", "wills"), None)
    assert hidden
    found = {compared(number, finding) for number, finding in findings_of(PROGRAM, tables, TODAY)}
    assert found == people.found


def test_a_rule_says_what_to_do_in_both_languages_and_by_which_law() -> None:
    rules = (*RULES, *NUMBER_RULES)
    assert {rule.code for rule in rules} == set(ConflictCode)
    assert len(rules) == len(ConflictCode)
    for rule in rules:
        texts = (
            rule.code.title.vi,
            rule.code.title.en,
            rule.advice.vi,
            rule.advice.en,
            rule.legal_basis,
        )
        assert all(texts), rule.name
        assert rule.cases, rule.name


def test_the_page_has_every_rule_with_its_severity_and_title() -> None:
    page = PAGE.read_text("utf-8")
    for rule in (*RULES, *NUMBER_RULES):
        title = rule.code.title
        assert f"| {rule.name} | {rule.severity.name} | {title.vi} / {title.en} |" in page
    assert page.count("| HIGH |") + page.count("| MEDIUM |") + page.count("| LOW |") == (
        len(RULES) + len(NUMBER_RULES)
    )


def test_rules_read_no_record_that_is_kept_from_everybody() -> None:
    read = {(read.database, PROGRAM.records[read].name) for read in PROGRAM.reads}
    assert not read & {
        ("civil_status", "adoptions"),
        ("notary", "wills"),
        ("population", "protection_orders"),
    }
