"""A gateway process over registers on PostgreSQL, whose officer follows events in people's lives.

The gateway is ``justice-gateway serve`` with a file of settings, as an operator runs it. What its
owner enters by plain SQL reaches the officer over the feed, subscriptions and webhooks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.population import DATABASE as POPULATION
from gateway.access.tokens import issue
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_signing
from gateway.runtime.clock import SystemClock
from gateway.settings import load
from tests.support.death_register import create_register, table_statements
from tests.support.event_documents import END, FEED, INTERESTS, REGISTER
from tests.support.process import free_port, serve_process
from tests.support.servers import Server

#: Copies of extracts, for which entries of civil status are shown.
PURPOSE = "2.000635"
CASE_NUMBER = "000.00.11.H29-261130-0001"
KINDS = ("BIRTH", "CORRECTION", "DEATH")
_SCOPES = ("events:read", "civil_status:read", "population:read")
_DEATHS = """query ($id: PersonNumber!) { person(id: $id) { civilStatus {
  deaths { items { eventId } source { state fromCache } } } } }"""
_ENTER_PERSON = """INSERT INTO identity (citizen_id, life_status, status)
  VALUES ($1, 'ALIVE', 'CURRENT')"""
_SETTINGS = """
{redis}
[audit]
checkpoint_seconds = 60
[rates]
enforced = false
[subscriptions]
heartbeat = 5
[purposes."{purpose}".interests]
kinds = ["BIRTH", "CORRECTION", "DEATH"]
days = 30
{webhooks}
[databases.population]
url = "{population}"
group = "OPERATING"
timeout = 60
fresh = 3600
[databases.civil_status]
url = "{register}"
group = "OPERATING"
timeout = 60
fresh = 3600
changes = {{ source = "outbox", listen = true }}
"""
_WEBHOOKS = """
[changes.webhooks]
enabled = true
allowed_networks = ["127.0.0.0/8", "::1/128"]
roots = "{roots}"
timeout = 60
"""


@dataclass(frozen=True)
class ChangesSite:
    """A gateway that runs, and the register that it follows."""

    port: int
    register: Server
    client: httpx2.AsyncClient
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What the officer states, over HTTP and WebSocket."""
        return {
            "Authorization": f"Bearer {self.token}",
            "X-Purpose": PURPOSE,
            "X-Case-Number": CASE_NUMBER,
        }

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an answer to the officer, which is without errors.

        What was not available on a busy machine is asked again; a mutation may then happen twice.
        """
        body = {"query": query, "variables": variables}
        async with asyncio.timeout(120):
            while True:
                answer = await self.client.post("/graphql", json=body, headers=self.headers)
                data = data_of(answer.json())
                if data is not None:
                    return data

    async def deaths(self, person: str) -> tuple[list[str], bool]:
        """Return the ids of the deaths of a person, and whether they are from the cache."""
        data = await self.ask(_DEATHS, id=person)
        deaths = data["person"]["civilStatus"]["deaths"]
        assert deaths["source"]["state"] == "ANSWERED", deaths
        return [item["eventId"] for item in deaths["items"]], deaths["source"]["fromCache"]

    async def cached_deaths(self, person: str) -> list[str]:
        """Return the ids of the deaths of a person, once they are from the cache."""
        async with asyncio.timeout(120):
            while True:
                deaths, is_cached = await self.deaths(person)
                if is_cached:
                    return deaths

    async def follow(self, people: Sequence[str]) -> str:
        """Register an interest in people; return the cursor from which their events come.

        The register is followed before: what is missed until then is no event after the cursor.
        """
        await self._wait_until_followed()
        until = (SystemClock().now() + timedelta(days=1)).isoformat()
        data = await self.ask(REGISTER, persons=people, kinds=KINDS, until=until)
        cursor: str = data["registerInterest"]["cursor"]
        return cursor

    async def end(self, person: str) -> None:
        """End every interest in a person."""
        interests = (await self.ask(INTERESTS))["interests"]
        await self.ask(END, ids=[each["id"] for each in interests if each["person"] == person])

    async def _wait_until_followed(self) -> None:
        """Wait until the feed says that it has all events of the register."""
        async with asyncio.timeout(120):
            while True:
                feed = (await self.ask(FEED))["lifeEvents"]
                until = {
                    each["database"]["name"]: each["completeUntil"] for each in feed["sources"]
                }
                if until["civil_status"] is not None:
                    return
                await asyncio.sleep(0.05)  # between two looks, not instead of one


def data_of(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Return the data of an answer; None: something was not available just then."""
    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
    assert all(code.endswith("_UNAVAILABLE") for code in codes), answer
    return None if codes else answer["data"]


@asynccontextmanager
async def changes_site(
    folder: Path,
    register: Server,
    people: Collection[str],
    redis: int | None = None,
    roots: Path | None = None,
) -> AsyncIterator[ChangesSite]:
    """Run a site until the block ends; the population database knows ``people``, who are alive.

    ``redis``: the port of Redis; None: logs are files. ``roots``: of the certificates of endpoints
    for webhooks, which may be on this machine; None: there are no webhooks.
    """
    population = replace(register, name=f"{register.name}_population")
    await register.execute(f"CREATE DATABASE {population.name}")
    try:
        await create_register(register, listen=True)
        await population.execute(*table_statements(population, POPULATION))
        rows: list[tuple[object, ...]] = [(person,) for person in people]
        await population.insert(_ENTER_PERSON, rows)
        config = _write_settings(folder, register, population, redis, roots)
        with serve_process(config, free_port(), []) as process:
            async with httpx2.AsyncClient(
                base_url=process.url, trust_env=False, timeout=120
            ) as client:
                port = urlsplit(process.url).port
                assert port is not None
                yield ChangesSite(port, register, client, _token(config))
    finally:
        await register.execute(f"DROP DATABASE {population.name} WITH (FORCE)")


def _write_settings(
    folder: Path, register: Server, population: Server, redis: int | None, roots: Path | None
) -> Path:
    config = folder / "gateway.toml"
    text = _SETTINGS.format(
        redis="" if redis is None else f'[redis]\nurl = "redis://127.0.0.1:{redis}"\ntimeout = 5',
        purpose=PURPOSE,
        webhooks="" if roots is None else _WEBHOOKS.format(roots=roots),
        population=population.url,
        register=register.url,
    )
    config.write_text(text, "utf-8")
    create_missing(load(config), demo=False)
    return config


def _token(config: Path) -> str:
    settings = load(config)
    return issue(
        load_signing(settings, "token")[0], settings.access, SystemClock().now(),
        subject="officer", client="desk", scopes=_SCOPES, purposes=(PURPOSE,),
    )  # fmt: skip
