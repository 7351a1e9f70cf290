"""Derive views: their lists in one wave, what depends on rows in later ones, then what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.answer import Answer
from gateway.audit.touched import kin_of, note_derived, note_evidence
from gateway.derived.conclude import (
    DerivedValue,
    FactValue,
    MayShow,
    ReadEvidence,
    Subject,
    evaluate,
)
from gateway.derived.people import numbers_in
from gateway.derived.view import RelatedPerson
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.derivation import (
    answer_view,
    denied_view,
    may_show,
    question_of,
    related_person,
    view_problem,
)
from gateway.execution.parts import PersonPart
from gateway.execution.resolve import resolve_number
from gateway.fetch.reads import ReadColumn
from gateway.plan.plan import DerivedPlan


def derive_views(
    batch: PlanBatch, plan: DerivedPlan, people: Sequence[PersonPart], step: Step
) -> None:
    """Derive the view ``plan`` of ``people``. ``step``: this step, for those who have to wait."""
    shows = {is_own: may_show(batch.rules, is_own) for is_own in (False, True)}
    for person in people:
        try:
            column = _derive_view(batch, plan, person, shows[person.is_own_view])
        except GatewayError as error:
            person.problem(error, plan.place.steps, plan.place.locations)
            column = None
        if column is None:
            batch.finish(person)
        else:
            batch.wait(column, step, plan, (person,))


@dataclass(slots=True)
class _ArrivedReads:
    """What has arrived for a view of one person. ``missing``: a column that has not, if any.

    What has not arrived is asked for.
    """

    batch: PlanBatch
    plan: DerivedPlan
    person: PersonPart
    missing: ReadColumn | None = None

    def find_answer(
        self, name: str, keys: tuple[str, ...], subject_numbers: tuple[str, ...]
    ) -> Answer | None:
        read = self.plan.reads[name]
        arrived = self.batch.arrived(self.person, read, keys, subject_numbers)
        if isinstance(arrived, ReadColumn):
            self.missing = self.missing or arrived
            return None
        return self.batch.rules.evidence_answer(read.record, arrived)

    def find_person(self, number: str) -> RelatedPerson | None:
        numbers = resolve_number(self.batch, self.person, number)
        if isinstance(numbers, ReadColumn):
            self.missing = self.missing or numbers
            return None
        return related_person(numbers)


def _derive_view(
    batch: PlanBatch, plan: DerivedPlan, person: PersonPart, shows: MayShow
) -> ReadColumn | None:
    """Derive the view of one person; returns what has to arrive first, None when done.

    Raises GatewayError INVALID_VALUE, or TOO_MANY_PERSONS.
    """
    rules, path, locations = batch.rules, plan.place.steps, plan.place.locations
    arguments = batch.arguments_of(plan.arguments)
    assert isinstance(arguments, Mapping)
    question = question_of(rules, plan.computed, arguments, person.is_own_view)
    if plan.denied:
        denied = GatewayError("FORBIDDEN", details={"missing": list(plan.denied)})
        person.problem(denied, path, locations)
        _put(plan, person, denied_view(rules, plan.computed, question))
        return None
    assert person.known_as is not None
    subject = Subject(person.keys, person.known_as, person.is_own_view)
    reads = _ArrivedReads(batch, plan, person)
    evidence = ReadEvidence(
        plan.computed.derived,
        plan.computed.reads,
        subject,
        question,
        reads.find_answer,
        reads.find_person,
        shows,
    )
    conclusion = evaluate(evidence)
    if conclusion is None:
        return reads.missing
    error, has_rows = view_problem(rules, evidence)
    if error is not None:
        person.problem(error, path, locations)
    if person.reason is not None and has_rows:
        person.note_shortfall(person.reason, path)
    value = answer_view(rules, conclusion, evidence)
    person.note_mentions(numbers_in(value.value))
    for name, state in note_evidence(person.add_sections(), evidence).items():
        person.note_state(name, state)
    person.kin = [*(person.kin or ()), *kin_of(evidence)] or None
    _put(plan, person, value)
    return None


def _put(plan: DerivedPlan, person: PersonPart, value: DerivedValue | FactValue) -> None:
    assert person.plan is not None
    person.derived[person.plan.derived.index(plan)] = value
    person.note_state(note_derived(person.add_sections(), plan.computed, value.state), value.state)
