"""Generated operations with ``@defer``, and all payloads of one put together, for the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import orjson
from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    parse,
    print_ast,
)

from gateway.answer import State, worst
from gateway.audit.touched import Role, Trail
from gateway.execution.operation import ExecutableOperation, Result
from tests.support.operations import Generated, operation

_PEOPLE = {"person", "persons", "me", "organization"}


def deferred_operation(rng: Random, *arguments: Any, **named: Any) -> Generated:
    """Return a generated operation of which some fields are in deferred fragments.

    They are of the query, of people and of sections. ``notices`` never are: where they are not
    selected in the first payload, it mirrors them.
    """
    generated = operation(rng, *arguments, **named)
    document = parse(generated.query)
    definitions = [
        _defer_below(rng, node) if isinstance(node, OperationDefinitionNode) else node
        for node in document.definitions
    ]
    query = print_ast(DocumentNode(definitions=tuple(definitions)))
    return replace(generated, query=query)


def _defer_below(rng: Random, node: OperationDefinitionNode) -> OperationDefinitionNode:
    selections = tuple(
        _with_selections(each, _deferred_of_person(rng, each.selection_set.selections, str(place)))
        if isinstance(each, FieldNode) and each.name.value in _PEOPLE and each.selection_set
        else each
        for place, each in enumerate(node.selection_set.selections)
    )
    if rng.random() < 0.3:
        selections = _deferred(rng, selections, "query", 2)
    return OperationDefinitionNode(
        operation=node.operation,
        name=node.name,
        variable_definitions=node.variable_definitions,
        directives=node.directives,
        selection_set=SelectionSetNode(selections=selections),
    )


def _deferred_of_person(
    rng: Random, selections: tuple[SelectionNode, ...], label: str
) -> tuple[SelectionNode, ...]:
    """Put some of what is selected of a person, and of their sections, into fragments."""
    inner = tuple(
        _with_selections(
            each, _deferred(rng, each.selection_set.selections, f"{label}.of{place}", 1)
        )
        if isinstance(each, FieldNode) and each.selection_set and rng.random() < 0.3
        else each
        for place, each in enumerate(selections)
    )
    return _deferred(rng, inner, label, 2)


def _with_selections(node: FieldNode, selections: tuple[SelectionNode, ...]) -> FieldNode:
    return FieldNode(
        alias=node.alias,
        name=node.name,
        arguments=node.arguments,
        directives=node.directives,
        selection_set=SelectionSetNode(selections=selections),
    )


def _deferred(
    rng: Random, selections: tuple[SelectionNode, ...], label: str, depth: int
) -> tuple[SelectionNode, ...]:
    """Put some of ``selections`` into a fragment or two, within each other or side by side."""
    inside = [each for each in selections if _may_be_deferred(each) and rng.random() < 0.6]
    if not inside or not depth:
        return selections
    outside = [each for each in selections if each not in inside]
    twice = [each for each in inside if rng.random() < 0.1 and "@defer" not in print_ast(each)]
    inner = _deferred(rng, tuple(inside), f"{label}.{depth}", depth - 1)
    name = ArgumentNode(name=NameNode(value="label"), value=StringValueNode(value=label))
    directive = DirectiveNode(name=NameNode(value="defer"), arguments=(name,))
    fragment = InlineFragmentNode(
        directives=(directive,), selection_set=SelectionSetNode(selections=inner)
    )
    return (*outside, fragment, *twice)


def _may_be_deferred(node: SelectionNode) -> bool:
    return isinstance(node, FieldNode) and node.name.value != "notices"


async def put_together(executable: ExecutableOperation, result: Result) -> Result:
    """Return the result that all payloads of ``result`` amount to, which are waited for."""
    increments = result.increments
    if increments is None:
        return result
    data: Any = orjson.loads(orjson.dumps(result.data))
    errors, results = list(result.errors), [result]
    announced: Any = increments.announce()
    paths = {each["id"]: each["path"] for each in announced}
    has_next = True
    while has_next:
        increment = await increments.next()
        payload: Any = increment.payload
        paths |= {each["id"]: each["path"] for each in payload.get("pending", ())}
        for part in payload.get("incremental", ()):
            _value_at(data, paths[part["id"]]).update(orjson.loads(orjson.dumps(part["data"])))
            errors += part.get("errors", ())
        for completed in payload["completed"]:
            assert "errors" not in completed
            del paths[completed["id"]]
        results.append(increment.result)
        has_next = increment.has_next
    assert not paths
    increments.close()
    assert executable.plan is not None
    for path, order in executable.plan.orders.items():
        for each in _objects_at(data, path):
            ordered = {name: each[name] for name in order}
            each.clear()
            each.update(ordered)
    return replace(
        result,
        data=data,
        errors=_with_joined_lists(errors),
        trail=_joined_trail(results),
        states=_joined_states(results),
        mirrored=[notices for each in results for notices in each.mirrored],
        unidentified=sum(each.unidentified for each in results),
        increments=None,
    )


def _value_at(data: Any, path: list[str | int]) -> dict[str, Any]:
    for step in path:
        data = data[step]
    value: dict[str, Any] = data
    return value


def _objects_at(data: Any, path: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the objects that are shown at ``path``, of each person of a list."""
    objects = [data]
    for key in path:
        values = [each[key] for each in objects]
        objects = []
        for value in values:
            objects += value if isinstance(value, list) else [value]
        objects = [each for each in objects if each is not None]
    return objects


def _with_joined_lists(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join errors that name the lists of one person for one reason, as a single payload does."""
    joined: dict[tuple[str, str], dict[str, Any]] = {}
    shown = []
    for error in errors:
        extensions = error["extensions"]
        if "lists" not in extensions:
            shown.append(error)
            continue
        first = joined.setdefault((extensions["code"], str(list(error["path"]))), error)
        if first is error:
            shown.append(error)
        else:
            lists = {*first["extensions"]["lists"], *extensions["lists"]}
            first["extensions"]["lists"] = sorted(lists)
    return shown


def _joined_trail(results: list[Result]) -> Trail:
    """Return all people, with all of their sections.

    Two numbers under which one payload opened a person are the same person in the others too.
    """
    trail, numbers = Trail(), _same_people(results)
    for result in results:
        for number, role, sections in result.trail.touches():
            for each in numbers.get((number, role), (number,)):
                trail.note_read(each, role, tuple(sections))
    return trail


def _same_people(results: list[Result]) -> Mapping[tuple[str, Role], set[str]]:
    """Return the numbers of people who were opened under several, by number and role."""
    same: dict[tuple[str, Role], set[str]] = {}
    for result in results:
        opened: dict[int, set[tuple[str, Role]]] = {}
        for key, sections in result.trail._people.items():
            if isinstance(sections, set):  # the same set for all numbers of a person
                opened.setdefault(id(sections), set()).add(key)
        for keys in opened.values():
            numbers = {number for number, _ in keys}
            for key in keys:
                numbers |= same.get(key, set())
            for number in numbers:
                for _, role in keys:
                    same[number, role] = numbers
    return same


def _joined_states(results: list[Result]) -> Mapping[str, State]:
    states: dict[str, State] = {}
    for result in results:
        for name, state in result.states.items():
            states[name] = worst((state, states.get(name, state)))
    return states
