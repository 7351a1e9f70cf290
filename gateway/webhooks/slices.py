"""Slices of a feed, as webhooks take them: by positions of the event log.

A webhook delivers what ``gateway.changes.feed.read_feed`` shows to whoever registered it, and
nothing else. Cursors of a feed are different each time that they are made; positions are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.access.caller import Caller
from gateway.changes.event import LifeEvent
from gateway.changes.feed import FeedParts, answering, read_feed
from gateway.changes.feed_cursors import FeedCursors, FeedPlace
from gateway.changes.feed_scope import visible_date
from gateway.changes.interests import Interest, InterestOwner
from gateway.changes.log import PositionExpired
from gateway.changes.webhooks.webhook import Webhook, WebhookDelivery
from gateway.errors import GatewayError

#: Events that are read at once to find one of them, and how often at most.
_NEARBY, _MOST_READS = 20, 5
#: Codes of a position that the log no longer has, or that is of another log.
_LOST = frozenset({"CURSOR_EXPIRED", "INVALID_VALUE"})


class PositionLost(Exception):
    """The event log no longer has what comes after a position."""


class DecisionWaits(Exception):
    """Whether an event may be shown is not known until a database answers or a key is back."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An event of a feed. ``position``: of its entry; ``after``: the place that it comes after."""

    event: LifeEvent
    interest: Interest | None
    position: str
    after: str | None


@dataclass(frozen=True, slots=True)
class FeedSlice:
    """A part of a feed. ``end``: the place where the next begins, as text (``FeedPlace``).

    ``has_more``: there may be more at once. ``is_whole``: all interests could be read.
    """

    items: Sequence[FeedItem]
    end: str
    has_more: bool
    is_waiting: bool
    is_whole: bool


async def read_slice(parts: FeedParts, webhook: Webhook, after: str | None, most: int) -> FeedSlice:
    """Return at most ``most`` events of the feed of a webhook, after a place.

    ``after`` None: from the beginning of the feed. Before the events comes EVENTS_MISSED of each
    database where the place has a gap. Raises PositionLost, and GatewayError as ``read_feed`` does.
    """
    caller = webhook.caller
    cursors = FeedCursors(parts.keys, _owner(caller))
    deadline = parts.clock.monotonic() + parts.settings.limits.deadline
    try:
        page = await read_feed(
            parts,
            caller,
            after=None if after is None else cursors.make(after),
            first=most,
            kinds=webhook.kinds or None,
            deadline=deadline,
        )
    except GatewayError as error:
        if after is not None and error.code.name in _LOST:
            raise PositionLost from None
        raise
    items = []
    for edge in page.edges:
        place, event = cursors.parse(edge.cursor), _visible(parts, caller, edge.event)
        items.append(FeedItem(event, edge.interest, FeedPlace.parse(place).position, after))
        after = place
    end = cursors.parse(page.end_cursor)
    is_whole = page.interests is not None
    return FeedSlice(items, end, page.has_more and not page.is_waiting, page.is_waiting, is_whole)


def _visible(parts: FeedParts, caller: Caller, event: LifeEvent) -> LifeEvent:
    """Return an event with its date only where the caller may see the field that says it."""
    if event.record is None:
        return event
    date = visible_date(caller, parts.sources[event.database].database, event)
    return replace(event, date=date)


def _owner(caller: Caller) -> InterestOwner:
    assert caller.client is not None
    assert caller.purpose is not None
    return InterestOwner(caller.client, caller.agency, caller.purpose)


async def list_interests(parts: FeedParts, webhook: Webhook) -> frozenset[str]:
    """Return the ids of the interests of the owner of a webhook that have not ended.

    Without those that cannot be read. Raises GatewayError EVENTS_UNAVAILABLE.
    """
    with answering():
        interests = await parts.interests.of_owner(_owner(webhook.caller), parts.clock.now())
    return frozenset(interest.id for interest in interests)


async def find_item(
    parts: FeedParts, webhook: Webhook, delivery: WebhookDelivery
) -> FeedItem | None:
    """Return the event of a delivery as the feed shows it now; None: it no longer does.

    Others before it may be shown by now that were not, and a log that lost its entry may have the
    event again at another position. Raises DecisionWaits, PositionLost, and GatewayError as
    ``read_feed`` does.
    """
    after = delivery.after
    for _ in range(_MOST_READS):
        part = await read_slice(parts, webhook, after, _NEARBY)
        for item in part.items:
            if delivery.position == item.position or delivery.event.id == item.event.id:
                return item
        try:
            if parts.log.is_before(delivery.position, FeedPlace.parse(part.end).position):
                if not part.is_whole:
                    raise DecisionWaits
                # Positions are compared by their numbers: another entry may stand there by now.
                with answering():
                    await parts.log.read(delivery.position, 1)
                return None
        except (PositionExpired, ValueError):
            raise PositionLost from None
        if part.is_waiting or not part.has_more:
            break
        after = part.end
    raise DecisionWaits
