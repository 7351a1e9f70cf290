"""HTTP/1.1 with limits: uvicorn's protocol over httptools, with bounds that it lacks.

uvicorn 0.54 reads headers of any size and number, waits without end for the rest of a request,
accepts pipelined requests without end, and treats trailers as headers. This class counts and
refuses; httptools parses, and uvicorn does the rest. It relies on these members of
``HttpToolsProtocol``: the callbacks of the parser (``on_...``), ``cycle``, ``pipeline``,
``flow``, ``url``, ``headers``, ``timeout_keep_alive_handler``, ``on_response_complete``,
``shutdown``, ``_should_upgrade``, ``handle_websocket_upgrade``, ``app_state``.
``tests/integration/gateway/http/test_connections.py`` tests each of them
over a socket.
"""

from __future__ import annotations

import re
import socket
from enum import Enum
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http import closing
from gateway.http.closing import Refusal
from gateway.http.connections import CLOSED, Connections, Queue
from gateway.http.websocket import stop_streams

#: Requests that may wait on one connection for the answer to an earlier one.
_PIPELINED = 2
#: Chunks of a body; a chunk costs as much time as a kilobyte of a body without chunks.
_CHUNKS = 1_024
#: Bytes that chunk headers and trailers may add to a body, and that are read of a refused body.
_BEYOND_BODY = 64 * 1024
#: Bytes that are read from a client after its refusal, here and by the kernel.
_LINGERING = 64 * 1024
#: The forms of a Host (RFC 9110 section 7.2); it may be empty.
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]{0,255}")
_VERSIONS = frozenset({"1.0", "1.1"})
#: The path at which a request may become a WebSocket.
_WEBSOCKET = b"/graphql"


class Part(Enum):
    """The part of a request that comes next."""

    START = "start"
    HEADERS = "headers"
    BODY = "body"


class _Refused(Exception):
    """Ends parsing; the connection has the refusal."""


