"""A running gateway follows a real register: an event is in the log, and no answer is older.

Covers ``gateway.changes.changes`` and ``gateway.databases.publishing`` too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.access.tokens import issue
from gateway.app import build_app
from gateway.changes.changes import Changes
from gateway.changes.event import LifeEvent
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_signing
from gateway.procedures.procedure import UNIFIED
from gateway.runtime.clock import SystemClock
from gateway.service import Service
from gateway.settings import (
    ChangeSettings,
    DatabaseSettings,
    FollowSettings,
    Limits,
    RateLimits,
    load,
)
from tests.support.death_register import create_register, enter_deaths
from tests.support.people import HOA, LAN
from tests.support.people import backends as cast
from tests.support.running import CASE_NUMBER, OFFICER, built
from tests.support.servers import Server

pytestmark = pytest.mark.services
NAME = "civil_status"
DATABASES = (POPULATION, CIVIL_STATUS)
DEATHS = """query ($id: PersonNumber!) { person(id: $id) { civilStatus {
  deaths { items { eventId } source { state fromCache } } } } }"""


@dataclass(frozen=True)
class Followed:
    """A gateway that follows the register."""

    app: Starlette
    client: httpx2.AsyncClient
    token: str

    @property
    def changes(self) -> Changes:
        service: Service = self.app.state.service
        assert service.resources.changes is not None
        return service.resources.changes

    async def deaths(self, person: str) -> tuple[list[str], bool]:
        """Return the deaths of a person, and whether they are from the cache."""
        headers = {
            "authorization": f"Bearer {self.token}",
            "x-purpose": UNIFIED,
            "x-case-number": CASE_NUMBER,
        }
        body = {"query": DEATHS, "variables": {"id": person}}
        answer = await self.client.post("/graphql", json=body, headers=headers)
        part: dict[str, Any] = answer.json()["data"]["person"]["civilStatus"]["deaths"]
        assert part["source"]["state"] == "ANSWERED"
        return [item["eventId"] for item in part["items"]], part["source"]["fromCache"]

    async def begin(self) -> str:
        """Wait until the register is followed, and return the end of the log."""
        async with asyncio.timeout(60):
            while True:
                status = (await self.changes.log.statuses()).get(NAME)
                if status is not None and status.complete_until is not None:
                    return await self.changes.log.end()
                await asyncio.sleep(0.02)  # between two looks, not instead of one

    async def next_event(self, after: str) -> LifeEvent:
        return (await self.next_events(after))[0]

    async def next_events(self, after: str) -> list[LifeEvent]:
        """Return the events of the next page of changes."""
        async with asyncio.timeout(60):
            while True:
                page = await self.changes.log.read(after, 10)
                if page.entries:
                    return [entry.event for entry in page.entries]
                await self.changes.log.wait(after, 1.0)


OUTBOX = FollowSettings(source="outbox", listen=True)
#: Whatever the owner of this register writes is new.
WATERMARK = FollowSettings(source="watermark", interval=0.1, created_column="source_updated_at")


@pytest_asyncio.fixture
async def gateway(postgresql: Server, tmp_path: Path) -> AsyncIterator[Followed]:
    async with following(postgresql, tmp_path, OUTBOX) as followed:
        yield followed


@asynccontextmanager
async def following(
    postgresql: Server,
    tmp_path: Path,
    follow: FollowSettings,
    cache_lag: float | None = None,
    heartbeat: float = 1.0,
) -> AsyncIterator[Followed]:
    """Run a gateway that follows an empty register."""
    await create_register(postgresql, listen=True)
    settings = load(
        folder=tmp_path,
        demo=True,
        changes=ChangeSettings(heartbeat_seconds=heartbeat),
        rates=RateLimits(enforced=False),
        limits=Limits(deadline=120),
        databases={
            "population": DatabaseSettings(timeout=120, fresh=3_600),
            NAME: DatabaseSettings(
                url=postgresql.url,
                timeout=120,
                fresh=3_600,
                changes=follow,
                cache_lag=cache_lag,
            ),
        },
    )
    create_missing(settings, demo=True)
    backends = {"population": cast()["population"]}
    app = build_app(settings, DATABASES, backends=backends, schema=built(DATABASES))
    token = issue(
        load_signing(settings, "token")[0], settings.access, SystemClock().now(),
        subject="officer-1", client="test-client", scopes=OFFICER, purposes=(UNIFIED,),
    )  # fmt: skip
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield Followed(app, client, token)


async def test_a_death_that_is_entered_by_sql_is_an_event_and_the_next_answer_has_it(
    gateway: Followed, postgresql: Server
) -> None:
    begin = await gateway.begin()
    assert await gateway.deaths(HOA) == ([], False)
    assert await gateway.deaths(HOA) == ([], True)
    assert await gateway.deaths(LAN) == ([], False)
    await enter_deaths(postgresql, [("KT1", HOA)])
    event = await gateway.next_event(begin)
    assert await gateway.deaths(HOA) == (["KT1"], False)
    assert await gateway.deaths(LAN) == ([], True)
    assert (event.kind.name, event.person, event.record, event.row) == (
        "DEATH",
        HOA,
        "deaths",
        "KT1",
    )
    assert event.committed_at is not None
    assert event.committed_at <= event.detected_at


async def test_a_correction_of_an_entry_that_could_not_be_read_may_be_missed(
    gateway: Followed, postgresql: Server
) -> None:
    position = await gateway.begin()
    kinds = []
    await enter_deaths(postgresql, [("KT1", HOA)])
    for sex in (None, "'NO SUCH SEX'", "NULL"):
        if sex is not None:
            await postgresql.execute(f"UPDATE deaths SET sex = {sex}")
        kinds.append([event.kind.name for event in await gateway.next_events(position)])
        position = await gateway.changes.log.end()
    # Without the former row, a death is told again.
    assert kinds == [["DEATH"], ["EVENTS_MISSED"], ["DEATH", "EVENTS_MISSED"]]


async def test_so_is_one_that_is_found_by_the_moments_of_changes(
    postgresql: Server, tmp_path: Path
) -> None:
    async with following(postgresql, tmp_path, WATERMARK) as gateway:
        begin = await gateway.begin()
        assert await gateway.deaths(HOA) == ([], False)
        assert await gateway.deaths(LAN) == ([], False)
        assert await gateway.deaths(LAN) == ([], True)
        await enter_deaths(postgresql, [("KT1", HOA)])
        event = await gateway.next_event(begin)
        assert await gateway.deaths(HOA) == (["KT1"], False)
        # Polling does not tell whom the row named before: nobody's row is served from the cache.
        assert await gateway.deaths(LAN) == ([], False)
    assert (event.kind.name, event.person, event.row) == ("DEATH", HOA, "KT1")


async def test_a_reload_follows_what_settings_follow_then(
    gateway: Followed, postgresql: Server, tmp_path: Path
) -> None:
    begin = await gateway.begin()
    service: Service = gateway.app.state.service
    resources = service.resources
    publishing = gateway.app.state.publishing
    assert resources.changes is not None
    nothing = replace(resources, changes=replace(resources.changes, followed={}))
    await publishing.follow(nothing)
    await enter_deaths(postgresql, [("KT1", HOA)])
    await publishing.follow(resources)
    assert (await gateway.next_event(begin)).row == "KT1"


async def test_cached_rows_lag_so_far_only_while_changes_cannot_be_read(
    postgresql: Server, tmp_path: Path
) -> None:
    lag = 0.5
    async with following(postgresql, tmp_path, OUTBOX, lag, heartbeat=0.1) as gateway:
        await gateway.begin()
        async with asyncio.timeout(60):
            await cached_for(gateway, lag)
        await postgresql.execute("ALTER TABLE deaths DISABLE TRIGGER USER")
        await enter_deaths(postgresql, [("KT1", HOA)])
        committed = began = time.monotonic()
        while began <= committed + lag:
            began = time.monotonic()
            rows, _ = await gateway.deaths(HOA)
        assert rows == ["KT1"]


async def cached_for(gateway: Followed, seconds: float) -> None:
    """Ask until rows that were read so long ago are served from the cache."""
    read_at, is_cached = time.monotonic(), False
    while not (is_cached and time.monotonic() - read_at > seconds):
        began = time.monotonic()
        _, is_cached = await gateway.deaths(HOA)
        read_at = read_at if is_cached else began
