"""Read timelines: the lists with events of people, then the lists that hang on their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.answer import Answer, State
from gateway.audit.touched import note_read
from gateway.catalogue.read import Read
from gateway.derived.event_lists import EventList
from gateway.derived.timeline import EventRows
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.parts import PersonPart, own_view
from gateway.execution.timelines import (
    HangingKeys,
    PermittedList,
    event_rows,
    hanging_keys,
    permit_lists,
    require_timeline,
    timeline_page,
    timeline_problems,
    unread_rows,
)
from gateway.fetch.reads import ReadColumn
from gateway.plan.plan import TimelinePlan
from gateway.plan.timeline_arguments import TimelineArguments

#: Returns a list of a person, or what has to arrive first.
AnswerPerson = Callable[[PlanBatch, PersonPart, Read], Answer | ReadColumn]


def read_timelines(
    batch: PlanBatch,
    plan: TimelinePlan,
    people: Sequence[PersonPart],
    step: Step,
    answer_person: AnswerPerson,
) -> None:
    """Read the timeline ``plan`` of ``people``. ``step``: this step, for those who have to wait."""
    arguments = batch.arguments_of(plan.arguments)
    assert isinstance(arguments, TimelineArguments)
    lists = permit_lists(batch.rules, arguments, own_view(people[0].is_own_view))
    for person in people:
        try:
            column = _read_timeline(batch, plan, person, arguments, lists, answer_person)
        except GatewayError as error:
            person.problem(error, plan.place.steps, plan.place.locations)
            column = None
        if column is None:
            batch.finish(person)
        else:
            batch.wait(column, step, plan, (person,))


def _read_timeline(
    batch: PlanBatch,
    plan: TimelinePlan,
    person: PersonPart,
    arguments: TimelineArguments,
    lists: Sequence[PermittedList],
    answer_person: AnswerPerson,
) -> ReadColumn | None:
    """Read the timeline of one person; returns what has to arrive first, None when done.

    Raises GatewayError FORBIDDEN and CURSOR_OUTDATED.
    """
    require_timeline(batch.rules, person.is_own_view)
    arrived: dict[EventList, EventRows] = {}
    missing: ReadColumn | None = None
    for entry in lists:
        above = arrived.get(entry.above.list) if entry.above else None
        if entry.above is not None and above is None:
            continue
        outcome = _read_list(batch, person, entry, above, answer_person)
        if isinstance(outcome, EventRows):
            arrived[entry.list] = outcome
        else:
            missing = outcome
    if missing is not None:
        return missing
    path, locations = plan.place.steps, plan.place.locations
    for error in timeline_problems(batch.rules, tuple(arrived.values())):
        person.problem(error, path, locations)
    answers = [entry.answer for entry in arrived.values() if entry.list.parent is None]
    if person.reason is not None and any(
        answer is not None and answer.rows is not None for answer in answers
    ):
        person.note_shortfall(person.reason, path)
    assert person.plan is not None
    page = timeline_page(batch.rules.record_ids.key, tuple(arrived.values()), arguments)
    person.timelines[person.plan.timelines.index(plan)] = page
    return None


def _read_list(
    batch: PlanBatch,
    person: PersonPart,
    entry: PermittedList,
    above: EventRows | None,
    answer_person: AnswerPerson,
) -> EventRows | ReadColumn:
    """Return what was read of one list; else what has to arrive first."""
    record = entry.list.record
    if not entry.is_read:
        person.note_state(entry.list.name, State.DENIED)
        return unread_rows(entry, above)
    if entry.above is None:
        answer = answer_person(batch, person, entry.read)
        keys = HangingKeys(person.keys, True)
    else:
        assert above is not None
        decision = batch.decide(record, entry.open_up_to)
        if decision is None and (above.answer is None or above.answer.rows is None):
            return unread_rows(entry, above)
        keys = hanging_keys(entry, above)
        if decision is None and not keys.keys:
            answer = batch.rules.merge(record, ())
        else:
            answer = batch.answer(person, entry.read, entry.open_up_to, keys.keys, None)
            if isinstance(answer, Answer):
                note_read(person.add_sections(), record, answer)
    if isinstance(answer, ReadColumn):
        return answer
    return event_rows(batch.rules, entry, answer, keys, above)
