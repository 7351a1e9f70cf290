"""The page of a list that is shown, and what its rows lead to: people, and further lists.

People become parts of their own, shared by all rows that lead to them. Lists that hang on rows are
of the part to which the rows belong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from connectors.description import Record, Row
from gateway.answer import Answer, SourceReport
from gateway.catalogue.sections import MOST_LINKED
from gateway.errors import GatewayError, Path
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.parts import AnswerPart, Below, LoadedList
from gateway.people.identification import says_none
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import ChildListPlan, ListPlan, PersonLinkPlan, RowsPlan

#: Where what hangs on a row, or is looked up, is to stand.
Target = list[Below]


@dataclass(frozen=True, slots=True)
class HangingList:
    """A list to be read by other keys than a person's numbers: of a row, or of a thing.

    ``part``: whose row it is, or the list that is looked up. ``path``: of the list in the part.
    """

    part: AnswerPart
    keys: tuple[str, ...]
    path: Path
    target: Target
    place: int


@dataclass(frozen=True, slots=True)
class RowSteps:
    """The steps by which the execution goes on from rows: to people, and to hanging lists."""

    open_people: Step
    hang_lists: Step


def report_problem(
    batch: PlanBatch, part: AnswerPart, record: Record, answer: Answer, path: Path, plan: ListPlan
) -> None:
    """Put beside the data what is wrong with a list, if anything is."""
    error = batch.rules.problem(record, answer)
    if error is not None:
        part.problem(error, path, plan.place.locations)


def load_page(
    batch: PlanBatch,
    part: AnswerPart,
    plan: ListPlan,
    answer: Answer,
    arguments: ListArguments,
    path: Path,
    steps: RowSteps,
) -> LoadedList | None:
    """Return what a list shows, and start on what hangs on its rows; None: a cursor is refused.

    ``path``: of the list in ``part``.
    """
    report_problem(batch, part, plan.read.record, answer, path, plan)
    try:
        page = batch.rules.page(
            plan.read,
            answer,
            arguments,
            plan.open_up_to,
            with_ids=plan.shows_ids,
            with_cursor=plan.shows_cursor,
        )
    except GatewayError as error:
        part.problem(error, path, plan.place.locations)
        return None
    rows = page.rows
    if not rows and not says_none(answer):
        return LoadedList(None, answer.truncated or None, answer.report, [])
    loaded = load_rows(batch, part, plan, rows, page.truncated, answer.report, path, steps)
    loaded.ids, loaded.next_cursor = page.ids, page.next_cursor
    return loaded


def load_rows(
    batch: PlanBatch,
    part: AnswerPart,
    plan: ListPlan,
    rows: tuple[Row, ...],
    truncated: bool,
    report: SourceReport,
    path: Path,
    steps: RowSteps,
) -> LoadedList:
    """Return the list that shows ``rows``, and start on what hangs on them."""
    if not rows:
        return LoadedList(rows, truncated, report, ((),) * plan.slots)
    below: list[Target] = [[None] * len(rows) for _ in range(plan.slots)]
    loaded = LoadedList(rows, truncated, report, below)
    for selected in plan.rows:
        _go_below(batch, part, plan, selected, rows, below, (*path, selected.key), steps)
    return loaded


def load_renderings(
    part: AnswerPart, plan: ListPlan, rows: tuple[Row, ...], report: SourceReport
) -> LoadedList:
    """Return the list whose ``rows`` their database has written (``connectors.row_template``)."""
    (selected,) = plan.rows
    for place, _ in enumerate(selected.mentions, 1):
        part.note_mentions([row[place] for row in rows])
    texts = [str(row[0]) for row in rows]
    text = texts[0] if plan.read.record.single else f"[{','.join(texts)}]"
    return LoadedList(rows, False, report, (), text=orjson.Fragment(text))


def _go_below(
    batch: PlanBatch,
    part: AnswerPart,
    plan: ListPlan,
    selected: RowsPlan,
    rows: tuple[Row, ...],
    below: Sequence[Target],
    path: Path,
    steps: RowSteps,
) -> None:
    """Count what is denied in rows, and start on the people and lists that they lead to."""
    single = plan.read.record.single
    first = path if single else (*path, 0)
    for denial in selected.denials:
        error = GatewayError("FORBIDDEN", details={"missing": list(denial.missing)})
        denied_path = (*first, *denial.place.steps)
        part.problem(error, denied_path, denial.place.locations, len(rows))
    for position in selected.mentions:
        part.note_mentions([row[position] for row in rows])
    if not selected.links and not selected.child_lists:
        return
    for place, row in enumerate(rows):
        row_path = path if single else (*path, place)
        for link in selected.links:
            value, target = row[link.position], below[link.slot]
            path_of_link = (*row_path, *link.place.steps)
            if isinstance(value, tuple):
                target[place] = _follow_links(batch, part, link, value, path_of_link, steps)
            elif value is not None:
                _follow_link(batch, part, link, str(value), target, place, path_of_link, steps)
        for child in selected.child_lists:
            target = below[child.slot]
            _hang(batch, part, child, row[child.position], target, place, row_path, steps)


def _follow_links(
    batch: PlanBatch,
    part: AnswerPart,
    link: PersonLinkPlan,
    numbers: Sequence[object],
    path: Path,
    steps: RowSteps,
) -> Target | None:
    """Start on the people whose ``numbers`` one column holds; None: they are too many."""
    if len(numbers) > MOST_LINKED:
        error = GatewayError("TOO_MANY_PERSONS", details={"limit": MOST_LINKED})
        part.problem(error, path, link.place.locations)
        return None
    people: Target = [None] * len(numbers)
    for index, number in enumerate(numbers):
        _follow_link(batch, part, link, str(number), people, index, (*path, index), steps)
    return people


def _follow_link(
    batch: PlanBatch,
    part: AnswerPart,
    link: PersonLinkPlan,
    number: str,
    target: Target,
    place: int,
    path: Path,
    steps: RowSteps,
) -> None:
    """Start on the person with ``number``, who is to stand at ``place`` of ``target``."""
    person = batch.person(link, number, part.asker, steps.open_people)
    part.note_link(path, person)
    batch.add_part(person, part)
    if person.numbers is not None:
        target[place] = person
    elif person.refusal is None:
        person.targets = person.targets or []
        person.targets.append((target, place))


def _hang(
    batch: PlanBatch,
    part: AnswerPart,
    child: ChildListPlan,
    key: object,
    target: Target,
    place: int,
    path: Path,
    steps: RowSteps,
) -> None:
    list_path = (*path, *child.list.place.steps)
    if key is None:
        target[place] = _list_without_key(batch, part, child.list, list_path)
        return
    part.pending += 1
    entry = HangingList(part, (str(key),), list_path, target, place)
    batch.schedule(steps.hang_lists, child.list, (entry,))


def _list_without_key(batch: PlanBatch, part: AnswerPart, plan: ListPlan, path: Path) -> LoadedList:
    """Return a list that hangs on a row in which its key is not recorded: it cannot be asked for.

    It is not "none" either: the records may be there.
    """
    record = plan.read.record
    answer = batch.rules.incomplete(record, plan.open_up_to)
    part.note_state(f"{record.database}.{record.name}", answer.report.state)
    report_problem(batch, part, record, answer, path, plan)
    if answer.rows is not None:
        part.note_shortfall("KEY_NOT_RECORDED", path)
    return LoadedList(None, None, answer.report, [])
