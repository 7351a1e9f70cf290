"""Report sections: the worst state of the lists that are selected in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.answer import Answer, worst
from gateway.catalogue.read import Read
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.parts import PersonPart
from gateway.fetch.reads import ReadColumn
from gateway.plan.plan import ReportPlan

#: Returns a list of a person, or what has to arrive first.
AnswerPerson = Callable[[PlanBatch, PersonPart, Read], Answer | ReadColumn]


def report_sections(
    batch: PlanBatch,
    plan: ReportPlan,
    people: Sequence[PersonPart],
    step: Step,
    answer_person: AnswerPerson,
) -> None:
    """Report a section of ``people``. ``step``: this step, for those who have to wait."""
    for person in people:
        column = _report_section(batch, plan, person, answer_person)
        if column is None:
            batch.finish(person)
        else:
            batch.wait(column, step, plan, (person,))


def _report_section(
    batch: PlanBatch, plan: ReportPlan, person: PersonPart, answer_person: AnswerPerson
) -> ReadColumn | None:
    """Report the section of one person; returns what has to arrive first, None when done."""
    assert person.plan is not None
    answers = []
    missing: ReadColumn | None = None
    for read in plan.lists:
        # What is selected past the cache is reported past the cache.
        fresh = any(
            child.read.kind == read.kind and batch.list_arguments(child).fresh
            for child in (*person.plan.lists, *person.plan.beside)
        )
        answer = answer_person(batch, person, read.with_freshness(fresh))
        if isinstance(answer, Answer):
            answers.append((read.record, answer))
        else:
            missing = answer
    if missing is not None:
        return missing
    state = worst(answer.report.state for _, answer in answers)
    record, answer = next(pair for pair in answers if pair[1].report.state is state)
    if plan.needs_read:
        path = plan.place.steps
        error = batch.rules.problem(record, answer)
        if error is not None:
            person.problem(error, path, plan.place.locations)
        if person.reason is not None and answer.rows is not None:
            person.note_shortfall(person.reason, path)
    person.reports[person.plan.reports.index(plan)] = answer.report
    return None
