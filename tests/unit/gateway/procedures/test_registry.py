"""Every registered check is complete: roles, rules, papers, records and texts.

Whoever adds a procedure is held to this. Covers ``gateway.procedures.checks.definition``.
"""

from __future__ import annotations

import re
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from connectors.description import Coded, Text
from connectors.registry import installed_databases
from connectors.values import OrganizationCode, PersonNumber, ThingKey
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.definition import CheckDefinition, Edition
from gateway.procedures.checks.rule import AllOf, AnyOf, Condition, ProcedureRule
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import ALL
from tests.support.checks import check, rules_of
from tests.support.evidence import TODAY

RECORDS = {
    f"{record.database}.{record.name}"
    for database in installed_databases()
    for record in database.records
}
CHECKS = [procedure.check for procedure in ALL if procedure.check is not None]
PROCEDURES = [procedure for procedure in ALL if procedure.check is not None]
EDITIONS = [(definition, edition) for definition in CHECKS for edition in definition.editions]
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")

every_check = pytest.mark.parametrize("definition", CHECKS, ids=lambda each: each.name)
every_edition = pytest.mark.parametrize(
    ("definition", "edition"), EDITIONS, ids=[f"{each.name} {day.since}" for each, day in EDITIONS]
)


def groups_of(conditions: tuple[Condition, ...]) -> Iterator[AllOf | AnyOf]:
    for condition in conditions:
        if isinstance(condition, AllOf | AnyOf):
            yield condition
            yield from groups_of(condition.rules)


