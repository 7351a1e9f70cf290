"""An OpenID Connect issuer in the test process: publishes and signs anything, counts requests."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.access.issuers import Issuer
from gateway.access.tokens import Tokens
from gateway.errors import GatewayError
from gateway.settings import Access, TrustedIssuer
from tests.support.running import TestClock

Key = RSAKey | ECKey | OKPKey
DESCRIPTION = "/.well-known/openid-configuration"
AUDIENCE = "urn:gateway"


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def new_key(algorithm: str, kid: str | None = "k1") -> Key:
    """Return a key for one of the three algorithms (or the newer name of one)."""
    # joserfc's parameters are a dictionary with named keys, to which a plain one does not fit.
    parameters = None if kid is None else {"kid": kid}
    if algorithm == "RS256":
        return RSAKey.generate_key(2048, parameters=parameters)  # type: ignore[arg-type]
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", parameters=parameters)  # type: ignore[arg-type]
    return OKPKey.generate_key("Ed25519", parameters=parameters)  # type: ignore[arg-type]


def signed(algorithm: str, key: Any, claims: Mapping[str, Any], **header: Any) -> str:
    """Return a token with any claims and header at all, signed with ``key``; None leaves out."""
    fields = {"alg": algorithm, "kid": getattr(key, "kid", None), "typ": "at+jwt", **header}
    present = {name: value for name, value in fields.items() if value is not None}
    text = ".".join(b64(json.dumps(part).encode()) for part in (present, claims))
    signature = jws.JWSRegistry.algorithms[algorithm].sign(text.encode(), key)
    return f"{text}.{b64(signature)}"


@dataclass
class Provider:
    """What listens on 127.0.0.1; ``answers`` take the place of what it would say at a path.

    ``posted``: the heads and bodies that were sent to it. ``endpoints``: what it describes beside
    its keys, by name: a path.
    """

    clock: TestClock
    keys: list[Mapping[str, Any]] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    headers: str = ""
    hits: Counter[str] = field(default_factory=Counter)
    requested: asyncio.Condition = field(default_factory=asyncio.Condition)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    posted: list[tuple[str, str]] = field(default_factory=list)
    endpoints: dict[str, str] = field(default_factory=dict)

    def publish(self, *keys: Key) -> None:
        self.keys = [key.as_dict(private=False) for key in keys]

    def fail(self, status: int = 500) -> None:
        self.answers = {"/jwks": (status, "{}")}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return claims that would be accepted but for what is ``changed``; None leaves out."""
        now = int(self.clock.now().timestamp())
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "officer-1",
            "client_id": "desk",
            "iat": now,
            "exp": now + 3600,
            "jti": "t1",
            "scope": "population:read",
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    async def wait_for_requests(self, path: str, times: int) -> None:
        """Wait until ``path`` was asked for that often; no longer than a busy machine needs."""
        async with asyncio.timeout(20), self.requested:
            await self.requested.wait_for(lambda: self.hits[path] >= times)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ", 2)[1].decode()
        length = re.search(rb"content-length: (\d+)", request, re.IGNORECASE)
        if length is not None:
            sent = await reader.readexactly(int(length[1]))
            self.posted.append((request.decode("latin-1"), sent.decode()))
        self.hits[path] += 1
        async with self.requested:
            self.requested.notify_all()
        await self.free.wait()
        status, body = self.answers.get(path) or (200, json.dumps(self._document(path)))
        content = body.encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nconnection: close\r\n{self.headers}"
            f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        writer.close()

    def _document(self, path: str) -> object:
        if path == DESCRIPTION:
            described = {name: f"{self.url}{path}" for name, path in self.endpoints.items()}
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **described}
        return {"keys": self.keys}


@asynccontextmanager
async def provider(clock: TestClock | None = None) -> AsyncIterator[Provider]:
    """Run an issuer on a free port until the block ends."""
    running = Provider(clock or TestClock())
    running.free.set()
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        running.free.set()
        server.close()


#: The gateway's own key.
OWN_KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "own"})


@asynccontextmanager
async def trusting(
    *issuers: Provider, jwks_url: Callable[[Provider], str] | None = None, **access: Any
) -> AsyncIterator[Tokens]:
    """Open the tokens of a gateway that trusts ``issuers``, and close them."""
    clock = issuers[0].clock
    settings = Access(**{"refresh": 1000.0, "timeout": 20.0, **access})
    trusted = {
        provider.url: Issuer(
            f"issuer-{number}",
            TrustedIssuer(
                issuer=provider.url, audience=AUDIENCE, jwks_url=jwks_url and jwks_url(provider)
            ),
            settings,
            clock,
        )
        for number, provider in enumerate(issuers)
    }
    tokens = Tokens([OWN_KEY], settings, clock, issuers=trusted)
    await tokens.open()
    try:
        yield tokens
    finally:
        await tokens.close()


async def refusal(tokens: Tokens, token: str) -> str:
    """Return the code with which ``token`` is refused; the reason must not be told."""
    with pytest.raises(GatewayError) as info:
        await tokens.caller(token)
    assert info.value.message == info.value.code.en
    return info.value.code.name
