"""Whether somebody may ask in a citizen's place: held against the records, not the token alone.

Civil Code 91/2015/QH13 Art. 21 (a minor is under 18), 136 (parents represent minor children,
guardians their wards), 138 (representation by authorisation), 140 (it ends with death). A token
says for whom (``act_for``) and, for an authorisation, the number under which it was notarised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from connectors.description import Record, Row
from connectors.values import PartialDate
from gateway.access.caller import Caller
from gateway.answer import Answer
from gateway.errors import GatewayError
from gateway.fetch.loaders import Loader
from gateway.fetch.source import Source
from gateway.people.numbers import PersonNumbers, resolve_by_loading, unchecked_numbers
from gateway.protection.death import IN_FORCE

_OF_AGE = 18


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was read of one list. ``complete``: it is all there is."""

    record: Record
    rows: tuple[Row, ...]
    complete: bool

    def value(self, row: Row, column: str) -> object:
        return row[self.record.positions[column]]


async def hold_representation(
    sources: Mapping[str, Source],
    loaders: Loader,
    caller: Caller,
    today: date,
    checks_numbers: bool = True,
) -> None:
    """Let a representative pass for whom the records say so; anybody else at once.

    ``today``: the legal date. ``checks_numbers``: False where settings say that numbers are final.
    Costs the reads of two numbers, and two or three lists. Raises
    GatewayError REPRESENTATION_DENIED where no record says it, REPRESENTATION_UNCHECKED where what
    could say it was not to be had: the one must not be taken for the other.
    """
    if caller.representative is None or caller.citizen is None:
        return
    reading = _Reading(sources, loaders)
    named = caller.citizen, caller.representative
    if checks_numbers:
        resolving = (resolve_by_loading(sources, loaders.load, number) for number in named)
        citizen, actor = await asyncio.gather(*resolving)
    else:
        citizen, actor = (unchecked_numbers(number) for number in named)
    if citizen.conflict or actor.conflict:
        raise GatewayError("REPRESENTATION_DENIED")
    if caller.authorisation is not None:
        found = await _is_agent(reading, citizen, actor, caller.authorisation)
    else:
        found = await _is_parent_or_guardian(reading, citizen, actor, today)
    # Under a number that could not be found out there may be a death, with which it would end.
    doubtful = reading.doubtful or not (citizen.known and actor.known)
    if citizen.doubt is not None or (not found and doubtful):
        raise GatewayError("REPRESENTATION_UNCHECKED", headers={"Retry-After": "5"})
    if not found:
        raise GatewayError("REPRESENTATION_DENIED")


@dataclass(slots=True)
class _Reading:
    """Reads lists, and remembers whether any could not be had whole."""

    sources: Mapping[str, Source]
    loaders: Loader
    doubtful: bool = False

    async def of(self, database: str, name: str, keys: tuple[str, ...]) -> _Rows | None:
        """Return the rows under ``keys``; None where nobody declares such a list."""
        source = self.sources.get(database)
        read = source.reads.get(name) if source else None
        if read is None:
            self.doubtful = True
            return None
        answers = [self.loaders.load(read, key) for key in keys]
        return self.taken(read.record, await asyncio.gather(*answers))

    def taken(self, record: Record, answers: list[Answer]) -> _Rows:
        """Return the rows in ``answers``; those read earlier count for nothing."""
        fresh = [one for one in answers if not one.report.from_cache]
        complete = len(fresh) == len(answers) and all(
            one.rows is not None and not one.unreadable and not one.truncated for one in fresh
        )
        self.doubtful = self.doubtful or not complete
        return _Rows(record, tuple(row for one in fresh for row in one.rows or ()), complete)


async def _is_parent_or_guardian(
    reading: _Reading, citizen: PersonNumbers, actor: PersonNumbers, today: date
) -> bool:
    births, guardianships, deaths = await asyncio.gather(
        reading.of("civil_status", "births", citizen.all),
        reading.of("civil_status", "guardianships", citizen.all),
        reading.of("civil_status", "deaths", citizen.all),
    )
    # That somebody is dead must be known not to be so: representation ends with death.
    if deaths is None or not deaths.complete or _some(deaths, lambda row: True):
        return False
    parent = births is not None and _some(
        births,
        lambda row: (
            _is_minor(births.value(row, "birth_date"), today)
            and bool({births.value(row, f"{who}_citizen_id") for who in _PARENTS} & {*actor.all})
        ),
    )
    guardian = guardianships is not None and _some(
        guardianships,
        lambda row: (
            guardianships.value(row, "ward_id") in citizen.all
            and guardianships.value(row, "guardian_citizen_id") in actor.all
            and _runs(guardianships, row, today)
        ),
    )
    return parent or guardian


_PARENTS = ("mother", "father")


async def _is_agent(
    reading: _Reading, citizen: PersonNumbers, actor: PersonNumbers, authorisation: str
) -> bool:
    """Say whether the citizen authorised the actor, under this notarial number, and still does."""
    transactions, parties, deaths = await asyncio.gather(
        reading.of("notary", "transactions", citizen.all),
        reading.of("notary", "parties", (authorisation,)),
        reading.of("civil_status", "deaths", citizen.all),
    )
    if transactions is None or parties is None or deaths is None:
        return False
    if not deaths.complete or _some(deaths, lambda row: True):
        return False
    valid = any(
        transactions.value(row, "notarial_no") == authorisation
        and transactions.value(row, "kind") == "AUTHORISATION"
        and transactions.value(row, "status") == "VALID"
        for row in transactions.rows
    )

    def has(role: str, numbers: tuple[str, ...]) -> bool:
        return any(
            parties.value(row, "role") == role and parties.value(row, "party_citizen_id") in numbers
            for row in parties.rows
        )

    return valid and has("PRINCIPAL", citizen.all) and has("AGENT", actor.all)


def _some(found: _Rows, holds: Callable[[Row], bool]) -> bool:
    """Say whether some row of civil status that is in force has what ``holds`` asks."""
    return any(found.value(row, "status") in IN_FORCE and holds(row) for row in found.rows)


def _is_minor(born: object, today: date) -> bool:
    """Say whether somebody born then is certainly under 18: of a partial date the first day."""
    if not isinstance(born, PartialDate):
        return False
    first = born.first
    age = today.year - first.year - ((today.month, today.day) < (first.month, first.day))
    return age < _OF_AGE


def _runs(found: _Rows, row: Row, today: date) -> bool:
    """Say whether a guardianship runs today; one whose start is not known does not."""
    start, end = found.value(row, "start_date"), found.value(row, "end_date")
    begun = isinstance(start, date) and start <= today
    return begun and (end is None or (isinstance(end, date) and end > today))
