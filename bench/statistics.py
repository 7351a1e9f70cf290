"""What the five commonest statistics cost: with a snapshot to be made, and from one that is there.

By default over 20,000 generated people in SQLite files. ``--config FILE``: over the databases that
settings name, loaded by ``justice-gateway generate``; that is how a million people on PostgreSQL
are measured. Snapshots are made in a folder of this run, from the beginning. The goal is 2 s.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2

from bench.measure import Figures
from bench.report import save, show, surroundings
from connectors.description import Group
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, write
from gateway.access.tokens import issue
from gateway.app import build_app
from gateway.catalogue.scopes import STATISTICS
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_signing
from gateway.runtime.clock import SystemClock
from gateway.runtime.garbage import tune_process
from gateway.settings import Client, DatabaseSettings, Settings, load
from gateway.telemetry.logs import configure

PEOPLE, WARM_ROUNDS, GOAL = 20_000, 30, 2.0
_CLIENT = "bench"
_RATES = Client(requests_per_minute=10**9, cost_per_minute=10**13)
_DOCUMENT = """query($database: String!, $record: String!, $groupBy: [String!]!) {
  statistics(database: $database, record: $record, groupBy: $groupBy) {
    cells { values count } total source { state } } }"""


@dataclass(frozen=True, slots=True)
class Query:
    """A query of ``statistics``."""

    database: str
    record: str
    group_by: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it counts."""
        return f"{self.record} by {', '.join(self.group_by).lower()}"


COMMONEST = (
    Query("civil_status", "births", ("YEAR", "PROVINCE")),
    Query("civil_status", "marriages", ("YEAR",)),
    Query("civil_status", "divorces", ("YEAR", "DIVORCE_KIND")),
    Query("notary", "transactions", ("YEAR", "KIND")),
    Query("civil_enforcement", "cases", ("YEAR", "STATUS")),
)


def _settings(folder: Path, config: Path | None) -> Settings:
    if config is not None:
        databases = dict(load(config).databases)
    else:
        declared = [database for database in installed_databases() if database.records]
        files = {database.name: folder / f"{database.name}.sqlite" for database in declared}
        write(declared, files, PopulationOptions(people=PEOPLE), folder / "truth.jsonl")
        databases = {
            name: DatabaseSettings(group=Group.OPERATING, url=f"sqlite:///{file}")
            for name, file in files.items()
        }
    settings: Settings = load(
        folder=folder, demo=True, databases=databases, clients={_CLIENT: _RATES}
    )
    create_missing(settings, demo=True)
    return settings


async def _ask(client: httpx2.AsyncClient, query: Query) -> tuple[float, float]:
    """Ask once; return the seconds it took, and those of CPU in this process."""
    variables = {
        "database": query.database, "record": query.record, "groupBy": list(query.group_by)
    }  # fmt: skip
    began, cpu = time.perf_counter(), time.process_time()
    answer = await client.post("/graphql", json={"query": _DOCUMENT, "variables": variables})
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    body = answer.json()
    assert body["data"]["statistics"]["source"]["state"] == "ANSWERED", body
    assert body["data"]["statistics"]["cells"], body
    return seconds, cpu


async def _measure(settings: Settings, queries: Sequence[Query]) -> Mapping[str, Figures]:
    application = build_app(settings, installed_databases())
    token = issue(
        load_signing(settings, "token")[0],
        settings.access,
        SystemClock().now(),
        subject=_CLIENT,
        client=_CLIENT,
        scopes=[STATISTICS],
        purposes=[],
    )
    headers = {"authorization": f"Bearer {token}"}
    figures: dict[str, Figures] = {}
    async with (
        application.router.lifespan_context(application),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(application),
            base_url="http://127.0.0.1",
            headers=headers,
            timeout=300,
        ) as client,
    ):
        for query in queries:
            cold, cold_cpu = await _ask(client, query)
            warm = [await _ask(client, query) for _ in range(WARM_ROUNDS)]
            seconds = median(each for each, _ in warm)
            figures[query.title] = {
                "cold s": round(cold, 2),
                "cold CPU s": round(cold_cpu, 2),
                "warm ms": round(1000 * seconds, 1),
                "warm CPU ms": round(1000 * median(cpu for _, cpu in warm), 1),
                "cold to warm": round(cold / seconds),
                "goal s": GOAL,
            }
    return figures


def main() -> None:
    """Measure, print, and write ``results/statistics.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, help="settings of databases that are loaded")
    parser.add_argument("--name", default="the databases of the settings", help="what they hold")
    arguments = parser.parse_args()
    config: Path | None = arguments.config
    configure("WARNING")
    tune_process()  # as a gateway that serves
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder), config)
        figures = asyncio.run(_measure(settings, COMMONEST))
    over = arguments.name if config else f"{PEOPLE:,} people in SQLite"
    head = ("query", *next(iter(figures.values())))
    show(
        f"statistics over {over}", head, [(name, *each.values()) for name, each in figures.items()]
    )
    save("statistics", {"surroundings": surroundings(), "over": over, "figures": figures})


if __name__ == "__main__":
    main()
