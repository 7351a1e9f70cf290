"""Changes under load and faults: all events arrive, in order, and no answer is older than one.

``make changes`` runs it: CHANGES (10,000) deaths are entered by plain SQL while two gateways answer
queries, and a gateway, Redis, NATS and PostgreSQL are killed once each. With both engines of the
log, one after the other; some five minutes each on two cores.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import asyncpg
import httpx2
import pytest

from gateway.changes.event import LifeEventKind
from gateway.changes.log import EventLog, EventLogUnavailable
from tests.support.death_register import create_register
from tests.support.followed_site import PURPOSE, FollowedSite, followed_site

_CHANGES = int(os.environ.get("CHANGES", "0"))
pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(not _CHANGES, reason="make changes runs it"),
]
#: Seconds for everything to arrive after the last change.
_PATIENCE = 120.0
_CLIENTS, _BATCH = 4, 10
_PEOPLE = [f"0010800{number:05}" for number in range(1_000)]
_CASE = {"x-case-number": "000.00.11.H29-261130-0001"}
_QUERY = """query ($id: PersonNumber!) { person(id: $id) { civilStatus {
  deaths { items { eventId } source { state fromCache } } } } }"""


@dataclass(frozen=True)
class _Answer:
    """A query of one person. ``began``: monotonic seconds."""

    person: str
    began: float
    rows: frozenset[str]
    from_cache: bool


@dataclass
class _Story:
    """What happened. ``seen``: when each row was first read from the log, in its order.

    ``entered``: of each person, the rows in the order of their commits.
    """

    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    ids: dict[str, tuple[str, str]] = field(default_factory=dict)
    entries: int = 0
    notices: list[str] = field(default_factory=list)
    entered: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: list[_Answer] = field(default_factory=list)
    unanswered: int = 0

    def stale(self, tolerance: float) -> list[_Answer]:
        """Return the answers that lack a row whose event was read so long before they began."""
        rows_of: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for (person, row), moment in self.seen.items():
            rows_of[person].append((row, moment))
        return [
            answer
            for answer in self.answers
            if any(
                moment + tolerance < answer.began and row not in answer.rows
                for row, moment in rows_of[answer.person]
            )
        ]


@pytest.mark.parametrize("engine", ["redis", "nats"])
async def test_all_events_arrive_in_order_and_no_answer_is_older(
    tmp_path: Path, engine: Literal["redis", "nats"]
) -> None:
    with followed_site(tmp_path, engine) as site:
        await create_register(site.register, listen=True)
        await site.register.execute("CREATE INDEX ON deaths (citizen_id)")
        for name in ("gateway-1", "gateway-2"):
            site.servers[name].start()
        log = site.event_log()
        await log.open()
        story, done = _Story(), asyncio.Event()
        begin = await _begin(log)
        began = time.monotonic()
        reader = asyncio.create_task(_read(log, begin, story))
        clients = [asyncio.create_task(_query(site, story, done, at)) for at in range(_CLIENTS)]
        try:
            await _enter_all(site, story)
            entered = time.monotonic()
            await asyncio.wait_for(reader, _PATIENCE)
        finally:
            done.set()
            reader.cancel()
            await asyncio.gather(reader, *clients, return_exceptions=True)
            if len(story.seen) < _CHANGES:
                print(f"in {tmp_path}:", site.metrics(), site.last_log_lines(), sep="\n")
                with suppress(EventLogUnavailable):
                    print(f"the log ends at {await log.end()}\n{await log.statuses()}")
            await log.close()
            _tell(story, engine, began)
        assert len(story.seen) == len(story.ids) == _CHANGES
        in_log: dict[str, list[str]] = defaultdict(list)
        for person, row in story.seen:
            in_log[person].append(row)
        assert in_log == story.entered
        assert story.stale(0.0) == []
        assert sum(answer.from_cache for answer in story.answers) > 0
        assert time.monotonic() - entered < _PATIENCE


def _tell(story: _Story, engine: str, began: float) -> None:
    """Say what was measured."""
    cached = sum(answer.from_cache for answer in story.answers)
    print(
        f"\n{engine}: {len(story.seen)} of {_CHANGES} events, {story.entries} entries, in "
        f"{time.monotonic() - began:.0f} s; notices {story.notices}; {len(story.answers)} answers, "
        f"{cached} from the cache, {story.unanswered} without the list; "
        f"{len(story.stale(0.0))} older than an event that was read before they began, "
        f"{len(story.stale(1.0))} by more than a second"
    )


async def _begin(log: EventLog) -> str:
    """Wait until the register is followed; return the end of the log."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            with suppress(EventLogUnavailable):
                status = (await log.statuses()).get("civil_status")
                if status is not None and status.complete_until is not None:
                    return await log.end()
            await asyncio.sleep(0.1)


