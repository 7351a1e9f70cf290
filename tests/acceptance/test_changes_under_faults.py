"""Changes under load and faults: all events arrive, in order, and no answer is older than one.

Nor is any from the cache that is older than a commit a second before, whatever is killed.

``make changes`` runs it: CHANGES (10,000) deaths are entered by plain SQL while two gateways answer
queries, and a gateway, Redis, NATS, PostgreSQL and Debezium are killed once each. With an outbox
and with Debezium, and with both engines of the log, one after the other; some five minutes each on
two cores. ``tests.support.debezium_process`` says what Debezium is here.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import asyncpg
import httpx2
import pytest

from gateway.changes.event import LifeEventKind
from gateway.changes.log import EventLog, EventLogUnavailable
from tests.support.followed_site import PURPOSE, FollowedSite, followed_site

_CHANGES = int(os.environ.get("CHANGES", "0"))
pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(not _CHANGES, reason="make changes runs it"),
]
#: Seconds for everything to arrive after the last change.
_PATIENCE = 120.0
_CLIENTS, _BATCH = 4, 10
#: Seconds by which an answer from the cache may be older than a commit (``cache_lag``).
_STALE = 1.0
_KILLED = ("gateway-1", "redis", "nats", "postgres", "debezium")
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

    ``committed``: when each was committed, at the latest. ``kills``: from when until when a server
    was gone. ``entered``: of each person, the rows in the order of their commits.
    """

    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    committed: dict[tuple[str, str], float] = field(default_factory=dict)
    kills: list[tuple[float, float]] = field(default_factory=list)
    ids: dict[str, tuple[str, str]] = field(default_factory=dict)
    entries: int = 0
    notices: list[str] = field(default_factory=list)
    entered: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: list[_Answer] = field(default_factory=list)
    unanswered: int = 0

    def ages(self, moments: Mapping[tuple[str, str], float]) -> list[tuple[_Answer, float]]:
        """Return the answers that lack a row whose moment was before they began, and by how much.

        ``moments``: of each person and row.
        """
        rows_of: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for (person, row), moment in moments.items():
            rows_of[person].append((row, moment))
        ages = []
        for answer in self.answers:
            lacking = [m for row, m in rows_of[answer.person] if row not in answer.rows]
            age = answer.began - min(lacking, default=answer.began)
            if age > 0:
                ages.append((answer, age))
        return ages

    def outages(self) -> list[tuple[float, float]]:
        """Return from when until when each kill held changes up.

        From the kill until an event was read within a second of its commit again, of what was
        committed once the server was there again: whatever waited had been read by then.
        """
        return [(began, self._caught_up_after(ended)) for began, ended in self.kills]

    def _caught_up_after(self, moment: float) -> float:
        delays = ((self._read_at(row), at) for row, at in self.committed.items() if at > moment)
        return min((end for end, at in delays if end - at < _STALE), default=math.inf)

    def delays(self) -> list[float]:
        """Return how long after its commit each event was read, where no outage held it up."""
        return self._undisturbed((at, self._read_at(row)) for row, at in self.committed.items())

    def late(self) -> list[float]:
        """Return by how much answers were older than a commit, in order, outages included."""
        return sorted(age for _, age in self.ages(self.committed))

    def _undisturbed(self, spans: Iterable[tuple[float, float]]) -> list[float]:
        """Return the lengths of the spans of time in which there was no outage, in order."""
        outages = self.outages()
        return sorted(
            end - begin
            for begin, end in spans
            if not any(began <= end and begin <= ended for began, ended in outages)
        )

    def _read_at(self, row: tuple[str, str]) -> float:
        return self.seen.get(row, math.inf)


@pytest.mark.parametrize("source", ["outbox", "debezium"])
@pytest.mark.parametrize("engine", ["redis", "nats"])
async def test_all_events_arrive_in_order_and_no_answer_is_older(
    tmp_path: Path, engine: Literal["redis", "nats"], source: Literal["outbox", "debezium"]
) -> None:
    with followed_site(tmp_path, engine, source) as site:
        await site.create_register()
        for name in ("debezium", "gateway-1", "gateway-2"):
            if name in site.servers:
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
            _tell(story, f"{source}, {engine}", began)
        assert len(story.seen) == len(story.ids) == _CHANGES
        in_log: dict[str, list[str]] = defaultdict(list)
        for person, row in story.seen:
            in_log[person].append(row)
        assert in_log == story.entered
        assert story.ages(story.seen) == []
        assert story.late()[-1:] < [_STALE]
        assert sum(answer.from_cache for answer in story.answers) > 0
        assert time.monotonic() - entered < _PATIENCE


