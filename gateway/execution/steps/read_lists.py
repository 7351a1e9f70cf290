"""Read lists of people's records, under all their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.description import Record
from gateway.answer import Answer, SourceReport, State
from gateway.audit.touched import note_read
from gateway.catalogue.read import Read
from gateway.execution.batch import PlanBatch, Step, note_used
from gateway.execution.decisions import RecordRules
from gateway.execution.pages import RowSteps, load_page, load_renderings, load_rows
from gateway.execution.parts import LoadedList, PersonPart, own_view
from gateway.fetch.reads import ReadColumn
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import ListPlan


def answer_person(batch: PlanBatch, person: PersonPart, read: Read) -> Answer | ReadColumn:
    """Return a list under all numbers of ``person``; else the column that has to arrive first."""
    if person.answers is None:
        person.answers = {}
    answer = person.answers.get(read.kind)
    if answer is not None:
        return answer
    open_up_to = own_view(person.is_own_view)
    arrived = batch.answer(person, read, open_up_to, person.keys, person.known_as)
    if isinstance(arrived, Answer):
        person.answers[read.kind] = arrived
        note_read(person.add_sections(), read.record, arrived)
    return arrived


def read_lists(
    batch: PlanBatch, plan: ListPlan, people: Sequence[PersonPart], step: Step, steps: RowSteps
) -> None:
    """Read the list ``plan`` of ``people``. ``step``: this step, for those who have to wait."""
    arguments = batch.list_arguments(plan)
    read, path = plan.read.with_freshness(arguments.fresh), plan.place.steps
    assert people[0].plan is not None
    place = people[0].plan.lists.index(plan)
    rendered = batch.renderings.get(plan)
    if rendered is not None:
        people = _read_plain(batch, plan, rendered, people, place, steps)
        people = _read_rows_instead(batch, plan, rendered, people, step)
    elif _is_plain(batch, plan, arguments):
        people = _read_plain(batch, plan, read, people, place, steps)
    for person in people:
        answer = answer_person(batch, person, read)
        if isinstance(answer, ReadColumn):
            batch.wait(answer, step, plan, (person,))
            continue
        if person.reason is not None and answer.rows is not None:
            person.note_shortfall(person.reason, path)
        person.lists[place] = load_page(batch, person, plan, answer, arguments, path, steps)
        batch.finish(person)


def _is_plain(batch: PlanBatch, plan: ListPlan, arguments: ListArguments) -> bool:
    """Say whether all that a database has of a plain person is shown as it is."""
    record, protection = plan.read.record, batch.rules.protection
    return (
        arguments.selects_all
        and not (plan.shows_ids or plan.shows_cursor)
        and batch.decide(record, plan.open_up_to) is None
        and not protection.opens_on_death(record)
    )


def _read_plain(
    batch: PlanBatch,
    plan: ListPlan,
    read: Read,
    people: Sequence[PersonPart],
    place: int,
    steps: RowSteps,
) -> list[PersonPart]:
    """Read the list of those of whom nothing is out of the ordinary; return the others.

    What is rare costs those concerned and nobody else: several numbers, a failure, rows that cannot
    be read, more rows than fit on the page. It is decided in ``load_page`` and what that calls.
    """
    arguments, record, path = batch.list_arguments(plan), plan.read.record, plan.place.steps
    is_rendered = read.template is not None  # then nothing of its rows is hidden
    most = 1 if record.single else arguments.first
    bit, rules = 1 << place, batch.rules
    protection = rules.protection
    hides = not is_rendered and protection.may_hide_rows_of(record)
    reports: dict[SourceReport, SourceReport] = {}
    #: Nothing in an empty list is anybody's, so that those with the same report share it.
    empty_lists: dict[SourceReport, LoadedList] = {}
    assert people[0].plan is not None
    keeps_answers = bool(people[0].plan.reports)
    rest: list[PersonPart] = []
    column = batch.reads.column(read, people[0].asker)
    for person in people:
        if person.asker is not column.asker and column.asker is not None:
            column = batch.reads.column(read, person.asker)
        answer = column.answers.get(person.requested_number) if person.is_plain else None
        if answer is None or answer.report.state is not State.ANSWERED or answer.truncated:
            rest.append(person)
            continue
        rows = answer.rows
        assert rows is not None
        if hides and rows:
            rows = protection.visible_rows(record, rows, rules.caller)
        if len(rows) > most:
            rest.append(person)
            continue
        report = reports.get(answer.report)
        if report is None:
            report = reports[answer.report] = _report_of(rules, record, person, answer)
        if keeps_answers:
            person.answers = person.answers or {}
            person.answers[read.kind] = Answer(report, rows)
        if person.used is not None:
            note_used(person, column, person.keys)
        person.plain_lists |= bit
        if rows and is_rendered:
            person.lists[place] = load_renderings(person, plan, rows, report)
        elif rows:
            person.lists[place] = load_rows(batch, person, plan, rows, False, report, path, steps)
        else:
            if report not in empty_lists:
                empty_lists[report] = LoadedList((), False, report, ((),) * plan.slots)
            person.lists[place] = empty_lists[report]
        batch.finish(person)
    return rest


def _report_of(
    rules: RecordRules, record: Record, person: PersonPart, answer: Answer
) -> SourceReport:
    """Return the report of a list of a plain person; it is the same for all plain people."""
    assert person.known_as is not None
    return rules.report_for_person(record.database, answer.report, person.known_as, True)


def _read_rows_instead(
    batch: PlanBatch, plan: ListPlan, read: Read, people: Sequence[PersonPart], step: Step
) -> list[PersonPart]:
    """Return those of ``people`` whose rows are to be read, since they are not written by ``read``.

    The others wait for it. Where it failed, the database is not asked again.
    """
    rest: list[PersonPart] = []
    for person in people:
        number = person.requested_number
        column = batch.reads.column(read, person.asker)
        answer = column.answers.get(number)
        if person.is_plain and answer is None:
            column.ask((number,))
            batch.wait(column, step, plan, (person,))
            continue
        if answer is not None and answer.rows is None:
            batch.reads.column(plan.read, person.asker).take(number, answer)
        rest.append(person)
    return rest
