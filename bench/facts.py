"""What facts about a person cost: microseconds of CPU a request, and the part of the databases.

The generated people of the demo, who have families, in memory: a request is prepared and executed
without HTTP. The part of the databases is what their backends take to find and decode rows; on
servers it is the driver's. The rest is the gateway's.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.measure import Figures, in_turn_async
from bench.report import save, show, surroundings
from bench.site import CASE_NUMBER, Site, settings
from bench.world import Raw, databases
from connectors.backends.base import NOBODY, Asker, Batch
from connectors.backends.memory import MemoryBackend
from connectors.description import Lookup, Record
from connectors.synthetic import PopulationOptions, clusters
from gateway.access.caller import Caller
from gateway.app import build_app
from gateway.catalogue.permitted import all_scopes
from gateway.procedures.procedure import UNIFIED

PEOPLE, ASKED_PEOPLE, ROUNDS = 2_000, 200, 7
_SELECTIONS = {
    "id": "id",
    "lifeStatus": "lifeStatus { value reason }",
    "maritalStatus": "maritalStatus { value reason }",
    "residence": "residence { value { __typename } reason }",
    "family": "family { value { parents { items { citizenId } } children { items { citizenId } } "
    "siblings { items { citizenId } } spouses { items { citizenId } } "
    "grandparents { items { citizenId } } } reason }",
    "conflicts": "conflicts { value { findings { rule } } reason }",
}


class Timed(MemoryBackend):
    """A database in memory that adds up the time of its fetches, in seconds.

    By the wall: it never waits, and to read the CPU time of a process takes longer than a fetch.
    """

    seconds = 0.0

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        """Return the rows for ``keys``; see ``Backend.fetch``."""
        begun = time.perf_counter()
        batch = await super().fetch(record, lookup, keys, asker)
        Timed.seconds += time.perf_counter() - begun
        return batch


def _people() -> tuple[list[str], dict[str, dict[str, list[Raw]]]]:
    """Return the numbers of generated people, and the rows of all databases."""
    rows: dict[str, dict[str, list[Raw]]] = {
        database.name: {record.name: [] for record in database.records} for database in databases()
    }
    numbers: list[str] = []
    for cluster in clusters(PopulationOptions(PEOPLE)):
        numbers += [person.id for person in cluster.truth]
        for (database, record), found in cluster.rows.items():
            rows[database][record] += [dict(row) for row in found]
    return numbers, rows


def _everybody(
    site: Site, selection: str, people: Sequence[str], spent: dict[str, list[float]], name: str
) -> Callable[[], Awaitable[None]]:
    """Return what asks for ``selection`` of everybody, one after the other."""
    asking = replace(
        site, text=f"query($id: PersonNumber!) {{ person(id: $id) {{ {selection} }} }}"
    )

    async def run() -> None:
        begun = Timed.seconds
        for number in people:
            await asking.answer(number)
        spent[name].append((Timed.seconds - begun) / len(people) * 1e6)

    return run


async def measure(site: Site, people: Sequence[str]) -> Mapping[str, Figures]:
    """Return for each selection us a request, and those of them that databases take."""
    spent: dict[str, list[float]] = defaultdict(list)
    variants = {
        name: _everybody(site, selection, people, spent, name)
        for name, selection in _SELECTIONS.items()
    }
    costs = await in_turn_async(variants, dict.fromkeys(variants, len(people)), ROUNDS)
    figures = {}
    for name, cost in costs.items():
        in_databases = min(spent[name][1:])
        share = round(1 - in_databases / cost.least, 2)
        figures[name] = {
            **cost.figures(), "databases": round(in_databases, 1), "share of the gateway": share,
        }  # fmt: skip
    return figures


def main() -> None:
    """Measure, print, and write ``results/facts.json``."""

    async def run() -> Mapping[str, Figures]:
        numbers, rows = _people()
        with tempfile.TemporaryDirectory() as folder:
            backends = {
                database.name: Timed(database, rows[database.name]) for database in databases()
            }
            app = build_app(settings(Path(folder)), databases(), backends=backends)
            async with app.router.lifespan_context(app):
                scopes = all_scopes(databases())
                caller = Caller("bench", scopes=scopes, purpose=UNIFIED, case_number=CASE_NUMBER)
                return await measure(Site(app.state.service, caller, ""), numbers[:ASKED_PEOPLE])

    figures = asyncio.run(run())
    lines = [(name, *cost.values()) for name, cost in figures.items()]
    head = ("fact", "median", "least", "databases", "share of the gateway")
    show("facts of one person, us of CPU a request", head, lines)
    save("facts", {"surroundings": surroundings(), **figures})


if __name__ == "__main__":
    main()
