"""Invalid tokens, as an attacker with a valid token could create them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from joserfc.jwk import OKPKey

from gateway.access.tokens import issue
from gateway.keys.keyring import load_signing, private_half
from gateway.settings import Access
from tests.support.issuers import b64, signed
from tests.support.people import HOA
from tests.support.running import OFFICER, Running


def _key(gateway: Running) -> OKPKey:
    return load_signing(gateway.service.resources.settings, "token")[0]


def _claims(gateway: Running, **claims_changed: object) -> dict[str, Any]:
    """Return the claims of a good token, but for ``claims_changed``."""
    _, claims, _ = gateway.token(*OFFICER).split(".")
    return {**orjson.loads(base64.urlsafe_b64decode(claims + "==")), **claims_changed}


def by_our_key(gateway: Running, header: Mapping[str, Any], **claims: object) -> str:
    """Return a token of the gateway's own key, with any header and claims at all."""
    return signed("Ed25519", _key(gateway), _claims(gateway, **claims), **header)


def _encoded(content: Mapping[str, object]) -> str:
    return b64(orjson.dumps(content))


def _unsigned(algorithm: str, signature: str = "") -> Callable[[Running], str]:
    def make(gateway: Running) -> str:
        header = {"alg": algorithm, "typ": "JWT", "kid": _key(gateway).kid}
        return f"{_encoded(header)}.{_encoded(_claims(gateway))}.{signature}"

    return make


def _by_hmac(secret: Callable[[OKPKey], bytes]) -> Callable[[Running], str]:
    """Return a token whose secret is what everybody may know: the public key (RFC 8725 2.1)."""

    def make(gateway: Running) -> str:
        key = _key(gateway)
        header = {"alg": "HS256", "typ": "JWT", "kid": key.kid}
        text = f"{_encoded(header)}.{_encoded(_claims(gateway))}"
        return f"{text}.{b64(hmac.digest(secret(key), text.encode(), hashlib.sha256))}"

    return make


def _raw(key: OKPKey) -> bytes:
    return private_half(key).public_key().public_bytes_raw()


def _of_another_key(gateway: Running) -> str:
    key = OKPKey.generate_key("Ed25519", parameters={"kid": "x"})
    now = gateway.clock.now()
    return issue(key, Access(), now, subject="officer-1", client="desk", scopes=OFFICER)


def _of_another_key_with_our_id(gateway: Running) -> str:
    key = OKPKey.generate_key("Ed25519", parameters={"kid": str(_key(gateway).kid)})
    return signed("Ed25519", key, _claims(gateway))


def expired(gateway: Running) -> str:
    token = gateway.token(*OFFICER, life=timedelta(minutes=1))
    gateway.clock.advance(120)
    return token


def _from(gateway: Running, seconds: int) -> dict[str, int]:
    """Return the claims that say from when a token is valid."""
    start = int(gateway.clock.now().timestamp()) + seconds
    return {"nbf": start, "iat": start, "exp": start + 600}


def _with_more_scopes(gateway: Running) -> str:
    head, claims, signature = gateway.token("me", subject=HOA).split(".")
    content = orjson.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{head}.{_encoded({**content, 'scope': 'population:read'})}.{signature}"


TOKENS: dict[str, Callable[[Running], str]] = {
    "of an unknown key": _of_another_key,
    "of another key that has the id of ours": _of_another_key_with_our_id,
    "of ours with an unknown id": lambda gateway: by_our_key(gateway, {"kid": "unknown"}),
    "not yet valid": lambda gateway: by_our_key(gateway, {}, **_from(gateway, 60)),
    "that has no end": lambda gateway: by_our_key(gateway, {}, exp=None),
    "for another audience": lambda gateway: by_our_key(gateway, {}, aud="another"),
    "for several audiences": lambda gateway: by_our_key(gateway, {}, aud=["justice-gateway"]),
    "of another issuer": lambda gateway: by_our_key(gateway, {}, iss="https://login.example"),
    "signed by none": _unsigned("none"),
    "signed by None": _unsigned("None"),
    "signed by none, with a signature": _unsigned("none", "AAAA"),
    "without algorithm": _unsigned(""),
    "signed with the public key": _by_hmac(_raw),
    "signed with the public key as a JWK": _by_hmac(
        lambda key: orjson.dumps(key.as_dict(private=False))
    ),
    "signed with the public key as PEM": _by_hmac(lambda key: key.as_pem(private=False)),
    "signed with nothing": _by_hmac(lambda _: b""),
    "whose key would be a path": lambda gateway: by_our_key(gateway, {"kid": "../keys/token.jwk"}),
    "whose key would be anywhere": lambda gateway: by_our_key(gateway, {"kid": "/dev/null"}),
    "whose key has a zero in it": lambda gateway: by_our_key(gateway, {"kid": "a\x00/../b"}),
    "whose key would be asked for": lambda gateway: by_our_key(gateway, {"kid": "'; drop table k"}),
    "whose key is no text": lambda gateway: by_our_key(gateway, {"kid": {"a": 1}}),
    "that brings its key along": lambda gateway: by_our_key(
        gateway, {"kid": "x", "jwk": _key(gateway).as_dict(private=False)}
    ),
    "with more scopes than signed": _with_more_scopes,
    "cut short": lambda gateway: gateway.token(*OFFICER)[:-1],
    "of 12 kB": lambda gateway: gateway.token(*OFFICER, client="x" * 9_000),
    "of 100 kB": lambda gateway: gateway.token(*OFFICER, client="x" * 75_000),
    "of 100 kB that is none": lambda _: "x" * 100_000,
    "of 100 kB of dots": lambda _: "." * 100_000,
    "of a letter": lambda _: "x",
    "of a dot": lambda _: ".",
    "of two dots": lambda _: "..",
    "of four dots": lambda _: "....",
    "in the other form": lambda _: '{"payload":"","signatures":[]}',
}
