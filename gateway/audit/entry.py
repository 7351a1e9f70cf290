"""The journal entry of an answer: caller, time, purpose, persons and fields; never the content.

Persons are keyed hashes, so that the journal by itself names nobody (design section 7).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache

import orjson

from connectors.values import person_number
from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.touched import Role
from gateway.keys.keyring import Keyring
from gateway.protection.represented import is_closed
from gateway.telemetry.redaction import MASK, holds_number, redact

#: Hex digits of a number's hash that replace the number within a text.
_TAG = 8


class RequestOutcome(Enum):
    """Whether the request was answered or refused."""

    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"


def person_hash(hashes: Keyring, number: str) -> str:
    """Return the pseudonym of a person: id of the key, and keyed hash (HMAC-SHA256)."""
    return f"{hashes.current.id}:{hashes.current.mac(number.encode())}"


def person_hashes(hashes: Keyring, numbers: Iterable[str]) -> list[str]:
    """Return every pseudonym of ``numbers``, under former keys too."""
    return [f"{key.id}:{key.mac(number.encode())}" for number in numbers for key in hashes.all]


def without_numbers(hashes: Keyring, text: str | None) -> str | None:
    """Return ``text`` with the numbers of people in it replaced, as an entry may hold it.

    Each is replaced by the beginning of its keyed hash (``person_hash``): the entry names nobody,
    and with the key it can still be told which case it was.
    """
    if text is None or _is_free_of_numbers(text):
        return text
    return _without_numbers(hashes, text)


def _without_numbers(hashes: Keyring, text: str) -> str:
    return redact(text, lambda number: MASK + hashes.current.mac(number.encode())[:_TAG])


@lru_cache(maxsize=10_000)
def _is_free_of_numbers(text: str) -> bool:
    """Return whether there is no number in ``text``; clients, agencies and tokens recur."""
    return not holds_number(text)


@dataclass(frozen=True, slots=True)
class TouchedPeople:
    """The persons whom an answer touched, and the states of its lists, both as JSON.

    ``names``: the lists.
    """

    persons: orjson.Fragment
    sections: orjson.Fragment
    names: tuple[str, ...]


def describe_touched(
    hashes: Keyring,
    people: Iterable[tuple[str, Role, Sequence[str]]],
    states: Mapping[str, State],
) -> TouchedPeople:
    """Return what an entry says of ``people`` (``Trail.touches``) and lists: 2 us a person."""
    persons = [
        {"person": person_hash(hashes, number), "role": role.name, "sections": sections_read}
        for number, role, sections_read in people
    ]
    sections = {name: states[name].name for name in sorted(states)}
    return TouchedPeople(
        orjson.Fragment(orjson.dumps(persons)),
        orjson.Fragment(orjson.dumps(sections)),
        tuple(sections),
    )


def build_entry(
    hashes: Keyring,
    at: datetime,
    request_id: str,
    caller: Caller,
    document: str,
    about: TouchedPeople,
    codes: Iterable[str],
    asked: bytes = b"{}",
    result: RequestOutcome = RequestOutcome.ANSWERED,
    deferred: timedelta | None = None,
    operation: str | None = None,
) -> dict[str, object]:
    """Return one journal entry.

    ``document``: hash of the document's text (names chosen by clients could hold anything).
    ``operation``: name and version of the published operation that was called. ``about``: the
    persons whom the answer touched, and the states of its lists. ``codes``: of the errors in the
    answer. ``asked``: from ``requested_fields``. ``deferred``: for how long the persons are not
    shown this entry (a lawful delay of the purpose). Costs some 10 us.
    """
    return {
        "id": secrets.token_hex(8),
        "at": at.isoformat(),
        "requestId": _without_numbers(hashes, request_id),
        "client": without_numbers(hashes, caller.client),
        "agency": without_numbers(hashes, caller.agency),
        "subject": _nameless(hashes, caller.representative or caller.subject),
        "tokenId": without_numbers(hashes, caller.token_id),
        "purpose": without_numbers(hashes, caller.purpose),
        "caseNumber": without_numbers(hashes, caller.case_number),
        "document": document,
        "operation": operation,
        "result": result.name,
        "persons": about.persons,
        "sections": about.sections,
        "asked": orjson.Fragment(asked),
        "codes": sorted(set(codes)),
        "showsFrom": (at + deferred).isoformat() if deferred else None,
        "hiddenFromGuardians": is_closed(about.names, caller.purpose),
    }


def _nameless(hashes: Keyring, subject: str | None) -> str | None:
    """Return a token's subject; hashed if it is a person's number, also an officer's."""
    if subject is None:
        return None
    try:
        return person_hash(hashes, person_number(subject))
    except ValueError:
        return without_numbers(hashes, subject)
