"""Webhooks and their deliveries, and how a store has them: sealed JSON."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import orjson

from connectors.description import Coded
from gateway.access.caller import Caller
from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.webhooks.sender import SendOutcome


class WebhookState(Coded):
    """Whether events are sent to an endpoint."""

    ACTIVE = "đang gửi", "events are sent"
    FAILING = "đang lỗi, sẽ thử lại", "the endpoint fails; the gateway tries again, later each time"
    RENEWAL_DUE = (
        "tạm dừng: đã đến hạn gia hạn",
        "paused: it was not renewed in time; renew it and it goes on from where it was",
    )
    RIGHTS_SUSPENDED = (
        "tạm dừng: bên cấp mã truy cập, khóa ký, phạm vi hoặc thủ tục không còn được chấp nhận",
        "paused: the issuer, key, scope or purpose of its token is not accepted; renew it",
    )
    GONE = "đã dừng: điểm nhận trả lời 410", "stopped: the endpoint replied 410"
    RIGHTS_LOST = "đã dừng: mã truy cập đã bị thu hồi", "stopped: its token was revoked"
    STOPPED = "đã dừng: bên vận hành cổng dừng", "stopped: by an operator of the gateway"

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent or lost until the webhook is renewed."""
        return self in {WebhookState.RENEWAL_DUE, WebhookState.RIGHTS_SUSPENDED}

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is sent any more."""
        return self in {WebhookState.GONE, WebhookState.RIGHTS_LOST, WebhookState.STOPPED}


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint to which the events of a feed are sent.

    ``caller``: who registered or last renewed it, at ``renewed_at``, with client, purpose, scopes,
    and issuer and key of the token as of then. ``registered_by``: the id of the token by which it
    was registered. ``kinds``: of which events; empty: of all. ``stopped_by``: the operator who has
    stopped it.
    """

    id: str
    url: str
    caller: Caller
    kinds: frozenset[LifeEventKind]
    registered_at: datetime
    registered_by: str | None
    renewed_at: datetime
    stopped_by: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookProgress:
    """How far a webhook has got.

    ``position``: in the event log; what comes after it was not looked at. ``since``: when it was
    last moved. ``failures``: attempts in a row that failed. ``retry_at``: nothing is sent before
    (seconds since 1970). ``attempted_at``, ``outcome``, ``status``: of the last attempt.
    ``delivered_at``: of the last that was accepted.
    """

    position: str
    since: datetime
    state: WebhookState = WebhookState.ACTIVE
    failures: int = 0
    retry_at: float = 0.0
    attempted_at: datetime | None = None
    outcome: SendOutcome | None = None
    status: int | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """An event that is to be sent to one endpoint, or that could not be.

    ``position``: in the event log; ``after``: the feed shows it first after that position, None:
    from its beginning. ``person``: the present number, None for events about a source;
    ``case_number``, ``interest_id``: of the interest because of which it is shown. ``decided_at``:
    when it was decided that it may be sent; None: that is to be decided again. ``attempts``: that
    failed. ``due``: no attempt before (seconds since 1970). ``is_recorded``: its entry stands in
    the audit journal. ``outcome``, ``status``: of the last attempt. ``died_at``: since when it is a
    dead letter.
    """

    event: LifeEvent
    position: str
    after: str | None
    person: str | None
    case_number: str | None
    created_at: datetime
    decided_at: datetime | None
    attempts: int = 0
    due: float = 0.0
    is_recorded: bool = False
    outcome: SendOutcome | None = None
    status: int | None = None
    died_at: datetime | None = None
    interest_id: str | None = None

    def revive(self, now: datetime) -> WebhookDelivery:
        """Return a dead letter as a delivery that has not been tried, nor decided."""
        return replace(
            self,
            created_at=now,
            decided_at=None,
            attempts=0,
            due=0.0,
            is_recorded=False,
            died_at=None,
        )


