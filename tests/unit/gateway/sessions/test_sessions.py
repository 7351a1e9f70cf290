"""Sessions end when they should, for every process, and are renewed at the issuer once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from gateway.access.revocations import revoke
from gateway.keys.keyring import load_ring
from gateway.runtime.append_only_file import READ_EVERY
from gateway.sessions.cookies import SESSION_COOKIE
from gateway.sessions.sessions import Sessions
from gateway.sessions.sqlite_store import SqliteSessions
from gateway.settings import Audit
from tests.support.pages import ParsedPage
from tests.support.running import Running
from tests.support.sign_ins import (
    Ministry,
    Visitor,
    another_gateway,
    gateway_with_sign_in,
)

Site = tuple[Visitor, Ministry]
IDLE, ABSOLUTE = 30 * 60, 8 * 3600


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with gateway_with_sign_in(tmp_path) as (gateway, ministry):
        yield Visitor(gateway), ministry


def in_(clock: Running, seconds: float) -> int:
    """Return the moment in so many seconds, as claims state it."""
    return int((clock.clock.now() + timedelta(seconds=seconds)).timestamp())


async def is_signed_in(visitor: Visitor) -> bool:
    answer = await visitor.get("/procedures")
    assert answer.status_code == 200
    return "Đăng xuất" in answer.text


async def test_a_session_that_is_not_used_ends(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    visitor.gateway.clock.advance(IDLE - 1)
    assert await is_signed_in(visitor)
    visitor.gateway.clock.advance(IDLE - 1)
    assert await is_signed_in(visitor)
    visitor.gateway.clock.advance(IDLE)
    assert not await is_signed_in(visitor)


async def test_a_session_ends_whose_tokens_are_renewed_while_nobody_acts(site: Site) -> None:
    """A subscription asks whose it is again and again."""
    visitor, ministry = site
    await sign_in_with_refresh(site)
    sessions = visitor.gateway.service.sessions
    assert sessions is not None
    cookies = {SESSION_COOKIE: (str(visitor.session),)}
    for elapsed in range(80, IDLE, 80):
        visitor.gateway.clock.advance(80)
        ministry.give(None, access={"jti": f"r{elapsed}", "exp": in_(visitor.gateway, 100)})
        assert (await sessions.look_up(cookies, is_use=False)).active is not None
    visitor.gateway.clock.advance(80)
    assert (await sessions.look_up(cookies, is_use=False)).active is None


async def test_a_session_that_is_used_all_the_time_ends_too(site: Site) -> None:
    visitor, ministry = site
    life = in_(visitor.gateway, 20 * 3600)
    await visitor.sign_in(ministry, exp=life)
    for _ in range(ABSOLUTE // 1200 - 1):
        visitor.gateway.clock.advance(1200)
        assert await is_signed_in(visitor)
    visitor.gateway.clock.advance(1199)
    assert await is_signed_in(visitor)
    visitor.gateway.clock.advance(1)
    assert not await is_signed_in(visitor)


async def test_without_a_refresh_token_a_session_ends_with_its_token(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry, exp=in_(visitor.gateway, 100))
    visitor.gateway.clock.advance(99)
    assert await is_signed_in(visitor)
    visitor.gateway.clock.advance(1)
    assert not await is_signed_in(visitor)


async def test_what_is_no_cookie_of_a_session_leads_nowhere(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    cookie = str(visitor.session)
    for tampered in ("", cookie[:-1], cookie + "A", cookie[::-1], "A" * 43, "A" * 5000, "%00"):
        other = Visitor(visitor.gateway, {SESSION_COOKIE: tampered})
        assert not await is_signed_in(other)
        assert "SESSION_EXPIRED" in (await other.get("/sign-in/done")).text
    twice = {SESSION_COOKIE: f"{cookie}; {SESSION_COOKIE}={cookie}"}
    assert not await is_signed_in(Visitor(visitor.gateway, twice))
    assert await is_signed_in(visitor)


async def test_signing_out_counts_in_every_process_at_once(tmp_path: Path) -> None:
    async with gateway_with_sign_in(tmp_path) as (first, ministry):
        other = Audit(folder=Path("another journal"))
        async with another_gateway(tmp_path, ministry.provider, audit=other) as second:
            here = Visitor(first)
            await here.sign_in(ministry)
            there = Visitor(second, dict(here.cookies))
            assert await is_signed_in(there)
            page = ParsedPage.of((await here.get("/procedures")).text)
            await here.post("/sign-out", {"csrf-token": page.fields["csrf-token"]})
            assert not await is_signed_in(there)


async def test_revoking_any_token_of_a_session_ends_it(site: Site, tmp_path: Path) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    visitor.gateway.clock.advance(80)
    ministry.give(None, access={"jti": "renewed"})
    assert await is_signed_in(visitor)
    revoke(tmp_path / "revoked/tokens.jsonl", "first", visitor.gateway.clock)
    visitor.gateway.clock.advance(READ_EVERY)
    assert not await is_signed_in(visitor)


async def sign_in_with_refresh(site: Site) -> None:
    """Sign in with an access token that lives for 100 seconds, and a refresh token."""
    visitor, ministry = site
    life = in_(visitor.gateway, 100)
    await visitor.sign_in(ministry, refresh_token="refresh-1", exp=life, jti="first")


def renewals(ministry: Ministry) -> int:
    return sum("grant_type=refresh_token" in body for _, body in ministry.provider.posted)


async def test_tokens_are_renewed_once_however_many_requests_need_it(site: Site) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    visitor.gateway.clock.advance(101)
    ministry.give(None)
    assert all(await asyncio.gather(*(is_signed_in(visitor) for _ in range(6))))
    assert renewals(ministry) == 1
    assert ministry.exchanged["refresh_token"] == "refresh-1"
    visitor.gateway.clock.advance(IDLE - 60)
    assert await is_signed_in(visitor)


class LateClaim(SqliteSessions):
    """A store in whose first claim another process renews the session first."""

    def __init__(self, path: Path, other: Sessions, cookies: Mapping[str, Sequence[str]]) -> None:
        super().__init__(path)
        self._other: Sessions | None = other
        self._cookies = cookies

    async def claim(self, session_id: str, now: float, until: float) -> bool:
        other, self._other = self._other, None
        if other is not None:
            assert (await other.look_up(self._cookies)).active is not None
        return await super().claim(session_id, now, until)


async def test_a_session_that_is_renewed_between_look_and_claim_is_not_renewed_again(
    site: Site,
) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    service = visitor.gateway.service
    settings, clock, sessions = service.resources.settings, visitor.gateway.clock, service.sessions
    assert sessions is not None
    clock.advance(80)
    ministry.give(None, access={"jti": "renewed", "exp": in_(visitor.gateway, 100)})
    cookies = {SESSION_COOKIE: (str(visitor.session),)}
    store = LateClaim(settings.path(settings.sign_in.file), sessions, cookies)
    keys = load_ring(settings, "cache")
    late = Sessions(settings.sign_in, store, keys, clock, service.tokens, sessions.issuer)
    active = (await late.look_up(cookies)).active
    assert active is not None
    assert renewals(ministry) == 1
    assert active == (await sessions.look_up(cookies)).active
    clock.advance(80)  # and the claim was given back
    ministry.give(None, access={"jti": "renewed again"})
    assert (await late.look_up(cookies)).active is not None
    assert renewals(ministry) == 2


async def test_a_refresh_token_is_replaced_where_the_issuer_rotates_it(site: Site) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    for number in (1, 2):
        visitor.gateway.clock.advance(101)
        soon = {"exp": in_(visitor.gateway, 100)}
        tokens = ministry.give(None, access=soon)
        ministry.answer({**tokens, "refresh_token": f"refresh-{number + 1}"})
        assert await is_signed_in(visitor)
        assert ministry.exchanged["refresh_token"] == f"refresh-{number}"


async def test_a_refusal_to_renew_ends_the_session(site: Site) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    visitor.gateway.clock.advance(80)
    ministry.answer({"error": "invalid_grant"}, 400)
    assert not await is_signed_in(visitor)
    ministry.give(None)
    assert not await is_signed_in(visitor)


async def test_a_session_never_becomes_that_of_somebody_else(site: Site) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    visitor.gateway.clock.advance(80)
    ministry.give(None, "officer-2")
    answer = await visitor.get("/procedures")
    assert "officer-2" not in answer.text
    assert not await is_signed_in(visitor)


async def test_a_silent_issuer_ends_no_session_but_is_said(site: Site) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    visitor.gateway.clock.advance(80)
    ministry.answer("", 500)
    assert await is_signed_in(visitor)
    visitor.gateway.clock.advance(60)
    answer = await visitor.get("/procedures")
    assert (answer.status_code, "SIGN_IN_UNAVAILABLE" in answer.text) == (503, True)
    ministry.give(None)
    visitor.gateway.clock.advance(60)
    assert await is_signed_in(visitor)


async def test_who_signs_out_while_tokens_are_renewed_stays_signed_out(site: Site) -> None:
    visitor, ministry = site
    await sign_in_with_refresh(site)
    visitor.gateway.clock.advance(101)
    ministry.give(None)
    ministry.provider.free.clear()
    renewing = asyncio.create_task(visitor.get("/procedures"))
    await ministry.provider.wait_for_requests("/token", 2)
    sessions: Any = visitor.gateway.service.sessions
    await sessions.end(visitor.session)
    ministry.provider.free.set()
    assert "Đăng xuất" not in (await renewing).text
    assert not await is_signed_in(visitor)
