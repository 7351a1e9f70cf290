"""The circuit breaker: when calls stop, and how they are tried again."""

from __future__ import annotations

import pytest

from gateway.fetch.breaker import PING_EVERY, BreakerState, CircuitBreaker
from tests.support.running import TestClock


def _breaker(failures: int = 5) -> tuple[CircuitBreaker, TestClock, list[BreakerState]]:
    clock, states = TestClock(), list[BreakerState]()
    return CircuitBreaker(failures, clock, states.append), clock, states


def _call(breaker: CircuitBreaker, succeeded: bool) -> None:
    turn = breaker.enter()
    assert turn is not None
    breaker.count(turn, succeeded)


def _open_breaker() -> tuple[CircuitBreaker, TestClock, list[BreakerState]]:
    breaker, clock, states = _breaker()
    for _ in range(5):
        _call(breaker, succeeded=False)
    return breaker, clock, states


def test_it_opens_with_the_last_of_so_many_failures_and_not_before() -> None:
    breaker, _, states = _breaker()
    for _ in range(4):
        _call(breaker, succeeded=False)
    assert (breaker.state, states) == (BreakerState.CLOSED, [])
    _call(breaker, succeeded=False)
    assert (breaker.state, states) == (BreakerState.OPEN, [BreakerState.OPEN])
    assert breaker.enter() is None


def test_a_record_that_always_fails_does_not_take_the_others_with_it() -> None:
    breaker, _, _ = _breaker()
    for _ in range(50):
        _call(breaker, succeeded=False)
        for _ in range(2):
            _call(breaker, succeeded=True)
    assert breaker.state is BreakerState.CLOSED


def test_failures_that_lie_far_back_do_not_count() -> None:
    breaker, _, _ = _breaker()
    for _ in range(4):
        _call(breaker, succeeded=False)
    for _ in range(20):
        _call(breaker, succeeded=True)
    for _ in range(4):
        _call(breaker, succeeded=False)
    assert breaker.state is BreakerState.CLOSED


def test_without_a_number_of_failures_it_never_opens() -> None:
    breaker, _, _ = _breaker(0)
    for _ in range(100):
        _call(breaker, succeeded=False)
    assert breaker.state is BreakerState.CLOSED


def test_an_open_one_wants_a_ping_at_intervals_and_a_closed_one_none() -> None:
    breaker, clock, _ = _open_breaker()
    assert not breaker.ping_is_due()
    clock.advance(PING_EVERY)
    assert [breaker.ping_is_due() for _ in range(2)] == [True, False]
    clock.advance(PING_EVERY)
    assert breaker.ping_is_due()
    closed, clock, _ = _breaker()
    clock.advance(100)
    assert not closed.ping_is_due()


def test_after_a_ping_it_is_tried_and_trusted_after_three_successes() -> None:
    breaker, _, states = _open_breaker()
    breaker.note_ping_answered()
    for _ in range(2):
        _call(breaker, succeeded=True)
        assert breaker.state is BreakerState.HALF_OPEN
    _call(breaker, succeeded=True)
    assert states == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


@pytest.mark.parametrize("successes", [0, 1, 2])
def test_one_failure_on_trial_opens_it_anew(successes: int) -> None:
    breaker, clock, _ = _open_breaker()
    breaker.note_ping_answered()
    for _ in range(successes):
        _call(breaker, succeeded=True)
    _call(breaker, succeeded=False)
    assert breaker.state is BreakerState.OPEN
    assert not breaker.ping_is_due()
    clock.advance(PING_EVERY)
    assert breaker.ping_is_due()


def test_calls_that_began_before_it_opened_say_nothing_of_the_trial() -> None:
    breaker, _, _ = _breaker()
    early = breaker.enter()
    assert early is not None
    for _ in range(5):
        _call(breaker, succeeded=False)
    breaker.note_ping_answered()
    breaker.count(early, succeeded=False)
    assert breaker.state is BreakerState.HALF_OPEN


def test_a_ping_that_is_answered_changes_nothing_in_one_that_is_closed() -> None:
    breaker, _, states = _breaker()
    breaker.note_ping_answered()
    assert (breaker.state, states) == (BreakerState.CLOSED, [])
