"""What a check of a marriage costs beside the views of the two people: us of CPU a request.

Both in one run, over the generated people of the demo, in memory, without HTTP. The goal is twice
the cost of ``person`` of two people at most (``w1.graphql``, which reads all seven databases).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.facts import Timed
from bench.measure import Figures, in_turn_async
from bench.report import save, show, surroundings
from bench.site import CASE_NUMBER, settings
from bench.world import Raw, databases, document
from connectors.synthetic import PersonTruth, PopulationOptions, clusters
from gateway.access.caller import Caller
from gateway.app import build_app
from gateway.catalogue.checks import SCOPE
from gateway.catalogue.permitted import all_scopes
from gateway.execution.execute import execute
from gateway.execution.operation import OperationRequest
from gateway.execution.prepare import prepare
from gateway.procedures.procedure import UNIFIED
from gateway.service import Service

PEOPLE, COUPLES, ROUNDS = 2_000, 100, 7
GOAL = 2.0
MARRIAGE = "1.000894"
_CHECK = """query($groom: PersonNumber!, $bride: PersonNumber!) { checkProcedure(code: "1.000894",
  input: { marriageRegistration: { groom: $groom, bride: $bride } }) {
    outcome rules { code state reason sentence { vi } }
    toBring { name { vi } } silent { name } } }"""
Couple = tuple[str, str]


def two_views() -> str:
    """Return W1 for two people."""
    _, _, body = document().partition("{")
    selected = body.strip().removesuffix("}").strip()
    second = selected.replace("person(id: $id)", "bride: person(id: $bride)", 1)
    first = selected.replace("person(id: $id)", "groom: person(id: $groom)", 1)
    return f"query($groom: PersonNumber!, $bride: PersonNumber!) {{ {first} {second} }}"


@dataclass(frozen=True, slots=True)
class Asking:
    """A document that is asked of couples, for a purpose."""

    service: Service
    text: str
    caller: Caller

    async def answer(self, couple: Couple) -> object:
        """Return the data of the answer."""
        resources = self.service.resources
        deadline = resources.clock.monotonic() + resources.settings.limits.deadline
        parsed = await resources.plans.document(self.text, self.caller.client)
        variables: Mapping[str, object] = dict(zip(("groom", "bride"), couple, strict=True))
        operation = parsed.operation(None)
        request = OperationRequest(parsed, operation, variables, self.caller, deadline)
        executable = await prepare(resources, request)
        result = await execute(resources, request, executable)
        assert not result.errors, result.errors
        return result.data


def _people() -> tuple[list[Couple], dict[str, dict[str, list[Raw]]]]:
    """Return couples of unmarried adults, and the rows of all databases."""
    rows: dict[str, dict[str, list[Raw]]] = {
        database.name: {record.name: [] for record in database.records} for database in databases()
    }
    single: dict[str, list[str]] = {"MALE": [], "FEMALE": []}
    for cluster in clusters(PopulationOptions(PEOPLE)):
        for person in filter(_is_single, cluster.truth):
            single[person.sex].append(person.id)
        for (database, record), found in cluster.rows.items():
            rows[database][record] += [dict(row) for row in found]
    # Those who stand beside one another in the lists are of one cluster, and may be kin.
    brides = [*single["FEMALE"][7:], *single["FEMALE"][:7]]
    return list(zip(single["MALE"], brides, strict=False))[:COUPLES], rows


def _is_single(person: PersonTruth) -> bool:
    is_adult = 1970 <= person.birth_date.year <= 2004
    return person.life_state == "ALIVE" and is_adult and person.marital_status == "SINGLE"


async def _measure(service: Service, couples: Sequence[Couple]) -> Mapping[str, Figures]:
    scopes = all_scopes(databases()) | {SCOPE}
    views = Caller("bench", scopes=scopes, purpose=UNIFIED, case_number=CASE_NUMBER)
    desk = Caller("bench", scopes=scopes, purpose=MARRIAGE, case_number=CASE_NUMBER)
    askings = {
        "person, two people": Asking(service, two_views(), views),
        "check of a marriage": Asking(service, _CHECK, desk),
    }

    def everybody(asking: Asking) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            for couple in couples:
                await asking.answer(couple)

        return run

    variants = {name: everybody(asking) for name, asking in askings.items()}
    costs = await in_turn_async(variants, dict.fromkeys(variants, len(couples)), ROUNDS)
    view, check = (costs[name] for name in askings)
    ratio: Figures = {"ratio": round(check.least / view.least, 2), "goal": GOAL}
    return {**{name: cost.figures() for name, cost in costs.items()}, "check to views": ratio}


def main() -> None:
    """Measure, print, and write ``results/checks.json``."""

    async def run() -> Mapping[str, Figures]:
        couples, rows = _people()
        with tempfile.TemporaryDirectory() as folder:
            backends = {
                database.name: Timed(database, rows[database.name]) for database in databases()
            }
            app = build_app(settings(Path(folder)), databases(), backends=backends)
            async with app.router.lifespan_context(app):
                return await _measure(app.state.service, couples)

    figures = asyncio.run(run())
    lines = [(name, *cost.values()) for name, cost in figures.items()]
    show("a check of a marriage, us of CPU a request", ("what", "median", "least"), lines)
    save("checks", {"surroundings": surroundings(), **figures})


if __name__ == "__main__":
    main()
