"""Changes that a partner's service over X-Road returns after a checkpoint.

The partner keeps the order and the checkpoints; what it promises is in its agreement, and settings
repeat it. docs/reference/change-sources.md specifies the service.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx2

from connectors.backends.base import NOBODY, SourceMaintenance, SourceUnavailable
from connectors.backends.record_maps import map_records
from connectors.changes.change import ChangePage, ChangePromise, CheckpointLost
from connectors.description import Database
from connectors.xroad.change_messages import CHECKPOINT_LOST, changes_request, parse_changes
from connectors.xroad.exchange import XroadExchange, XroadOptions, code_of
from connectors.xroad.messages import MAINTENANCE, MalformedMessage

_GONE, _MAINTENANCE = 410, 503


@dataclass(frozen=True, slots=True, kw_only=True)
class XroadPullOptions:
    """What the agreement with the partner says.

    ``interval``: seconds between two messages. ``sees_deletions``, ``sees_before``,
    ``tells_creations``: what the service reports. ``records``: whose changes are asked for; None:
    of all. ``most``: changes in one answer, so that it stays below what security servers let
    through.
    """

    interval: float = 30.0
    sees_deletions: bool = True
    sees_before: bool = False
    tells_creations: bool = True
    records: tuple[str, ...] | None = None
    most: int = 500


class XroadChangeSource:
    """The changes of ``database`` by the service of ``server``; see ``ChangeSource``.

    ``now``: the gateway's clock (UTC): nothing is complete until later than a message was sent.
    ``transport`` replaces the network in tests. Raises ValueError for what cannot be used.
    """

    def __init__(
        self,
        database: Database,
        server: XroadOptions,
        options: XroadPullOptions,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        for name in options.records or ():
            if name not in database.by_name:
                raise ValueError(f"{database.name} has no record {name}")
        self._options = options
        self._tables = {
            name: stored
            for name, stored in map_records(database).items()
            if options.records is None or name in options.records
        }
        self._now = now
        self._exchange = XroadExchange(server, transport)
        self.promise = ChangePromise(
            options.interval,
            None,
            options.sees_deletions,
            options.sees_before,
            options.tells_creations,
        )

    async def open(self) -> None:
        """Do nothing: connections are opened on demand."""

    async def close(self) -> None:
        """Close all connections."""
        await self._exchange.close()

    async def start(self) -> str:
        """Return the checkpoint of now; see ``ChangeSource``. One message."""
        return _checkpoint((await self._ask(None, 1)).checkpoint)

    async def read(self, checkpoint: str, limit: int) -> ChangePage:
        """Return a page of changes; see ``ChangeSource``. One message."""
        after = _place(checkpoint)
        sent_at = self._now()
        page = await self._ask(after, min(limit, self._options.most))
        if page.has_more and page.checkpoint == after:
            raise SourceUnavailable("the provider says that there is more, and gives nothing")
        until = page.complete_until
        complete_until = None if until is None else min(until, sent_at)
        return replace(page, checkpoint=_checkpoint(page.checkpoint), complete_until=complete_until)

    async def wait(self, seconds: float) -> None:
        """Wait for the next message."""
        await asyncio.sleep(min(seconds, self._options.interval))

    async def _ask(self, after: str | None, most: int) -> ChangePage:
        reply = await self._exchange.post(changes_request(self._tables, after, most), NOBODY)
        code = None if reply.status == 200 else code_of(reply.body)
        if reply.status == _GONE and code == CHECKPOINT_LOST:
            raise CheckpointLost("the provider no longer has what came after the checkpoint")
        if reply.status == _MAINTENANCE and code == MAINTENANCE:
            raise SourceMaintenance("the provider says so")
        if reply.status != 200:
            raise SourceUnavailable(f"the provider answered with status {reply.status}")
        try:
            return parse_changes(self._tables, most, reply.body)
        except MalformedMessage as error:
            raise SourceUnavailable(
                f"the provider answered otherwise than agreed: {error}"
            ) from None


def _checkpoint(place: str) -> str:
    return json.dumps({"xroad": place})


def _place(checkpoint: str) -> str:
    """Return the provider's checkpoint; raises ValueError for what is none of this source."""
    try:
        place = json.loads(checkpoint)["xroad"]
    except (ValueError, TypeError, KeyError):
        place = None
    if not isinstance(place, str):
        raise ValueError("no checkpoint of changes over X-Road")
    return place
