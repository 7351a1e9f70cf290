"""Derive views: their lists first, then what hangs on them, then what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.description import Record
from gateway.answer import Answer
from gateway.audit.touched import note_derived
from gateway.derived.conclude import DerivedValue, hanging_keys
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.parts import PersonPart
from gateway.fetch.reads import ReadColumn
from gateway.plan.plan import DerivedPlan


def derive_views(
    batch: PlanBatch, plan: DerivedPlan, people: Sequence[PersonPart], step: Step
) -> None:
    """Derive the view ``plan`` of ``people``. ``step``: this step, for those who have to wait."""
    for person in people:
        try:
            column = _derive_view(batch, plan, person)
        except GatewayError as error:
            person.problem(error, plan.place.steps, plan.place.locations)
            column = None
        if column is None:
            batch.finish(person)
        else:
            batch.wait(column, step, plan, (person,))


def _derive_view(batch: PlanBatch, plan: DerivedPlan, person: PersonPart) -> ReadColumn | None:
    """Derive the view of one person; returns what has to arrive first, None when done.

    Raises GatewayError INVALID_VALUE.
    """
    rules, path, locations = batch.rules, plan.place.steps, plan.place.locations
    arguments = batch.arguments_of(plan.arguments)
    assert isinstance(arguments, Mapping)
    question = rules.derived_question(plan.computed, arguments, person.is_own_view)
    if plan.denied:
        denied = GatewayError("FORBIDDEN", details={"missing": list(plan.denied)})
        person.problem(denied, path, locations)
        _put(plan, person, rules.denied_view(plan.computed, question))
        return None
    answers = _read_lists(batch, plan, person)
    if isinstance(answers, ReadColumn):
        return answers
    assert person.known_as is not None
    value, record, answer = rules.conclude(plan.computed, answers, person.known_as, question)
    error = rules.problem(record, answer)
    if error is not None:
        person.problem(error, path, locations)
    if person.reason is not None and answer.rows is not None:
        person.note_shortfall(person.reason, path)
    _put(plan, person, value)
    return None


def _read_lists(
    batch: PlanBatch, plan: DerivedPlan, person: PersonPart
) -> dict[str, tuple[Record, Answer]] | ReadColumn:
    """Return what was read of each list; else what has to arrive first."""
    derived = plan.computed.derived
    answers: dict[str, tuple[Record, Answer]] = {}
    missing: ReadColumn | None = None
    for name in (*derived.lists, derived.hanging[0]):
        read = plan.reads[name]
        hangs = name == derived.hanging[0]
        if hangs and missing is not None:
            break
        keys = hanging_keys(derived, answers) if hangs else person.keys
        arrived = batch.arrived(person, read, keys, person.keys)
        if isinstance(arrived, ReadColumn):
            missing = arrived
        else:
            answers[name] = (read.record, batch.rules.merge(read.record, arrived))
    return answers if missing is None else missing


def _put(plan: DerivedPlan, person: PersonPart, value: DerivedValue) -> None:
    assert person.plan is not None
    person.derived[person.plan.derived.index(plan)] = value
    state = value.source.state
    person.note_state(note_derived(person.add_sections(), plan.computed, state), state)
