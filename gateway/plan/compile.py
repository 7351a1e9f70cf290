"""An operation made ready to run: analysed, and compiled for those who may see the same of it.

Which tree an operation is depends on the variables in its ``@include`` and ``@skip``, so it is
analysed once for each of their values; what a caller may see decides what of it is compiled. All of
it is pure, and slow enough to be done off the event loop (``gateway.execution.plan_cache``).
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
from gateway.plan.document import Document, InvalidDocument, Operation
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.selection import Analysis

_MOST_ERRORS = 50


@dataclass(frozen=True, slots=True)
class SelectedOperation:
    """An operation of a document, with the values of its variables."""

    document: Document
    operation: Operation
    values: VariableValues


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decides an operation's tree. ``values``: of ``Operation.conditions``, in their order."""

    digest: str
    name: str | None
    values: tuple[bool, ...]


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
    schema: GraphQLSchema, operation: Operation, given: Mapping[str, object] | None
) -> VariableValues:
    """Return the values of the operation's variables (GraphQL specification 6.1.2).

    Raises InvalidDocument INVALID_VARIABLES. A null that ``@include`` or ``@skip`` would ask, which
    a default permits, is refused too: what it leaves of the operation nobody could say.
    """
    values = get_variable_values(
        schema,
        operation.variables,
        dict(given or {}),
        max_errors=_MOST_ERRORS,
        hide_suggestions=True,
    )
    if isinstance(values, list):
        raise InvalidDocument("INVALID_VARIABLES", tuple(values))
    for name in operation.conditions:
        if values.coerced.get(name) is None:
            said = f"Variable '${name}' decides what is included and must not be null."
            declared = [one for one in operation.variables if one.variable.name.value == name]
            raise InvalidDocument("INVALID_VARIABLES", (GraphQLError(said, declared),))
    return values


def select_operation(
    schema: GraphQLSchema,
    document: Document,
    operation: Operation,
    given: Mapping[str, object] | None,
) -> SelectedOperation:
    """Return the operation with its variables judged; raises InvalidDocument."""
    return SelectedOperation(document, operation, coerce_variables(schema, operation, given))


def tree_conditions(chosen: SelectedOperation) -> Conditions:
    """Return what decides the operation's tree."""
    operation, coerced = chosen.operation, chosen.values.coerced
    asked = tuple([coerced[name] is True for name in operation.conditions])
    return Conditions(chosen.document.digest, operation.name, asked)


def analyse_operation(
    schema: GraphQLSchema, bindings: Bindings, chosen: SelectedOperation
) -> AnalysedOperation:
    """Analyse an operation. Of the values only the conditions count. About 10 us a field."""
    tree, name = chosen.document.tree(), chosen.operation.name
    analysis, unplanned = analyse(schema, bindings, tree, name, chosen.values)
    return AnalysedOperation(
        tree_conditions(chosen),
        analysis.needs,
        analysis.selected,
        analysis.dynamic,
        analysis.fields,
        cost(analysis),
        unplanned,
        analysis,
    )
