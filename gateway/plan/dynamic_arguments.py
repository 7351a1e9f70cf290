"""Arguments that contain variables: a plan is shared, so they are coerced at each request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from graphql import FieldNode, GraphQLError, GraphQLField, VariableNode, get_argument_values
from graphql.execution.values import VariableValues

from connectors.description import Record
from gateway.plan.syntax import walk_nodes
from gateway.plan.variables import PlainArgument, plain_argument_values, plain_arguments


@dataclass(frozen=True, slots=True)
class DynamicArguments:
    """The arguments of a field, if variables are among them.

    ``slot``: their position among the dynamic arguments of the operation. ``parse``: turns coerced
    values into what the plan uses; raises GatewayError INVALID_VALUE. ``record``: of the list that
    they belong to, None for another field's. ``plain``: the arguments, if all are plain.
    """

    slot: int
    definition: GraphQLField
    node: FieldNode
    parse: Callable[[Mapping[str, object]], object]
    record: Record | None = None
    plain: tuple[PlainArgument, ...] | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Decide once what every request would."""
        object.__setattr__(self, "plain", plain_arguments(self.definition, self.node))

    def coerce(self, values: VariableValues) -> dict[str, object]:
        """Return the coerced arguments; raises GraphQLError."""
        coerced = None
        if self.plain is not None:
            coerced = plain_argument_values(self.plain, values.coerced)
        if coerced is None:
            return get_argument_values(self.definition, self.node, values, hide_suggestions=True)
        return coerced


def has_variable(node: FieldNode) -> bool:
    """Say whether a variable is among the arguments of ``node``."""
    return any(
        isinstance(inner, VariableNode)
        for argument in node.arguments or ()
        for inner in walk_nodes(argument)
    )


def coerce_arguments(
    dynamic: Iterable[DynamicArguments], values: VariableValues
) -> tuple[list[object], GraphQLError | None]:
    """Coerce and parse arguments with the values of a request; return the results slot by slot.

    The second part is an error that only the reference executor can place (null for what must not
    be null): the result in its slot is None. Raises GatewayError INVALID_VALUE.
    """
    results: list[object] = []
    failure: GraphQLError | None = None
    for arguments in dynamic:
        try:
            results.append(arguments.parse(arguments.coerce(values)))
        except GraphQLError as error:
            results.append(None)
            failure = failure or error
    return results, failure
