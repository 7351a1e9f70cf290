"""The webhooks of clients: registered, listed, ended, and their dead letters sent again.

A webhook belongs to client, agency and purpose, as a feed does. Nothing personal is sent to an
endpoint before it has proved to belong to whoever registers it: it must give back a text that the
gateway sent it.
"""

from __future__ import annotations

import enum
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

import orjson
import structlog

from gateway.access.caller import Caller
from gateway.changes.cloud_events import CLOUD_EVENT, TYPE_PREFIX
from gateway.changes.event import LifeEventKind
from gateway.changes.webhooks.address import AddressPolicy, UrlRefused, WebhookUrl
from gateway.changes.webhooks.redis_store import RedisWebhooks
from gateway.changes.webhooks.sender import EndpointReply, SendOutcome, WebhookSender
from gateway.changes.webhooks.signature import MessageSigner
from gateway.changes.webhooks.sqlite_store import SqliteWebhooks
from gateway.changes.webhooks.store import (
    ResealedDelivery,
    SealedDelivery,
    SealedWebhook,
    WebhookStore,
)
from gateway.changes.webhooks.webhook import (
    Webhook,
    WebhookDelivery,
    WebhookProgress,
    WebhookState,
    decode_delivery,
    decode_progress,
    decode_webhook,
    encode_delivery,
    encode_progress,
    encode_webhook,
    missed_delivery,
)
from gateway.errors import GatewayError
from gateway.keys.keyring import Keyring, load_ring, load_signing
from gateway.runtime.clock import Clock
from gateway.settings import Settings, WebhookSettings
from gateway.storage.sealing import Sealing
from gateway.storage.unavailable import StoreUnavailable
from gateway.telemetry import metrics

log = structlog.get_logger(__name__)

#: The type of the event by which an endpoint is asked whether it wants events.
CHALLENGE = f"{TYPE_PREFIX}webhook.challenge"
#: Random bytes of a challenge, and of a webhook's id.
_CHALLENGE_BYTES, _ID_BYTES = 32, 12
#: Attempts of a client to register an endpoint, in a minute (in seconds).
MOST_ATTEMPTS, _MINUTE = 10, 60.0
#: Seconds for which a count of unreadable webhooks holds, unless it is 0.
_COUNTED_SECONDS = 5.0
#: Dead letters that are sent again at once, unless they are named; read from the store at once.
MOST_DEAD_LETTERS = 1_000
#: Attempts to renew a webhook that somebody else changes at the same time.
_MOST_RENEWALS = 5
#: Dead letters of a webhook that are sealed with the current key in one visit.
_MOST_RESEALED = 10_000


@dataclass(frozen=True, slots=True)
class RegisteredWebhook:
    """A webhook of a caller.

    None: this process cannot read it, for want of its key or of a later version. Others may.
    """

    id: str
    webhook: Webhook | None
    progress: WebhookProgress | None

    @property
    def state(self) -> WebhookState | None:
        """Its state; STOPPED from the moment of an operator's stop on, before any visit."""
        webhook, progress = self.webhook, self.progress
        if webhook is None or progress is None or progress.state.is_stopped:
            return None if progress is None else progress.state
        return progress.state if webhook.stopped_by is None else WebhookState.STOPPED

    @property
    def stopping_operator(self) -> str | None:
        """Who has stopped it, as long as no visit has recorded that; None: nobody."""
        webhook, progress = self.webhook, self.progress
        has_stopped = progress is None or progress.state.is_stopped
        return None if webhook is None or has_stopped else webhook.stopped_by


class StopResult(enum.Enum):
    """What came of an operator's stop.

    UNREADABLE: this process cannot read it; others may, and send it events.
    """

    STOPPED = enum.auto()
    ABSENT = enum.auto()
    UNREADABLE = enum.auto()


