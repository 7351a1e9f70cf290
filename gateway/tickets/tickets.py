"""Tickets as the gateway hands them out: sealed in their store, and found by whoever has the text.

The key is derived from the cache's (decision 66). The text of a ticket is 256 random bits, of which
the store has a keyed hash only.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, Secret
from gateway.runtime.clock import Clock
from gateway.settings import TicketSettings
from gateway.storage.sealing import Sealing
from gateway.tickets.store import SealedTicket, TicketStore

#: Bytes of a ticket, and of its text at most: longer texts are no tickets.
_BYTES, _LONGEST = 32, 64
#: Tickets that are looked at in one visit at most.
_MOST_DUE = 200


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket that was found. ``id``: in the store. ``content``: what it holds."""

    id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Tickets:
    """Leaves, finds and takes tickets. Methods raise StoreUnavailable where the store is gone.

    ``hold_seconds``: for which a process has a ticket that is due to itself.
    """

    store: TicketStore
    settings: TicketSettings
    keys: Keyring
    clock: Clock
    hold_seconds: float

    async def leave(self, client: str, content: bytes) -> str:
        """Keep ``content`` for ``tickets.life_seconds``; returns the text of the ticket.

        Raises GatewayError TOO_MANY_TICKETS.
        """
        text, now = secrets.token_urlsafe(_BYTES), self._now()
        ticket_id = _id(self.keys.current, text)
        ticket = SealedTicket(
            ticket_id,
            self._client(client),
            self._sealing.seal(ticket_id, content),
            now + self.settings.life_seconds,
        )
        most, of_client = self.settings.most, self.settings.most_per_client
        if not await self.store.put(ticket, now, most, of_client):
            raise GatewayError("TOO_MANY_TICKETS", details={"limit": of_client})
        return text

    def expires(self) -> datetime:
        """Return when a ticket that is left now expires."""
        return datetime.fromtimestamp(self._now() + self.settings.life_seconds, UTC)

    async def find(self, text: str) -> OpenTicket | None:
        """Return the ticket with this text, if there is one."""
        for ticket_id in self._ids(text):
            content = await self.open(ticket_id)
            if content is not None:
                return OpenTicket(ticket_id, content)
        return None

    async def open(self, ticket_id: str) -> bytes | None:
        """Return what a ticket holds; None: it is gone, or was sealed with a key that is gone."""
        value = await self.store.get(ticket_id, self._now())
        return None if value is None else self._sealing.open(ticket_id, value)

    async def answer(self, ticket_id: str, content: bytes) -> None:
        """Replace what a ticket holds: it waits no more."""
        await self.store.replace(ticket_id, self._sealing.seal(ticket_id, content), None)

    async def keep_waiting(self, ticket_id: str, content: bytes, seconds: float) -> None:
        """Replace what a ticket holds: it is due again after ``seconds``."""
        sealed = self._sealing.seal(ticket_id, content)
        await self.store.replace(ticket_id, sealed, self._now() + seconds)

    async def take(self, ticket_id: str, client: str) -> bool:
        """Remove a ticket; whether it was there: it is fetched once."""
        return await self.store.take(ticket_id, self._client(client))

    async def claim_due(self) -> Sequence[str]:
        """Return the ids of tickets that are due, which nobody else looks at for a while."""
        now = self._now()
        return [
            ticket_id
            for ticket_id in await self.store.due(now, _MOST_DUE)
            if await self.store.claim(ticket_id, now, now + self.hold_seconds)
        ]

    @property
    def _sealing(self) -> Sealing:
        return Sealing(self.keys, b"check tickets")

    def _now(self) -> float:
        return self.clock.now().timestamp()

    def _client(self, client: str) -> str:
        return self.keys.oldest.mac(b"client of tickets " + client.encode())

    def _ids(self, text: str) -> Iterator[str]:
        if len(text) <= _LONGEST:
            yield from (_id(secret, text) for secret in self.keys.all)


def _id(secret: Secret, text: str) -> str:
    return secret.mac(b"ticket " + text.encode())
