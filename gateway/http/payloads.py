"""Payloads of an answer as the parts of ``multipart/mixed``.

GraphQL over HTTP, RFC "Incremental Delivery over HTTP"; RFC 2046 section 5.1. Each part ends with
the delimiter of the next, so that a client can read it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Send

from gateway.http.parameters import MULTIPART, ranges_with_parameters
from gateway.request import RequestState
from gateway.shape.response import add_documentation_links, error_codes

_T = TypeVar("_T")
#: The parameter by which a client says which form of payloads it reads, and the forms that are
#: sent: that of the draft since 2023, as graphql-js 17 and graphql-core 3.3 have it.
_FORMS = {"incrementalspec": frozenset({"v0.2"})}
_CONTENT_TYPE = b'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
#: The headers of the response. nginx would hold back what is sent, without the last one.
_OWN_HEADERS = (
    (b"content-type", _CONTENT_TYPE),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-accel-buffering", b"no"),
)
_BEGIN, _HEADERS, _NEXT, _END = (
    b"\r\n---",
    b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n",
    b"\r\n---",
    b"\r\n-----\r\n",
)


@lru_cache(maxsize=256)
def accepts_payloads(accept: str) -> bool:
    """Say whether a client reads ``multipart/mixed`` with payloads of our form.

    A client that names another form, as ``deferSpec=20220824``, is answered in a single response.
    """
    return any(
        kind == MULTIPART and quality > 0 and _is_known_form(parameters)
        for kind, parameters, quality in ranges_with_parameters(accept)
    )


def _is_known_form(parameters: Sequence[tuple[str, str]]) -> bool:
    return all(value in _FORMS.get(name, ()) for name, value in parameters)


class PayloadStream:
    """The response to one request, payload by payload.

    ``state``: of the request. ``headers``: of the response, beside its own. ``documentation``:
    where errors are documented. ``sent``: bytes so far. ``is_begun``: the status has been sent.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        state: RequestState,
        documentation: str,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self.sent = 0
        self.is_begun = False
        self._receive = receive
        self._send = send
        self._state = state
        self._documentation = documentation
        self._headers = headers
        self._gone: asyncio.Task[None] | None = None

    async def send(self, payload: dict[str, object]) -> None:
        """Send a payload that others follow; raises ClientDisconnect if the client is gone."""
        content = self._encode(payload)
        try:
            if not self.is_begun:
                self.is_begun = True
                await self._send(self._start())
                content = _BEGIN + content
                self._gone = asyncio.create_task(self._wait_for_disconnect())
            self.sent += len(content + _NEXT)
            await self._send(
                {"type": "http.response.body", "body": content + _NEXT, "more_body": True}
            )
        except OSError as error:  # ASGI 3: the connection is gone
            raise ClientDisconnect from error

    async def wait(self, arrival: Awaitable[_T]) -> _T:
        """Wait for ``arrival`` and return it; raises ClientDisconnect once the client is gone."""
        assert self._gone is not None
        waiting = asyncio.ensure_future(arrival)
        try:
            await asyncio.wait({waiting, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if self._gone.done():
                raise ClientDisconnect
            return waiting.result()
        finally:
            waiting.cancel()

    def end(self, payload: dict[str, object]) -> bytes:
        """Return the rest of the body: the last payload."""
        return self._encode(payload) + _END

    def _start(self) -> Message:
        allowance = self._state.allowance
        counted = () if allowance is None else allowance.fields
        headers = [*_OWN_HEADERS, *counted, *self._headers]
        return {"type": "http.response.start", "status": 200, "headers": headers}

    def close(self) -> None:
        """Stop to look whether the client is gone."""
        if self._gone is not None:
            self._gone.cancel()

    def _encode(self, payload: dict[str, object]) -> bytes:
        for holder in _holders_of_errors(payload):
            add_documentation_links(holder, self._documentation)
            self._state.codes = sorted({*self._state.codes, *error_codes(holder)})
        return _HEADERS + orjson.dumps(payload)

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _holders_of_errors(payload: dict[str, Any]) -> Iterator[dict[str, object]]:
    """Yield the parts of a payload that may have errors."""
    yield payload
    yield from payload.get("incremental", ())
    yield from payload.get("completed", ())
