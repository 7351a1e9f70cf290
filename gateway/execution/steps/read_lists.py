"""Read lists of people's records, under all their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.answer import Answer
from gateway.audit.touched import note_read
from gateway.catalogue.read import Read
from gateway.execution.batch import Batch, Step
from gateway.execution.pages import RowSteps, load_page
from gateway.execution.parts import PersonPart, own_view
from gateway.fetch.reads import Column
from gateway.plan.plan import ListPlan


def answer_person(batch: Batch, person: PersonPart, read: Read) -> Answer | Column:
    """Return a list under all numbers of ``person``; else the column that has to arrive first."""
    answer = person.answers.get(read.kind)
    if answer is not None:
        return answer
    open_up_to = own_view(person.is_own_view)
    arrived = batch.answer(person, read, open_up_to, person.keys, person.person_identification)
    if isinstance(arrived, Answer):
        person.answers[read.kind] = arrived
        note_read(person.sections, read.record, arrived)
    return arrived


def read_lists(
    batch: Batch, plan: ListPlan, people: Sequence[PersonPart], step: Step, steps: RowSteps
) -> None:
    """Read the list ``plan`` of ``people``. ``step``: this step, for those who have to wait."""
    arguments = batch.list_arguments(plan)
    read, path = plan.read.with_freshness(arguments.fresh), plan.place.steps
    for person in people:
        answer = answer_person(batch, person, read)
        if isinstance(answer, Column):
            batch.wait(answer, step, plan, person)
            continue
        if person.reason is not None and answer.rows is not None:
            person.shortfalls.append((person.reason, path))
        assert person.plan is not None
        place = person.plan.lists.index(plan)
        person.lists[place] = load_page(batch, person, plan, answer, arguments, path, steps)
        batch.finish(person)
