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
from nats.js.errors import NotFoundError

from connectors.backends.base import SourceUnavailable
from connectors.changes.change import CheckpointLost
from connectors.changes.message_stream import StreamMessage, StreamPage, message_digest

_TIMEOUT = 5.0
#: Which stream it is (it may be made anew), the sequence number of the last message that was read,
#: and its digest; no digest where there was no message.
_CHECKPOINT = re.compile(r"([0-9a-f]{16}):([0-9]{1,20}):([0-9a-f]{16})?")


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
            stream = await self._stream()
            info = await stream.stream_info(self._name)
            last = info.state.last_seq
            digest = await self._digest(stream, last)
        except (NatsError, OSError) as error:
            raise SourceUnavailable(f"NATS: {type(error).__name__}") from None
        return f"{_epoch(info)}:{last}:{digest}"

    async def read(self, checkpoint: str, limit: int) -> StreamPage:
        """Return messages after a checkpoint; raises CheckpointLost."""
        epoch, after, digest = _parts(checkpoint)
        try:
            stream = await self._stream()
            info = await stream.stream_info(self._name)
            first, last = info.state.first_seq, info.state.last_seq
            if epoch != _epoch(info) or after > last:
                raise CheckpointLost("the stream was made anew")
            if first > after + 1:
                raise CheckpointLost("the stream no longer keeps what came after the checkpoint")
            if after == last:
                return StreamPage((), checkpoint, has_more=False)
            first = after if digest and after >= first else after + 1
            messages = await self._fetch(stream, first, min(after + limit, last))
            if first == after:
                if not messages or _number(messages[0]) != after or _digest(messages[0]) != digest:
                    raise CheckpointLost("the last message that was read is no longer there")
                del messages[0]
            if not messages:
                await self._require_message(stream, after + 1)
        except (NatsError, OSError) as error:
            raise SourceUnavailable(f"NATS: {type(error).__name__}") from None
        return _page(epoch, after, digest, messages, last)

    async def wait(self, seconds: float) -> None:
        """Return when a message was published, after ``seconds`` at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _fetch(self, stream: JetStreamContext, first: int, last: int) -> list[Msg]:
        """Return messages from ``first`` on, as many as there are numbers to ``last``.

        Fewer where some were deleted, or the server takes its time.
        """
        name = uuid.uuid4().hex
        config = ConsumerConfig(
            name=name,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=2 * _TIMEOUT,
            mem_storage=True,
        )
        consumer = await stream.add_consumer(self._name, config=config)
        number = last - first + 1
        if consumer.num_pending is not None:  # what was deleted is not waited for
            number = min(number, consumer.num_pending)
        subscription = await stream.pull_subscribe_bind(consumer=name, stream=self._name)
        try:
            messages = await subscription.fetch(number, timeout=_TIMEOUT) if number else []
        finally:
            await subscription.unsubscribe()
            await stream.delete_consumer(self._name, name)
        return list(messages)

    async def _require_message(self, stream: JetStreamContext, number: int) -> None:
        """Say why a message that was to be read has not come.

        Raises CheckpointLost where it was deleted, SourceUnavailable where the server is late.
        """
        try:
            await stream.get_msg(self._name, number)
        except NotFoundError:
            raise CheckpointLost("messages after the checkpoint were deleted") from None
        raise SourceUnavailable("NATS: messages did not come in time")

    async def _digest(self, stream: JetStreamContext, number: int) -> str:
        """Return the digest of a message; "" where there is none of that number any more."""
        if not number:
            return ""
        try:
            message = await stream.get_msg(self._name, number)
        except NotFoundError:
            return ""
        return message_digest((message.subject or "").encode(), message.data or b"")

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
                    max_reconnect_attempts=1,  # else one that refuses is tried until the timeout
                    reconnect_time_wait=0,
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


def _page(epoch: str, after: int, digest: str, messages: list[Msg], last: int) -> StreamPage:
    """Return the page of messages after a checkpoint; raises CheckpointLost."""
    if messages:
        if _number(messages[-1]) != after + len(messages):
            raise CheckpointLost("messages after the checkpoint were deleted")
        after, digest = _number(messages[-1]), _digest(messages[-1])
    read = [StreamMessage(m.subject, m.data or None, str(_number(m))) for m in messages]
    return StreamPage(read, f"{epoch}:{after}:{digest}", after < last)


def _number(message: Msg) -> int:
    return int(message.metadata.sequence.stream)


def _digest(message: Msg) -> str:
    return message_digest(message.subject.encode(), message.data)


def _parts(checkpoint: str) -> tuple[str, int, str]:
    match = _CHECKPOINT.fullmatch(checkpoint)
    if match is None:
        raise ValueError("no checkpoint of a stream of NATS")
    return match[1], int(match[2]), match[3] or ""


def _epoch(info: StreamInfo) -> str:
    """Return what tells a stream from another of the same name."""
    return hashlib.blake2b(str(info.created).encode(), digest_size=8).hexdigest()


async def _ignore(_error: Exception) -> None:
    """Leave errors to the calls that meet them."""
