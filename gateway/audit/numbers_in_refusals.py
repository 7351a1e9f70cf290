"""The persons whom a refused request of an authenticated caller named.

A request may be refused before its document is parsed. So everything that could be a person's
number counts: in the variables, and between quotation marks in the document. The search is bounded:
a refusal must cost less than the answer would have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

_NUMBER = re.compile(r"\A\s*([0-9]{12}|[0-9]{9})\s*\Z")
#: Characters of a value that may be a number: it may have blanks around it.
_LONGEST = 64
#: A string with a number in it; a block string has two more quotation marks, which do no harm.
_QUOTED = re.compile(r'"[ \t\r\n]{0,8}([0-9]{12}|[0-9]{9})[ \t\r\n]{0,8}"')
#: Digits written as escapes (GraphQL specification 2.9.4).
_ESCAPED = re.compile(r"\\u(?:00(3[0-9])|\{0{0,6}(3[0-9])\})")
#: People whom an entry names; further ones are counted.
_NAMED = 10
#: Characters of the document, and values of the variables, that are searched. The first is several
#: times the length of 2,000 tokens; the second is what 100 people with filters take.
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

    ``first``: a number that is named in any case. Costs 2 ms at most, for texts made to cost.
    """
    numbers: dict[str, None] = {} if first is None else {first: None}
    for value in _values(variables or {}):
        if (
            isinstance(value, str)
            and len(value) < _LONGEST
            and _NUMBER.fullmatch(number := value.strip())
        ):
            numbers[number] = None
    numbers |= dict.fromkeys(_QUOTED.findall(_unescaped(query[:_CHARACTERS])))
    return NamedNumbers(tuple(numbers)[:_NAMED], len(numbers))


def _unescaped(text: str) -> str:
    """Return ``text`` with its escaped digits as digits."""
    if "\\u" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _values(variables: Mapping[str, object]) -> Iterator[object]:
    """Yield the scalar values among ``variables``, outer ones first."""
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
