"""Rows shared by processes through a real Redis, and a Redis that fails or holds other data."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.cache.redis_log import STREAM
from gateway.cache.rows import LOOKED, REJECTED
from gateway.settings import DatabaseSettings, Redis
from tests.support.coherence import wait_until
from tests.support.faults import Faulty
from tests.support.metrics import value_of
from tests.support.people import HOA, LAN, backends
from tests.support.redis_server import Server, redis_process
from tests.support.running import OPERATOR, Running, running

pytestmark = pytest.mark.services
CACHED_DATABASES = {
    name: DatabaseSettings(timeout=120, fresh=600) for name in ("population", "civil_status")
}
QUERY = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } source { state fromCache } } } } }"""
INVALIDATE = "mutation($id: PersonNumber) { invalidate(person: $id) { effectiveBy } }"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_process(tmp_path) as server:
        yield server


@asynccontextmanager
async def process(
    server: Server, folder: Path, redis_timeout: float = 20.0
) -> AsyncIterator[Running]:
    """Run a gateway of the site; all share keys. Its clock is its own, and runs with the machine's.

    The log is followed by the machine's time: what stands still would never be up to date.
    """
    cast = {name: Faulty(backend) for name, backend in backends().items()}
    redis = Redis(url=f"redis://127.0.0.1:{server.port}", timeout=redis_timeout)
    async with running(
        folder, cast, (POPULATION, CIVIL_STATUS), CACHED_DATABASES, redis=redis
    ) as running_gateway:
        yield running_gateway


@pytest_asyncio.fixture
async def site(server: Server, tmp_path: Path) -> AsyncIterator[tuple[Running, Running]]:
    """Two processes, which have the same keys and each a journal of its own."""
    async with AsyncExitStack() as stack:
        gateways: list[Running] = []
        for name in ("one", "other"):
            folder = tmp_path / name
            folder.mkdir()
            if gateways:
                (folder / "keys").symlink_to(tmp_path / "one" / "keys")
            gateways.append(await stack.enter_async_context(process(server, folder)))
        yield gateways[0], gateways[1]


async def _ask(gateway: Running, number: str = HOA) -> tuple[str, bool, Any]:
    body = await gateway.ask(QUERY, {"id": number}, scopes=("population:read",))
    result = body["data"]["person"]["population"]["identity"]
    return result["source"]["state"], result["source"]["fromCache"], result["item"]


def _metric_value(metric: Any, label: str) -> float:
    return value_of(metric, label)


async def _shared(gateway: Running, server: Server) -> list[bytes]:
    """Have rows asked for twice, so that they are shared; return their keys in Redis."""
    for _ in range(2):
        await _ask(gateway)
    return await _wait_for_rows(server)


async def _wait_for_rows(server: Server) -> list[bytes]:
    """Return the keys of rows, once they are all there."""
    keys: list[bytes] = []

    def are_stored() -> bool:
        keys[:] = [
            key for key in server.client.keys("justice-gateway:rows:*") if type(key) is bytes
        ]
        return len(keys) >= 3

    await wait_until(are_stored)
    return keys


async def test_what_one_process_was_asked_for_twice_another_need_not_read(
    site: tuple[Running, Running], server: Server
) -> None:
    first_gateway, second_gateway = site
    first = await _ask(first_gateway)
    assert not server.client.keys("justice-gateway:rows:*")
    await _shared(first_gateway, server)
    before = _metric_value(LOOKED, "shared")
    assert await _ask(second_gateway) == (first[0], True, first[2])
    assert _metric_value(LOOKED, "shared") >= before + 3


async def test_keys_and_values_in_redis_name_nobody_and_end_by_themselves(
    site: tuple[Running, Running], server: Server
) -> None:
    for key in await _shared(site[0], server):
        assert HOA.encode() not in key
        value = server.client.get(key)
        assert isinstance(value, bytes)
        assert HOA.encode() not in value
        assert "Hòa".encode() not in value
        assert 0 < server.client.pttl(key) <= 600_000
        slot = key.split(b"{")[1].split(b"}")[0]
        assert len(slot) == 32, "the lists of a person stand in one slot of a cluster"


