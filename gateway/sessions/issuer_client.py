"""The gateway as a client of the issuer that people sign in with: Authlib over httpx2.

OpenID Connect Core 1.0 section 3.1 (authorization code), RFC 7636 (PKCE), RFC 9207 (the issuer in
the answer), RP-Initiated Logout 1.0. Signatures are verified with the keys that
``gateway.access.issuers`` keeps; the claims of an ID token by Authlib.
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import structlog
from joserfc.errors import JoseError

from gateway.access.claims import TokenRefused
from gateway.access.documents import Unreachable, fetch_description
from gateway.access.keyset import decode_part, read_header
from gateway.access.tokens import Tokens, VerifiedToken
from gateway.errors import GatewayError
from gateway.runtime.clock import Clock
from gateway.settings import Settings, is_loopback, is_safe_url
from gateway.telemetry.redaction import holds_number

log = structlog.get_logger(__name__)

#: Where the issuer sends people back to.
CALLBACK, SIGNED_OUT = "/sign-in/callback", "/sign-out"


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What the issuer gave, verified. ``id_token`` None: none this time (a renewal)."""

    access_token: str
    verified: VerifiedToken
    id_token: str | None
    id_claims: Mapping[str, Any]
    refresh_token: str | None

    @property
    def name(self) -> str | None:
        """How the issuer calls who signed in; None: it does not say, or by a number."""
        name = self.id_claims.get("name")
        return name if isinstance(name, str) and name and not holds_number(name) else None


@dataclass(frozen=True, slots=True)
class IssuerLogout:
    """How a browser ends the session at the issuer: at ``url``, with ``fields``.

    ``is_personal``: the fields hold a number, which must not stand in an address: they are posted.
    """

    url: str
    fields: Mapping[str, str]
    is_personal: bool

    @property
    def address(self) -> str:
        """The address that ends it, for fields that are not personal."""
        joint = "&" if "?" in self.url else "?"
        return f"{self.url}{joint}{urlencode(self.fields)}"


