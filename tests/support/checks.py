"""Checks of procedures over rows that a test writes down, and over a whole gateway.

``check`` evaluates the rules alone. ``unproved_passes`` holds a check to "absent is not unknown":
it takes one list after the other away, in every way in which a list can be not known, and returns
the rules that pass although they read it. ``ask_check`` asks a running gateway, by plan and field
by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.answer import Identification
from gateway.derived.view import Facts, Question, RelatedPerson, UnknownReason
from gateway.plan.check_arguments import input_keys
from gateway.procedures.checks.definition import CheckDefinition
from gateway.procedures.checks.evaluate import CheckCase, CheckConclusion, evaluate_check
from gateway.procedures.checks.rule import AllOf, AnyOf, Condition, ProcedureRule, RuleState
from tests.support.evidence import TODAY, Lists, WrittenEvidence
from tests.support.running import Running

#: Every way in which a list may lack rows.
REASONS = (
    UnknownReason.SOURCE_FAILED,
    UnknownReason.NOT_OPERATING,
    UnknownReason.STALE,
    UnknownReason.UNREADABLE,
    UnknownReason.TRUNCATED,
    UnknownReason.NOT_COVERED,
    UnknownReason.NUMBERS_INCOMPLETE,
    UnknownReason.NOT_IDENTIFIED,
)


@dataclass
class _NotedEvidence(WrittenEvidence):
    """Evidence that notes which lists are read."""

    read: set[str] = field(default_factory=set)
    unknown_people: frozenset[str] = frozenset()

    def person(self, number: str) -> RelatedPerson | None:
        if number in self.unknown_people:
            return RelatedPerson((number,), Identification.NOT_IDENTIFIED)
        return super().person(number)

    def list(self, name: str) -> Facts:
        self.read.add(name)
        return super().list(name)

    def under(self, name: str, keys: Sequence[str], of: RelatedPerson | None = None) -> Facts:
        self.read.add(name)
        return super().under(name, keys, of)


def case_of(
    definition: CheckDefinition,
    given: Any,
    lists: Lists,
    at: date = TODAY,
    missing: Mapping[str, UnknownReason] | None = None,
    unknown_people: frozenset[str] = frozenset(),
    earlier: Mapping[str, tuple[str, ...]] | None = None,
    special_areas: frozenset[str] = frozenset(),
) -> tuple[CheckCase, set[str]]:
    """Return the case of an input, and the set in which it notes the lists that are read.

    ``missing``: why lists are not complete, by list, or by list and key with a space between.
    ``unknown_people``: numbers that the population database does not know. ``earlier``: other
    numbers of people, by the present one.
    """
    read: set[str] = set()

    def evidence(number: str | None) -> _NotedEvidence:
        is_unknown = number in unknown_people
        identification = Identification.NOT_IDENTIFIED if is_unknown else Identification.IDENTIFIED
        reasons = dict(missing or {})
        if is_unknown:
            reasons |= dict.fromkeys(definition.view.reads, UnknownReason.NOT_IDENTIFIED)
        return _NotedEvidence(
            definition.view,
            lists,
            Question(TODAY, TODAY),
            () if number is None else (number, *(earlier or {}).get(number, ())),
            identification,
            missing=reasons,
            earlier=earlier or {},
            read=read,
            unknown_people=unknown_people,
        )

    by_role = {}
    for role in definition.role_definitions:
        value = getattr(given, role.name)
        numbers = value if role.is_many and value else [value] if value else []
        by_role[role.name] = tuple(evidence(str(number)) for number in numbers)
    things, keys = evidence(None), input_keys(given)
    return CheckCase(given, at, TODAY, by_role, things, keys, special_areas), read


def check(
    definition: CheckDefinition, given: Any, lists: Lists, at: date = TODAY, **case: Any
) -> CheckConclusion:
    """Return what a check comes to; ``case``: as in ``case_of``."""
    edition = definition.edition(at)
    assert edition is not None
    written, _ = case_of(definition, given, lists, at, **case)
    return evaluate_check(definition, edition, written)


def states(conclusion: CheckConclusion) -> dict[str, str]:
    """Return the name of each rule's state, by the code of the rule."""
    return {each.rule.code: each.result.state.name for each in conclusion.rules}


def papers(conclusion: CheckConclusion) -> dict[str, str]:
    """Return the name of each paper's state, by the code of the paper."""
    return {each.paper.code: each.state.name for each in conclusion.papers}


def rules_of(conditions: Sequence[Condition]) -> Iterator[ProcedureRule]:
    """Yield the rules of ``conditions``, in groups or not."""
    for condition in conditions:
        if isinstance(condition, AllOf | AnyOf):
            yield from rules_of(condition.rules)
        else:
            yield condition


def unproved_passes(
    definition: CheckDefinition, given: Any, lists: Lists, at: date = TODAY
) -> set[tuple[str, str]]:
    """Return rule and list where a rule passes although a list that it reads is not known.

    A rule that another list proves by itself may be among them: the test that calls this says
    which, and why.
    """
    edition = definition.edition(at)
    assert edition is not None
    found = set()
    for rule in rules_of(edition.conditions):
        for name in definition.view.reads:
            for reason in REASONS:
                case, read = case_of(definition, given, lists, at, {name: reason})
                result = rule.check(case)
                if result.state is RuleState.PASS and name in read:
                    found.add((rule.code, name))
    return found


_CHECK = """query($code: String!, $input: CheckInput!, $at: Date) {
  checkProcedure(code: $code, input: $input, at: $at) {
    code title { vi en } outcome at factsAsOf law competentBody { vi en }
    deadline { amount unit } groups { code state anySuffices group }
    rules { code group state reason sentence { vi en } law { vi en }
            evidence { database record id asOf } }
    papers { code name { vi } replacedBy state } toBring { code }
    sources { state database { name } } silent { name owner { vi } contact } } }"""


async def ask_check(
    gateway: Running,
    code: str,
    given: Mapping[str, Any],
    at: date | None = None,
    scopes: Sequence[str] = ("procedures:check",),
) -> dict[str, Any]:
    """Return the body of the answer to a check under its own purpose; ``given``: the input."""
    variables = {"code": code, "input": given, "at": at and at.isoformat()}
    token = gateway.token(*scopes, purposes=[code])
    answer = await gateway.post(_CHECK, variables, token, x_purpose=code)
    body: dict[str, Any] = answer.json()
    return body


def states_in(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the state of each rule in the body of an answer, by the code of the rule."""
    return {rule["code"]: rule["state"] for rule in body["data"]["checkProcedure"]["rules"]}
