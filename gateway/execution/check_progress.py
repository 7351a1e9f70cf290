"""A case while what its rules ask for arrives: what came to an end is not evaluated again.

A rule is a pure function of the evidence. Once it has been evaluated without lacking anything, it
comes to the same whatever else arrives. What is noted as read of the people is what a single
evaluation of everything would have read, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from gateway.derived.conclude import FindAnswer, FindPerson, ReadEvidence
from gateway.derived.view import Facts, Needs, RelatedPerson
from gateway.execution.checking import RoleNumbers, all_evidence, make_case
from gateway.execution.decisions import RecordRules
from gateway.plan.check_arguments import CheckArguments
from gateway.procedures.checks.evaluate import (
    FIRST_WAVE,
    CheckCase,
    CheckConclusion,
    evaluate_check,
    read_first_wave,
)

#: What was read for a part of a check, of one person: lists, and lists of kin.
_Used = dict[tuple[str, tuple[str, ...]], Facts]
_Kin = dict[str, tuple[RelatedPerson, dict[str, None]]]


@dataclass(frozen=True, slots=True)
class _Settled:
    """What a part came to, and what it has read of each person in turn."""

    value: Any
    used: list[_Used]
    kin: list[_Kin]


@dataclass(slots=True, eq=False)
class CheckProgress:
    """A case and the parts of its check that are settled. ``lists``, ``people``: what it lacks."""

    arguments: CheckArguments
    case: CheckCase
    lists: dict[tuple[str, tuple[str, ...]], None] = field(default_factory=dict)
    people: dict[str, None] = field(default_factory=dict)
    _evidence: list[ReadEvidence] = field(init=False)
    _settled: dict[Hashable, _Settled] = field(default_factory=dict)
    _order: list[Hashable] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Share what is known among the people of the case."""
        self._evidence = list(all_evidence(self.case))
        first, *rest = self._evidence
        for evidence in rest:
            evidence.facts_by_key, evidence.people = first.facts_by_key, first.people

    @classmethod
    def begin(
        cls,
        rules: RecordRules,
        arguments: CheckArguments,
        people: RoleNumbers,
    ) -> CheckProgress:
        """Return a case of ``people`` of whom nothing is known yet."""
        return cls(arguments, make_case(rules, arguments, people, _not_now, _not_now))

    def advance(self, find_answer: FindAnswer, find_person: FindPerson) -> CheckConclusion | None:
        """Evaluate what is not settled; None: ``lists`` and ``people`` are lacking.

        The two functions are not kept: they may lead to everything that is being executed.
        """
        self._order.clear()
        for evidence in self._evidence:
            evidence.needs = Needs()
            evidence.find_answer, evidence.find_person = find_answer, find_person
        try:
            conclusion = self._evaluate()
        finally:
            for evidence in self._evidence:
                evidence.find_answer = evidence.find_person = _not_now
        self.lists = {key: None for evidence in self._evidence for key in evidence.needs.lists}
        self.people = {
            number: None for evidence in self._evidence for number in evidence.needs.people
        }
        if self.lists or self.people:
            return None
        self._note_used()
        return conclusion

    def _evaluate(self) -> CheckConclusion | None:
        """Evaluate the check; None before the first wave is there, of which every rule needs some.

        Rules that are evaluated without it would be evaluated again.
        """
        definition, edition = self.arguments.binding.definition, self.arguments.edition
        if FIRST_WAVE not in self._settled:
            self._remember(FIRST_WAVE, partial(read_first_wave, definition, self.case))
            if FIRST_WAVE not in self._settled:
                return None
            self._order.clear()
        return evaluate_check(definition, edition, self.case, self._remember)

    def _remember(self, part: Hashable, evaluate: Callable[[], Any]) -> Any:
        """Evaluate a part, unless it is settled (``gateway.procedures.checks.evaluate``)."""
        self._order.append(part)
        settled = self._settled.get(part)
        if settled is not None:
            return settled.value
        misses = 0
        for evidence in self._evidence:
            evidence.used, evidence.kin = {}, {}
            misses -= evidence.misses
        value = evaluate()
        misses += sum(evidence.misses for evidence in self._evidence)
        if not misses:
            used = [evidence.used for evidence in self._evidence]
            kin = [evidence.kin for evidence in self._evidence]
            self._settled[part] = _Settled(value, used, kin)
        return value

    def _note_used(self) -> None:
        """Note of each person what all parts have read, in the order of the parts."""
        for place, evidence in enumerate(self._evidence):
            evidence.used, evidence.kin = {}, {}
            for part in self._order:
                settled = self._settled[part]
                evidence.used |= settled.used[place]
                for number, (person, names) in settled.kin[place].items():
                    evidence.kin.setdefault(number, (person, {}))[1].update(names)


def _not_now(*_: object) -> NoReturn:
    raise AssertionError("nothing is found between two evaluations")
