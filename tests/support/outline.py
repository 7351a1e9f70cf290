"""The fields that a schema offers, arranged for random selection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    Undefined,
    get_named_type,
    is_non_null_type,
)

from gateway.catalogue.checks import CASES
from gateway.catalogue.checks import FIELD as CHECK
from gateway.catalogue.entry_points import KEY_SCALAR


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument. ``defaulted``: the schema has a default for it."""

    name: str
    kind: GraphQLInputType
    required: bool
    defaulted: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A field to select. ``below``: the type in which to go on, None for a leaf."""

    name: str
    below: str | None
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Menu:
    """Groups of fields, each with its weight; within a group all are alike."""

    groups: tuple[tuple[Choice, ...], ...]
    weights: tuple[float, ...]

    def pick(self, rng: Random) -> Choice | None:
        """Return a field, None where there is nothing."""
        if not self.groups:
            return None
        return rng.choice(rng.choices(self.groups, cum_weights=self.weights)[0])


@dataclass(frozen=True, slots=True)
class Kind:
    """An object type. ``first`` and ``later``: what to select first, and what after that.

    ``least``: how many levels a selection needs to come to something. ``size``: how many fields are
    selected at a time, on average.
    """

    name: str
    first: Menu
    later: Menu
    leaves: tuple[Choice, ...]
    names: tuple[str, ...]
    least: int
    size: float


@dataclass(frozen=True, slots=True)
class Outline:
    """A schema. ``types``: the names of all types, for those who ask about them.

    ``checks``: the root fields that check procedures, the frequent one first; () for none.
    """

    kinds: Mapping[str, Kind]
    me: Choice
    checks: tuple[Choice, ...]
    types: tuple[str, ...]


_Weights = Mapping[str, float]
_ROOT: _Weights = {
    "person": 55, "persons": 30, "databases": 17, "introspection": 12, "thing": 16,
    "verifyPerson": 6, "organization": 5, "checkProcedure": 5,
    "checkProcedures": 2,
}  # fmt: skip
_FIRST: Mapping[str, _Weights] = {
    "query": {**_ROOT, "databases": 1.5, "introspection": 0.7},
    "person": {"section": 93, "timeline": 4, "leaf": 2, "object": 1},
    "section": {"list": 98, "source": 2},
    "list": {"rows": 95, "leaf": 2, "source": 3},
    "other": {"leaf": 58, "object": 16, "link": 14, "list": 12},
}
_LATER: Mapping[str, _Weights] = {
    "query": _ROOT,
    "person": {"section": 54, "timeline": 5, "leaf": 28, "object": 13},
    "section": {"list": 75, "source": 25},
    "list": {"rows": 26, "leaf": 34, "source": 40},
    "other": _FIRST["other"],
}
_LEAST = {"query": 5, "person": 1, "section": 3, "list": 2, "other": 1}
_SIZE = {"query": 1.2, "person": 2.2, "section": 1.8, "list": 1.2, "other": 3.2}


@lru_cache(maxsize=8)
def outline(schema: GraphQLSchema) -> Outline:
    """Return the outline of ``schema``; made once."""
    assert schema.query_type is not None
    objects = {
        name: kind for name, kind in schema.type_map.items() if isinstance(kind, GraphQLObjectType)
    }
    kinds = {name: _kind(name, kind, objects) for name, kind in objects.items() if name != "Query"}
    query = {
        **schema.query_type.fields,
        "__schema": SchemaMetaFieldDef,
        "__type": TypeMetaFieldDef,
    }
    me = _choice("me", query.pop("me"))
    grouped: dict[str, list[Choice]] = {}
    for name, field in query.items():
        group = "introspection" if name.startswith("__") else name
        if any(
            get_named_type(argument.type).name == KEY_SCALAR for argument in field.args.values()
        ):
            group = "thing"
        grouped.setdefault(group, []).append(_choice(name, field))
    kinds["Query"] = _build_kind("Query", "query", grouped, query)
    checks = tuple(_choice(name, query[name]) for name in (CHECK, CASES) if name in query)
    return Outline(kinds, me, checks, tuple(schema.type_map))


def _kind(name: str, kind: GraphQLObjectType, objects: Mapping[str, GraphQLObjectType]) -> Kind:
    grouped: dict[str, list[Choice]] = {}
    for inner, field in kind.fields.items():
        choice = _choice(inner, field)
        grouped.setdefault(_group(choice, objects), []).append(choice)
    return _build_kind(name, _role(name, kind), grouped, kind.fields)


def _build_kind(
    name: str, role: str, grouped: Mapping[str, list[Choice]], names: Iterable[str]
) -> Kind:
    return Kind(
        name,
        _menu(_FIRST[role], grouped),
        _menu(_LATER[role], grouped),
        tuple(grouped.get("leaf", ())),
        tuple(names),
        _LEAST[role],
        _SIZE[role],
    )


def _menu(weights: _Weights, grouped: Mapping[str, list[Choice]]) -> Menu:
    names = [name for name in weights if name in grouped]
    return Menu(
        tuple(tuple(grouped[name]) for name in names),
        tuple(accumulate(weights[name] for name in names)),
    )


def _role(name: str, kind: GraphQLObjectType) -> str:
    if name in {"Person", "Organization"}:
        return "person"
    if name.endswith("Section"):
        return "section"
    return "list" if _is_list(kind) else "other"


def _is_list(kind: GraphQLObjectType) -> bool:
    return "source" in kind.fields and not kind.fields.keys().isdisjoint({"items", "item"})


def _group(choice: Choice, objects: Mapping[str, GraphQLObjectType]) -> str:
    if choice.below is None:
        return "leaf"
    if choice.below in {"Source", "Timeline"}:
        return choice.below.lower()
    if choice.name in {"items", "item"}:
        return "rows"
    role = _role(choice.below, objects[choice.below])
    return {"person": "link", "other": "object"}.get(role, role)


def _choice(name: str, field: GraphQLField) -> Choice:
    inner = get_named_type(field.type)
    below = inner.name if isinstance(inner, GraphQLObjectType) else None
    arguments = tuple(
        _argument(argument_name, argument) for argument_name, argument in field.args.items()
    )
    return Choice(name, below, arguments)


def _argument(name: str, argument: GraphQLArgument) -> Argument:
    defaulted = argument.default_value is not Undefined
    return Argument(name, argument.type, is_non_null_type(argument.type), defaulted)
