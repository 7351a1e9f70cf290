"""The people whom the value of a derived view names: the journal lists them as mentioned."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import is_dataclass
from functools import cache
from typing import get_type_hints

from connectors.values import PersonNumber

#: How a field of a value is declared that holds a person's number.
_NUMBER_TYPES = (PersonNumber, PersonNumber | None)


def numbers_in(value: object) -> list[str]:
    """Return the numbers of people in a value: fields declared as ``PersonNumber``."""
    return list(dict.fromkeys(_numbers(value)))


def _numbers(value: object) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)
        return
    kind: type = type(value)
    if is_dataclass(kind):
        for name, is_number in _number_fields(kind):
            inner = getattr(value, name)
            if not is_number:
                yield from _numbers(inner)
            elif inner is not None:
                yield str(inner)


@cache
def _number_fields(kind: Hashable) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a dataclass, and whether each holds a person's number."""
    hints = get_type_hints(kind)
    return tuple((name, hint in _NUMBER_TYPES) for name, hint in hints.items())
