"""From the COMMIT of plain SQL to a subscriber: how soon a change of a register arrives.

``python -m bench.changes``, three minutes. PostgreSQL with the outbox of civil status and LISTEN,
``justice-gateway serve`` in a process, and one subscriber over WebSocket with an interest in 50
people. Deaths are entered one after the other, each in a transaction of its own, once the one
before has arrived and a random pause of at most 50 ms is over, so that commits keep step with no
timer. Once with Redis, once with files and SQLite for the logs. All runs on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles

import asyncpg

from bench.measure import Figures
from bench.report import save, show, surroundings
from tests.support.changes_site import ChangesSite, changes_site
from tests.support.event_documents import FEED
from tests.support.redis_server import redis_process
from tests.support.server_processes import postgresql_process
from tests.support.servers import Server
from tests.support.streams import Subscriber, open_subscriber

DEATHS, WARMING, PAUSE = 200, 5, 0.05
PEOPLE = [f"0010800{number:05}" for number in range(50)]
_SUBSCRIPTION = FEED.replace("query", "subscription", 1)
_ENTER = "INSERT INTO deaths (event_id, citizen_id, status) VALUES ($1, $2, 'VALID')"
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Passage:
    """When a death was where, in seconds of this machine's clock.

    ``commit``: COMMIT was sent; ``committed``: it was answered; ``detected``: the gateway had read
    the change; ``arrived``: the subscriber had the event.
    """

    commit: float
    committed: float
    detected: float
    arrived: float


@asynccontextmanager
async def subscribed(site: ChangesSite, cursor: str) -> AsyncIterator[Subscriber]:
    """Subscribe the officer until the block ends."""
    async with open_subscriber(site.port) as subscriber:
        await subscriber.initialise(None, **site.headers)
        await subscriber.subscribe(_SUBSCRIPTION, variables={"after": cursor})
        yield subscriber


async def _arrival(subscriber: Subscriber, person: str) -> tuple[float, float]:
    """Return when the next event was detected, and when it arrived; it must be of ``person``."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            message = await subscriber.receive()
            arrived = time.time()
            edges = message["payload"]["data"]["lifeEvents"]["edges"]
            if edges:
                (node,) = [edge["node"] for edge in edges]
                assert (node["kind"], node["person"]["id"]) == ("DEATH", person), node
                return datetime.fromisoformat(node["detectedAt"]).timestamp(), arrived


async def _passage(
    owner: asyncpg.Connection, subscriber: Subscriber, identity: str, person: str
) -> Passage:
    """Enter a death, and follow it to the subscriber."""
    arrival = asyncio.create_task(_arrival(subscriber, person))
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(_ENTER, identity, person)
    commit = time.time()
    await transaction.commit()
    committed = time.time()
    return Passage(commit, committed, *await arrival)


async def passages(site: ChangesSite, deaths: int) -> Sequence[Passage]:
    """Return the passages of so many deaths; a few before them are not counted."""
    cursor = await site.follow(PEOPLE)
    measured: list[Passage] = []
    owner = await asyncpg.connect(site.register.url)
    try:
        async with subscribed(site, cursor) as subscriber:
            for turn in range(-WARMING, deaths):
                person = PEOPLE[turn % len(PEOPLE)]
                passage = await _passage(owner, subscriber, f"KT{turn}", person)
                if turn >= 0:
                    measured.append(passage)
                await asyncio.sleep(random.uniform(0, PAUSE))  # as the module says
    finally:
        await owner.close()
    return measured


def figures_of(measured: Sequence[Passage]) -> Figures:
    """Return milliseconds: from COMMIT to arrival, and the medians of the parts of that."""
    whole = [(each.arrived - each.commit) * 1e3 for each in measured]
    parts = {
        "commit_median_ms": [each.committed - each.commit for each in measured],
        "until_detected_median_ms": [each.detected - each.commit for each in measured],
        "from_detected_median_ms": [each.arrived - each.detected for each in measured],
    }
    return {
        "deaths": len(measured),
        "median_ms": round(median(whole), 1),
        "p99_ms": round(quantiles(whole, n=100, method="inclusive")[98], 1),
        "max_ms": round(max(whole), 1),
        **{name: round(median(part) * 1e3, 1) for name, part in parts.items()},
    }


async def measure(folder: Path, logs: str, deaths: int) -> Figures:
    """Return the figures with logs in ``redis`` or in ``files``, with servers of its own."""
    with ExitStack() as stack:
        postgres = postgresql_process(folder / "postgres")
        stack.callback(postgres.kill)
        postgres.start()
        redis = stack.enter_context(redis_process(folder)).port if logs == "redis" else None
        register = Server("postgresql", postgres.port, "postgres", "postgres")
        async with changes_site(folder, register, PEOPLE, redis) as site:
            return figures_of(await passages(site, deaths))


def main() -> None:
    """Measure and print; a run of all deaths with both kinds of logs is saved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deaths", type=int, default=DEATHS)
    parser.add_argument("--logs", choices=("redis", "files"), nargs="+", default=["redis", "files"])
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folders = {logs: Path(name) / logs for logs in chosen.logs}
        for folder in folders.values():
            folder.mkdir()
        figures = {
            logs: asyncio.run(measure(folder, logs, chosen.deaths))
            for logs, folder in folders.items()
        }
    lines = [(logs, *each.values()) for logs, each in figures.items()]
    show("Changes", ("logs", *next(iter(figures.values()))), lines)
    if chosen.deaths >= DEATHS and len(figures) == 2:
        print(save("changes", {"surroundings": surroundings(), **figures}))


if __name__ == "__main__":
    main()
