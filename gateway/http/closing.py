"""Why connections are closed before their time, and what their clients are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.errors import GatewayError
from gateway.shape.response import refusal_body


class Refusal(NamedTuple):
    """Why a connection is closed: the reason in metrics, and what its client is told."""

    reason: str
    error: GatewayError

    def answer(self, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Return an HTTP/1.1 answer, the last on its connection; ``headers``: the server's own."""
        content = orjson.dumps(refusal_body(self.error))
        fields = [
            *headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", b"%d" % len(content)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *(
                (name.lower().encode(), value.encode())
                for name, value in self.error.headers.items()
            ),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%s: %s\r\n" % field for field in fields)
        return b"%s%s\r\n%s" % (STATUS_LINE[self.error.code.status], lines, content)


def _bad(reason: str, sentence: str) -> Refusal:
    return Refusal(reason, GatewayError("BAD_REQUEST", sentence))


MALFORMED = _bad("malformed", "this is not HTTP/1.1")
HOST = _bad("host", "exactly one Host is required")
UPGRADE = _bad("upgrade", "nothing to upgrade to is offered: send HTTP/1.1 without Upgrade")
PIPELINE = _bad("pipeline", "too many requests wait on this connection")
URL = Refusal("url", GatewayError("URL_TOO_LONG"))
HEADERS = Refusal("headers", GatewayError("HEADERS_TOO_LARGE"))
BODY = Refusal("body", GatewayError("BODY_TOO_LARGE"))
HEADER_TIMEOUT = Refusal("header_timeout", GatewayError("REQUEST_TIMED_OUT"))
BODY_TIMEOUT = Refusal("body_timeout", GatewayError("REQUEST_TIMED_OUT"))
STOPPING = Refusal("stopping", GatewayError("GATEWAY_BUSY", headers={"Retry-After": "1"}))
