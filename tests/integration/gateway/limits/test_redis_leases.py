"""Rates that two processes share through a real Redis, which fails and comes back."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.errors import GatewayError
from gateway.limits.rates import RateLimiter
from gateway.limits.redis_leases import SHARED, RedisLeases
from gateway.settings import Client, Redis, Settings
from gateway.settings import RateLimits as RatesSettings
from tests.support.metrics import value_of
from tests.support.redis_server import Server, redis_process
from tests.support.running import TestClock

_PATIENCE = 20.0

pytestmark = pytest.mark.services


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_process(tmp_path) as server:
        yield server


@asynccontextmanager
async def _process(
    server: Server,
    clock: TestClock,
    rates: RatesSettings,
    clients: dict[str, Client] | None = None,
    patience: float = _PATIENCE,
) -> AsyncIterator[tuple[RateLimiter, RedisLeases]]:
    """Run one process's rates, which by default wait for a busy machine as long as it takes."""
    url = f"redis://127.0.0.1:{server.port}"
    redis_settings = Redis(url=url, timeout=patience)
    settings = Settings(rates=rates, clients=clients or {}, redis=redis_settings)
    shared = RedisLeases(settings.redis, b"0" * 32, clock)
    await shared.open()
    try:
        yield RateLimiter(settings, clock, shared), shared
    finally:
        await shared.close()


@asynccontextmanager
async def _two(
    server: Server, clock: TestClock, rates: RatesSettings
) -> AsyncIterator[tuple[RateLimiter, RateLimiter]]:
    async with _process(server, clock, rates) as first, _process(server, clock, rates) as second:
        yield first[0], second[0]


async def _count_admitted(rates: RateLimiter, times: int, client: str | None = "a") -> int:
    """Ask so many times, all at once, and return how many were let through."""
    requests = [rates.request(client) for _ in range(times)]
    answers = await asyncio.gather(*requests, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(result, GatewayError) for result in errors), errors
    return times - len(errors)


async def _wait_until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not is_so():  # noqa: ASYNC110 (what is waited for belongs to the gateway)
            await asyncio.sleep(0.005)


def _questions() -> int:
    return int(sum(value_of(SHARED, outcome) for outcome in ("leased", "empty")))


async def test_two_processes_have_one_allowance_between_them(server: Server) -> None:
    clock = TestClock()
    rates = RatesSettings(requests_per_minute=100)
    async with _two(server, clock, rates) as (first, second):
        assert (await _count_admitted(first, 30), await _count_admitted(second, 30)) == (30, 30)
        counts = await asyncio.gather(_count_admitted(first, 150), _count_admitted(second, 150))
        assert sum(counts) == 40, "who is quicker may have all that is left"
        clock.advance(120)
        assert await _count_admitted(second, 70) + await _count_admitted(first, 70) <= 100


async def test_a_process_sits_on_a_twentieth_of_what_is_left_at_most(server: Server) -> None:
    clock = TestClock()
    rates = RatesSettings(requests_per_minute=1_000)
    async with _two(server, clock, rates) as (first, second):
        assert await _count_admitted(first, 1) == 1
        assert await _count_admitted(second, 2_000) == 950
        assert await _count_admitted(first, 2_000) == 49


async def test_redis_is_not_asked_for_each_request(server: Server) -> None:
    async with _process(server, TestClock(), RatesSettings(requests_per_minute=6_000)) as (
        rates,
        _,
    ):
        before = _questions()
        for _ in range(1_000):
            await rates.request("a")
        assert _questions() - before < 10
        for _ in range(5_000):
            await rates.request("a")
        assert _questions() - before < 150
        before = _questions()
        assert await _count_admitted(rates, 500) == 0
        assert _questions() - before <= 1, "nor for each request of who is out of it"


async def test_what_is_left_of_a_slice_lapses_with_its_minute(server: Server) -> None:
    clock = TestClock()
    async with _process(server, clock, RatesSettings(requests_per_minute=100)) as (rates, _):
        await rates.request("a")
        clock.advance(60)
        assert await _count_admitted(rates, 200) == 95, "the slice of five counts as used"


async def test_who_is_out_of_it_is_told_when_to_come_back_and_is_let_through_then(
    server: Server,
) -> None:
    clock = TestClock()
    async with _process(server, clock, RatesSettings(requests_per_minute=7)) as (rates, _):
        assert await _count_admitted(rates, 50) == 7
        with pytest.raises(GatewayError) as excinfo:
            await rates.request("a")
        wait = int(excinfo.value.headers["Retry-After"])
        clock.advance(wait - 1)
        assert await _count_admitted(rates, 1) == 0
        clock.advance(1)
        assert await _count_admitted(rates, 1) == 1


async def test_a_day_is_shared_too_and_turns_at_midnight(server: Server) -> None:
    clock = TestClock()
    rates = RatesSettings(requests_per_minute=100, requests_per_day=30)
    async with _two(server, clock, rates) as (first, second):
        assert await _count_admitted(first, 20) + await _count_admitted(second, 50) == 30
        with pytest.raises(GatewayError) as excinfo:
            await second.request("a")
        assert excinfo.value.details == {"limit": "requests", "window": "day"}
        clock.advance(3_600)
        assert await _count_admitted(first, 1) == 0
        clock.advance(13 * 3_600)
        assert await _count_admitted(first, 50) == 30


async def test_cost_is_shared_and_what_is_refused_costs_nothing(server: Server) -> None:
    clock = TestClock()
    rates = RatesSettings(cost_per_minute=1_000)
    async with _two(server, clock, rates) as (first, second):
        await first.cost("a", 600)
        with pytest.raises(GatewayError, match="allowance"):
            await second.cost("a", 401)
        await second.cost("a", 380)
        with pytest.raises(GatewayError, match="allowance"):
            await second.cost("a", 30)


