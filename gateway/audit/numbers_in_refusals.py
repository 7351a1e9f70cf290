"""Whom a refused request of a known caller named.

A refusal comes before the document is understood. So whatever could be a person's number counts: in
the variables, and between quotation marks in the document. What is looked at is bounded: a refusal
must cost less than the answer would have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

_NUMBER = re.compile(r"\A\s*([0-9]{12}|[0-9]{9})\s*\Z")
_LONGEST = 64
#: A string that holds a number; a block string has two more quotation marks, which do no harm.
_QUOTED = re.compile(r'"[ \t\r\n]{0,8}([0-9]{12}|[0-9]{9})[ \t\r\n]{0,8}"')
#: Digits that are written as escapes (GraphQL specification 2.9.4).
_ESCAPED = re.compile(r"\\u(?:00(3[0-9])|\{0{0,6}(3[0-9])\})")
#: How many people an entry names; the others are counted.
_NAMED = 10
#: Characters of the document, and values among the variables, that are looked at. The first are
#: several times what 2,000 tokens take; the second what 100 people and their filters take.
_CHARACTERS, _VALUES = 32 * 1024, 2_000


@dataclass(frozen=True, slots=True)
class NamedNumbers:
    """``numbers``: the first ten. ``count``: how many different ones there were."""

    numbers: tuple[str, ...] = ()
    count: int = 0


def find_named_numbers(
    query: str, variables: Mapping[str, object] | None, first: str | None = None
) -> NamedNumbers:
    """Return what could be numbers of people in a request, each once.

    ``first``: somebody who is named in any case. Costs at most 2 ms, for texts made to cost.
    """
    found: dict[str, None] = {} if first is None else {first: None}
    for value in _values(variables or {}):
        if (
            isinstance(value, str)
            and len(value) < 64
            and _NUMBER.fullmatch(number := value.strip())
        ):
            found[number] = None
    found |= dict.fromkeys(_QUOTED.findall(_unescaped(query[:_CHARACTERS])))
    return NamedNumbers(tuple(found)[:_NAMED], len(found))


def _unescaped(text: str) -> str:
    """Return ``text`` with its escaped digits as digits."""
    if "\\u" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _values(variables: Mapping[str, object]) -> Iterator[object]:
    """Yield the values among ``variables`` that are no lists or objects, outer ones first."""
    left = _VALUES
    level: list[object] = [variables]
    while level and left > 0:
        below: list[object] = []
        for value in level:
            left -= 1
            if isinstance(value, Mapping | list):
                inner = value.values() if isinstance(value, Mapping) else value
                below.extend(islice(inner, max(0, left - len(below))))
            else:
                yield value
        level = below
