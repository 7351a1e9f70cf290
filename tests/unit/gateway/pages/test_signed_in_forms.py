"""Forms of who signed in: kept where the session has ended, and never sent as somebody else.

Covers ``gateway.pages.page_session``, ``gateway.pages.ended_session``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest_asyncio

from gateway.settings import OperationSettings
from tests.support import operation_files
from tests.support.pages import CASE, CODE, ParsedPage
from tests.support.people import HOA
from tests.support.sign_ins import Ministry, Visitor, gateway_with_sign_in
from tests.support.worlds import ALL, LIVE, world

Site = tuple[Visitor, Ministry]
PAGE = f"/procedures/{CODE}"
TYPED = {"applicant": HOA, "case-number": CASE, "sector": 'Đất đai <b>"&'}


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with gateway_with_sign_in(tmp_path, world({}), ALL, LIVE) as (gateway, ministry):
        visitor = Visitor(gateway)
        await visitor.sign_in(ministry, return_path=PAGE)
        yield visitor, ministry


async def fill(visitor: Visitor) -> dict[str, str]:
    """Return the fields of the form as somebody has filled it in."""
    page = ParsedPage.of((await visitor.get(PAGE)).text)
    return {**page.fields, **TYPED}


def read(answer: httpx2.Response) -> ParsedPage:
    return ParsedPage.of(answer.text)


def subjects(visitor: Visitor) -> list[str]:
    return [entry["subject"] for entry in visitor.gateway.journal() if entry.get("purpose") == CODE]


async def test_who_signed_in_checks_a_case_and_the_journal_names_them(site: Site) -> None:
    visitor, _ = site
    answer = await visitor.post(PAGE, await fill(visitor))
    assert "Kết quả kiểm tra" in answer.text
    (entry,) = visitor.gateway.journal()
    assert entry["subject"] == "officer-1"
    assert entry["caseNumber"] == CASE


async def test_a_form_whose_session_has_ended_is_kept_and_sent_again(site: Site) -> None:
    visitor, ministry = site
    typed = await fill(visitor)
    visitor.gateway.clock.advance(31 * 60)
    refused = await visitor.post(PAGE, typed)
    page = read(refused)
    assert refused.status_code == 401
    assert "SESSION_EXPIRED" in page.text
    assert "The session has ended: sign in again." in page.text
    assert {name: page.fields[name] for name in TYPED} == TYPED
    assert "<b>" not in refused.text
    assert "/sign-in?return=/sign-in/done" in page.links
    assert HOA not in " ".join(page.links)
    await visitor.sign_in(ministry, return_path="/sign-in/done")
    assert "quay lại thẻ có biểu mẫu" in (await visitor.get("/sign-in/done")).text
    again = await visitor.post(PAGE, page.fields)
    assert "Kết quả kiểm tra" in again.text
    assert subjects(visitor) == ["officer-1"]


async def test_a_form_that_is_older_than_its_token_is_kept_too(site: Site) -> None:
    visitor, ministry = site
    typed = await fill(visitor)
    visitor.gateway.clock.advance(9 * 3600)
    page = read(await visitor.post(PAGE, typed))
    assert page.fields["applicant"] == HOA
    await visitor.sign_in(ministry)
    assert "Kết quả kiểm tra" in (await visitor.post(PAGE, page.fields)).text


async def test_a_form_without_any_cookie_is_kept(site: Site) -> None:
    visitor, _ = site
    typed = await fill(visitor)
    visitor.cookies.clear()
    page = read(await visitor.post(PAGE, typed))
    assert "SESSION_EXPIRED" in page.text
    assert page.fields["applicant"] == HOA


async def test_what_was_typed_about_a_person_is_kept_too(site: Site) -> None:
    visitor, _ = site
    page = ParsedPage.of((await visitor.get("/person")).text)
    typed = {**page.fields, "number": HOA, "purpose": CODE, "case-number": CASE}
    visitor.gateway.clock.advance(31 * 60)
    refused = await visitor.post("/person", typed)
    fields = read(refused).fields
    assert refused.status_code == 401
    assert (fields["number"], fields["purpose"], fields["case-number"]) == (HOA, CODE, CASE)
    assert "SESSION_EXPIRED" in refused.text
    stranger = Visitor(visitor.gateway)
    forged = await stranger.post("/person", {**typed, "form-token": "forged"})
    assert HOA not in forged.text


async def test_what_another_site_sends_is_not_shown(site: Site) -> None:
    visitor, _ = site
    stranger = Visitor(visitor.gateway)
    answer = await stranger.post(PAGE, {**TYPED, "form-token": "forged"})
    assert answer.status_code == 401
    assert "applicant" not in read(answer).fields
    assert HOA not in answer.text


async def test_a_form_of_one_is_never_sent_as_another(site: Site) -> None:
    visitor, ministry = site
    typed = await fill(visitor)
    await visitor.sign_in(ministry, "officer-2")
    refused = await visitor.post(PAGE, typed)
    page = read(refused)
    assert refused.status_code == 403
    assert "FORM_OF_ANOTHER" in page.text
    assert "Tên officer-2" in page.text
    assert page.fields["applicant"] == HOA
    assert subjects(visitor) == []
    assert "Kết quả kiểm tra" not in page.text
    again = await visitor.post(PAGE, page.fields)
    assert "Kết quả kiểm tra" in again.text


async def test_after_an_expiry_somebody_else_cannot_send_the_form_either(site: Site) -> None:
    visitor, ministry = site
    typed = await fill(visitor)
    visitor.gateway.clock.advance(31 * 60)
    page = read(await visitor.post(PAGE, typed))
    await visitor.sign_in(ministry, "officer-2")
    refused = await visitor.post(PAGE, page.fields)
    assert "FORM_OF_ANOTHER" in refused.text
    assert "Kết quả kiểm tra" not in refused.text


async def test_the_form_of_an_operation_outlives_its_session_and_tells_nothing_more(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "operations"
    operation_files.write(folder, "name.graphql", clients="gateway-pages", example='{"id": "@hoa"}')
    async with gateway_with_sign_in(
        tmp_path, operations=OperationSettings(folder=folder, reload_seconds=0)
    ) as (gateway, ministry):
        visitor, path = Visitor(gateway), "/operations/name/try"
        rights: dict[str, Any] = {"scope": "population:read", "purposes": ["1.000894"]}
        await visitor.sign_in(ministry, **rights)
        typed = {**read(await visitor.get(path)).fields, "v.id": HOA, "case-number": CASE}
        gateway.clock.advance(31 * 60)
        refused = await visitor.post(path, typed)
        page = read(refused)
        assert (refused.status_code, "SESSION_EXPIRED" in page.text) == (401, True)
        assert page.fields["v.id"] == HOA
        assert HOA in refused.text
        assert "Họ tên" not in page.text
        forged = await visitor.post(path, {**typed, "form-token": "forged"})
        assert HOA not in forged.text
        await visitor.sign_in(ministry, **rights)
        again = await visitor.post(path, page.fields)
        assert again.status_code == 200, read(again).text
        assert "fullName" in again.text
