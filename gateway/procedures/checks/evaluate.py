"""Evaluating a check: its rules over what is known, the outcome, and the papers that data replace.

Pure: ``evaluate_check`` looks at what has been read and notes what it lacks in the evidence of the
people. Whoever reads it calls again until nothing is lacking. Every rule is evaluated until it
lacks nothing, whatever the others come to, so that what is read tells nothing about what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Protocol

from connectors.description import Coded
from gateway.derived.view import Evidence, Facts
from gateway.procedures.checks.definition import CheckDefinition, Edition, Paper
from gateway.procedures.checks.rule import (
    AllOf,
    AnyOf,
    Condition,
    Outcome,
    ProcedureCase,
    ProcedureRule,
    RuleResult,
    RuleState,
    outcome_of,
    state_of_all,
    state_of_any,
)


class PaperState(Coded):
    """Whether a paper has to be brought."""

    REPLACED = "không phải nộp: đã có dữ liệu", "not needed: data replace it"
    TO_BRING = "phải nộp hoặc xuất trình", "to be brought"
    UNDECIDED = (
        "chưa rõ: nguồn dữ liệu chưa trả lời đủ",
        "not known: the databases did not answer in full",
    )


@dataclass(frozen=True, slots=True)
class CheckCase:
    """A case with what is known of its people by role.

    See ``gateway.procedures.checks.rule.ProcedureCase``.
    """

    input: Any
    at: date
    today: date
    evidence: Mapping[str, Sequence[Evidence]]
    things: Evidence
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    special_areas: frozenset[str] = frozenset()

    def has(self, role: str) -> bool:
        """Say whether somebody stands in ``role``."""
        return bool(self.evidence.get(role))

    def person(self, role: str, place: int = 0) -> Evidence:
        """Return what is known of the person in ``role``."""
        return self.evidence[role][place]

    def people(self, role: str) -> Sequence[Evidence]:
        """Return what is known of the people in ``role``, none where nobody stands in it."""
        return self.evidence.get(role, ())

    def thing(self, name: str, field: str) -> Facts:
        """Return the list ``name`` under the key or code in a field of the input."""
        return self.things.under(name, self.keys[field])


@dataclass(frozen=True, slots=True)
class RuleConclusion:
    """A rule with its result. ``groups``: the groups it stands in, the outermost first."""

    rule: ProcedureRule
    result: RuleResult
    groups: tuple[AllOf | AnyOf, ...]


@dataclass(frozen=True, slots=True)
class GroupConclusion:
    """A group with its state. ``groups``: those it stands in itself, the outermost first."""

    group: AllOf | AnyOf
    state: RuleState
    groups: tuple[AllOf | AnyOf, ...]


@dataclass(frozen=True, slots=True)
class PaperConclusion:
    """A paper, and whether it has to be brought."""

    paper: Paper
    state: PaperState


@dataclass(frozen=True, slots=True)
class CheckConclusion:
    """What a check comes to, before it is decided what of it the caller may see."""

    edition: Edition
    outcome: Outcome
    rules: tuple[RuleConclusion, ...]
    groups: tuple[GroupConclusion, ...]
    papers: tuple[PaperConclusion, ...]
    results: Mapping[str, Any]


def read_first_wave(definition: CheckDefinition, case: CheckCase) -> None:
    """Ask for the lists of the first wave, of everybody and of every thing in the case."""
    for role, names in definition.roles.items():
        for evidence in case.people(role):
            for name in names:
                evidence.list(name)
    for field_name, names in definition.things.items():
        for name in names if field_name in case.keys else ():
            case.thing(name, field_name)


#: The part of a check that asks for what is declared, before any rule does.
FIRST_WAVE = "first wave"


class Remember(Protocol):
    """Evaluates a part of a check, or returns what it came to before.

    ``part``: the rule, the paper or the result, by which it is remembered.
    """

    def __call__(self, part: Hashable, evaluate: Callable[[], Any]) -> Any:
        """Return what ``evaluate`` returns, or returned."""


def remember_nothing(part: Hashable, evaluate: Callable[[], Any]) -> Any:
    """Evaluate a part each time."""
    return evaluate()


def evaluate_check(
    definition: CheckDefinition,
    edition: Edition,
    case: CheckCase,
    remember: Remember = remember_nothing,
) -> CheckConclusion:
    """Return what follows from what is known so far. Final once no evidence lacks anything.

    ``remember``: what a part came to that lacked nothing need not be evaluated again.
    """
    remember(FIRST_WAVE, partial(read_first_wave, definition, case))
    rules: list[RuleConclusion] = []
    groups: list[GroupConclusion] = []

    def evaluate_rule(rule: ProcedureRule) -> RuleResult:
        result = rule.check(case)
        return RuleResult(result.state, result.sentence) if rule.is_concealed else result

    def evaluate(condition: Condition, above: tuple[AllOf | AnyOf, ...]) -> RuleState:
        """Return the state of a condition; adds rules and groups below it in declared order."""
        if isinstance(condition, ProcedureRule):
            part = ("rule", condition.code)
            result: RuleResult = remember(part, partial(evaluate_rule, condition))
            rules.append(RuleConclusion(condition, result, above))
            return result.state
        below = (*above, condition)
        states = [evaluate(inner, below) for inner in condition.rules]
        decide = state_of_any if isinstance(condition, AnyOf) else state_of_all
        state = decide(states)
        groups.append(GroupConclusion(condition, state, above))
        return state

    states = [evaluate(condition, ()) for condition in edition.conditions]
    by_code = {conclusion.rule.code: conclusion.result.state for conclusion in rules}
    return CheckConclusion(
        edition,
        outcome_of(states),
        tuple(rules),
        tuple(groups),
        tuple(_papers(edition, case, by_code, remember)),
        {
            result.name: remember(("result", result.name), partial(result.compute, case))
            for result in definition.results
        },
    )


def _papers(
    edition: Edition, case: ProcedureCase, states: Mapping[str, RuleState], remember: Remember
) -> Iterator[PaperConclusion]:
    for paper in edition.papers:
        is_needed = paper.is_needed
        if is_needed is None or remember(("paper", paper.code), partial(is_needed, case)):
            yield PaperConclusion(paper, _paper_state(paper, states))


def _paper_state(paper: Paper, states: Mapping[str, RuleState]) -> PaperState:
    if not paper.replaced_by:
        return PaperState.TO_BRING
    proved = [states[code] for code in paper.proves]
    if all(state in {RuleState.PASS, RuleState.FAIL} for state in proved):
        return PaperState.REPLACED
    if RuleState.UNKNOWN in proved:
        return PaperState.UNDECIDED
    return PaperState.TO_BRING
