"""Messages over X-Road: headers, proofs, errors; the same for every service that is called.

The gateway calls its own security server, which calls that of the provider. Rules are those of the
message protocol for REST 1.0.4: the header tells an error of X-Road, not the status.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import httpx2
import orjson

from connectors.backends.base import Asker, MessageEvidence, SourceUnavailable
from connectors.xroad.errors import xroad_failure
from connectors.xroad.identifiers import Identifier, header_value
from connectors.xroad.messages import LARGEST

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class XroadOptions:
    """How a service is reached.

    ``server``: the gateway's own security server, https (http only on this machine). ``client``:
    the gateway's subsystem, or member; ``service``: the service it calls. ``security_server``:
    which one, of several that offer the service. ``shared``: the service's agreement allows answers
    to one caller to be given to another. ``timeout`` and ``connect_timeout``: in seconds; a
    security server itself waits without limit. ``tls_ca``, ``tls_certificate`` and ``tls_key``: PEM
    files.
    """

    server: str
    client: Identifier
    service: Identifier
    security_server: Identifier | None = None
    shared: bool = False
    timeout: float = 1.5
    connect_timeout: float = 2.0
    connections: int = 8
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


@dataclass(slots=True)
class Reply:
    """An answer of the service itself, not of X-Road."""

    status: int
    body: bytes
    evidence: MessageEvidence


@dataclass(slots=True)
class _Open:
    client: httpx2.AsyncClient | None = None
    closed: bool = False


class XroadExchange:
    """Exchanges messages with the service of ``options``.

    Raises ValueError for TLS files that cannot be used. ``transport`` replaces the network in
    tests.
    """

    def __init__(
        self, options: XroadOptions, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._options = options
        self._transport = transport
        self._tls = _tls(options)
        self._open = _Open()

    async def close(self) -> None:
        """Close all connections."""
        client, self._open = self._open.client, _Open(closed=True)
        if client is not None:
            await client.aclose()

    async def post(self, body: bytes, asker: Asker) -> Reply:
        """Call the service; raises SourceUnavailable, ``TooLarge`` among it."""
        headers = {**self._headers(), **_asker_headers(asker), "Content-Type": JSON}
        return await self._send("POST", str(self._options.service), headers, body)

    async def allowed(self) -> set[str]:
        """Return the codes of the provider's services that the gateway may call with POST."""
        path = f"{self._options.service.owner}/allowedMethods"
        reply = await self._send("GET", path, self._headers())
        try:
            services = orjson.loads(reply.body)["service"]
            return {service["service_code"] for service in services if _may_post(service)}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SourceUnavailable("allowedMethods was answered otherwise than agreed") from None

    def _headers(self) -> dict[str, str]:
        options = self._options
        headers = {
            "X-Road-Client": str(options.client),
            "X-Road-Id": str(uuid.uuid4()),
            "Accept": JSON,
        }
        if options.security_server is not None:
            headers["X-Road-Security-Server"] = str(options.security_server)
        return headers

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        url = f"{self._options.server.rstrip('/')}/r1/{path}"
        client = self._client()
        try:
            async with client.stream(method, url, headers=headers, content=body) as response:
                content = await _limited(response)
        except httpx2.HTTPError as error:
            raise SourceUnavailable(f"security server: {type(error).__name__}") from None
        kind = response.headers.get("X-Road-Error")
        if kind is not None:
            raise xroad_failure(code_of(content, "type") or kind)
        return Reply(response.status_code, content, _evidence(path, headers, response.headers))

    def _client(self) -> httpx2.AsyncClient:
        if self._open.closed:
            raise SourceUnavailable("closed")
        if self._open.client is None:
            options = self._options
            limits = httpx2.Limits(
                max_connections=options.connections, max_keepalive_connections=options.connections
            )
            self._open.client = httpx2.AsyncClient(
                verify=self._tls if self._tls is not None else True,
                timeout=httpx2.Timeout(options.timeout, connect=options.connect_timeout),
                limits=limits,
                follow_redirects=False,
                trust_env=False,
                transport=self._transport,
            )
        return self._open.client


class TooLarge(SourceUnavailable):
    """The answer is larger than a security server may let through."""


async def _limited(response: httpx2.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST:
            raise TooLarge("the answer is too large")
    return bytes(content)


def _evidence(path: str, sent: Mapping[str, str], headers: Mapping[str, str]) -> MessageEvidence:
    """Return the proof of the exchange.

    Raises SourceUnavailable for an answer without proof, or to another message.
    """
    message, request = headers.get("X-Road-Id"), headers.get("X-Road-Request-Id")
    digest, service = headers.get("X-Road-Request-Hash"), headers.get("X-Road-Service", "")
    ours = message == sent["X-Road-Id"] and unquote(service) == unquote(path)
    if not ours or message is None or not request or not digest:
        raise SourceUnavailable("the answer does not prove to be to this message")
    return MessageEvidence(message, request, digest)


def _asker_headers(asker: Asker) -> dict[str, str]:
    """Return the headers that name the caller of a message."""
    values = {
        "X-Road-UserId": asker.user,
        "X-Road-Issue": asker.case,
        "X-Road-Represented-Party": asker.represented,
    }
    return {name: header_value(value) for name, value in values.items() if value}


def code_of(body: bytes, name: str = "code") -> str | None:
    """Return the text that a body holds under ``name``, None where it holds none."""
    try:
        value = orjson.loads(body)[name]
    except (ValueError, TypeError, KeyError):
        return None
    return value if isinstance(value, str) else None


def _may_post(service: Mapping[str, object]) -> bool:
    """Whether a service may be called with POST at its root; without a list, every endpoint may."""
    endpoints = service.get("endpoint_list")
    if not isinstance(endpoints, list) or not endpoints:
        return True
    return any(
        endpoint.get("method") in {"POST", "*"} and endpoint.get("path") in {"/", "**", "*", ""}
        for endpoint in endpoints
    )


def _tls(options: XroadOptions) -> ssl.SSLContext | None:
    """Return the TLS context for the security server, with the gateway's certificate, if any."""
    if not options.server.startswith("https:"):
        return None
    try:
        context = ssl.create_default_context(cafile=options.tls_ca)
        if options.tls_certificate is not None:
            context.load_cert_chain(options.tls_certificate, options.tls_key)
    except OSError as error:  # SSLError is one
        raise ValueError(f"its TLS files cannot be used ({type(error).__name__})") from None
    return context
