"""What conditions come to together, and which papers data replace.

Covers ``gateway.procedures.checks.rule`` and ``gateway.procedures.checks.definition``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Annotated

import pytest

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.derived.registers import IDENTITY
from gateway.derived.view import UnknownReason
from gateway.procedures.checks.definition import CheckDefinition, Edition, Paper
from gateway.procedures.checks.evaluate import CheckConclusion
from gateway.procedures.checks.rule import (
    AllOf,
    AnyOf,
    Condition,
    ProcedureRule,
    RuleResult,
    RuleState,
    state_of_all,
    state_of_any,
)
from tests.support.checks import check, papers, states
from tests.support.evidence import PERSON

TEXT = Text("văn bản", "text")
RESULTS = {
    "PASS": RuleResult.passes(TEXT),
    "FAIL": RuleResult.fails(TEXT),
    "UNKNOWN": RuleResult.unknown(TEXT, UnknownReason.STALE),
    "NEEDS_DOCUMENT": RuleResult.needs_document(TEXT),
    "NEEDS_PERSON": RuleResult.needs_person(TEXT),
}


@dataclass(frozen=True, slots=True)
class SampleInput:
    """Mẫu / Sample."""

    applicant: Annotated[PersonNumber, TEXT]
    witness: Annotated[PersonNumber | None, TEXT] = None
    children: Annotated[list[PersonNumber] | None, TEXT] = None
    note: Annotated[str | None, TEXT] = None


def rule(code: str, state: str, *, is_concealed: bool = False) -> ProcedureRule:
    return ProcedureRule(code, TEXT, TEXT, lambda _: RESULTS[state], is_concealed)


def definition(*conditions: Condition, papers: Sequence[Paper] = ()) -> CheckDefinition:
    editions = tuple(
        Edition(since, (name,), TEXT, None, conditions, tuple(papers))
        for since, name in ((date(2016, 1, 1), "old law"), (date(2027, 3, 1), "new law"))
    )
    return CheckDefinition("sample", SampleInput, {"applicant": (IDENTITY,)}, editions)


def outcome(*conditions: Condition) -> str:
    return check(definition(*conditions), SampleInput(PersonNumber(PERSON)), {}).outcome.name


@pytest.mark.parametrize("codes", list(product(RESULTS, repeat=2)))
def test_conditions_must_all_be_met(codes: tuple[str, str]) -> None:
    order = ("FAIL", "UNKNOWN", "NEEDS_DOCUMENT", "NEEDS_PERSON", "PASS")
    worst = min(codes, key=order.index)
    assert state_of_all([RuleState[code] for code in codes]).name == worst
    expected = {"FAIL": "NOT_MET", "PASS": "MET"}.get(worst, worst)
    assert outcome(rule("A", codes[0]), rule("B", codes[1])) == expected


@pytest.mark.parametrize("codes", list(product(RESULTS, repeat=2)))
def test_of_a_group_one_may_suffice(codes: tuple[str, str]) -> None:
    order = ("PASS", "UNKNOWN", "NEEDS_DOCUMENT", "NEEDS_PERSON", "FAIL")
    best = min(codes, key=order.index)
    assert state_of_any([RuleState[code] for code in codes]).name == best
    group = AnyOf("G", TEXT, (rule("A", codes[0]), rule("B", codes[1])))
    assert outcome(group) == {"FAIL": "NOT_MET", "PASS": "MET"}.get(best, best)


def test_groups_stand_in_groups() -> None:
    inner = AllOf("INNER", TEXT, (rule("A", "PASS"), rule("B", "NEEDS_PERSON")))
    outer = AnyOf("OUTER", TEXT, (inner, rule("C", "FAIL")))
    concluded = check(definition(outer), SampleInput(PersonNumber(PERSON)), {})
    assert [(each.group.code, each.state.name) for each in concluded.groups] == [
        ("INNER", "NEEDS_PERSON"),
        ("OUTER", "NEEDS_PERSON"),
    ]
    assert [[group.code for group in each.groups] for each in concluded.rules] == [
        ["OUTER", "INNER"],
        ["OUTER", "INNER"],
        ["OUTER"],
    ]


def test_a_concealed_rule_has_no_reason_and_no_basis() -> None:
    concealed = rule("A", "UNKNOWN", is_concealed=True)
    (conclusion,) = check(definition(concealed), SampleInput(PersonNumber(PERSON)), {}).rules
    assert (conclusion.result.state.name, conclusion.result.reason) == ("UNKNOWN", None)


def concluded(state: str, *, replaced_by: tuple[str, ...] = (IDENTITY,)) -> CheckConclusion:
    card = Paper("CARD", TEXT, replaced_by, ("A",))
    unneeded = Paper("OTHER", TEXT, is_needed=lambda case: case.has("witness"))
    checked = definition(rule("A", state), papers=(card, unneeded))
    return check(checked, SampleInput(PersonNumber(PERSON)), {})


@pytest.mark.parametrize(
    ("state", "paper"),
    [
        ("PASS", "REPLACED"),
        ("FAIL", "REPLACED"),
        ("UNKNOWN", "UNDECIDED"),
        ("NEEDS_DOCUMENT", "TO_BRING"),
        ("NEEDS_PERSON", "TO_BRING"),
    ],
)
def test_data_replace_a_paper_once_its_rules_are_decided(state: str, paper: str) -> None:
    assert papers(concluded(state)) == {"CARD": paper}


def test_a_paper_that_no_data_replace_is_brought() -> None:
    assert papers(concluded("PASS", replaced_by=())) == {"CARD": "TO_BRING"}


def test_the_law_of_the_day_decides() -> None:
    checked = definition(rule("A", "PASS"))
    for at, law in ((date(2027, 2, 28), "old law"), (date(2027, 3, 1), "new law")):
        assert check(checked, SampleInput(PersonNumber(PERSON)), {}, at).edition.law == (law,)
    assert checked.edition(date(2015, 12, 31)) is None


def test_fields_of_numbers_are_roles() -> None:
    roles = definition(rule("A", "PASS")).role_definitions
    assert [(role.name, role.is_required, role.is_many) for role in roles] == [
        ("applicant", True, False),
        ("witness", False, False),
        ("children", False, True),
    ]
    assert states(concluded("PASS")) == {"A": "PASS"}
