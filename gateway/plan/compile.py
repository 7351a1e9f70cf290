"""From a document to an analysed operation, which is then compiled for equal permissions.

The variables in ``@include`` and ``@skip`` decide the tree of an operation, so it is analysed once
for each of their values. The permissions of a caller decide what of it is compiled
(``gateway.shape.codegen``). All of it is pure, and slow enough to be done off the event loop
(``gateway.execution.plan_cache``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphql import DocumentNode, GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues, get_variable_values

from gateway.catalogue.permitted import Need
from gateway.catalogue.sections import Bindings
from gateway.plan.analyse import analyse
from gateway.plan.cost import Cost, cost
from gateway.plan.defer import find_deferred_fields
from gateway.plan.defer_directive import without_defer
from gateway.plan.document import Document, InvalidDocument, Operation
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.selection import Analysis

#: Faults in variables that are reported at most.
_MAX_ERRORS = 50


@dataclass(frozen=True, slots=True)
class SelectedOperation:
    """An operation of a document, with the values of its variables.

    ``is_incremental``: fragments with ``@defer`` may be delivered later than the rest.
    """

    document: Document
    operation: Operation
    values: VariableValues
    is_incremental: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decides the tree of an operation.

    ``digest``, ``name``: of the document and the operation. ``values``: of
    ``Operation.conditions``, in their order. ``is_incremental``: as in ``SelectedOperation``.
    """

    digest: str
    name: str | None
    values: tuple[bool, ...]
    is_incremental: bool = False


@dataclass(frozen=True, slots=True)
class AnalysedOperation:
    """An operation analysed: what each request needs to know of it.

    ``needs``, ``selected``, ``dynamic``, ``fields``: as in the analysis. ``unplanned``: what the
    reference executor answers of it, None for nothing. ``analysis``: for compiling, None in a cache
    entry.
    """

    key: Conditions
    needs: tuple[Need, ...]
    selected: tuple[bool, ...]
    dynamic: tuple[DynamicArguments, ...]
    fields: int
    cost: Cost
    unplanned: DocumentNode | None
    analysis: Analysis | None

    def without_analysis(self) -> AnalysedOperation:
        """Return the operation for a cache: the analysis has too many objects to be kept."""
        return replace(self, analysis=None)


def coerce_variables(
    schema: GraphQLSchema, operation: Operation, variables: Mapping[str, object] | None
) -> VariableValues:
    """Return the values of the operation's variables (GraphQL specification 6.1.2).

    Raises InvalidDocument INVALID_VARIABLES. Null in a variable of ``@include`` or ``@skip``, which
    a default permits, is refused too: it does not say which tree the operation has.
    """
    plain, values = operation.plain_variables, None
    if plain is not None and plain.schema is schema:
        values = plain.coerce(variables or {})
    if values is None:
        values = _coerce_any_variables(schema, operation, variables)
    for name in operation.conditions:
        if values.coerced.get(name) is None:
            message = f"Variable '${name}' decides what is included and must not be null."
            nodes = [node for node in operation.variables if node.variable.name.value == name]
            raise InvalidDocument("INVALID_VARIABLES", (GraphQLError(message, nodes),))
    return values


def _coerce_any_variables(
    schema: GraphQLSchema, operation: Operation, variables: Mapping[str, object] | None
) -> VariableValues:
    values = get_variable_values(
        schema,
        operation.variables,
        dict(variables or {}),
        max_errors=_MAX_ERRORS,
        hide_suggestions=True,
    )
    if isinstance(values, list):
        raise InvalidDocument("INVALID_VARIABLES", tuple(values))
    return values


def select_operation(
    schema: GraphQLSchema,
    document: Document,
    operation: Operation,
    variables: Mapping[str, object] | None,
) -> SelectedOperation:
    """Return the operation with its variables coerced; raises InvalidDocument."""
    return SelectedOperation(document, operation, coerce_variables(schema, operation, variables))


def tree_conditions(selected: SelectedOperation) -> Conditions:
    """Return what decides the tree of the operation."""
    operation, coerced = selected.operation, selected.values.coerced
    values = tuple([coerced[name] is True for name in operation.conditions])
    return Conditions(selected.document.digest, operation.name, values, selected.is_incremental)


def analyse_operation(
    schema: GraphQLSchema, bindings: Bindings, selected: SelectedOperation
) -> AnalysedOperation:
    """Analyse an operation. Of its values only the conditions count. About 10 us a field.

    Raises GatewayError UNSUPPORTED_OPERATION for anything but a query, INVALID_VALUE for arguments
    that make no sense.
    """
    tree, name = selected.document.tree(), selected.operation.name
    # graphql-core collects a field twice that is in a deferred fragment and outside of it.
    whole = without_defer(tree) if selected.operation.defers else tree
    analysis, unplanned = analyse(schema, bindings, whole, name, selected.values)
    if selected.is_incremental:
        deferred = find_deferred_fields(schema, tree, name, selected.values, analysis.roots)
        analysis = replace(analysis, deferred=deferred)
    return AnalysedOperation(
        tree_conditions(selected),
        analysis.needs,
        analysis.selected,
        analysis.dynamic,
        analysis.fields,
        cost(analysis),
        unplanned,
        analysis,
    )
