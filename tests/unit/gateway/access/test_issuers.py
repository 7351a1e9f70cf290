"""Trusted issuers: discovery, caching and renewal of their keys.

Covers ``gateway.access.documents``, ``gateway.access.keyset``.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.access.tokens import Tokens, issue
from gateway.settings import Access, TrustedIssuer
from tests.support.issuers import (
    AUDIENCE,
    DESCRIPTION,
    OWN_KEY,
    Provider,
    new_key,
    provider,
    refusal,
    signed,
    trusting,
)
from tests.support.running import running

OLD, NEW, STRANGE = (new_key("ES256", kid) for kid in ("old", "new", "strange"))


def _token(issuer: Provider, key: object = OLD, **claims: object) -> str:
    return signed("ES256", key, issuer.claims(**claims))


async def test_keys_are_found_by_discovery_and_fetched_once_for_many_tokens() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            waiting = [tokens.caller(_token(issuer, jti=f"t{number}")) for number in range(20)]
            callers = await asyncio.gather(*waiting)
        assert {caller.client for caller in callers} == {"desk"}
        assert issuer.hits == {DESCRIPTION: 1, "/jwks": 1}


async def test_where_the_settings_name_the_keys_nothing_is_discovered() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer, jwks_url=lambda provider: f"{provider.url}/jwks") as tokens:
            await tokens.caller(_token(issuer))
        assert issuer.hits == {"/jwks": 1}


async def test_several_issuers_and_the_own_key_are_trusted_at_once() -> None:
    async with provider() as first, provider() as second:
        second.clock = first.clock
        first.publish(OLD)
        second.publish(NEW)
        async with trusting(first, second) as tokens:
            assert (await tokens.caller(_token(first, OLD))).client == "desk"
            assert (await tokens.caller(_token(second, NEW))).client == "desk"
            assert (await tokens.caller(_gateway_token(first))).client == "own"
            crossed = signed("ES256", NEW, first.claims(), kid="old")
            assert await refusal(tokens, crossed) == "TOKEN_INVALID", "a key is its issuer's"


def _gateway_token(issuer: Provider) -> str:
    return issue(
        OWN_KEY, Access(), issuer.clock.now(), subject="a", client="own", scopes=("operate",)
    )


async def test_an_issuer_that_is_down_is_not_said_to_have_issued_a_bad_token() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        issuer.fail()
        async with trusting(issuer) as tokens:
            assert await refusal(tokens, _token(issuer)) == "ISSUER_UNAVAILABLE"
            assert await refusal(tokens, _token(issuer)) == "ISSUER_UNAVAILABLE"
            assert issuer.hits["/jwks"] == 1, "in the cool-down it is not asked again"
            assert (await tokens.caller(_gateway_token(issuer))).client == "own"
            issuer.answers.clear()
            issuer.clock.advance(30)
            assert (await tokens.caller(_token(issuer))).client == "desk"


@pytest.mark.parametrize(
    "answers",
    [
        {DESCRIPTION: (500, "{}")},
        {DESCRIPTION: (204, "")},
        {DESCRIPTION: (200, "<html>")},
        {DESCRIPTION: (200, "[]")},
        {DESCRIPTION: (200, "[" * 100_000)},
        {DESCRIPTION: (200, '{"issuer": "https://id.example"}')},
        {DESCRIPTION: (200, '{"issuer": "HERE", "jwks_uri": "http://id.example/jwks"}')},
        {DESCRIPTION: (200, '{"issuer": "HERE", "jwks_uri": "file:///etc/passwd"}')},
        {DESCRIPTION: (200, '{"issuer": "HERE", "jwks_uri": 7}')},
        {DESCRIPTION: (200, '{"issuer": "HERE/", "jwks_uri": "HERE/jwks"}')},
        {DESCRIPTION: (302, "{}")},
        {"/jwks": (404, "{}")},
        {"/jwks": (200, '{"keys": 7}')},
        {"/jwks": (200, '{"keys": []}' + " " * 300_000)},
    ],
    ids=lambda answers: str(answers)[:70],
)
async def test_documents_that_are_not_as_they_should_be_are_no_keys(
    answers: dict[str, tuple[int, str]],
) -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        issuer.headers = f"location: {issuer.url}/elsewhere\r\n"
        issuer.answers = {
            path: (status, body.replace("HERE", issuer.url))
            for path, (status, body) in answers.items()
        }
        async with trusting(issuer) as tokens:
            assert await refusal(tokens, _token(issuer)) == "ISSUER_UNAVAILABLE"
        assert issuer.hits["/elsewhere"] == 0, "no redirect is followed"


async def test_keys_at_an_unsafe_address_are_not_even_asked_for() -> None:
    async with provider() as issuer:
        description = {"issuer": issuer.url, "jwks_uri": "http://id.example/jwks"}
        issuer.answers = {DESCRIPTION: (200, json.dumps(description))}
        with capture_logs() as logs:
            async with trusting(issuer) as tokens:
                assert await refusal(tokens, _token(issuer)) == "ISSUER_UNAVAILABLE"
        assert "jwks_uri is no https URL" in logs[0]["reason"]


async def test_a_slow_issuer_is_waited_for_only_so_long_and_by_its_own_tokens_only() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        issuer.free.clear()
        async with trusting(issuer, timeout=0.2) as tokens:
            waiting = asyncio.create_task(refusal(tokens, _token(issuer)))
            await issuer.wait_for_requests(DESCRIPTION, 1)
            assert (await tokens.caller(_gateway_token(issuer))).client == "own"
            assert not waiting.done()
            assert await waiting == "ISSUER_UNAVAILABLE"


async def test_one_who_stops_waiting_ends_it_for_nobody_else() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        issuer.free.clear()
        async with trusting(issuer) as tokens:
            leaves = asyncio.create_task(tokens.caller(_token(issuer)))
            stays = asyncio.create_task(tokens.caller(_token(issuer)))
            await issuer.wait_for_requests(DESCRIPTION, 1)
            leaves.cancel()
            issuer.free.set()
            assert (await stays).client == "desk"
            assert leaves.cancelled()


async def test_a_new_key_is_accepted_after_one_fetch_and_the_old_one_while_it_overlaps() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            await tokens.caller(_token(issuer, OLD))
            issuer.publish(OLD, NEW)
            issuer.clock.advance(30)
            for key in (NEW, OLD, NEW):
                assert (await tokens.caller(_token(issuer, key))).client == "desk"
            assert issuer.hits["/jwks"] == 2


async def test_a_known_token_is_refused_once_its_key_is_gone() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            token = _token(issuer, OLD)
            await tokens.caller(token)
            issuer.publish(NEW)
            issuer.clock.advance(30)
            await tokens.caller(_token(issuer, NEW))
            assert await refusal(tokens, token) == "TOKEN_INVALID"


async def test_unknown_keys_are_asked_for_once_in_a_cool_down() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            await tokens.caller(_token(issuer))
            issuer.clock.advance(30)
            strange = [_token(issuer, STRANGE, jti=f"s{number}") for number in range(20)]
            codes = await asyncio.gather(*(refusal(tokens, token) for token in strange))
            assert {*codes} == {"TOKEN_INVALID"}
            assert issuer.hits["/jwks"] == 2, "those who came meanwhile waited for the same"
            issuer.clock.advance(29)
            assert await refusal(tokens, strange[0]) == "TOKEN_INVALID"
            assert issuer.hits["/jwks"] == 2
            issuer.clock.advance(1)
            assert await refusal(tokens, strange[0]) == "TOKEN_INVALID"
            assert issuer.hits["/jwks"] == 3


async def test_an_unknown_key_of_an_issuer_that_is_down_could_not_be_checked() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            await tokens.caller(_token(issuer))
            issuer.fail()
            issuer.clock.advance(30)
            assert await refusal(tokens, _token(issuer, NEW)) == "ISSUER_UNAVAILABLE"
            assert (await tokens.caller(_token(issuer, OLD, jti="t2"))).client == "desk"


async def test_keys_are_renewed_in_the_background_without_any_token() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer, refresh=0.01) as tokens:
            await tokens.caller(_token(issuer))
            issuer.publish(NEW)
            await issuer.wait_for_requests("/jwks", issuer.hits["/jwks"] + 2)
            assert await refusal(tokens, _token(issuer)) == "TOKEN_INVALID"
            assert (await tokens.caller(_token(issuer, NEW))).client == "desk"


async def test_if_a_refresh_fails_the_old_keys_go_on_and_the_log_says_so() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        with capture_logs() as logs:
            async with trusting(issuer, refresh=0.01) as tokens:
                await tokens.caller(_token(issuer))
                issuer.fail()
                await issuer.wait_for_requests("/jwks", issuer.hits["/jwks"] + 3)
                assert (await tokens.caller(_token(issuer, jti="t2"))).client == "desk"
        warnings = [event for event in logs if event["event"] == "issuer unavailable"]
        assert warnings
        assert warnings[0]["log_level"] == "warning"
        assert warnings[0]["issuer"] == "issuer-0"
        assert "500" in warnings[0]["reason"]


async def _refreshed(issuer: Provider, tokens: Tokens) -> None:
    """Have the keys fetched once more: a token under an unknown key does that."""
    before = issuer.hits["/jwks"]
    issuer.clock.advance(30)
    await refusal(tokens, _token(issuer, STRANGE))
    assert issuer.hits["/jwks"] == before + 1


async def test_the_keys_of_an_issuer_that_publishes_none_go_on_for_a_while() -> None:
    """More often it is starting, or broken, than that it withdrew every key at once."""
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer, keep_keys=900.0) as tokens:
            token = _token(issuer)
            await tokens.caller(token)
            issuer.publish()
            with capture_logs() as logs:
                await _refreshed(issuer, tokens)
            assert "publishes no key" in logs[0]["reason"]
            assert logs[0]["log_level"] == "warning"
            issuer.clock.advance(840)
            await _refreshed(issuer, tokens)
            assert (await tokens.caller(token)).client == "desk"
            assert (await tokens.caller(_token(issuer, jti="t2"))).client == "desk"
            assert await refusal(tokens, _token(issuer, NEW)) == "ISSUER_UNAVAILABLE"


async def test_the_keys_of_an_issuer_that_goes_on_to_publish_none_end() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer, keep_keys=900.0) as tokens:
            token = _token(issuer)
            await tokens.caller(token)
            issuer.publish()
            await _refreshed(issuer, tokens)
            issuer.clock.advance(870)
            with capture_logs() as logs:
                await _refreshed(issuer, tokens)
            assert "keys dropped" in [event["event"].removeprefix("issuer ") for event in logs]
            assert await refusal(tokens, token) == "ISSUER_UNAVAILABLE"
            issuer.publish(OLD)
            issuer.clock.advance(30)
            assert (await tokens.caller(token)).client == "desk", "and come back with the keys"


async def test_a_while_without_keys_begins_anew_after_keys_were_published() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer, keep_keys=900.0) as tokens:
            token = _token(issuer)
            await tokens.caller(token)
            for _ in range(3):
                issuer.publish()
                await _refreshed(issuer, tokens)
                issuer.clock.advance(500)
                issuer.publish(OLD)
                await _refreshed(issuer, tokens)
            assert (await tokens.caller(token)).client == "desk"


async def test_the_keys_go_on_for_a_while_as_well_where_all_others_are_of_other_kinds() -> None:
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            await tokens.caller(_token(issuer))
            secret = '{"kty": "oct", "k": "c2VjcmV0", "kid": "old"}'
            issuer.answers = {"/jwks": (200, '{"keys": [' + secret + "]}")}
            with capture_logs() as logs:
                await _refreshed(issuer, tokens)
            assert "no key that can be used" in logs[0]["reason"]
            assert (await tokens.caller(_token(issuer, jti="t2"))).client == "desk"


async def test_a_token_of_an_issuer_that_never_published_a_key_could_not_be_checked() -> None:
    async with provider() as issuer, trusting(issuer) as tokens:
        assert await refusal(tokens, _token(issuer)) == "ISSUER_UNAVAILABLE"


async def test_a_key_changed_under_its_id_is_accepted_after_one_fetch() -> None:
    """The id is known, and the key that it names did not sign: it may be another one by now."""
    new_key_of_id = new_key("ES256", "old")
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            token = _token(issuer, OLD)
            await tokens.caller(token)
            issuer.publish(new_key_of_id)
            issuer.clock.advance(30)
            with capture_logs() as logs:
                assert (
                    await tokens.caller(_token(issuer, new_key_of_id, jti="t2"))
                ).client == "desk"
            assert [event["event"] for event in logs] == ["issuer changed a key under its id"]
            assert logs[0]["kid"] == "old"
            assert await refusal(tokens, token) == "TOKEN_INVALID", "the old key is gone"


async def test_forged_signatures_cause_one_fetch_in_a_cool_down() -> None:
    forger = new_key("ES256", "old")
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            await tokens.caller(_token(issuer))
            issuer.clock.advance(30)
            forged = [_token(issuer, forger, jti=f"f{number}") for number in range(20)]
            codes = await asyncio.gather(*(refusal(tokens, token) for token in forged))
            assert {*codes} == {"TOKEN_INVALID"}
            assert issuer.hits["/jwks"] == 2
            assert (await tokens.caller(_token(issuer, jti="t2"))).client == "desk"


async def test_a_forged_signature_is_called_invalid_though_the_issuer_is_down() -> None:
    """Its key is known: that the issuer does not answer must not make a client keep it."""
    forger = new_key("ES256", "old")
    async with provider() as issuer:
        issuer.publish(OLD)
        async with trusting(issuer) as tokens:
            await tokens.caller(_token(issuer))
            issuer.fail()
            issuer.clock.advance(30)
            assert await refusal(tokens, _token(issuer, forger, jti="f")) == "TOKEN_INVALID"


def _unnamed(count: int) -> list[Any]:
    return [new_key("ES256", f"k{number}") for number in range(count)]


async def test_a_token_that_names_no_key_is_tried_with_up_to_four() -> None:
    keys = _unnamed(4)
    async with provider() as issuer:
        issuer.publish(*keys, new_key("EdDSA", "another kind"))
        async with trusting(issuer) as tokens:
            for number, key in enumerate(keys):
                token = signed("ES256", key, issuer.claims(jti=f"t{number}"), kid=None)
                assert (await tokens.caller(token)).client == "desk"


async def test_where_there_are_more_than_four_keys_a_token_has_to_name_its_own() -> None:
    """Whichever signed it: else the order in which keys are published would decide."""
    keys = _unnamed(5)
    async with provider() as issuer:
        issuer.publish(*keys)
        async with trusting(issuer) as tokens:
            for number, key in enumerate(keys):
                claims = issuer.claims(jti=f"t{number}")
                unnamed = signed("ES256", key, claims, kid=None)
                assert await refusal(tokens, unnamed) == "TOKEN_INVALID"
                assert (await tokens.caller(signed("ES256", key, claims))).client == "desk"


async def test_a_key_that_is_published_twice_is_one_key() -> None:
    keys = _unnamed(4)
    async with provider() as issuer:
        issuer.publish(*keys, *keys)
        async with trusting(issuer) as tokens:
            token = signed("ES256", keys[3], issuer.claims(), kid=None)
            assert (await tokens.caller(token)).client == "desk"


async def test_a_gateway_starts_without_its_issuer_and_asks_to_come_again(tmp_path: Path) -> None:
    async with provider() as issuer:
        issuer.fail()
        trusted = {"desk": TrustedIssuer(issuer=issuer.url, audience=AUDIENCE)}
        async with running(tmp_path, access=Access(issuers=trusted)) as gateway:
            answer = await gateway.post("{ databases { name } }", token=_token(issuer))
            anonymous = await gateway.post("{ databases { name } }")
            page = await gateway.client.get(
                "/schema.graphql", headers={"authorization": f"Bearer {_token(issuer)}"}
            )
        assert answer.status_code == page.status_code == 503
        assert answer.headers["retry-after"]
        assert "www-authenticate" not in answer.headers
        assert "data" not in answer.json()
        assert json.loads(page.text)["errors"][0]["extensions"]["code"] == "ISSUER_UNAVAILABLE"
        assert anonymous.status_code == 200
