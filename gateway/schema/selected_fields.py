"""The fields of a selection, with fragments expanded and excluded fields left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_directive_values,
)

from gateway.execution.reference import Info


def fields_selected_below(info: Info, argument: str) -> dict[str, bool]:
    """Return the names of the fields selected below the one being resolved, in their order.

    The value says whether ``argument`` is true in the selection of the field, in one place at
    least.
    """
    sets = (node.selection_set for node in info.field_nodes if node.selection_set)
    fields: dict[str, bool] = {}
    for node in _fields(info, sets, set()):
        name = node.name.value
        fields[name] = fields.get(name, False) or _is_true(info, node, argument)
    return fields


def _is_true(info: Info, node: FieldNode, argument: str) -> bool:
    nodes = (inner for inner in node.arguments or () if inner.name.value == argument)
    value = next((inner.value for inner in nodes), None)
    if isinstance(value, VariableNode):
        return info.variable_values.coerced.get(value.name.value) is True
    return isinstance(value, BooleanValueNode) and value.value


def _fields(info: Info, sets: Iterable[SelectionSetNode], spread: set[str]) -> Iterator[FieldNode]:
    """Yield the fields; visits each fragment once, however often it is spread."""
    for selection in (inner for selections in sets for inner in selections.selections):
        if not _included(info, selection):
            continue
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, InlineFragmentNode):
            yield from _fields(info, [selection.selection_set], spread)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in spread:
                spread.add(name)
                yield from _fields(info, [info.fragments[name].selection_set], spread)


def _included(info: Info, selection: SelectionNode) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, selection, info.variable_values)
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, selection, info.variable_values)
    return not include or bool(include["if"])
