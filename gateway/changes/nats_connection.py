"""The connection of an event log to NATS, with the stream and the bucket of the log.

A connection from which nothing comes between two replies that are due, is given up, and the next
command makes another: a client takes such a connection for alive for minutes. nats-py 2.16 itself
makes such connections: it stops reading where a PONG arrives for a ``flush`` that was
cancelled or timed out, so ``flush`` is not used here.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError
from nats.js.kv import KeyValue

from gateway.changes.log import EventLogUnavailable
from gateway.changes.retention import Retention

#: Seconds for a reply; to connect, twice as many.
_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class LogEnds:
    """Which log it is, and which entries the stream has."""

    epoch: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Session:
    """A connection that was made, with stream and bucket."""

    client: Client
    js: JetStreamContext
    bucket: KeyValue


class NatsConnection:
    """A connection that is made by the command that needs it, with stream and bucket."""

    def __init__(self, url: str, name: str, retention: Retention) -> None:
        self._url, self._name, self._retention = url, name, retention
        self._session: _Session | None = None
        #: Connects for all commands that wait for it; returns why it could not.
        self._attempt: asyncio.Task[Exception | None] | None = None
        #: Set when a process has appended, and when the connection is lost.
        self.news = asyncio.Event()
        #: Messages that had come by the last reply that was late, and when that was.
        self._late: tuple[int, float] | None = None

    async def close(self) -> None:
        """Close the connection. Takes 4 s at most."""
        if self._attempt is not None:
            await asyncio.wait([self._attempt])
        session, self._session = self._session, None
        if session is not None:
            await _close(session.client)

    @asynccontextmanager
    async def commands(self) -> AsyncIterator[tuple[JetStreamContext, KeyValue]]:
        """Give stream and bucket; raises EventLogUnavailable."""
        session = None
        try:
            session = await self._connected()
            yield session.js, session.bucket
        except (NatsError, OSError) as error:
            if isinstance(error, TimeoutError) and session is not None:
                await self._note_late_reply(session)
            raise EventLogUnavailable(type(error).__name__) from error

    async def ends(self) -> LogEnds:
        """Return which log it is; makes stream and bucket again where they are gone."""
        session = await self._connected()
        try:
            stream, bucket = await asyncio.gather(
                session.js.stream_info(self._name), session.js.stream_info(f"KV_{self._name}")
            )
        except NotFoundError:
            values, stream, bucket = await _make(session.js, self._name, self._retention)
            if self._session is session:
                self._session = replace(session, bucket=values)
        begun = f"{stream.created} {bucket.created}".encode()
        epoch = hashlib.blake2b(begun, digest_size=8).hexdigest()
        # The stream of a server that was emptied begins at 0.
        return LogEnds(epoch, max(1, stream.state.first_seq), stream.state.last_seq)

    async def keys(self, kind: str) -> list[str]:
        """Return the keys of the bucket that begin with ``kind``."""
        js, before = (await self._connected()).js, f"$KV.{self._name}."
        info = await js.stream_info(f"KV_{self._name}", subjects_filter=f"{before}{kind}.>")
        return [subject.removeprefix(before) for subject in info.state.subjects or ()]

    async def tell(self) -> None:
        """Tell all processes that there may be new entries."""
        await (await self._connected()).client.publish(f"{self._name}-news", b"")

    async def _connected(self) -> _Session:
        """Return the connection, or make it. All who wait for it share one attempt.

        Raises NatsError and OSError, after 3 s at most.
        """
        if self._session is None or not self._session.client.is_connected:
            if self._attempt is None or self._attempt.done():
                self._attempt = asyncio.create_task(self._connect())
            failure = await asyncio.shield(self._attempt)
            if failure is not None:
                raise failure
        if self._session is None:  # given up meanwhile
            raise ConnectionError
        return self._session

    async def _connect(self) -> Exception | None:
        former, self._session, self._late = self._session, None, None
        if former is not None:
            await _close(former.client)
        client = Client()
        try:
            async with asyncio.timeout(2 * _TIMEOUT):
                await client.connect(
                    self._url,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=1,
                    error_cb=_ignore,
                    closed_cb=self._wake,
                )
                js = client.jetstream(timeout=_TIMEOUT)
                bucket, _, _ = await _make(js, self._name, self._retention)
                await client.subscribe(f"{self._name}-news", cb=self._note_news)
        except (NatsError, OSError) as error:
            await _close(client)
            return error
        self._session = _Session(client, js, bucket)
        return None

    async def _note_late_reply(self, session: _Session) -> None:
        """Close a connection from which nothing came since an earlier reply was late.

        A busy machine is late too, and gains nothing from connecting again.
        """
        now, received = asyncio.get_running_loop().time(), session.client.stats["in_msgs"]
        if self._late is None or self._late[0] != received:
            self._late = received, now
        elif now - self._late[1] >= _TIMEOUT:
            self._late = None
            if self._session is session:
                self._session = None
            self.news.set()
            await _close(session.client)

    async def _note_news(self, message: Msg) -> None:
        self.news.set()

    async def _wake(self) -> None:
        self.news.set()


async def _make(
    js: JetStreamContext, name: str, keep: Retention
) -> tuple[KeyValue, StreamInfo, StreamInfo]:
    """Make stream and bucket where they are missing, and let the stream keep what it should.

    Returns the bucket, and what the server says of stream and bucket.
    """
    try:
        stream = await js.stream_info(name)
    except NotFoundError:
        config = StreamConfig(name=name, subjects=[f"{name}.*"], storage=StorageType.FILE)
        limits = replace(config, max_age=keep.seconds, max_msgs=keep.entries)
        stream = await js.add_stream(limits)
    if (stream.config.max_age, stream.config.max_msgs) != (keep.seconds, keep.entries):
        limits = replace(stream.config, max_age=keep.seconds, max_msgs=keep.entries)
        stream = await js.update_stream(limits)
    try:
        bucket = await js.key_value(name)
    except NotFoundError:
        bucket = await js.create_key_value(KeyValueConfig(bucket=name, history=1))
    return bucket, stream, await js.stream_info(f"KV_{name}")


async def _close(client: Client) -> None:
    """Close a client; what is left of it after a second is not used again.

    A connection whose other end is silent keeps what was to be sent, and does not close.
    """
    with suppress(Exception):
        async with asyncio.timeout(_TIMEOUT):
            await client.close()


async def _ignore(error: Exception) -> None:
    """Leave errors to the commands that meet them."""
