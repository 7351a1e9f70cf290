"""Resolving numbers: from the number that a request names to the person who holds it now.

Rules (design sections 6.5 and 6.7; Decree 70/2024 on cancelled and re-issued numbers): records
filed under an earlier number are found and say so; the answer carries the present number; a number
of two people shows nobody. What the population database could not say stays unknown: ``doubt`` says
why, and nobody may read "no earlier numbers" from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from connectors.description import Record
from gateway.answer import Answer, Identification, State, worst
from gateway.catalogue.organisations import codes_as_written, journal_code
from gateway.catalogue.read import Read
from gateway.catalogue.verification import POPULATION
from gateway.fetch.source import Source

#: A present number has 12 digits, that of an old identity card 9.
_PRESENT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class PersonNumbers:
    """What is known of the number ``requested``.

    ``present``: the present number, of 12 digits; None if there is none or it is not known.
    ``earlier``: the other numbers that are this person's alone. ``shared``: there are others that
    somebody else holds or held too, under which nothing may be looked up. ``doubt``: the state that
    left some of this unknown, None where all of it is known. ``conflict``: the requested number
    belongs to more than one person. ``identity``: the population database's answer about the
    person, None where it was not read. ``checked``: False where settings say that numbers are
    final, so that nothing was looked up.
    """

    requested: str
    present: str | None
    earlier: tuple[str, ...] = ()
    doubt: State | None = None
    conflict: bool = False
    shared: bool = False
    identity: Answer | None = None
    checked: bool = True

    @property
    def identification(self) -> Identification:
        """Whether the population database knows the person, as far as it could be asked."""
        if not self.checked:
            return Identification.NOT_CHECKED
        if not self.is_complete:
            return Identification.UNDETERMINED
        if self.identity is not None and self.identity.rows:
            return Identification.IDENTIFIED
        return Identification.NOT_IDENTIFIED

    @property
    def is_complete(self) -> bool:
        """Whether ``all`` has every number under which records of the person may be filed."""
        return self.doubt is None and not self.shared

    @property
    def all(self) -> tuple[str, ...]:
        """The numbers that are this person's alone, the present one first."""
        if self.present == self.requested and not self.earlier:
            return (self.requested,)
        first = self.present or self.requested
        return tuple(dict.fromkeys((first, self.requested, *self.earlier)))


