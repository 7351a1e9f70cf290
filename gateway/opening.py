"""Opening a person: from a number somebody named to a person who may be shown, or an error.

Used by both executors, so that the same number opens the same person in each.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.description import Record
from connectors.values import PartialDate
from gateway.errors import GatewayError
from gateway.fetch.numbers import Numbers
from gateway.names import dates_agree, same_name


@dataclass(frozen=True, slots=True)
class Matching:
    """Details that must agree with what the population database holds; None: not given."""

    name: str | None = None
    birth_date: PartialDate | None = None

    @property
    def says_something(self) -> bool:
        """Whether anything is given at all."""
        return self.name is not None or self.birth_date is not None


def hold_matching(required: bool, matching: Matching | None) -> None:
    """Refuse a number alone from clients who must know more of the person: MATCHING_REQUIRED.

    Domain.md section 4: numbers have little in them that is random, and are not to be tried out.
    """
    if required and (matching is None or not matching.says_something):
        raise GatewayError("MATCHING_REQUIRED")


def open_named(numbers: Numbers, matching: Matching | None, identity: Record | None) -> None:
    """Hold the conditions under which a person whom the caller named is shown.

    Raises GatewayError PERSON_NOT_MATCHED, and what ``open_person`` raises.
    """
    _match(numbers, matching, identity)
    open_person(numbers)


def open_person(numbers: Numbers) -> None:
    """Refuse a number that leads to nobody or to several: NUMBER_UNRESOLVED, NUMBER_CONFLICT."""
    open_linked(numbers)
    if numbers.present is None and not numbers.known:
        raise GatewayError("NUMBER_UNRESOLVED")


def open_linked(numbers: Numbers) -> None:
    """Refuse a number in a record that belongs to several people: NUMBER_CONFLICT."""
    if numbers.conflict:
        raise GatewayError("NUMBER_CONFLICT")


def is_citizen(numbers: Numbers, citizen: str | None) -> bool:
    """Say whether citizens who followed a link have come back to themselves.

    ``citizen``: the number of the citizen who asks, None where none does. A number that somebody
    else holds too is not among ``numbers.all``.
    """
    return citizen is not None and not numbers.conflict and citizen in numbers.all


def _match(numbers: Numbers, matching: Matching | None, record: Record | None) -> None:
    """Compare what the caller knows of the person with the population database.

    A mismatch and a number that nobody holds are one and the same answer; a database that could not
    be asked is another.
    """
    if matching is None or not matching.says_something:
        return
    identity = numbers.identity
    if numbers.conflict:
        raise GatewayError("PERSON_NOT_MATCHED")
    if identity is None or identity.rows is None or (not identity.rows and identity.unreadable):
        raise GatewayError("NUMBER_UNRESOLVED")
    if not identity.rows:
        raise GatewayError("PERSON_NOT_MATCHED")
    assert record is not None  # whoever has an answer about it declares it
    row = identity.rows[0]
    name, born = row[record.positions["full_name"]], row[record.positions["birth_date"]]
    wanted_name, wanted_date = matching.name, matching.birth_date
    names = wanted_name is None or (isinstance(name, str) and same_name(wanted_name, name))
    dates = wanted_date is None or (
        isinstance(born, PartialDate) and dates_agree(wanted_date, born)
    )
    if not (names and dates):
        raise GatewayError("PERSON_NOT_MATCHED")
