"""The endpoints of clients: ``webhooks``, and the mutations that register, renew and end them.

What is shown of a dead letter names nobody: the event itself is for ``lifeEvents``, or for the
endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Text
from gateway.access.caller import Caller
from gateway.catalogue.life_events import SCOPE
from gateway.changes.event import LifeEventKind
from gateway.changes.feed import FeedParts, permitted_kinds, require_events, require_kinds
from gateway.changes.feed_scope import PERSON_KINDS, DeniedKind, unseen_kinds
from gateway.changes.log import EventLogUnavailable
from gateway.changes.webhooks.registry import RegisteredWebhook, Webhooks
from gateway.changes.webhooks.sender import SendOutcome
from gateway.changes.webhooks.webhook import Webhook, WebhookState
from gateway.errors import GatewayError
from gateway.execution.feeds import feed_parts
from gateway.execution.record_stops import record_stop
from gateway.execution.reference import ReferenceContext
from gateway.execution.webhook_rights import denied_kinds
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.life_events import denied_type
from gateway.schema.requires_scopes import require_any_scope
from gateway.storage.unavailable import StoreUnavailable

#: Dead letters that are shown of a webhook at most.
_MOST_SHOWN = 100
#: The share of a request's time that an endpoint has to give its challenge back.
_SHARE = 0.8
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """A dead letter, as it is shown: without what the event says, and of whom."""

    event_id: str
    attempts: int
    outcome: SendOutcome | None
    status: int | None
    died_at: datetime | None


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook, as it is shown. ``url`` None: what was kept of it cannot be read any more.

    ``webhook``: what ``denied`` is read from.
    """

    id: str
    url: str | None
    kinds: list[str]
    state: WebhookState | None
    registered_at: datetime | None
    renew_by: datetime | None
    last_delivery: datetime | None
    last_attempt: datetime | None
    last_outcome: SendOutcome | None
    last_status: int | None
    failures: int
    pending: int
    dead_letter_count: int
    dead_letters: list[DeadLetterView]
    webhook: Webhook | None


def webhooks_field(types: TypeFactory) -> StrawberryField:
    """Return the field that lists the webhooks of the caller's client, agency and purpose."""
    field = resolved_field(
        "webhooks",
        list_annotation(_webhook_type(types)) | None,
        _list,
        {},
        Text(
            "các webhook của cơ quan này qua ứng dụng này cho thủ tục này",
            "the webhooks of this client and agency under this purpose",
        ),
    )
    return require_any_scope(field, (SCOPE,))


def webhook_mutations(types: TypeFactory) -> list[StrawberryField]:
    """Return the mutations of webhooks."""
    webhook, kind = _webhook_type(types), types.enumeration(LifeEventKind)
    fields = [
        resolved_field(
            "register_webhook",
            webhook | None,
            _register,
            {"url": str, "kinds": list_annotation(kind) | None},
            Text(
                "đăng ký điểm nhận sự kiện; cổng gửi mã thử và điểm nhận phải gửi lại ngay",
                "register an endpoint for events; it is sent a challenge, and must give it back",
            ),
        ),
        resolved_field(
            "renew_webhook",
            webhook | None,
            _renew,
            {"id": str},
            Text(
                "gia hạn webhook theo quyền của mã truy cập này; đang tạm dừng thì gửi tiếp",
                "renew a webhook: it has the rights of this token now, and goes on if it is paused",
            ),
        ),
        resolved_field(
            "end_webhook",
            bool | None,
            _end,
            {"id": str},
            Text(
                "kết thúc webhook, kể cả những gì còn chờ gửi",
                "end a webhook, with everything that waits to be sent",
            ),
        ),
        resolved_field(
            "replay_deliveries",
            int | None,
            _replay,
            {"webhook": str, "ids": list[str] | None, "since": datetime | None},
            Text(
                "gửi lại các sự kiện chưa gửi được; trả về số sự kiện",
                "send dead letters again; returns how many",
            ),
        ),
    ]
    return [require_any_scope(field, (SCOPE,)) for field in fields]


