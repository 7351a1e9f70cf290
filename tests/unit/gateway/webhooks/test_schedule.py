"""What is sent next to an endpoint, and what follows from how it went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.changes.event import LifeEvent, LifeEventKind
from gateway.changes.webhooks.sender import EndpointReply, SendOutcome
from gateway.changes.webhooks.webhook import WebhookDelivery, WebhookProgress, WebhookState
from gateway.settings import WebhookSettings
from gateway.webhooks.schedule import (
    TOLERATED_FAILURES,
    choose_batch,
    delay_of,
    expire,
    next_moment,
    settle,
)

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
MOMENT = NOW.timestamp()
SETTINGS = WebhookSettings(first_delay=10, longest_delay=100, attempts=4, life_seconds=60)
PROGRESS = WebhookProgress("p", NOW)
REFUSED = EndpointReply(SendOutcome.REFUSED, 500)


def delivery(
    name: str, person: str | None = None, attempts: int = 0, due: float = 0.0
) -> WebhookDelivery:
    """Return the delivery of an event; ``person`` None: of a source."""
    event = LifeEvent(
        name, LifeEventKind.DEATH, "civil_status", person, None, None, None, None, NOW
    )
    return WebhookDelivery(event, name, None, person, None, NOW, NOW, attempts=attempts, due=due)


def names(batch: list[WebhookDelivery]) -> str:
    return "".join(each.event.id for each in batch)


@pytest.mark.parametrize(
    ("pending", "most", "chosen"),
    [
        ([], 9, ""),
        ([delivery("a", "1"), delivery("b", "1"), delivery("c", "2")], 9, "abc"),
        ([delivery("a", "1"), delivery("b", "2"), delivery("c", "3")], 2, "ab"),
        ([delivery("a", "1", 1, MOMENT + 5), delivery("b", "1"), delivery("c", "2")], 9, "c"),
        ([delivery("a", "1", 1, MOMENT), delivery("b", "1"), delivery("c", "2")], 9, "a"),
        ([delivery("a", None, 1, MOMENT + 5), delivery("b"), delivery("c", "2")], 9, "c"),
        ([delivery(name, name, 1) for name in "abcdefgh"], 8, "abcd"),
        ([delivery(name, name, 2) for name in "abcdefgh"], 8, "ab"),
        ([delivery(name, name, 3) for name in "abcdefgh"], 8, "a"),
        ([delivery(name, name, 60) for name in "abcdefgh"], 8, "a"),
    ],
    ids=str,
)
def test_a_batch_keeps_the_order_of_each_person(
    pending: list[WebhookDelivery], most: int, chosen: str
) -> None:
    assert names(choose_batch(pending, NOW, most)) == chosen


def test_a_full_batch_holds_back_the_later_events_of_whoever_is_left_out() -> None:
    pending = [delivery("a", "1"), delivery("b", "2"), delivery("c", "1"), delivery("d", "2")]
    assert names(choose_batch(pending, NOW, 1)) == "a"
    assert names(choose_batch(pending, NOW, 3)) == "abc"


def test_what_was_accepted_is_settled_and_the_breaker_closes() -> None:
    failing = replace(PROGRESS, state=WebhookState.FAILING, failures=9, retry_at=MOMENT)
    reply = EndpointReply(SendOutcome.ACCEPTED, 202)
    result = settle([delivery("a", "1"), delivery("b")], reply, failing, NOW, SETTINGS, 0.5)
    assert result.settled == ("a", "b")
    assert (result.replaced, result.dead) == ((), ())
    progress = result.progress
    assert (progress.state, progress.failures, progress.retry_at) == (WebhookState.ACTIVE, 0, 0.0)
    assert (progress.delivered_at, progress.status) == (NOW, 202)


def test_what_failed_waits_twice_as_long_each_time_and_dies() -> None:
    tried, due = delivery("a", "1"), []
    for _ in range(SETTINGS.attempts - 1):
        result = settle([tried], REFUSED, PROGRESS, NOW, SETTINGS, 1.0)
        (tried,) = result.replaced
        due.append(tried.due - MOMENT)
    assert due == [10, 20, 40]
    assert (tried.attempts, tried.status, tried.is_recorded) == (3, 500, True)
    result = settle([tried], REFUSED, PROGRESS, NOW, SETTINGS, 1.0)
    (dead,) = result.dead
    assert (result.replaced, dead.attempts, dead.died_at) == ((), 4, NOW)


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(1, 0.0, 5), (1, 1.0, 10), (2, 0.5, 15), (4, 1.0, 80), (5, 1.0, 100), (10_000, 1.0, 100)],
)
def test_a_delay_is_between_its_half_and_the_whole_and_bounded(
    attempts: int, jitter: float, seconds: float
) -> None:
    assert delay_of(attempts, SETTINGS, jitter) == seconds


def test_several_failures_in_a_row_open_the_breaker() -> None:
    progress, pauses = PROGRESS, []
    for _ in range(TOLERATED_FAILURES + 2):
        progress = settle([delivery("a")], REFUSED, progress, NOW, SETTINGS, 1.0).progress
        pauses.append(max(0.0, progress.retry_at - MOMENT))
    assert pauses == [0, 0, 10, 20, 40]
    assert progress.state is WebhookState.FAILING


@pytest.mark.parametrize(("seconds", "pause"), [(30.0, 30), (10**8, 100), (0.0, 0)])
def test_retry_after_is_respected_within_the_longest_delay(seconds: float, pause: float) -> None:
    reply = EndpointReply(SendOutcome.REFUSED, 429, seconds)
    result = settle([delivery("a", "1")], reply, PROGRESS, NOW, SETTINGS, 1.0)
    assert max(0.0, result.progress.retry_at - MOMENT) == pause
    assert result.replaced[0].due - MOMENT == max(10, pause)


def test_an_endpoint_that_is_gone_stops_its_webhook() -> None:
    reply = EndpointReply(SendOutcome.GONE, 410)
    result = settle([delivery("a", "1")], reply, PROGRESS, NOW, SETTINGS, 1.0)
    assert result.progress.state is WebhookState.GONE
    assert result.progress.state.is_stopped
    assert [each.event.id for each in result.dead] == ["a"]


def test_what_has_waited_for_too_long_dies_whatever_its_attempts() -> None:
    pending = [delivery("a"), delivery("b")]
    assert expire(pending, NOW + timedelta(seconds=59), SETTINGS) == []
    late = NOW + timedelta(seconds=60)
    assert [each.died_at for each in expire(pending, late, SETTINGS)] == [late, late]


@pytest.mark.parametrize(
    ("pending", "retry_at", "moment"),
    [
        ([], 0.0, 100.0),
        ([delivery("a", due=40), delivery("b", due=30)], 0.0, 30.0),
        ([delivery("a", due=40)], 60.0, 60.0),
        ([delivery("a", due=400)], 0.0, 100.0),
    ],
)
def test_the_next_look_is_when_something_is_due(
    pending: list[WebhookDelivery], retry_at: float, moment: float
) -> None:
    assert next_moment(pending, replace(PROGRESS, retry_at=retry_at), 100.0) == moment
