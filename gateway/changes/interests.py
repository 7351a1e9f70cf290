"""Interests: whose events a client may see, under which purpose, and until when.

Feeds, subscriptions and webhooks rest on ``Interest`` and ``InterestStore``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.access.caller import Caller
from gateway.changes.event import LifeEventKind


@dataclass(frozen=True, slots=True)
class InterestOwner:
    """To whom interests, feeds and cursors belong: an office, under a purpose.

    ``client``: a system, which several offices may share. ``agency``: the office; None: the token
    names none, and the owner is no other than that.
    """

    client: str
    agency: str | None
    purpose: str


@dataclass(frozen=True, slots=True)
class Interest:
    """An interest of a client in the events of one person.

    ``caller``: who registered it: client, agency, subject, scopes, purpose and case number as of
    then. ``person``: the present number. ``numbers``: all numbers under which rows of the person
    may be filed, the present one included. ``kinds``: of which events. ``until``: UTC; later
    events are not shown. ``position``: the end of the event log just before the interest was put
    into the store: what came later is shown. None, or a position in a log that is gone: what was
    detected later.
    """

    id: str
    caller: Caller
    person: str
    numbers: frozenset[str]
    kinds: frozenset[LifeEventKind]
    registered_at: datetime
    until: datetime
    position: str | None = None


class InterestStore(Protocol):
    """Keeps interests until they end; what they hold is sealed. Raises StoreUnavailable."""

    async def close(self) -> None:
        """Release all resources."""
        ...

    async def put(self, interests: Sequence[Interest], most: int, now: datetime) -> bool:
        """Keep interests of one client, all or none; False where it would have more than ``most``.

        Interests that have ended do not count.
        """
        ...

    async def of_owner(self, owner: InterestOwner, now: datetime) -> Sequence[Interest]:
        """Return the interests of an owner that have not ended.

        Ordered by the moment of registration, then by id.
        """
        ...

    async def count_unreadable(self, now: datetime) -> int:
        """Return how many interests that have not ended cannot be read: their key is gone.

        Whose they are cannot be told either. While there are some, nobody knows whether an owner
        has no other interests than ``of_owner`` returns.
        """
        ...

    async def in_person(self, numbers: Collection[str], now: datetime) -> Sequence[Interest]:
        """Return everybody's interests in whoever has these numbers, for the citizen to see.

        Raises StoreUnavailable while some cannot be read: they may be in this person.
        """
        ...

    async def end(self, owner: InterestOwner, interest_ids: Collection[str]) -> int:
        """End interests of an owner; returns how many there were.

        Those that cannot be read do not count, and go on (``count_unreadable``).
        """
        ...
