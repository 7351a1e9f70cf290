"""The journal entry of an answer: caller, time, purpose, persons and fields; never the content.

Persons are keyed hashes, so that the journal by itself names nobody (design section 7).

Most of an entry is the same for every request of a caller, an operation or a set of lists. An entry
is therefore joined from encoded parts, which are remembered. Each memo has a bound, and what it
remembers depends on its arguments alone; a keyed hash is remembered with the whole key.
"""

from __future__ import annotations

import os
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
from gateway.keys.keyring import Keyring, Secret
from gateway.protection.represented import is_closed
from gateway.telemetry.redaction import MASK, holds_number, redact

#: Hex digits of a number's hash that replace the number within a text.
_TAG = 8
#: People whose hashes are remembered, of some 400 bytes each.
_PEOPLE = 5_000
#: Callers, documents, and sets of lists whose parts of an entry are remembered.
_PARTS = 10_000
#: Hex digits of an entry's id, and ids that are drawn at once.
_ID, _DRAWN = 16, 512


class RequestOutcome(Enum):
    """Whether the request was answered or refused."""

    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"


def person_hash(hashes: Keyring, number: str) -> str:
    """Return the pseudonym of a person: id of the key, and keyed hash (HMAC-SHA256)."""
    return _person_hash(hashes.current, number)


@lru_cache(_PEOPLE)
def _person_hash(key: Secret, number: str) -> str:
    return f"{key.id}:{key.mac(number.encode())}"


def person_hashes(hashes: Keyring, numbers: Iterable[str]) -> list[str]:
    """Return every pseudonym of ``numbers``, under former keys too."""
    return [_person_hash(key, number) for number in numbers for key in hashes.all]


def without_numbers(hashes: Keyring, text: str | None) -> str | None:
    """Return ``text`` with the numbers of people in it replaced, as an entry may hold it.

    Each is replaced by the beginning of its keyed hash (``person_hash``): the entry names nobody,
    and with the key it can still be told which case it was.
    """
    if text is None or _is_free_of_numbers(text):
        return text
    return _without_numbers(hashes.current, text)


def _without_numbers(key: Secret, text: str) -> str:
    return redact(text, lambda number: MASK + key.mac(number.encode())[:_TAG])


@lru_cache(maxsize=10_000)
def _is_free_of_numbers(text: str) -> bool:
    """Return whether there is no number in ``text``; clients, agencies and tokens recur."""
    return not holds_number(text)


@dataclass(frozen=True, slots=True)
class TouchedPeople:
    """The persons whom an answer touched, and the states of its lists, both as JSON.

    ``names``: the lists that decide from whom the entry is hidden.
    """

    persons: bytes
    sections: bytes
    names: tuple[str, ...]


def describe_touched(
    hashes: Keyring,
    people: Iterable[tuple[str, Role, Sequence[str]]],
    states: Mapping[str, State],
    beside: Iterable[str] = (),
) -> TouchedPeople:
    """Return what an entry says of ``people`` (``Trail.touches``) and lists: 0.5 us a person.

    ``beside``: lists of the same request that it does not name, and that hide it as if it did: of
    two entries of a request, neither may be shown to those from whom the other is hidden. A person
    whose hash is not remembered costs 2 us.
    """
    key, persons, unnamed = hashes.current, [], set(beside)
    last_role: Role | None = None
    last_sections: Sequence[str] = ()
    end = ""
    for number, role, sections_read in people:
        if role is not last_role or sections_read != last_sections:
            last_role, last_sections = role, sections_read
            unnamed.update(sections_read)
            end = f'","role":"{role.name}","sections":{orjson.dumps(sections_read).decode()}}}'
        persons.append(f'{{"person":"{_person_hash(key, number)}{end}')
    names, sections = _describe_states(tuple(states), tuple(states.values()))
    if not unnamed <= states.keys():
        names = (*names, *sorted(unnamed - states.keys()))
    return TouchedPeople(f"[{','.join(persons)}]".encode(), sections, names)


