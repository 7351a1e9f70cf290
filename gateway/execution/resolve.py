"""Resolving a number in a batch: finding out whose it is, from answers that have arrived.

Each number is resolved once in a batch, or once for each asker where databases are told who asks.
The rules are in ``gateway.people.numbers``.
"""

from __future__ import annotations

from gateway.answer import Answer
from gateway.catalogue.organisations import is_person_number
from gateway.catalogue.read import Read
from gateway.execution.batch import PlanBatch, note_used
from gateway.execution.parts import AnswerPart, PersonPart
from gateway.fetch.reads import ReadColumn
from gateway.people.numbers import (
    NeededReads,
    PersonNumbers,
    is_present_number,
    numbers_of_code,
    resolve_from_known,
    resolve_simple_case,
    unchecked_numbers,
)


def missing_column(batch: PlanBatch, person: PersonPart) -> ReadColumn | None:
    """Return a column that was asked about a person's number and has not arrived; None for none.

    For a look at many people, most of whom wait.
    """
    if not person.reads_ahead or batch.population is None:
        return None
    number = person.requested_number
    for column in batch.number_columns(person.asker):
        if number not in column.answers and number in column.subjects:
            return column
    return None


def resolve_number(batch: PlanBatch, part: AnswerPart, number: str) -> PersonNumbers | ReadColumn:
    """Return whose ``number`` is, for ``part``; else the column that has to arrive first.

    Raises GatewayError TOO_MANY_PERSONS.
    """
    resolution = batch.numbers.get((number, part.asker))
    if resolution is not None:
        numbers, used = resolution
        if used is None:
            part.used = None
        elif part.used is not None:
            part.used += used
        return numbers
    batch.require_room(number)
    if not is_person_number(number):
        return numbers_of_code(number)
    if not batch.rules.checks_numbers:
        return unchecked_numbers(number)
    simple = _resolve_simple_case(batch, part, number)
    if simple is not None:
        return simple
    before = len(part.used or ())
    resolved = _resolve(batch, part, number)
    if isinstance(resolved, PersonNumbers):
        used = None if part.used is None else part.used[before:]
        batch.numbers[number, part.asker] = (resolved, used)
    return resolved


def _resolve_simple_case(
    batch: PlanBatch, part: AnswerPart, number: str
) -> PersonNumbers | ReadColumn | None:
    """Return whose ``number`` is where that is plain, without a look at anything else.

    What has not arrived is asked for; returns a column to wait for then. None where it takes more
    to tell.
    """
    population = batch.population
    if population is None:
        return None
    columns = batch.number_columns(part.asker)
    identity, earlier, holders = [column.answers.get(number) for column in columns]
    if identity is None or earlier is None or holders is None:
        if not is_present_number(number):
            return None
        for column in columns:
            column.ask((number,))
        return next(column for column in columns if number not in column.answers)
    numbers = resolve_simple_case(number, identity, earlier, holders)
    if numbers is not None and part.used is not None:
        for column in columns:
            note_used(part, column, (number,))
    return numbers


def _resolve(batch: PlanBatch, part: AnswerPart, number: str) -> PersonNumbers | ReadColumn:
    looked_up: list[tuple[ReadColumn, str]] = []

    def known_answer(read: Read, key: str) -> Answer | None:
        column = batch.reads.column(read, part.asker)
        looked_up.append((column, key))
        return column.answers.get(key)

    resolved = resolve_from_known(batch.population, number, known_answer)
    if isinstance(resolved, NeededReads):
        for read, key in resolved.reads:
            batch.reads.column(read, part.asker).ask((key,))
        return batch.reads.column(resolved.reads[0][0], part.asker)
    for column, key in looked_up:
        note_used(part, column, (key,))
    return resolved
