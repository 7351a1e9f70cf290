"""Read timelines: the lists with events of people, then the lists that hang on their rows.

Each list goes on by itself: one that has to wait for its database holds up neither the others nor
what hangs on their rows. When the last has arrived, they are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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


@dataclass(slots=True, eq=False)
class PersonTimeline:
    """The timeline of one person while it is read. ``rows``: of the lists that have arrived."""

    person: PersonPart
    arguments: TimelineArguments
    lists: tuple[PermittedList, ...]
    rows: dict[EventList, EventRows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class TimelineList:
    """One list of a timeline, to be read."""

    timeline: PersonTimeline
    permitted: PermittedList


def read_timelines(
    batch: PlanBatch, plan: TimelinePlan, people: Sequence[PersonPart], read_lists: Step
) -> None:
    """Start on the timeline ``plan`` of ``people``. ``read_lists``: the step for its lists."""
    arguments = batch.arguments_of(plan.arguments)
    assert isinstance(arguments, TimelineArguments)
    is_own_view = people[0].is_own_view  # all have one plan
    try:
        require_timeline(batch.rules, is_own_view)
    except GatewayError as error:
        for person in people:
            person.problem(error, plan.place.steps, plan.place.locations)
            batch.finish(person)
        return
    lists = permit_lists(batch.rules, arguments, own_view(is_own_view))
    for person in people:
        timeline = PersonTimeline(person, arguments, lists)
        first = [TimelineList(timeline, entry) for entry in lists if entry.above is None]
        batch.schedule(read_lists, plan, first)


def read_timeline_lists(
    batch: PlanBatch,
    plan: TimelinePlan,
    entries: Sequence[TimelineList],
    step: Step,
    answer_person: AnswerPerson,
) -> None:
    """Read lists of timelines. ``step``: this step, for those who wait and what hangs on rows."""
    for entry in entries:
        timeline, permitted = entry.timeline, entry.permitted
        above = timeline.rows[permitted.above.list] if permitted.above else None
        outcome = _read_list(batch, timeline.person, permitted, above, answer_person)
        if isinstance(outcome, ReadColumn):
            batch.wait(outcome, step, plan, (entry,))
            continue
        timeline.rows[permitted.list] = outcome
        below = [
            TimelineList(timeline, child)
            for child in timeline.lists
            if child.above is not None and child.above.list is permitted.list
        ]
        batch.schedule(step, plan, below)
        if len(timeline.rows) == len(timeline.lists):
            _conclude(batch, plan, timeline)
            batch.finish(timeline.person)


def _conclude(batch: PlanBatch, plan: TimelinePlan, timeline: PersonTimeline) -> None:
    """Put the page of a timeline, and what is wrong with its lists, where they are shown."""
    person, path, locations = timeline.person, plan.place.steps, plan.place.locations
    lists = tuple(timeline.rows[entry.list] for entry in timeline.lists)
    for error in timeline_problems(batch.rules, lists):
        person.problem(error, path, locations)
    answers = [entry.answer for entry in lists if entry.list.parent is None and entry.answer]
    if person.reason is not None and any(answer.rows is not None for answer in answers):
        person.note_shortfall(person.reason, path)
    assert person.plan is not None
    try:
        page = timeline_page(batch.rules.record_ids.key, lists, timeline.arguments)
    except GatewayError as error:
        person.problem(error, path, locations)
    else:
        person.timelines[person.plan.timelines.index(plan)] = page


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
        if entry.denied:
            person.note_state(entry.list.name, State.DENIED)
        return unread_rows(entry, above)
    if above is None:
        answer = answer_person(batch, person, entry.read)
        keys = HangingKeys(person.keys, True)
    else:
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
