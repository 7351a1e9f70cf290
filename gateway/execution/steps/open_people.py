"""Open people: find out whose numbers they are and, where they may be shown, start on their lists.

While it is found out whose a number is, the person's lists are already read under it: almost always
it is their present and only number (``docs/decisions/0014-asking-ahead.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from connectors.backends.base import Asker
from gateway.answer import Identification
from gateway.audit.touched import Role, citizen_role
from gateway.catalogue.organisations import is_person_number
from gateway.catalogue.read import Read
from gateway.errors import GatewayError
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.parts import PersonPart, own_view
from gateway.execution.resolve import missing_column, resolve_number
from gateway.execution.timelines import reads_ahead
from gateway.fetch.reads import ReadColumn
from gateway.people.matching import (
    is_citizen,
    open_linked,
    open_named,
    open_organisation,
    open_person,
)
from gateway.people.notices import mirrored_notices, notices, plain_notices
from gateway.people.numbers import PersonNumbers, is_present_number
from gateway.plan.plan import PersonLinkPlan, PersonPlan, PersonRootPlan
from gateway.plan.timeline_arguments import TimelineArguments

Entry = PersonRootPlan | PersonLinkPlan


def open_people(
    batch: PlanBatch, entry: Entry, people: Sequence[PersonPart], steps: Mapping[str, Step]
) -> None:
    """Open ``people``. ``steps``: those that read what their plan selects."""
    people = _require_room(batch, people, steps)
    if not _is_organisation(entry):
        _read_ahead(batch, entry.person, people)
    opened: list[PersonPart] = []
    waiting: dict[ReadColumn, list[PersonPart]] = {}
    for person in people:
        missing = missing_column(batch, person)
        if missing is not None:
            waiting.setdefault(missing, []).append(person)
            continue
        try:
            numbers = resolve_number(batch, person, person.requested_number)
            if isinstance(numbers, ReadColumn):
                waiting.setdefault(numbers, []).append(person)
                continue
            if person.matches and person.attempt is None:
                person.attempt = batch.rules.attempt(numbers)
                if person.attempt is not None:
                    _count_attempt(batch, entry, person, steps)
                    continue
            _open(batch, entry, person, numbers)
        except GatewayError as error:
            person.refusal = error
            batch.finish(person)
        else:
            opened.append(person)
        if person.again:
            _go_on_with(batch, person, steps)
    for column, waiting_people in waiting.items():
        batch.wait(column, steps["people"], entry, waiting_people)
    _start(batch, opened, steps)


def _go_on_with(batch: PlanBatch, person: PersonPart, steps: Mapping[str, Step]) -> None:
    """Open the same person under other root fields, now that it is known that they match."""
    for part in person.again:
        if person.refusal is None:
            part.attempt = person.attempt
            batch.schedule(steps["people"], part.entry, (part,))
        else:
            part.refusal = person.refusal
            batch.finish(part)


def _is_organisation(entry: Entry) -> bool:
    """Say whether ``entry`` opens an organisation."""
    return isinstance(entry, PersonRootPlan) and entry.household is not None


def _count_attempt(
    batch: PlanBatch, entry: Entry, person: PersonPart, steps: Mapping[str, Step]
) -> None:
    """Go on with ``person`` while the attempt to match them is counted."""
    go_on = partial(batch.schedule, steps["people"], entry, (person,))
    batch.attempts.append((person.place, person.attempt, go_on))


def _require_room(
    batch: PlanBatch, people: Sequence[PersonPart], steps: Mapping[str, Step]
) -> Sequence[PersonPart]:
    """Count ``people`` before anything is read of them; refuse those who are too many.

    Returns the others.
    """
    if len(batch.opened) + len(people) <= batch.limits.persons_reached:
        batch.opened.update([person.requested_number for person in people])
        return people
    admitted = []
    for person in people:
        try:
            batch.require_room(person.requested_number)
        except GatewayError as error:
            person.refusal = error
            batch.finish(person)
            _go_on_with(batch, person, steps)
        else:
            admitted.append(person)
    return admitted


def _read_ahead(batch: PlanBatch, plan: PersonPlan, people: Sequence[PersonPart]) -> None:
    """Ask for the lists under the numbers at hand, beside finding out whose they are.

    Not where something has to agree first, nor under an old number, which may lead to somebody
    else: those files stay closed.
    """
    numbers_by_asker: dict[Asker | None, list[str]] = {}
    for person in people:
        if not person.reads_ahead:
            person.reads_ahead = True
            number = person.requested_number
            is_known = (number, person.asker) in batch.numbers
            if is_present_number(number) and person.matching is None and not is_known:
                numbers_by_asker.setdefault(person.asker, []).append(number)
    if not numbers_by_asker:
        return
    for read in _reads_ahead(batch, plan):
        for asker, numbers in numbers_by_asker.items():
            batch.reads.column(read, asker).ask(numbers)
    if batch.population is not None and batch.rules.checks_numbers:
        for asker, numbers in numbers_by_asker.items():
            for column in batch.number_columns(asker):
                column.ask(numbers)


def _reads_ahead(batch: PlanBatch, plan: PersonPlan) -> Iterator[Read]:
    """Yield the reads by a person's number whose answers will be shown, whoever it is."""
    for child in plan.lists:
        record = child.read.record
        if batch.rules.protection.opens_on_death(record):
            continue
        if batch.decide(record, child.open_up_to) is None:
            rendered = batch.renderings.get(child)
            yield rendered or child.read.with_freshness(batch.list_arguments(child).fresh)
    for timeline in plan.timelines:
        arguments = batch.arguments_of(timeline.arguments)
        assert isinstance(arguments, TimelineArguments)
        yield from reads_ahead(batch.rules, arguments, plan.is_own_view)


