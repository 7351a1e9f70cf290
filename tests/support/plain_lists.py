"""Generated operations that select lists of people as they are, by leaves and structs of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type, is_list_type
from graphql.type import is_required_argument

from tests.support.arguments import Details
from tests.support.operations import Generated, operation

_ROOTS = (
    ("person(id: $number)", "$number: PersonNumber!"),
    ("persons(ids: $numbers)", "$numbers: [PersonNumber!]!"),
)
_SOURCE = "source { state fetchedAt message { en } }"


def plain_operation(
    rng: Random,
    schema: GraphQLSchema,
    numbers: Sequence[str],
    details: Mapping[str, Details] | None = None,
    own_view_share: float = 0.2,
    trouble: float = 0.02,
    thing_keys: Mapping[str, Sequence[str]] | None = None,
    purpose: str | None = None,
) -> Generated:
    """Return an operation about persons of ``numbers`` that shows rows; now and then any other."""
    if rng.random() < 0.15:
        return operation(
            rng, schema, numbers, details, own_view_share, trouble, thing_keys, purpose
        )
    person = schema.get_type("Person")
    assert isinstance(person, GraphQLObjectType)
    sections = [name for name, field in person.fields.items() if _lists(field)]
    selected = " ".join(
        f"{name} {{ {_section(rng, person.fields[name])} }}"
        for name in rng.sample(sections, rng.randint(1, 4))
    )
    root, variable = ("me", "") if rng.random() < own_view_share / 2 else rng.choice(_ROOTS)
    head = f"query Plain({variable})" if variable else "query Plain"
    variables: dict[str, object] = {}
    if "$numbers" in root:
        variables["numbers"] = rng.choices(numbers, k=rng.choice((1, 3, 12)))
    elif variable:
        variables["number"] = rng.choice(numbers)
    return Generated(f"{head} {{ {root} {{ id {selected} }} }}", variables, "Plain")


def _lists(field: GraphQLField) -> dict[str, GraphQLField]:
    """Return the fields of a section that are lists of records."""
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType):
        return {}
    return {
        name: listed
        for name, listed in kind.fields.items()
        if isinstance(inner := get_named_type(listed.type), GraphQLObjectType)
        and not {"items", "item"}.isdisjoint(inner.fields)
        and not any(map(is_required_argument, listed.args.values()))
    }


def _section(rng: Random, field: GraphQLField) -> str:
    lists = _lists(field)
    names = rng.sample(list(lists), rng.randint(1, min(3, len(lists))))
    return " ".join(_list(rng, name, lists[name]) for name in names)


def _list(rng: Random, name: str, field: GraphQLField) -> str:
    kind = get_named_type(field.type)
    assert isinstance(kind, GraphQLObjectType)
    rows = "items" if "items" in kind.fields else "item"
    row = get_named_type(kind.fields[rows].type)
    assert isinstance(row, GraphQLObjectType)
    arguments = f"(first: {rng.choice((1, 2, 50))})" if "first" in field.args else ""
    arguments = arguments if rng.random() < 0.3 else ""
    more = rng.choice(("", _SOURCE, "truncated" if rows == "items" else "exists"))
    return f"{name}{arguments} {{ {rows} {{ {_row(rng, row)} }} {more} }}"


def _row(rng: Random, kind: GraphQLObjectType) -> str:
    """Return some leaves of a row, or of a struct of it, and of its structs."""
    parts: list[str] = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            is_plain = name != "recordId" and not is_list_type(field.type)
            if rng.random() < (0.4 if is_plain else 0.004):
                parts.append(f"a{len(parts)}: {name}" if rng.random() < 0.1 else name)
        elif inner.name != "Person" and not _lists_rows(inner) and rng.random() < 0.3:
            parts.append(f"{name} {{ {_row(rng, inner)} }}")
    if rng.random() < 0.2 or not parts:
        parts.append("__typename")
    return " ".join(parts)


def _lists_rows(kind: GraphQLObjectType) -> bool:
    return not {"items", "item"}.isdisjoint(kind.fields)
