"""Representation: whether the records let somebody ask in a citizen's place.

Civil Code 91/2015/QH13 Art. 21 (a minor is under 18), 136 (parents represent minor children,
guardians their wards), 138 (representation by authorisation), 140 (it ends with death). The token
alone is not believed: it says for whom (``act_for``) and, for an authorisation, the number under
which it was notarised.
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
    """The rows of one list. ``complete``: they are all that there are."""

    record: Record
    rows: tuple[Row, ...]
    complete: bool

    def value(self, row: Row, column: str) -> object:
        return row[self.record.positions[column]]


async def require_representation(
    sources: Mapping[str, Source],
    loaders: Loader,
    caller: Caller,
    today: date,
    checks_numbers: bool = True,
) -> None:
    """Require records that let ``caller`` ask in the citizen's place; others pass at once.

    ``today``: the legal date. ``checks_numbers``: False where settings say that numbers are final.
    Costs the reads of two numbers, and two or three lists. Raises GatewayError
    REPRESENTATION_DENIED where no record says so, REPRESENTATION_UNCHECKED where the records could
    not be read: the one must not be taken for the other.
    """
    if caller.representative is None or caller.citizen is None:
        return
    reader = _ListReader(sources, loaders)
    token_numbers = caller.citizen, caller.representative
    if checks_numbers:
        resolving = (resolve_by_loading(sources, loaders.load, number) for number in token_numbers)
        citizen, actor = await asyncio.gather(*resolving)
    else:
        citizen, actor = (unchecked_numbers(number) for number in token_numbers)
    if citizen.conflict or actor.conflict:
        raise GatewayError("REPRESENTATION_DENIED")
    if caller.authorisation is not None:
        is_representative = await _is_agent(reader, citizen, actor, caller.authorisation)
    else:
        is_representative = await _is_parent_or_guardian(reader, citizen, actor, today)
    # A death, which ends representation, may be filed under a number that is not known.
    doubtful = reader.doubtful or not (citizen.is_complete and actor.is_complete)
    if citizen.doubt is not None or (not is_representative and doubtful):
        raise GatewayError("REPRESENTATION_UNCHECKED", headers={"Retry-After": "5"})
    if not is_representative:
        raise GatewayError("REPRESENTATION_DENIED")


@dataclass(slots=True)
class _ListReader:
    """Reads lists. ``doubtful``: some list could not be read whole."""

    sources: Mapping[str, Source]
    loaders: Loader
    doubtful: bool = False

    async def rows(self, database: str, name: str, keys: tuple[str, ...]) -> _Rows | None:
        """Return the rows under ``keys``; None: no such list is declared."""
        source = self.sources.get(database)
        read = source.reads.get(name) if source else None
        if read is None:
            self.doubtful = True
            return None
        answers = [self.loaders.load(read, key) for key in keys]
        return self.merge_rows(read.record, await asyncio.gather(*answers))

    def merge_rows(self, record: Record, answers: list[Answer]) -> _Rows:
        """Return the rows in ``answers``, without those that came from the cache."""
        fresh = [answer for answer in answers if not answer.report.from_cache]
        complete = len(fresh) == len(answers) and all(
            answer.rows is not None and not answer.unreadable and not answer.truncated
            for answer in fresh
        )
        self.doubtful = self.doubtful or not complete
        return _Rows(record, tuple(row for answer in fresh for row in answer.rows or ()), complete)


async def _is_parent_or_guardian(
    reader: _ListReader, citizen: PersonNumbers, actor: PersonNumbers, today: date
) -> bool:
    births, guardianships, deaths = await asyncio.gather(
        reader.rows("civil_status", "births", citizen.all),
        reader.rows("civil_status", "guardianships", citizen.all),
        reader.rows("civil_status", "deaths", citizen.all),
    )
    # Representation ends with death: it must be known that the citizen is not dead.
    if deaths is None or not deaths.complete or _any_in_force(deaths, lambda row: True):
        return False
    parent = births is not None and _any_in_force(
        births,
        lambda row: (
            _is_minor(births.value(row, "birth_date"), today)
            and bool(
                {births.value(row, f"{parent_role}_citizen_id") for parent_role in _PARENTS}
                & {*actor.all}
            )
        ),
    )
    guardian = guardianships is not None and _any_in_force(
        guardianships,
        lambda row: (
            guardianships.value(row, "ward_id") in citizen.all
            and guardianships.value(row, "guardian_citizen_id") in actor.all
            and _is_running(guardianships, row, today)
        ),
    )
    return parent or guardian


_PARENTS = ("mother", "father")


async def _is_agent(
    reader: _ListReader, citizen: PersonNumbers, actor: PersonNumbers, authorisation: str
) -> bool:
    """Say whether an authorisation of the actor by the citizen, with this number, is in force."""
    transactions, parties, deaths = await asyncio.gather(
        reader.rows("notary", "transactions", citizen.all),
        reader.rows("notary", "parties", (authorisation,)),
        reader.rows("civil_status", "deaths", citizen.all),
    )
    if transactions is None or parties is None or deaths is None:
        return False
    if not deaths.complete or _any_in_force(deaths, lambda row: True):
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


def _any_in_force(read: _Rows, holds: Callable[[Row], bool]) -> bool:
    """Say whether ``holds`` is true of some row of civil status that is in force."""
    return any(read.value(row, "status") in IN_FORCE and holds(row) for row in read.rows)


def _is_minor(birth_date: object, today: date) -> bool:
    """Say whether a birth date makes somebody a minor; of a partial date the first day counts."""
    if not isinstance(birth_date, PartialDate):
        return False
    first = birth_date.first
    age = today.year - first.year - ((today.month, today.day) < (first.month, first.day))
    return age < _OF_AGE


def _is_running(read: _Rows, row: Row, today: date) -> bool:
    """Say whether a guardianship is in force today; one without a start date is not."""
    start, end = read.value(row, "start_date"), read.value(row, "end_date")
    has_begun = isinstance(start, date) and start <= today
    return has_begun and (end is None or (isinstance(end, date) and end > today))