@dataclass(frozen=True, slots=True)
class _OpenWebhook:
    webhook: Webhook
    progress: WebhookProgress


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Registers and finds webhooks. Methods raise StoreUnavailable where the store is gone."""

    store: WebhookStore
    settings: WebhookSettings
    keys: Keyring
    clock: Clock
    policy: AddressPolicy
    sender: WebhookSender
    signer: MessageSigner
    _attempts: dict[str, list[float]] = field(default_factory=dict)
    #: When unreadable webhooks were last counted, and how many there were.
    _counts: list[tuple[float, int]] = field(default_factory=list, init=False)

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> Self | None:
        """Return the webhooks of ``settings``; None where they are not enabled.

        Raises FileNotFoundError or ValueError for keys, OSError for the file of authorities.
        """
        options = settings.changes.webhooks
        if not options.enabled:
            return None
        redis = settings.redis_with_password()
        file = settings.path(options.file)
        store = SqliteWebhooks(file) if redis.url is None else RedisWebhooks(redis)
        policy = AddressPolicy.from_settings(options)
        roots = None if options.roots is None else settings.path(options.roots)
        return cls(
            store,
            options,
            load_ring(settings, "cache"),
            clock,
            policy,
            WebhookSender.make(policy, roots, options.timeout),
            MessageSigner(load_signing(settings, "webhook_sign")),
        )

    async def register(
        self,
        caller: Caller,
        url: str,
        kinds: Collection[LifeEventKind],
        position: str,
        seconds: float,
    ) -> RegisteredWebhook:
        """Register an endpoint for the events after ``position``; it is asked first.

        ``seconds``: that the endpoint has to reply, at most. Raises GatewayError
        WEBHOOK_URL_REFUSED, TOO_MANY_WEBHOOKS, or WEBHOOK_UNVERIFIED.
        """
        try:
            address = self.policy.read_url(url)
        except UrlRefused as refused:
            raise GatewayError("WEBHOOK_URL_REFUSED", f"The URL is refused: {refused}.") from None
        owner, limit = self._owner(caller), self.settings.most_per_client
        if len(await self._of_owner(caller)) >= limit:
            raise GatewayError("TOO_MANY_WEBHOOKS", details={"limit": limit})
        self._count_attempt(owner)
        await self._challenge(address, seconds)
        now = self.clock.now()
        webhook = Webhook(
            secrets.token_urlsafe(_ID_BYTES),
            address.text,
            caller,
            frozenset(kinds),
            registered_at=now,
            registered_by=caller.token_id,
            renewed_at=now,
        )
        progress = WebhookProgress(position, now)
        sealed = SealedWebhook(
            webhook.id,
            owner,
            self._seal_webhook(webhook),
            self.seal_progress(webhook.id, progress),
        )
        if not await self.store.put(sealed, self.settings.most, limit):
            raise GatewayError("TOO_MANY_WEBHOOKS", details={"limit": limit})
        return RegisteredWebhook(webhook.id, webhook, progress)

    async def of_caller(self, caller: Caller) -> Sequence[RegisteredWebhook]:
        """Return the webhooks of the caller's client and agency under the caller's purpose.

        All of them, unless some are counted by ``count_unreadable``.
        """
        return [self.open(sealed) for sealed in await self._of_owner(caller)]

    async def find_running(self, caller: Caller, webhook_id: str) -> Webhook:
        """Return a webhook of the caller that has not stopped.

        Raises GatewayError WEBHOOK_UNKNOWN, WEBHOOK_STOPPED.
        """
        return self._require_running(await self._require(caller, webhook_id)).webhook

    async def renew(self, caller: Caller, webhook_id: str) -> RegisteredWebhook:
        """Renew a webhook: from now on it has the rights of ``caller``, who owns it.

        A paused one goes on within seconds. Whoever calls has made sure that its kinds can be shown
        to the caller, since it moves past those that cannot. Raises GatewayError
        WEBHOOK_UNKNOWN, or WEBHOOK_STOPPED for one that is to be registered anew.
        """
        for _ in range(_MOST_RENEWALS):
            sealed = await self._require(caller, webhook_id)
            registered = self._require_running(sealed)
            renewed = replace(registered.webhook, caller=caller, renewed_at=self.clock.now())
            value = self._seal_webhook(renewed)
            if await self.store.replace(sealed, self._owner(caller), value):
                return RegisteredWebhook(webhook_id, renewed, registered.progress)
        raise StoreUnavailable("a webhook was changed again and again")

    async def all(self) -> Sequence[RegisteredWebhook]:
        """Return everybody's webhooks, for operators, in the order of their ids."""
        return [self.open(sealed) for sealed in await self.store.all()]

    async def stop(self, webhook_id: str, operator: str) -> StopResult:
        """Stop a webhook for good; ABSENT where there is none, or it has stopped already.

        Whoever visits it next stops it, and records it in the journal.
        """
        while (sealed := await self.store.get(webhook_id)) is not None:
            registered = self.open(sealed)
            webhook, progress = registered.webhook, registered.progress
            if webhook is None or progress is None:
                return StopResult.UNREADABLE
            if progress.state.is_stopped or webhook.stopped_by is not None:
                return StopResult.ABSENT
            value = self._seal_webhook(replace(webhook, stopped_by=operator))
            if await self.store.replace(sealed, sealed.client, value):
                return StopResult.STOPPED
        return StopResult.ABSENT

    async def request_removal(self, webhook_id: str, operator: str) -> bool:
        """Ask gateways to remove a webhook that this process cannot read; False: there is none.

        A gateway that can read it stops it; one that cannot records the removal in the journal, and
        forgets the webhook with its dead letters. Both must have the current key of this process.
        """
        removal = self._sealing.seal(_removal_id(webhook_id), operator.encode())
        return await self.store.request_removal(webhook_id, removal)

    def removing_operator(self, sealed: SealedWebhook) -> str | None:
        """Return who asked for the removal of a webhook; None: nobody with a key of the ring."""
        if sealed.removal is None:
            return None
        content = self._sealing.open(_removal_id(sealed.id), sealed.removal)
        return None if content is None else content.decode()

    def renewal_due(self, webhook: Webhook) -> datetime:
        """Return the moment from which a webhook pauses, unless it is renewed before."""
        return webhook.renewed_at + timedelta(days=self.settings.renewal_days)

    async def find(self, caller: Caller, webhook_id: str) -> RegisteredWebhook:
        """Return a webhook of the caller; raises GatewayError as ``end`` does."""
        return self.open(await self._require(caller, webhook_id))

    async def end(self, caller: Caller, webhook_id: str) -> None:
        """Forget a webhook and what it was to send.

        Raises GatewayError WEBHOOK_UNKNOWN, or WEBHOOKS_UNREADABLE where it may be one that cannot
        be read.
        """
        for owner in self._owners(caller):
            if await self.store.end(webhook_id, owner):
                return
        raise await self._unknown()

    async def count_unreadable(self) -> int:
        """Return how many webhooks have a key that is gone, so that nobody knows whose they are.

        Reads all webhooks. That there are some holds for some seconds; that there are none never
        does: another process may have a key that this one has not.
        """
        now, former = self.clock.monotonic(), self._counts[0][1] if self._counts else 0
        if former and not self._is_count_due(now):
            return former
        stored = await self.store.all()
        count = sum(self.keys.by_id(Sealing.key_id(sealed.value)) is None for sealed in stored)
        if count > former:
            log.error("webhooks cannot be read: their key is gone", webhooks=count)
        metrics.WEBHOOKS_UNREADABLE.set(count)
        self._counts[:] = [(now, count)]
        return count

    async def report_unreadable(self) -> None:
        """Count unreadable webhooks for metric and log, unless that was done just before."""
        if self._is_count_due(self.clock.monotonic()):
            await self.count_unreadable()

    def _is_count_due(self, now: float) -> bool:
        return not self._counts or now - self._counts[0][0] >= _COUNTED_SECONDS

    async def _unknown(self) -> GatewayError:
        """Return what to say of an id that is none of the caller's webhooks, as far as is known."""
        is_whole = not await self.count_unreadable()
        return GatewayError("WEBHOOK_UNKNOWN" if is_whole else "WEBHOOKS_UNREADABLE")

    async def dead_letters(self, webhook: Webhook, most: int) -> Sequence[WebhookDelivery]:
        """Return the dead letters of a webhook, the oldest first.

        In place of one whose key is gone stands EVENTS_MISSED, without ``died_at``. Whoever calls
        has found the webhook among those of the caller.
        """
        return self._open_letters(webhook, await self.store.dead(webhook.id, most))

    def _open_letters(
        self, webhook: Webhook, letters: Sequence[SealedDelivery]
    ) -> list[WebhookDelivery]:
        now = self.clock.now()
        return [
            self.open_delivery(webhook.id, sealed) or missed_delivery(webhook, sealed.event, now)
            for sealed in letters
        ]

    async def replay(
        self,
        caller: Caller,
        webhook_id: str,
        event_ids: Collection[str] | None,
        since: datetime | None,
    ) -> int:
        """Send dead letters again, behind everything that waits; returns how many.

        ``event_ids``: of these events, None: of all, the first 1,000. ``since``: that died then or
        later. Raises GatewayError WEBHOOK_UNKNOWN, and WEBHOOK_STOPPED: nothing is sent to it any
        more.
        """
        webhook = self._require_running(await self._require(caller, webhook_id)).webhook
        if event_ids is None:
            letters = await self._letters_since(webhook, since)
        else:
            stored = await self.store.find(webhook_id, event_ids)
            letters = _since(self._open_letters(webhook, stored), since)
        now = self.clock.now()
        revived = [self.seal_delivery(webhook_id, letter.revive(now)) for letter in letters]
        return await self.store.revive(webhook_id, revived)

    async def _letters_since(
        self, webhook: Webhook, since: datetime | None
    ) -> list[WebhookDelivery]:
        """Return the first 1,000 dead letters that died at ``since`` or later; reads all before."""
        letters, skipped, is_end = list[WebhookDelivery](), 0, False
        while len(letters) < MOST_DEAD_LETTERS and not is_end:
            stored = await self.store.dead(webhook.id, MOST_DEAD_LETTERS, skipped)
            letters += _since(self._open_letters(webhook, stored), since)
            skipped, is_end = skipped + len(stored), len(stored) < MOST_DEAD_LETTERS
        return letters[:MOST_DEAD_LETTERS]

    async def _require(self, caller: Caller, webhook_id: str) -> SealedWebhook:
        """Return a webhook of the caller; raises GatewayError as ``end`` does."""
        sealed = await self.store.get(webhook_id)
        if sealed is None or sealed.client not in self._owners(caller):
            raise await self._unknown()
        return sealed

    async def _of_owner(self, caller: Caller) -> Sequence[SealedWebhook]:
        """Return the webhooks of a caller, by whichever key they are hashed.

        Former keys come first: what is hashed anew meanwhile is among those of the current one.
        """
        webhooks: dict[str, SealedWebhook] = {}
        for owner in self._owners(caller):
            webhooks |= {webhook.id: webhook for webhook in await self.store.of_client(owner)}
        return [webhooks[webhook_id] for webhook_id in sorted(webhooks)]

    def _require_running(self, sealed: SealedWebhook) -> _OpenWebhook:
        """Return a webhook that has not stopped; raises GatewayError WEBHOOK_STOPPED."""
        registered = self.open(sealed)
        webhook, progress = registered.webhook, registered.progress
        if webhook is None or progress is None or progress.state.is_stopped or webhook.stopped_by:
            raise GatewayError("WEBHOOK_STOPPED")
        return _OpenWebhook(webhook, progress)

    def open(self, sealed: SealedWebhook) -> RegisteredWebhook:
        """Return a webhook as it was registered, with its progress."""
        content = self._sealing.open(sealed.id, sealed.value)
        progress = self._sealing.open(_progress_id(sealed.id), sealed.progress)
        try:
            if content is not None and progress is not None:
                return RegisteredWebhook(
                    sealed.id, decode_webhook(content), decode_progress(progress)
                )
        except ValueError:
            pass  # of a later version of the gateway
        log.error("a webhook cannot be read: for want of its key or version", webhook=sealed.id)
        return RegisteredWebhook(sealed.id, None, None)

    def _seal_webhook(self, webhook: Webhook) -> bytes:
        return self._sealing.seal(webhook.id, encode_webhook(webhook))

    async def reseal(self, sealed: SealedWebhook, webhook: Webhook) -> bool:
        """Hash and seal a webhook with the current key, if another did; False: it has changed.

        Whoever visits it calls this: its owner would neither see nor end a webhook whose hash was
        made with a key that is gone, and it would be delivered all the same.
        """
        owner = self._owner(webhook.caller)
        if sealed.client == owner and self._sealing.is_current(sealed.value):
            return True
        return await self.store.replace(sealed, owner, self._seal_webhook(webhook))

    async def resealed(self, webhook_id: str) -> list[ResealedDelivery]:
        """Return what is pending and the dead letters, as far as a former key sealed them."""
        if not self.keys.former:
            return []
        pending = await self.store.pending(webhook_id, self.settings.pending)
        deliveries = [*pending, *await self.store.dead(webhook_id, _MOST_RESEALED)]
        opened = (
            (sealed_delivery, self.open_delivery(webhook_id, sealed_delivery))
            for sealed_delivery in deliveries
            if not self._sealing.is_current(sealed_delivery.value)
        )
        return [
            ResealedDelivery(
                sealed_delivery.event,
                sealed_delivery.value,
                self.seal_delivery(webhook_id, delivery).value,
            )
            for sealed_delivery, delivery in opened
            if delivery is not None
        ]

    def is_current(self, progress: bytes) -> bool:
        """Return whether a progress was sealed with the current key."""
        return self._sealing.is_current(progress)

    def seal_progress(self, webhook_id: str, progress: WebhookProgress) -> bytes:
        """Return the progress of a webhook as a store has it."""
        return self._sealing.seal(_progress_id(webhook_id), encode_progress(progress))

    def seal_delivery(self, webhook_id: str, delivery: WebhookDelivery) -> SealedDelivery:
        """Return a delivery as a store has it."""
        event = delivery.event.id
        value = self._sealing.seal(_delivery_id(webhook_id, event), encode_delivery(delivery))
        return SealedDelivery(event, value)

    def open_delivery(self, webhook_id: str, sealed: SealedDelivery) -> WebhookDelivery | None:
        """Return a delivery; None: it was sealed with a key that is gone."""
        content = self._sealing.open(_delivery_id(webhook_id, sealed.event), sealed.value)
        try:
            return None if content is None else decode_delivery(content)
        except ValueError:
            return None

    async def send(
        self, url: str, content_type: str, body: bytes, seconds: float | None = None
    ) -> EndpointReply:
        """Sign a request and send it, once."""
        headers = self.signer.headers(url, content_type, body, self.clock.now())
        return await self.sender.send(url, headers, body, seconds)

    def _count_attempt(self, owner: str) -> None:
        """Count an attempt to register: the gateway calls nobody in bulk for a client.

        Raises GatewayError TOO_MANY_WEBHOOKS for more than some in a minute, in this process.
        """
        now = self.clock.monotonic()
        recent = [moment for moment in self._attempts.get(owner, ()) if now - moment < _MINUTE]
        if len(recent) >= MOST_ATTEMPTS:
            message = "Too many endpoints were to be registered within a minute."
            raise GatewayError("TOO_MANY_WEBHOOKS", message, details={"limit": MOST_ATTEMPTS})
        self._attempts[owner] = [*recent, now]

    async def _challenge(self, address: WebhookUrl, seconds: float) -> None:
        """Have the endpoint give back a random text; raises GatewayError WEBHOOK_UNVERIFIED."""
        text = secrets.token_urlsafe(_CHALLENGE_BYTES)
        event = {
            "specversion": "1.0",
            "id": secrets.token_urlsafe(_ID_BYTES),
            "source": "/webhooks",
            "type": CHALLENGE,
            "time": self.clock.now().isoformat(),
            "datacontenttype": "application/json",
            "data": {"challenge": text},
        }
        reply = await self.send(address.text, CLOUD_EVENT, orjson.dumps(event), seconds)
        is_accepted = reply.outcome is SendOutcome.ACCEPTED
        if is_accepted and _returns(reply.content, text):
            return
        reason = "NOT_RETURNED" if is_accepted else reply.outcome.name
        raise GatewayError("WEBHOOK_UNVERIFIED", details={"reason": reason, "status": reply.status})

    def _owner(self, caller: Caller) -> str:
        """Return what a store knows of the client, the agency and the purpose of a caller."""
        return self._owners(caller)[-1]

    def _owners(self, caller: Caller) -> list[str]:
        """Return the same by every key of the ring, the current one last."""
        named = orjson.dumps([caller.client, caller.agency, caller.purpose])
        return [key.mac(b"client of webhooks " + named) for key in reversed(self.keys.all)]

    @property
    def _sealing(self) -> Sealing:
        return Sealing(self.keys, b"webhooks")


def _since(letters: Sequence[WebhookDelivery], since: datetime | None) -> list[WebhookDelivery]:
    """Return the dead letters that died then or later, or nobody knows when."""
    return [
        letter
        for letter in letters
        if since is None or letter.died_at is None or letter.died_at >= since
    ]


def _returns(content: bytes, text: str) -> bool:
    """Return whether a reply is ``{"challenge": text}``."""
    try:
        value = orjson.loads(content)
    except ValueError:
        return False
    returned = value.get("challenge") if isinstance(value, dict) else None
    return isinstance(returned, str) and hmac.compare_digest(returned.encode(), text.encode())


def _progress_id(webhook_id: str) -> str:
    return f"progress {webhook_id}"


def _removal_id(webhook_id: str) -> str:
    return f"removal {webhook_id}"


def _delivery_id(webhook_id: str, event_id: str) -> str:
    return f"delivery {webhook_id} {event_id}"
