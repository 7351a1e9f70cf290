"""Tokens of trusted issuers: which are accepted, and why others are refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import warnings
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway.access.tokens import Tokens
from tests.support.issuers import (
    AUDIENCE,
    Key,
    Provider,
    b64,
    new_key,
    provider,
    refusal,
    signed,
    trusting,
)
from tests.support.people import HOA

KEYS = {name: new_key(name, name) for name in ("RS256", "ES256", "EdDSA", "Ed25519")}
ALGORITHMS = pytest.mark.parametrize("algorithm", KEYS)
DAY = 24 * 3600


@dataclass
class Desk:
    """An issuer with a key of each kind, and a gateway that trusts it."""

    issuer: Provider
    tokens: Tokens

    def issue(self, algorithm: str = "ES256", **changed: Any) -> str:
        return signed(algorithm, KEYS[algorithm], self.issuer.claims(**changed))

    async def refusal(self, token: str) -> str:
        return await refusal(self.tokens, token)


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with provider() as issuer:
        issuer.publish(*KEYS.values())
        async with trusting(issuer) as tokens:
            yield Desk(issuer, tokens)


@ALGORITHMS
async def test_a_good_token_says_who_asks(desk: Desk, algorithm: str) -> None:
    token = desk.issue(algorithm, agency="Sở Tư pháp", purposes=["1.000894"])
    caller = await desk.tokens.caller(token)
    assert (caller.client, caller.agency, caller.subject) == ("desk", "Sở Tư pháp", "officer-1")
    assert caller.scopes == {"population:read"}
    assert caller.purposes == {"1.000894"}
    assert caller.token_id == "t1"
    assert caller.citizen is None
    assert await desk.tokens.caller(token) is caller, "it is known now"


async def test_the_scope_me_makes_the_subject_the_citizen(desk: Desk) -> None:
    assert (await desk.tokens.caller(desk.issue(sub=HOA, scope="me"))).citizen == HOA
    assert await desk.refusal(desk.issue(sub="officer-1", scope="me")) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["urn:other", AUDIENCE]},
        {"client_id": None, "azp": "desk"},
        {"scope": None, "scp": ["population:read"]},
        {"scope": None, "scp": "population:read"},
        {"purposes": "1.000894 1.001193"},
        {"typ": "Bearer"},
        {"auth_time": 1},
    ],
    ids=str,
)
async def test_what_issuers_write_differently_is_read_too(
    desk: Desk, changed: dict[str, Any]
) -> None:
    caller = await desk.tokens.caller(desk.issue(**changed))
    assert caller.client == "desk"
    assert caller.scopes == {"population:read"}


@ALGORITHMS
@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://id.example"},
        {"aud": "urn:other"},
        {"aud": ["urn:other"]},
        {"aud": []},
        {"aud": {AUDIENCE: 1}},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"client_id": None},
        {"client_id": ["desk"]},
        {"jti": None},
        {"iat": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": float("nan")},
        {"scope": 7},
        {"scope": [7]},
        {"scope": {"population:read": True}},
        {"scope": "\ud800"},
        {"purposes": [None]},
        {"agency": 7},
        {"nonce": "n"},
        {"at_hash": "h"},
        {"typ": "ID"},
        {"token_use": "id"},
    ],
    ids=lambda changed: ",".join(f"{name}={value!r:.20}" for name, value in changed.items()),
)
async def test_claims_that_are_not_as_they_should_be_are_refused(
    desk: Desk, algorithm: str, changed: dict[str, object]
) -> None:
    assert await desk.refusal(desk.issue(algorithm, **changed)) == "TOKEN_INVALID"


@ALGORITHMS
async def test_a_token_lives_a_day_at_most_and_expires(desk: Desk, algorithm: str) -> None:
    now = int(desk.issuer.clock.now().timestamp())
    assert await desk.refusal(desk.issue(algorithm, exp=now + DAY + 1)) == "TOKEN_INVALID"
    token = desk.issue(algorithm, exp=now + DAY)
    await desk.tokens.caller(token)
    desk.issuer.clock.advance(DAY + 4)
    await desk.tokens.caller(token)
    desk.issuer.clock.advance(1)
    assert await desk.refusal(token) == "TOKEN_EXPIRED"
    assert await desk.refusal(token) == "TOKEN_EXPIRED", "also when it is seen anew"


@ALGORITHMS
@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_of_the_future_waits_for_its_time(
    desk: Desk, algorithm: str, claim: str
) -> None:
    now = int(desk.issuer.clock.now().timestamp())
    await desk.tokens.caller(desk.issue(algorithm, **{claim: now + 5}))
    early = desk.issue(algorithm, **{claim: now + 6})
    assert await desk.refusal(early) == "TOKEN_INVALID"
    desk.issuer.clock.advance(1)
    await desk.tokens.caller(early)


@ALGORITHMS
@pytest.mark.parametrize(
    "header",
    [
        {"typ": "id+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"crit": ["exp"], "exp": 1},
        {"kid": "unknown"},
    ],
    ids=str,
)
async def test_headers_of_other_tokens_are_refused(
    desk: Desk, algorithm: str, header: dict[str, Any]
) -> None:
    token = signed(algorithm, KEYS[algorithm], desk.issuer.claims(), **header)
    assert await desk.refusal(token) == "TOKEN_INVALID"


@ALGORITHMS
async def test_the_type_may_be_jwt_or_left_out(desk: Desk, algorithm: str) -> None:
    for number, kind in enumerate(("JWT", "jwt", "AT+JWT", "application/at+jwt", None)):
        claims = desk.issuer.claims(jti=f"t{number}")
        token = signed(algorithm, KEYS[algorithm], claims, typ=kind)
        assert (await desk.tokens.caller(token)).client == "desk"


async def test_an_unsigned_token_is_refused(desk: Desk) -> None:
    payload = b64(json.dumps(desk.issuer.claims()).encode())
    for name in ("none", "None", "NONE", "", None, ["ES256"]):
        head = b64(json.dumps({"alg": name, "kid": "ES256"}).encode())
        assert await desk.refusal(f"{head}.{payload}.") == "TOKEN_INVALID"


async def _published(key: Mapping[str, Any], token_key: Any, algorithm: str) -> str | None:
    """Return how a token under ``token_key`` is refused where ``key`` is published."""
    async with provider() as issuer:
        issuer.keys = [key]
        async with trusting(issuer) as tokens:
            return await refusal(tokens, signed(algorithm, token_key, issuer.claims()))


async def test_a_symmetric_key_is_none_even_if_it_is_published() -> None:
    secret = OctKey.generate_key(256, parameters={"kid": "s"})
    published = {**secret.as_dict(private=True), "use": "sig", "alg": "HS256"}
    assert await _published(published, secret, "HS256") == "TOKEN_INVALID"


async def test_a_public_key_is_no_shared_secret(desk: Desk) -> None:
    key = KEYS["RS256"]
    head = b64(b'{"alg":"HS256","typ":"at+jwt","kid":"RS256"}')
    text = f"{head}.{b64(json.dumps(desk.issuer.claims()).encode())}"
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        signature = b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())
        assert await desk.refusal(f"{text}.{signature}") == "TOKEN_INVALID"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize(
    "changes_of_key",
    [{"use": "enc"}, {"alg": "PS256"}, {"alg": "RSA-OAEP"}, {"key_ops": ["sign"]}, {"use": 7}],
    ids=str,
)
async def test_a_key_published_for_something_else_checks_no_token(
    algorithm: str, changes_of_key: dict[str, object]
) -> None:
    key = KEYS[algorithm]
    assert await _published({**_public(key), **changes_of_key}, key, algorithm) == "TOKEN_INVALID"


def _short_key() -> RSAKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RSAKey.generate_key(1024, parameters={"kid": "k"})


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (_short_key(), "RS256"),
        (ECKey.generate_key("P-384", parameters={"kid": "k"}), "ES384"),
        (RSAKey.generate_key(2048, parameters={"kid": "k"}), "PS256"),
        (RSAKey.generate_key(2048, parameters={"kid": "k"}), "RS512"),
    ],
    ids=["RSA-1024", "ES384", "PS256", "RS512"],
)
async def test_other_algorithms_and_short_keys_are_refused(key: Key, algorithm: str) -> None:
    assert await _published(_public(key), key, algorithm) == "TOKEN_INVALID"


def _public(key: Key) -> dict[str, Any]:
    return dict(key.as_dict(private=False))


async def test_a_bad_key_beside_a_good_one_is_passed_over() -> None:
    bad: list[Any] = [
        {"kty": "RSA"},
        {"kty": 7},
        {},
        7,
        {"kty": "EC", "crv": "P-256", "x": "!", "y": "!"},
    ]
    async with provider() as issuer:
        issuer.keys = [*bad, _public(KEYS["ES256"])]
        async with trusting(issuer) as tokens:
            token = signed("ES256", KEYS["ES256"], issuer.claims())
            assert (await tokens.caller(token)).client == "desk"


async def test_a_token_that_names_no_key_is_tried_with_those_that_fit(desk: Desk) -> None:
    token = signed("ES256", KEYS["ES256"], desk.issuer.claims(), kid=None)
    assert (await desk.tokens.caller(token)).client == "desk"
    stranger = signed("ES256", new_key("ES256", None), desk.issuer.claims())
    assert await desk.refusal(stranger) == "TOKEN_INVALID"


@ALGORITHMS
async def test_a_token_cut_off_or_changed_is_refused(desk: Desk, algorithm: str) -> None:
    head, payload, signature = desk.issue(algorithm).split(".")
    richer = b64(json.dumps(desk.issuer.claims(scope="operate")).encode())
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for token in (
        f"{head}.{richer}.{signature}",
        f"{head}.{payload}.{flipped}",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{head}.{payload}.{signature}.{signature}",
        f"{payload}.{payload}.{signature}",
    ):
        assert await desk.refusal(token) == "TOKEN_INVALID"


async def test_a_huge_token_is_refused_without_being_read(desk: Desk) -> None:
    assert await desk.refusal(desk.issue(agency="x" * 8_000)) == "TOKEN_INVALID"
