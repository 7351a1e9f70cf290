"""Generated operations: valid documents over a schema, with variables, within the default limits.

From the same random numbers comes the same operation. What is drawn is weighted so that most
operations reach rows, and so that everything GraphQL lets a client write comes up now and then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from graphql import GraphQLSchema

from tests.support.arguments import ABSENT, Details, People, Variable, Variables
from tests.support.outline import outline
from tests.support.selections import Scope, Writer, selection, spread_in

_VARIABLE = re.compile(r"\$(\w+)")
_NOT_OF_ANY_TYPE: tuple[object, ...] = ({"x": 1}, "NOPE", -0.5, [[["12"]]], None)


@dataclass(frozen=True, slots=True)
class Generated:
    """An operation to ask."""

    query: str
    variables: dict[str, object]
    operation_name: str | None


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str | None
    body: str


def operation(
    rng: Random,
    schema: GraphQLSchema,
    numbers: Sequence[str],
    known: Mapping[str, Details] | None = None,
    own: float = 0.2,
    trouble: float = 0.02,
    things: Sequence[str] = (),
) -> Generated:
    """Return an operation about the persons of ``numbers``.

    ``known``: names and dates of birth, for ``matching``. ``own``: how often a root field is
    ``me``. ``things``: keys under which there is something. ``trouble``: how often a variable is
    given what does not fit it. Takes 1 to 3 ms.
    """
    people = People(tuple(numbers), known or {}, tuple(things))
    size = rng.choice((rng.randint(6, 25), rng.randint(20, 50), rng.randint(45, 80)))
    separator = rng.choice((" ", " ", "\n", ", "))
    w = Writer(rng, outline(schema), Variables(rng), people, own, size, separator)
    operations = [_Operation(None, selection(w, Scope("Query"), 1))]
    while rng.random() < 0.1:
        w.fields = 6
        operations.append(_Operation(None, selection(w, Scope("Query"), 1)))
    operations = _with_names(rng, operations)
    wanted = operations[0].name
    rng.shuffle(operations)
    name = None if len(operations) == 1 and rng.random() < 0.5 else wanted
    return Generated(_text(w, operations), _given(rng, w.variables.made, trouble), name)


def _with_names(rng: Random, operations: Sequence[_Operation]) -> list[_Operation]:
    if len(operations) == 1 and rng.random() < 0.6:
        return list(operations)
    names = rng.sample(("Q", "query", "None", "Person", "on", "x9", "fragment", "_"), 8)
    return [
        _Operation(f"{names[place % 8]}{place or ''}", one.body)
        for place, one in enumerate(operations)
    ]


def _text(w: Writer, operations: Sequence[_Operation]) -> str:
    """Put the document together, with the fragments that are used and no others."""
    needed = {one: _needed(w, one.body) for one in operations}
    parts = [_operation_text(w, one, needed[one]) for one in operations]
    used = set().union(*needed.values())
    parts += [fragment.text for name, fragment in w.fragments.items() if name in used]
    if w.chance(0.5):
        w.rng.shuffle(parts)
    return "\n".join(parts)


def _needed(w: Writer, body: str) -> set[str]:
    """Return the names of the fragments that ``body`` spreads, or that these spread."""
    found: set[str] = set()
    waiting = spread_in(body)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= spread_in(w.fragments[name].body) - found
    return found


def _operation_text(w: Writer, operation: _Operation, needed: set[str]) -> str:
    texts = (operation.body, *(w.fragments[name].body for name in needed))
    used = {name for text in texts for name in _VARIABLE.findall(text)}
    declared = [one.definition for name, one in w.variables.made.items() if name in used]
    variables = f"({', '.join(declared)})" if declared else ""
    if operation.name is None and not variables and w.chance(0.5):
        return f"{{ {operation.body} }}"
    return f"query {operation.name or ''}{variables} {{ {operation.body} }}"


def _given(rng: Random, made: Mapping[str, Variable], trouble: float) -> dict[str, object]:
    """Return the variables of the request: at times one too many, or one that does not fit."""
    given = {name: one.given for name, one in made.items() if one.given is not ABSENT}
    if made and rng.random() < trouble:
        given[rng.choice(tuple(made))] = rng.choice(_NOT_OF_ANY_TYPE)
    elif given and rng.random() < trouble / 2:
        del given[rng.choice(tuple(given))]
    if rng.random() < 0.03:
        given["unheard_of"] = 1
    return given
