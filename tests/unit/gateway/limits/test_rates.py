"""Rates a minute and a day: headers, refusals, and sharing between clients.

Covers ``gateway.limits.windows``.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.errors import GatewayError
from gateway.limits.rates import LIMITED, RateLimiter
from gateway.settings import Client, Settings
from gateway.settings import RateLimits as RatesSettings
from tests.support.metrics import value_of
from tests.support.running import TestClock


def _rates(clock: TestClock, clients: int = 100, **rates: object) -> RateLimiter:
    return RateLimiter(Settings(rates=RatesSettings.model_validate(rates)), clock, clients=clients)


async def _count_admitted(rates: RateLimiter, client: str | None, times: int) -> int:
    """Ask up to ``times`` and return how often it was let through."""
    for number in range(times):
        try:
            await rates.request(client)
        except GatewayError:
            return number
    return times


async def _refusal(
    rates: RateLimiter, client: str | None = "a", cost: int | None = None
) -> GatewayError:
    request = rates.request(client) if cost is None else rates.cost(client, cost)
    with pytest.raises(GatewayError) as excinfo:
        await request
    assert excinfo.value.code.name == "RATE_LIMITED"
    return excinfo.value


async def test_a_client_has_its_allowance_at_once_and_no_more() -> None:
    assert await _count_admitted(_rates(TestClock(), requests_per_minute=10), "a", 50) == 10


async def test_the_minute_before_gives_back_evenly() -> None:
    clock = TestClock()
    rates = _rates(clock, requests_per_minute=60)
    await _count_admitted(rates, "a", 60)
    clock.advance(60)
    assert await _count_admitted(rates, "a", 50) == 0
    clock.advance(15)
    assert await _count_admitted(rates, "a", 50) == 15
    clock.advance(30)
    assert await _count_admitted(rates, "a", 50) == 30
    clock.advance(3_600)
    assert await _count_admitted(rates, "a", 500) == 60, "and never more than the whole"


@pytest.mark.parametrize("into", [0, 20, 59])
@pytest.mark.parametrize("earlier", [0, 3, 7])
async def test_who_waits_as_long_as_it_is_told_is_let_through_and_no_sooner(
    into: int, earlier: int
) -> None:
    clock = TestClock()
    rates = _rates(clock, requests_per_minute=7)
    await _count_admitted(rates, "a", earlier)
    clock.advance(60 + into)
    await _count_admitted(rates, "a", 50)
    wait = int((await _refusal(rates)).headers["Retry-After"])
    assert 0 < wait <= 120
    clock.advance(wait - 1)
    assert await _count_admitted(rates, "a", 1) == 0
    clock.advance(1)
    assert await _count_admitted(rates, "a", 1) == 1


async def test_clients_do_not_share_and_anonymous_callers_share_their_own() -> None:
    rates = _rates(TestClock(), requests_per_minute=10, anonymous_per_minute=4)
    await _count_admitted(rates, "a", 50)
    assert await _count_admitted(rates, "b", 50) == 10
    assert await _count_admitted(rates, None, 50) == 4


async def test_settings_of_a_client_count_before_those_of_all() -> None:
    settings = Settings(
        rates=RatesSettings(requests_per_minute=10, cost_per_minute=100),
        clients={"portal": Client(requests_per_minute=25), "bank": Client(cost_per_minute=5)},
    )
    rates = RateLimiter(settings, TestClock())
    assert await _count_admitted(rates, "portal", 50) == 25
    assert await _count_admitted(rates, "bank", 50) == 10
    await rates.cost("portal", 100)
    await rates.cost("bank", 5)
    await _refusal(rates, "bank", cost=1)


async def test_what_is_refused_for_its_cost_costs_nothing() -> None:
    rates = _rates(TestClock(), cost_per_minute=100)
    await rates.cost("a", 60)
    error = await _refusal(rates, cost=41)
    assert error.details == {"limit": "cost", "window": "minute"}
    await rates.cost("a", 40)
    await rates.cost("a", 0)
    await _refusal(rates, cost=1)


async def test_what_is_dearer_than_a_whole_allowance_takes_all_of_it() -> None:
    rates = _rates(TestClock(), cost_per_minute=100)
    await rates.cost("a", 1_000)
    await _refusal(rates, cost=1)
    await rates.cost("b", 1)
    await _refusal(rates, "b", cost=1_000)


async def test_a_day_ends_at_vietnamese_midnight() -> None:
    clock = TestClock(datetime(2026, 11, 23, 3, tzinfo=UTC))
    rates = _rates(clock, requests_per_day=3, cost_per_day=100)
    assert await _count_admitted(rates, "a", 50) == 3
    await rates.cost("a", 100)
    error = await _refusal(rates)
    assert error.details == {"limit": "requests", "window": "day"}
    assert error.headers["Retry-After"] == str(14 * 3_600), "ten in the morning in Ha Noi"
    clock.advance(14 * 3_600 - 1)
    await _refusal(rates)
    assert (await _refusal(rates, cost=1)).headers["Retry-After"] == "1"
    clock.advance(1)
    assert clock.now() == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert await _count_admitted(rates, "a", 50) == 3
    await rates.cost("a", 100)


async def test_an_answer_says_how_the_tighter_window_stands() -> None:
    clock = TestClock(datetime(2026, 11, 23, 3, 0, 20, tzinfo=UTC))
    rates = _rates(clock, requests_per_minute=10, requests_per_day=25)
    assert (await rates.request("a")).headers == {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "9",
        "RateLimit-Reset": "40",
        "RateLimit-Policy": "10;w=60, 25;w=86400",
    }
    for _ in range(2):
        await _count_admitted(rates, "a", 10)
        clock.advance(120)
    assert (await rates.request("a")).headers == {
        "RateLimit-Limit": "25",
        "RateLimit-Remaining": "4",
        "RateLimit-Reset": str(14 * 3_600 - 260),
        "RateLimit-Policy": "10;w=60, 25;w=86400",
    }


async def test_without_a_day_the_policy_is_the_minute() -> None:
    allowance = await _rates(TestClock(), requests_per_minute=10).request("a")
    assert allowance.headers["RateLimit-Policy"] == "10;w=60"


async def test_a_refusal_has_the_headers_too() -> None:
    rates = _rates(TestClock(), requests_per_minute=10)
    await _count_admitted(rates, "a", 10)
    error = await _refusal(rates)
    assert error.code.status == 429
    assert error.details == {"limit": "requests", "window": "minute"}
    assert error.headers == {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "66",
        "RateLimit-Policy": "10;w=60",
        "Retry-After": "66",
    }


async def test_a_rate_can_be_tried_out_before_it_is_enforced() -> None:
    rates = _rates(TestClock(), requests_per_minute=2, cost_per_minute=5, enforced=False)
    measured = LIMITED.labels("requests", "minute", "measured")
    before = value_of(measured)
    assert await _count_admitted(rates, "a", 10) == 10
    assert value_of(measured) == before + 8
    await rates.cost("a", 5)
    await rates.cost("a", 5)


async def test_nobody_gets_a_fresh_allowance_by_being_pushed_out() -> None:
    clock = TestClock()
    rates = _rates(clock, clients=3, requests_per_minute=5)
    await _count_admitted(rates, "a", 50)
    for number in range(50):
        await _count_admitted(rates, f"other-{number}", 1)
    assert await _count_admitted(rates, "a", 1) == 0
    clock.advance(60)
    for number in range(50):
        await _count_admitted(rates, f"another-{number}", 1)
    assert await _count_admitted(rates, "a", 1) == 0, "the minute before still counts"


async def test_clients_that_there_is_no_room_for_share_one_allowance() -> None:
    rates = _rates(TestClock(), clients=2, requests_per_minute=5)
    assert await _count_admitted(rates, "a", 1) == 1
    assert await _count_admitted(rates, "b", 1) == 1
    assert await _count_admitted(rates, "c", 3) == 3
    assert await _count_admitted(rates, "d", 50) == 2
    assert await _count_admitted(rates, "a", 50) == 4, "who was there first goes on as before"


async def test_who_has_been_quiet_makes_room() -> None:
    clock = TestClock()
    rates = _rates(clock, clients=2, requests_per_minute=5)
    await _count_admitted(rates, "a", 50)
    await _count_admitted(rates, "b", 50)
    clock.advance(120)
    await _count_admitted(rates, "b", 50)
    assert await _count_admitted(rates, "c", 50) == 5
    assert await _count_admitted(rates, "b", 50) == 0


async def test_what_was_used_of_a_day_is_kept_until_the_day_is_over() -> None:
    clock = TestClock()
    rates = _rates(clock, clients=1, requests_per_minute=5, requests_per_day=5)
    await _count_admitted(rates, "a", 50)
    clock.advance(3_600)
    await _count_admitted(rates, "b", 1)
    assert await _count_admitted(rates, "a", 1) == 0
    clock.advance(24 * 3_600)
    assert await _count_admitted(rates, "b", 50) == 5


async def test_a_client_with_settings_of_its_own_always_has_room() -> None:
    settings = Settings(
        rates=RatesSettings(requests_per_minute=5), clients={"portal": Client(matching=True)}
    )
    rates = RateLimiter(settings, TestClock(), clients=1)
    await _count_admitted(rates, "a", 1)
    await _count_admitted(rates, "b", 50)
    assert await _count_admitted(rates, "portal", 50) == 5