def missed_delivery(webhook: Webhook, event_id: str, now: datetime) -> WebhookDelivery:
    """Return what says in place of a delivery that cannot be read that an event is missing."""
    event = LifeEvent(
        id=event_id,
        kind=LifeEventKind.EVENTS_MISSED,
        database="",
        person=None,
        record=None,
        row=None,
        date=None,
        committed_at=None,
        detected_at=now,
        since=webhook.registered_at,
    )
    return WebhookDelivery(event, "", None, None, None, now, now)


def encode_webhook(webhook: Webhook) -> bytes:
    """Return a webhook as JSON."""
    return orjson.dumps(_plain_fields(webhook), default=_plain)


def decode_webhook(content: bytes) -> Webhook:
    """Return the webhook of ``encode_webhook``; raises ValueError for anything else."""
    value = _loads(content)
    try:
        value["caller"] = _caller(value["caller"])
        value["kinds"] = frozenset(LifeEventKind[name] for name in value["kinds"])
        _moments(value, "registered_at", "renewed_at")
        return Webhook(**value)
    except (KeyError, TypeError) as error:
        raise ValueError("it is no webhook of this version") from error


def encode_progress(progress: WebhookProgress) -> bytes:
    """Return the progress of a webhook as JSON."""
    return orjson.dumps(_plain_fields(progress), default=_plain)


def decode_progress(content: bytes) -> WebhookProgress:
    """Return the progress of ``encode_progress``; raises ValueError for anything else."""
    value = _loads(content)
    try:
        value["state"] = WebhookState[value["state"]]
        value["outcome"] = None if value["outcome"] is None else SendOutcome[value["outcome"]]
        _moments(value, "since", "attempted_at", "delivered_at")
        return WebhookProgress(**value)
    except (KeyError, TypeError) as error:
        raise ValueError("it is no progress of this version") from error


def encode_delivery(delivery: WebhookDelivery) -> bytes:
    """Return a delivery as JSON."""
    value = {**_plain_fields(delivery), "event": _plain_fields(delivery.event)}
    return orjson.dumps(value, default=_plain)


def decode_delivery(content: bytes) -> WebhookDelivery:
    """Return the delivery of ``encode_delivery``; raises ValueError for anything else."""
    value = _loads(content)
    try:
        event = value["event"]
        event["kind"] = LifeEventKind[event["kind"]]
        _moments(event, "committed_at", "detected_at", "since")
        value["event"] = LifeEvent(**event)
        value["outcome"] = None if value["outcome"] is None else SendOutcome[value["outcome"]]
        _moments(value, "created_at", "decided_at", "died_at")
        return WebhookDelivery(**value)
    except (KeyError, TypeError) as error:
        raise ValueError("it is no delivery of this version") from error


def _loads(content: bytes) -> dict[str, Any]:
    value = orjson.loads(content)
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


def _plain_fields(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that JSON can hold."""
    content = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Webhook):
        content["caller"] = {
            attribute.name: getattr(value.caller, attribute.name) for attribute in fields(Caller)
        }
    return {
        name: value_of_field.name if isinstance(value_of_field, enum.Enum) else value_of_field
        for name, value_of_field in content.items()
    }


def _plain(value: object) -> object:
    """Return what orjson does not know: sets, and enumerations by name."""
    if isinstance(value, frozenset):
        return sorted(item.name if isinstance(item, enum.Enum) else item for item in value)
    raise TypeError(type(value).__name__)


def _moments(value: dict[str, Any], *names: str) -> None:
    for name in names:
        if value[name] is not None:
            value[name] = datetime.fromisoformat(value[name])


def _caller(value: Mapping[str, Any]) -> Caller:
    expires = value["expires"]
    return Caller(
        **{
            **value,
            "scopes": frozenset(value["scopes"]),
            "purposes": frozenset(value["purposes"]),
            "expires": None if expires is None else datetime.fromisoformat(expires),
        }
    )
