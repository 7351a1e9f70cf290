"""Where webhooks and their deliveries are kept: in Redis where processes share one, else in SQLite.

A store knows no more than ids, a hash of the client, and times: everything else is sealed. Whoever
sends the events of a webhook has its lease; nobody else changes its progress and what is pending,
so that several processes deliver each webhook once. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SealedWebhook:
    """A webhook as a store has it. ``client``: a keyed hash of client, agency and purpose.

    ``removal``: which operator asks gateways to remove it, if they cannot read it either.
    """

    id: str
    client: str
    value: bytes
    progress: bytes
    removal: bytes | None = None


@dataclass(frozen=True, slots=True)
class SealedDelivery:
    """A delivery as a store has it. ``event``: the id of the event."""

    event: str
    value: bytes


@dataclass(frozen=True, slots=True)
class ResealedDelivery:
    """A pending delivery or dead letter that is sealed anew. ``former``: its value of before."""

    event: str
    former: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class WebhookChanges:
    """What is changed together: all of it or nothing.

    ``added``: put behind everything that is pending; left out if the event is there already.
    ``replaced``: pending ones, which keep their place. ``dead``: pending ones that become dead
    letters. ``settled``: ids of pending ones that are forgotten; ``forgotten``: of dead letters,
    unless they are to be sent again by then. ``resealed``: pending ones and dead
    letters, which keep their place; left as they are if they have changed.
    """

    progress: bytes
    added: Sequence[SealedDelivery] = ()
    replaced: Sequence[SealedDelivery] = ()
    dead: Sequence[SealedDelivery] = ()
    settled: Collection[str] = ()
    forgotten: Collection[str] = ()
    resealed: Sequence[ResealedDelivery] = ()


class WebhookStore(Protocol):
    """Keeps webhooks until they are ended. Every method raises ``StoreUnavailable``."""

    async def close(self) -> None:
        """Close what is open."""

    async def put(self, webhook: SealedWebhook, most: int, most_of_client: int) -> bool:
        """Keep a new webhook; False where as many are kept already as may be."""

    async def get(self, webhook_id: str) -> SealedWebhook | None:
        """Return a webhook; None: there is none."""

    async def all(self) -> Sequence[SealedWebhook]:
        """Return the webhooks of all clients, in the order of their ids."""

    async def of_client(self, client: str) -> Sequence[SealedWebhook]:
        """Return the webhooks of a client, in the order of their ids."""

    async def replace(self, webhook: SealedWebhook, client: str, value: bytes) -> bool:
        """Give a webhook another hash of its client, and another value.

        False where it has not those of ``webhook`` any more.
        """

    async def request_removal(self, webhook_id: str, removal: bytes) -> bool:
        """Give a webhook a ``removal``; False where there is no such webhook."""

    async def end(self, webhook_id: str, client: str) -> bool:
        """Forget a webhook of ``client`` with its deliveries; returns whether it was there."""

    async def claimable(self, now: float) -> Sequence[str]:
        """Return the ids of webhooks that nobody has the lease of, the longest due first.

        A lease with more than ``LONGEST_LEASE`` left counts as over, here and in ``claim``.
        """

    async def claim(self, webhook_id: str, holder: str, now: float, until: float) -> bool:
        """Take the lease of a webhook, or extend it; False where somebody else has it."""

    async def release(self, webhook_id: str, holder: str) -> None:
        """Give up the lease of a webhook; nothing where ``holder`` has it not."""

    async def apply(
        self, webhook_id: str, holder: str, now: float, changes: WebhookChanges
    ) -> bool:
        """Change a webhook; durable when it returns. False where ``holder`` has not the lease."""

    async def pending(self, webhook_id: str, most: int) -> Sequence[SealedDelivery]:
        """Return what is to be sent, in the order in which it was put."""

    async def count_pending(self, webhook_id: str) -> int:
        """Return how many deliveries are to be sent."""

    async def dead(self, webhook_id: str, most: int, skip: int = 0) -> Sequence[SealedDelivery]:
        """Return dead letters, the oldest first, behind the first ``skip``."""

    async def count_dead(self, webhook_id: str) -> int:
        """Return how many dead letters there are."""

    async def find(self, webhook_id: str, events: Collection[str]) -> Sequence[SealedDelivery]:
        """Return what is pending, and the dead letters, of these events, in no order."""

    async def revive(self, webhook_id: str, deliveries: Sequence[SealedDelivery]) -> int:
        """Put dead letters behind everything that is pending; what is none is left out.

        Returns how many there were. The webhook is due at once.
        """
