"""WebSocket (RFC 6455) with limits: uvicorn's protocol over ``websockets``, with bounds it lacks.

uvicorn 0.54 keeps fragments of a message without end, leaves a client that does not read as long as
it likes, and drops what is in flight when the process stops. This class counts the connection among
those of the process, and lets the application end what it has begun. It relies on these members of
``WebSocketsSansIOProtocol``: the callbacks of the transport, ``handle_connect``, ``handle_cont``,
``frames``, ``conn``, ``scope``, ``writable``, ``send``, ``shutdown``, ``handshake_initiated``,
``handshake_complete``, ``close_sent``, ``close_timeout``, ``app_state``.
``tests/integration/gateway/http/test_websocket.py`` tests each of them over a socket.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from gateway.http import closing
from gateway.http.connections import CLOSED, Connections, Queue

#: Fragments of one message.
_FRAGMENTS = 1_024
#: Bytes that may wait for a client to read them. Beyond, it sends pings and reads no pongs.
_UNREAD = 1024 * 1024
#: Seconds for a client to agree that the connection is closed.
_CLOSE_TIMEOUT = 2.0
#: The code for a client that is to come back later (IANA, WebSocket Close Code Number Registry).
_TRY_AGAIN_LATER = 1013
#: The key in the state of the lifespan: what to call when the process stops.
STOP_STREAMS = "stop_streams"
#: The key in the extensions of a scope: what to call with whether the connection serves nothing.
IDLE = "gateway.idle"

# uvicorn logs the address of each connection at INFO; its query may name a person.
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)


def stop_streams(state: Mapping[str, Any]) -> None:
    """Let the application end its streams, since the process stops; ``state``: of its lifespan."""
    stop = state.get(STOP_STREAMS)
    if stop is not None:
        stop()


class SocketConnection(WebSocketsSansIOProtocol):
    """One WebSocket. ``connections``: those of the process; the rest is passed to uvicorn.

    A connection that serves nothing may be closed to make room for another.
    """

    def __init__(self, connections: Connections, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.logger = _log
        self.close_timeout = _CLOSE_TIMEOUT
        self._connections = connections
        self._counted = _Counted(self)
        self._is_idle = False
        self._fragments = 0

    # What the transport calls

    def connection_made(self, transport: Any) -> None:
        """Count the connection; it was counted as one of HTTP before."""
        super().connection_made(transport)
        if not self._connections.admit(self._counted, self.client[0] if self.client else None):
            CLOSED.labels("full").inc()
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        super().connection_lost(exc)
        self._connections.wait_in(self._counted, None)
        self._connections.forget(self._counted)

    def data_received(self, data: bytes) -> None:
        """Parse bytes; refuse a head that ``websockets`` does not parse."""
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > _UNREAD:
            self._abort("answer_timeout")
            return
        super().data_received(data)
        if not self.handshake_initiated:
            CLOSED.labels(closing.HEADERS.reason).inc()
            self.handshake_complete = self.close_sent = True
            self.transport.write(closing.HEADERS.answer(self.default_headers))
            self.transport.close()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._connections.wait_in(self._counted, self._connections.answers)

    def resume_writing(self) -> None:
        """Go on once the client has read."""
        super().resume_writing()
        self._settle()

    # What uvicorn calls

    def handle_connect(self, event: Request) -> None:
        """Begin; the application says when the connection serves nothing."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[IDLE] = self._set_idle

    def handle_cont(self, event: Frame) -> None:
        """Add a fragment to a message."""
        self._fragments = 0 if event.fin else self._fragments + 1
        if self._fragments > _FRAGMENTS:
            self.conn.fail(1009, "too many fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    async def send(self, message: Any) -> None:
        """Send a message once there is room; a close at once, since its client may not read."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    def shutdown(self) -> None:
        """Let the application end what is in flight, and close the connection."""
        self._connections.stop()
        if self.handshake_complete and not self.close_sent and STOP_STREAMS in self.app_state:
            stop_streams(self.app_state)
        else:
            super().shutdown()

    # What the limits call

    def time_out(self) -> None:
        """Close the connection: its client does not read."""
        self._abort("answer_timeout")

    def evict(self, reason: str) -> None:
        """Close the connection to make room for another."""
        CLOSED.labels(reason).inc()
        if self._counted.queue is self._connections.answers or not self.handshake_complete:
            self.transport.abort()
        elif not self.close_sent:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": _TRY_AGAIN_LATER})
            self.conn.send_close(_TRY_AGAIN_LATER)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.transport.close()
        self._connections.forget(self._counted)

    def _abort(self, reason: str) -> None:
        CLOSED.labels(reason).inc()
        self.transport.abort()

    def _set_idle(self, is_idle: bool) -> None:
        self._is_idle = is_idle
        if self._counted.queue is not self._connections.answers:
            self._settle()

    def _settle(self) -> None:
        self._connections.wait_in(self._counted, self._connections.idle if self._is_idle else None)


class _Counted:
    """A connection as the limits know it: uvicorn has a ``queue`` of its own."""

    __slots__ = ("_connection", "address", "queue")

    def __init__(self, connection: SocketConnection) -> None:
        self.queue: Queue | None = None
        self.address: str | None = None
        self._connection = connection

    def time_out(self) -> None:
        """Close the connection: its client took too long."""
        self._connection.time_out()

    def evict(self, reason: str) -> None:
        """Close the connection to make room for another."""
        self._connection.evict(reason)
