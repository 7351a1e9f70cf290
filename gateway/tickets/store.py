"""Where tickets are kept: in Redis where processes share one, else in a file of SQLite.

A store knows no more than ids, a hash of the client, and times: what a ticket holds is sealed
(``gateway.tickets.tickets``). Times are seconds since 1970 of the gateway's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SealedTicket:
    """A ticket as a store has it. ``client``: a keyed hash; ``expires``: then it is gone."""

    id: str
    client: str
    value: bytes
    expires: float


class TicketStore(Protocol):
    """Keeps tickets until they expire. Every method raises ``StoreUnavailable``."""

    async def close(self) -> None:
        """Close what is open."""

    async def put(self, ticket: SealedTicket, now: float, most: int, most_of_client: int) -> bool:
        """Keep a ticket that waits; False where as many are kept already as may be."""

    async def get(self, ticket_id: str, now: float) -> bytes | None:
        """Return what a ticket holds; None: there is none, or it has expired."""

    async def replace(self, ticket_id: str, value: bytes, due: float | None) -> None:
        """Replace what a ticket holds; nothing where it is gone.

        ``due``: when to look at it again; None: it waits no more.
        """

    async def take(self, ticket_id: str, client: str) -> bool:
        """Remove a ticket of ``client``; returns whether it was there: to one of several only."""

    async def due(self, now: float, most: int) -> Sequence[str]:
        """Return the ids of tickets that wait and are due, the longest due first."""

    async def claim(self, ticket_id: str, now: float, until: float) -> bool:
        """Put a ticket that is due off ``until``; False where somebody else has it already."""
