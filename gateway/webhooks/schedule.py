"""What is sent next to an endpoint, and what follows from how it went: pure functions.

Events of a person keep their order: the next waits until the former was accepted or is a dead
letter. Events of others do not wait. After several failures in a row nothing at all is sent for a
while (a circuit breaker of each webhook), so that an outage does not use up the attempts of
everything that waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.changes.webhooks.sender import EndpointReply, SendOutcome
from gateway.changes.webhooks.webhook import WebhookDelivery, WebhookProgress, WebhookState
from gateway.settings import WebhookSettings

#: Failures in a row after which nothing is sent for a while.
TOLERATED_FAILURES = 3
#: Doublings of the delay at most: beyond it any delay is the longest.
_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What follows from an attempt: of each event of the batch, and of the webhook."""

    progress: WebhookProgress
    replaced: tuple[WebhookDelivery, ...] = ()
    dead: tuple[WebhookDelivery, ...] = ()
    settled: tuple[str, ...] = ()


def choose_batch(
    pending: Iterable[WebhookDelivery], now: datetime, most: int
) -> list[WebhookDelivery]:
    """Return the deliveries to be sent together: in order, and as often in vain as the first.

    ``pending``: in the order of the webhook. A batch that failed is halved at each attempt, until
    the event that an endpoint cannot take is alone.
    """
    moment, batch, waiting = now.timestamp(), list[WebhookDelivery](), set[str]()
    for delivery in pending:
        subject = subject_of(delivery)
        if subject in waiting:
            continue
        attempts = batch[0].attempts if batch else delivery.attempts
        has_room = len(batch) < max(1, most >> min(attempts, _MOST_DOUBLINGS))
        if delivery.due <= moment and delivery.attempts == attempts and has_room:
            batch.append(delivery)
        else:
            waiting.add(subject)
    return batch


def next_moment(
    pending: Iterable[WebhookDelivery], progress: WebhookProgress, latest: float
) -> float:
    """Return when something may be sent, ``latest`` at the latest; seconds since 1970."""
    due = min((delivery.due for delivery in pending), default=latest)
    return min(latest, max(due, progress.retry_at))


def expire(
    pending: Iterable[WebhookDelivery], now: datetime, settings: WebhookSettings
) -> list[WebhookDelivery]:
    """Return what has waited for too long, as dead letters."""
    return [
        replace(delivery, died_at=now)
        for delivery in pending
        if (now - delivery.created_at).total_seconds() >= settings.life_seconds
    ]


def settle(
    batch: Sequence[WebhookDelivery],
    reply: EndpointReply,
    progress: WebhookProgress,
    now: datetime,
    settings: WebhookSettings,
    jitter: float,
) -> BatchResult:
    """Return what follows from ``reply`` to ``batch``. ``jitter``: between 0 and 1.

    A delay is between half of it and the whole, so that endpoints that came back are not called by
    everybody at once. ``Retry-After`` makes it longer, up to the longest that there is.
    """
    attempted = replace(progress, attempted_at=now, outcome=reply.outcome, status=reply.status)
    if reply.outcome is SendOutcome.ACCEPTED:
        delivered = replace(
            attempted, state=WebhookState.ACTIVE, failures=0, retry_at=0.0, delivered_at=now
        )
        return BatchResult(delivered, settled=tuple(delivery.event.id for delivery in batch))
    moment, failures = now.timestamp(), progress.failures + 1
    requested = min(reply.retry_after or 0.0, settings.longest_delay)
    is_open = failures >= TOLERATED_FAILURES or requested > 0
    pause = delay_of(failures - TOLERATED_FAILURES + 1, settings, jitter) if is_open else 0.0
    failed = replace(
        attempted,
        state=WebhookState.GONE if reply.outcome is SendOutcome.GONE else WebhookState.FAILING,
        failures=failures,
        retry_at=moment + max(pause, requested) if is_open else 0.0,
    )
    replaced, dead = [], []
    for delivery in batch:
        attempts = delivery.attempts + 1
        due = moment + max(delay_of(attempts, settings, jitter), requested)
        tried = replace(
            delivery,
            attempts=attempts,
            due=due,
            is_recorded=True,
            outcome=reply.outcome,
            status=reply.status,
        )
        if attempts >= settings.attempts or reply.outcome is SendOutcome.GONE:
            dead.append(replace(tried, died_at=now))
        else:
            replaced.append(tried)
    return BatchResult(failed, tuple(replaced), tuple(dead))


def delay_of(attempts: int, settings: WebhookSettings, jitter: float) -> float:
    """Return the seconds until the next attempt after so many."""
    doublings = min(max(attempts - 1, 0), _MOST_DOUBLINGS)
    return min(settings.longest_delay, settings.first_delay * 2.0**doublings) * (1 + jitter) / 2


def subject_of(delivery: WebhookDelivery) -> str:
    """Return whose events keep their order: those of a person, or of a source."""
    person = delivery.person
    return f"source {delivery.event.database}" if person is None else f"person {person}"