async def _read(log: EventLog, position: str, story: _Story) -> None:
    """Read the log until all events are there."""
    while len(story.seen) < _CHANGES:
        try:
            page = await log.read(position, 500)
            if not page.entries:
                await log.wait(position, 1.0)
                continue
        except EventLogUnavailable:
            await asyncio.sleep(0.1)
            continue
        now = time.monotonic()
        for entry in page.entries:
            position, event = entry.position, entry.event
            if event.kind is not LifeEventKind.DEATH:
                story.notices.append(event.kind.name)
                continue
            assert event.person is not None
            assert event.row is not None
            story.entries += 1
            story.ids.setdefault(event.id, (event.person, event.row))
            story.seen.setdefault((event.person, event.row), now)


async def _query(site: FollowedSite, story: _Story, done: asyncio.Event, place: int) -> None:
    """Ask one gateway about people, over and over."""
    url, token = site.urls[place % 2], site.token()
    headers = {"authorization": f"Bearer {token}", "x-purpose": PURPOSE, **_CASE}
    count = place
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        while not done.is_set():
            # Whoever an event was about lately is asked for, and others: so that rows are cached.
            recent = list(story.seen)[-20:]
            count += 1
            person = recent[count % len(recent)][0] if recent and count % 2 else _PEOPLE[count % 40]
            began = time.monotonic()
            try:
                body = {"query": _QUERY, "variables": {"id": person}}
                answer = (await client.post(f"{url}/graphql", json=body, headers=headers)).json()
                deaths = answer["data"]["person"]["civilStatus"]["deaths"]
                rows = frozenset(item["eventId"] for item in deaths["items"])
            except (httpx2.HTTPError, ValueError, KeyError, TypeError):
                story.unanswered += 1
                await asyncio.sleep(0.05)
                continue
            story.answers.append(_Answer(person, began, rows, deaths["source"]["fromCache"]))


async def _enter_all(site: FollowedSite, story: _Story) -> None:
    """Enter all deaths, and kill what is to be killed on the way."""
    kills = {
        _CHANGES * place // 5: name
        for place, name in enumerate(("gateway-1", "redis", "nats", "postgres"), 1)
    }
    deaths = [(f"KT{at:06}", _PEOPLE[at * 7 % len(_PEOPLE)]) for at in range(_CHANGES)]
    for start in range(0, _CHANGES, _BATCH):
        due = [at for at in kills if at <= start]
        for at in due:
            server = site.servers[kills.pop(at)]
            server.kill()
            await asyncio.to_thread(server.start)
        batch = deaths[start : start + _BATCH]
        await _retry(lambda: _enter(site, batch))  # noqa: B023 - awaited at once
        for row, person in batch:
            story.entered[person].append(row)


async def _enter(site: FollowedSite, deaths: list[tuple[str, str]]) -> None:
    """Enter deaths in one transaction, unless it was committed before the answer was lost."""
    first = deaths[0][0]
    if await site.register.value(f"SELECT count(*) FROM deaths WHERE event_id = '{first}'"):
        return
    values = ", ".join(f"('{row}', '{person}', 'VALID')" for row, person in deaths)
    await site.register.execute(
        f"INSERT INTO deaths (event_id, citizen_id, status) VALUES {values}"
    )


async def _retry(work: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while True:
            try:
                return await work()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)
