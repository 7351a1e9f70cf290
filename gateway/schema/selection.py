"""Which fields a selection really asks for, directives and fragments taken into account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLResolveInfo,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
)

#: What a resolver is told by graphql-core.
Info = GraphQLResolveInfo[Any]


def selected(info: Info) -> tuple[str, ...]:
    """Return the names of the fields selected below the one being resolved, once each."""
    sets = (node.selection_set for node in info.field_nodes if node.selection_set)
    return tuple(dict.fromkeys(_names(info, sets, set())))


def _names(info: Info, sets: Iterable[SelectionSetNode], spread: set[str]) -> Iterator[str]:
    """Yield the names, looking into each fragment once, however often it is spread."""
    for selection in (one for chosen in sets for one in chosen.selections):
        if not _included(info, selection):
            continue
        if isinstance(selection, FieldNode):
            yield selection.name.value
        elif isinstance(selection, InlineFragmentNode):
            yield from _names(info, [selection.selection_set], spread)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in spread:
                spread.add(name)
                yield from _names(info, [info.fragments[name].selection_set], spread)


def _included(info: Info, selection: SelectionNode) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, selection, info.variable_values)
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, selection, info.variable_values)
    return not include or bool(include["if"])
