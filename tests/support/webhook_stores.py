"""What every store of webhooks does: functions that each take an empty store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from gateway.changes.log import LONGEST_LEASE
from gateway.changes.webhooks.store import (
    ResealedDelivery,
    SealedDelivery,
    SealedWebhook,
    WebhookChanges,
    WebhookStore,
)

NOW, UNTIL, LATER = 1_000.0, 1_060.0, 1_120.0


def sealed(name: str, client: str = "c") -> SealedWebhook:
    """Return a webhook that holds its own name."""
    return SealedWebhook(name, client, name.encode(), b"new \xff")


def delivery(event: str, value: bytes = b"\x00\xff") -> SealedDelivery:
    """Return the delivery of an event."""
    return SealedDelivery(event, value)


async def put(store: WebhookStore, webhook: SealedWebhook) -> bool:
    """Put a webhook where there may be four, and two of a client."""
    return await store.put(webhook, 4, 2)


async def held(store: WebhookStore, *events: str, name: str = "a", by: str = "p") -> None:
    """Put a webhook, take its lease, and have it deliver these events."""
    assert await put(store, sealed(name))
    assert await store.claim(name, by, NOW, UNTIL)
    added = [delivery(event, event.encode()) for event in events]
    assert await store.apply(name, by, NOW, WebhookChanges(b"p1", added=added))


async def events(store: WebhookStore, name: str = "a") -> Sequence[str]:
    """Return the events that are pending, in order."""
    return [each.event for each in await store.pending(name, 99)]


async def keeps_what_it_is_given(store: WebhookStore) -> None:
    """Keep, find, list, end."""
    assert await store.get("a") is None
    assert await store.of_client("c") == []
    assert await put(store, sealed("b"))
    assert await put(store, sealed("a"))
    assert await put(store, sealed("d", "other"))
    assert await store.get("a") == sealed("a")
    assert await store.of_client("c") == [sealed("a"), sealed("b")]
    assert await store.all() == [sealed("a"), sealed("b"), sealed("d", "other")]
    assert not await store.end("a", "other"), "it is another client's"
    assert await store.get("a") == sealed("a")
    assert await store.end("a", "c")
    assert not await store.end("a", "c")
    assert await store.of_client("c") == [sealed("b")]


async def replaces_what_nobody_has_changed(store: WebhookStore) -> None:
    """A new value and another hash of the client, where those of before still stand."""
    await held(store, "1")
    before = await store.get("a")
    assert before is not None
    assert await store.replace(before, "moved", b"renewed \xff")
    assert not await store.replace(before, "c", b"late")
    assert await store.of_client("c") == []
    after = SealedWebhook("a", "moved", b"renewed \xff", b"p1")
    assert await store.of_client("moved") == [after]
    assert await store.replace(after, "moved", b"again")
    assert await store.get("a") == SealedWebhook("a", "moved", b"again", b"p1")
    assert await events(store) == ["1"]
    assert not await store.replace(sealed("no such"), "c", b"")
    assert await store.end("a", "moved")


async def remembers_that_its_removal_was_requested(store: WebhookStore) -> None:
    """Beside a webhook that is there, whatever becomes of its value, until it ends."""
    assert not await store.request_removal("a", b"by")
    await put(store, sealed("a"))
    assert await store.request_removal("a", b"first \xff")
    assert await store.request_removal("a", b"by \xff")
    assert await store.replace(sealed("a"), "moved", b"renewed")
    requested = SealedWebhook("a", "moved", b"renewed", b"new \xff", b"by \xff")
    assert await store.get("a") == requested
    assert await store.all() == [requested]
    assert await store.end("a", "moved")
    await put(store, sealed("a"))
    assert await store.get("a") == sealed("a")


async def bounds_webhooks(store: WebhookStore) -> None:
    """Two of a client, four in all; what was ended no longer counts."""
    assert await put(store, sealed("a"))
    assert await put(store, sealed("b"))
    assert not await put(store, sealed("c"))
    assert await put(store, sealed("d", "other"))
    assert await put(store, sealed("e", "other"))
    assert not await put(store, sealed("f", "third"))
    assert await store.end("a", "c")
    assert await put(store, sealed("f", "third"))


async def gives_the_lease_to_one(store: WebhookStore) -> None:
    """Of several who claim a webhook one gets it, until it is released or over."""
    await put(store, sealed("a"))
    assert await store.claimable(NOW) == ["a"]
    claims = [store.claim("a", holder, NOW, UNTIL) for holder in "pqrstu"]
    assert sorted(await asyncio.gather(*claims)) == [False] * 5 + [True]
    assert await store.claimable(NOW) == []
    assert await store.claimable(UNTIL) == ["a"]
    assert await store.claim("a", "z", UNTIL, LATER), "the lease of the first is over"
    assert not await store.claim("a", "p", UNTIL, LATER)
    await store.release("a", "p")
    assert await store.claimable(UNTIL) == [], "who lost a lease cannot give it up"
    await store.release("a", "z")
    assert await store.claimable(UNTIL) == ["a"]
    assert await store.claim("a", "p", UNTIL, LATER)
    assert await store.claim("a", "p", UNTIL, LATER), "extending"
    assert not await store.claim("no such", "p", NOW, UNTIL)


async def takes_over_a_lease_that_a_clock_ahead_gave(store: WebhookStore) -> None:
    """Its holder is gone, and the clock was set back since."""
    await put(store, sealed("a"))
    ahead = NOW + 86_400
    assert await store.claim("a", "p", ahead, ahead + 60)
    almost = ahead + 60 - LONGEST_LEASE
    assert await store.claimable(almost) == []
    assert not await store.claim("a", "q", almost, almost + 60)
    assert await store.claimable(NOW) == ["a"]
    assert await store.claim("a", "q", NOW, UNTIL)
    assert await store.claimable(NOW) == []
    assert not await store.apply("a", "p", NOW, WebhookChanges(b"p"))


async def changes_for_whoever_has_the_lease(store: WebhookStore) -> None:
    """Nothing changes without the lease, nor once it is over."""
    await held(store, "1")
    assert not await store.apply("a", "q", NOW, WebhookChanges(b"q", settled=["1"]))
    assert not await store.apply("a", "p", UNTIL, WebhookChanges(b"p", settled=["1"]))
    await store.release("a", "p")
    assert not await store.apply("a", "p", NOW, WebhookChanges(b"p", settled=["1"]))
    found = await store.get("a")
    assert found is not None
    assert found.progress == b"p1"
    assert await events(store) == ["1"]


async def keeps_deliveries_in_order(store: WebhookStore) -> None:
    """Added ones come last, replaced ones keep their place, settled ones go."""
    await held(store, "2", "1", "3")
    again = WebhookChanges(b"p2", added=[delivery("1", b"again"), delivery("4")])
    assert await store.apply("a", "p", NOW, again)
    assert await events(store) == ["2", "1", "3", "4"]
    replaced = WebhookChanges(
        b"p3", replaced=[delivery("1", b"tried"), delivery("9", b"none")], settled=["2"]
    )
    assert await store.apply("a", "p", NOW, replaced)
    assert await store.pending("a", 2) == [delivery("1", b"tried"), delivery("3", b"3")]
    assert await store.count_pending("a") == 3
    assert await events(store) == ["1", "3", "4"]


async def keeps_dead_letters(store: WebhookStore) -> None:
    """They wait apart, and come back behind everything that is pending, once."""
    await held(store, "1", "2", "3")
    dead = WebhookChanges(b"p2", dead=[delivery("1", b"dead"), delivery("2", b"dead")])
    assert await store.apply("a", "p", NOW, dead)
    assert await events(store) == ["3"]
    assert await store.dead("a", 1) == [delivery("1", b"dead")]
    assert await store.dead("a", 9, 1) == [delivery("2", b"dead")]
    assert await store.dead("a", 1, 1) == [delivery("2", b"dead")]
    assert await store.dead("a", 9, 2) == []
    assert await store.count_dead("a") == 2
    again = WebhookChanges(b"p3", added=[delivery("1", b"again")])
    assert await store.apply("a", "p", NOW, again), "the log has the event twice"
    assert await store.count_dead("a") == 2
    revived = [delivery("1", b"new"), delivery("3", b"new"), delivery("9", b"new")]
    assert await store.revive("a", revived) == 1
    assert await store.revive("a", revived) == 0
    assert await store.pending("a", 9) == [delivery("3", b"3"), delivery("1", b"new")]
    assert await store.dead("a", 9) == [delivery("2", b"dead")]
    settled = WebhookChanges(b"p4", settled=["2", "1"], forgotten=["3"])
    assert await store.apply("a", "p", NOW, settled), "each is something else by now"
    assert (await store.count_dead("a"), await events(store)) == (1, ["3"])
    forgotten = WebhookChanges(b"p5", settled=["3"], forgotten=["2", "9"])
    assert await store.apply("a", "p", NOW, forgotten)
    assert (await store.count_dead("a"), await events(store)) == (0, [])
    assert await store.find("a", ["1", "2", "3"]) == []


async def finds_and_reseals_deliveries(store: WebhookStore) -> None:
    """Pending ones and dead letters; what has changed meanwhile stays as it is."""
    await held(store, "1", "2", "3")
    await store.apply("a", "p", NOW, WebhookChanges(b"p2", dead=[delivery("2", b"dead")]))
    found = await store.find("a", ["3", "9", "2"])
    assert {each.event: each.value for each in found} == {"3": b"3", "2": b"dead"}
    assert await store.find("a", []) == []
    assert await store.find("no such", ["1"]) == []
    resealed = [
        ResealedDelivery("1", b"1", b"new \xff"),
        ResealedDelivery("2", b"dead", b"new"),
        ResealedDelivery("3", b"former", b"late"),
    ]
    assert await store.apply("a", "p", NOW, WebhookChanges(b"p3", resealed=resealed))
    assert await store.pending("a", 9) == [delivery("1", b"new \xff"), delivery("3", b"3")]
    assert await store.dead("a", 9) == [delivery("2", b"new")]


async def forgets_the_deliveries_of_what_ended(store: WebhookStore) -> None:
    """Neither its holder nor a webhook of the same id has them."""
    await held(store, "1", "2")
    await store.apply("a", "p", NOW, WebhookChanges(b"p2", dead=[delivery("2")]))
    assert await store.end("a", "c")
    assert not await store.apply("a", "p", NOW, WebhookChanges(b"p3", added=[delivery("3")]))
    assert await store.revive("a", [delivery("2")]) == 0
    await put(store, sealed("a"))
    assert (await events(store), await store.count_dead("a")) == ([], 0)


CASES: Mapping[str, Callable[[WebhookStore], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        keeps_what_it_is_given,
        replaces_what_nobody_has_changed,
        remembers_that_its_removal_was_requested,
        bounds_webhooks,
        gives_the_lease_to_one,
        takes_over_a_lease_that_a_clock_ahead_gave,
        changes_for_whoever_has_the_lease,
        keeps_deliveries_in_order,
        keeps_dead_letters,
        finds_and_reseals_deliveries,
        forgets_the_deliveries_of_what_ended,
    )
}
