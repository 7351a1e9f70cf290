"""Executes an operation: by its plan, or by the reference executor where there is none.

Both executors take the same decisions from the same places (``gateway.people.matching``,
``gateway.execution.decisions``, ``gateway.people.notices``). A differential test holds them to the
same answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from gateway.access.caller import Caller
from gateway.execution.decisions import RecordRules
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.ready_answers import store_ready_answer
from gateway.execution.reference import execute_reference
from gateway.execution.resources import ExecutionResources
from gateway.execution.waves import run_plan
from gateway.fetch.loaders import Loaders
from gateway.fetch.reads import Reads
from gateway.fetch.sharing import Sharing
from gateway.operations.operation import PublishedOperation
from gateway.people.matching import MatchingRule
from gateway.runtime.clock import legal_date
from gateway.settings import Client, Settings
from gateway.telemetry import metrics


async def execute(
    resources: ExecutionResources,
    request: OperationRequest,
    executable: ExecutableOperation | None,
) -> Result:
    """Execute an operation and return its result. Never raises for what a source does.

    ``executable``: None for an operation that is not about persons.
    """
    if executable is not None and executable.unplanned is None:
        return await execute_plan(resources, request, executable)
    if executable is not None:
        metrics.UNPLANNED.labels(executable.unplanned).inc()
    rules = record_rules(resources, request)
    return await execute_reference(resources, request, request.document.tree(), rules)


async def execute_plan(
    resources: ExecutionResources, request: OperationRequest, executable: ExecutableOperation
) -> Result:
    """Run the plan, and the reference executor beside it for root fields that are not planned."""
    plan, document = executable.plan, executable.prepared.unplanned
    assert plan is not None
    sharing, asker = _sharing(resources, request.caller), request.caller.asker
    reads = Reads(resources.sources, resources.clock, request.deadline, asker, sharing)
    rules = record_rules(resources, request)
    planned = run_plan(plan, executable.arguments, rules, reads, resources.settings.limits)
    if document is None:
        result = await planned
        # The day on which the answer was begun counts, not the one on which it is complete.
        store_ready_answer(resources, request, executable, result, reads, rules.today)
        return result
    reference = execute_reference(resources, request, document, rules)
    result, rest = await asyncio.gather(planned, reference)
    data: Mapping[str, object] | None = None
    if isinstance(rest.data, Mapping):
        assert isinstance(result.data, Mapping)
        fields = {**rest.data, **result.data}
        data = {key: fields[key] for key in plan.keys}
    return replace(result, data=data, errors=[*result.errors, *rest.errors])


def record_rules(resources: ExecutionResources, request: OperationRequest) -> RecordRules:
    """Return the rules by which records are read for this request."""
    sharing, asker = _sharing(resources, request.caller), request.caller.asker
    return RecordRules(
        request.caller,
        resources.sources,
        Loaders(resources.sources, resources.clock, request.deadline, asker, sharing),
        legal_date(resources.clock.now()),
        resources.log,
        resources.record_ids,
        matching_rule(resources.settings, request.caller, request.published),
        resources.attempts,
        resources.settings.numbers.are_checked,
    )


def matching_rule(
    settings: Settings, caller: Caller, published: PublishedOperation | None
) -> MatchingRule:
    """Return what ``caller`` has to know of people it names: by settings, or by review."""
    client = settings.clients.get(caller.client or "", Client())
    reviewed = published.header.matching if published and caller.is_lent else "none"
    needs_name = client.matching_name or reviewed == "name"
    return MatchingRule(needs_name or client.matching or reviewed != "none", needs_name)


def _sharing(resources: ExecutionResources, caller: Caller) -> Sharing:
    """Return which rows may be shared: their origin must not tell what an access log hides.

    Reads with a lawful delay leave no trace; some reads are hidden from representatives for good.
    """
    is_deferred = resources.settings.deferral(caller.purpose) is not None
    reads_fresh = is_deferred or caller.representative is not None
    return Sharing(caller.deciding, reads_fresh, isolated=is_deferred)
