"""The plan of an operation, explained without a running gateway: for the command line and tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
from graphql import GraphQLSchema

from connectors.description import Database, Sensitivity
from gateway.access.caller import Caller
from gateway.catalogue.entry_points import entries_of
from gateway.catalogue.scopes import OWN_VIEW, scope
from gateway.catalogue.sections import bind_sections
from gateway.catalogue.verification import SCOPE as VERIFY
from gateway.databases.backends import make_backend
from gateway.errors import GatewayError
from gateway.plan.compile import analyse_operation, select_operation
from gateway.plan.document import parse_document
from gateway.plan.dynamic_arguments import coerce_arguments
from gateway.plan.explain import explain_plan_lines
from gateway.plan.permissions import Permissions
from gateway.procedures.procedure import UNIFIED
from gateway.schema.build import build_schema
from gateway.settings import Settings
from gateway.shape.codegen import compile_plan


def explain_lines(
    databases: Iterable[Database],
    settings: Settings,
    text: str,
    operation: str | None = None,
    variables: str = "{}",
    scopes: Sequence[str] | None = None,
    purpose: str = UNIFIED,
    code: bool = False,
    schema: GraphQLSchema | None = None,
) -> list[str]:
    """Return the lines that explain how ``text`` would be answered.

    ``variables``: JSON. ``scopes``: of the caller; None: all. ``purpose``: of the request.
    ``code``: include the generated functions. ``schema``: that of ``databases``, where it is built
    already: building it takes a second. Raises InvalidDocument or GatewayError, as a request would;
    UNSUPPORTED_OPERATION for an operation that has no plan.
    """
    declared = tuple(databases)
    schema = schema or build_schema(declared)
    document = parse_document(schema, settings.limits, text)
    named = document.operation(operation)
    if not named.reads_persons:
        raise GatewayError("UNSUPPORTED_OPERATION", "it asks for no person: nothing is planned")
    chosen = select_operation(schema, document, named, _variables(variables))
    prepared = analyse_operation(schema, bind_sections(declared), chosen)
    arguments, _ = coerce_arguments(prepared.dynamic, chosen.values)
    assert prepared.analysis is not None
    granted = frozenset(_all(declared) if scopes is None else scopes)
    caller = Caller("printed", scopes=granted, purpose=purpose)
    lacking = tuple(caller.missing_for(*need) for need in prepared.needs)
    compiled_plan = compile_plan(prepared.analysis, Permissions(lacking, OWN_VIEW in caller.scopes))
    cost = prepared.cost.at(arguments)
    rendering = _rendering(declared, settings)
    lines = explain_plan_lines(named.name, compiled_plan, arguments, cost, rendering)
    return [*lines, "", *compiled_plan.source_text.splitlines()] if code else lines


def _rendering(databases: Sequence[Database], settings: Settings) -> set[str]:
    """Return the databases that write rows as JSON where they can, by settings."""
    if not settings.rendering.enabled:
        return set()
    backends = {
        database.name: make_backend(database, settings, settings.databases[database.name])
        for database in databases
        if database.name in settings.databases
    }
    return {name for name, backend in backends.items() if backend and backend.capabilities.renders}


def _variables(text: str) -> dict[str, object]:
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise GatewayError("BAD_JSON", "the variables must be JSON") from None
    if not isinstance(values, dict):
        raise GatewayError("BAD_REQUEST", "variables must be an object")
    return values


def _all(databases: Sequence[Database]) -> list[str]:
    reading = (scope(declared.name, level) for declared in databases for level in Sensitivity)
    return [
        OWN_VIEW,
        VERIFY,
        *reading,
        *(declared.scope for declared in entries_of(databases).values()),
    ]
