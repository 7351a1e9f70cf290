"""Signing in and out over ASGI: what is sent to the issuer, what is accepted from it, and pages.

Covers ``gateway.pages.phrases.sign_in``, ``gateway.sessions.cookies``,
``gateway.sessions.issuer_client``, ``gateway.sessions.pending_sign_ins``,
``gateway.sessions.session``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest_asyncio

from gateway.errors import CODES
from gateway.sessions.cookies import SESSION_COOKIE
from tests.support.issuers import AUDIENCE, new_key
from tests.support.pages import ParsedPage
from tests.support.people import HOA
from tests.support.running import running
from tests.support.sign_ins import (
    ADDRESS,
    CLIENT,
    Ministry,
    Visitor,
    challenge,
    gateway_with_sign_in,
)

Site = tuple[Visitor, Ministry]


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with gateway_with_sign_in(tmp_path) as (gateway, ministry):
        yield Visitor(gateway), ministry


def require_refused(answer: httpx2.Response, visitor: Visitor, code: str) -> None:
    """Fail unless a page says the code, in both languages, and nobody is signed in."""
    text = ParsedPage.of(answer.text).text
    assert (answer.status_code, code in text) == (CODES[code].status, True), text
    assert CODES[code].vi in text
    assert CODES[code].en in text
    assert visitor.session is None


async def test_the_issuer_is_asked_with_a_challenge_a_state_and_a_nonce(site: Site) -> None:
    visitor, ministry = site
    answer = await visitor.get("/sign-in?return=/procedures")
    assert answer.headers["location"].startswith(f"{ministry.provider.url}/authorize?")
    first, second = await visitor.leave(), await visitor.leave()
    assert {name: first[name] for name in ("response_type", "client_id", "redirect_uri")} == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": f"{ADDRESS}/sign-in/callback",
    }
    assert first["scope"] == "openid profile procedures:check"
    assert first["resource"] == AUDIENCE
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


async def test_who_signs_in_comes_back_to_the_page_with_a_cookie_for_it_alone(site: Site) -> None:
    visitor, ministry = site
    answer = await visitor.sign_in(ministry, return_path="/procedures/1.000894%3Flang%3Den")
    assert answer.headers["location"] == "/procedures/1.000894?lang=en"
    (header,) = (
        each for each in answer.headers.get_list("set-cookie") if each.startswith(SESSION_COOKIE)
    )
    (morsel,) = SimpleCookie(header).values()
    assert morsel.key.startswith("__Host-")
    assert (morsel["path"], morsel["secure"], morsel["httponly"]) == ("/", True, True)
    assert (morsel["samesite"], morsel["domain"], morsel["max-age"]) == ("Lax", "", "")
    assert [*visitor.cookies] == [SESSION_COOKIE]
    page = await visitor.get("/procedures")
    assert "Tên officer-1" in page.text
    assert "UBND phường" in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_the_code_is_exchanged_with_the_verifier_and_the_secret(site: Site) -> None:
    visitor, ministry = site
    request = await visitor.leave()
    ministry.give(request["nonce"])
    await visitor.come_back(request["state"], code="the code")
    sent = ministry.exchanged
    assert challenge(sent["code_verifier"]) == request["code_challenge"]
    assert (sent["code"], sent["grant_type"]) == ("the code", "authorization_code")
    assert sent["redirect_uri"] == f"{ADDRESS}/sign-in/callback"
    assert sent["resource"] == AUDIENCE
    assert "authorization: basic" in ministry.provider.posted[-1][0].lower()


async def test_the_store_holds_neither_the_cookie_nor_tokens_nor_names(
    site: Site, tmp_path: Path
) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    held = (tmp_path / "sessions/sessions.sqlite").read_bytes()
    assert visitor.session is not None
    for text in (visitor.session, "eyJ", "officer-1", "Tên", CLIENT):
        assert text.encode() not in held


async def test_a_sign_in_takes_no_id_that_was_there_before(site: Site) -> None:
    visitor, ministry = site
    visitor.cookies[SESSION_COOKIE] = planted = "A" * 43
    await visitor.sign_in(ministry)
    assert visitor.session not in {None, planted}
    before = visitor.session
    await visitor.sign_in(ministry)
    assert visitor.session != before
    former = Visitor(visitor.gateway, {SESSION_COOKIE: str(before)})
    assert "Tên officer-1" not in (await former.get("/procedures")).text


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/%09/evil.example\r\nset-cookie: a=b",
    "javascript:alert(1)",
    "evil.example",
    "",
    "/" + "a" * 3000,
    "/sign-in?return=/sign-in",
    "/sign-out",
    "/tìm",
]


async def test_nobody_is_sent_to_another_site(site: Site) -> None:
    visitor, ministry = site
    for target in ELSEWHERE:
        answer = await visitor.sign_in(ministry, return_path=quote(target, safe=""))
        assert (target, answer.headers["location"]) == (target, "/")


MISMATCHES: dict[str, dict[str, str]] = {
    "another state": {"state": "x" * 43},
    "no state": {"state": ""},
    "an endless state": {"state": "x" * 5000},
    "a state in another script": {"state": "ж" * 43},
    "no code": {"code": ""},
    "another issuer": {"iss": "https://evil.example"},
}


async def test_an_answer_that_does_not_fit_is_a_page(site: Site) -> None:
    visitor, ministry = site
    for changed in MISMATCHES.values():
        request = await visitor.leave()
        ministry.give(request["nonce"])
        answer = await visitor.come_back(**{"state": request["state"], **changed})
        require_refused(answer, visitor, "SIGN_IN_MISMATCH")
    assert ministry.provider.hits["/token"] == 0


async def test_the_answer_to_another_browser_is_refused(site: Site) -> None:
    visitor, ministry = site
    victim = Visitor(visitor.gateway)
    request = await visitor.leave()
    await victim.leave()
    ministry.give(request["nonce"])
    require_refused(await victim.come_back(request["state"]), victim, "SIGN_IN_MISMATCH")


async def test_a_tampered_or_late_sign_in_is_refused(site: Site) -> None:
    visitor, ministry = site
    request = await visitor.leave()
    ((name, value),) = visitor.cookies.items()
    for changed in (value[:-8] + "AAAAAAAA", "", "!", value[8:]):
        visitor.cookies[name] = changed
        require_refused(await visitor.come_back(request["state"]), visitor, "SIGN_IN_MISMATCH")
    visitor.cookies[name] = value
    visitor.gateway.clock.advance(601)
    require_refused(await visitor.come_back(request["state"]), visitor, "SIGN_IN_MISMATCH")
    assert ministry.provider.hits["/token"] == 0


FOREIGN: list[tuple[dict[str, Any], str]] = [
    ({"nonce": "another"}, "SIGN_IN_MISMATCH"),
    ({"nonce": None}, "SIGN_IN_MISMATCH"),
    ({"nonce": 7}, "SIGN_IN_MISMATCH"),
    ({"iss": "https://evil.example"}, "SIGN_IN_INVALID"),
    ({"aud": "another client"}, "SIGN_IN_INVALID"),
    ({"aud": [CLIENT, "another client"]}, "SIGN_IN_INVALID"),
    ({"azp": "another client"}, "SIGN_IN_INVALID"),
    ({"aud": None}, "SIGN_IN_INVALID"),
    ({"sub": None}, "SIGN_IN_INVALID"),
    ({"exp": 1}, "SIGN_IN_INVALID"),
    ({"exp": "soon"}, "SIGN_IN_INVALID"),
    ({"iat": None}, "SIGN_IN_INVALID"),
    ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "SIGN_IN_INVALID"),
    ({"access": {"aud": "another"}}, "SIGN_IN_INVALID"),
    ({"access": {"nonce": "it is an ID token"}}, "SIGN_IN_INVALID"),
    ({"access": {"exp": 1}}, "SIGN_IN_INVALID"),
]


async def test_tokens_that_are_not_for_this_sign_in_are_refused(site: Site) -> None:
    visitor, ministry = site
    for changed, code in FOREIGN:
        request = await visitor.leave()
        ministry.give(**{"nonce": request["nonce"], **changed})
        require_refused(await visitor.come_back(request["state"]), visitor, code)
        assert visitor.cookies == {}, changed


async def test_an_id_token_that_another_key_signed_is_refused(site: Site) -> None:
    visitor, ministry = site
    request = await visitor.leave()
    ministry.give(request["nonce"], key=new_key("ES256"))
    require_refused(await visitor.come_back(request["state"]), visitor, "SIGN_IN_INVALID")


ANSWERS: list[tuple[int, object, str]] = [
    (400, {"error": "invalid_grant"}, "SIGN_IN_REFUSED"),
    (401, {"error": "invalid_client"}, "SIGN_IN_REFUSED"),
    (200, {"access_token": "opaque", "token_type": "Bearer"}, "SIGN_IN_INVALID"),
    (200, {"token_type": "Bearer"}, "SIGN_IN_INVALID"),
    (200, [], "SIGN_IN_INVALID"),
    (200, "no JSON", "SIGN_IN_INVALID"),
    (500, "<h1>no</h1>", "SIGN_IN_UNAVAILABLE"),
]


async def test_whatever_the_issuer_answers_is_a_page(site: Site) -> None:
    visitor, ministry = site
    for status, body, code in ANSWERS:
        request = await visitor.leave()
        ministry.answer(body, status)
        require_refused(await visitor.come_back(request["state"]), visitor, code)


async def test_an_id_token_is_needed_and_an_access_token_of_the_same_issuer(site: Site) -> None:
    visitor, ministry = site
    for left_out in ("id_token", "access_token"):
        request = await visitor.leave()
        tokens = ministry.give(request["nonce"])
        other = {"access_token": visitor.gateway.token("population:read")}
        del tokens[left_out]
        ministry.answer({**other, **tokens})
        require_refused(await visitor.come_back(request["state"]), visitor, "SIGN_IN_INVALID")


async def test_an_error_from_the_issuer_is_a_page_that_repeats_nothing_of_it(site: Site) -> None:
    visitor, _ = site
    request = await visitor.leave()
    sent = {"error": "access_denied", "error_description": "<b>clicked away</b>"}
    answer = await visitor.come_back(request["state"], **sent)
    require_refused(answer, visitor, "SIGN_IN_REFUSED")
    assert "clicked away" not in answer.text
    assert "/sign-in?return=/procedures" in ParsedPage.of(answer.text).links


async def test_a_code_that_comes_twice_signs_nobody_out(site: Site) -> None:
    visitor, ministry = site
    request = await visitor.leave()
    pending = dict(visitor.cookies)
    ministry.give(request["nonce"])
    await visitor.come_back(request["state"])
    ministry.answer({"error": "invalid_grant"}, 400)
    again = await Visitor(visitor.gateway, pending).come_back(request["state"])
    assert "SIGN_IN_REFUSED" in again.text
    assert "Tên officer-1" in (await visitor.get("/procedures")).text


async def test_an_issuer_that_is_not_there_is_a_page(tmp_path: Path) -> None:
    async with gateway_with_sign_in(tmp_path) as (gateway, ministry):
        visitor = Visitor(gateway)
        ministry.provider.answers["/.well-known/openid-configuration"] = (500, "")
        answer = await visitor.get("/sign-in?return=/procedures")
        require_refused(answer, visitor, "SIGN_IN_UNAVAILABLE")
        assert answer.headers["retry-after"] == "5"
        del ministry.provider.answers["/.well-known/openid-configuration"]
        ministry.provider.endpoints["authorization_endpoint"] = "@evil.example/"
        answer = await visitor.get("/sign-in")
        require_refused(answer, visitor, "SIGN_IN_INVALID")


async def test_a_number_is_nobodys_name(site: Site) -> None:
    visitor, ministry = site
    request = await visitor.leave()
    ministry.give(request["nonce"], name=HOA)
    await visitor.come_back(request["state"])
    page = await visitor.get("/procedures")
    assert "UBND phường" in page.text
    assert HOA not in page.text


async def test_a_browser_keeps_few_sign_ins_that_were_begun(site: Site) -> None:
    visitor, _ = site
    for _ in range(9):
        last = await visitor.leave()
    assert len(visitor.cookies) == 4
    assert any(last["state"][:16] in name for name in visitor.cookies)


async def sign_out(visitor: Visitor, **fields: str) -> httpx2.Response:
    page = ParsedPage.of((await visitor.get("/procedures")).text)
    return await visitor.post("/sign-out", {"csrf-token": page.fields["csrf-token"], **fields})


async def test_signing_out_ends_the_session_here_and_then_at_the_issuer(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    stolen = Visitor(visitor.gateway, dict(visitor.cookies))
    answer = await sign_out(visitor)
    page = ParsedPage.of(answer.text)
    (refresh,) = (attributes for tag, attributes in page.tags if "http-equiv" in attributes)
    target = str(refresh["content"]).removeprefix("0; url=")
    sent = httpx2.URL(target)
    assert str(sent).startswith(f"{ministry.provider.url}/end?")
    assert sent.params["client_id"] == CLIENT
    assert sent.params["post_logout_redirect_uri"] == f"{ADDRESS}/sign-out"
    assert sent.params["id_token_hint"].count(".") == 2
    assert visitor.cookies == {}
    assert "Tên officer-1" not in (await stolen.get("/procedures")).text
    assert "Đã đăng xuất" in (await visitor.get("/sign-out")).text


async def test_a_number_in_an_id_token_never_stands_in_an_address(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry, HOA, sub="officer-1")
    answer = await sign_out(visitor)
    page = ParsedPage.of(answer.text)
    assert "http-equiv" not in answer.text
    assert page.fields["id_token_hint"].count(".") == 2
    assert {"method": "post", "action": f"{ministry.provider.url}/end"} in page.forms
    policy = answer.headers["content-security-policy"]
    assert f"form-action 'self' {ministry.provider.url}" in policy


async def test_another_site_signs_nobody_out(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    for token in ("", "x" * 64, "ж"):
        answer = await sign_out(visitor, **{"csrf-token": token})
        assert answer.status_code == 403
        assert "CSRF_TOKEN_REQUIRED" in answer.text
    assert "Tên officer-1" in (await visitor.get("/procedures")).text


async def test_an_issuer_that_cannot_be_left_is_said(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    del ministry.provider.endpoints["end_session_endpoint"]
    visitor.gateway.clock.advance(400)
    ministry.provider.endpoints["end_session_endpoint"] = "@evil.example/"
    answer = await sign_out(visitor)
    assert "Chưa đăng xuất được ở nơi xác thực" in answer.text
    assert visitor.cookies == {}


async def test_without_settings_nobody_signs_in(tmp_path: Path) -> None:
    async with running(tmp_path, demo=False) as gateway:
        visitor = Visitor(gateway)
        for path in ("/sign-in", "/sign-in/callback?state=a", "/sign-in/done", "/sign-out"):
            assert (await visitor.get(path)).status_code == 404
        assert "/sign-in" not in (await visitor.get("/procedures")).text


async def test_where_sessions_cannot_be_read_a_page_says_so(site: Site, tmp_path: Path) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    (tmp_path / "sessions/sessions.sqlite").write_bytes(b"no database" * 100)
    answer = await visitor.get("/procedures")
    assert answer.status_code == 503
    assert "SIGN_IN_UNAVAILABLE" in answer.text
    assert "Đăng xuất" not in answer.text


async def test_a_header_counts_before_a_session(site: Site) -> None:
    visitor, ministry = site
    await visitor.sign_in(ministry)
    bearer = visitor.gateway.token("procedures:check", subject="proxy")
    page = await visitor.get("/procedures", authorization=f"Bearer {bearer}")
    assert "Tên officer-1" not in page.text
    assert "/sign-in" not in page.text