async def test_an_invalidation_by_one_process_reaches_the_other(
    site: tuple[Running, Running], server: Server
) -> None:
    first, second = site
    await _shared(first, server)
    assert (await _ask(second))[1]
    latest = second.service.resources.cache.log.invalidations.latest
    await first.ask(INVALIDATE, {"id": HOA}, scopes=OPERATOR)
    await wait_until(lambda: second.service.resources.cache.log.invalidations.latest > latest)
    assert not (await _ask(second))[1]
    assert (await _ask(second, LAN))[0] == "ANSWERED"


def _flipped(server: Server, keys: list[bytes]) -> str:
    for key in keys:
        value = server.client.get(key)
        assert isinstance(value, bytes)
        server.client.set(key, value[:-1] + bytes([value[-1] ^ 1]))
    return "foreign"


def _swapped(server: Server, keys: list[bytes]) -> str:
    values = [server.client.get(key) for key in keys]
    for key, value in zip(keys, [*values[1:], values[0]], strict=True):
        assert isinstance(value, bytes)
        server.client.set(key, value)
    return "foreign"


def _rubbish(server: Server, keys: list[bytes]) -> str:
    for key in keys:
        server.client.set(key, b"rubbish")
    return "corrupt"


def _of_another_key(server: Server, keys: list[bytes]) -> str:
    for key in keys:
        value = server.client.get(key)
        assert isinstance(value, bytes)
        server.client.set(key, value[:1] + b"ffffffff" + value[9:])
    return "key"


@pytest.mark.parametrize("spoil", [_flipped, _swapped, _rubbish, _of_another_key])
async def test_what_is_no_entry_is_a_miss_and_counted(
    site: tuple[Running, Running],
    server: Server,
    spoil: Callable[[Server, list[bytes]], str],
) -> None:
    first_gateway, second_gateway = site
    first = await _ask(first_gateway)
    keys = await _shared(first_gateway, server)
    reason = spoil(server, keys)
    before = _metric_value(REJECTED, reason)
    assert await _ask(second_gateway) == first, "read anew, and right"
    assert _metric_value(REJECTED, reason) == before + len(keys)


@pytest.mark.parametrize("how", ["killed", "stands still"])
async def test_without_redis_requests_are_answered_in_time_and_nothing_cached_is_served(
    server: Server, tmp_path: Path, how: str
) -> None:
    async with process(server, tmp_path, redis_timeout=0.2) as gateway:
        assert [(await _ask(gateway))[1], (await _ask(gateway))[1]] == [False, True]
        if how == "killed":
            server.stop()
        else:
            server.send(signal.SIGSTOP)
        try:
            # The clocks of the gateways stand still; to them, a second and more goes by.
            gateway.clock.advance(1.1)
            start = time.monotonic()
            assert [(await _ask(gateway))[:2] for _ in range(3)] == [("ANSWERED", False)] * 3
            assert time.monotonic() - start < gateway.service.resources.settings.limits.deadline
        finally:
            if how == "stands still":
                server.send(signal.SIGCONT)


@pytest.mark.parametrize("how", ["empty", "an old dump"])
async def test_a_redis_that_comes_back_brings_nothing_back(
    site: tuple[Running, Running], server: Server, tmp_path: Path, how: str
) -> None:
    first, second = site
    await _shared(first, server)
    server.client.save()
    # After the dump the rows are invalidated: what is in it must not be served again.
    await first.ask(INVALIDATE, {"id": HOA}, scopes=OPERATOR)
    server.stop()
    if how == "empty":
        (tmp_path / "dump.rdb").unlink()
    epoch = second.service.resources.cache.log.invalidations.epoch
    server.start()
    assert bool(server.client.exists(STREAM)) is (how == "an old dump")
    log = second.service.resources.cache.log
    await wait_until(lambda: log.invalidations.epoch != epoch and log.position() is not None)
    before = _metric_value(REJECTED, "foreign")
    assert not (await _ask(second))[1]
    if how == "an old dump":
        assert _metric_value(REJECTED, "foreign") > before
