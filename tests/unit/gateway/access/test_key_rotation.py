"""Rotation of the key that signs tokens: overlap, end of validity and key ids.

Covers ``gateway.keys.files``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from gateway.access.tokens import Tokens, issue
from gateway.errors import GatewayError
from gateway.keys.files import create_missing, drop_former, rotate
from gateway.keys.keyring import load_signing
from gateway.settings import Settings, load
from tests.support.issuers import signed
from tests.support.running import TestClock, running


class Site:
    """A folder with keys, and gateways started over it."""

    def __init__(self, folder: Path) -> None:
        self.clock = TestClock()
        self.settings: Settings = load(folder=folder)
        create_missing(self.settings, demo=False)

    def start(self) -> Tokens:
        """Return the tokens of a gateway that starts now."""
        return Tokens.from_settings(self.settings, self.clock)

    @property
    def keys(self) -> tuple[OKPKey, ...]:
        return load_signing(self.settings, "token")

    def issue(self) -> str:
        """Return a token as the command line would print it."""
        return issue(
            self.keys[0],
            self.settings.access,
            self.clock.now(),
            subject="officer-1",
            client="desk",
            scopes=("population:read",),
        )

    def sign_with(self, key: OKPKey, kid: object) -> str:
        """Return a token signed with ``key`` whose header says ``kid``; None: it says none."""
        now = int(self.clock.now().timestamp())
        access = self.settings.access
        claims: dict[str, Any] = {
            "iss": access.issuer,
            "aud": access.audience,
            "sub": "officer-1",
            "client_id": "desk",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "jti": "t1",
            "scope": "population:read",
            "purposes": [],
        }
        return signed("Ed25519", key, claims, kid=kid, typ="JWT")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def _is_refused(tokens: Tokens, token: str) -> bool:
    with pytest.raises(GatewayError) as excinfo:
        tokens.verify(token)
    return excinfo.value.code.name == "TOKEN_INVALID"


def test_tokens_of_the_old_key_are_good_beside_those_of_the_new_one(site: Site) -> None:
    old = site.issue()
    rotate(site.settings, "token")
    new = site.issue()
    tokens = site.start()
    assert tokens.verify(old).client == tokens.verify(new).client == "desk"


def test_new_tokens_are_signed_with_the_new_key(site: Site) -> None:
    (before,) = site.keys
    rotate(site.settings, "token")
    token = site.issue()
    assert Tokens([site.keys[0]], site.settings.access, site.clock).verify(token)
    assert _is_refused(Tokens([before], site.settings.access, site.clock), token)


def test_a_gateway_that_has_not_started_anew_refuses_the_new_key(site: Site) -> None:
    """Which is why keys are rotated before tokens are issued with them, not at the same time."""
    tokens = site.start()
    rotate(site.settings, "token")
    assert _is_refused(tokens, site.issue())


def test_tokens_of_a_dropped_key_are_refused(site: Site) -> None:
    old = site.issue()
    rotate(site.settings, "token")
    drop_former(site.settings, "token")
    assert _is_refused(site.start(), old)


def test_a_known_token_is_refused_as_soon_as_its_key_is_retired(site: Site) -> None:
    old = site.issue()
    rotate(site.settings, "token")
    new = site.issue()
    tokens = site.start()
    tokens.verify(old), tokens.verify(new)
    tokens.use(site.keys[:1])
    assert _is_refused(tokens, old)
    assert tokens.verify(new).client == "desk"
    tokens.use(site.keys)
    assert tokens.verify(old).client == "desk"


def test_a_known_token_stays_good_while_its_key_becomes_a_former_one(site: Site) -> None:
    token = site.issue()
    tokens = site.start()
    tokens.verify(token)
    rotate(site.settings, "token")
    tokens.use(site.keys)
    assert tokens.verify(token).client == "desk"


def test_another_key_under_the_same_id_does_not_keep_a_known_token_good(site: Site) -> None:
    token = site.issue()
    tokens = site.start()
    tokens.verify(token)
    kid = str(site.keys[0].kid)
    tokens.use([OKPKey.generate_key("Ed25519", parameters={"kid": kid})])
    assert _is_refused(tokens, token)


def test_a_token_that_names_no_key_is_tried_with_the_first_only(site: Site) -> None:
    (old,) = site.keys
    rotate(site.settings, "token")
    tokens = site.start()
    assert tokens.verify(site.sign_with(site.keys[0], None)).client == "desk"
    assert _is_refused(tokens, site.sign_with(old, None))


def test_a_token_that_names_another_key_than_signed_it_is_refused(site: Site) -> None:
    (old,) = site.keys
    rotate(site.settings, "token")
    tokens = site.start()
    assert tokens.verify(site.sign_with(old, old.kid)).client == "desk"
    assert _is_refused(tokens, site.sign_with(old, site.keys[0].kid))
    assert _is_refused(tokens, site.sign_with(site.keys[0], old.kid))


@pytest.mark.parametrize(
    "kid", ["", "x", "../keys/token.jwk", "/etc/passwd", "\0", "a' OR 1=1", "é", "k" * 2_000]
)
def test_an_unknown_key_id_is_just_unknown(site: Site, kid: str) -> None:
    assert _is_refused(site.start(), site.sign_with(site.keys[0], kid))


@pytest.mark.parametrize("kid", [1, True, [], {}, ["x"], {"x": "y"}])
def test_a_key_id_that_is_no_text_is_refused(site: Site, kid: object) -> None:
    assert _is_refused(site.start(), site.sign_with(site.keys[0], kid))


def test_a_kid_that_is_a_path_may_be_the_name_of_a_key(site: Site) -> None:
    path = site.settings.path(site.settings.keys.token)
    jwk = {**json.loads(path.read_text()), "kid": "../token.jwk"}
    path.write_text(json.dumps(jwk))
    assert site.start().verify(site.issue()).client == "desk"


async def test_over_http_an_old_token_is_answered_until_its_key_is_dropped(tmp_path: Path) -> None:
    document = "{ databases { name } }"
    async with running(tmp_path) as gateway:
        token = gateway.token("population:read")
        assert (await gateway.post(document, token=token)).status_code == 200
        rotate(gateway.service.resources.settings, "token")
    async with running(tmp_path) as gateway:
        assert (await gateway.post(document, token=token)).status_code == 200
        drop_former(gateway.service.resources.settings, "token")
    async with running(tmp_path) as gateway:
        assert (await gateway.post(document, token=token)).status_code == 401
