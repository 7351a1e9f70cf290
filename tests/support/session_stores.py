"""What every store of sessions does: functions that each take an empty store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from gateway.sessions.store import SealedSession, SessionStore

NOW, LATER, END = 1_000.0, 1_500.0, 2_000.0


def sealed(value: bytes = b"\x00a\xff", expires: float = END) -> SealedSession:
    """Return a session that is gone at the end."""
    return SealedSession(value, expires)


async def keeps_what_it_is_given(store: SessionStore) -> None:
    """Keep, replace, remove."""
    await store.put("a", sealed(), NOW)
    assert await store.get("a", NOW) == sealed()
    assert await store.get("b", NOW) is None
    assert await store.replace("a", sealed(b"new", LATER), NOW)
    assert await store.get("a", NOW) == sealed(b"new", LATER)
    await store.remove("a")
    await store.remove("a")
    assert await store.get("a", NOW) is None


async def brings_nothing_back(store: SessionStore) -> None:
    """What is removed, or has expired, is neither replaced nor prolonged nor claimed."""
    await store.put("a", sealed(expires=LATER), NOW)
    for session_id, now in (("a", LATER), ("b", NOW)):
        assert not await store.replace(session_id, sealed(), now)
        await store.prolong(session_id, END, now)
        assert not await store.claim(session_id, now, END)
        assert await store.get(session_id, now) is None


async def forgets_what_has_expired(store: SessionStore) -> None:
    """A session is there until it expires, which may be put off."""
    await store.put("a", sealed(expires=LATER), NOW)
    assert await store.get("a", LATER - 1) is not None
    assert await store.get("a", LATER) is None
    await store.put("b", sealed(expires=LATER), NOW)
    await store.prolong("b", END, NOW)
    assert await store.get("b", LATER) == sealed()


async def lets_one_claim(store: SessionStore) -> None:
    """Of several who claim a session at once one gets it, until its time is up, or replaced."""
    await store.put("a", sealed(), NOW)
    claims = await asyncio.gather(*(store.claim("a", NOW, LATER) for _ in range(8)))
    assert sorted(claims) == [False] * 7 + [True]
    assert await store.claim("a", LATER, LATER + 10)
    assert not await store.claim("a", LATER, LATER + 10)
    assert await store.replace("a", sealed(), LATER)
    assert await store.claim("a", LATER, LATER + 10)


CASES: Mapping[str, Callable[[SessionStore], Awaitable[None]]] = {
    case.__name__.replace("_", " "): case
    for case in (
        keeps_what_it_is_given,
        brings_nothing_back,
        forgets_what_has_expired,
        lets_one_claim,
    )
}
