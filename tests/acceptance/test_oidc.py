"""A gateway that trusts a real OpenID Connect issuer: the npm package oidc-provider."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from gateway.access.revocations import revoke
from gateway.runtime.append_only_file import READ_EVERY
from gateway.settings import Access, TrustedIssuer
from tests.support.oidc_provider import AUDIENCE, oidc_provider, private_keys
from tests.support.people import HOA
from tests.support.process import free_port
from tests.support.running import Running, codes, running

QUERY = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } source { state } } }
  civilStatus { births { source { state } } } } }"""
ALGORITHMS = pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])


def obtained(issuer: str, scope: str = "population:read") -> str:
    """Return an access token, obtained as a client system does: by its own credentials."""
    answer = httpx2.post(
        f"{issuer}/token",
        auth=("desk", "desk-secret"),
        data={
            "grant_type": "client_credentials",
            "scope": scope,
            "resource": "urn:justice-gateway",
        },
        timeout=20,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def trusting(issuer: str) -> Access:
    trusted = TrustedIssuer(issuer=issuer, audience=AUDIENCE)
    return Access(issuers={"real": trusted}, timeout=20)


def set_to_now(gateway: Running) -> None:
    """The real issuer goes by the real time."""
    gateway.clock.moment = datetime.now(UTC)


def after_the_cool_down(gateway: Running) -> None:
    """Let the issuer be asked again; it was away, or had another key."""
    gateway.clock.advance(gateway.service.resources.settings.access.cool_down)
    set_to_now(gateway)


async def status_of(gateway: Running, token: str) -> int:
    return (await gateway.post("{ databases { name } }", token=token, x_purpose="")).status_code


@ALGORITHMS
async def test_a_token_from_the_issuer_reads_what_its_scopes_permit_and_no_more(
    tmp_path: Path, algorithm: str
) -> None:
    with oidc_provider(algorithm, private_keys(algorithm, "first")) as issuer:
        async with running(tmp_path, access=trusting(issuer)) as gateway:
            token = obtained(issuer)
            set_to_now(gateway)
            answer = await gateway.post(QUERY, {"id": HOA}, token, x_purpose="1.000894")
            refused_answer = await gateway.post(QUERY, {"id": HOA}, token, x_purpose="2.000635")
            granted_answer = await gateway.post(
                QUERY,
                {"id": HOA},
                obtained(issuer, "population:read civil_status:read"),
                x_purpose="1.000894",
            )
            (entry, *_) = gateway.journal()
    person = answer.json()["data"]["person"]
    assert person["population"]["identity"]["source"]["state"] == "ANSWERED"
    assert person["population"]["identity"]["item"]["fullName"]
    assert person["civilStatus"]["births"]["source"]["state"] == "DENIED"
    births = granted_answer.json()["data"]["person"]["civilStatus"]["births"]
    assert births["source"]["state"] == "ANSWERED"
    assert codes(refused_answer.json()) == ["PURPOSE_NOT_GRANTED"]
    assert (entry["client"], entry["agency"]) == ("desk", "UBND phường (thử)")


@ALGORITHMS
async def test_after_the_issuer_rotates_its_keys_new_tokens_pass_and_old_ones_do_not(
    tmp_path: Path, algorithm: str
) -> None:
    port = str(free_port())
    first, second = (private_keys(algorithm, name) for name in ("first", "second"))
    async with running(tmp_path, access=trusting(f"http://127.0.0.1:{port}")) as gateway:
        with oidc_provider(algorithm, first, port) as issuer:
            old = obtained(issuer)
            after_the_cool_down(gateway)
            assert await status_of(gateway, old) == 200
        after_the_cool_down(gateway)
        assert await status_of(gateway, old) == 200, "its keys are kept while it is away"
        with oidc_provider(algorithm, second, port) as issuer:
            new = obtained(issuer)
            assert await status_of(gateway, new) == 200, "one fetch, for the unknown key"
            assert await status_of(gateway, old) == 401, "its key is gone"
            assert await status_of(gateway, new) == 200


@ALGORITHMS
async def test_a_token_of_the_issuer_can_be_revoked_here(tmp_path: Path, algorithm: str) -> None:
    with oidc_provider(algorithm, private_keys(algorithm, "first")) as issuer:
        async with running(tmp_path, access=trusting(issuer)) as gateway:
            bad, good = obtained(issuer), obtained(issuer)
            set_to_now(gateway)
            caller = await gateway.service.tokens.caller(bad)
            assert caller.token_id is not None
            revoke(tmp_path / Access().revocations, caller.token_id, gateway.clock)
            gateway.clock.advance(READ_EVERY)
            assert await status_of(gateway, bad) == 401
            assert await status_of(gateway, good) == 200
