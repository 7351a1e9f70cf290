"""A Redis that may be behind, or throws keys away, has no event log; one that forgets is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from gateway.changes.log import EventLog, EventLogUnavailable
from gateway.changes.redis_event_log import RedisEventLog
from gateway.changes.retention import Retention
from gateway.runtime.clock import SystemClock
from tests.support.event_logs import DATABASE, LEASE
from tests.support.life_events import SEALED, followed, life_events
from tests.support.people import HOA
from tests.support.redis_server import Server, redis_process

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis_process(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def log(server: Server) -> AsyncIterator[EventLog]:
    url = f"redis://127.0.0.1:{server.port}"
    log = RedisEventLog(url, "tests", SEALED, SystemClock(), Retention())
    yield log
    await log.close()


async def test_a_redis_that_throws_keys_away_is_refused_until_it_does_no_more(
    server: Server, log: EventLog
) -> None:
    server.client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(EventLogUnavailable):
        await log.end()
    server.client.config_set("maxmemory-policy", "noeviction")
    await log.end()


async def test_a_replica_is_refused(server: Server, log: EventLog) -> None:
    server.client.replicaof("127.0.0.1", 1)
    try:
        with pytest.raises(EventLogUnavailable):
            await log.end()
    finally:
        server.client.replicaof("NO", "ONE")


async def test_a_redis_that_does_not_persist_is_named_once(log: EventLog) -> None:
    with capture_logs() as lines:
        await log.end()
        await log.end()
    assert [line["log_level"] for line in lines] == ["warning"]


async def test_redis_has_no_number_of_a_person(server: Server, log: EventLog) -> None:
    assert await log.acquire(DATABASE, "a", LEASE)
    await log.append("a", life_events(3), followed(HOA))
    for key in server.client.scan_iter():
        assert HOA.encode() not in (server.client.dump(key) or b"")
