"""A stream of NATS JetStream, read by its sequence numbers."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections.abc import Callable

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo

from connectors.backends.base import SourceUnavailable
from connectors.changes.change import CheckpointLost
from connectors.changes.message_stream import StreamMessage, StreamPage

_TIMEOUT = 5.0
#: Which stream it is (it may be made anew), and the sequence number of the last message read.
_CHECKPOINT = re.compile(r"([0-9a-f]{16}):([0-9]{1,20})")


class NatsStream:
    """The stream ``name`` of the servers at ``url``; ``topic``: what its subjects begin with."""

    def __init__(
        self, url: str, name: str, topic: str, password: Callable[[], str] | None = None
    ) -> None:
        self._url = url
        self._name = name
        self._topic = topic
        self._password = password
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Do nothing: a connection is opened on demand."""

    async def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def check(self, checkpoint: str) -> None:
        """Raise ValueError for what is no checkpoint."""
        _parts(checkpoint)

    async def start(self) -> str:
        """Return the checkpoint of now."""
        try:
            info = await (await self._stream()).stream_info(self._name)
        except (NatsError, OSError) as error:
            raise SourceUnavailable(f"NATS: {type(error).__name__}") from None
        return f"{_epoch(info)}:{info.state.last_seq}"

    async def read(self, checkpoint: str, limit: int) -> StreamPage:
        """Return messages after a checkpoint; raises CheckpointLost."""
        epoch, after = _parts(checkpoint)
        try:
            stream = await self._stream()
            info = await stream.stream_info(self._name)
            first, last = info.state.first_seq, info.state.last_seq
            if epoch != _epoch(info) or after > last:
                raise CheckpointLost("the stream was made anew")
            if first > after + 1:
                raise CheckpointLost("the stream no longer keeps what came after the checkpoint")
            messages = [] if after == last else await self._fetch(stream, after, limit, last)
        except (NatsError, OSError) as error:
            raise SourceUnavailable(f"NATS: {type(error).__name__}") from None
        if messages:
            after = int(messages[-1].number)
        return StreamPage(messages, f"{epoch}:{after}", after < last)

    async def wait(self, seconds: float) -> None:
        """Return when a message was published, after ``seconds`` at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _fetch(
        self, stream: JetStreamContext, after: int, limit: int, last: int
    ) -> list[StreamMessage]:
        name = uuid.uuid4().hex
        config = ConsumerConfig(
            name=name,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=2 * _TIMEOUT,
            mem_storage=True,
        )
        await stream.add_consumer(self._name, config=config)
        subscription = await stream.pull_subscribe_bind(consumer=name, stream=self._name)
        try:
            messages = await subscription.fetch(min(limit, last - after), timeout=_TIMEOUT)
        finally:
            await subscription.unsubscribe()
            await stream.delete_consumer(self._name, name)
        return [
            StreamMessage(each.subject, each.data or None, str(each.metadata.sequence.stream))
            for each in messages
        ]

    async def _stream(self) -> JetStreamContext:
        async with self._connecting:
            if self._client is None or not self._client.is_connected:
                await self._connect()
        assert self._client is not None
        return self._client.jetstream(timeout=_TIMEOUT)

    async def _connect(self) -> None:
        await self.close()
        password = None if self._password is None else self._password()
        try:
            async with asyncio.timeout(_TIMEOUT):
                self._client = await nats.connect(
                    self._url,
                    password=password,
                    allow_reconnect=False,
                    connect_timeout=2,
                    error_cb=_ignore,
                    closed_cb=self._wake,
                )
                await self._client.subscribe(f"{self._topic}.>", cb=self._note_news)
        except TimeoutError:
            raise NatsTimeoutError from None

    async def _note_news(self, _message: Msg) -> None:
        self._news.set()

    async def _wake(self) -> None:
        self._news.set()


def _parts(checkpoint: str) -> tuple[str, int]:
    match = _CHECKPOINT.fullmatch(checkpoint)
    if match is None:
        raise ValueError("no checkpoint of a stream of NATS")
    return match[1], int(match[2])


def _epoch(info: StreamInfo) -> str:
    """Return what tells a stream from another of the same name."""
    return hashlib.blake2b(str(info.created).encode(), digest_size=8).hexdigest()


async def _ignore(_error: Exception) -> None:
    """Leave errors to the calls that meet them."""
