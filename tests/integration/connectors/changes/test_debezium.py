"""Debezium's messages in real streams: trimmed, made anew, restored, begun anew, and heartbeats.

Covers ``connectors.changes.message_stream``, ``connectors.changes.nats_stream``,
``connectors.changes.redis_stream``.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import pytest

from connectors.backends.base import SourceUnavailable
from connectors.changes import nats_stream
from connectors.changes.change import Change, ChangePage, CheckpointLost
from connectors.changes.debezium import DebeziumOptions, DebeziumSource
from tests.support.backend_samples import DATABASE, union
from tests.support.debezium_writer import STREAM, TOPIC, NatsWriter, RedisWriter
from tests.support.nats_server import NatsServer, nats_process
from tests.support.redis_server import Server as RedisServer
from tests.support.redis_server import redis_process
from tests.support.servers import run_in_thread

pytestmark = pytest.mark.services
HEARTBEATS = "__debezium-heartbeat.justice"
NOON, HOUR = datetime(2026, 11, 30, 5, tzinfo=UTC), timedelta(hours=1)


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with nats_process(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_process(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["nats", "redis"])
async def writer(request: pytest.FixtureRequest) -> AsyncIterator[NatsWriter | RedisWriter]:
    if request.param == "redis":
        redis: RedisServer = request.getfixturevalue("redis_server")
        yield RedisWriter(f"redis://127.0.0.1:{redis.port}", whole_before=False)
        redis.client.flushall()
        return
    server: NatsServer = request.getfixturevalue("nats_server")
    writer = NatsWriter(f"nats://127.0.0.1:{server.port}", whole_before=True)
    await writer.set_up()
    yield writer
    await server.delete_stream(STREAM)


@pytest.fixture
async def source(writer: NatsWriter | RedisWriter) -> AsyncIterator[DebeziumSource]:
    source = DebeziumSource(DATABASE, writer.url, DebeziumOptions(topic=TOPIC))
    await source.open()
    yield source
    await source.close()


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def ids(page: ChangePage) -> list[str]:
    return [change.identity for change in page.changes if isinstance(change, Change)]


async def test_where_debezium_begins_anew_changes_may_have_been_missed(
    writer: NatsWriter | RedisWriter, source: DebeziumSource
) -> None:
    checkpoint = await source.start()
    await writer.insert("unions", union("u1"))
    anew = {"op": "r", "after": {}, "source": {"table": "unions", "snapshot": "first"}}
    await writer.write(f"{TOPIC}.unions", json.dumps(anew).encode())
    page = await source.read(checkpoint, 10)
    assert (ids(page), page.has_more) == (["u1"], True)
    with pytest.raises(CheckpointLost):
        await source.read(page.checkpoint, 10)
    checkpoint = await source.start()
    await writer.insert("unions", union("u2"))
    assert ids(await source.read(checkpoint, 10)) == ["u2"]


async def test_a_heartbeat_between_old_commits_makes_nothing_complete(
    writer: NatsWriter | RedisWriter, source: DebeziumSource
) -> None:
    checkpoint = await source.start()
    writer.now = lambda: NOON
    await writer.insert("unions", union("u1"))
    await writer.write(HEARTBEATS, json.dumps({"ts_ms": milliseconds(NOON + HOUR)}).encode())
    page = await source.read(checkpoint, 10)
    assert (ids(page), page.complete_until) == (["u1"], NOON - timedelta(seconds=1))
    writer.now = lambda: NOON + timedelta(minutes=1)  # was committed before the heartbeat
    await writer.insert("unions", union("u2"))
    page = await source.read(page.checkpoint, 10)
    assert (ids(page), page.complete_until) == (["u2"], NOON + timedelta(seconds=59))


async def test_a_message_in_the_log_of_the_database_moves_the_moment_of_completeness(
    writer: NatsWriter | RedisWriter, source: DebeziumSource
) -> None:
    page = await source.read(await source.start(), 10)
    assert page.complete_until is None
    writer.now = lambda: NOON
    await writer.emit_message()
    page = await source.read(page.checkpoint, 10)
    assert (page.changes, page.complete_until) == ([], NOON - timedelta(seconds=1))
    assert (await source.read(page.checkpoint, 10)).complete_until == page.complete_until


async def test_a_source_wakes_up_when_a_message_is_written(
    writer: NatsWriter | RedisWriter, source: DebeziumSource
) -> None:
    page = await source.read(await source.start(), 10)
    waiting = asyncio.create_task(source.wait(600.0))
    await writer.insert("unions", union("u1"))
    await asyncio.wait_for(waiting, 60.0)
    assert ids(await source.read(page.checkpoint, 10)) == ["u1"]


async def test_messages_that_were_trimmed_unread_are_missed(
    writer: NatsWriter | RedisWriter,
    source: DebeziumSource,
    request: pytest.FixtureRequest,
) -> None:
    checkpoint = await source.start()
    for number in range(3):
        await writer.insert("unions", union(f"u{number}"))
    read = await source.read(checkpoint, 1)
    await _trim(request, keep=2)
    assert ids(await source.read(read.checkpoint, 10)) == ["u1", "u2"]
    await _trim(request, keep=1)
    with pytest.raises(CheckpointLost):
        await source.read(read.checkpoint, 10)


async def _trim(request: pytest.FixtureRequest, keep: int) -> None:
    writer = request.getfixturevalue("writer")
    if isinstance(writer, RedisWriter):
        request.getfixturevalue("redis_server").client.xtrim(
            f"{TOPIC}.unions", maxlen=keep, approximate=False
        )
        return
    client = await nats.connect(writer.url)
    await client.jetstream().purge_stream(STREAM, keep=keep)
    await client.close()


async def test_a_stream_that_was_made_anew_is_noticed(
    writer: NatsWriter | RedisWriter,
    source: DebeziumSource,
    request: pytest.FixtureRequest,
) -> None:
    checkpoint = await source.start()
    await writer.insert("unions", union("u1"))
    page = await source.read(checkpoint, 10)
    if isinstance(writer, NatsWriter):
        await request.getfixturevalue("nats_server").delete_stream(STREAM)
        await writer.set_up()
    else:
        request.getfixturevalue("redis_server").client.flushall()
    with pytest.raises(CheckpointLost):
        await source.read(page.checkpoint, 10)


async def test_a_stream_that_was_restored_and_written_on_is_noticed(
    writer: NatsWriter | RedisWriter,
    source: DebeziumSource,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    await writer.insert("unions", union("u1"))
    restore = _back_up(request, tmp_path)
    await source.close()  # a connection to a server that ended
    checkpoint = await source.start()
    await writer.insert("unions", union("u2"))
    page = await source.read(checkpoint, 10)
    assert ids(page) == ["u2"]
    restore()
    await source.close()
    assert ids(await source.read(checkpoint, 10)) == []  # what came before it is there
    await writer.insert("unions", union("u3"))
    await writer.insert("unions", union("u4"))
    with pytest.raises(CheckpointLost):
        await source.read(page.checkpoint, 10)
    with pytest.raises(CheckpointLost):
        await source.read(page.checkpoint, 1)


def _back_up(request: pytest.FixtureRequest, folder: Path) -> Callable[[], None]:
    """Back up the stream of unions; return what restores it."""
    if isinstance(request.getfixturevalue("writer"), RedisWriter):
        client = request.getfixturevalue("redis_server").client
        backup, name = client.dump(f"{TOPIC}.unions"), f"{TOPIC}.unions"
        return lambda: client.restore(name, 0, backup, replace=True)
    server: NatsServer = request.getfixturevalue("nats_server")
    server.stop()
    shutil.copytree(server.folder, folder / "backup")
    server.start()

    def restore() -> None:
        server.stop()
        shutil.rmtree(server.folder)
        shutil.copytree(folder / "backup", server.folder)
        server.start()

    return restore


async def test_a_message_that_was_deleted_unread_is_missed(
    writer: NatsWriter | RedisWriter, source: DebeziumSource, request: pytest.FixtureRequest
) -> None:
    checkpoint = await source.start()
    for number in range(3):
        await writer.insert("unions", union(f"u{number}"))
    if isinstance(writer, NatsWriter):
        client = await nats.connect(writer.url)
        await client.jetstream().delete_msg(STREAM, 2)
        await client.close()
    else:
        client = request.getfixturevalue("redis_server").client
        client.xdel(f"{TOPIC}.unions", client.xrange(f"{TOPIC}.unions")[1][0])
    with pytest.raises(CheckpointLost):
        await source.read(checkpoint, 10)


@pytest.mark.parametrize("has_read", [True, False], ids=["after_a_message", "from_the_start"])
async def test_the_last_message_of_a_stream_that_was_deleted_unread_is_missed(
    nats_server: NatsServer, has_read: bool
) -> None:
    writer = NatsWriter(f"nats://127.0.0.1:{nats_server.port}", whole_before=True)
    await writer.set_up()
    source = DebeziumSource(DATABASE, writer.url, DebeziumOptions(topic=TOPIC))
    try:
        checkpoint = await source.start()
        if has_read:
            await writer.insert("unions", union("u1"))
            checkpoint = (await source.read(checkpoint, 10)).checkpoint
        await writer.insert("unions", union("u2"))
        client = await nats.connect(writer.url)
        await client.jetstream().delete_msg(STREAM, 1 + has_read)
        await client.close()
        with pytest.raises(CheckpointLost):
            await source.read(checkpoint, 10)
        checkpoint = await source.start()
        await writer.insert("unions", union("u3"))
        page = await source.read(checkpoint, 10)
        assert (ids(page), page.has_more) == (["u3"], False)
    finally:
        await source.close()
        await nats_server.delete_stream(STREAM)


@pytest.mark.parametrize("kind", ["nats", "redis"])
def test_a_server_that_ended_is_unavailable_and_found_again(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nats_process(tmp_path) if kind == "nats" else redis_process(tmp_path) as server:
        writer = (NatsWriter if kind == "nats" else RedisWriter)(
            f"{kind}://127.0.0.1:{server.port}", whole_before=True
        )

        async def follow() -> None:
            if isinstance(writer, NatsWriter):
                await writer.set_up()
            source = DebeziumSource(DATABASE, writer.url, DebeziumOptions(topic=TOPIC))
            checkpoint = await source.start()
            server.stop()
            with monkeypatch.context() as shorter:
                shorter.setattr(nats_stream, "_TIMEOUT", 0.5)
                with pytest.raises(SourceUnavailable):
                    await source.read(checkpoint, 10)
            # A server that refuses connections is known to be down without waiting.
            with pytest.raises(SourceUnavailable, match=r"NoServersError|ConnectionError"):
                await source.read(checkpoint, 10)
            await source.wait(0.01)
            server.start()
            assert await source.read(checkpoint, 10)
            await source.close()

        run_in_thread(follow())


def test_other_streams_are_refused() -> None:
    with pytest.raises(ValueError, match="nats://"):
        DebeziumSource(DATABASE, "kafka://127.0.0.1", DebeziumOptions(topic=TOPIC))
    with pytest.raises(ValueError, match="keeps no record deaths"):
        DebeziumSource(
            DATABASE, "nats://127.0.0.1", DebeziumOptions(topic=TOPIC, records=("deaths",))
        )
