"""What a process learns of a database while it uses it: contacts, latency, cache use."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from connectors.backends.base import DataFault, NotMapped, SourceMaintenance, SourceUnavailable
from gateway.answer import State
from gateway.fetch.contacts import CacheShare, Contacts
from tests.support.running import TestClock


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def contacts(clock: TestClock) -> Contacts:
    return Contacts(clock, 0.9)


def test_without_a_contact_nothing_is_said(contacts: Contacts) -> None:
    assert contacts.latest is None
    assert contacts.latency() is None


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, State.ANSWERED),
        (NotMapped, State.ANSWERED),
        (SourceUnavailable, State.UNAVAILABLE),
        (DataFault, State.UNAVAILABLE),
        (ZeroDivisionError, State.UNAVAILABLE),
        (SourceMaintenance, State.MAINTENANCE),
        (asyncio.CancelledError, State.TIMED_OUT),
    ],
)
def test_a_call_is_noted_with_what_came_of_it(
    contacts: Contacts, error: type[BaseException] | None, state: State
) -> None:
    contacts.note_call(1.0, error)
    assert contacts.latest is not None
    assert contacts.latest.state is state


def test_a_call_of_a_request_without_time_says_nothing(contacts: Contacts) -> None:
    contacts.note_call(0.2, asyncio.CancelledError)
    assert contacts.latest is None


def test_latency_is_of_answered_calls_alone(contacts: Contacts, clock: TestClock) -> None:
    contacts.note_call(9.0, SourceUnavailable)
    clock.advance(5)
    first = clock.now()
    for hundredths in range(1, 101):
        contacts.note_call(hundredths / 100, None)
    latency = contacts.latency()
    assert latency is not None
    assert (latency.median, latency.p95) == (0.5, 0.95)
    assert (latency.calls, latency.since) == (100, first)


def test_the_latest_contact_is_a_call_or_a_check(contacts: Contacts, clock: TestClock) -> None:
    contacts.note_check(State.ANSWERED)
    clock.advance(1)
    contacts.note_call(0.1, SourceUnavailable)
    assert contacts.latest is not None
    assert contacts.latest.state is State.UNAVAILABLE
    clock.advance(1)
    contacts.note_check(State.ANSWERED)
    assert contacts.latest.at == clock.now() - timedelta(0)


def test_old_calls_are_forgotten(contacts: Contacts) -> None:
    for _ in range(600):
        contacts.note_call(0.1, None)
    latency = contacts.latency()
    assert latency is not None
    assert latency.calls == 512
    assert len(contacts.recent) == 20


def test_a_cache_that_was_never_used_has_no_share(clock: TestClock) -> None:
    assert CacheShare(clock.now()).share is None
    assert CacheShare(clock.now(), keys=8, cached=2).share == 0.25
    assert CacheShare(clock.now(), keys=8).share == 0
