"""What is kept of the headers of callers: nobody is served a moment longer for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from gateway.access import authenticate
from gateway.access.authenticate import CallerHeaders, CallerIdentity, Callers
from gateway.access.caller import ANONYMOUS
from gateway.access.revocations import Revocations, revoke
from gateway.access.tokens import Tokens, issue
from gateway.errors import GatewayError
from gateway.runtime.append_only_file import READ_EVERY
from gateway.settings import Access
from tests.support.issuers import new_key, provider, signed, trusting
from tests.support.running import CASE_NUMBER, TestClock

PURPOSE = "1.000894"


def _key(kid: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", parameters={"kid": kid})


@dataclass
class Desk:
    """Callers of a gateway, the keys of its tokens, and the file of revocations."""

    folder: Path
    key: OKPKey = field(default_factory=lambda: _key("k1"))
    clock: TestClock = field(default_factory=TestClock)

    def __post_init__(self) -> None:
        revoked = Revocations(self.revocations, self.clock)
        self.tokens = Tokens([self.key], Access(), self.clock, revoked=revoked)
        self.callers = Callers(self.tokens, most=3)

    @property
    def revocations(self) -> Path:
        return self.folder / "revocations.jsonl"

    def token(self, client: str = "desk") -> str:
        return issue(
            self.key,
            Access(),
            self.clock.now(),
            subject="officer-1",
            client=client,
            scopes=("population:read",),
            purposes=(PURPOSE,),
            life=timedelta(hours=1),
        )

    async def ask(
        self, token: str, purpose: str = PURPOSE, case_number: str = CASE_NUMBER
    ) -> CallerIdentity:
        # Each request brings its headers as new objects.
        values = (f"Bearer {token}", purpose, case_number)
        return await self.callers.authenticate(CallerHeaders(*((one.encode(),) for one in values)))

    async def refusal(self, token: str) -> str:
        with pytest.raises(GatewayError) as refused:
            await self.ask(token)
        return refused.value.code.name


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_headers_are_read_as_often_as_they_were_sent() -> None:
    raw = [(b"x-purpose", b"a"), (b"accept", b"*/*"), (b"x-purpose", b"b"), (b"authorization", b"")]
    assert CallerHeaders.read(raw) == CallerHeaders((b"",), (b"a", b"b"), ())


async def test_the_same_headers_are_decided_once(desk: Desk) -> None:
    token = desk.token()
    first = await desk.ask(token)
    assert await desk.ask(token) is first
    assert first.caller.purpose is None
    assert first.require_stated().purpose == PURPOSE
    assert first.require_stated().case_number == CASE_NUMBER


async def test_another_case_or_purpose_is_another_caller(desk: Desk) -> None:
    token = desk.token()
    first = await desk.ask(token)
    other = await desk.ask(token, case_number="2/2026")
    assert other.token is first.token, "it was not verified again"
    assert other.require_stated().case_number == "2/2026"
    unstated = await desk.callers.authenticate(CallerHeaders((f"Bearer {token}".encode(),)))
    assert unstated.require_stated().purpose is None
    assert (await desk.ask(token)).require_stated().case_number == CASE_NUMBER


async def test_a_refused_purpose_is_refused_each_time_and_not_kept(desk: Desk) -> None:
    token = desk.token()
    refused = [await desk.ask(token, purpose="1.004873") for _ in range(2)]
    assert refused[0] is not refused[1]
    for identity in refused:
        assert identity.caller.client == "desk", "the rate of the client counts it"
        with pytest.raises(GatewayError, match="purpose") as error:
            identity.require_stated()
        assert error.value.code.name == "PURPOSE_NOT_GRANTED"


async def test_headers_sent_twice_are_refused_though_the_first_is_known(desk: Desk) -> None:
    token = desk.token()
    await desk.ask(token)
    bearer = f"Bearer {token}".encode()
    with pytest.raises(GatewayError) as refused:
        await desk.callers.authenticate(CallerHeaders((bearer, bearer)))
    assert refused.value.code.name == "TOKEN_INVALID"
    twice = CallerHeaders((bearer,), (PURPOSE.encode(),) * 2)
    with pytest.raises(GatewayError, match="more than once"):
        (await desk.callers.authenticate(twice)).require_stated()


async def test_without_a_token_the_caller_is_anonymous(desk: Desk) -> None:
    for _ in range(2):
        identity = await desk.callers.authenticate(CallerHeaders())
        assert identity.caller is ANONYMOUS
        assert identity.require_stated() == ANONYMOUS


async def test_strangers_evict_nobody(desk: Desk) -> None:
    token = desk.token()
    known = await desk.ask(token)
    for number in range(10):
        case_number = (f"{number}/2026".encode(),)
        stranger = await desk.callers.authenticate(CallerHeaders((), (), case_number))
        assert stranger.caller is ANONYMOUS
        assert stranger.require_stated().case_number == f"{number}/2026"
    assert await desk.ask(token) is known


async def test_known_headers_end_with_their_token(desk: Desk) -> None:
    token = desk.token()
    await desk.ask(token)
    desk.clock.advance(3600 + Access().leeway - 1)
    await desk.ask(token)
    desk.clock.advance(1)
    assert await desk.refusal(token) == "TOKEN_EXPIRED"
    assert await desk.refusal(token) == "TOKEN_EXPIRED"


async def test_known_headers_end_with_a_revocation(desk: Desk) -> None:
    token, other = desk.token(), desk.token()
    identity = await desk.ask(token)
    await desk.ask(token, case_number="2/2026")
    await desk.ask(other)
    assert identity.caller.token_id is not None
    revoke(desk.revocations, identity.caller.token_id, desk.clock)
    desk.clock.advance(READ_EVERY)
    assert await desk.refusal(token) == "TOKEN_INVALID"
    with pytest.raises(GatewayError):
        await desk.ask(token, case_number="2/2026")
    assert (await desk.ask(other)).caller.client == "desk"


async def test_known_headers_end_with_the_key_that_signed_their_token(desk: Desk) -> None:
    token = desk.token()
    await desk.ask(token)
    desk.tokens.use([_key("k2"), desk.key])
    await desk.ask(token)
    desk.tokens.use([_key("k2")])
    assert await desk.refusal(token) == "TOKEN_INVALID"
    desk.tokens.use([desk.key])
    assert (await desk.ask(token)).caller.client == "desk"


async def test_known_headers_end_with_the_key_of_their_issuer() -> None:
    old, new = new_key("ES256", "old"), new_key("ES256", "new")
    async with provider() as issuer:
        issuer.publish(old)
        async with trusting(issuer) as tokens:
            now = int(issuer.clock.now().timestamp())
            claims = {"iss": issuer.url, "aud": "urn:gateway", "sub": "officer-1",
                      "client_id": "desk", "iat": now, "exp": now + 3600, "jti": "t1",
                      "scope": "population:read"}  # fmt: skip
            callers = Callers(tokens)
            bearer = f"Bearer {signed('ES256', old, claims)}".encode()
            first = await callers.authenticate(CallerHeaders((bearer,)))
            assert await callers.authenticate(CallerHeaders((bearer,))) is first
            issuer.publish(new)
            issuer.clock.advance(30)
            fresh = f"Bearer {signed('ES256', new, {**claims, 'jti': 't2'})}".encode()
            await callers.authenticate(CallerHeaders((fresh,)))  # has the keys fetched
            with pytest.raises(GatewayError) as refused:
                await callers.authenticate(CallerHeaders((bearer,)))
            assert refused.value.code.name == "TOKEN_INVALID"


async def test_what_is_kept_is_bounded_and_tokens_are_kept_once(desk: Desk) -> None:
    token = desk.token()
    for number in range(10):
        await desk.ask(token, case_number=f"{number}/2026")
    kept = desk.callers._identities
    assert [headers.case_number for headers in kept] == [(b"7/2026",), (b"8/2026",), (b"9/2026",)]
    assert len({id(headers.authorization[0]) for headers in kept}) == 1
    for number in range(10):
        await desk.ask(desk.token(f"desk-{number}"))
    assert len(desk.callers._tokens_by_header) == 3
    assert authenticate._KEPT > 3
