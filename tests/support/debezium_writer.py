"""Writes what Debezium Server would write of changes of the sample database, to a real stream."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from itertools import count

import nats
from nats.js.api import StreamConfig
from redis.asyncio import Redis

from connectors.codec import encode_text
from tests.support.backend_samples import DATABASE

Values = Mapping[str, object]

TOPIC = "justice.public"
STREAM = "DebeziumStream"
_EPOCH = date(1970, 1, 1)


class DebeziumWriter(ABC):
    """Keeps rows of the sample database, and writes an envelope for each change of them."""

    def __init__(self, url: str, *, whole_before: bool) -> None:
        self.url = url
        self.whole_before = whole_before
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._rows: dict[tuple[str, object], dict[str, object]] = {}
        self._lsn = count(24_023_128)

    @abstractmethod
    async def write(self, topic: str, value: bytes) -> None:
        """Write a message; an empty value is a tombstone."""

    async def insert(self, record: str, row: Values) -> None:
        await self._change(record, "c", None, dict(row))

    async def update(self, record: str, row: Values) -> None:
        old = self._rows[record, row[DATABASE.by_name[record].identity]]
        await self._change(record, "u", old, {**old, **row})

    async def delete(self, record: str, row: Values) -> None:
        identity = row[DATABASE.by_name[record].identity]
        await self._change(record, "d", self._rows[record, identity], None)
        await self.write(f"{TOPIC}.{record}", b"")

    async def clear(self, record: str) -> None:
        for name, identity in [key for key in self._rows if key[0] == record]:
            await self.delete(name, {DATABASE.by_name[record].identity: identity})

    async def _change(
        self, record: str, operation: str, old: dict[str, object] | None, new: Values | None
    ) -> None:
        described = DATABASE.by_name[record]
        row = old if new is None else dict(new)
        assert row is not None
        key = (record, row[described.identity])
        if new is None:
            del self._rows[key]
        else:
            self._rows[key] = dict(new)
        before = None if old is None else self._stored(record, old)
        if before is not None and not self.whole_before:
            # Replica identity DEFAULT: nothing of updates, of deletions the key alone.
            others = {name for name in before if name != described.identity}
            before = None if operation == "u" else {**before, **dict.fromkeys(others)}
        payload = {
            "before": before,
            "after": None if new is None else self._stored(record, new),
            "op": operation,
            "source": self._source("public", record),
            "ts_ms": 0,
        }
        await self.write(f"{TOPIC}.{record}", json.dumps(payload).encode())

    async def emit_message(self) -> None:
        """Write what Debezium writes of ``pg_logical_emit_message`` in a transaction."""
        message = {"prefix": "heartbeat", "content": ""}
        payload = {"op": "m", "ts_ms": 0, "source": self._source("", ""), "message": message}
        await self.write("justice.message", json.dumps(payload).encode())

    def _source(self, schema: str, table: str) -> dict[str, object]:
        return {
            "connector": "postgresql",
            "schema": schema,
            "table": table,
            "ts_ms": round(self.now().timestamp() * 1000 - 0.5),
            "lsn": next(self._lsn),
            "snapshot": "false",
        }

    def _stored(self, record: str, row: Values) -> dict[str, object]:
        """Return values as Debezium writes them without a schema."""
        stored: dict[str, object] = {}
        for column in DATABASE.by_name[record].columns:
            value = row.get(column.name)
            if isinstance(value, date) and not isinstance(value, datetime):
                stored[column.name] = (value - _EPOCH).days
            else:
                stored[column.name] = encode_text(value)
        return stored


class NatsWriter(DebeziumWriter):
    """Writes to one stream of NATS JetStream."""

    async def set_up(self) -> None:
        client = await nats.connect(self.url)
        subjects = ["justice.>", "__debezium-heartbeat.justice"]
        await client.jetstream().add_stream(StreamConfig(name=STREAM, subjects=subjects))
        await client.close()

    async def write(self, topic: str, value: bytes) -> None:
        client = await nats.connect(self.url)
        await client.jetstream().publish(topic, value)
        await client.close()


class RedisWriter(DebeziumWriter):
    """Writes to a stream of Redis for each table."""

    async def write(self, topic: str, value: bytes) -> None:
        client = Redis.from_url(self.url)
        await client.xadd(topic, {b"{}": value or b""})
        await client.aclose()