def _open(batch: PlanBatch, entry: Entry, person: PersonPart, numbers: PersonNumbers) -> None:
    """Open ``person``; raises GatewayError where they may not be shown."""
    population, rules = batch.population, batch.rules
    plan = entry.person
    if isinstance(entry, PersonLinkPlan):
        open_linked(numbers)
        if entry.own_view is not None and is_citizen(numbers, rules.caller.citizen):
            plan = entry.own_view
    elif entry.household is not None:
        open_organisation(numbers)
        if is_person_number(numbers.requested):
            plan = entry.household
    elif entry.name == "me":
        open_person(numbers)
    else:
        identity = population.identity.record if population else None
        open_named(numbers, person.matching, identity, person.attempt, rules.matching.required)
    person.plan, person.numbers = plan, numbers
    person.keys, person.known_as = numbers.all, numbers.identification
    person.is_plain = person.known_as is Identification.IDENTIFIED and person.keys == (
        person.requested_number,
    )
    person.present_number, person.is_own_view = numbers.present, plan.is_own_view
    is_linked = isinstance(entry, PersonLinkPlan)
    if plan.shows_notices or not (is_linked or not is_person_number(numbers.requested)):
        _note_notices(batch, person, numbers, plan)
    if plan.is_own_view:
        person.role = citizen_role(rules.caller)
    else:
        person.role = Role.KIN if is_linked else Role.NAMED
    person.identification = _identification(batch, person, numbers, plan)
    person.reason = rules.shortfall_reason(numbers, own_view(plan.is_own_view))


def _note_notices(
    batch: PlanBatch, person: PersonPart, numbers: PersonNumbers, plan: PersonPlan
) -> None:
    open_up_to = own_view(plan.is_own_view)
    facts = batch.notice_facts(open_up_to) if person.is_plain else None
    if facts is not None:
        assert numbers.identity is not None
        assert numbers.identity.rows
        person_notices = plain_notices(numbers.requested, numbers.identity.rows[0], facts)
    else:
        may_list = partial(batch.rules.may_list, open_up_to)
        person_notices = notices(
            numbers, batch.population, batch.rules.visibility(open_up_to), may_list
        )
    person.notices = person_notices
    if person_notices and not plan.shows_notices:
        person.mirrored = mirrored_notices(person_notices)


def _identification(
    batch: PlanBatch, person: PersonPart, numbers: PersonNumbers, plan: PersonPlan
) -> str | None:
    """Return whether the person is identified, for who may see some list of theirs."""
    if not plan.identifications:
        return None
    if batch.rules.may_list(own_view(plan.is_own_view)):
        return numbers.identification.name
    for place in plan.identifications:
        error = GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})
        person.problem(error, place.steps, place.locations)
    return None


def _start(batch: PlanBatch, opened: Iterable[PersonPart], steps: Mapping[str, Step]) -> None:
    """Start on what the plans of ``opened`` select."""
    by_plan: dict[PersonPlan, list[PersonPart]] = {}
    for person in opened:
        assert person.plan is not None
        by_plan.setdefault(person.plan, []).append(person)
    for plan, people in by_plan.items():
        databases = [batch.rules.sources[name].database for name in plan.databases]
        selected = (
            ("derived", plan.derived),
            ("reports", plan.reports),
            ("lists", plan.lists),
            ("logs", plan.logs),
            ("timelines", plan.timelines),
        )
        count = sum(len(plans) for _, plans in selected)
        for person in people:
            for target, place in person.targets or ():
                target[place] = person
            person.targets = None
            person.lists = [None] * len(plan.lists)
            if count > len(plan.lists):
                person.reports = [None] * len(plan.reports)
                person.derived = [None] * len(plan.derived)
                person.logs = [None] * len(plan.logs)
                person.timelines = [None] * len(plan.timelines)
            person.databases = databases
            person.pending += count
            batch.finish(person)
        for name, plans in selected:
            for child in plans:
                batch.schedule(steps[name], child, people)
