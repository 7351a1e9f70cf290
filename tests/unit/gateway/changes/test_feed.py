"""The feed of a caller: who sees what, in which order, and what its silence means.

Covers ``gateway.changes.feed_cursors``, ``gateway.changes.feed_scope``, ``gateway.changes.log``,
``gateway.catalogue.life_events``, ``gateway.webhooks.slices``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.changes.event import LifeEventKind
from gateway.changes.feed import FeedState, require_events
from gateway.changes.log import FollowState
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery
from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring
from gateway.webhooks.slices import DecisionWaits, find_item, read_slice
from tests.support.feeds import PURPOSES, Feeds, events_caller
from tests.support.interest_stores import NEW_KEY, OLD_KEY
from tests.support.people import HOA, LAN, OLD_NUMBER
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, world

DEATH, BLOCK, CASE = LifeEventKind.DEATH, LifeEventKind.BLOCK_PLACED, LifeEventKind.CASE_OPENED
INTERRUPTED, MISSED = LifeEventKind.SOURCE_INTERRUPTED, LifeEventKind.EVENTS_MISSED
NOTARY = events_caller()
BOTH_KEYS = Keyring(NEW_KEY, (OLD_KEY,))


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One gateway, with databases that hold nothing: events are what a test appends."""
    folder = tmp_path_factory.mktemp("gateway")
    async with running(folder, world({}), ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        yield gateway


@pytest.fixture
def feeds(gateway: Running, tmp_path: Path) -> Feeds:
    return Feeds(gateway, tmp_path)


async def refusal(feeds: Feeds, *arguments: object, **named: object) -> str:
    with pytest.raises(GatewayError) as raised:
        await feeds.read(*arguments, **named)  # type: ignore[arg-type]
    return raised.value.code.name


async def test_events_since_the_interest_come_in_the_order_of_the_log(feeds: Feeds) -> None:
    await feeds.happen(BLOCK)
    await feeds.register(NOTARY, HOA, numbers=[OLD_NUMBER])
    block = await feeds.happen(BLOCK)
    await feeds.happen(BLOCK, LAN)
    case = await feeds.happen(CASE, OLD_NUMBER)
    page = await feeds.read(NOTARY)
    assert [edge.event for edge in page.edges] == [block, case]
    assert [edge.interest and edge.interest.person for edge in page.edges] == [HOA, HOA]
    assert (page.has_more, page.is_waiting, page.interests) == (False, False, 1)


async def test_a_caller_sees_nothing_of_another_client_purpose_or_time(feeds: Feeds) -> None:
    other_purpose = events_caller("notary-1", "enforcement-verification")
    (ended,) = await feeds.register(NOTARY, HOA)
    await feeds.register(events_caller("bank"), HOA, days=1)
    await feeds.register(other_purpose, LAN)
    event = await feeds.happen(BLOCK)
    assert await feeds.ids_of(events_caller("bank")) == [event.id]
    assert await feeds.ids_of(other_purpose) == []
    assert await feeds.ids_of(NOTARY) == [event.id]
    await feeds.parts.interests.end(require_events(NOTARY), [ended.id])
    assert await feeds.ids_of(NOTARY) == []
    feeds.gateway.clock.advance(2 * 86_400)
    assert await feeds.ids_of(events_caller("bank")) == []


async def test_offices_that_share_a_client_see_nothing_of_each_other(feeds: Feeds) -> None:
    first, second = replace(NOTARY, agency="office A"), replace(NOTARY, agency="office B")
    await feeds.register(first, HOA)
    event = await feeds.happen(BLOCK)
    page = await feeds.read(first)
    assert [edge.event.id for edge in page.edges] == [event.id]
    for other in (second, NOTARY):
        assert (await feeds.read(other)).interests == 0
        assert await feeds.ids_of(other) == []
        assert await refusal(feeds, other, after=page.edges[0].cursor) == "INVALID_VALUE"


async def test_an_interest_that_was_registered_later_shows_nothing_of_before(feeds: Feeds) -> None:
    await feeds.register(NOTARY, LAN)
    cursor = (await feeds.read(NOTARY)).end_cursor
    await feeds.happen(BLOCK, HOA)
    await feeds.register(NOTARY, HOA)
    after = await feeds.happen(BLOCK, HOA)
    assert await feeds.ids_of(NOTARY, after=cursor) == [after.id]


async def test_events_that_came_after_an_interest_was_to_end_are_not_shown(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA, days=1)
    await feeds.register(NOTARY, LAN)
    feeds.gateway.clock.advance(86_400)
    await feeds.happen(BLOCK, HOA)
    assert await feeds.ids_of(NOTARY) == []


async def test_kinds_choose_among_those_of_the_interest(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA, kinds=[BLOCK, CASE])
    block, case = await feeds.happen(BLOCK), await feeds.happen(CASE)
    await feeds.happen(DEATH)
    assert await feeds.ids_of(NOTARY) == [block.id, case.id]
    assert await feeds.ids_of(NOTARY, kinds=[CASE]) == [case.id]
    assert await feeds.ids_of(NOTARY, kinds=[DEATH]) == []


async def test_what_scope_or_purpose_do_not_permit_is_named(feeds: Feeds) -> None:
    desk = events_caller("desk", "1.000894", "civil_status:read", "notary:read")
    await feeds.register(desk, HOA, kinds=[DEATH, BLOCK, CASE])
    await feeds.happen(BLOCK)
    await feeds.happen(CASE)
    page = await feeds.read(desk)
    assert page.edges == []
    assert {(each.kind, each.record): each.missing for each in page.denied} == {
        (BLOCK, "preventive_infos"): ("purpose:notary.preventive_infos",),
        (CASE, "cases"): ("civil_enforcement:read", "purpose:civil_enforcement.cases"),
    }
    assert [source.database for source in page.sources] == ["civil_status"]


async def test_kinds_that_settings_took_from_the_purpose_are_shown_no_more(feeds: Feeds) -> None:
    caller = events_caller("notary-1", "notarised-transfer")
    await feeds.register(caller, HOA)
    await feeds.happen(BLOCK)
    page = await feeds.read(caller)
    assert (page.edges, page.sources) == ([], [])
    assert ("purpose:interest.BLOCK_PLACED",) in {each.missing for each in page.denied}


async def test_who_may_not_read_events_is_refused(feeds: Feeds) -> None:
    assert await refusal(feeds, replace(NOTARY, scopes=frozenset({"notary:read"}))) == "FORBIDDEN"
    assert await refusal(feeds, replace(NOTARY, purpose=None)) == "PURPOSE_REQUIRED"


async def test_pages_go_on_where_the_last_ended_also_after_a_restart(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA)
    events = [(await feeds.happen(BLOCK)).id for _ in range(5)]
    page = await feeds.read(NOTARY, first=2)
    assert await feeds.ids_of(NOTARY, after=page.edges[0].cursor, first=1) == events[1:2]
    pages = [page]
    while page.has_more:
        page = await feeds.read(NOTARY, after=page.end_cursor, first=2)
        pages.append(page)
    assert len(pages) == 3
    assert [edge.event.id for each in pages for edge in each.edges] == events
    later = await feeds.happen(CASE)
    assert await feeds.ids_of(NOTARY, after=page.end_cursor) == [later.id]


async def test_a_full_page_at_the_end_of_the_log_is_the_last(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA)
    await feeds.happen(BLOCK)
    await feeds.happen(BLOCK, LAN)
    assert not (await feeds.read(NOTARY, first=1)).has_more


async def test_a_page_opens_a_bounded_part_of_the_log(
    feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.changes.feed.LONGEST_SCAN", 4)
    monkeypatch.setattr("gateway.changes.feed._CHUNK", 2)
    await feeds.register(NOTARY, HOA)
    for _ in range(5):
        await feeds.happen(BLOCK, LAN)
    event = await feeds.happen(BLOCK)
    page = await feeds.read(NOTARY)
    assert (page.edges, page.has_more) == ([], True)
    assert {source.complete_until for source in page.sources} == {None}
    assert await feeds.ids_of(NOTARY, after=page.end_cursor) == [event.id]


async def test_a_cursor_is_of_one_owner(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA)
    cursor = (await feeds.read(NOTARY)).end_cursor
    for caller in (events_caller("bank"), events_caller("notary-1", "1.000894")):
        assert await refusal(feeds, caller, after=cursor) == "INVALID_VALUE"
    changed = cursor[:-3] + ("AAA" if cursor[-3:] != "AAA" else "BBB")
    for forged in ("", "x", "ä", "a.0", changed, cursor + "A", cursor * 20):
        assert await refusal(feeds, NOTARY, after=forged) == "INVALID_VALUE"


async def test_a_cursor_survives_a_rotation_while_the_former_key_is_there(feeds: Feeds) -> None:
    old = replace(feeds, keys=Keyring(OLD_KEY))
    await old.register(NOTARY, HOA)
    cursor = (await old.read(NOTARY)).end_cursor
    event = await feeds.happen(BLOCK)
    both = replace(feeds, keys=Keyring(NEW_KEY, (OLD_KEY,)))
    assert await both.ids_of(NOTARY, after=cursor) == [event.id]
    assert await refusal(feeds, NOTARY, after=cursor) == "INVALID_VALUE"


async def test_no_feed_is_complete_while_interests_of_nobody_knows_whom_cannot_be_read(
    feeds: Feeds,
) -> None:
    old, new = replace(feeds, keys=Keyring(OLD_KEY)), replace(feeds, keys=Keyring(NEW_KEY))
    await old.register(NOTARY, HOA, days=1)
    await new.register(NOTARY, LAN)
    event = await feeds.happen(BLOCK, LAN)
    for caller, events in ((NOTARY, [event.id]), (events_caller("bank"), [])):
        page = await new.read(caller)
        assert [edge.event.id for edge in page.edges] == events
        assert page.interests is None, "there may be others"
        assert {source.complete_until for source in page.sources} == {None}
    feeds.gateway.clock.advance(86_400)
    page = await new.read(NOTARY)
    assert page.interests == 1
    assert {source.complete_until for source in page.sources} != {None}


@pytest.mark.parametrize("begins", ["at the interest", "at a cursor"])
async def test_what_a_cursor_passed_while_interests_could_not_be_read_may_be_missed(
    feeds: Feeds, begins: str
) -> None:
    new, both = (replace(feeds, keys=keys) for keys in (Keyring(NEW_KEY), BOTH_KEYS))
    await replace(feeds, keys=Keyring(OLD_KEY)).register(NOTARY, HOA)
    await new.register(NOTARY, LAN)
    after = None if begins == "at the interest" else (await new.read(NOTARY)).end_cursor
    await feeds.happen(BLOCK)
    shown = await feeds.happen(BLOCK, LAN)
    page = await new.read(NOTARY, after=after)
    assert [edge.event for edge in page.edges] == [shown]
    later = await feeds.happen(BLOCK)
    databases = ("civil_status", "notary", "civil_enforcement")
    for cursor in (page.end_cursor, page.edges[0].cursor):
        *missed, last = (await both.read(NOTARY, after=cursor)).edges
        assert [(edge.event.kind, edge.event.database) for edge in missed] == [
            (MISSED, name) for name in databases
        ]
        assert {edge.event.since for edge in missed} == {None}
        assert last.event == later
        assert await both.ids_of(NOTARY, after=missed[0].cursor) == [later.id], "it is told once"


async def test_a_feed_that_begins_while_interests_cannot_be_read_may_miss_their_events(
    feeds: Feeds,
) -> None:
    new, both = (replace(feeds, keys=keys) for keys in (Keyring(NEW_KEY), BOTH_KEYS))
    await replace(feeds, keys=Keyring(OLD_KEY)).register(NOTARY, HOA)
    await feeds.happen(BLOCK)
    cursor = (await new.read(NOTARY)).end_cursor
    cursor = (await new.read(NOTARY, after=cursor)).end_cursor
    assert {edge.event.kind for edge in (await both.read(NOTARY, after=cursor)).edges} == {MISSED}


async def test_a_webhook_that_went_on_while_interests_could_not_be_read_says_that_events_are_missed(
    feeds: Feeds,
) -> None:
    new, both = (replace(feeds, keys=keys) for keys in (Keyring(NEW_KEY), BOTH_KEYS))
    webhook = Webhook("w", "https://a.test", NOTARY, frozenset(), feeds.now, None, feeds.now)
    await replace(feeds, keys=Keyring(OLD_KEY)).register(NOTARY, HOA)
    begin = await feeds.log.end()
    await feeds.happen(BLOCK)
    page = await read_slice(new.parts, webhook, begin, 100)
    assert page.items == []
    later = await feeds.happen(BLOCK)
    page = await read_slice(both.parts, webhook, page.end, 100)
    *missed, item = page.items
    assert {each.event.kind for each in missed} == {MISSED}
    assert item.event == later
    assert page.end == await feeds.log.end()
    delivery = WebhookDelivery(
        later, item.position, item.after, HOA, "C-1", created_at=feeds.now, decided_at=None
    )
    assert await find_item(both.parts, webhook, delivery) == item
    with pytest.raises(DecisionWaits):  # its interest cannot be read now, and may well stand
        await find_item(new.parts, webhook, delivery)


async def test_a_cursor_that_did_not_move_while_interests_could_not_be_read_misses_nothing(
    feeds: Feeds,
) -> None:
    new, both = (replace(feeds, keys=keys) for keys in (Keyring(NEW_KEY), BOTH_KEYS))
    await replace(feeds, keys=Keyring(OLD_KEY)).register(NOTARY, HOA)
    cursor = (await both.read(NOTARY)).end_cursor
    cursor = (await new.read(NOTARY, after=cursor)).end_cursor
    event = await feeds.happen(BLOCK)
    assert await both.ids_of(NOTARY, after=cursor) == [event.id]


async def test_a_cursor_that_the_log_outlived_is_said_to_have_expired(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA)
    cursor = (await feeds.read(NOTARY)).end_cursor
    await feeds.happen(BLOCK)
    feeds.log.removed = 1
    assert await refusal(feeds, NOTARY, after=cursor) == "CURSOR_EXPIRED"
    feeds.log.removed, feeds.log.epoch = 0, "b"
    assert await refusal(feeds, NOTARY, after=cursor) == "CURSOR_EXPIRED"


async def test_a_feed_that_begins_after_the_interest_says_what_it_missed(feeds: Feeds) -> None:
    (interest,) = await feeds.register(NOTARY, HOA)
    await feeds.happen(BLOCK)
    feeds.log.removed = 1
    page = await feeds.read(NOTARY)
    missed = [(each.event.kind, each.event.database, each.event.since) for each in page.edges]
    databases = ("civil_status", "notary", "civil_enforcement")
    assert missed == [(MISSED, name, interest.registered_at) for name in databases]
    later = await feeds.happen(BLOCK)
    assert await feeds.ids_of(NOTARY, after=page.end_cursor) == [later.id]


async def test_in_a_new_log_interests_go_on_by_the_clock(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA)
    feeds.log.epoch, feeds.log.events = "b", []
    cursor = (await feeds.read(NOTARY)).end_cursor
    event = await feeds.happen(BLOCK)
    assert await feeds.ids_of(NOTARY, after=cursor) == [event.id]


async def test_events_about_a_source_come_to_all_who_see_the_database(feeds: Feeds) -> None:
    desk = events_caller("desk", "1.000894", "civil_status:read")
    for caller in (NOTARY, desk):
        await feeds.register(caller, HOA)
    notice = await feeds.happen(INTERRUPTED, None, database="notary")
    assert await feeds.ids_of(NOTARY, kinds=[BLOCK]) == [notice.id]
    assert await feeds.ids_of(NOTARY, kinds=[DEATH]) == []
    assert await feeds.ids_of(desk) == []


async def test_a_page_says_how_complete_it_is_of_each_database(feeds: Feeds) -> None:
    feeds.followed = ("notary", "civil_enforcement")
    await feeds.register(NOTARY, HOA, kinds=[DEATH, BLOCK, CASE])
    complete = feeds.now - timedelta(seconds=3)
    await feeds.append([], "notary", complete)
    page = await feeds.read(NOTARY)
    assert {each.database: (each.state, each.complete_until) for each in page.sources} == {
        "civil_status": (FeedState.NOT_FOLLOWED, None),
        "notary": (FeedState.FOLLOWED, complete),
        "civil_enforcement": (FeedState.INTERRUPTED, None),
    }
    await feeds.append([], "notary", complete, FollowState.INTERRUPTED)
    (_, notary, _) = (await feeds.read(NOTARY)).sources
    assert (notary.state, notary.complete_until) == (FeedState.INTERRUPTED, complete)
    assert notary.since == feeds.now


async def test_a_page_that_does_not_reach_the_status_is_not_complete(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA, kinds=[BLOCK])
    for _ in range(3):
        await feeds.happen(BLOCK)
    first = await feeds.read(NOTARY, first=2)
    assert [each.complete_until for each in first.sources] == [None]
    last = await feeds.read(NOTARY, after=first.end_cursor, first=2)
    assert [each.complete_until for each in last.sources] == [feeds.now]


async def test_without_an_interest_a_feed_says_so(feeds: Feeds) -> None:
    await feeds.happen(BLOCK)
    page = await feeds.read(NOTARY)
    assert (page.edges, page.interests) == ([], 0)
    assert [each.database for each in page.sources] != []
    await feeds.register(NOTARY, HOA)
    event = await feeds.happen(BLOCK)
    assert await feeds.ids_of(NOTARY, after=page.end_cursor) == [event.id]


async def test_a_log_or_store_that_does_not_answer_is_no_empty_feed(feeds: Feeds) -> None:
    await feeds.register(NOTARY, HOA)
    feeds.log.is_down = True
    assert await refusal(feeds, NOTARY) == "EVENTS_UNAVAILABLE"
    feeds.log.is_down = False
    (feeds.folder / "interests.sqlite").write_bytes(b"no database" * 100)
    assert await refusal(feeds, NOTARY) == "EVENTS_UNAVAILABLE"
