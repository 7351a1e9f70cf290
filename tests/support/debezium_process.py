"""A process that does what Debezium Server does, until it is killed.

``python -m tests.support.debezium_process PORT BROKER LOG`` (see ``DebeziumProcess``). It reads the
log of PostgreSQL and writes envelopes to a stream of NATS, or to streams of Redis, at least once:
its place in the log moves on once the broker has acknowledged. Every second it commits a message to
the log, as ``heartbeat.action.query`` does. What fails is begun again from the last place.

Where DEBEZIUM_LIBRARIES names a folder with the jars of Debezium's embedded engine (Java 17), the
engine reads the log; else envelopes are made of what PostgreSQL's ``test_decoding`` shows.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import nats
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.support.debezium_writer import STREAM
from tests.support.wal_envelopes import LogRecord, transactions

PREFIX = "justice"
_ROOT = Path(__file__).parents[2]
_ENGINE = Path(__file__).with_name("CopyLog.java")
_LIBRARIES = os.environ.get("DEBEZIUM_LIBRARIES", "")
_SLOT = "debezium"
_HEARTBEAT = "SELECT pg_logical_emit_message(true, 'heartbeat', '')"
#: Rows of the log that are read at once, and seconds between two looks at its end.
_BATCH, _INTERVAL = 500, 0.02
_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, NatsError, RedisError)
_PROPERTIES = {
    "name": "engine",
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
    "offset.flush.interval.ms": "0",
    "database.hostname": "127.0.0.1",
    "database.user": "postgres",
    "database.password": "none",
    "database.dbname": "postgres",
    "topic.prefix": PREFIX,
    "plugin.name": "pgoutput",
    "slot.name": _SLOT,
    "publication.autocreate.mode": "filtered",
    "table.include.list": "public.deaths",
    "snapshot.mode": "no_data",
    "skipped.operations": "none",
    "heartbeat.interval.ms": "1000",
    "heartbeat.action.query": _HEARTBEAT,
    "poll.interval.ms": "50",
    "value.converter.schemas.enable": "false",
}

#: Writes messages, (topic, value), and returns once the broker has all of them.
Write = Callable[[Sequence[tuple[str, bytes]]], Awaitable[None]]


@dataclass
class DebeziumProcess:
    """The process. ``port``: of PostgreSQL; ``broker``: a URL; ``log``: a file."""

    port: int
    broker: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it; it goes on where it was."""
        options = [str(self.port), self.broker, str(self.log)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, *options],
                cwd=_ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """End it, and the engine with it, at once."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=20)
        self.process = None


async def _run(process: DebeziumProcess) -> None:
    """Copy the log, for as long as there is somebody to end it."""
    copy = _copy_by_engine if _LIBRARIES else _copy_by_decoding
    while True:
        try:
            async with _broker(process.broker) as write:
                await copy(process, write)
        except _FAILURES as error:
            print(f"{type(error).__name__}: {error}", flush=True)
            await asyncio.sleep(0.2)  # as Debezium waits before it tries again


@asynccontextmanager
async def _broker(url: str) -> AsyncIterator[Write]:
    if url.startswith("nats"):
        client = await nats.connect(url, allow_reconnect=False)
        stream = client.jetstream()
        subjects = [f"{PREFIX}.>", f"__debezium-heartbeat.{PREFIX}"]
        await stream.add_stream(StreamConfig(name=STREAM, subjects=subjects))

        async def publish(messages: Sequence[tuple[str, bytes]]) -> None:
            for topic, value in messages:
                await stream.publish(topic, value)

        try:
            yield publish
        finally:
            await client.close()
        return
    redis = Redis.from_url(url)

    async def add(messages: Sequence[tuple[str, bytes]]) -> None:
        pipeline = redis.pipeline(transaction=False)
        for topic, value in messages:
            pipeline.xadd(topic, {"value": value})
        await pipeline.execute()

    try:
        yield add
    finally:
        await redis.aclose()


async def _copy_by_decoding(process: DebeziumProcess, write: Write) -> None:
    """Copy what PostgreSQL decodes; raises what fails."""
    connection = await asyncpg.connect(
        host="127.0.0.1", port=process.port, user="postgres", database="postgres"
    )
    try:
        slots = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1"
        if not await connection.fetchval(slots, _SLOT):
            create = "SELECT pg_create_logical_replication_slot($1, 'test_decoding')"
            await connection.execute(create, _SLOT)
        heartbeat_at = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now - heartbeat_at >= 1.0:
                await connection.execute(_HEARTBEAT)
                heartbeat_at = now
            if not await _copy_batch(connection, write):
                await asyncio.sleep(_INTERVAL)  # SQL cannot wait for the end of the log to move
    finally:
        await connection.close(timeout=5)


async def _copy_batch(connection: asyncpg.Connection, write: Write) -> bool:
    """Copy some transactions, and move the place after them; return whether there were any."""
    rows = await connection.fetch(
        "SELECT lsn::text, data FROM pg_logical_slot_peek_changes($1, NULL, $2,"
        " 'include-timestamp', 'on')",
        _SLOT,
        _BATCH,
    )
    batch = list(transactions([LogRecord(place, text) for place, text in rows], PREFIX))
    for transaction in batch:
        await write(transaction.messages)
    if batch:
        advance = "SELECT pg_replication_slot_advance($1, $2::text::pg_lsn)"
        await connection.execute(advance, _SLOT, batch[-1].end)
    return bool(batch)


async def _copy_by_engine(process: DebeziumProcess, write: Write) -> None:
    """Copy what Debezium's engine reads; raises what fails."""
    properties = {
        **_PROPERTIES,
        "database.port": process.port,
        "offset.storage.file.filename": process.log.with_suffix(".offsets"),
    }
    file = process.log.with_suffix(".properties")
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    engine = await asyncio.create_subprocess_exec(
        shutil.which("java") or "java", "-cp", f"{_LIBRARIES}/*", str(_ENGINE), str(file),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    assert engine.stdin is not None
    assert engine.stdout is not None
    messages: list[tuple[str, bytes]] = []
    try:
        async for line in engine.stdout:
            topic, _, value = line.rstrip(b"\n").partition(b"\t")
            if topic:
                messages.append((topic.decode(), value))
                continue
            await write(messages)
            messages = []
            engine.stdin.write(b"\n")
            await engine.stdin.drain()
        raise OSError("the engine ended")
    finally:
        if engine.returncode is None:
            engine.kill()
        await engine.wait()


if __name__ == "__main__":
    asyncio.run(_run(DebeziumProcess(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
