"""Faults of the databases of a check, and which of its rules pass on what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from graphql import GraphQLInputObjectType
from graphql.utilities import coerce_input_value
from strawberry.utils.str_converters import to_camel_case

from connectors.backends.base import NOBODY, Asker, Batch, Rows
from connectors.description import Lookup, Record
from gateway.access.caller import Caller
from gateway.catalogue.checks import SCOPE, CheckBinding
from gateway.derived.view import Evidence, Facts, RelatedPerson
from gateway.execution.checking import (
    all_evidence,
    check_by_loading,
    require_distinct_people,
    role_numbers,
)
from gateway.execution.execute import record_rules
from gateway.execution.operation import OperationRequest
from gateway.people.numbers import PersonNumbers, resolve_by_loading
from gateway.plan.check_arguments import parse_check_arguments
from gateway.procedures.checks.evaluate import CheckCase, CheckConclusion
from gateway.procedures.checks.rule import RuleState
from tests.support.faults import Faulty
from tests.support.running import CASE_NUMBER, Running

_QUERY = """query($code: String!, $input: CheckInput!, $at: Date) {
  checkProcedure(code: $code, input: $input, at: $at) { outcome } }"""


class Shortened(Faulty):
    """A database of which one list has more rows than are read, or one that cannot be read.

    ``shortened``: the name of the list, None for none; ``how``: "truncated" or "unreadable".
    """

    shortened: str | None = None
    how: str = "truncated"

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows for ``keys``, fewer than there are of the list at fault."""
        batch = await super().fetch(record, lookup, keys, asker)
        if lookup.name != self.shortened:
            return batch
        return replace(
            batch, by_key={key: self._shorten(rows) for key, rows in batch.by_key.items()}
        )

    def _shorten(self, rows: Rows) -> Rows:
        if self.how == "truncated":
            return replace(rows, truncated=True)
        return replace(rows, unreadable=rows.unreadable + 1, faults=frozenset({"a column"}))


@dataclass
class _NotedEvidence:
    """Evidence that notes which lists are read, and are not known."""

    evidence: Evidence
    unknown: set[str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.evidence, name)

    def list(self, name: str) -> Facts:
        return self._note(self.evidence.list(name))

    def under(self, name: str, keys: Sequence[str], of: RelatedPerson | None = None) -> Facts:
        return self._note(self.evidence.under(name, keys, of))

    def _note(self, facts: Facts) -> Facts:
        if facts.reason is not None:
            self.unknown.add(facts.name)
        return facts


@dataclass(frozen=True)
class EvaluatedCase:
    """A case that was evaluated field by field, with its rules."""

    conclusion: CheckConclusion
    case: CheckCase

    @property
    def states(self) -> dict[str, str]:
        """The state of each rule, by its code."""
        return {each.rule.code: each.result.state.name for each in self.conclusion.rules}

    @property
    def unknown_lists(self) -> set[str]:
        """The lists that were read, of whomever, and are not known."""
        return {
            facts.name
            for evidence in all_evidence(self.case)
            for facts in evidence.used.values()
            if facts.reason is not None
        }

    def unproved_passes(self) -> set[tuple[str, str]]:
        """Return rule and list where a rule passes although it read a list that is not known."""
        return {
            (each.rule.code, name)
            for each in self.conclusion.rules
            if each.result.state is RuleState.PASS
            for name in self._unknown_to(each.rule.check)
        }

    def _unknown_to(self, check: Any) -> set[str]:
        unknown: set[str] = set()
        case = replace(
            self.case,
            evidence={
                role: tuple(_NotedEvidence(each, unknown) for each in holders)
                for role, holders in self.case.evidence.items()
            },
            things=_NotedEvidence(self.case.things, unknown),
        )
        check(case)
        return unknown


def _coerce(gateway: Running, given: Mapping[str, Any]) -> Any:
    """Return an input as the schema coerces it: with its dates and enumerations."""
    inputs = gateway.service.resources.schema.type_map["CheckInput"]
    assert isinstance(inputs, GraphQLInputObjectType)
    return coerce_input_value(given, inputs)


async def evaluate_case(
    gateway: Running, binding: CheckBinding, given: Mapping[str, Any], at: date | None
) -> EvaluatedCase:
    """Evaluate a case over the databases of ``gateway``; raises GatewayError if it is refused."""
    resources = gateway.service.resources
    code = binding.procedure.codes[0]
    caller = Caller("test-client", scopes=frozenset({SCOPE}), purpose=code, case_number=CASE_NUMBER)
    document = await resources.plans.document(_QUERY, caller.client)
    inputs = _coerce(gateway, {to_camel_case(binding.definition.name): given})
    deadline = resources.clock.monotonic() + resources.settings.limits.deadline
    request = OperationRequest(document, document.operation(None), {}, caller, deadline)
    rules = record_rules(resources, request)
    values = {"code": code, "input": inputs, "at": at}
    arguments = parse_check_arguments({binding.definition.name: binding}, values, rules.today)

    async def resolve(number: str) -> PersonNumbers:
        return await resolve_by_loading(resources.sources, rules.loaders.load, number)

    people = {
        role: [await resolve(number) for number in named]
        for role, named in role_numbers(arguments).items()
    }
    require_distinct_people(people)
    return EvaluatedCase(*await check_by_loading(rules, arguments, people, resolve))
