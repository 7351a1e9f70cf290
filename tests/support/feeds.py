"""Feeds over the databases of a running gateway, a log in memory and a store in a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

from connectors.description import Database
from gateway.access.caller import Caller
from gateway.changes.event import SOURCE_KINDS, LifeEvent, LifeEventKind
from gateway.changes.feed import FeedPage, FeedParts, read_feed
from gateway.changes.interests import Interest
from gateway.changes.log import FollowState, SourceStatus
from gateway.changes.origins import Origin
from gateway.changes.retention import Retention
from gateway.changes.sealed_events import USE, SealedEvents
from gateway.changes.sqlite_interests import SqliteInterests
from gateway.changes.sqlite_log import SqliteEventLog
from gateway.keys.keyring import Keyring
from gateway.procedures.procedure import UNIFIED
from gateway.settings import InterestTerms, Purpose
from gateway.storage.sealing import Sealing
from tests.support.interest_stores import KEYS, over
from tests.support.memory_event_log import MemoryEventLog
from tests.support.people import HOA
from tests.support.running import Running

ALL_KINDS = frozenset(LifeEventKind) - SOURCE_KINDS
#: Settings under which every demo purpose may follow every kind.
TERMS = Purpose(
    interests=InterestTerms.model_validate({"kinds": [kind.name for kind in ALL_KINDS], "days": 90})
)
PURPOSES = {UNIFIED: TERMS, "1.000894": TERMS, "enforcement-verification": TERMS}
#: kind -> database, record, list.
ORIGINS = {
    LifeEventKind.BIRTH: [("civil_status", "births", "births")],
    LifeEventKind.DEATH: [("civil_status", "deaths", "deaths")],
    LifeEventKind.MARRIAGE: [("civil_status", "marriages", "marriages")],
    LifeEventKind.DIVORCE: [("civil_status", "divorces", "divorces")],
    LifeEventKind.BLOCK_PLACED: [("notary", "preventive_infos", "preventive_infos")],
    LifeEventKind.BLOCK_LIFTED: [("notary", "preventive_infos", "preventive_infos")],
    LifeEventKind.CASE_OPENED: [("civil_enforcement", "cases", "cases")],
    LifeEventKind.CASE_CLOSED: [("civil_enforcement", "cases", "cases")],
    LifeEventKind.CORRECTION: [
        ("civil_status", "changes", "changes"),
        ("civil_status", "marriages", "marriages"),
        ("civil_status", "adoptions", "adoptions"),
    ],
}


def origins(databases: Collection[Database]) -> tuple[Origin, ...]:
    """Return the origins of ``ORIGINS`` in databases that are there."""
    by_name = {database.name: database for database in databases}
    return tuple(
        Origin(kind, by_name[name].by_name[record], (lookup,))
        for kind, places in ORIGINS.items()
        for name, record, lookup in places
        if name in by_name
    )


@dataclass
class Feeds:
    """What a test of feeds has at hand."""

    gateway: Running
    folder: Path
    log: MemoryEventLog = field(default_factory=MemoryEventLog)
    ids: Iterator[int] = field(default_factory=count)
    keys: Keyring = KEYS
    followed: Collection[str] = ("civil_status", "notary", "civil_enforcement")

    @property
    def parts(self) -> FeedParts:
        """Return what feeds are made of, anew, as after a restart."""
        resources = self.gateway.service.resources
        databases = [source.database for source in resources.sources.values()]
        return FeedParts(
            self.log,
            over(SqliteInterests(self.folder / "interests.sqlite"), self.keys),
            self.followed,
            origins(databases),
            resources.sources,
            resources.settings,
            self.keys,
            self.gateway.clock,
        )

    @property
    def now(self) -> datetime:
        """Return the time."""
        return self.gateway.clock.now()

    async def open_log(self, path: Path, entries: int = 1_000) -> None:
        """Put the log of a file in the place of what was there before."""
        if isinstance(self.log, SqliteEventLog):
            await self.log.close()
        sealed = SealedEvents(Sealing(Keyring(KEYS.current), USE))
        log = SqliteEventLog(path, sealed, self.gateway.clock, Retention(entries=entries))
        self.log = cast("MemoryEventLog", log)
        for name in self.followed:
            assert await log.acquire(name, "p", 3_600)

    async def register(
        self,
        caller: Caller,
        *people: str,
        kinds: Collection[LifeEventKind] = ALL_KINDS,
        days: float = 30,
        numbers: Sequence[str] = (),
        position: str | None = None,
    ) -> list[Interest]:
        """Register interests of ``caller`` in ``people``; ``position`` None: the end of the log."""
        until, position = self.now + timedelta(days=days), position or await self.log.end()
        interests = [
            Interest(
                f"i{next(self.ids)}",
                caller,
                person,
                frozenset({person, *numbers}),
                frozenset(kinds),
                self.now,
                until,
                position,
            )
            for person in people
        ]
        assert await self.parts.interests.put(interests, 10_000, self.now)
        return interests

    async def happen(
        self,
        kind: LifeEventKind,
        person: str | None = HOA,
        record: str | None = None,
        row: str = "R1",
        database: str | None = None,
    ) -> LifeEvent:
        """Append an event, a second later, of what its kind is of."""
        self.gateway.clock.advance(1)
        place = ORIGINS.get(kind, [(None, None, None)])[0]
        name = database or place[0] or "civil_status"
        event = LifeEvent(
            f"e{next(self.ids)}",
            kind,
            name,
            person,
            record or place[1],
            row if person else None,
            "2026-11-22",
            self.now - timedelta(milliseconds=500),
            self.now,
        )
        await self.append([event], name, self.now)
        return event

    async def append(
        self,
        events: Sequence[LifeEvent],
        database: str,
        complete_until: datetime | None,
        state: FollowState = FollowState.FOLLOWED,
    ) -> None:
        """Append events and the status of their database."""
        status = SourceStatus(database, state, self.now, "c", complete_until, "")
        await self.log.append("p", events, status)

    async def read(self, caller: Caller, **arguments: Any) -> FeedPage:
        """Read a page of the feed."""
        deadline = self.gateway.clock.monotonic() + 60
        return await read_feed(self.parts, caller, deadline=deadline, **arguments)

    async def ids_of(self, caller: Caller, **arguments: Any) -> list[str]:
        """Return the ids of the events on a page."""
        return [edge.event.id for edge in (await self.read(caller, **arguments)).edges]


def events_caller(client: str = "notary-1", purpose: str | None = UNIFIED, *scopes: str) -> Caller:
    """Return a caller who may read events of every database, or of those in ``scopes``."""
    reading = scopes or ("civil_status:read", "notary:read", "civil_enforcement:read")
    return Caller(
        client, scopes=frozenset({"events:read", *reading}), purpose=purpose, case_number="C-1"
    )
