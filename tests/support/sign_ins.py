"""People who sign in to a gateway over ASGI, with an issuer in the test process."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from pydantic import SecretStr

from gateway.sessions.cookies import SESSION_COOKIE
from gateway.settings import Access, SignIn, TrustedIssuer
from tests.support.issuers import AUDIENCE, Key, Provider, new_key, provider, signed
from tests.support.pages import CODE
from tests.support.running import Running, running

CLIENT, SECRET, ADDRESS = "gateway-pages", "pages secret", "https://gateway.example"
ENDPOINTS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "end_session_endpoint": "/end",
}
_KEY = new_key("ES256")


@dataclass
class Ministry:
    """An issuer with which people sign in, and what it gives them."""

    provider: Provider

    def give(
        self,
        nonce: object,
        subject: str = "officer-1",
        *,
        key: Key | None = None,
        access: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> dict[str, Any]:
        """Answer the next exchange with tokens, and return them.

        ``access`` and ``changed``: claims of the access token and the ID token; None leaves out.
        """
        kid = f"token-{self.provider.hits['/token']}-{subject}"
        permitted = {
            "sub": subject,
            "jti": kid,
            "client_id": CLIENT,
            "scope": "procedures:check",
            "purposes": [CODE],
            "agency": "UBND phường",
        }
        access_token = signed(
            "ES256", _KEY, self.provider.claims(**{**permitted, **(access or {})})
        )
        names = {"sub": subject, "aud": CLIENT, "nonce": nonce, "name": f"Tên {subject}"}
        without = dict.fromkeys(("client_id", "jti", "scope"))
        claims = self.provider.claims(**{**without, **names, **changed})
        id_token = signed("ES256", key or _KEY, claims, typ="JWT")
        tokens = {"access_token": access_token, "id_token": id_token, "token_type": "Bearer"}
        self.answer(tokens)
        return tokens

    def answer(self, body: object, status: int = 200) -> None:
        """Answer exchanges with ``body`` from now on."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.provider.answers["/token"] = (status, text)

    @property
    def exchanged(self) -> dict[str, str]:
        """What the last exchange sent."""
        sent = parse_qs(self.provider.posted[-1][1])
        return {name: values[0] for name, values in sent.items()}


@dataclass
class Visitor:
    """A browser with cookies, which over ASGI are sent as over TLS."""

    gateway: Running
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def session(self) -> str | None:
        """The cookie of the session."""
        return self.cookies.get(SESSION_COOKIE)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self._send("GET", path, headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> httpx2.Response:
        return await self._send("POST", path, headers, data=dict(fields))

    async def ask(self, query: str, **headers: str) -> httpx2.Response:
        """POST a document over GraphQL."""
        return await self._send("POST", "/graphql", headers, json={"query": query})

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], **content: Any
    ) -> httpx2.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        client = self.gateway.client
        answer = await client.request(method, path, headers=sent, **content)
        for header in answer.headers.get_list("set-cookie"):
            (morsel,) = SimpleCookie(header).values()
            if morsel["max-age"] == "0":
                self.cookies.pop(morsel.key, None)
            else:
                self.cookies[morsel.key] = morsel.value
        return answer

    async def leave(self, return_path: str = "/procedures") -> dict[str, str]:
        """Go to the issuer; returns the parameters with which one comes there."""
        answer = await self.get(f"/sign-in?return={return_path}")
        assert answer.status_code == 303, answer.text
        sent = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: values[0] for name, values in sent.items()}

    async def come_back(self, state: str, **parameters: str) -> httpx2.Response:
        """Come back from the issuer."""
        query = httpx2.QueryParams({"state": state, "code": "c", **parameters})
        return await self.get(f"/sign-in/callback?{query}")

    async def sign_in(
        self,
        ministry: Ministry,
        subject: str = "officer-1",
        return_path: str = "/procedures",
        refresh_token: str | None = None,
        **access: Any,
    ) -> httpx2.Response:
        """Sign in, and return where that leads to."""
        request = await self.leave(return_path)
        tokens = ministry.give(request["nonce"], subject, access=access)
        if refresh_token is not None:
            ministry.answer({**tokens, "refresh_token": refresh_token})
        answer = await self.come_back(request["state"])
        assert answer.status_code == 303, answer.text
        return answer


@asynccontextmanager
async def gateway_with_sign_in(
    folder: Path, *backends: Any, **settings: Any
) -> AsyncIterator[tuple[Running, Ministry]]:
    """Run a gateway, in production, at which people sign in with an issuer."""
    async with provider() as issuer:
        issuer.endpoints = dict(ENDPOINTS)
        issuer.publish(_KEY)
        async with another_gateway(folder, issuer, *backends, **settings) as gateway:
            issuer.clock = gateway.clock
            yield gateway, Ministry(issuer)


@asynccontextmanager
async def another_gateway(
    folder: Path, issuer: Provider, *backends: Any, **settings: Any
) -> AsyncIterator[Running]:
    """Run a gateway with the settings of ``gateway_with_sign_in``."""
    trusted = TrustedIssuer(issuer=issuer.url, audience=AUDIENCE)
    options: dict[str, Any] = {
        "demo": False,
        "access": Access(issuers={"ministry": trusted}, timeout=20, cool_down=0),
        "sign_in": SignIn(
            issuer="ministry",
            client_id=CLIENT,
            client_secret=SecretStr(SECRET),
            address=ADDRESS,
            scopes=("openid", "profile", "procedures:check"),
            resource=AUDIENCE,
        ),
        **settings,
    }
    async with running(folder, *backends, **options) as gateway:
        yield gateway


def challenge(verifier: str) -> str:
    """Return the challenge of a verifier, method S256 (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
