"""An operation answered: by its plan, or by the reference executor where there is none.

Both take the same decisions from the same places (``gateway.people.matching``,
``gateway.execution.decisions``, ``gateway.people.notices``); a differential test holds them to the
same answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable

import orjson
from graphql import DocumentNode, ExecutionResult, execute

from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.entry import TouchedPeople
from gateway.audit.touched import Trail
from gateway.errors import GatewayError, Problem
from gateway.execution.decisions import Reader
from gateway.execution.prepared_request import Asked, Ready
from gateway.execution.ready_answers import recall, remember
from gateway.execution.reference import Context
from gateway.execution.resources import ExecutionResources
from gateway.execution.waves import run
from gateway.fetch.loaders import Loaders
from gateway.fetch.reads import Reads
from gateway.fetch.sharing import Terms
from gateway.operations.operation import Published
from gateway.people.matching import MatchingRule
from gateway.plan.analyse import coerce_arguments
from gateway.plan.compile import select_operation, tree_conditions
from gateway.plan.document import Document, Operation
from gateway.plan.explain import explain
from gateway.runtime.clock import legal_date
from gateway.settings import Client, Settings
from gateway.shape.response import render_error, render_problem
from gateway.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an operation.

    ``errors``: as the answer shows them. ``mirrored``: notices of persons for whom the field is not
    selected. ``trail`` and ``states``: who was touched, and how lists of records were answered;
    ``touched``: both for the journal, where they are ready. ``unidentified``: how many people were
    named by a number that nobody holds.
    """

    data: Mapping[str, object] | orjson.Fragment | None
    errors: Sequence[dict[str, object]]
    mirrored: Sequence[Mapping[str, object]]
    trail: Trail
    states: Mapping[str, State]
    touched: TouchedPeople | None = None
    unidentified: int = 0


def ask(
    resources: ExecutionResources,
    document: Document,
    operation: Operation,
    given: Mapping[str, object] | None,
    caller: Caller,
    deadline: float,
    published: Published | None = None,
) -> Asked:
    """Return what is asked, with its variables judged; raises InvalidDocument."""
    chosen = select_operation(resources.schema, document, operation, given)
    return Asked(chosen, given, caller, deadline, published)


async def ready(resources: ExecutionResources, asked: Asked) -> Ready | None:
    """Make an operation about persons ready; None for one that only the reference executor answers.

    Raises GatewayError: UNSUPPORTED_OPERATION, TOO_COSTLY, TOO_MANY_DOCUMENTS, GATEWAY_BUSY.
    Nothing has been fetched then.
    """
    chosen, caller, client, plans = asked.chosen, asked.caller, asked.caller.client, resources.plans
    if not chosen.operation.reads_persons:
        return None
    if asked.published is not None:
        return _published(resources, asked, asked.published)
    prepared = await plans.prepared(chosen, client, asked.deadline)
    arguments, failed = coerce_arguments(prepared.dynamic, chosen.values)
    bound = prepared.cost.at(arguments)
    _hold(resources, bound)
    permissions = plans.permissions(prepared, caller)
    plan = await plans.plan(chosen, prepared, permissions, client, asked.deadline)
    unplanned = "arguments" if failed else "no code" if plan is None else None
    return Ready(prepared, permissions, plan, arguments, bound, unplanned)


def _published(resources: ExecutionResources, asked: Asked, published: Published) -> Ready:
    """Return what was made ready when it was published."""
    chosen, citizen = asked.chosen, asked.caller.citizen is not None
    prepared = published.prepared[tree_conditions(chosen)]
    permissions, plan = published.plans[prepared.key, citizen]
    arguments, failed = coerce_arguments(prepared.dynamic, chosen.values)
    bound = prepared.cost.at(arguments)
    _hold(resources, bound)
    unplanned = "arguments" if failed else None
    return Ready(prepared, permissions, plan, arguments, bound, unplanned)


def _hold(resources: ExecutionResources, bound: int) -> None:
    """Refuse what may cost too much, or only count it where the settings are to be tried out."""
    limits = resources.settings.limits
    if bound <= limits.cost:
        return
    metrics.TOO_COSTLY.labels("refused" if limits.cost_enforced else "measured").inc()
    if limits.cost_enforced:
        raise GatewayError("TOO_COSTLY", details={"cost": bound, "limit": limits.cost})


def explained(asked: Asked, made: Ready) -> list[str]:
    """Return the plan as lines of text, or why there is none."""
    if made.plan is None:
        return ["answered field by field: no plan could be made"]
    lines = explain(asked.chosen.operation.name, made.plan, made.arguments, made.cost)
    if made.unplanned is not None:
        lines.insert(0, "answered field by field: an argument is null that must not be")
    return lines


