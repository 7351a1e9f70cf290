"""A document that selects all fields of some sections, generated from the schema."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_required_argument,
)

from gateway.settings import Limits

#: What such a document needs.
ROOMY = Limits(
    deadline=60,
    new_documents_per_minute=1_000_000,
    document_characters=8 * 2**20,
    tokens=1_000_000,
    fragments=10_000,
    variables=10_000,
    depth=50,
    aliases=10_000,
    fields=100_000,
    repeated_fields=10_000,
    cost=1_000_000_000,
    body_bytes=8 * 2**20,
)
_DEEPEST = 5


def of_person(schema: GraphQLSchema, sections: tuple[str, ...]) -> str:
    """Return what to select of a person: all in ``sections``, filtered in many ways too."""
    person = schema.get_type("Person")
    assert isinstance(person, GraphQLObjectType)
    selected = " ".join(f"{name} {{ {_section(person.fields[name])} }}" for name in sections)
    return f"id askedAs notices {{ code reason detail }} {selected}"


def _section(field: GraphQLField) -> str:
    parts = []
    for name, subfield in _fields(field):
        if "first" in subfield.args and _is_list(subfield):
            parts += [
                f"{alias}: {name}{given} {{ {_brief(subfield)} }}"
                for alias, given in _variants(name, subfield)
            ]
        parts.append(f"{name} {_all_fields(subfield, _DEEPEST)}")
    return " ".join(parts)


def _variants(name: str, field: GraphQLField) -> Iterator[tuple[str, str]]:
    """Yield aliases and arguments with which to ask for what may be hidden."""
    arguments = field.args
    yield f"one_{name}", "(first: 1)"
    if "from" in arguments:
        yield f"late_{name}", '(from: "2020-01-01", to: "2026-01-01")'
        yield f"early_{name}", '(to: "2019-12-31")'
        yield f"oldest_{name}", "(order: OLDEST_FIRST, first: 1)"
    if "status" in arguments:
        statuses = get_named_type(arguments["status"].type)
        assert isinstance(statuses, GraphQLEnumType)
        for status in statuses.values:
            yield f"{status}_{name}", f"(status: [{status}], first: 1)"


def _brief(field: GraphQLField) -> str:
    """Return a list's rows by their own leaves, how many there are, and its source."""
    rows = [name for name, _ in _fields(field) if name in {"items", "item"}]
    (row,) = rows
    inner = dict(_fields(field))[row]
    leaves = " ".join(name for name, subfield in _fields(inner) if not _is_object(subfield))
    truncated = "truncated" if row == "items" else ""
    return f"{row} {{ {leaves} }} {truncated} source {{ state fetchedAt earlierNumbersAsked }}"


def _all_fields(field: GraphQLField, deepest: int) -> str:
    """Return everything below a field; of people whom records lead to, who they are."""
    kind = get_named_type(field.type)
    if not isinstance(kind, GraphQLObjectType):
        return ""
    if kind.name == "Person":
        return "{ id askedAs }"
    if kind.name == "Source":
        return "{ state asOf fetchedAt fromCache message { vi en } earlierNumbersAsked }"
    parts = [
        f"{name} {_all_fields(subfield, deepest - 1)}"
        for name, subfield in kind.fields.items()
        if not _is_object(subfield)
        or (deepest and not any(map(is_required_argument, subfield.args.values())))
    ]
    return f"{{ {' '.join(parts)} }}"


def _fields(field: GraphQLField) -> list[tuple[str, GraphQLField]]:
    kind = get_named_type(field.type)
    return list(kind.fields.items()) if isinstance(kind, GraphQLObjectType) else []


def _is_object(field: GraphQLField) -> bool:
    return isinstance(get_named_type(field.type), GraphQLObjectType)


def _is_list(field: GraphQLField) -> bool:
    return not {"items", "item"}.isdisjoint(name for name, _ in _fields(field))
