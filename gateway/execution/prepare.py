"""Prepares a requested operation for execution: compiles it, and enforces its cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.errors import GatewayError
from gateway.execution.operation import ExecutableOperation, OperationRequest
from gateway.execution.resources import ExecutionResources
from gateway.operations.operation import PublishedOperation
from gateway.plan.compile import SelectedOperation, select_operation, tree_conditions
from gateway.plan.dynamic_arguments import DynamicArguments, coerce_arguments
from gateway.plan.explain import explain_plan_lines
from gateway.plan.plan import PersonRootPlan
from gateway.telemetry import metrics

#: Fragments that may be pending at once, of all people of an answer.
_MOST_FRAGMENTS = 200


async def prepare(
    resources: ExecutionResources, request: OperationRequest
) -> ExecutableOperation | None:
    """Return the executable operation; None for one that only the reference executor answers.

    Nothing is fetched. Raises InvalidDocument for variables that do not fit, and GatewayError
    UNSUPPORTED_OPERATION, TOO_COSTLY, TOO_MANY_DOCUMENTS or GATEWAY_BUSY.
    """
    chosen = select_operation(
        resources.schema, request.document, request.operation, request.variables
    )
    if not request.operation.reads_persons:
        return None
    if request.published is not None:
        return _of_published(resources, request, chosen, request.published)
    if request.is_incremental:
        incremental = await _compile(resources, request, replace(chosen, is_incremental=True))
        if _may_deliver_later(incremental):
            return incremental
    return await _compile(resources, request, chosen)


async def _compile(
    resources: ExecutionResources, request: OperationRequest, chosen: SelectedOperation
) -> ExecutableOperation:
    """Return ``chosen``, compiled for the caller; raises as ``prepare``."""
    plans, caller, client = resources.plans, request.caller, request.caller.client
    prepared = await plans.prepared(chosen, client, request.deadline)
    arguments, is_refused = coerce_arguments(prepared.dynamic, chosen.values)
    cost = prepared.cost.at(arguments)
    enforce_cost(resources, cost)
    permissions = plans.permissions(prepared, caller)
    plan = await plans.plan(chosen, prepared, permissions, client, request.deadline)
    unplanned = "arguments" if is_refused else "no code" if plan is None else None
    return ExecutableOperation(prepared, permissions, plan, arguments, cost, unplanned)


def _may_deliver_later(executable: ExecutableOperation) -> bool:
    """Say whether fragments of an operation are delivered later than the rest.

    Not beside fields that are answered without a plan, nor where there are too many.
    """
    plan = executable.plan
    if plan is None or executable.unplanned is not None or executable.prepared.unplanned:
        return False
    count = 0
    for fragment in plan.fragments:
        if not fragment.path:
            count += 1
            continue
        root = plan.roots[fragment.path[0]]
        assert isinstance(root, PersonRootPlan)
        arguments: object = root.arguments
        if isinstance(arguments, DynamicArguments):
            arguments = executable.arguments[arguments.slot]
        assert isinstance(arguments, Mapping)
        count += len(arguments.get("ids", (None,)))
    return 0 < count <= _MOST_FRAGMENTS


def _of_published(
    resources: ExecutionResources,
    request: OperationRequest,
    chosen: SelectedOperation,
    published: PublishedOperation,
) -> ExecutableOperation:
    """Return what was compiled when the operation was published."""
    prepared = published.prepared[tree_conditions(chosen)]
    permissions, plan = published.plans[prepared.key, request.caller.citizen is not None]
    arguments, is_refused = coerce_arguments(prepared.dynamic, chosen.values)
    cost = prepared.cost.at(arguments)
    enforce_cost(resources, cost)
    unplanned = "arguments" if is_refused else None
    return ExecutableOperation(prepared, permissions, plan, arguments, cost, unplanned)


def enforce_cost(resources: ExecutionResources, cost: int) -> None:
    """Raise GatewayError TOO_COSTLY above the limit; only count it where it is not enforced."""
    limits = resources.settings.limits
    if cost <= limits.cost:
        return
    metrics.TOO_COSTLY.labels("refused" if limits.cost_enforced else "measured").inc()
    if limits.cost_enforced:
        raise GatewayError("TOO_COSTLY", details={"cost": cost, "limit": limits.cost})


def explain_plan(
    resources: ExecutionResources, request: OperationRequest, executable: ExecutableOperation
) -> list[str]:
    """Return the plan as lines of text, or why there is none."""
    plan = executable.plan
    if plan is None:
        return ["answered field by field: no plan could be made"]
    rendering = {
        name
        for name, source in resources.sources.items()
        if resources.settings.rendering.enabled
        and source.backend is not None
        and source.backend.capabilities.renders
    }
    lines = explain_plan_lines(
        request.operation.name, plan, executable.arguments, executable.cost, rendering
    )
    if executable.unplanned is not None:
        lines.insert(0, "answered field by field: an argument is null that must not be")
    return lines
