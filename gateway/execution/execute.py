"""Executes an operation: by its plan, or by the reference executor where there is none.

Requests with the same plan and the same rights that come together are executed as one batch
(``gateway.execution.gather``, ``gateway.execution.batch``). Both executors take the same decisions
from the same places (``gateway.people.matching``, ``gateway.execution.decisions``,
``gateway.people.notices``). A differential test holds them to the same answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from connectors.backends.base import Asker
from gateway.access.caller import Caller
from gateway.cache.answer_store import Used
from gateway.catalogue.checks import ASK_AGAIN, CASES, RECHECK
from gateway.catalogue.checks import FIELD as CHECK
from gateway.catalogue.entities import REPRESENTATIONS
from gateway.catalogue.life_events import REGISTER
from gateway.execution.batch import Crowded, PlanBatch
from gateway.execution.deadlines import EarlyDeadlines
from gateway.execution.decisions import RecordRules
from gateway.execution.emit import emit
from gateway.execution.gather import Outcome, Waiting
from gateway.execution.incremental import IncrementalExecution
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.parts import Member
from gateway.execution.program import Program
from gateway.execution.ready_answers import store_ready_answer
from gateway.execution.reference import execute_reference
from gateway.execution.renderings import choose_renderings
from gateway.execution.resources import ExecutionResources
from gateway.execution.roots import gives_matching, start_roots
from gateway.execution.state import ExecutionState
from gateway.fetch.loaders import Loaders
from gateway.fetch.reads import Reads
from gateway.fetch.sharing import Sharing
from gateway.fetch.traced_reads import FetchTrace, TracedReads
from gateway.operations.operation import PublishedOperation
from gateway.people.matching import MatchingRule
from gateway.plan.check_arguments import numbers_named
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import CheckPlan, EntitiesPlan, PersonRootPlan, Plan, ReadingRoot, VerifyPlan
from gateway.plan.timeline_arguments import TimelineArguments
from gateway.runtime.clock import legal_date
from gateway.settings import Client, Settings
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

#: The root fields that check procedures, or rest on a person's numbers for long.
_CHECKING = frozenset({CHECK, CASES, RECHECK, ASK_AGAIN, REGISTER})
#: The settings of a client of which settings say nothing. To make it takes 2 us.
_NO_CLIENT = Client()


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
    """Execute the plan, and by the reference executor the root fields that are not planned."""
    plan, document = executable.plan, executable.prepared.unplanned
    assert plan is not None
    if request.trace is not None:
        request.trace.executed = request.trace.elapsed()
    # The day on which the answer was begun counts, not the one on which it is complete.
    today = legal_date(resources.clock.now())
    if plan.fragments:
        return await _execute_incrementally(resources, request, executable, plan)
    planned = _execute_together(resources, request, plan, executable.arguments)
    if document is None:
        result, used = await planned
        store_ready_answer(resources, request, executable, result, used, today)
        return result
    rules = record_rules(resources, request)
    reference = execute_reference(resources, request, document, rules)
    (result, _), rest = await asyncio.gather(planned, reference)
    data: Mapping[str, object] | None = None
    if isinstance(rest.data, Mapping):
        assert isinstance(result.data, Mapping)
        fields = {**rest.data, **result.data}
        data = {key: fields[key] for key in plan.keys}
    errors = [*result.errors, *rest.errors]
    return replace(result, data=data, errors=errors, states={**rest.states, **result.states})


async def _execute_incrementally(
    resources: ExecutionResources,
    request: OperationRequest,
    executable: ExecutableOperation,
    plan: Plan,
) -> Result:
    """Execute the plan until there is a first payload; ``Result.increments`` has the others."""
    today = legal_date(resources.clock.now())
    incremental = IncrementalExecution(asyncio.get_running_loop().create_future())
    work = _execute_together(resources, request, plan, executable.arguments, incremental)
    execution = incremental.execution = asyncio.create_task(work)
    execution.add_done_callback(incremental.wake_up)
    is_delivered = True
    try:
        await asyncio.wait({execution, incremental.first}, return_when=asyncio.FIRST_COMPLETED)
        if not incremental.first.done():
            await execution  # it has failed
        result, used = incremental.first.result()
        is_delivered = incremental.is_complete
    finally:
        if is_delivered:
            incremental.close()
    if is_delivered:
        store_ready_answer(resources, request, executable, result, used, today)
        return result
    return replace(result, increments=incremental)


async def _execute_together(
    resources: ExecutionResources,
    request: OperationRequest,
    plan: Plan,
    arguments: Sequence[object],
    incremental: IncrementalExecution | None = None,
) -> Outcome:
    """Execute the plan with others that ask for the same; alone where it has a ``incremental``."""
    program_key, keys = _program_key(resources, request, plan, arguments)
    program = resources.programs.find(plan, resources.sources, request.caller.rights)
    result: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    waiting = Waiting(request, arguments, keys, result)
    run = partial(_run_batch, resources, program, incremental=incremental)
    return await resources.gatherer.execute(program_key, waiting, run)


def _program_key(
    resources: ExecutionResources,
    request: OperationRequest,
    plan: Plan,
    arguments: Sequence[object],
) -> tuple[Hashable, int]:
    """Return what the requests of a batch have in common, and the number of keys.

    Keys are the people and things that this request names.

    Whoever has to match a person goes alone, since attempts are counted one after the other; so
    does a read that the law hides for a time, since it must not show in others' reports.
    """
    caller, keys, goes_alone = request.caller, 0, False
    root_slots = set()
    for root in plan.roots.values():
        if isinstance(root, str):
            continue
        values: object = root.arguments
        if isinstance(values, DynamicArguments):
            root_slots.add(values.slot)
            values = arguments[values.slot]
        assert isinstance(values, Mapping)
        goes_alone |= isinstance(root, VerifyPlan) or gives_matching(values)
        keys += _count_keys(root, values)
    shared: list[Hashable] = []
    for slot, value in enumerate(arguments):
        if slot in root_slots:
            continue
        if isinstance(value, ListArguments | TimelineArguments):
            shared.append(value)
        else:
            assert isinstance(value, Mapping)
            shared.append(repr(sorted(value.items())))
    goes_alone |= resources.settings.deferral(caller.purpose) is not None
    goes_alone |= request.trace is not None  # its notes are of its own reads alone
    goes_alone |= bool(plan.fragments)  # it ends with the last payload
    common = (id(plan), id(resources.sources), caller.rights, request.published, tuple(shared))
    return (*common, id(request) if goes_alone else legal_date(resources.clock.now())), keys


def _count_keys(root: ReadingRoot, arguments: Mapping[str, Any]) -> int:
    """Return how many people and things a root field names."""
    if isinstance(root, CheckPlan):
        return max(1, len(numbers_named(root.checks, arguments)))
    if isinstance(root, EntitiesPlan):
        return len(arguments[REPRESENTATIONS])
    several = isinstance(root, PersonRootPlan) and root.name == "persons"
    return len(arguments["ids"]) if several else 1


async def _run_batch(
    resources: ExecutionResources,
    program: Program,
    waiting: Sequence[Waiting],
    incremental: IncrementalExecution | None = None,
) -> None:
    """Execute requests together; each has its result afterwards, or the error that concerns it.

    ``incremental``: takes what is complete of the only request, None where there is one payload.
    """
    reads = _reads(resources, waiting)
    batch = _batch(resources, program, waiting, reads)
    batch.renderings = choose_renderings(
        program,
        batch.rules,
        batch.arguments,
        sum([request.keys for request in waiting]),
        resources.settings.rendering,
    )
    start = start_roots
    if incremental is not None:
        start, batch.emit = incremental.start, incremental.emit
        batch.on_progress = incremental.advance
    answer_late = partial(_answer_late, resources, batch)
    deadlines = EarlyDeadlines(waiting, reads, resources.clock, answer_late)
    try:
        await batch.run(start)
    except Crowded:
        pass
    except Exception as error:
        if len(waiting) == 1:
            raise
        log.exception("a batch failed", error=type(error).__name__, requests=len(waiting))
    finally:
        deadlines.close()
    if len(waiting) > 1:
        # Each alone: what cannot be executed costs nobody else their answer, or their time.
        rest = [request for request in waiting if not request.result.done()]
        await asyncio.gather(*(_run_alone(resources, program, request) for request in rest))


async def _run_alone(resources: ExecutionResources, program: Program, request: Waiting) -> None:
    try:
        await _run_batch(resources, program, [request])
    except Exception as error:  # it concerns this request only
        if not request.result.done():
            request.result.set_exception(error)


def _reads(resources: ExecutionResources, waiting: Sequence[Waiting]) -> Reads:
    """Return the reads of a batch, which lives to the latest deadline of its requests."""
    first = waiting[0].request
    deadline = max(request.request.deadline for request in waiting)
    # Of several requests only the client is the same; their parts say who asks.
    asker = first.caller.asker if len(waiting) == 1 else Asker(first.caller.client)
    sharing = _sharing(resources, first)
    if first.trace is not None:
        return TracedReads(
            resources.sources, resources.clock, deadline, asker, sharing, trace=first.trace
        )
    return Reads(resources.sources, resources.clock, deadline, asker, sharing)


def _batch(
    resources: ExecutionResources, program: Program, waiting: Sequence[Waiting], reads: Reads
) -> PlanBatch:
    limits = resources.settings.limits
    members = [
        Member(waiter.request, waiter.arguments, waiter.result, ExecutionState(limits))
        for waiter in waiting
    ]
    rules = record_rules(resources, waiting[0].request, program)
    trace = waiting[0].request.trace
    make_result = emit if trace is None else partial(_emit_traced, trace)
    return PlanBatch(program, waiting[0].arguments, rules, reads, limits, members, make_result)


def _emit_traced(
    trace: FetchTrace, batch: PlanBatch, member: Member
) -> tuple[Result, list[Used] | None]:
    """Emit a result, and note how long that takes."""
    began = trace.elapsed()
    emitted = emit(batch, member)
    trace.shaping += trace.elapsed() - began
    return emitted


def _answer_late(resources: ExecutionResources, late: PlanBatch, waiting: Waiting) -> None:
    """Answer a request with what has arrived in its batch; the rest did not answer in time."""
    arrived = _reads(resources, [waiting])
    arrived.copy_answers(late.reads)
    arrived.expire()
    batch = _batch(resources, late.program, [waiting], arrived)
    batch.renderings = late.renderings
    resources.gatherer.start(batch.run(start_roots), waiting)


def record_rules(
    resources: ExecutionResources, request: OperationRequest, program: Program | None = None
) -> RecordRules:
    """Return the rules by which records are read for this request.

    ``program``: keeps what is decided once for all of its requests.
    """
    sharing, asker = _sharing(resources, request), request.caller.asker
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
        special_areas=resources.settings.procedures.special_area_communes,
        receipts=resources.receipts,
        decided={} if program is None else program.missing,
        listing={} if program is None else program.listing,
    )


def matching_rule(
    settings: Settings, caller: Caller, published: PublishedOperation | None
) -> MatchingRule:
    """Return what ``caller`` has to know of people it names: by settings, or by review."""
    client = settings.clients.get(caller.client or "", _NO_CLIENT)
    reviewed = published.header.matching if published and caller.is_lent else "none"
    needs_name = client.matching_name or reviewed == "name"
    return MatchingRule(needs_name or client.matching or reviewed != "none", needs_name)


def _sharing(resources: ExecutionResources, request: OperationRequest) -> Sharing:
    """Return which rows may be shared: their origin must not tell what an access log hides.

    Reads with a lawful delay leave no trace; some reads are hidden from representatives for good.
    A check reads whose numbers are whose past the cache too: a number that somebody got since may
    be the one under which the deciding record stands.
    """
    caller = request.caller
    is_deferred = resources.settings.deferral(caller.purpose) is not None
    checks = not request.operation.root_fields.isdisjoint(_CHECKING)
    reads_fresh = is_deferred or checks or caller.representative is not None
    return Sharing(caller.deciding, reads_fresh, isolated=is_deferred)
