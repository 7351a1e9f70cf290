"""Generated operations: valid documents over a schema, with variables, within the default limits.

The same random numbers give the same operation. The choices are weighted so that most operations
reach rows, and so that every construct of GraphQL that a client may use occurs sometimes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from graphql import GraphQLSchema

from tests.support.arguments import ABSENT, Details, People, Variable, Variables
from tests.support.callers import needed_fields
from tests.support.check_inputs import is_check
from tests.support.outline import outline
from tests.support.selections import Scope, Writer, selection, spread_in

#: How often a caller whose purpose has a check selects one.
_CHECK_SHARE = 0.6
_VARIABLE = re.compile(r"\$(\w+)")
_NOT_OF_ANY_TYPE: tuple[object, ...] = ({"x": 1}, "NOPE", -0.5, [[["12"]]], None)


@dataclass(frozen=True, slots=True)
class Generated:
    """A request: a document, its variables and the name of the operation to run."""

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
    details: Mapping[str, Details] | None = None,
    own_view_share: float = 0.2,
    trouble: float = 0.02,
    thing_keys: Mapping[str, Sequence[str]] | None = None,
    purpose: str | None = None,
) -> Generated:
    """Return an operation about the persons of ``numbers``.

    ``details``: names and dates of birth, for ``matching``. ``own_view_share``: how often a root
    field is ``me``. ``thing_keys``: keys of existing things, by root field. ``trouble``: how
    often a variable has an invalid value. ``purpose``: of the caller: mostly what it needs is
    selected, and checks are frequent if it is of a procedure with one. Takes 1 to 3 ms.
    """
    people = People(tuple(numbers), details or {}, thing_keys or {}, purpose)
    size = rng.choice((rng.randint(6, 25), rng.randint(20, 50), rng.randint(45, 80)))
    separator = rng.choice((" ", " ", "\n", ", "))
    check_share = _CHECK_SHARE if is_check(purpose) else 0.0
    w = Writer(
        rng,
        outline(schema),
        Variables(rng),
        people,
        own_view_share,
        check_share,
        needed_fields(purpose),
        size,
        separator,
    )
    operations = [_Operation(None, selection(w, Scope("Query"), 1))]
    while rng.random() < 0.1:
        w.fields = 6
        operations.append(_Operation(None, selection(w, Scope("Query"), 1)))
    operations = _with_names(rng, operations)
    name_to_run = operations[0].name
    rng.shuffle(operations)
    name = None if len(operations) == 1 and rng.random() < 0.5 else name_to_run
    return Generated(
        _text(w, operations), _request_values(rng, w.variables.declared, trouble), name
    )


def write_query(w: Writer, body: str, trouble: float = 0.0) -> Generated:
    """Return the query that selects ``body`` at its root, with what ``w`` has for it."""
    text = _text(w, [_Operation(None, body)])
    return Generated(text, _request_values(w.rng, w.variables.declared, trouble), None)


def _with_names(rng: Random, operations: Sequence[_Operation]) -> list[_Operation]:
    if len(operations) == 1 and rng.random() < 0.6:
        return list(operations)
    names = rng.sample(("Q", "query", "None", "Person", "on", "x9", "fragment", "_"), 8)
    return [
        _Operation(f"{names[place % 8]}{place or ''}", operation.body)
        for place, operation in enumerate(operations)
    ]


def _text(w: Writer, operations: Sequence[_Operation]) -> str:
    """Return the document, with the used fragments only."""
    needed = {operation: _needed(w, operation.body) for operation in operations}
    parts = [_operation_text(w, operation, needed[operation]) for operation in operations]
    used_fragments = set().union(*needed.values())
    parts += [fragment.text for name, fragment in w.fragments.items() if name in used_fragments]
    if w.chance(0.5):
        w.rng.shuffle(parts)
    return "\n".join(parts)


def _needed(w: Writer, body: str) -> set[str]:
    """Return the names of the fragments that ``body`` spreads, or that these spread."""
    names: set[str] = set()
    waiting = spread_in(body)
    while waiting:
        name = waiting.pop()
        names.add(name)
        waiting |= spread_in(w.fragments[name].body) - names
    return names


def _operation_text(w: Writer, operation: _Operation, needed: set[str]) -> str:
    texts = (operation.body, *(w.fragments[name].body for name in needed))
    used_variables = {name for text in texts for name in _VARIABLE.findall(text)}
    declared = [
        variable.definition
        for name, variable in w.variables.declared.items()
        if name in used_variables
    ]
    variables = f"({', '.join(declared)})" if declared else ""
    if operation.name is None and not variables and w.chance(0.5):
        return f"{{ {operation.body} }}"
    return f"query {operation.name or ''}{variables} {{ {operation.body} }}"


def _request_values(
    rng: Random, declared: Mapping[str, Variable], trouble: float
) -> dict[str, object]:
    """Return the variables of the request: sometimes an extra one, or an invalid value."""
    values = {
        name: variable.value for name, variable in declared.items() if variable.value is not ABSENT
    }
    if declared and rng.random() < trouble:
        values[rng.choice(tuple(declared))] = rng.choice(_NOT_OF_ANY_TYPE)
    elif values and rng.random() < trouble / 2:
        del values[rng.choice(tuple(values))]
    if rng.random() < 0.03:
        values["unheard_of"] = 1
    return values
