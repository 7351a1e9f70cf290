"""Whose number is this? From the number that was asked to the person who holds it now.

Rules (design sections 6.5 and 6.7; Decree 70/2024 on cancelled and re-issued numbers): records
filed under an earlier number are found and say so; the answer carries the present number; a number
that belongs to two people shows nobody. What the population database could not be asked stays
unknown: ``doubt`` says why, and nobody may read "no earlier numbers" from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.description import Lookup, Record
from gateway.answer import Answer, State, worst
from gateway.fetch.loaders import Loaders
from gateway.fetch.source import Source

DATABASE = "population"
_PRESENT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of the number ``asked``.

    ``present``: the 12-digit number of today; None if there is none or it is not known.
    ``earlier``: the other numbers that are this person's alone. ``shared``: there are others that
    somebody else holds or held too, under which nothing may be looked up. ``doubt``: why some of
    this could not be found out, None where all of it was. ``conflict``: the number asked belongs to
    more than one person.
    ``identity``: the population's answer about the person, None where it is not reachable at all.
    """

    asked: str
    present: str | None
    earlier: tuple[str, ...] = ()
    doubt: State | None = None
    conflict: bool = False
    shared: bool = False
    identity: Answer | None = None

    @property
    def known(self) -> bool:
        """Whether ``all`` is every number under which records of the person may be filed."""
        return self.doubt is None and not self.shared

    @property
    def all(self) -> tuple[str, ...]:
        """The numbers to look under, the present one first: those that are this person's alone."""
        first = self.present or self.asked
        return tuple(dict.fromkeys((first, self.asked, *self.earlier)))


@dataclass(frozen=True, slots=True)
class _Population:
    identity: Record
    by_citizen: Lookup
    earlier: Record
    earlier_by_citizen: Lookup
    holders: Lookup


def _population(sources: Mapping[str, Source]) -> _Population | None:
    source = sources.get(DATABASE)
    if source is None:
        return None
    records = source.database.by_name
    identity, earlier = records.get("identity"), records.get("earlier_numbers")
    if identity is None or earlier is None:
        return None
    lookups = {lookup.name: lookup for lookup in (*identity.lookups, *earlier.lookups)}
    return _Population(
        identity, lookups["identity"], earlier, lookups["earlier_numbers"], lookups["holders"]
    )


async def resolve(sources: Mapping[str, Source], loaders: Loaders, asked: str) -> Numbers:
    """Find out whose number ``asked`` is.

    Costs three small reads of the population database side by side, two more for an earlier number,
    and two for all of a person's earlier numbers together. Never raises.
    """
    population = _population(sources)
    is_present = len(asked) == _PRESENT_DIGITS
    if population is None:
        return Numbers(asked, asked if is_present else None, doubt=State.NOT_OPERATING)
    identity, earlier, holders = await asyncio.gather(
        loaders.load(population.identity, population.by_citizen, asked),
        loaders.load(population.earlier, population.earlier_by_citizen, asked),
        loaders.load(population.earlier, population.holders, asked),
    )
    doubt = _doubt(identity, earlier, holders)
    persons = _values(holders, population.earlier, "citizen_id")
    own_rows = identity.rows or ()
    if own_rows:
        persons = persons | {asked}
    if len(persons) > 1 or len(own_rows) > 1:
        return Numbers(asked, None, doubt=doubt, conflict=True)
    present = next(iter(persons), asked if is_present else None)
    if present != asked and _doubt(identity, holders) is not None:
        # Somebody else may hold the number too: whoever was found must not be taken for the holder.
        return Numbers(asked, None, doubt=doubt)
    if present is not None and present != asked:
        identity, earlier = await asyncio.gather(
            loaders.load(population.identity, population.by_citizen, present),
            loaders.load(population.earlier, population.earlier_by_citizen, present),
        )
        doubt = doubt or _doubt(identity, earlier)
        if len(identity.rows or ()) > 1:
            return Numbers(asked, None, doubt=doubt, conflict=True)
    others = sorted(_values(earlier, population.earlier, "number") - {asked, present})
    checks = await asyncio.gather(*(_sole(loaders, population, one, present) for one in others))
    return Numbers(
        asked,
        present,
        tuple(one for one, check in zip(others, checks, strict=True) if check is True),
        doubt or next((check for check in checks if isinstance(check, State)), None),
        identity=identity,
        shared=any(check is False for check in checks),
    )


async def _sole(
    loaders: Loaders, population: _Population, number: str, present: str | None
) -> bool | State:
    """Say whether an earlier number is this person's alone; a state if that could not be found out.

    Records filed under a number of two people are nobody's to be shown: they may be the other's.
    """
    identity, holders = await asyncio.gather(
        loaders.load(population.identity, population.by_citizen, number),
        loaders.load(population.earlier, population.holders, number),
    )
    if identity.rows or _values(holders, population.earlier, "citizen_id") - {present}:
        return False
    return _doubt(identity, holders) or True


def _doubt(*answers: Answer) -> State | None:
    """Return why ``answers`` may not be the whole truth, None if they are."""
    state = worst(answer.report.state for answer in answers)
    if state is State.ANSWERED and any(answer.truncated for answer in answers):
        return State.PARTIAL
    return None if state is State.ANSWERED else state


def _values(answer: Answer, record: Record, column: str) -> set[str]:
    place = record.positions[column]
    return {str(row[place]) for row in answer.rows or () if row[place] is not None}