async def answered(resources: ExecutionResources, asked: Asked, made: Ready | None) -> Outcome:
    """Answer ``asked``. Never raises for what a source does."""
    if made is not None and made.unplanned is None:
        return await by_plan(resources, asked, made)
    if made is not None:
        metrics.UNPLANNED.labels(made.unplanned).inc()
    reader = _reader(resources, asked)
    return await by_reference(resources, asked, asked.chosen.document.tree(), reader)


def known_to(resources: ExecutionResources, document: Document, operation: Operation,
             given: Mapping[str, object] | None, caller: Caller, deadline: float,
             published: Published | None) -> tuple[Asked, Ready, Outcome] | None:  # fmt: skip
    """Return an answer that is ready-made, with what it was made by; None where there is none."""
    if not operation.reads_persons:
        return None
    today = legal_date(resources.clock.now())
    found = recall(resources, document.digest, operation.name, given, caller, today, published)
    if found is None:
        return None
    asked = Asked(found.chosen, given, caller, deadline, published)
    outcome = Outcome(found.data, (), found.mirrored, found.trail, found.states, found.touched)
    return asked, found.made, outcome


async def by_plan(resources: ExecutionResources, asked: Asked, made: Ready) -> Outcome:
    """Run the plan, and beside it the reference executor on root fields that are not planned."""
    assert made.plan is not None
    terms, asker = _terms(resources, asked.caller), asked.caller.asker
    reads = Reads(resources.sources, resources.clock, asked.deadline, asker, terms)
    reader = _reader(resources, asked)
    planned = run(made.plan, made.arguments, reader, reads, resources.settings.limits)
    if made.prepared.others is None:
        ran, rest = await planned, None
        # The day on which it was made, not the one on which it is done.
        remember(resources, asked, made, ran, reads, reader.today)
    else:
        others = by_reference(resources, asked, made.prepared.others, reader)
        ran, rest = await asyncio.gather(planned, others)
    errors = [render_problem(one) for one in ran.problems]
    data: Mapping[str, object] | None = ran.data
    if rest is not None:
        errors += rest.errors
        data = None
        if isinstance(rest.data, Mapping):
            data = {
                key: ran.data[key] if key in ran.data else rest.data[key] for key in made.plan.keys
            }
    return Outcome(data, errors, ran.mirrored, ran.trail, ran.states, unidentified=ran.unidentified)


async def by_reference(
    resources: ExecutionResources, asked: Asked, ast: DocumentNode, reader: Reader
) -> Outcome:
    """Run ``ast`` field by field with graphql-core over the resolvers of the schema."""
    context = Context(
        reader,
        resources.sources,
        resources.settings.limits,
        resources.plans,
        resources.maintenance,
        resources.cache,
    )
    outcome = execute(
        resources.schema,
        ast,
        context_value=context,
        variable_values=dict(asked.given or {}),
        operation_name=asked.chosen.operation.name,
    )
    result = await outcome if isawaitable(outcome) else outcome
    assert isinstance(result, ExecutionResult)
    errors = [render_error(one) for one in (*(result.errors or ()), *context.problems)]
    errors += [
        render_problem(Problem(error, shortfall.path, shortfall.locations))
        for shortfall in context.shortfalls
        for error in shortfall.errors()
    ]
    return Outcome(
        result.data,
        errors,
        context.mirrored,
        context.trail,
        context.states,
        unidentified=context.unidentified,
    )


def _terms(resources: ExecutionResources, caller: Caller) -> Terms:
    """Return what is shared: nothing that an access log hides may be told by where rows come from.

    Reads with a lawful delay leave no trace; from representatives some reads are hidden for good.
    """
    deferred = resources.settings.deferral(caller.purpose) is not None
    past = deferred or caller.representative is not None
    return Terms(caller.deciding, past, apart=deferred)


def _reader(resources: ExecutionResources, asked: Asked) -> Reader:
    terms, asker = _terms(resources, asked.caller), asked.caller.asker
    loaders = Loaders(resources.sources, resources.clock, asked.deadline, asker, terms)
    today = legal_date(resources.clock.now())
    rule = matching_rule(resources.settings, asked.caller, asked.published)
    return Reader(
        asked.caller,
        resources.sources,
        loaders,
        today,
        resources.log,
        resources.record_ids,
        rule,
        resources.guesses,
        resources.settings.numbers.are_checked,
    )


def matching_rule(settings: Settings, caller: Caller, published: Published | None) -> MatchingRule:
    """Return what ``caller`` has to know of people whom it names: by settings, or by review."""
    client = settings.clients.get(caller.client or "", Client())
    reviewed = published.header.matching if published and caller.is_lent else "none"
    name = client.matching_name or reviewed == "name"
    return MatchingRule(name or client.matching or reviewed != "none", name)
