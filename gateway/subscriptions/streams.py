"""The subscriptions of a process: their number, what wakes them, and how they end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import prometheus_client
import structlog
from starlette.applications import Starlette

from gateway.access.caller import Caller
from gateway.changes.event import SOURCE_KINDS
from gateway.changes.follower import Follower
from gateway.changes.log import EventLog, EventLogPage, EventLogUnavailable, PositionExpired
from gateway.errors import GatewayError
from gateway.service import Service

log = structlog.get_logger(__name__)

OPEN = prometheus_client.Gauge("justice_gateway_subscriptions", "Subscriptions that are open")
ENDED = prometheus_client.Counter(
    "justice_gateway_subscriptions_ended", "Subscriptions that ended, by reason", ["reason"]
)
ANSWERS = prometheus_client.Counter(
    "justice_gateway_subscription_answers", "Answers that subscribers were sent"
)

#: Answers to subscribers that are made at once; requests of others find room beside them.
_AT_ONCE = 16
#: Seconds before the event log is followed again after a failure.
_RETRY = 1.0
#: Seconds between two looks for tokens that are over. A look takes 0.5 us a subscription.
_LOOK_EVERY = 1.0


class Stopped(Exception):
    """The process stops: the subscriber is to connect again, here or elsewhere."""


class StreamPlace:
    """The place of a subscription among those of the process.

    ``woken``: set when there may be something for the subscriber, or its token is over.
    """

    __slots__ = ("_numbers", "_streams", "caller", "woken")

    def __init__(self, streams: Streams) -> None:
        self.caller: Caller | None = None
        self.woken = asyncio.Event()
        self._streams = streams
        self._numbers: frozenset[str] = frozenset()

    def take(self, caller: Caller) -> None:
        """Take the place, or only note who has it now; raises TOO_MANY_SUBSCRIPTIONS."""
        if self.caller is None:
            self._streams.add(self, caller)
        self.caller = caller

    def listen(self, numbers: frozenset[str], since: int) -> None:
        """Be woken by events under ``numbers`` from now on.

        ``since``: ``Streams.pages`` before the log was read, since when no event may be missed.
        """
        if numbers != self._numbers:
            self._streams.listen(self, self._numbers, numbers)
            self._numbers = numbers
            if self._streams.pages != since:
                self.woken.set()

    def give_back(self, reason: str) -> None:
        """Give the place back, if it was taken; ``reason``: why, for metrics."""
        if self.caller is not None:
            self._streams.listen(self, self._numbers, frozenset())
            self._streams.remove(self, self.caller)
            self.caller = None
            ENDED.labels(reason).inc()

    async def wait(self, seconds: float) -> bool:
        """Wait to be woken; returns False if that did not happen. Raises Stopped."""
        if self._streams.is_stopping:
            raise Stopped
        is_woken = True
        try:
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        except TimeoutError:
            is_woken = False
        if self._streams.is_stopping:
            raise Stopped
        return is_woken


class Streams:
    """The subscriptions that ``app`` answers, from ``start`` to ``close``.

    The event log is followed once for all of them, from the first one on. ``pages``: how many pages
    of it have been looked at. ``answering``: what bounds the answers that are made at once; an
    event of a source concerns everybody.
    """

    def __init__(self, app: Starlette) -> None:
        self.is_stopping = False
        self.pages = 0
        self.answering = asyncio.Semaphore(_AT_ONCE)
        self._app = app
        self._places: set[StreamPlace] = set()
        self._listening: dict[str, set[StreamPlace]] = {}
        self._following: asyncio.Task[None] | None = None
        self._of_client: Counter[str | None] = Counter()
        self._connections: set[Callable[[], None]] = set()
        self._watch_task: asyncio.Task[None] | None = None

    @property
    def service(self) -> Service:
        """What answers now; a reload replaces it."""
        service: Service = self._app.state.service
        return service

    def start(self) -> None:
        """Begin to look for tokens that are over."""
        self._watch_task = asyncio.create_task(self._look())

    def stop(self) -> None:
        """End all subscriptions after the answer that is on its way; once is enough."""
        if self.is_stopping:
            return
        self.is_stopping = True
        for place in self._places:
            place.woken.set()
        for end in tuple(self._connections):
            end()

    async def close(self) -> None:
        """Stop, and end what ``start`` began."""
        self.stop()
        tasks = [task for task in (self._watch_task, self._following) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def on_stop(self, end: Callable[[], None]) -> Callable[[], None]:
        """Call ``end`` when the process stops; returns what to call to take that back."""
        self._connections.add(end)
        return lambda: self._connections.discard(end)

    def add(self, place: StreamPlace, caller: Caller) -> None:
        """Give a place to ``caller``; raises GatewayError TOO_MANY_SUBSCRIPTIONS."""
        limits = self.service.resources.settings.subscriptions
        if self._of_client[caller.client] >= limits.per_client:
            raise too_many("client", limits.per_client)
        if len(self._places) >= limits.total:
            raise too_many("gateway", limits.total)
        self._places.add(place)
        self._of_client[caller.client] += 1
        OPEN.set(len(self._places))
        changes = self.service.resources.changes
        if self._following is None and changes is not None:
            self._following = asyncio.create_task(self._follow(changes.log))

    def remove(self, place: StreamPlace, caller: Caller) -> None:
        """Take back the place of ``caller``."""
        self._places.discard(place)
        self._of_client[caller.client] -= 1
        if not self._of_client[caller.client]:
            del self._of_client[caller.client]
        OPEN.set(len(self._places))

    def listen(self, place: StreamPlace, former: frozenset[str], numbers: frozenset[str]) -> None:
        """Let a place be woken by ``numbers`` in place of ``former``."""
        for number in former - numbers:
            places = self._listening[number]
            places.discard(place)
            if not places:
                del self._listening[number]
        for number in numbers - former:
            self._listening.setdefault(number, set()).add(place)

    def wake(self, page: EventLogPage) -> None:
        """Wake whom the entries of a page concern: a look-up each, whoever else is subscribed."""
        self.pages += 1
        for entry in page.entries:
            event = entry.event
            concerned = (
                self._places
                if event.kind in SOURCE_KINDS
                else self._listening.get(event.person or "", ())
            )
            for place in concerned:
                place.woken.set()

    def wake_all(self) -> None:
        """Wake all: it is not known whom it concerns."""
        self.pages += 1
        for place in self._places:
            place.woken.set()

    async def _follow(self, events: EventLog) -> None:
        """Follow the event log as long as the process runs."""
        follower = Follower(events)
        try:
            while True:
                try:
                    await self._follow_from_now(follower, events)
                except (EventLogUnavailable, PositionExpired):
                    await asyncio.sleep(_RETRY)
                except Exception:  # a defect costs a second, and no subscription
                    log.exception("the event log is not followed for subscribers")
                    await asyncio.sleep(_RETRY)
        finally:
            await follower.close()

    async def _follow_from_now(self, follower: Follower, events: EventLog) -> None:
        async with follower.listen(await events.end()) as listener:
            self.wake_all()  # for what came before
            is_down = False
            while True:
                try:
                    self.wake(await listener.next_page(None))
                    is_down = False
                except EventLogUnavailable:
                    if not is_down:
                        self.wake_all()  # they are to know it, once
                    is_down = True
                    await asyncio.sleep(_RETRY)

    def wake_invalid(self) -> None:
        """Wake the subscriptions whose token has expired or was revoked: they end with its code."""
        service = self.service
        leeway = timedelta(seconds=service.resources.settings.access.leeway)
        expired = service.resources.clock.now() - leeway
        for place in self._places:
            caller = place.caller
            if caller is not None and (
                (caller.expires is not None and caller.expires <= expired)
                or service.tokens.is_revoked(caller.token_id)
            ):
                place.woken.set()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                self.wake_invalid()
            except Exception:  # a defect costs this look, and no later one
                log.exception("tokens of subscribers were not looked at")


def too_many(of: str, limit: int) -> GatewayError:
    """Return the refusal of an operation beyond a limit; ``of``: what has the limit."""
    details = {"of": of, "limit": limit}
    return GatewayError("TOO_MANY_SUBSCRIPTIONS", details=details, headers={"Retry-After": "5"})