async def test_answers_say_how_the_shared_allowance_stands(server: Server) -> None:
    clock = TestClock()
    rates = RatesSettings(requests_per_minute=100)
    async with _two(server, clock, rates) as (first, second):
        await _count_admitted(first, 20)
        allowance = await second.request("a")
        assert (allowance.limit, allowance.reset) == (100, 60)
        assert 70 <= allowance.remaining < 80
        before = allowance.remaining
        assert (await second.request("a")).remaining == before - 1


async def test_clients_do_not_share_with_each_other(server: Server) -> None:
    clients = {"b": Client(requests_per_minute=3)}
    rates = RatesSettings(requests_per_minute=10, anonymous_per_minute=4)
    async with _process(server, TestClock(), rates, clients) as (rates_of_process, _):
        assert await _count_admitted(rates_of_process, 50) == 10
        assert await _count_admitted(rates_of_process, 50, "b") == 3
        assert await _count_admitted(rates_of_process, 50, None) == 4


async def test_nothing_in_redis_names_a_client(server: Server) -> None:
    async with _process(server, TestClock(), RatesSettings(requests_per_day=10)) as (rates, _):
        await rates.request("001088000017")
        keys = server.client.keys()
        assert isinstance(keys, list)
        assert keys
        assert not [key for key in keys if b"001088000017" in key]
        lives = [server.client.ttl(key) for key in keys]
        assert all(isinstance(life, int) and life > 0 for life in lives), "and nothing stays"


async def test_without_redis_each_process_goes_on_by_itself_and_joins_again(
    server: Server,
) -> None:
    clock = TestClock()
    rates = RatesSettings(requests_per_minute=100)
    async with (
        _process(server, clock, rates) as (first_rates, first),
        _process(server, clock, rates) as (second_rates, second),
    ):
        assert await _count_admitted(first_rates, 30) == 30
        server.stop()
        with capture_logs() as logs:
            assert await _count_admitted(first_rates, 200) == 70, (
                "what it let through itself counts"
            )
            assert await _count_admitted(second_rates, 200) == 100
            assert (first.up, second.up) == (False, False)
            server.start()
            clock.advance(120)
            assert (
                await _count_admitted(first_rates, 1) + await _count_admitted(second_rates, 1) == 2
            )
            await _wait_until(lambda: first.up and second.up)
            assert (
                sum(
                    await asyncio.gather(
                        _count_admitted(first_rates, 150), _count_admitted(second_rates, 150)
                    )
                )
                == 100
            )
        events = [(event["log_level"], event["event"]) for event in logs]
        assert (
            events
            == [("warning", "shared rates are gone")] * 2 + [("info", "shared rates are back")] * 2
        ), "one line a change"


async def test_a_gateway_starts_without_redis(server: Server) -> None:
    server.stop()
    clock = TestClock()
    async with _process(server, clock, RatesSettings(requests_per_minute=10)) as (rates, shared):
        assert not shared.up
        assert await _count_admitted(rates, 50) == 10
        server.start()
        clock.advance(120)
        assert await _count_admitted(rates, 1) == 1
        await _wait_until(lambda: shared.up)
        assert await _count_admitted(rates, 50) == 10


async def test_a_redis_that_hangs_holds_nobody_up(server: Server) -> None:
    clock, limits = TestClock(), RatesSettings(requests_per_minute=100)
    async with _process(server, clock, limits, patience=0.2) as (rates, shared):
        await _wait_until(lambda: shared.up)
        server.send(signal.SIGSTOP)
        start = time.monotonic()
        assert await _count_admitted(rates, 60) == 60
        assert time.monotonic() - start < 60 * 0.2 / 2, "few waited for it"
        assert not shared.up
        start = time.monotonic()
        for _ in range(40):
            await rates.request("a")
        assert time.monotonic() - start < 40 * 0.2 / 2, "nobody waits for it any more"
        server.send(signal.SIGCONT)
        clock.advance(120)
        await rates.request("a")
        await _wait_until(lambda: shared.up)


async def test_a_redis_that_takes_no_writes_counts_as_gone(server: Server) -> None:
    clock = TestClock()
    async with _process(server, clock, RatesSettings(requests_per_minute=10)) as (rates, shared):
        server.client.config_set("maxmemory", "1")
        assert await _count_admitted(rates, 50) == 10
        assert not shared.up
        clock.advance(120)
        with capture_logs() as logs:
            assert await _count_admitted(rates, 1) == 1
            await _wait_until(lambda: shared._probing is None)
        assert (shared.up, logs) == (False, [])
        server.client.config_set("maxmemory", "0")
        clock.advance(1)
        await rates.request("a")
        await _wait_until(lambda: shared.up)


async def test_who_goes_away_while_waiting_for_a_slice_disturbs_nobody(server: Server) -> None:
    clock = TestClock()
    async with _process(server, clock, RatesSettings(requests_per_minute=100)) as (rates, shared):
        server.send(signal.SIGSTOP)
        waiting = [asyncio.create_task(rates.request("a")) for _ in range(10)]
        for _ in range(20):
            await asyncio.sleep(0)
        for task in waiting[:5]:
            task.cancel()
        server.send(signal.SIGCONT)
        await asyncio.gather(*waiting, return_exceptions=True)
        assert [task.cancelled() for task in waiting] == [True] * 5 + [False] * 5
        assert shared.up
        admitted = 5 + await _count_admitted(rates, 200)
        assert 80 <= admitted <= 100, "the slice of who went away may be lost, no more"
        assert await _count_admitted(rates, 20, "b") == 20, "answers are not mixed up"