class Connection(HttpToolsProtocol):
    """One connection. ``connections``: those of the process; the rest is passed to uvicorn."""

    def __init__(self, connections: Connections, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.queue: Queue | None = None
        self.address: str | None = None
        self._connections = connections
        self._url_limit = connections.limits.url_bytes
        self._header_limit = connections.limits.headers
        self._header_bytes_limit = connections.limits.header_bytes
        self._part = Part.START
        self._bytes = 0  # of the current part, so far
        self._header_bytes = 0
        self._chunks = 0
        self._hosts = 0
        self._refusal: Refusal | None = None
        self._lingers = False
        self._left = _LINGERING  # bytes
        self._is_last = False  # bytes that follow are not parsed

    # What the transport calls

    def connection_made(self, transport: Any) -> None:
        """Count the connection; close it where there are too many."""
        super().connection_made(transport)
        if self._connections.admit(self, self.client[0] if self.client else None):
            self._settle()
        else:
            CLOSED.labels("full").inc()
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        super().connection_lost(exc)
        self._connections.wait_in(self, None)
        self._connections.forget(self)

    def data_received(self, data: bytes) -> None:
        """Parse bytes, within the limits."""
        self._unset_keepalive_if_required()
        if self._is_last or self.transport.is_closing():
            self._discard(len(data))
            return
        self._bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self._hand_over()
                return
            # Any other request is answered without an upgrade.
        except httptools.HttpParserError:
            self._refuse(self._refusal or closing.MALFORMED)
        else:
            self._enforce_size()
        self._settle()

    def pause_writing(self) -> None:
        """Wait for the client to read its answer."""
        super().pause_writing()
        self._settle()

    def resume_writing(self) -> None:
        """Go on once the client has read it."""
        super().resume_writing()
        self._settle()

    # What the parser calls

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= _PIPELINED:
            self._end(closing.PIPELINE)
        super().on_message_begin()
        self._part = Part.HEADERS
        self._header_bytes = self._chunks = self._hosts = 0

    def on_url(self, url: bytes) -> None:
        """Add a part of the request target."""
        super().on_url(url)
        if len(self.url) > self._url_limit:
            self._end(closing.URL)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; a trailer is ignored (RFC 9110 section 6.5.1)."""
        if self._part is Part.BODY:
            return
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._header_bytes_limit or len(self.headers) >= self._header_limit:
            self._end(closing.HEADERS)
        name = name.lower()
        if name == b"expect":
            super().on_header(name, value)
            return
        self.headers.append((name, value))
        if name == b"host":
            self._hosts += 1
            if self._hosts > 1 or not _HOST.fullmatch(value):
                self._end(closing.HOST)

    def on_headers_complete(self) -> None:
        """Enforce RFC 9112 sections 3.2 and 6.1, and start to answer the request."""
        version = self.parser.get_http_version()
        if version not in _VERSIONS or (version == "1.0" and self._has(b"transfer-encoding")):
            self._end(closing.MALFORMED)
        if version == "1.1" and not self._hosts:
            self._end(closing.HOST)
        if self.parser.should_upgrade():
            # The parser reads no body then, and would parse it as the next request.
            if self._has(b"transfer-encoding") or self._has(b"content-length"):
                self._end(closing.UPGRADE)
            if self._should_upgrade() and not self._is_answered:
                self._end(closing.UPGRADE)
            self._is_last = True
        self._part, self._bytes = Part.BODY, 0
        super().on_headers_complete()
        if self._is_last and not self._should_upgrade():
            self.cycle.keep_alive = False

    def on_chunk_header(self) -> None:
        """Count the chunks of a body."""
        self._chunks += 1
        if self._chunks > _CHUNKS:
            self._end(closing.BODY)

    def on_message_complete(self) -> None:
        """End a request."""
        self._part, self._bytes = Part.START, 0
        super().on_message_complete()

    # What uvicorn calls

    def _should_upgrade(self) -> bool:
        """Whether the request opens a WebSocket (RFC 6455 section 4.1), at its address."""
        return (
            self.parser.get_http_version() == "1.1"
            and self.parser.get_method() == b"GET"
            and self.url.partition(b"?")[0] == _WEBSOCKET
            and super()._should_upgrade()
        )

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._settle()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for too long."""
        super().timeout_keep_alive_handler()
        self._settle()

    def shutdown(self) -> None:
        """Answer complete requests and stop; half-sent requests have one more second."""
        self._connections.stop()
        stop_streams(self.app_state)
        super().shutdown()
        self._settle()

    # What the limits call

    def time_out(self) -> None:
        """Close the connection: its client took too long."""
        if self.queue is self._connections.answers:
            CLOSED.labels("answer_timeout").inc()
            self.transport.abort()
        elif self.queue is self._connections.lingering:
            self._close()
        elif self._is_silent:
            CLOSED.labels("idle").inc()
            self._close()
        elif self._connections.stopping:
            self._refuse(closing.STOPPING)
        else:
            self._refuse(
                closing.BODY_TIMEOUT if self._part is Part.BODY else closing.HEADER_TIMEOUT
            )
        self._settle()

    def evict(self, reason: str) -> None:
        """Close the connection to make room for another."""
        if self.queue is self._connections.answers:
            CLOSED.labels(reason).inc()
            self.transport.abort()
        elif self._lingers or self._is_silent:
            CLOSED.labels(reason).inc()
            self._close()
        else:
            self._refuse(Refusal(reason, closing.HEADER_TIMEOUT.error))
        self._settle()

    @property
    def _is_silent(self) -> bool:
        """Whether no byte of a request has arrived."""
        return self._part is Part.START and not self._bytes

    @property
    def _is_answered(self) -> bool:
        """Whether no earlier request waits for its answer."""
        return self.cycle is None or self.cycle.response_complete

    def _hand_over(self) -> None:
        """Leave the connection to the WebSocket protocol, which counts it from now on."""
        self._connections.wait_in(self, None)
        self._connections.forget(self)
        self.handle_websocket_upgrade()
        del self.parser  # it refers back to this protocol

    def _has(self, header: bytes) -> bool:
        return any(name == header for name, _ in self.headers)

    def _settle(self) -> None:
        """Move to the queue for what the client has to do next."""
        self._connections.wait_in(self, self._next_queue())

    def _next_queue(self) -> Queue | None:
        if self.transport.is_closing():
            self._connections.forget(self)
            return self._connections.answers
        if self._lingers:
            return self._connections.lingering
        if self.flow.write_paused:
            return self._connections.answers
        if self._part is Part.BODY:
            return self._connections.bodies
        if self._part is Part.HEADERS or self._bytes or self.cycle is None:
            return self._connections.headers
        return self._connections.idle if self.cycle.response_complete else None

    def _discard(self, size: int) -> None:
        """Discard bytes after a refusal, up to a bound, since reading them costs time."""
        if self._lingers:
            self._left -= size
            if self._left < 0:
                self.transport.pause_reading()

    def _enforce_size(self) -> None:
        if self._part is not Part.BODY:
            if self._bytes > self._header_bytes_limit:
                self._refuse(closing.HEADERS)
        elif self._bytes > 2 * self._connections.body_bytes + _BEYOND_BODY:
            self._refuse(closing.BODY)

    def _end(self, refusal: Refusal) -> None:
        """End parsing at once."""
        self._refusal = refusal
        raise _Refused

    def _refuse(self, refusal: Refusal) -> None:
        """Close the connection; send the refusal unless an answer is being sent."""
        CLOSED.labels(refusal.reason).inc()
        cycle = self.cycle
        if self._part is Part.BODY:
            silent = bool(self.pipeline) or cycle.response_started
        else:
            silent = cycle is not None and not cycle.response_complete
        if not silent:
            self.transport.write(refusal.answer(self.server_state.default_headers))
        self._close(linger=not silent and self.transport.can_write_eof())

    def _close(self, linger: bool = False) -> None:
        """Send what is buffered, and close; nothing more is written.

        ``linger``: for one more second, bytes that the client sends are discarded.
        """
        for cycle in (self.cycle, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._is_last = True
        if linger:
            self._lingers = True
            endpoint = self.transport.get_extra_info("socket")
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LINGERING)
            self.transport.write_eof()
        else:
            self.transport.close()
