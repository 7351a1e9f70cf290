"""The cost of access control: microseconds of W1 for caller, permission, protection and audit.

Each part is called as a request calls it, with the objects of real answers. Figures are CPU time of
the process, journal thread included. They are parts of one request, which is measured as well, and
not alternatives to compare.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.inprocess import by_plan
from bench.measure import Cost, Figures, in_turn_async
from bench.report import save, show, surroundings
from bench.site import Site, headers, site
from bench.world import PEOPLE, numbers
from connectors.backends.base import NOBODY
from connectors.description import Record, Row
from gateway.access.authenticate import CallerHeaders
from gateway.access.caller import Caller
from gateway.audit.entry import describe_touched, encode_entry
from gateway.execution.decisions import RecordRules
from gateway.execution.operation import Result
from gateway.fetch.loaders import Loaders
from gateway.permission.operation import permit
from gateway.plan.compile import select_operation
from gateway.plan.plan import PersonRootPlan
from gateway.protection.rules import is_withheld, opens_on_death, visible_rows

ROUNDS, REPEATED, AT_ONCE = 15, 200, 32


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """The decisions behind one answer: the lists that were read, and their rows."""

    records: tuple[Record, ...]
    rows: tuple[tuple[Record, tuple[Row, ...]], ...]
    result: Result


async def answer_request(gateway: Site, number: str) -> AnsweredRequest:
    """Answer W1 about ``number`` and return what was decided about."""
    request, executable = await gateway.prepare(number)
    result = await gateway.answer(number)
    assert executable.plan is not None
    root = executable.plan.roots["person"]
    assert isinstance(root, PersonRootPlan)
    reads = [part.read for part in root.person.lists]
    rows = []
    for read in reads:
        source = gateway.service.resources.sources[read.record.database]
        (answer,) = await source.fetch(read, [number], request.deadline)
        rows.append((read.record, answer.rows or ()))
    return AnsweredRequest(tuple(read.record for read in reads), tuple(rows), result)


async def measure(gateway: Site, people: list[str]) -> Figures:
    """Return the costs by part, and of all of W1."""
    requests = [await answer_request(gateway, number) for number in people[:20]]
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "caller": await _caller(gateway),
        "permission": await _permission(gateway, people[0], requests),
        "protection": _protection(gateway.caller, requests),
        "audit: the entry": _entry(gateway, requests),
        "audit: on disk, 32 at once": _journal(gateway, requests),
        "all of W1 but HTTP": _whole_request(gateway, people),
    }
    operations = dict.fromkeys(parts, REPEATED)
    costs: dict[str, Cost] = await in_turn_async(parts, operations, ROUNDS)
    return {name: cost.figures() for name, cost in costs.items()}


async def _caller(gateway: Site) -> Callable[[], Awaitable[None]]:
    """Token (verified before), purpose, case number, rates and admission."""
    service, stated = gateway.service, headers(gateway.service.resources.settings)
    request_headers = CallerHeaders.read(
        (name.lower().encode(), value.encode()) for name, value in stated.items()
    )

    async def run() -> None:
        for _ in range(REPEATED):
            caller = (await service.callers.authenticate(request_headers)).require_stated()
            await service.rates.request(caller.client)
            await service.rates.cost(caller.client, 100)
            with service.admission.admit(caller.client):
                pass

    return run


async def _permission(
    gateway: Site, number: str, requests: list[AnsweredRequest]
) -> Callable[[], Awaitable[None]]:
    """Permissions before any fetch, for the plan, and for each list and notice."""
    request, executable = await gateway.prepare(number)
    resources, caller = gateway.service.resources, gateway.caller
    plans = resources.plans
    selection = select_operation(
        resources.schema, request.document, request.operation, request.variables
    )
    population = gateway.service.resources.sources["population"].database.by_name["identity"]
    noticed = [population.positions[name] for name in ("life_status", "status", "birth_date",
               "sex", "death_or_missing_date")]  # fmt: skip

    async def run() -> None:
        for turn in range(REPEATED):
            permit(caller, selection.document, selection.operation, in_url=False)
            permissions = plans.permissions(executable.prepared, caller)
            await plans.plan(selection, executable.prepared, permissions, caller.client)
            rules = _rules(gateway)
            for record in requests[turn % len(requests)].records:
                rules.missing(record, None, None)
            rules.missing(population, None, None)
            for place in noticed:
                rules.missing(population, place, None)

    return run


def _rules(gateway: Site) -> RecordRules:
    resources = gateway.service.resources
    today = resources.clock.now().date()
    sources, clock = resources.sources, resources.clock
    loaders = Loaders(sources, clock, clock.monotonic(), NOBODY)
    return RecordRules(gateway.caller, sources, loaders, today, resources.log, resources.record_ids)


def _protection(caller: Caller, requests: list[AnsweredRequest]) -> Callable[[], Awaitable[None]]:
    """Rules for lists (withheld, or waiting for a death) and for rows (hidden)."""

    async def run() -> None:
        for turn in range(REPEATED):
            request = requests[turn % len(requests)]
            for record in request.records:
                is_withheld(record, caller, False)
                opens_on_death(record)
                opens_on_death(record)
            for record, rows in request.rows:
                visible_rows(record, rows, caller)

    return run


def _audit_arguments(gateway: Site, request: AnsweredRequest) -> bytes:
    result, resources = request.result, gateway.service.resources
    return encode_entry(
        resources.person_hash,
        resources.clock.now(),
        "bench-request",
        gateway.caller,
        "d" * 64,
        describe_touched(resources.person_hash, result.trail.touches(), result.states),
        (),
    )


def _entry(gateway: Site, requests: list[AnsweredRequest]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        for turn in range(REPEATED):
            _audit_arguments(gateway, requests[turn % len(requests)])

    return run


def _journal(gateway: Site, requests: list[AnsweredRequest]) -> Callable[[], Awaitable[None]]:
    entries = [_audit_arguments(gateway, request) for request in requests]

    async def append_entries(start: int) -> None:
        for turn in range(start, REPEATED, AT_ONCE):
            await gateway.service.audit.journal.append(entries[turn % len(entries)])

    async def run() -> None:
        await asyncio.gather(*(append_entries(start) for start in range(AT_ONCE)))

    return run


def _whole_request(gateway: Site, people: list[str]) -> Callable[[], Awaitable[None]]:
    answer = by_plan(gateway)

    async def run() -> None:
        for turn in range(REPEATED):
            await answer(people[turn % len(people)])

    return run


def main() -> None:
    """Measure, print, and write ``results/overhead.json``."""

    async def run() -> Figures:
        with tempfile.TemporaryDirectory() as folder:
            async with site(Path(folder), PEOPLE) as gateway:
                return await measure(gateway, numbers(PEOPLE)[:200])

    figures = asyncio.run(run())
    lines = [(name, *costs.values()) for name, costs in figures.items() if isinstance(costs, dict)]
    show("access, us of CPU a request of W1", ("part", "median", "least"), lines)
    save("overhead", {"surroundings": surroundings(), **figures})


if __name__ == "__main__":
    main()
