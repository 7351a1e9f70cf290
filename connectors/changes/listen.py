"""PostgreSQL's notifications as a wake-up for a source that looks at intervals.

A notification only says that it is time to look: what is lost with a connection is found by the
next look. ``NOTIFY`` takes a lock over the whole server until its transaction has committed, so
transactions that notify commit one after the other; owners who write much leave it out of the
trigger (``outbox_tables``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import sqlalchemy as sa

from connectors.backends.postgresql_connection import connect
from connectors.backends.postgresql_errors import FAILURES
from connectors.backends.server import ServerOptions, address, tls_context

#: Seconds between two attempts to connect, and after which a silent connection is tried out.
_RETRY, _SILENT = 5.0, 30.0


class WakeUp(Protocol):
    """Ends the wait for the next look where there is something new."""

    async def open(self) -> None:
        """Prepare; succeeds whether or not anything can be reached."""
        ...

    async def close(self) -> None:
        """Release all resources; closing twice does nothing."""
        ...

    async def wait(self, seconds: float) -> None:
        """Return when there may be something new, after ``seconds`` at most. Never raises."""
        ...


class PostgresqlNotifications:
    """Notifications on ``channel`` of the server at ``url``, over a connection of their own.

    While there is no connection, ``wait`` lasts its whole time, and connects again. Raises
    ValueError for a URL or options that cannot be used: a pooler by transactions loses
    notifications.
    """

    def __init__(
        self,
        url: str,
        channel: str,
        server: ServerOptions | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = server or ServerOptions()
        if self._options.transaction_pooling:
            raise ValueError("a pooler that assigns connections by transactions has no LISTEN")
        self._address = address(sa.make_url(url), 5432)
        self._tls = tls_context(self._options, self._address)
        self._channel = channel
        self._monotonic = monotonic
        self._connection: Any = None
        self._next_attempt = self._heard = 0.0
        self._news = asyncio.Event()

    @property
    def is_listening(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None and not self._connection.is_closed()

    async def open(self) -> None:
        """Do nothing: the first ``wait`` connects."""

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def wait(self, seconds: float) -> None:
        """Return on a notification, when a connection begins or ends, or after ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                if not self.is_listening and await self._connect():
                    return  # whatever happened before has to be looked for
                await self._news.wait()
        except TimeoutError:
            await self._try_out()
        self._news.clear()

    async def _connect(self) -> bool:
        if self._monotonic() < self._next_attempt:
            return False
        self._next_attempt = self._monotonic() + _RETRY
        try:
            connection = await connect(self._options, self._address, self._tls)
        except FAILURES:
            return False
        try:
            connection.add_termination_listener(self._hear)
            await connection.add_listener(self._channel, self._hear)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, FAILURES):
                return False
            raise
        self._connection, self._heard = connection, self._monotonic()
        return True

    def _hear(self, *_notification: object) -> None:
        self._heard = self._monotonic()
        self._news.set()

    async def _try_out(self) -> None:
        """Close a connection whose other end has gone without a word."""
        if not self.is_listening or self._monotonic() - self._heard < _SILENT:
            return
        self._heard = self._monotonic()
        try:
            await self._connection.execute("SELECT 1", timeout=self._options.connect_timeout)
        except FAILURES:
            await self.close()
