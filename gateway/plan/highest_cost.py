"""The highest cost that an operation can have, whatever the values of its variables."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import FieldNode, IntValueNode, ListValueNode, StringValueNode, ValueNode

from gateway.catalogue.checks import CASES, MOST_CASES
from gateway.catalogue.entities import ENTITIES, REPRESENTATIONS
from gateway.people.entities import EntityKey
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import DEFAULT_FIRST, LONGEST_PAGE, longest_page


def highest_arguments(dynamic: Iterable[DynamicArguments], persons: int) -> list[object]:
    """Return arguments, slot by slot, for which ``gateway.plan.cost`` is highest.

    What the document itself says is taken as it is. ``persons``: the most that may be named.
    """
    return [_highest(arguments, persons) for arguments in dynamic]


def _highest(arguments: DynamicArguments, persons: int) -> object:
    values = {argument.name.value: argument.value for argument in arguments.node.arguments or ()}
    name = arguments.node.name.value
    if arguments.record is not None:
        single, most = arguments.record.single, longest_page(arguments.record)
        return arguments.parse({} if single else {"first": _first(values.get("first"), most)})
    if name == "timeline":
        return arguments.parse({"first": _first(values.get("first"), LONGEST_PAGE)})
    if name == "persons":
        return {"ids": [""] * _length(values.get("ids"), persons)}
    if name == ENTITIES:
        return {REPRESENTATIONS: [EntityKey()] * _length(values.get(REPRESENTATIONS), persons)}
    if name == CASES:
        return {**_code(arguments.node), "cases": [None] * _length(values.get("cases"), MOST_CASES)}
    return _code(arguments.node)


def _first(value: ValueNode | None, most: int) -> int:
    if value is None:
        return min(DEFAULT_FIRST, most)
    stated = int(value.value) if isinstance(value, IntValueNode) else most
    return stated if 1 <= stated <= most else most


def _length(value: ValueNode | None, most: int) -> int:
    return len(value.values) if isinstance(value, ListValueNode) else most


def _code(node: FieldNode) -> dict[str, object]:
    """Return the code of the procedure that is checked, where the document says it."""
    for argument in node.arguments or ():
        if argument.name.value == "code" and isinstance(argument.value, StringValueNode):
            return {"code": argument.value.value}
    return {}
