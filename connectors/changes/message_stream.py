"""Streams of messages that keep them in one order: NATS JetStream, Redis Streams."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """A message. ``number``: where the stream has it. ``value``: None for a tombstone."""

    topic: str
    value: bytes | None
    number: str


@dataclass(frozen=True, slots=True)
class StreamPage:
    """A page of messages; ``checkpoint`` and ``has_more`` as of ``ChangePage``."""

    messages: Sequence[StreamMessage]
    checkpoint: str
    has_more: bool


class MessageStream(Protocol):
    """A stream. Every method but ``wait`` raises SourceUnavailable.

    A checkpoint holds a digest of the message that it names (``message_digest``). A stream that was
    restored from a backup and written on has another message there, or none.
    """

    async def open(self) -> None:
        """Do nothing: a connection is opened on demand."""
        ...

    async def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        ...

    def check(self, checkpoint: str) -> None:
        """Raise ValueError for what is no checkpoint of this kind of stream."""
        ...

    async def start(self) -> str:
        """Return the checkpoint of now."""
        ...

    async def read(self, checkpoint: str, limit: int) -> StreamPage:
        """Return at most ``limit`` messages after a checkpoint; raises CheckpointLost."""
        ...

    async def wait(self, seconds: float) -> None:
        """Return when there may be messages, after ``seconds`` at most. Never raises."""
        ...


def message_digest(*parts: bytes) -> str:
    """Return a digest of the parts of a message, 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
