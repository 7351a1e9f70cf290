"""A feed while interests begin and end: nothing is passed, and nothing shown of what has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEventKind
from gateway.changes.feed import require_events
from gateway.changes.interests import Interest
from gateway.keys.keyring import Keyring
from tests.support.feeds import PURPOSES, Feeds, events_caller
from tests.support.interest_stores import NEW_KEY, OLD_KEY
from tests.support.memory_event_log import InterleavedLog
from tests.support.people import HOA, LAN
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, world

BLOCK = LifeEventKind.BLOCK_PLACED
NOTARY = events_caller()
#: More than a reader makes for one page.
CALLS = 5

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("gateway")
    async with running(folder, world({}), ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        yield gateway


async def end_and_die(feeds: Feeds, interest: Interest) -> None:
    await feeds.parts.interests.end(require_events(NOTARY), [interest.id])
    await feeds.happen(LifeEventKind.DEATH, interest.person, "deaths", "D1")


@pytest.mark.parametrize("before", range(CALLS))
@pytest.mark.parametrize("begins", ["without an interest", "at the interest", "at a cursor"])
async def test_events_of_an_interest_that_is_registered_meanwhile_come(
    gateway: Running, tmp_path: Path, begins: str, before: int
) -> None:
    log = InterleavedLog()
    feeds, events = Feeds(gateway, tmp_path, log), list[str]()
    if begins != "without an interest":
        await feeds.register(NOTARY, LAN)
    after = (await feeds.read(NOTARY)).end_cursor if begins == "at a cursor" else None
    events += [(await feeds.happen(BLOCK, LAN)).id] if begins != "without an interest" else []

    async def register_and_happen() -> None:
        await feeds.register(NOTARY, HOA)
        events.append((await feeds.happen(BLOCK, HOA)).id)

    log.calls, log.before, log.act = 0, before, register_and_happen
    seen: list[str] = []
    for _ in range(CALLS):
        page = await feeds.read(NOTARY, after=after)
        seen += [edge.event.id for edge in page.edges]
        after = page.end_cursor
    assert log.is_done
    assert seen == events


async def test_a_page_that_a_registration_cut_short_says_that_there_is_more(
    gateway: Running, tmp_path: Path
) -> None:
    log = InterleavedLog()
    feeds = Feeds(gateway, tmp_path, log)
    await feeds.register(NOTARY, LAN)
    first = await feeds.happen(BLOCK, LAN)

    async def register_and_happen() -> None:
        await feeds.register(NOTARY, HOA)
        await feeds.happen(BLOCK, HOA)

    log.calls, log.before, log.act = 0, 2, register_and_happen
    page = await feeds.read(NOTARY)
    assert [edge.event.id for edge in page.edges] == [first.id]
    assert page.has_more


@pytest.mark.parametrize("before", range(CALLS))
@pytest.mark.parametrize("begins", ["at the interest", "at a cursor"])
@pytest.mark.parametrize("is_twofold", [False, True])
async def test_events_after_the_end_of_an_interest_are_shown_by_another_one_only(
    gateway: Running, tmp_path: Path, begins: str, before: int, is_twofold: bool
) -> None:
    log = InterleavedLog()
    feeds, expected = Feeds(gateway, tmp_path, log), list[str]()
    (interest,) = await feeds.register(NOTARY, HOA)
    await feeds.register(NOTARY, LAN, *([HOA] if is_twofold else []))
    after = (await feeds.read(NOTARY)).end_cursor if begins == "at a cursor" else None
    expected.append((await feeds.happen(BLOCK, LAN)).id)

    async def end_and_happen() -> None:
        await feeds.parts.interests.end(require_events(NOTARY), [interest.id])
        event = await feeds.happen(BLOCK, HOA)
        expected.extend([event.id] if is_twofold else [])
        expected.append((await feeds.happen(BLOCK, LAN)).id)

    log.calls, log.before, log.act = 0, before, end_and_happen
    events: list[str] = []
    for _ in range(CALLS):
        page = await feeds.read(NOTARY, after=after)
        events += [edge.event.id for edge in page.edges]
        after = page.end_cursor
    assert log.is_done
    assert events == expected


async def test_what_cannot_be_told_of_an_interest_is_not_told_once_it_has_ended(
    tmp_path: Path,
) -> None:
    """An event of which the database does not say whether it may be shown."""
    unreadable: dict[str, object] = {"event_id": None, "citizen_id": HOA}
    backends = world({"civil_status": {"deaths": [unreadable]}})
    async with running(tmp_path, backends, ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        for before in range(CALLS):
            folder, log = tmp_path / str(before), InterleavedLog()
            folder.mkdir()
            feeds = Feeds(gateway, folder, log)
            (interest,) = await feeds.register(NOTARY, HOA)
            await feeds.register(NOTARY, LAN)
            after = (await feeds.read(NOTARY)).end_cursor
            log.calls, log.before = 0, before
            log.act = partial(end_and_die, feeds, interest)
            kinds: list[LifeEventKind] = []
            for _ in range(CALLS):
                page = await feeds.read(NOTARY, after=after)
                kinds += [edge.event.kind for edge in page.edges]
                after = page.end_cursor
            assert log.is_done
            assert kinds == []


@pytest.mark.parametrize("before", range(CALLS))
async def test_events_of_an_interest_that_another_process_seals_meanwhile_are_not_passed_silently(
    gateway: Running, tmp_path: Path, before: int
) -> None:
    """The process that reads does not have the new key yet."""
    log = InterleavedLog()
    feeds = Feeds(gateway, tmp_path, log, keys=Keyring(OLD_KEY))
    both = replace(feeds, keys=Keyring(NEW_KEY, (OLD_KEY,)))
    await feeds.register(NOTARY, LAN)
    after = (await feeds.read(NOTARY)).end_cursor
    await feeds.happen(BLOCK, LAN)
    events: list[str] = []

    async def register_and_happen() -> None:
        await both.register(NOTARY, HOA)
        events.append((await feeds.happen(BLOCK, HOA)).id)

    log.calls, log.before, log.act = 0, before, register_and_happen
    for _ in range(CALLS):
        after = (await feeds.read(NOTARY, after=after)).end_cursor
    assert log.is_done
    kinds = {edge.event.kind for edge in (await both.read(NOTARY, after=after)).edges}
    assert kinds == {LifeEventKind.EVENTS_MISSED}
