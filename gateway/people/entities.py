"""Representations: which person or organisation a router asks for, parsed one by one.

A representation that makes no sense costs its own place in the answer only. What a router sends
comes from another subgraph's records, and one bad number among fifty must not hide the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.values import PartialDate, person_number
from gateway.catalogue.entities import ENTITY_KEYS, MATCHING, PERSON_TYPE, REPRESENTATIONS
from gateway.catalogue.organisations import is_person_number, journal_code, organisation_code
from gateway.errors import GatewayError
from gateway.people.details import Matching

_TYPENAME = "__typename"
#: The fields by which what is no person is found.
_CODE_FIELDS = frozenset(ENTITY_KEYS.values()) - {ENTITY_KEYS[PERSON_TYPE]}
_DETAILS = frozenset({"id", "birthDate", "name"})


@dataclass(frozen=True, slots=True)
class EntityKey:
    """A representation, parsed.

    ``typename``: of the entity, empty where it has none that there is. ``key``: a person's number,
    or the code of an organisation. ``matching``: what has to agree with the number, None if nothing
    is given. ``refusal``: an error code and its sentence, None where something can be asked by it.
    ``named``: the numbers and codes in one that is refused, as the journal has them.
    """

    typename: str = ""
    key: str = ""
    matching: Matching | None = None
    refusal: tuple[str, str] | None = None
    named: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether a person is asked for."""
        return self.typename == PERSON_TYPE

    def require_valid(self) -> None:
        """Raise GatewayError INVALID_REPRESENTATION, INVALID_PERSON_NUMBER or INVALID_VALUE."""
        if self.refusal is not None:
            raise GatewayError(*self.refusal)

    @property
    def journal_names(self) -> tuple[str, ...]:
        """The number or code as the journal has it; all that there are in one that is refused."""
        if self.refusal is not None or not self.key:
            return self.named
        return (self.key if self.is_person else journal_code(self.key),)


def parse_representations(
    representations: Sequence[object], types: Collection[str]
) -> tuple[EntityKey, ...]:
    """Return the keys of ``representations``, in their order. ``types``: those of entities.

    Never raises. About 2 us each.
    """
    return tuple([_parse(representation, types) for representation in representations])


def journal_names(keys: Sequence[EntityKey]) -> list[str]:
    """Return the numbers and codes that ``keys`` name, as the journal has them."""
    return [name for key in keys for name in key.journal_names]


def all_must_match(arguments: Mapping[str, object]) -> bool:
    """Say whether everybody whom a root field names has to match before anything is read.

    ``arguments``: of the field; representations parsed.
    """
    keys = arguments.get(REPRESENTATIONS)
    if keys is None:
        return bool(arguments.get("matching"))
    assert isinstance(keys, Sequence)
    people = [key for key in keys if key.is_person]
    return bool(people) and all(key.matching is not None for key in people)


def _parse(representation: object, types: Collection[str]) -> EntityKey:
    try:
        return _parse_key(representation, types)
    except GatewayError as error:
        named = tuple(_names_in(representation))
        return EntityKey(refusal=(error.code.name, error.message), named=named)


def _names_in(representation: object) -> Iterator[str]:
    """Yield the numbers and codes that a representation names, however wrong the rest of it is."""
    fields = representation if isinstance(representation, Mapping) else {"": representation}
    details = fields.get(MATCHING)
    values = [*fields.items(), *(details.items() if isinstance(details, Mapping) else ())]
    for field, value in values:
        if not isinstance(value, str):
            continue
        if is_person_number(value):
            yield value
        elif field in _CODE_FIELDS:
            with contextlib.suppress(GatewayError):
                yield journal_code(organisation_code(value))


def _parse_key(representation: object, types: Collection[str]) -> EntityKey:
    if not isinstance(representation, Mapping):
        raise _invalid("a representation must be an object")
    typename = representation.get(_TYPENAME)
    if not isinstance(typename, str) or typename not in types:
        raise _invalid(f"{_TYPENAME} must be one of {', '.join(sorted(types))}")
    field = ENTITY_KEYS[typename]
    if typename == PERSON_TYPE:
        return _parse_person(representation, field)
    if representation.get(field) is None:
        raise _invalid(f"{typename} is found by {field}")
    if not representation.keys() <= {_TYPENAME, field}:
        raise _invalid(f"{typename} is found by {field}, and by no other field")
    return EntityKey(typename, organisation_code(representation[field]))


def _parse_person(representation: Mapping[str, object], field: str) -> EntityKey:
    """Return the key of a person: by number, or by number and details; raises GatewayError.

    Nobody may take what is ignored for compared, so no other field is allowed.
    """
    details = representation.get(MATCHING)
    if details is None:
        details = {}
    if not isinstance(details, Mapping) or not details.keys() <= _DETAILS:
        raise _invalid(f"{MATCHING} has id, birthDate and name")
    values = (representation.get(field), details.get(field))
    numbers = [value for value in values if value is not None]
    if not numbers:
        raise _invalid(f"{PERSON_TYPE} is found by {field}")
    if not representation.keys() <= {_TYPENAME, field, MATCHING}:
        raise _invalid(f"{PERSON_TYPE} is found by {field} or {MATCHING}, and by no other field")
    if numbers[0] != numbers[-1]:
        raise _invalid(f"{field} and {MATCHING} have different numbers")
    try:
        number = person_number(numbers[0] if isinstance(numbers[0], str) else "")
    except ValueError:
        raise GatewayError("INVALID_PERSON_NUMBER") from None
    return EntityKey(PERSON_TYPE, number, _parse_details(details))


def _parse_details(details: Mapping[str, object]) -> Matching | None:
    """Return the details that are given, None where all are null; raises GatewayError."""
    name, date = details.get("name"), details.get("birthDate")
    if not isinstance(name, str | None):
        raise _invalid("a name must be a text")
    if date is not None and not isinstance(date, PartialDate):
        try:
            date = PartialDate.parse(date if isinstance(date, str) else "")
        except ValueError as error:
            raise GatewayError("INVALID_VALUE", str(error)) from None
    matching = Matching(name, date)
    return matching if matching.says_something else None


def _invalid(message: str) -> GatewayError:
    return GatewayError("INVALID_REPRESENTATION", message)
