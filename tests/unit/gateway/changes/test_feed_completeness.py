"""``completeUntil`` is never later than true: a feed beside a small model, in random orders."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from gateway.access.caller import Caller
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.log import FollowState, SourceStatus
from tests.support.feeds import PURPOSES, Feeds, events_caller
from tests.support.memory_event_log import MemoryEventLog
from tests.support.people import HOA
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, world

KINDS = {
    "notary": (LifeEventKind.BLOCK_PLACED, "preventive_infos"),
    "civil_enforcement": (LifeEventKind.CASE_OPENED, "cases"),
}


@dataclass
class Databases:
    """Two databases: what was committed in each and when, and how much of it is published."""

    log: MemoryEventLog
    start: datetime
    chance: random.Random
    ticks: int = 0
    committed: list[LifeEvent] = field(default_factory=list)
    published: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    @property
    def now(self) -> datetime:
        """Return the time, in ticks of a second."""
        return self.start + timedelta(seconds=self.ticks)

    def commit(self) -> None:
        """Commit a row of some database."""
        self.ticks += 1
        name = self.chance.choice([*KINDS])
        kind, record = KINDS[name]
        event_id = f"e{len(self.committed)}"
        self.committed.append(
            LifeEvent(event_id, kind, name, HOA, record, "R", None, self.now, self.now)
        )

    async def publish(self) -> None:
        """Publish some of what a database committed, and until when that is complete."""
        self.ticks += 1
        name = self.chance.choice([*KINDS])
        rows = [event for event in self.committed if event.database == name]
        begin = self.published[name]
        end = min(len(rows), begin + self.chance.randint(0, 3))
        self.published[name] = end
        until = rows[end].committed_at if end < len(rows) else self.now
        status = SourceStatus(name, FollowState.FOLLOWED, self.now, None, until, "")
        await self.log.append("p", rows[begin:end], status)


class BusyLog(MemoryEventLog):
    """A log to which others append between the steps of a reader."""

    databases: Databases | None = None

    async def statuses(self) -> Mapping[str, SourceStatus]:
        """Return the statuses, and let databases go on."""
        statuses = await super().statuses()
        if self.databases is not None:
            self.databases.commit()
            await self.databases.publish()
        return statuses


async def check(feeds: Feeds, caller: Caller, seed: int) -> int:
    """Commit, publish and read in a random order; returns how often something was complete."""
    log, chance = BusyLog(), random.Random(seed)
    feeds.log = log
    feeds.ids = iter(range(seed * 1_000, seed * 1_000 + 999))
    await feeds.register(caller, HOA)
    databases = log.databases = Databases(log, feeds.now, chance)
    seen: list[str] = []
    after, count = None, 0
    for _ in range(30):
        step = chance.randrange(4)
        if step == 0:
            databases.commit()
        elif step == 1:
            await databases.publish()
        else:
            page = await feeds.read(caller, after=after, first=chance.randint(1, 4))
            after = page.end_cursor
            seen += [edge.event.id for edge in page.edges]
            for source in page.sources:
                until = source.complete_until
                for event in databases.committed if until is not None else ():
                    assert event.committed_at is not None
                    assert until is not None
                    if event.database == source.database and event.committed_at < until:
                        assert event.id in seen, (seed, event)
                        count += 1
    assert len(seen) == len(set(seen))
    return count


async def test_a_page_is_never_complete_beyond_what_was_shown(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        feeds = Feeds(gateway, tmp_path)
        counts = [await check(feeds, events_caller(f"client-{n}"), n) for n in range(40)]
    assert sum(counts) > 100
