"""Changes that Debezium Server reads from the log of a database and writes to a stream.

NATS JetStream keeps all messages in one stream, Redis Streams has one for each table. Messages are
in the order of commits. Debezium writes some of them twice after a restart: at the same positions.

Only a commit says how far the log of the database was read. Debezium's own heartbeats say when they
were written, also while a backlog of older commits is still to come, so they say nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.backends.record_maps import RecordMap, map_records
from connectors.changes.change import ChangePage, ChangePromise, CheckpointLost
from connectors.changes.debezium_envelope import Envelopes, Message
from connectors.changes.message_stream import MessageStream
from connectors.changes.nats_stream import NatsStream
from connectors.changes.redis_stream import RedisStreams
from connectors.description import Database

#: By so much the moments of commits may differ from their order.
_SLACK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DebeziumOptions:
    """What Debezium writes, and where.

    ``topic``: what the names of its topics begin with, up to the table: ``justice.public``.
    ``stream``: of NATS. ``heartbeat``: in Redis, the topic of what ``heartbeat.action.query``
    writes to the database; None: that of ``pg_logical_emit_message``. ``whole_before``: former rows
    are complete (replica identity FULL). ``records``: whose changes are read; None: of all.
    """

    topic: str
    stream: str = "DebeziumStream"
    heartbeat: str | None = None
    whole_before: bool = False
    records: tuple[str, ...] | None = None


class DebeziumSource:
    """The changes of ``database`` in the stream at ``url``; see ``ChangeSource``.

    ``url``: ``nats://``, ``tls://``, ``redis://`` or ``rediss://``. ``password``: returns it.
    ``maps`` and ``zone`` are those of ``SqlBackend``. Raises ValueError for what cannot be used.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        options: DebeziumOptions,
        *,
        password: Callable[[], str] | None = None,
        maps: Mapping[str, RecordMap] | None = None,
        zone: str | None = None,
    ) -> None:
        stored = map_records(database, maps, zone)
        for name in options.records or ():
            if name not in stored:
                raise ValueError(f"{database.name} keeps no record {name}")
        tables = {
            n: t for n, t in stored.items() if options.records is None or n in options.records
        }
        heartbeat = options.heartbeat or f"{options.topic.split('.')[0]}.message"
        names = [f"{options.topic}.{table.table}" for table in tables.values()]
        self._envelopes = Envelopes(tables, options.whole_before)
        self._stream = _stream(url, options, [*names, heartbeat], password)
        self.promise = ChangePromise(None, None, True, options.whole_before)

    async def open(self) -> None:
        """Do nothing: a connection is opened on demand."""
        await self._stream.open()

    async def close(self) -> None:
        """Close the connection."""
        await self._stream.close()

    async def start(self) -> str:
        """Return the checkpoint of now; see ``ChangeSource``."""
        return _checkpoint(await self._stream.start(), None)

    async def read(self, checkpoint: str, limit: int) -> ChangePage:
        """Return a page of changes; see ``ChangeSource``.

        Where Debezium begins a snapshot, it lost its place in the log: raises CheckpointLost.
        """
        place, until = self._parts(checkpoint)
        page = await self._stream.read(place, limit)
        messages = [self._envelopes.read(m.topic, m.value, m.number) for m in page.messages]
        begun = [number for number, message in enumerate(messages) if message.begins_snapshot]
        if begun and begun[0] == 0:
            raise CheckpointLost("Debezium lost its place in the log and reads all tables anew")
        if begun:
            page = await self._stream.read(place, begun[0])
            messages = messages[: begun[0]]
        if not page.has_more or isinstance(self._stream, NatsStream):
            until = _complete_until(messages, until)
        changes = [message.change for message in messages if message.change is not None]
        return ChangePage(changes, _checkpoint(page.checkpoint, until), until, page.has_more)

    async def wait(self, seconds: float) -> None:
        """Return when there may be messages."""
        await self._stream.wait(seconds)

    def _parts(self, checkpoint: str) -> tuple[str, datetime | None]:
        try:
            content = json.loads(checkpoint)
            place, until = content["place"], content["until"]
            self._stream.check(place)
            return place, None if until is None else datetime.fromisoformat(until)
        except (ValueError, TypeError, KeyError):
            raise ValueError("no checkpoint of messages of Debezium") from None


def _complete_until(messages: Sequence[Message], until: datetime | None) -> datetime | None:
    """Return until when all is read: commits come in order."""
    moments = [m.committed_at - _SLACK for m in messages if m.committed_at is not None]
    return max([*moments, *([until] if until else [])], default=None)


def _checkpoint(place: str, until: datetime | None) -> str:
    return json.dumps({"place": place, "until": until and until.isoformat()})


def _stream(
    url: str, options: DebeziumOptions, names: Sequence[str], password: Callable[[], str] | None
) -> MessageStream:
    scheme = url.partition("://")[0]
    if scheme in {"nats", "tls"}:
        return NatsStream(url, options.stream, options.topic, password)
    if scheme in {"redis", "rediss"}:
        return RedisStreams(url, names, password)
    raise ValueError("Debezium's messages are read from nats://, tls://, redis:// or rediss://")
