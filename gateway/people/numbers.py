"""Whose number is this? From the number that was asked to the person who holds it now.

Rules (design sections 6.5 and 6.7; Decree 70/2024 on cancelled and re-issued numbers): records
filed under an earlier number are found and say so; the answer carries the present number; a number
that belongs to two people shows nobody. What the population database could not be asked stays
unknown: ``doubt`` says why, and nobody may read "no earlier numbers" from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from connectors.description import Record
from gateway.answer import Answer, Identification, State, worst
from gateway.catalogue.verification import POPULATION
from gateway.fetch.read import Read
from gateway.fetch.source import Source

#: A present number has 12 digits, that of an old identity card 9.
_PRESENT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class PersonNumbers:
    """What is known of the number ``asked``.

    ``present``: the 12-digit number of today; None if there is none or it is not known.
    ``earlier``: the other numbers that are this person's alone. ``shared``: there are others that
    somebody else holds or held too, under which nothing may be looked up. ``doubt``: why some of
    this could not be found out, None where all of it was. ``conflict``: the number asked belongs to
    more than one person.
    ``identity``: the population's answer about the person, None where it is not reachable at all.
    ``checked``: False where settings say that numbers are final and nothing was looked up.
    """

    asked: str
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
        if not self.known:
            return Identification.UNDETERMINED
        if self.identity is not None and self.identity.rows:
            return Identification.IDENTIFIED
        return Identification.NOT_IDENTIFIED

    @property
    def known(self) -> bool:
        """Whether ``all`` is every number under which records of the person may be filed."""
        return self.doubt is None and not self.shared

    @property
    def all(self) -> tuple[str, ...]:
        """The numbers to look under, the present one first: those that are this person's alone."""
        first = self.present or self.asked
        return tuple(dict.fromkeys((first, self.asked, *self.earlier)))


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
    """Reads to be made before a number can be judged."""

    reads: tuple[NumberRead, ...]


def is_present_number(number: str) -> bool:
    """Say whether a number has the form of a present one, and not of an old identity card."""
    return len(number) == _PRESENT_DIGITS


def population_of(sources: Mapping[str, Source]) -> Population | None:
    """Return where numbers are resolved, None where no such database is declared."""
    source = sources.get(POPULATION)
    if source is None:
        return None
    if not {"identity", "earlier_numbers"} <= source.database.by_name.keys():
        return None
    reads = source.reads
    return Population(reads["identity"], reads["earlier_numbers"], reads["holders"])


def unchecked_numbers(asked: str) -> PersonNumbers:
    """Return ``asked`` as its holder's final number, where settings say that all numbers are."""
    return PersonNumbers(asked, asked if is_present_number(asked) else None, checked=False)


async def resolve_by_loading(
    sources: Mapping[str, Source], load: Load, asked: str
) -> PersonNumbers:
    """Find out whose number ``asked`` is.

    Costs three small reads of the population database side by side, two more for an earlier number,
    and two for all of a person's earlier numbers together. Never raises.
    """
    population = population_of(sources)
    answers: dict[NumberRead, Answer] = {}
    while isinstance(
        found := resolve_from_known(
            population, asked, lambda read, number: answers.get((read, number))
        ),
        NeededReads,
    ):
        loaded = await asyncio.gather(*(load(read, number) for read, number in found.reads))
        answers.update(zip(found.reads, loaded, strict=True))
    return found


def resolve_from_known(
    population: Population | None, asked: str, known: KnownAnswer
) -> PersonNumbers | NeededReads:
    """Say whose number ``asked`` is, or what has to be read before that can be said.

    Pure: ask again when the reads that it needs are known. Three at first, side by side; two more
    for an earlier number; then two for each of the person's other numbers, all at once.
    """
    is_present = is_present_number(asked)
    if population is None:
        return PersonNumbers(asked, asked if is_present else None, doubt=State.NOT_OPERATING)
    found = _look(known, *_own_reads(population, asked), (population.holders, asked))
    if isinstance(found, NeededReads):
        return found
    identity, earlier, holders = found
    doubt = _doubt(identity, earlier, holders)
    persons = _values(holders, population.holders.record, "citizen_id")
    own_rows = identity.rows or ()
    if own_rows:
        persons = persons | {asked}
    if len(persons) > 1 or len(own_rows) > 1:
        return PersonNumbers(asked, None, doubt=doubt, conflict=True)
    present = next(iter(persons), asked if is_present else None)
    if present != asked and _doubt(identity, holders) is not None:
        # Somebody else may hold the number too: whoever was found must not be taken for the holder.
        return PersonNumbers(asked, None, doubt=doubt)
    if present == asked or present is None:
        person = PersonNumbers(asked, present, (), doubt, identity=identity)
        return _with_others(population, person, earlier, known)
    return _as_holder(population, PersonNumbers(asked, present, doubt=doubt), known)


