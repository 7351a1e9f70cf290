"""Generated operations on entities, as routers of a federated graph send them, and worse ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from graphql import GraphQLSchema

from tests.support.arguments import Details, People, Variable, Variables
from tests.support.callers import needed_fields
from tests.support.operations import Generated, write_query
from tests.support.outline import outline
from tests.support.selections import Scope, Writer, selection

_CODES = ("0100109106", "0100109106-001", "mã cũ 12", "0100109107", "")
#: Representations that say nothing that can be asked for.
MALFORMED: tuple[object, ...] = (
    {},
    {"__typename": "Person"},
    {"__typename": "Person", "id": None},
    {"__typename": "Person", "id": 1090012345},
    {"__typename": "Person", "id": "12"},
    {"__typename": "Person", "id": ["001090012345"]},
    {"__typename": "Person", "code": "001090012345"},
    {"__typename": "Person", "id": "001090012345", "birthDate": "1990-02-03"},
    {"__typename": "Person", "id": "001090012345", "matching": "1990"},
    {"__typename": "Person", "id": "001090012345", "matching": {"birthDate": "1990-02-31"}},
    {"__typename": "Person", "id": "001090012345", "matching": {"born": "1990"}},
    {"__typename": "Person", "id": "001090012345", "matching": {"name": 1}},
    {"__typename": "Person", "matching": {"birthDate": "1990-02-03"}},
    {"__typename": "Person", "matching": {"id": None, "birthDate": "1990-02-03"}},
    {"__typename": "Person", "matching": {"id": ["001090012345"]}},
    {"__typename": "Person", "matching": {"id": "001099999999", "sex": "MALE"}},
    {"__typename": "Person", "id": "001090012345", "matching": {"id": "001191054321"}},
    {"__typename": "Organization", "id": "0100109106"},
    {"__typename": "Organization", "code": "0100109107"},
    {"__typename": "Organization", "code": "0100109106", "matching": {}},
    {"__typename": "Query"},
    {"__typename": ["Person"], "id": "001090012345"},
    {"id": "001090012345"},
    "001090012345",
    [[]],
    0,
    True,
)


def entities_operation(
    rng: Random,
    schema: GraphQLSchema,
    numbers: Sequence[str],
    details: Mapping[str, Details] | None = None,
    _own_view_share: float = 0.0,
    *,
    thing_keys: Mapping[str, Sequence[str]] | None = None,
    purpose: str | None = None,
) -> Generated:
    """Return an operation on entities, as ``tests.support.operations.operation``."""
    people = People(tuple(numbers), details or {}, thing_keys or {}, purpose)
    # Without aliases, which could give fields of both types one key and two types of value.
    w = Writer(
        rng, outline(schema), Variables(rng), people, 0, 0, needed_fields(purpose), 30, aliases=0
    )
    count = rng.choices((1, 2, 4, 8, 0, 101), (20, 30, 30, 16, 3, 1))[0]
    representations = [_representation(rng, people) for _ in range(count)]
    parts = ["__typename"] * w.chance(0.5)
    for kind in rng.sample(("Person", "Organization", "Person"), 2):
        parts.append(f"... on {kind} {{ {selection(w, Scope(kind), 2)} }}")
    given = "$representations"
    if w.chance(0.3) and count < 10:
        given = _literal(representations)
    else:
        w.variables.declared["representations"] = Variable(
            "representations", "[_Any!]", "!", None, True, representations, representations
        )
    body = f"_entities(representations: {given}) {{ {' '.join(parts)} }}"
    if w.chance(0.1):
        body += " databases { name }"
    return write_query(w, body)


def _representation(rng: Random, people: People) -> object:
    draw = rng.random()
    if draw < 0.1:
        return rng.choice(MALFORMED)
    if draw < 0.25:
        code = rng.choice(_CODES) if rng.random() < 0.6 else people.draw(rng)
        return {"__typename": "Organization", "code": code}
    number = people.draw(rng)
    person: dict[str, Any] = {"__typename": "Person", "id": number}
    if rng.random() < 0.12:
        name, born = people.details.get(number, (None, None))
        details: dict[str, Any] | None = rng.choice(
            ({}, None, {"name": name}, {"birthDate": born}, {"name": name, "birthDate": born},
             {"birthDate": "1901-01-01"})
        )  # fmt: skip
        if details is not None and rng.random() < 0.5:  # as a router sends it
            return {"__typename": "Person", "matching": {"id": number, **details}}
        person["matching"] = details
    return person


def _literal(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
