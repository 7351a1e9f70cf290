"""What an operation requires beyond its shapes: permissions, arguments, live states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from graphql import FieldNode, GraphQLField, get_argument_values

from connectors.description import Record
from gateway.catalogue.permitted import Need, Permitted
from gateway.plan.dynamic_arguments import DynamicArguments, has_variable

_Parsed = TypeVar("_Parsed")


@dataclass(slots=True)
class Requirements:
    """Collects what analysis comes upon.

    ``needs``: by database, name and column, in the order of discovery. ``selected``: the columns
    among them that fields select. ``dynamic``: arguments with variables. ``live``: the databases
    whose state now is selected.
    """

    needs: dict[tuple[str, str, int | None], Need] = field(default_factory=dict)
    selected: set[tuple[str, str, int | None]] = field(default_factory=set)
    dynamic: list[DynamicArguments] = field(default_factory=list)
    live: set[str] = field(default_factory=set)

    def add_need(self, permitted: Permitted, position: int | None) -> None:
        """Note that ``permitted``, or its column at ``position``, must be permitted."""
        self.needs[permitted.database, permitted.name, position] = (permitted, position)

    def add_selected_column(self, record: Record, position: int) -> None:
        """Note that a field selects a column, which must be permitted."""
        self.add_need(record, position)
        self.selected.add((record.database, record.name, position))

    def are_selected(self) -> tuple[bool, ...]:
        """Return for each need whether a field selects it.

        The columns of a struct are needed, selected or not: it is null or not by all of them.
        """
        return tuple(
            position is None or (permitted.database, permitted.name, position) in self.selected
            for permitted, position in self.needs.values()
        )

    def parse_arguments(
        self,
        definition: GraphQLField,
        node: FieldNode,
        parse: Callable[[Mapping[str, object]], _Parsed],
        record: Record | None = None,
    ) -> _Parsed | DynamicArguments:
        """Return the parsed arguments of a field, or how to parse them once variables are known.

        Raises what ``parse`` raises.
        """
        if not has_variable(node):
            return parse(get_argument_values(definition, node, None, hide_suggestions=True))
        # The plan keeps the node: without what is selected below, and without where it stands.
        bare = FieldNode(name=node.name, arguments=node.arguments)
        arguments = DynamicArguments(len(self.dynamic), definition, bare, parse, record)
        self.dynamic.append(arguments)
        return arguments
