"""Sends a request to an endpoint, once: no redirect is followed, no proxy asked.

The whole attempt has a bounded time, and the reply a bounded length. What an endpoint replies is
never shown to anybody, save its status: whoever registered it could otherwise read what only the
gateway reaches.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpcore2
import structlog

from connectors.description import Coded
from gateway.changes.webhooks.address import AddressPolicy, AddressRefused, UrlRefused
from gateway.changes.webhooks.connection import CheckedBackend, Resolve, resolve_host

log = structlog.get_logger(__name__)

#: Bytes of a reply that are read.
LONGEST_REPLY = 4_096
_HEADERS = (("user-agent", "justice-gateway"), ("accept-encoding", "identity"))


class SendOutcome(Coded):
    """What came of an attempt to send a request to an endpoint."""

    ACCEPTED = "đã nhận", "the endpoint accepted it"
    REFUSED = "điểm nhận từ chối", "the endpoint replied with another status than 2xx"
    REDIRECTED = "điểm nhận chuyển hướng", "the endpoint redirects, which is not followed"
    GONE = "điểm nhận không còn", "the endpoint replied 410: it wants no more"
    TIMED_OUT = "điểm nhận không trả lời kịp", "the endpoint did not reply in time"
    UNREACHABLE = "không kết nối được", "no connection, or it broke off"
    TLS_FAILED = "chứng thư không được chấp nhận", "the certificate cannot be accepted"
    ADDRESS_REFUSED = (
        "địa chỉ không được phép gọi",
        "its name has no address, or one that may not be called",
    )
    EXPIRED = (
        "nhật ký sự kiện không còn sự kiện này",
        "not sent: the event log no longer has it, so nobody knows whether it may be shown",
    )


@dataclass(frozen=True, slots=True)
class EndpointReply:
    """What came of an attempt.

    ``status``: of HTTP, None without a reply. ``retry_after``: seconds, as the endpoint says.
    ``content``: the beginning of the reply.
    """

    outcome: SendOutcome
    status: int | None = None
    retry_after: float | None = None
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Sends requests to addresses that ``policy`` permits. ``timeout``: seconds of an attempt."""

    policy: AddressPolicy
    tls: ssl.SSLContext
    timeout: float
    resolve: Resolve = resolve_host

    @classmethod
    def make(cls, policy: AddressPolicy, roots: Path | None, seconds: float) -> Self:
        """Return a sender that verifies certificates by ``roots``, or by the system's.

        Raises OSError, among them ssl.SSLError, for a file that has none.
        """
        tls = ssl.create_default_context(cafile=None if roots is None else str(roots))
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        return cls(policy, tls, seconds)

    async def send(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float | None = None
    ) -> EndpointReply:
        """POST ``body`` within ``seconds``, at most ``timeout``; raises nothing for an endpoint.

        The URL is judged again: settings may have changed since it was registered.
        """
        try:
            self.policy.read_url(url)
        except UrlRefused:
            return EndpointReply(SendOutcome.ADDRESS_REFUSED)
        limit = self.timeout if seconds is None else min(self.timeout, seconds)
        try:
            async with asyncio.timeout(max(0.0, limit)):
                return await self._send(url, headers, body)
        except (TimeoutError, httpcore2.TimeoutException):
            return EndpointReply(SendOutcome.TIMED_OUT)
        except AddressRefused:
            return EndpointReply(SendOutcome.ADDRESS_REFUSED)
        except httpcore2.ConnectError as error:
            is_tls = isinstance(error.__cause__ or error.__context__, ssl.SSLError)
            return EndpointReply(SendOutcome.TLS_FAILED if is_tls else SendOutcome.UNREACHABLE)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError):
            return EndpointReply(SendOutcome.UNREACHABLE)

    async def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> EndpointReply:
        backend = CheckedBackend(self.policy, self.resolve)
        pool = httpcore2.AsyncConnectionPool(
            ssl_context=self.tls,
            network_backend=backend,
            max_connections=1,
            max_keepalive_connections=0,
        )
        sent = [("host", urlsplit(url).netloc), *headers.items(), *_HEADERS]
        async with (
            pool,
            pool.stream("POST", url, headers=_encode(sent), content=body) as response,
        ):
            content = b""
            async for piece in response.aiter_stream():
                content += piece
                if len(content) >= LONGEST_REPLY:
                    break
            outcome = outcome_of(response.status)
            retry_after = _retry_after(response.headers)
            return EndpointReply(outcome, response.status, retry_after, content[:LONGEST_REPLY])


def outcome_of(status: int) -> SendOutcome:
    """Return what a status says of an attempt."""
    if 200 <= status < 300:
        return SendOutcome.ACCEPTED
    if status == 410:
        return SendOutcome.GONE
    return SendOutcome.REDIRECTED if 300 <= status < 400 else SendOutcome.REFUSED


def _encode(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> float | None:
    """Return the seconds of Retry-After (RFC 9110 section 10.2.3); None for a date, or none."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) <= 9:
            return float(value)
    return None
