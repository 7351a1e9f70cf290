"""What the journal says of an answer: who, when, why, about whom, what; never the content.

Persons are written as keyed hashes, so that the journal by itself names nobody (design section 7).
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

#: How many hex digits of a number's hash stand in the place of the number within a text.
_TAG = 8


class RequestOutcome(Enum):
    """Whether there was an answer at all."""

    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"


def person_hash(hashes: Keyring, number: str) -> str:
    """Return what stands for a person's number: id of the key, and keyed hash (HMAC-SHA256)."""
    return f"{hashes.current.id}:{hashes.current.mac(number.encode())}"


def person_hashes(hashes: Keyring, numbers: Iterable[str]) -> list[str]:
    """Return everything that may stand for one of ``numbers``, under former keys too."""
    return [f"{key.id}:{key.mac(one.encode())}" for one in numbers for key in hashes.all]


def without_numbers(hashes: Keyring, text: str | None) -> str | None:
    """Return ``text`` as an entry may hold it: the numbers of people in it are replaced.

    In place of each stands the beginning of its keyed hash (``person_hash``): the entry names
    nobody, and whoever has the key can still tell which case it was.
    """
    if text is None or _is_free_of_numbers(text):
        return text
    return _without_numbers(hashes, text)


def _without_numbers(hashes: Keyring, text: str) -> str:
    return redact(text, lambda number: MASK + hashes.current.mac(number.encode())[:_TAG])


@lru_cache(maxsize=10_000)
def _is_free_of_numbers(text: str) -> bool:
    """Say it once for the clients, agencies and tokens that come again."""
    return not holds_number(text)


@dataclass(frozen=True, slots=True)
class TouchedPeople:
    """Whom an answer touched, and how lists were answered, both as JSON. ``names``: the lists."""

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
    ``operation``: name and version of the published operation that was called.
    ``about``: whom the answer touched, and how lists were answered. ``codes``: error codes in the
    answer. ``asked``: from ``asked_fields``. ``deferred``: how long the people are not shown this
    entry (a lawful delay of the purpose). Costs some 10 us.
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
    """Return a token's subject; hashed where it is a person's number, an officer's own too."""
    if subject is None:
        return None
    try:
        return person_hash(hashes, person_number(subject))
    except ValueError:
        return without_numbers(hashes, subject)
