"""What changed from one version of an operation to another, and whether it breaks its callers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema

from gateway.operations.json_schema import Components, Schema
from gateway.operations.operation import OperationHeader, PublishedOperation

_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class OperationChange:
    """One change. ``breaking``: a caller of the old version may fail with the new one."""

    breaking: bool
    said: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A place in what is taken or answered. ``there``: it must be given, or always is."""

    kind: str
    nullable: bool
    there: bool
    values: frozenset[str]


def changes(
    schema: GraphQLSchema, old: PublishedOperation, new: PublishedOperation
) -> list[OperationChange]:
    """Return what changed from ``old`` to ``new``, breaking changes first, each by path."""
    found = [
        *_inputs(*(_parts(schema, one, answer=False) for one in (old, new))),
        *_answers(*(_parts(schema, one, answer=True) for one in (old, new))),
        *_headers(old.header, new.header),
    ]
    return sorted(found, key=lambda one: not one.breaking)


def _parts(schema: GraphQLSchema, published: PublishedOperation, answer: bool) -> dict[str, _Part]:
    components = Components(schema)
    tree = published.document.tree()
    whole = components.data(tree) if answer else components.variables(tree)
    root = "data" if answer else "variables"
    return dict(_walk(whole, root, True, components.schemas))


def _walk(
    schema: Mapping[str, Any], path: str, there: bool, named: Mapping[str, Schema]
) -> Iterator[tuple[str, _Part]]:
    """Yield every place in ``schema`` with what is there; ``[]`` stands for a list's items."""
    nullable = False
    while "oneOf" in schema or "$ref" in schema:
        nullable = nullable or "oneOf" in schema
        schema = schema["oneOf"][0] if "oneOf" in schema else _named(schema, named)
    types = schema["type"]
    if isinstance(types, list):
        nullable, types = True, types[0]
    values = frozenset(schema.get("enum", ()))
    kind = "a code" if values else f"{types} {schema.get('pattern', '')}".rstrip()
    yield path, _Part(kind, nullable, there, values)
    if types == "array":
        yield from _walk(schema["items"], f"{path}[]", True, named)
    for name, inner in schema.get("properties", {}).items():
        yield from _walk(inner, f"{path}.{name}", name in schema.get("required", ()), named)


def _named(schema: Mapping[str, Any], named: Mapping[str, Schema]) -> Schema:
    return named[schema["$ref"].removeprefix(_REFERENCE)]


def _inputs(old: Mapping[str, _Part], new: Mapping[str, _Part]) -> Iterator[OperationChange]:
    for path in _only(old, new):
        yield OperationChange(True, f"{path} is gone")
    for path in _only(new, old):
        needed = new[path].there
        yield OperationChange(needed, f"{path} is new{', and required' if needed else ''}")
    for path, was, is_ in _both(old, new):
        if was.kind != is_.kind:
            yield OperationChange(True, f"{path} was {was.kind} and is {is_.kind}")
        if was.there != is_.there:
            yield OperationChange(
                is_.there, f"{path} {'is required' if is_.there else 'may be left out'} now"
            )
        if was.nullable != is_.nullable:
            yield OperationChange(was.nullable, f"{path} {_null(is_)} now")
        for value in sorted(was.values - is_.values):
            yield OperationChange(True, f"{path} does not take {value} any more")
        for value in sorted(is_.values - was.values):
            yield OperationChange(False, f"{path} takes {value} too")


def _answers(old: Mapping[str, _Part], new: Mapping[str, _Part]) -> Iterator[OperationChange]:
    for path in _only(old, new):
        yield OperationChange(True, f"{path} is gone")
    for path in _only(new, old):
        yield OperationChange(False, f"{path} is new")
    for path, was, is_ in _both(old, new):
        if was.kind != is_.kind:
            yield OperationChange(True, f"{path} was {was.kind} and is {is_.kind}")
        if was.there != is_.there:
            yield OperationChange(
                was.there, f"{path} {'is always there' if is_.there else 'may be missing'} now"
            )
        if was.nullable != is_.nullable:
            yield OperationChange(is_.nullable, f"{path} {_null(is_)} now")
        for value in sorted(is_.values - was.values):
            yield OperationChange(False, f"{path} may be {value} too")


def _only(some: Mapping[str, _Part], others: Mapping[str, _Part]) -> list[str]:
    """Return the places that are in ``some`` alone, without what is below one of them."""
    found = some.keys() - others.keys()
    return sorted(one for one in found if _above(one) not in found)


def _above(path: str) -> str:
    return path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]


def _both(old: Mapping[str, _Part], new: Mapping[str, _Part]) -> Iterator[tuple[str, _Part, _Part]]:
    return ((path, old[path], new[path]) for path in sorted(old.keys() & new.keys()))


def _null(part: _Part) -> str:
    return "may be null" if part.nullable else "is never null"


def _headers(old: OperationHeader, new: OperationHeader) -> Iterator[OperationChange]:
    for client in sorted(old.clients - new.clients):
        yield OperationChange(True, f"client {client} may not call it any more")
    for client in sorted(new.clients - old.clients):
        yield OperationChange(False, f"client {client} may call it")
    for purpose in sorted({*old.purposes} - {*new.purposes}):
        yield OperationChange(True, f"purpose {purpose} is gone")
    for purpose in sorted({*new.purposes} - {*old.purposes}):
        yield OperationChange(False, f"purpose {purpose} is new")
    if len(old.purposes) == 1 < len(new.purposes):
        yield OperationChange(True, "X-Purpose is required now")
    for name in ("title", "owner", "cost"):
        was, is_ = getattr(old, name), getattr(new, name)
        if was != is_:
            yield OperationChange(False, f"{name} was {was} and is {is_}")
