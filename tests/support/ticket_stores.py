"""What every store of tickets does: functions that each take an empty store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from gateway.tickets.store import SealedTicket, TicketStore

NOW, LATER, END = 1_000.0, 1_500.0, 2_000.0


def sealed(name: str, client: str = "c", expires: float = END) -> SealedTicket:
    """Return a ticket that holds its own name."""
    return SealedTicket(name, client, name.encode(), expires)


async def put(store: TicketStore, ticket: SealedTicket, now: float = NOW) -> bool:
    """Put a ticket where there may be four, and two of a client."""
    return await store.put(ticket, now, 4, 2)


async def keeps_what_it_is_given(store: TicketStore) -> None:
    """Keep, replace, take."""
    assert await put(store, sealed("a"))
    assert await store.get("a", NOW) == b"a"
    assert await store.get("b", NOW) is None
    await store.replace("a", b"\x00\xff", None)
    assert await store.get("a", NOW) == b"\x00\xff"
    await store.replace("b", b"b", None)
    assert await store.get("b", NOW) is None


async def lets_one_take(store: TicketStore) -> None:
    """Of several who take a ticket at once one gets it."""
    await put(store, sealed("a"))
    taken = await asyncio.gather(*(store.take("a", "c") for _ in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    assert await store.get("a", NOW) is None
    assert await store.due(NOW, 9) == []


async def bounds_tickets(store: TicketStore) -> None:
    """Two of a client, four in all; what was taken no longer counts."""
    assert await put(store, sealed("a"))
    assert await put(store, sealed("b"))
    assert not await put(store, sealed("c"))
    assert await put(store, sealed("d", "other"))
    assert await put(store, sealed("e", "other"))
    assert not await put(store, sealed("f", "third"))
    assert await store.take("a", "c")
    assert await put(store, sealed("f", "third"))


async def forgets_what_has_expired(store: TicketStore) -> None:
    """What has expired no longer counts."""
    assert await put(store, sealed("a", expires=LATER))
    assert await put(store, sealed("b", expires=LATER))
    assert await put(store, sealed("c"), now=LATER)


async def gives_each_to_one_at_a_time(store: TicketStore) -> None:
    """A ticket that is claimed is due to nobody else until then."""
    await put(store, sealed("a"))
    await put(store, sealed("b"), now=NOW + 1)
    assert await store.due(NOW, 9) == ["a"]
    assert await store.due(NOW + 1, 9) == ["a", "b"]
    assert await store.due(NOW + 1, 1) == ["a"]
    claims = await asyncio.gather(*(store.claim("a", NOW, LATER) for _ in range(8)))
    assert sorted(claims) == [False] * 7 + [True]
    assert await store.due(NOW + 1, 9) == ["b"]
    assert await store.due(LATER, 9) == ["b", "a"]
    assert not await store.claim("nothing", NOW, LATER)


async def keeps_waiting_or_does_not(store: TicketStore) -> None:
    """What is replaced is due when it says, or never."""
    await put(store, sealed("a"))
    await put(store, sealed("b"))
    await store.replace("a", b"answer", None)
    await store.replace("b", b"later", LATER)
    assert await store.due(NOW, 9) == []
    assert await store.due(LATER, 9) == ["b"]
    assert await store.get("a", NOW) == b"answer"


CASES: Mapping[str, Callable[[TicketStore], Awaitable[None]]] = {
    case.__name__.replace("_", " "): case
    for case in (
        keeps_what_it_is_given,
        lets_one_take,
        bounds_tickets,
        forgets_what_has_expired,
        gives_each_to_one_at_a_time,
        keeps_waiting_or_does_not,
    )
}