def twice(names: Iterator[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def member_of(kind: Any) -> Any:
    """Return a type without "or nothing"."""
    if get_origin(kind) is types.UnionType or type(None) in get_args(kind):
        (kind,) = (member for member in get_args(kind) if member is not type(None))
    return kind


def input_texts(declared: type) -> Iterator[tuple[str, object]]:
    """Yield the title of each field of an input, also of those in a struct."""
    for name, hint in get_type_hints(declared, include_extras=True).items():
        kind, *titles = get_args(hint)
        yield f"{declared.__name__}.{name}", titles[0] if titles else None
        kind = member_of(kind)
        kind = get_args(kind)[0] if get_origin(kind) is list else kind
        if isinstance(kind, type) and is_dataclass(kind):
            yield from input_texts(kind)


def edition_texts(edition: Edition) -> Iterator[tuple[str, object]]:
    yield "competent_body", edition.competent_body
    if edition.deadline is not None:
        yield "deadline", edition.deadline.law
    for rule in rules_of(edition.conditions):
        yield f"{rule.code}.title", rule.title
        yield f"{rule.code}.law", rule.law
    for group in groups_of(edition.conditions):
        yield group.code, group.title
    for paper in edition.papers:
        yield paper.code, paper.title


def sample(kind: Any, numbers: Iterator[int]) -> Any:
    """Return some value of the type of an input; no number of a person comes twice."""
    kind = member_of(kind)
    if get_origin(kind) is list:
        return [sample(get_args(kind)[0], numbers)]
    if kind is PersonNumber:
        return PersonNumber(f"{next(numbers):012}")
    if isinstance(kind, type) and issubclass(kind, Coded):
        return next(iter(kind))
    if is_dataclass(kind):
        assert isinstance(kind, type)
        hints = get_type_hints(kind)
        return kind(**{each.name: sample(hints[each.name], numbers) for each in fields(kind)})
    return _SAMPLES[kind]


#: A value of each scalar of an input.
_SAMPLES: dict[Any, Any] = {
    str: "A",
    date: TODAY,
    Decimal: Decimal(1),
    bool: True,
    int: 1,
    ThingKey: "A",
    OrganizationCode: "0100233488",
}


def is_incomplete(text: object) -> bool:
    """Say whether a text lacks a language, or says the same in both."""
    if not isinstance(text, Text):
        return True
    return not text.vi.strip() or not text.en.strip() or text.vi == text.en


def test_checks_have_names_of_their_own() -> None:
    assert twice(definition.name for definition in CHECKS) == []
    assert twice(definition.input.__name__ for definition in CHECKS) == []


def test_results_have_names_of_their_own() -> None:
    names = (result.name for definition in CHECKS for result in definition.results)
    assert twice(names) == []


@every_check
def test_every_role_has_lists_and_every_list_a_role(definition: CheckDefinition) -> None:
    roles = {role.name for role in definition.role_definitions}
    assert roles, "a check is about somebody"
    assert set(definition.roles) == roles
    assert [role for role, lists in definition.roles.items() if not lists] == []


@every_check
def test_every_list_that_a_check_reads_is_declared(definition: CheckDefinition) -> None:
    assert definition.reads(installed_databases()) is not None
    assert definition.unprotected <= set(definition.view.reads)


@every_check
def test_editions_follow_one_another(definition: CheckDefinition) -> None:
    days = [edition.since for edition in definition.editions]
    assert days
    assert days == sorted(set(days))
    assert definition.edition(TODAY) is not None


@every_edition
def test_rules_groups_and_papers_have_codes_of_their_own(
    definition: CheckDefinition, edition: Edition
) -> None:
    rules = [rule.code for rule in rules_of(edition.conditions)]
    groups = [group.code for group in groups_of(edition.conditions)]
    papers = [paper.code for paper in edition.papers]
    assert rules
    assert twice(iter([*rules, *groups])) == []
    assert twice(iter(papers)) == []
    assert [code for code in (*rules, *groups, *papers) if not CODE.fullmatch(code)] == []


@every_edition
def test_papers_name_rules_and_records_that_there_are(
    definition: CheckDefinition, edition: Edition
) -> None:
    rules = {rule.code for rule in rules_of(edition.conditions)}
    for paper in edition.papers:
        assert set(paper.proves) <= rules, paper.code
        assert set(paper.replaced_by) <= RECORDS, paper.code
        assert not paper.replaced_by or paper.proves, f"{paper.code}: data replace it once what?"


@every_edition
def test_every_condition_and_edition_names_its_law(
    definition: CheckDefinition, edition: Edition
) -> None:
    assert edition.law
    assert all(title.strip() for title in edition.law)
    groups = list(groups_of(edition.conditions))
    assert [group.code for group in groups if len(group.rules) < 2] == []


@every_edition
def test_every_text_of_an_edition_has_both_languages(
    definition: CheckDefinition, edition: Edition
) -> None:
    assert [name for name, text in edition_texts(edition) if is_incomplete(text)] == []


@every_check
def test_every_text_of_an_input_has_both_languages(definition: CheckDefinition) -> None:
    assert [name for name, text in input_texts(definition.input) if is_incomplete(text)] == []
    name, _, translation = (definition.input.__doc__ or "").partition(" / ")
    assert name
    assert translation


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda each: each.codes[0])
def test_every_text_of_a_procedure_has_both_languages(procedure: Procedure) -> None:
    assert not is_incomplete(procedure.title)
    assert procedure.legal_basis
    assert procedure.check is not None
    assert [result.name for result in procedure.check.results if is_incomplete(result.title)] == []


@every_edition
def test_every_sentence_about_what_is_not_known_has_both_languages(
    definition: CheckDefinition, edition: Edition
) -> None:
    missing = dict.fromkeys(definition.view.reads, UnknownReason.SOURCE_FAILED)
    case = sample(definition.input, count(1))
    conclusion = check(definition, case, {}, max(edition.since, TODAY), missing=missing)
    sentences = {each.rule.code: each.result.sentence for each in conclusion.rules}
    assert [code for code, text in sentences.items() if is_incomplete(text)] == []
    assert conclusion.outcome.name != "MET"


def test_a_rule_is_met_by_a_rule_of_the_registry_only() -> None:
    """The tests above would hold of nothing; there are checks, and each has rules."""
    assert CHECKS
    for _, edition in EDITIONS:
        assert all(isinstance(rule, ProcedureRule) for rule in rules_of(edition.conditions))