def _webhook_type(types: TypeFactory) -> Any:
    """Return the type of a webhook."""
    outcome = types.enumeration(SendOutcome)
    return types.object(
        "Webhook",
        [
            attribute_field("id", str, Text("mã", "id")),
            attribute_field(
                "url",
                str | None,
                Text(
                    "điểm nhận; null: không còn đọc được, hãy đăng ký lại",
                    "the endpoint; null: it cannot be read any more, register it again",
                ),
            ),
            attribute_field(
                "kinds",
                list_annotation(types.enumeration(LifeEventKind)),
                Text("các loại sự kiện; rỗng: tất cả", "of which events; empty: of all"),
            ),
            attribute_field(
                "state", types.enumeration(WebhookState) | None, Text("tình trạng", "state")
            ),
            resolved_field(
                "denied",
                list_annotation(denied_type(types)) | None,
                _denied,
                title=Text(
                    "sự kiện không được gửi theo quyền hiện có, hoặc nguồn không báo; null: chưa "
                    "biết, hoặc không gửi gì cả (xem state)",
                    "which events are not sent, with the rights of now or since no source tells "
                    "them; null: not known, or nothing is sent at all (see state)",
                ),
            ),
            attribute_field(
                "registered_at", datetime | None, Text("đăng ký lúc", "when it was registered")
            ),
            attribute_field(
                "renew_by",
                datetime | None,
                Text(
                    "hạn phải gia hạn; quá hạn thì tạm dừng",
                    "when it pauses, unless it is renewed before",
                ),
            ),
            attribute_field(
                "last_delivery",
                datetime | None,
                Text("lần gần nhất điểm nhận đã nhận", "when the endpoint last accepted events"),
            ),
            attribute_field(
                "last_attempt", datetime | None, Text("lần gửi gần nhất", "the last attempt")
            ),
            attribute_field("last_outcome", outcome | None, Text("kết quả", "what came of it")),
            attribute_field(
                "last_status", int | None, Text("mã HTTP", "the status of HTTP, if there was one")
            ),
            attribute_field(
                "failures", int, Text("số lần lỗi liên tiếp", "failures in a row until now")
            ),
            attribute_field("pending", int, Text("số sự kiện chờ gửi", "events that wait")),
            attribute_field(
                "dead_letter_count",
                int,
                Text("số sự kiện không gửi được", "events that could not be sent"),
            ),
            attribute_field(
                "dead_letters",
                list_annotation(_dead_letter_type(types)),
                Text("100 sự kiện đầu không gửi được", "the first 100 of them"),
            ),
        ],
        Text("Điểm nhận sự kiện", "An endpoint to which events are sent"),
    )


def _dead_letter_type(types: TypeFactory) -> Any:
    return types.object(
        "DeadLetter",
        [
            attribute_field("event_id", str, Text("mã sự kiện", "id of the event")),
            attribute_field("attempts", int, Text("số lần đã gửi", "attempts")),
            attribute_field(
                "outcome",
                types.enumeration(SendOutcome) | None,
                Text("kết quả lần cuối; null: chưa gửi lần nào", "of the last attempt, if any"),
            ),
            attribute_field("status", int | None, Text("mã HTTP", "the status of HTTP")),
            attribute_field(
                "died_at", datetime | None, Text("thôi gửi lúc", "since when it is not sent")
            ),
        ],
        Text("Sự kiện không gửi được", "An event that could not be sent"),
    )


async def _list(self: Any, info: strawberry.Info) -> list[WebhookView]:
    context: ReferenceContext = info.context
    require_events(context.rules.caller)
    webhooks = _webhooks(context)
    with _answering():
        registered = await webhooks.of_caller(context.rules.caller)
        views = [await _view(webhooks, webhook) for webhook in registered]
        is_whole = not await webhooks.count_unreadable()
    if not is_whole:
        context.problem(info._raw_info, GatewayError("WEBHOOKS_UNREADABLE"))
    return views


def _denied(self: WebhookView, info: strawberry.Info) -> Sequence[DeniedKind] | None:
    context: ReferenceContext = info.context
    if self.webhook is None or self.state is None or self.renew_by is None:
        return None
    if self.state.is_stopped or self.state.is_paused:
        return None
    if context.resources.clock.now() >= self.renew_by:
        return None  # the next visit pauses it
    return denied_kinds(context.resources, self.webhook)


async def _renew(self: Any, info: strawberry.Info, id: str) -> WebhookView:  # noqa: A002 - the same
    context: ReferenceContext = info.context
    require_events(context.rules.caller)
    caller, webhooks = context.rules.caller, _webhooks(context)
    with _answering():
        webhook = await webhooks.find_running(caller, _require_id(id))
        parts = feed_parts(context.resources)
        require_kinds(parts, caller, webhook.kinds or _visible_kinds(parts, caller))
        return await _view(webhooks, await webhooks.renew(caller, id))


