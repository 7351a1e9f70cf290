"""Matching: whether a person whom a caller names, or a record leads to, may be shown.

Both executors decide here, so that the same number opens the same person in each.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.description import Record
from connectors.values import PartialDate
from gateway.catalogue.organisations import is_person_number
from gateway.errors import GatewayError
from gateway.limits.verification_attempts import Attempt
from gateway.people.details import Matching
from gateway.people.names import date_agrees, names_agree
from gateway.people.numbers import PersonNumbers


@dataclass(frozen=True, slots=True)
class MatchingRule:
    """The details that a caller must give of every person whom it names, beside the number.

    ``required``: the date of birth; then the client must not learn either whether a number exists.
    ``name``: the name too.
    """

    required: bool = False
    name: bool = False


NO_MATCHING = MatchingRule()


def require_matching(rule: MatchingRule, matching: Matching | None) -> None:
    """Refuse details that could never match: MATCHING_REQUIRED, with what is missing.

    Numbers must not be tried out (domain.md section 4). They encode sex and year of birth, and
    names are public: none of these alone shows that the caller knows the person.
    """
    if matching is None or not matching.says_something:
        if not rule.required:
            return
        matching = Matching()
    missing = [] if matching.birth_date is not None else ["birthDate"]
    whole = matching.birth_date is None or matching.birth_date.day is not None
    if matching.name is None and (rule.name or not whole):
        missing.append("name")
    if missing:
        raise GatewayError("MATCHING_REQUIRED", details={"missing": missing})


def open_named(
    numbers: PersonNumbers,
    matching: Matching | None,
    identity: Record | None,
    attempt: Attempt | None = None,
    conceals: bool = False,
) -> None:
    """Refuse a person whom the caller names and may not be shown.

    ``attempt``: the one counted for ``matching``; it is told whether the details agree.
    ``conceals``: the client must not learn whether a number exists.

    Raises GatewayError PERSON_NOT_MATCHED, VERIFICATION_LIMITED, and what ``open_person`` raises.
    """
    if attempt is not None:
        attempt.require_allowed(conceals)
    _require_match(numbers, matching, identity)
    if attempt is not None:
        attempt.agrees = True
    open_person(numbers)


def is_comparable(numbers: PersonNumbers) -> bool:
    """Say whether details can be compared: who holds the number is known, or that nobody does."""
    if numbers.conflict:
        return True
    identity = numbers.identity
    if identity is None or identity.rows is None:
        return False
    return bool(identity.rows) or not identity.unreadable


def open_person(numbers: PersonNumbers) -> None:
    """Refuse a number that leads to nobody or to several: NUMBER_UNRESOLVED, NUMBER_CONFLICT."""
    open_linked(numbers)
    if numbers.present is None and not numbers.is_complete:
        raise GatewayError("NUMBER_UNRESOLVED")


def open_linked(numbers: PersonNumbers) -> None:
    """Refuse a number in a record that belongs to several people: NUMBER_CONFLICT."""
    if numbers.conflict:
        raise GatewayError("NUMBER_CONFLICT")


def open_organisation(numbers: PersonNumbers) -> None:
    """Refuse the number of a household business that leads to nobody or to several."""
    if is_person_number(numbers.requested):
        open_person(numbers)


def require_organisation_matching(rule: MatchingRule, code: str) -> None:
    """Refuse a code that is a person's number, where numbers are named with details that match."""
    if is_person_number(code):
        require_matching(rule, None)


def is_citizen(numbers: PersonNumbers, citizen: str | None) -> bool:
    """Say whether a link has led a citizen back to themselves.

    ``citizen``: the number of the citizen who asks, None where none does. A number that somebody
    else holds too is not among ``numbers.all``.
    """
    return citizen is not None and not numbers.conflict and citizen in numbers.all


def _require_match(
    numbers: PersonNumbers, matching: Matching | None, record: Record | None
) -> None:
    """Compare the details with the population database; raises GatewayError.

    A mismatch and a number that nobody holds give the same answer, PERSON_NOT_MATCHED; a database
    that could not be asked gives another, NUMBER_UNRESOLVED.
    """
    if matching is None or not matching.says_something:
        return
    if not is_comparable(numbers):
        raise GatewayError("NUMBER_UNRESOLVED")
    rows = numbers.identity.rows if numbers.identity is not None else None
    if numbers.conflict or not rows:
        raise GatewayError("PERSON_NOT_MATCHED")
    assert record is not None  # whoever has an answer about it declares it
    row = rows[0]
    name, birth_date = row[record.positions["full_name"]], row[record.positions["birth_date"]]
    if not _details_agree(matching, name, birth_date):
        raise GatewayError("PERSON_NOT_MATCHED")


def _details_agree(matching: Matching, name: object, birth_date: object) -> bool:
    """Say whether the details show that the caller knows the person.

    The date has to agree as far as it is recorded; where that is not a whole date, the name too.
    """
    if matching.birth_date is None or not isinstance(birth_date, PartialDate):
        return False
    if date_agrees(matching.birth_date, birth_date) is not True:
        return False
    if matching.name is None:
        return birth_date.day is not None
    return isinstance(name, str) and names_agree(matching.name, name) is True