@lru_cache(_PARTS)
def _describe_states(
    names: tuple[str, ...], states: tuple[State, ...]
) -> tuple[tuple[str, ...], bytes]:
    """Return names in order, and the JSON object of the lists' states."""
    sections = {name: state.name for name, state in sorted(zip(names, states, strict=True))}
    return tuple(sections), orjson.dumps(sections)


def encode_entry(
    hashes: Keyring,
    at: datetime,
    request_id: str,
    caller: Caller,
    document: str,
    touched: TouchedPeople,
    codes: Iterable[str],
    requested: bytes = b"{}",
    result: RequestOutcome = RequestOutcome.ANSWERED,
    deferred: timedelta | None = None,
    operation: str | None = None,
) -> bytes:
    """Return one journal entry, a JSON object.

    ``document``: hash of the document's text (names chosen by clients could hold anything).
    ``operation``: name and version of the published operation that was called. ``touched``: the
    persons whom the answer touched, and the states of its lists. ``codes``: of the errors in the
    answer. ``requested``: from ``requested_fields``. ``deferred``: for how long the persons are not
    shown this entry (a lawful delay of the purpose). Costs some 3 us.
    """
    key = hashes.current
    subject = caller.representative or caller.subject
    caller_fields = _encode_caller(
        key, caller.client, caller.agency, subject, caller.token_id, caller.purpose
    )
    shows_from = orjson.dumps((at + deferred).isoformat()) if deferred else b"null"
    return b"".join(
        (
            b'{"id":"',
            _random_id(),
            b'","at":"',
            at.isoformat().encode(),
            b'","requestId":',
            orjson.dumps(_without_numbers(key, request_id)),
            caller_fields,
            orjson.dumps(without_numbers(hashes, caller.case_number)),
            _encode_operation(document, operation, result),
            touched.persons,
            b',"sections":',
            touched.sections,
            b',"asked":',
            requested,
            b',"codes":',
            orjson.dumps(sorted(set(codes))),
            b',"showsFrom":',
            shows_from,
            b',"hiddenFromGuardians":true}'
            if _is_closed(touched.names, caller.purpose)
            else b',"hiddenFromGuardians":false}',
        )
    )


@lru_cache(_PARTS)
def _encode_caller(
    key: Secret,
    client: str | None,
    agency: str | None,
    subject: str | None,
    token_id: str | None,
    purpose: str | None,
) -> bytes:
    """Return the part from ``client`` up to the value of ``caseNumber``."""
    hashes = Keyring(key)
    shown = {
        "client": without_numbers(hashes, client),
        "agency": without_numbers(hashes, agency),
        "subject": _nameless(hashes, subject),
        "tokenId": without_numbers(hashes, token_id),
        "purpose": without_numbers(hashes, purpose),
    }
    return b',%b,"caseNumber":' % orjson.dumps(shown)[1:-1]


@lru_cache(_PARTS)
def _encode_operation(document: str, operation: str | None, result: RequestOutcome) -> bytes:
    """Return the part from ``document`` up to the value of ``persons``."""
    shown = {"document": document, "operation": operation, "result": result.name}
    return b',%b,"persons":' % orjson.dumps(shown)[1:-1]


@lru_cache(_PARTS)
def _is_closed(names: tuple[str, ...], purpose: str | None) -> bool:
    return is_closed(names, purpose)


def _nameless(hashes: Keyring, subject: str | None) -> str | None:
    """Return a token's subject; hashed if it is a person's number, also an officer's."""
    if subject is None:
        return None
    try:
        return person_hash(hashes, person_number(subject))
    except ValueError:
        return without_numbers(hashes, subject)


_ids: list[bytes] = []
os.register_at_fork(after_in_child=_ids.clear)


def _random_id() -> bytes:
    """Return 16 random hex digits.

    Many are drawn at once: a draw is a system call, during which another thread takes the
    interpreter.
    """
    while True:
        try:
            return _ids.pop()
        except IndexError:
            digits = os.urandom(_DRAWN * _ID // 2).hex().encode()
            _ids.extend(digits[start : start + _ID] for start in range(0, len(digits), _ID))