async def _register(
    self: Any, info: strawberry.Info, url: str, kinds: Sequence[Any] | None = strawberry.UNSET
) -> WebhookView:
    context: ReferenceContext = info.context
    caller, resources = context.rules.caller, context.resources
    require_events(caller)
    webhooks, parts = _webhooks(context), feed_parts(resources)
    chosen = frozenset(LifeEventKind[kind.value] for kind in kinds or ())
    if chosen - PERSON_KINDS:
        raise GatewayError("INVALID_VALUE", "events about sources are sent in any case")
    require_kinds(parts, caller, chosen or _visible_kinds(parts, caller))
    seconds = _SHARE * resources.settings.limits.deadline
    with _answering():
        position = await parts.log.end()
        registered = await webhooks.register(caller, url, chosen, position, seconds)
        return await _view(webhooks, registered)


def _visible_kinds(parts: FeedParts, caller: Caller) -> frozenset[LifeEventKind]:
    """Return the kinds that the feed of a caller may show; all, where it may show none."""
    permitted = permitted_kinds(parts.settings, caller.purpose)
    return permitted - unseen_kinds(caller, parts.origins, permitted).keys() or permitted


async def _end(self: Any, info: strawberry.Info, id: str) -> bool:  # noqa: A002 - in the schema
    context: ReferenceContext = info.context
    require_events(context.rules.caller)
    caller, webhooks = context.rules.caller, _webhooks(context)
    with _answering():
        operator = (await webhooks.find(caller, _require_id(id))).stopping_operator
        if operator is not None:
            await record_stop(context.resources, id, operator)
        await webhooks.end(caller, id)
    return True


async def _replay(
    self: Any,
    info: strawberry.Info,
    webhook: str,
    ids: Sequence[str] | None = strawberry.UNSET,
    since: datetime | None = strawberry.UNSET,
) -> int:
    context: ReferenceContext = info.context
    require_events(context.rules.caller)
    after = since if isinstance(since, datetime) else None
    if after is not None and after.tzinfo is None:
        raise GatewayError("INVALID_VALUE", "a moment must have a time zone")
    chosen = frozenset(ids) if isinstance(ids, list) else None
    with _answering():
        return await _webhooks(context).replay(
            context.rules.caller, _require_id(webhook), chosen, after
        )


async def _view(webhooks: Webhooks, registered: RegisteredWebhook) -> WebhookView:
    webhook, progress = registered.webhook, registered.progress
    letters = [] if webhook is None else await webhooks.dead_letters(webhook, _MOST_SHOWN)
    return WebhookView(
        registered.id,
        None if webhook is None else webhook.url,
        [] if webhook is None else sorted(kind.name for kind in webhook.kinds),
        registered.state,
        None if webhook is None else webhook.registered_at,
        None if webhook is None else webhooks.renewal_due(webhook),
        None if progress is None else progress.delivered_at,
        None if progress is None else progress.attempted_at,
        None if progress is None else progress.outcome,
        None if progress is None else progress.status,
        0 if progress is None else progress.failures,
        await webhooks.store.count_pending(registered.id),
        await webhooks.store.count_dead(registered.id),
        [
            DeadLetterView(
                letter.event.id, letter.attempts, letter.outcome, letter.status, letter.died_at
            )
            for letter in letters
        ],
        webhook,
    )


def _webhooks(context: ReferenceContext) -> Webhooks:
    webhooks = context.resources.webhooks
    if webhooks is None:
        raise GatewayError("WEBHOOKS_UNAVAILABLE")
    return webhooks


def _require_id(webhook_id: str) -> str:
    if len(webhook_id) > _LONGEST_ID:
        raise GatewayError("WEBHOOK_UNKNOWN")
    return webhook_id


@contextmanager
def _answering() -> Iterator[None]:
    """Raise GatewayError WEBHOOKS_UNAVAILABLE or EVENTS_UNAVAILABLE where nobody answers."""
    try:
        yield
    except StoreUnavailable:
        raise GatewayError("WEBHOOKS_UNAVAILABLE") from None
    except EventLogUnavailable:
        raise GatewayError("EVENTS_UNAVAILABLE") from None
