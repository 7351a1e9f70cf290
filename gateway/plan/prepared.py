"""An operation made ready to run: analysed, and compiled for those who may see the same of it.

Which tree an operation is depends on the variables in its ``@include`` and ``@skip``, so it is
analysed once for each of their values; what a caller may see decides what of it is compiled. All of
it is pure, and slow enough to be done off the event loop (``gateway.plans``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues, get_variable_values

from gateway.plan.analysis import analyse, only
from gateway.plan.bindings import Bindings
from gateway.plan.cost import Cost, cost
from gateway.plan.document import Document, InvalidDocument, Operation
from gateway.plan.generate import generate
from gateway.plan.plan import Plan
from gateway.plan.shapes import Analysis

_MOST_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decides an operation's tree. ``values``: of ``Operation.conditions``, in their order."""

    digest: str
    name: str | None
    values: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation analysed. ``others``: what is left of it for the reference executor, if any."""

    key: Conditions
    analysis: Analysis
    cost: Cost
    others: DocumentNode | None


@dataclass(frozen=True, slots=True)
class Permissions:
    """What of an operation a caller may see.

    ``lacking``: for each of ``Analysis.needs`` the scope that is lacking, or None. ``citizen``: it
    is a citizen who asks, whom records may lead back to.
    """

    lacking: tuple[str | None, ...]
    citizen: bool


def coerce(
    schema: GraphQLSchema, operation: Operation, given: Mapping[str, object] | None
) -> VariableValues:
    """Return the values of the operation's variables (GraphQL specification 6.1.2).

    Raises InvalidDocument INVALID_VARIABLES. A null that ``@include`` or ``@skip`` would ask, which
    a default permits, is refused too: what it leaves of the operation nobody could say.
    """
    values = get_variable_values(
        schema,
        operation.node.variable_definitions or (),
        dict(given or {}),
        max_errors=_MOST_ERRORS,
        hide_suggestions=True,
    )
    if isinstance(values, list):
        raise InvalidDocument("INVALID_VARIABLES", tuple(values))
    for name in operation.conditions:
        if values.coerced.get(name) is None:
            said = f"Variable '${name}' decides what is included and must not be null."
            raise InvalidDocument("INVALID_VARIABLES", (GraphQLError(said, operation.node),))
    return values


def conditions(document: Document, operation: Operation, values: VariableValues) -> Conditions:
    """Return what of ``values`` decides the operation's tree."""
    asked = tuple(values.coerced[name] is True for name in operation.conditions)
    return Conditions(document.digest, operation.name, asked)


def prepare(
    schema: GraphQLSchema,
    bindings: Bindings,
    document: Document,
    operation: Operation,
    values: VariableValues,
) -> Prepared:
    """Analyse ``operation``. Of ``values`` only the conditions count. About 10 us a field."""
    analysis = analyse(schema, bindings, document.ast, operation.node, values)
    nodes = tuple(node for group in analysis.others.values() for node in group)
    others = only(document.ast, operation.node, nodes) if nodes else None
    return Prepared(conditions(document, operation, values), analysis, cost(analysis), others)


def compiled(prepared: Prepared, permissions: Permissions) -> Plan:
    """Compile ``prepared`` for callers with ``permissions``. About 20 us a field."""
    lacking: Sequence[str | None] = permissions.lacking
    return generate(prepared.analysis, lacking, permissions.citizen)