def resolve_simple_case(
    asked: str, identity: Answer, earlier: Answer, holders: Answer
) -> PersonNumbers | None:
    """Return what ``resolve_from_known`` says of almost every number; None for all others.

    The population database knows one person by it, present and only number of theirs, or nobody.
    """
    if not is_present_number(asked) or earlier.rows or holders.rows:
        return None
    for answer in (identity, earlier, holders):
        if answer.report.state is not State.ANSWERED or answer.truncated:
            return None
    if len(identity.rows or ()) > 1:
        return None
    return PersonNumbers(asked, asked, identity=identity)


def _as_holder(
    population: Population, numbers: PersonNumbers, known: KnownAnswer
) -> PersonNumbers | NeededReads:
    """Go on with the person whose earlier number was asked."""
    assert numbers.present is not None
    found = _look(known, *_own_reads(population, numbers.present))
    if isinstance(found, NeededReads):
        return found
    identity, earlier = found
    doubt = numbers.doubt or _doubt(identity, earlier)
    if len(identity.rows or ()) > 1:
        return PersonNumbers(numbers.asked, None, doubt=doubt, conflict=True)
    person = PersonNumbers(numbers.asked, numbers.present, (), doubt, identity=identity)
    return _with_others(population, person, earlier, known)


def _own_reads(population: Population, number: str) -> tuple[NumberRead, NumberRead]:
    return (population.identity, number), (population.earlier, number)


def _look(known: KnownAnswer, *reads: NumberRead) -> list[Answer] | NeededReads:
    """Return the answers to ``reads``, or those of them that have still to be made."""
    answers = [known(*read) for read in reads]
    missing = tuple(read for read, one in zip(reads, answers, strict=True) if one is None)
    return NeededReads(missing) if missing else [one for one in answers if one is not None]


def _with_others(
    population: Population, numbers: PersonNumbers, earlier: Answer, known: KnownAnswer
) -> PersonNumbers | NeededReads:
    """Add the person's other numbers, as far as each is this person's alone.

    Records filed under a number of two people are nobody's to be shown: they may be the other's.
    """
    mine = {numbers.asked, numbers.present}
    others = sorted(_values(earlier, population.earlier.record, "number") - mine)
    if not others:
        return numbers
    found = _look(
        known,
        *((population.identity, number) for number in others),
        *((population.holders, number) for number in others),
    )
    if isinstance(found, NeededReads):
        return found
    identities, holders = found[: len(others)], found[len(others) :]
    doubts: list[State | None] = [numbers.doubt]
    sole, shared = [], False
    for one, identity, holder in zip(others, identities, holders, strict=True):
        holder_numbers = _values(holder, population.holders.record, "citizen_id")
        if identity.rows or holder_numbers - {numbers.present}:
            shared = True
        elif (doubt := _doubt(identity, holder)) is not None:
            doubts.append(doubt)
        else:
            sole.append(one)
    return PersonNumbers(
        numbers.asked,
        numbers.present,
        tuple(sole),
        next((doubt for doubt in doubts if doubt is not None), None),
        identity=numbers.identity,
        shared=shared,
    )


def _doubt(*answers: Answer) -> State | None:
    """Return why ``answers`` may not be the whole truth, None if they are."""
    state = worst(answer.report.state for answer in answers)
    if state is State.ANSWERED and any(answer.truncated for answer in answers):
        return State.PARTIAL
    return None if state is State.ANSWERED else state


def _values(answer: Answer, record: Record, column: str) -> set[str]:
    place = record.positions[column]
    return {str(row[place]) for row in answer.rows or () if row[place] is not None}
