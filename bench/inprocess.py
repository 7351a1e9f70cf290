"""Whole operations without HTTP: prepared, executed and encoded, one after another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type

from bench.measure import Figures, in_turn_async
from bench.site import Site
from bench.world import databases
from gateway.access.caller import Caller
from gateway.execution.decisions import RecordRules
from gateway.execution.execute import execute
from gateway.execution.operation import Result
from gateway.execution.reference import ReferenceContext
from gateway.execution.resources import ExecutionResources
from gateway.execution.state import ExecutionState
from gateway.fetch.loaders import Loaders
from gateway.runtime.clock import legal_date
from gateway.schema.factory import TypeFactory
from gateway.schema.query import query_fields
from gateway.schema.row_views import resolve_value
from gateway.schema.scalars import SCALARS

ROUNDS = 5

Answer = Callable[[str], Awaitable[object]]


async def measure(site: Site, numbers: list[str]) -> Figures:
    """Return microseconds an operation by plan, by reference and by strawberry as it comes."""
    reference, strawberry_default = by_reference(site), by_strawberry(site)
    ways: dict[str, tuple[Answer, list[str]]] = {
        "plan": (by_plan(site), numbers),
        "reference": (reference, numbers[: len(numbers) // 2]),
        "strawberry default": (strawberry_default, numbers[: len(numbers) // 4]),
    }
    for number in numbers[:20]:
        answers = [_encode(await answer(number)) for answer, _ in ways.values()]
        assert answers[0] == answers[1] == answers[2], "all must answer the same"
    variants = {name: _everybody(*way) for name, way in ways.items()}
    operations = {name: len(people) for name, (_, people) in ways.items()}
    costs = await in_turn_async(variants, operations, ROUNDS)
    plan = costs["plan"].median
    return {
        **{name: cost.figures() for name, cost in costs.items()},
        "plan times faster than reference": round(costs["reference"].median / plan, 2),
        "plan times faster than strawberry": round(costs["strawberry default"].median / plan, 2),
    }


def by_plan(site: Site) -> Answer:
    """Answer as the gateway does."""

    async def answer(number: str) -> object:
        return _data(await site.answer(number))

    return answer


def by_reference(site: Site) -> Answer:
    """Answer as the gateway does without a plan; the document is cached, as always."""

    async def answer(number: str) -> object:
        request, executable = await site.prepare(number)
        executable = replace(executable, unplanned="bench")
        return _data(await execute(site.service.resources, request, executable))

    return answer


def by_strawberry(site: Site) -> Answer:
    """Parse, validate and execute each time, as strawberry does by default."""
    schema = strawberry_schema()

    async def answer(number: str) -> object:
        resources = site.service.resources
        deadline = resources.clock.monotonic() + resources.settings.limits.deadline
        shared = context(resources, site.caller, deadline)
        result = await schema.execute(site.text, {"id": number}, context_value=shared)
        assert not result.errors
        return result.data

    return answer


def strawberry_schema() -> strawberry.Schema:
    """Return the schema as ``gateway.schema.build`` builds it, which keeps only the inner one."""
    ordered = tuple(
        sorted(databases(), key=lambda database: (database.name != "population", database.name))
    )
    query = create_type("Query", query_fields(TypeFactory(ordered), ordered))
    config = StrawberryConfig(default_resolver=resolve_value, scalar_map=SCALARS)
    return strawberry.Schema(query=query, config=config)


def context(resources: ExecutionResources, caller: Caller, deadline: float) -> ReferenceContext:
    """Return what the resolvers of one request share."""
    loaders = Loaders(resources.sources, resources.clock, deadline, caller.asker)
    today = legal_date(resources.clock.now())
    rules = RecordRules(
        caller, resources.sources, loaders, today, resources.log, resources.record_ids
    )
    return ReferenceContext(resources, rules, ExecutionState(resources.settings.limits), "")


def _data(result: Result) -> object:
    assert not result.errors
    return result.data


def _encode(data: object) -> bytes:
    return orjson.dumps({"data": data})


def _everybody(answer: Answer, numbers: list[str]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        for number in numbers:
            _encode(await answer(number))

    return run
