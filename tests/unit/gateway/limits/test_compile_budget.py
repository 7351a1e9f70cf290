"""The budget of new documents a client may compile, and the answer beyond it."""

from __future__ import annotations

import pytest

from gateway.errors import GatewayError
from gateway.limits.compile_budget import CompileBudget
from tests.support.running import TestClock


def _take(budget: CompileBudget, client: str | None, times: int) -> int:
    """Take up to ``times`` and return how often it was let through."""
    for number in range(times):
        try:
            budget.take(client)
        except GatewayError:
            return number
    return times


def test_a_client_has_its_minutes_worth_at_once_and_no_more() -> None:
    assert _take(CompileBudget(10, TestClock()), "a", 100) == 10


def test_clients_do_not_share() -> None:
    budget = CompileBudget(10, TestClock())
    _take(budget, "a", 100)
    assert _take(budget, "b", 100) == 10
    assert _take(budget, None, 100) == 10


def test_time_gives_it_back_evenly() -> None:
    clock = TestClock()
    budget = CompileBudget(10, clock)
    _take(budget, "a", 100)
    clock.advance(18)
    assert _take(budget, "a", 100) == 3
    clock.advance(3_600)
    assert _take(budget, "a", 100) == 10, "and never more than that"


def test_who_has_to_wait_hears_how_long() -> None:
    clock = TestClock()
    budget = CompileBudget(10, clock)
    _take(budget, "a", 100)
    with pytest.raises(GatewayError) as excinfo:
        budget.take("a")
    assert excinfo.value.code.name == "TOO_MANY_DOCUMENTS"
    wait = int(excinfo.value.headers["Retry-After"])
    assert wait == 6
    clock.advance(wait)
    budget.take("a")


def test_asking_in_vain_costs_nothing() -> None:
    clock = TestClock()
    budget = CompileBudget(1, clock)
    budget.take("a")
    for _ in range(5):
        assert _take(budget, "a", 1) == 0
        clock.advance(11)
    clock.advance(5)
    assert _take(budget, "a", 1) == 1