#: A read of the population database, and the number under which it looks.
NumberRead = tuple[Read, str]
#: The answer to a read that has been made, None for one that has not.
KnownAnswer = Callable[[Read, str], Answer | None]
#: Makes a read; never raises for what a source does.
Load = Callable[[Read, str], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Population:
    """The reads by which numbers are resolved.

    ``identity`` and ``earlier``: under a present number, who it is, and the person's earlier
    numbers. ``holders``: under an earlier number, whose it was or is.
    """

    identity: Read
    earlier: Read
    holders: Read


@dataclass(frozen=True, slots=True)
class NeededReads:
    """Reads to be made before a number can be resolved."""

    reads: tuple[NumberRead, ...]


def is_present_number(number: str) -> bool:
    """Say whether a number has the form of a present one, and not of an old identity card."""
    return len(number) == _PRESENT_DIGITS


def population_of(sources: Mapping[str, Source]) -> Population | None:
    """Return the reads by which numbers are resolved; None: they are not declared."""
    source = sources.get(POPULATION)
    if source is None:
        return None
    if not {"identity", "earlier_numbers"} <= source.database.by_name.keys():
        return None
    reads = source.reads
    return Population(reads["identity"], reads["earlier_numbers"], reads["holders"])


def unchecked_numbers(number: str) -> PersonNumbers:
    """Return ``number`` as its holder's only one, where settings say that numbers are final."""
    return PersonNumbers(number, number if is_present_number(number) else None, checked=False)


def numbers_of_code(code: str) -> PersonNumbers:
    """Return the code of an organisation, in all its spellings, as what is looked under.

    The present one is that of the journal, so that its access log leaves nobody out.
    """
    return PersonNumbers(code, journal_code(code), codes_as_written(code), checked=False)


async def resolve_by_loading(
    sources: Mapping[str, Source], load: Load, requested: str
) -> PersonNumbers:
    """Resolve the number ``requested``, with ``load`` for the reads.

    Costs three small reads of the population database side by side, two more for an earlier number,
    and two for all of a person's earlier numbers together. Never raises.
    """
    population = population_of(sources)
    answers: dict[NumberRead, Answer] = {}
    while isinstance(
        result := resolve_from_known(
            population, requested, lambda read, number: answers.get((read, number))
        ),
        NeededReads,
    ):
        loaded = await asyncio.gather(*(load(read, number) for read, number in result.reads))
        answers.update(zip(result.reads, loaded, strict=True))
    return result


def resolve_from_known(
    population: Population | None, number: str, known_answer: KnownAnswer
) -> PersonNumbers | NeededReads:
    """Resolve ``number`` from the answers known so far, or return the reads that it takes.

    Pure: call it again when those reads have been made. Three at first, side by side; two more for
    an earlier number; then two for each of the person's other numbers, all at once.
    """
    is_present = is_present_number(number)
    if population is None:
        return PersonNumbers(number, number if is_present else None, doubt=State.NOT_OPERATING)
    answers = _known_answers(
        known_answer, *_number_reads(population, number), (population.holders, number)
    )
    if isinstance(answers, NeededReads):
        return answers
    identity, earlier, holders = answers
    doubt = _doubt(identity, earlier, holders)
    persons = _values(holders, population.holders.record, "citizen_id")
    identity_rows = identity.rows or ()
    if identity_rows:
        persons = persons | {number}
    if len(persons) > 1 or len(identity_rows) > 1:
        return PersonNumbers(number, None, doubt=doubt, conflict=True)
    present = next(iter(persons), number if is_present else None)
    if present != number and _doubt(identity, holders) is not None:
        # Somebody else may hold the number too: whoever was found must not be taken for the holder.
        return PersonNumbers(number, None, doubt=doubt)
    if present == number or present is None:
        person = PersonNumbers(number, present, (), doubt, identity=identity)
        return _add_other_numbers(population, person, earlier, known_answer)
    return _resolve_holder(population, PersonNumbers(number, present, doubt=doubt), known_answer)


def resolve_simple_case(
    number: str, identity: Answer, earlier: Answer, holders: Answer
) -> PersonNumbers | None:
    """Resolve a number without history, as almost all are; None: it takes ``resolve_from_known``.

    The population database knows one person by it, as their present and only number, or nobody.
    """
    if not is_present_number(number) or earlier.rows or holders.rows:
        return None
    for answer in (identity, earlier, holders):
        if answer.report.state is not State.ANSWERED or answer.truncated:
            return None
    if len(identity.rows or ()) > 1:
        return None
    return PersonNumbers(number, number, identity=identity)


def _resolve_holder(
    population: Population, numbers: PersonNumbers, known_answer: KnownAnswer
) -> PersonNumbers | NeededReads:
    """Resolve an earlier number to the person who holds ``numbers.present``."""
    assert numbers.present is not None
    answers = _known_answers(known_answer, *_number_reads(population, numbers.present))
    if isinstance(answers, NeededReads):
        return answers
    identity, earlier = answers
    doubt = numbers.doubt or _doubt(identity, earlier)
    if len(identity.rows or ()) > 1:
        return PersonNumbers(numbers.requested, None, doubt=doubt, conflict=True)
    person = PersonNumbers(numbers.requested, numbers.present, (), doubt, identity=identity)
    return _add_other_numbers(population, person, earlier, known_answer)


def _number_reads(population: Population, number: str) -> tuple[NumberRead, NumberRead]:
    return (population.identity, number), (population.earlier, number)


def _known_answers(known_answer: KnownAnswer, *reads: NumberRead) -> list[Answer] | NeededReads:
    """Return the answers to ``reads``, or those reads that have still to be made."""
    answers = [known_answer(*read) for read in reads]
    missing = tuple(read for read, answer in zip(reads, answers, strict=True) if answer is None)
    return NeededReads(missing) if missing else [answer for answer in answers if answer is not None]


def _add_other_numbers(
    population: Population, numbers: PersonNumbers, earlier: Answer, known_answer: KnownAnswer
) -> PersonNumbers | NeededReads:
    """Add the person's other numbers, as far as each is theirs alone.

    Records filed under a number of two people are not shown: they may be the other person's.
    """
    direct_numbers = {numbers.requested, numbers.present}
    other_numbers = sorted(_values(earlier, population.earlier.record, "number") - direct_numbers)
    if not other_numbers:
        return numbers
    answers = _known_answers(
        known_answer,
        *((population.identity, number) for number in other_numbers),
        *((population.holders, number) for number in other_numbers),
    )
    if isinstance(answers, NeededReads):
        return answers
    identities, holders = answers[: len(other_numbers)], answers[len(other_numbers) :]
    doubts: list[State | None] = [numbers.doubt]
    sole, shared = [], False
    for other_number, identity, holder in zip(other_numbers, identities, holders, strict=True):
        holder_numbers = _values(holder, population.holders.record, "citizen_id")
        if identity.rows or holder_numbers - {numbers.present}:
            shared = True
        elif (doubt := _doubt(identity, holder)) is not None:
            doubts.append(doubt)
        else:
            sole.append(other_number)
    return PersonNumbers(
        numbers.requested,
        numbers.present,
        tuple(sole),
        next((doubt for doubt in doubts if doubt is not None), None),
        identity=numbers.identity,
        shared=shared,
    )


def _doubt(*answers: Answer) -> State | None:
    """Return the state that leaves ``answers`` incomplete, None if they are complete."""
    state = worst(answer.report.state for answer in answers)
    if state is State.ANSWERED and any(answer.truncated for answer in answers):
        return State.PARTIAL
    return None if state is State.ANSWERED else state


def _values(answer: Answer, record: Record, column: str) -> set[str]:
    position = record.positions[column]
    return {str(row[position]) for row in answer.rows or () if row[position] is not None}
