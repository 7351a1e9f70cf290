"""Documents of events and interests, and a gateway that follows databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.changes.untold import UntoldEvents
from gateway.changes.changes import Changes
from gateway.settings import ChangeSettings, FollowSettings
from tests.support.feeds import PURPOSES, Feeds
from tests.support.memory_event_log import MemoryEventLog
from tests.support.people import HOA
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, World, world

READING = ("events:read", "civil_status:read", "notary:read", "civil_enforcement:read")
UNTIL = "2026-12-20T00:00:00+07:00"
REGISTER = """mutation($persons: [PersonNumber!]!, $kinds: [LifeEventKind!]!, $until: DateTime!,
  $matching: [Matching!]) {
  registerInterest(persons: $persons, kinds: $kinds, until: $until, matching: $matching) {
    cursor interests { id person kinds caseNumber registeredAt until } } }"""
FEED = """query($after: String, $first: Int! = 100, $kinds: [LifeEventKind!]) {
  lifeEvents(after: $after, first: $first, kinds: $kinds) {
    edges { cursor node { id kind title { en } date database { name } record recordId person { id }
      committedAt detectedAt since } }
    pageInfo { hasNextPage endCursor } isWaiting interests message { en }
    sources { database { name } state completeUntil since message { en } }
    denied { kind database record state missing } } }"""
INTERESTS = "{ interests { id person kinds caseNumber registeredAt until } }"
END = "mutation($ids: [String!]!) { endInterest(ids: $ids) }"


@asynccontextmanager
async def following(
    folder: Path,
    backends: World | None = None,
    log: MemoryEventLog | None = None,
    untold: Mapping[str, Sequence[UntoldEvents]] | None = None,
    **settings: Any,
) -> AsyncIterator[Feeds]:
    """Run a gateway over every database whose changes come from a log in memory.

    ``untold``: by database, events that can never be told.
    """
    settings.setdefault("purposes", PURPOSES)
    backends = world({}) if backends is None else backends
    async with running(folder, backends, ALL, databases_=LIVE, **settings) as gateway:
        feeds = Feeds(gateway, folder, log or MemoryEventLog())
        watermark = FollowSettings(source="watermark")
        followed = dict.fromkeys(feeds.followed, watermark)
        changes = Changes(ChangeSettings(), feeds.log, followed, untold=untold or {})
        service = gateway.service
        resources = replace(service.resources, changes=changes)
        gateway.app.state.service = replace(service, resources=resources)
        yield feeds


async def register(
    feeds: Feeds,
    persons: Sequence[str] = (HOA,),
    kinds: Sequence[str] = ("DEATH", "BLOCK_PLACED"),
    until: str = UNTIL,
    matching: Sequence[Mapping[str, str]] | None = None,
    scopes: Sequence[str] = READING,
    **caller: Any,
) -> dict[str, Any]:
    """Return the body of the answer to a registration."""
    variables = {"persons": persons, "kinds": kinds, "until": until, "matching": matching}
    return await feeds.gateway.ask(REGISTER, variables, scopes, **caller)


async def feed(
    feeds: Feeds, scopes: Sequence[str] = READING, client: str = "test-client", **variables: Any
) -> dict[str, Any]:
    """Return the body of the answer to ``lifeEvents``."""
    return await feeds.gateway.ask(FEED, variables, scopes, client=client)
