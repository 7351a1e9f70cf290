"""Time stamps of receipts, by an authority that settings name (RFC 3161).

The date in a receipt is the gateway's word. A stamp over the JWS says when somebody else saw it;
the disclosures are not stamped, so that the holder may leave some out. An authority that does not
answer costs the stamp, never the receipt.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import httpx2
import structlog
from cryptography import x509

from connectors.description import Coded
from gateway.receipts.verify import ReceiptRefused, RefusalReason, split_receipt
from gateway.settings import Settings, is_loopback

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

log = structlog.get_logger(__name__)

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_LARGEST_REPLY = 64 * 1024


class TimestampState(Coded):
    """Whether a receipt has a time stamp."""

    STAMPED = "đã đóng dấu thời gian", "stamped"
    UNAVAILABLE = "tổ chức cấp dấu thời gian không trả lời", "the authority did not answer"
    NOT_CONFIGURED = "cổng không dùng dấu thời gian", "the settings name no authority"


@dataclass(frozen=True, slots=True)
class ReceiptTimestamp:
    """The time stamp of a receipt. ``token``: a TimeStampResp (DER), base64; None without one."""

    state: TimestampState
    token: str | None = None


NOT_CONFIGURED = ReceiptTimestamp(TimestampState.NOT_CONFIGURED)
UNAVAILABLE = ReceiptTimestamp(TimestampState.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """An authority at ``url``, whose certificate leads to one of ``roots``.

    ``timeout``: how long it may take, in seconds. ``tls``: made once, since reading the
    certificates of this machine takes longer than a stamp.
    """

    url: str
    roots: tuple[x509.Certificate, ...]
    timeout: float
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """Return the authority that settings name, if any; raises OSError or ValueError."""
        receipts = settings.receipts
        if receipts.timestamp_url is None or receipts.timestamp_roots is None:
            return None
        roots = load_roots(settings.path(receipts.timestamp_roots))
        return cls(receipts.timestamp_url, roots, receipts.timestamp_timeout)

    async def stamp(self, receipt: str, seconds: float) -> ReceiptTimestamp:
        """Return the stamp of ``receipt``, or that there is none. ``seconds``: that are left."""
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

        builder = TimestampRequestBuilder().data(_stamped(receipt))
        request = builder.hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            async with asyncio.timeout(max(0.0, min(seconds, self.timeout))):
                reply = await self._send(request.as_bytes())
            _verify(reply, receipt, self.roots, request.nonce)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            log.warning("no time stamp", reason=type(error).__name__)
            return UNAVAILABLE
        return ReceiptTimestamp(TimestampState.STAMPED, base64.b64encode(reply).decode())

    def _client(self) -> httpx2.AsyncClient:
        is_here = is_loopback(urlsplit(self.url).hostname)
        return httpx2.AsyncClient(
            timeout=self.timeout, follow_redirects=False, verify=self.tls, trust_env=not is_here
        )

    async def _send(self, query: bytes) -> bytes:
        """Return the reply to a query; raises what the client raises, or ValueError."""
        headers = {"content-type": _QUERY, "accept": _REPLY}
        async with (
            self._client() as client,
            client.stream("POST", self.url, content=query, headers=headers) as answer,
        ):
            content = b""
            async for piece in answer.raise_for_status().aiter_bytes():
                content += piece
                if len(content) > _LARGEST_REPLY:
                    raise ValueError("the reply is too long")
        return content


def load_roots(file: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a PEM file; raises OSError, or ValueError for none."""
    return tuple(x509.load_pem_x509_certificates(file.read_bytes()))


def verify_timestamp(token: bytes, receipt: str, roots: Sequence[x509.Certificate]) -> datetime:
    """Return when an authority saw ``receipt`` (UTC).

    ``token``: a TimeStampResp (DER). Raises ReceiptRefused for one that is not of this receipt, or
    not of an authority whose certificate leads to ``roots``.
    """
    try:
        reply = _verify(token, receipt, roots, None)
    except ValueError:
        raise ReceiptRefused(RefusalReason.TIMESTAMP) from None
    moment: datetime = reply.tst_info.gen_time
    return moment.astimezone(UTC)


def _verify(
    token: bytes, receipt: str, roots: Sequence[x509.Certificate], nonce: int | None
) -> TimeStampResponse:
    """Return the reply in ``token``; raises ValueError. ``nonce``: of the query, None: any."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    verifier = VerifierBuilder(roots=list(roots), nonce=nonce).build()
    try:
        reply = decode_timestamp_response(token)
        verifier.verify_message(reply, _stamped(receipt))
    except VerificationError as error:
        raise ValueError(str(error)) from None
    return reply


def _stamped(receipt: str) -> bytes:
    """Return what is stamped of a receipt: its JWS."""
    return split_receipt(receipt)[0].encode()
