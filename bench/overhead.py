"""What access costs: microseconds a request of W1 for caller, permission, protection and audit.

Each part is called as a request calls it, with the very objects of real answers; what is measured
is CPU time of the process, journal thread included. Nothing is compared: these are parts of one
whole, which is measured too.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers

from bench.inprocess import by_plan
from bench.measure import Cost, Figures, in_turn_async
from bench.report import save, show, surroundings
from bench.site import Site, headers, site
from bench.world import PEOPLE, numbers
from connectors.backends.base import NOBODY
from connectors.description import Record, Row
from gateway.access.authenticate import authenticate, with_stated_purpose
from gateway.access.caller import Caller
from gateway.audit.entry import build_entry, describe_touched
from gateway.execution.decisions import RecordRules
from gateway.execution.operation import Result
from gateway.fetch.loaders import Loaders
from gateway.permission.operation import permit
from gateway.plan.compile import select_operation
from gateway.plan.plan import PersonRootPlan
from gateway.protection.rules import is_withheld, opens_on_death, visible_rows

ROUNDS, REPEATED, AT_ONCE = 15, 200, 32


@dataclass(frozen=True, slots=True)
class Seen:
    """What one answer made the gateway decide: the lists it read, and the rows they held."""

    records: tuple[Record, ...]
    rows: tuple[tuple[Record, tuple[Row, ...]], ...]
    result: Result


async def seen(here: Site, number: str) -> Seen:
    """Answer W1 about ``number`` and return what had to be decided for it."""
    request, executable = await here.prepare(number)
    result = await here.answer(number)
    assert executable.plan is not None
    root = executable.plan.roots["person"]
    assert isinstance(root, PersonRootPlan)
    reads = [one.read for one in root.person.lists]
    rows = []
    for read in reads:
        source = here.service.resources.sources[read.record.database]
        (answer,) = await source.fetch(read, [number], request.deadline)
        rows.append((read.record, answer.rows or ()))
    return Seen(tuple(read.record for read in reads), tuple(rows), result)


async def measure(here: Site, people: list[str]) -> Figures:
    """Return the costs by part, and of all of W1."""
    found = [await seen(here, one) for one in people[:20]]
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "caller": await _caller(here),
        "permission": await _permission(here, people[0], found),
        "protection": _protection(here.caller, found),
        "audit: the entry": _entry(here, found),
        "audit: on disk, 32 at once": _journal(here, found),
        "all of W1 but HTTP": _whole(here, people),
    }
    operations = dict.fromkeys(parts, REPEATED)
    costs: dict[str, Cost] = await in_turn_async(parts, operations, ROUNDS)
    return {name: cost.figures() for name, cost in costs.items()}


async def _caller(here: Site) -> Callable[[], Awaitable[None]]:
    """Token (known already), purpose, case number, rates and a place among those in flight."""
    service, sent = here.service, Headers(headers(here.service.resources.settings))
    await authenticate(sent, service.tokens)

    async def run() -> None:
        for _ in range(REPEATED):
            caller = await authenticate(sent, service.tokens)
            caller = with_stated_purpose(sent, caller)
            await service.rates.request(caller.client)
            await service.rates.cost(caller.client, 100)
            with service.admission.admit(caller.client):
                pass

    return run


async def _permission(here: Site, number: str, found: list[Seen]) -> Callable[[], Awaitable[None]]:
    """Before anything is fetched, for the plan, and for each list and notice."""
    request, executable = await here.prepare(number)
    resources, caller = here.service.resources, here.caller
    plans = resources.plans
    chosen = select_operation(
        resources.schema, request.document, request.operation, request.variables
    )
    population = here.service.resources.sources["population"].database.by_name["identity"]
    noticed = [population.positions[name] for name in ("life_status", "status", "birth_date",
               "sex", "death_or_missing_date")]  # fmt: skip

    async def run() -> None:
        for turn in range(REPEATED):
            permit(caller, chosen.document, chosen.operation, in_url=False)
            permissions = plans.permissions(executable.prepared, caller)
            await plans.plan(chosen, executable.prepared, permissions, caller.client)
            rules = _rules(here)
            for record in found[turn % len(found)].records:
                rules.missing(record, None, None)
            rules.missing(population, None, None)
            for place in noticed:
                rules.missing(population, place, None)

    return run


def _rules(here: Site) -> RecordRules:
    resources = here.service.resources
    today = resources.clock.now().date()
    sources, clock = resources.sources, resources.clock
    loaders = Loaders(sources, clock, clock.monotonic(), NOBODY)
    return RecordRules(here.caller, sources, loaders, today, resources.log, resources.record_ids)


def _protection(caller: Caller, found: list[Seen]) -> Callable[[], Awaitable[None]]:
    """For each list whether it is withheld or waits for a death, for its rows which are hidden."""

    async def run() -> None:
        for turn in range(REPEATED):
            one = found[turn % len(found)]
            for record in one.records:
                is_withheld(record, caller, False)
                opens_on_death(record)
                opens_on_death(record)
            for record, rows in one.rows:
                visible_rows(record, rows, caller)

    return run


def _made(here: Site, one: Seen) -> dict[str, object]:
    result, resources = one.result, here.service.resources
    return build_entry(
        resources.person_hash,
        resources.clock.now(),
        "bench-request",
        here.caller,
        "d" * 64,
        describe_touched(resources.person_hash, result.trail.touches(), result.states),
        (),
    )


def _entry(here: Site, found: list[Seen]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        for turn in range(REPEATED):
            _made(here, found[turn % len(found)])

    return run


def _journal(here: Site, found: list[Seen]) -> Callable[[], Awaitable[None]]:
    made = [_made(here, one) for one in found]

    async def one_of(start: int) -> None:
        for turn in range(start, REPEATED, AT_ONCE):
            await here.service.audit.journal.append(made[turn % len(made)])

    async def run() -> None:
        await asyncio.gather(*(one_of(start) for start in range(AT_ONCE)))

    return run


def _whole(here: Site, people: list[str]) -> Callable[[], Awaitable[None]]:
    answer = by_plan(here)

    async def run() -> None:
        for turn in range(REPEATED):
            await answer(people[turn % len(people)])

    return run


def main() -> None:
    """Measure, print, and write ``results/overhead.json``."""

    async def run() -> Figures:
        with tempfile.TemporaryDirectory() as folder:
            async with site(Path(folder), PEOPLE) as here:
                return await measure(here, numbers(PEOPLE)[:200])

    figures = asyncio.run(run())
    lines = [(name, *one.values()) for name, one in figures.items() if isinstance(one, dict)]
    show("access, us of CPU a request of W1", ("part", "median", "least"), lines)
    save("overhead", {"surroundings": surroundings(), **figures})


if __name__ == "__main__":
    main()