class IssuerClient:
    """Speaks with the issuer of the settings. Every method raises GatewayError SIGN_IN_..."""

    def __init__(self, settings: Settings, tokens: Tokens, clock: Clock) -> None:
        sign_in = settings.sign_in
        assert sign_in.issuer is not None
        assert sign_in.client_id is not None
        self._settings = sign_in
        self._access = settings.access
        self._issuer = tokens.issuer(settings.access.issuers[sign_in.issuer].issuer)
        self._client_id: str = sign_in.client_id
        self._secret = settings.client_secret()
        self._tokens = tokens
        self._clock = clock
        self._description: Mapping[str, Any] = {}
        self._described: float | None = None

    @property
    def timeout(self) -> float:
        """Seconds that one exchange with the issuer may take."""
        return self._access.timeout

    async def authorization_address(self, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser goes to sign in."""
        description = await self._describe()
        async with self._client(description) as client:
            address, _ = client.create_authorization_url(
                _endpoint(description, "authorization_endpoint"),
                state=state,
                code_verifier=verifier,
                nonce=nonce,
                scope=" ".join(self._settings.scopes),
                **self._target(),
            )
        return str(address)

    async def exchange(self, code: str, verifier: str, nonce: str) -> IssuedTokens:
        """Return what the issuer gives for a code; SIGN_IN_MISMATCH for another sign-in's."""
        parameters = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._redirect_uri,
        }
        return await self._fetch(parameters, nonce)

    async def renew(self, refresh_token: str) -> IssuedTokens:
        """Return new tokens in place of those that expire, of the same scope (RFC 6749, 6)."""
        parameters = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._fetch(parameters, None)

    async def check_answering_issuer(self, issuer: str | None) -> None:
        """Refuse the answer of another issuer, or of none where ours names itself (RFC 9207)."""
        names_itself = (await self._describe()).get(
            "authorization_response_iss_parameter_supported"
        )
        if issuer != self._issuer.url and (issuer is not None or names_itself is True):
            raise GatewayError("SIGN_IN_MISMATCH")

    async def logout(self, id_token: str) -> IssuerLogout | None:
        """Return how to end the session at the issuer; None: it has no such address.

        ``id_token``: as it was verified at the sign-in.
        """
        description = await self._describe()
        if "end_session_endpoint" not in description:
            return None
        url = _endpoint(description, "end_session_endpoint")
        fields = {
            "id_token_hint": id_token,
            "client_id": self._client_id,
            "post_logout_redirect_uri": f"{self._settings.address}{SIGNED_OUT}",
        }
        claims = decode_part(id_token, 1).values()
        texts = (value for value in claims if isinstance(value, str))
        return IssuerLogout(url, fields, any(map(holds_number, texts)))

    @property
    def _redirect_uri(self) -> str:
        return f"{self._settings.address}{CALLBACK}"

    def _target(self) -> dict[str, str]:
        """Return the parameters that say for whom an access token is to be."""
        target = {"resource": self._settings.resource, "audience": self._settings.audience}
        return {name: value for name, value in target.items() if value is not None}

    async def _fetch(self, parameters: Mapping[str, str], nonce: str | None) -> IssuedTokens:
        from authlib.integrations.base_client import OAuthError

        description = await self._describe()
        try:
            async with asyncio.timeout(self.timeout), self._client(description) as client:
                answer = await client.fetch_token(
                    _endpoint(description, "token_endpoint"),
                    **parameters,
                    **self._target(),
                )
            return await self._verify(answer, nonce)
        except OAuthError as error:
            log.warning("issuer refuses", issuer=self._issuer.name, error=str(error.error)[:64])
            raise GatewayError("SIGN_IN_REFUSED") from error
        except (httpx2.HTTPError, OSError) as error:
            raise self._unavailable(type(error).__name__) from error
        except TokenRefused as refused:
            if refused.code == "ISSUER_UNAVAILABLE":
                raise self._unavailable(refused.reason) from refused
            raise self._invalid(refused.reason) from refused
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._invalid(f"{type(error).__name__}: {error}") from error

    async def _verify(self, answer: Mapping[str, Any], nonce: str | None) -> IssuedTokens:
        """Return the tokens in an answer; raises whatever is wrong with them."""
        access_token, id_token = answer["access_token"], answer.get("id_token")
        verified = await self._tokens.examine(access_token)
        if verified.issuer is not self._issuer:
            raise TokenRefused("the access token is of another issuer")
        claims: Mapping[str, Any] = {}
        if id_token is not None:
            claims = await self._verify_id_token(id_token, access_token, nonce)
        elif nonce is not None:
            raise TokenRefused("there is no ID token")
        refresh_token = answer.get("refresh_token")
        return IssuedTokens(access_token, verified, id_token, claims, refresh_token or None)

    async def _verify_id_token(
        self, id_token: str, access_token: str, nonce: str | None
    ) -> Mapping[str, Any]:
        """Return the claims of an ID token (OpenID Connect Core 1.0 section 3.1.3.7)."""
        from authlib.oidc.core import CodeIDToken

        claims, _ = await self._issuer.verify_signature(id_token)
        if nonce is not None:
            sent = claims.get("nonce")
            if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), nonce.encode()):
                raise GatewayError("SIGN_IN_MISMATCH")
        algorithm = read_header(id_token).algorithm
        if algorithm == "Ed25519":  # the name in RFC 9864 of what Authlib knows as EdDSA
            algorithm = "EdDSA"
        CodeIDToken(
            claims,
            {"alg": algorithm},
            options={
                "iss": {"essential": True, "value": self._issuer.url},
                "aud": {"essential": True, "value": self._client_id},
            },
            params={"client_id": self._client_id, "access_token": access_token},
        ).validate(now=int(self._clock.now().timestamp()), leeway=self._access.leeway)
        return claims

    async def _describe(self) -> Mapping[str, Any]:
        """Return the issuer's description of itself, at most ``access.refresh`` old.

        One that cannot be fetched anew stays in use.
        """
        now = self._clock.monotonic()
        if self._described is not None and now - self._described < self._access.refresh:
            return self._description
        try:
            async with (
                asyncio.timeout(self.timeout),
                httpx2.AsyncClient(**self._connection) as client,
            ):
                self._description = await fetch_description(client, self._issuer.url)
            self._described = now
        except (Unreachable, OSError) as error:
            if not self._description:
                raise self._unavailable(str(error) or type(error).__name__) from error
        return self._description

    def _client(self, description: Mapping[str, Any]) -> Any:
        """Return a client for one exchange: it keeps the tokens of whom it was used for."""
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        methods = description.get("token_endpoint_auth_methods_supported")
        is_posted = isinstance(methods, list) and "client_secret_basic" not in methods
        method = "client_secret_post" if is_posted else "client_secret_basic"
        return AsyncOAuth2Client(
            self._client_id,
            self._secret,
            token_endpoint_auth_method="none" if self._secret is None else method,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            **self._connection,
        )

    @cached_property
    def _connection(self) -> dict[str, Any]:
        """How to connect: the certificates are read once, which takes longer than a request."""
        trust_env = not is_loopback(urlsplit(self._issuer.url).hostname)
        context: ssl.SSLContext = httpx2.create_ssl_context(trust_env=trust_env)
        return {
            "timeout": self.timeout,
            "follow_redirects": False,
            "trust_env": trust_env,
            "verify": context,
        }

    def _unavailable(self, reason: str) -> GatewayError:
        log.warning("issuer unavailable", issuer=self._issuer.name, reason=reason)
        return GatewayError("SIGN_IN_UNAVAILABLE", headers={"Retry-After": "5"})

    def _invalid(self, reason: str) -> GatewayError:
        log.warning("issuer's tokens not accepted", issuer=self._issuer.name, reason=reason)
        return GatewayError("SIGN_IN_INVALID")


def _endpoint(description: Mapping[str, Any], name: str) -> str:
    """Return an address that the issuer describes; raises GatewayError SIGN_IN_INVALID."""
    url = description.get(name)
    if not isinstance(url, str) or not is_safe_url(url):
        log.warning("issuer describes no such address", name=name)
        raise GatewayError("SIGN_IN_INVALID")
    return url