def _tell(story: _Story, case: str, began: float) -> None:
    """Say what was measured."""
    cached = sum(answer.from_cache for answer in story.answers)
    outages = [f"{ended - began:.1f}" for began, ended in story.outages()]
    print(
        f"\n{case}: {len(story.seen)} of {_CHANGES} events, {story.entries} entries, in "
        f"{time.monotonic() - began:.0f} s; notices {story.notices}; {len(story.answers)} answers, "
        f"{cached} from the cache, {story.unanswered} without the list; "
        f"{len(story.ages(story.seen))} older than an event that was read before they began\n"
        f"commit to event: {_quantiles(story.delays())}; outages of {', '.join(outages)} s\n"
        f"answers older than a commit: {_quantiles(story.late())}"
    )


def _quantiles(seconds: Sequence[float]) -> str:
    """Say how many there are, and the middle, the 99th percent and the greatest of them."""
    if not seconds:
        return "none"
    middle, most = (seconds[len(seconds) * part // 100] for part in (50, 99))
    return f"{len(seconds)}, {middle:.2f} / {most:.2f} / {seconds[-1]:.2f} s"


async def _begin(log: EventLog) -> str:
    """Wait until the register is followed; return the end of the log."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            with suppress(EventLogUnavailable):
                status = (await log.statuses()).get("civil_status")
                if status is not None and status.complete_until is not None:
                    return await log.end()
            await asyncio.sleep(0.1)  # between two looks, not instead of one


async def _read(log: EventLog, position: str, story: _Story) -> None:
    """Read the log until all events are there."""
    while len(story.seen) < _CHANGES:
        try:
            page = await log.read(position, 500)
            if not page.entries:
                await log.wait(position, 1.0)
                continue
        except EventLogUnavailable:
            await asyncio.sleep(0.1)  # between two looks: the log tells nobody that it is back
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
            # Whoever is entered next is asked for, so that rows are cached; then again once it is.
            count += 1
            entered = len(story.committed)
            person = _person_at(max(0, entered + count % 60 - 30))
            began = time.monotonic()
            try:
                body = {"query": _QUERY, "variables": {"id": person}}
                answer = (await client.post(f"{url}/graphql", json=body, headers=headers)).json()
                deaths = answer["data"]["person"]["civilStatus"]["deaths"]
                rows = frozenset(item["eventId"] for item in deaths["items"])
            except (httpx2.HTTPError, ValueError, KeyError, TypeError):
                story.unanswered += 1
                await asyncio.sleep(
                    0.05
                )  # an answer that failed: not all of the machine for asking again
                continue
            story.answers.append(_Answer(person, began, rows, deaths["source"]["fromCache"]))


async def _enter_all(site: FollowedSite, story: _Story) -> None:
    """Enter all deaths, and kill what is to be killed on the way."""
    names = [name for name in _KILLED if name in site.servers]
    kills = {_CHANGES * place // (len(names) + 1): name for place, name in enumerate(names, 1)}
    deaths = [(f"KT{at:06}", _person_at(at)) for at in range(_CHANGES)]
    for start in range(0, _CHANGES, _BATCH):
        due = [at for at in kills if at <= start]
        for at in due:
            server = site.servers[kills.pop(at)]
            began = time.monotonic()
            server.kill()
            await asyncio.to_thread(server.start)
            story.kills.append((began, time.monotonic()))
        batch = deaths[start : start + _BATCH]
        await _retry(lambda: _enter(site, batch))  # noqa: B023 - awaited at once
        for row, person in batch:
            story.entered[person].append(row)
            story.committed[person, row] = time.monotonic()


def _person_at(number: int) -> str:
    """Return whose death is entered at a place."""
    return _PEOPLE[number * 7 % len(_PEOPLE)]


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
                await asyncio.sleep(
                    0.1
                )  # between two attempts: the database tells nobody that it is back
