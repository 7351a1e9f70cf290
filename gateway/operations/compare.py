"""Comparing two versions of an operation: what changed, and whether it breaks callers."""

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
    description: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A place in variables or answer. ``required``: it must be given, or is always there."""

    kind: str
    nullable: bool
    required: bool
    values: frozenset[str]


def compare_operations(
    schema: GraphQLSchema, old: PublishedOperation, new: PublishedOperation
) -> list[OperationChange]:
    """Return what changed from ``old`` to ``new``, breaking changes first, each by path."""
    changes = [
        *_inputs(*(_parts(schema, version, answer=False) for version in (old, new))),
        *_answers(*(_parts(schema, version, answer=True) for version in (old, new))),
        *_headers(old.header, new.header),
    ]
    return sorted(changes, key=lambda version: not version.breaking)


def _parts(schema: GraphQLSchema, published: PublishedOperation, answer: bool) -> dict[str, _Part]:
    components = Components(schema)
    tree = published.document.tree()
    whole = components.data(tree) if answer else components.variables(tree)
    root = "data" if answer else "variables"
    return dict(_walk(whole, root, True, components.schemas))


def _walk(
    schema: Mapping[str, Any], path: str, required: bool, named: Mapping[str, Schema]
) -> Iterator[tuple[str, _Part]]:
    """Yield every place in ``schema`` by its path; ``[]`` stands for the items of a list."""
    nullable = False
    while "oneOf" in schema or "$ref" in schema:
        nullable = nullable or "oneOf" in schema
        schema = schema["oneOf"][0] if "oneOf" in schema else _named(schema, named)
    types = schema["type"]
    if isinstance(types, list):
        nullable, types = True, types[0]
    values = frozenset(schema.get("enum", ()))
    kind = "a code" if values else f"{types} {schema.get('pattern', '')}".rstrip()
    yield path, _Part(kind, nullable, required, values)
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
        needed = new[path].required
        yield OperationChange(needed, f"{path} is new{', and required' if needed else ''}")
    for path, old_part, new_part in _both(old, new):
        if old_part.kind != new_part.kind:
            yield OperationChange(True, f"{path} was {old_part.kind} and is {new_part.kind}")
        if old_part.required != new_part.required:
            yield OperationChange(
                new_part.required,
                f"{path} {'is required' if new_part.required else 'may be left out'} now",
            )
        if old_part.nullable != new_part.nullable:
            yield OperationChange(old_part.nullable, f"{path} {_null(new_part)} now")
        for value in sorted(old_part.values - new_part.values):
            yield OperationChange(True, f"{path} does not take {value} any more")
        for value in sorted(new_part.values - old_part.values):
            yield OperationChange(False, f"{path} takes {value} too")


def _answers(old: Mapping[str, _Part], new: Mapping[str, _Part]) -> Iterator[OperationChange]:
    for path in _only(old, new):
        yield OperationChange(True, f"{path} is gone")
    for path in _only(new, old):
        yield OperationChange(False, f"{path} is new")
    for path, old_part, new_part in _both(old, new):
        if old_part.kind != new_part.kind:
            yield OperationChange(True, f"{path} was {old_part.kind} and is {new_part.kind}")
        if old_part.required != new_part.required:
            yield OperationChange(
                old_part.required,
                f"{path} {'is always there' if new_part.required else 'may be missing'} now",
            )
        if old_part.nullable != new_part.nullable:
            yield OperationChange(new_part.nullable, f"{path} {_null(new_part)} now")
        for value in sorted(new_part.values - old_part.values):
            yield OperationChange(False, f"{path} may be {value} too")


def _only(parts: Mapping[str, _Part], other_parts: Mapping[str, _Part]) -> list[str]:
    """Return the paths that are in ``parts`` alone, without those below another of them."""
    paths = parts.keys() - other_parts.keys()
    return sorted(path for path in paths if _above(path) not in paths)


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
        old_value, new_value = getattr(old, name), getattr(new, name)
        if old_value != new_value:
            yield OperationChange(False, f"{name} was {old_value} and is {new_value}")
