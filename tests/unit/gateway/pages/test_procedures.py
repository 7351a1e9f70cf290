"""The page of a procedure over ASGI: form, result, refusals, languages, rights, headers.

Covers ``gateway.pages.*``, ``gateway.access.local_client``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from gateway.errors import CODES
from gateway.execution.operation import Result
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import ALL as PROCEDURES
from gateway.settings import RateLimits
from tests.support.pages import CASE, CODE, LOCAL, Desk, ParsedPage, hire
from tests.support.people import DEAD, HOA, LAN, NOBODY, SHARED_NUMBER
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, Rows, World, world

FINED: Rows = {
    "administrative_violations": {
        "sanctions": [
            {"decision_no": "S-7788", "decision_date": "2026-10-01", "violator_citizen_id": HOA,
             "main_sanction": "FINE", "status": "EXECUTED", "sector": "Giao thông"}
        ],
        "executions": [
            {"execution_id": "E", "decision_no": "S-7788", "completed_on": "2026-10-05"}
        ],
    }
}  # fmt: skip
CHECKS = [procedure for procedure in PROCEDURES if procedure.check is not None]


@pytest.fixture
def known() -> World:
    return world({})


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE) as started:
        hire(started)
        yield started


@pytest_asyncio.fixture
async def production(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE, demo=False) as started:
        yield started


def read(answer: httpx2.Response) -> ParsedPage:
    return ParsedPage.of(answer.text)


async def test_the_list_leads_to_a_page_for_each_procedure(gateway: Running) -> None:
    answer = await gateway.client.get(f"{LOCAL}/procedures")
    page = read(answer)
    assert answer.status_code == 200
    for procedure in PROCEDURES:
        assert f"/procedures/{procedure.codes[0]}" in page.links
        assert all(code in page.text for code in procedure.codes)
    checkable, others = page.text.split("Chỉ là mục đích tra cứu")
    assert all(each.codes[0] in checkable for each in CHECKS)
    assert "access-log-review" in others


@pytest.mark.parametrize("procedure", CHECKS, ids=lambda each: each.codes[0])
async def test_the_form_of_every_check_is_made_from_its_input(
    gateway: Running, procedure: Procedure
) -> None:
    hire(gateway, *(each.codes[0] for each in CHECKS))
    answer = await Desk(gateway, code=procedure.codes[0]).get()
    page = read(answer)
    assert answer.status_code == 200
    assert procedure.check is not None
    assert {role.name for role in procedure.check.role_definitions} <= page.fields.keys()
    assert {"case-number", "at", "form-token"} <= page.fields.keys()
    labels = {attributes.get("for") for tag, attributes in page.tags if tag == "label"}
    named = {
        attributes.get("id")
        for tag, attributes in page.tags
        if tag in {"input", "select", "textarea"} and attributes.get("type") != "hidden"
    }
    assert labels == named
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


async def test_a_check_shows_each_condition_in_words(gateway: Running) -> None:
    answer = await Desk(gateway).send(applicant=HOA)
    text = read(answer).text
    assert answer.status_code == 200
    assert "Đủ điều kiện" in text
    assert text.count("Đáp ứng") == 3
    assert "Người đề nghị còn sống." in text
    assert "Luật Xử lý vi phạm hành chính 15/2012/QH13, Điều 7" in text
    assert "10:00:00 ngày 23/11/2026" in text
    assert "Được coi là chưa bị xử phạt có" in text
    assert "Mọi cơ sở dữ liệu được hỏi đều trả lời." in text
    assert CASE in text
    assert HOA in text


async def test_the_same_in_english(gateway: Running) -> None:
    answer = await Desk(gateway, "lang=en&as=desk").send(applicant=HOA)
    page = read(answer)
    assert "All conditions are met" in page.text
    assert "The applicant is alive." in page.text
    assert ("html", {"lang": "en"}) in page.tags
    assert "Considered as not sanctioned yes" in page.text
    assert "23 November 2026" in page.text


async def test_a_condition_that_is_not_met_says_so_and_shows_no_record(tmp_path: Path) -> None:
    async with running(tmp_path, world(FINED), ALL, LIVE) as gateway:
        hire(gateway)
        answer = await Desk(gateway).send(applicant=HOA)
        assert "Không đủ điều kiện" in read(answer).text
        assert "S-7788" not in answer.text
        assert "2026-10-0" not in answer.text


async def test_a_silent_database_is_not_known_and_says_whom_to_call(
    gateway: Running, known: World
) -> None:
    known.of("administrative_violations").fault = "down"
    text = read(await Desk(gateway).send(applicant=HOA)).text
    assert "Chưa xác định được" in text
    assert "Chưa xác định được không có nghĩa là đáp ứng" in text
    assert "Vì sao chưa rõ: nguồn không trả lời." in text
    assert "Bộ Công an" in text
    assert "Được coi là chưa bị xử phạt chưa xác định được" in text
    assert "Mọi cơ sở dữ liệu được hỏi đều trả lời." not in text


async def test_errors_beside_the_data_are_shown_in_words(gateway: Running, known: World) -> None:
    known.of("civil_status").fault = "down"
    text = read(await Desk(gateway, "lang=en&as=desk").send(applicant=HOA)).text
    assert "What could not be read The database did not answer." in text
    assert "UNAVAILABLE" not in text


async def test_somebody_whom_nobody_knows_is_not_known(gateway: Running) -> None:
    text = read(await Desk(gateway).send(applicant=NOBODY)).text
    assert "Đủ điều kiện" not in text
    assert "chưa xác định được người" in text


async def test_the_dead_are_no_error(gateway: Running) -> None:
    answer = await Desk(gateway).send(applicant=DEAD)
    assert answer.status_code == 200
    assert "Đủ điều kiện" not in read(answer).text


@pytest.mark.parametrize(
    ("typed", "status", "code"),
    [
        ({"applicant": ""}, 422, "INVALID_VARIABLES"),
        ({"applicant": "12x"}, 422, "INVALID_PERSON_NUMBER"),
        ({"applicant": HOA + "1"}, 422, "INVALID_PERSON_NUMBER"),
        ({"applicant": SHARED_NUMBER}, 422, "NUMBER_CONFLICT"),
        ({"applicant": HOA, "at": "2099-01-01"}, 422, "INVALID_VALUE"),
        ({"applicant": HOA, "at": "1899-12-31"}, 422, "INVALID_VALUE"),
        ({"applicant": HOA, "at": "tomorrow"}, 422, "INVALID_VARIABLES"),
        ({"applicant": HOA, "case_number": ""}, 400, "CASE_NUMBER_REQUIRED"),
        ({"applicant": HOA, "case_number": "hai từ"}, 400, "BAD_REQUEST"),
        ({"applicant": HOA, "case_number": HOA}, 400, "BAD_REQUEST"),
        ({"applicant": HOA, "form_token": "1.a"}, 403, "FORM_EXPIRED"),
        ({"applicant": HOA, "form_token": ""}, 403, "FORM_EXPIRED"),
        ({"applicant": HOA, "form_token": "9" * 5000}, 403, "FORM_EXPIRED"),
    ],
    ids=str,
)
async def test_bad_input_is_said_in_both_languages_and_what_was_typed_is_kept(
    gateway: Running, known: World, typed: dict[str, str], status: int, code: str
) -> None:
    typed = {"sector": 'Đất đai <b>"&', **typed}
    answer = await Desk(gateway).send(**typed)
    page = read(answer)
    assert answer.status_code == status
    assert code in page.text
    assert CODES[code].vi in page.text or code == "BAD_REQUEST"
    kept = {name.replace("_", "-"): value for name, value in typed.items() if name != "form_token"}
    assert {name: page.fields[name] for name in kept} == kept
    assert "<b>" not in answer.text
    assert known.fetched == [] or code == "NUMBER_CONFLICT"
    assert "Kết quả kiểm tra" not in page.text


async def test_a_refused_form_can_be_sent_again(gateway: Running) -> None:
    desk = Desk(gateway)
    refused = await desk.send(applicant=HOA, form_token="1.a")
    fields = read(refused).fields
    answer = await gateway.client.post(desk.address, data=fields)
    assert answer.status_code == 200
    assert "Đủ điều kiện" in read(answer).text


async def test_a_form_expires(gateway: Running) -> None:
    desk = Desk(gateway)
    fields = read(await desk.get()).fields | {"applicant": HOA, "case-number": CASE}
    gateway.clock.advance(8 * 3_600)
    hire(gateway)
    answer = await gateway.client.post(desk.address, data=fields)
    assert answer.status_code == 403
    assert read(answer).fields["applicant"] == HOA


async def test_the_form_of_somebody_else_is_refused(gateway: Running, known: World) -> None:
    mine, theirs = (
        Desk(gateway, "", headers={"authorization": f"Bearer {token}"})
        for token in (
            gateway.token("procedures:check", purposes=[CODE], subject="officer-1"),
            gateway.token("procedures:check", purposes=[CODE], subject="officer-2"),
        )
    )
    token = read(await mine.get()).fields["form-token"]
    assert (await theirs.send(applicant=HOA, form_token=token)).status_code == 403
    assert known.fetched == []
    assert (await mine.send(applicant=HOA, form_token=token)).status_code == 200


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)],
)
async def test_a_form_that_another_site_sends_is_refused(
    gateway: Running, site: str, status: int
) -> None:
    desk = Desk(gateway, headers={"sec-fetch-site": site})
    assert (await desk.send(applicant=HOA)).status_code == status


async def test_a_check_is_in_the_journal_with_purpose_and_case(gateway: Running) -> None:
    await Desk(gateway).send(applicant=HOA)
    await Desk(gateway).send(applicant="12x")
    (checked,) = gateway.journal()  # refusals are counted, and written later
    assert (checked["result"], checked["purpose"], checked["caseNumber"]) == (
        "ANSWERED",
        CODE,
        CASE,
    )
    assert "procedures.no_sanction_check.applicant" in checked["persons"][0]["sections"]
    assert HOA not in str(checked)


async def test_a_province_s_code_is_the_purpose_as_it_stands(gateway: Running) -> None:
    await Desk(gateway, code=f"{CODE}.H38").send(applicant=HOA)
    assert gateway.journal()[-1]["purpose"] == f"{CODE}.H38"


async def test_what_a_browser_says_of_purpose_and_case_does_not_count(gateway: Running) -> None:
    headers = {"x-purpose": "1.000894", "x-case-number": "ELSE"}
    await Desk(gateway, headers=headers).send(applicant=HOA)
    entry = gateway.journal()[-1]
    assert (entry["purpose"], entry["caseNumber"]) == (CODE, CASE)


async def test_only_demo_officers_with_the_procedure_are_offered(gateway: Running) -> None:
    page = read(await Desk(gateway, "").get())
    assert "?as=desk" in page.links
    assert "?as=clerk" not in page.links
    assert page.forms == []
    assert "BẢN DÙNG THỬ" in page.text
    for query in ("as=clerk", "as=nobody", "as=citizens"):
        assert read(await Desk(gateway, query).get()).forms == []


async def test_a_check_without_an_officer_is_refused(gateway: Running, known: World) -> None:
    answer = await gateway.client.post(Desk(gateway, "").address, data={"applicant": HOA})
    assert answer.status_code == 401
    assert CODES["UNAUTHENTICATED"].vi in read(answer).text
    assert known.fetched == []


async def test_demo_officers_are_for_this_machine_only(gateway: Running) -> None:
    answer = await gateway.client.get(f"http://gateway/procedures/{CODE}?as=desk")
    assert read(answer).forms == []
    assert "?as=desk" not in read(answer).links


async def test_production_needs_the_token_of_a_proxy_and_says_so(
    production: Running, known: World
) -> None:
    hire(production)
    page = read(await Desk(production).get())
    assert "Authorization: Bearer" in page.text
    assert page.forms == []
    assert "BẢN DÙNG THỬ" not in page.text
    token = production.token("procedures:check", purposes=[CODE])
    desk = Desk(production, "", headers={"authorization": f"Bearer {token}"})
    assert "Đủ điều kiện" in read(await desk.send(applicant=HOA)).text


async def test_a_bad_token_is_refused_in_words(production: Running) -> None:
    answer = await Desk(production, headers={"authorization": "Bearer no.such.token"}).get()
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert CODES["TOKEN_INVALID"].vi in read(answer).text


@pytest.mark.parametrize(
    ("scopes", "purposes", "status", "missing"),
    [
        ((), [CODE], 403, "PUBLISHED_ONLY"),
        (("population:read",), [CODE], 403, "procedures:check"),
        (("procedures:check",), ["1.000894"], 403, "PURPOSE_NOT_GRANTED"),
    ],
)
async def test_the_rights_are_those_of_every_door(
    production: Running, known: World, scopes: tuple[str, ...], purposes: list[str], status: int,
    missing: str,
) -> None:  # fmt: skip
    token = production.token(*scopes, purposes=purposes)
    desk = Desk(production, "", headers={"authorization": f"Bearer {token}"})
    answer = await desk.send(applicant=HOA)
    assert answer.status_code == status
    assert missing in read(answer).text
    assert known.fetched == []


async def test_the_limits_are_those_of_every_door(tmp_path: Path) -> None:
    rates = RateLimits(enforced=True, requests_per_minute=3)
    async with running(tmp_path, world({}), ALL, LIVE, rates=rates) as gateway:
        hire(gateway)
        answers = [await Desk(gateway).get() for _ in range(12)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert CODES["RATE_LIMITED"].vi in read(answers[-1]).text
    assert "retry-after" in answers[-1].headers


@pytest.mark.parametrize("path", ["1.999999", "no-sanction-check.38", "%3Cb%3E", "x" * 300])
async def test_an_unknown_procedure_is_a_page_that_says_so(gateway: Running, path: str) -> None:
    for answer in (
        await gateway.client.get(f"{LOCAL}/procedures/{path}"),
        await gateway.client.post(f"{LOCAL}/procedures/{path}", data={}),
    ):
        assert answer.status_code == 404
        assert "Không có thủ tục với mã này" in read(answer).text
        assert "<b>" not in answer.text


async def test_what_has_no_check_shows_no_form(gateway: Running) -> None:
    desk = Desk(gateway, code="access-log-review")
    assert read(await desk.get()).forms == []
    answer = await gateway.client.post(desk.address, data={"x": "y"})
    assert answer.status_code == 422
    assert CODES["PROCEDURE_UNKNOWN"].vi in read(answer).text


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 600, "application/x-www-form-urlencoded", 400),
        (b"", "", 415),
    ],
)
async def test_what_is_no_form_is_refused(
    gateway: Running, content: bytes, content_type: str, status: int
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await gateway.client.post(Desk(gateway).address, content=content, headers=headers)
    assert answer.status_code == status
    assert "Chưa kiểm tra được" in read(answer).text


async def test_people_s_numbers_are_taken_from_the_body_alone(
    gateway: Running, known: World
) -> None:
    desk = Desk(gateway, f"as=desk&applicant={HOA}")
    assert HOA not in (await desk.get()).text
    assert (await desk.send()).status_code == 422
    for form in read(await Desk(gateway).send(applicant=LAN)).forms:
        assert form["method"] == "post"
        assert LAN not in str(form["action"])


@pytest.mark.parametrize(
    "path", ["/procedures", f"/procedures/{CODE}", f"/procedures/{CODE}?as=desk"]
)
async def test_pages_have_their_headers_and_load_nothing_from_elsewhere(
    gateway: Running, path: str
) -> None:
    answer = await gateway.client.get(LOCAL + path)
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'self'", "script-src 'none'", "frame-ancestors 'none'"} <= {*policy}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert not re.search(r"<script|style=|\son\w+=|https?://", answer.text)
    for tag, attributes in read(answer).tags:
        if tag == "link":
            loaded = await gateway.client.get(f"{LOCAL}{attributes['href']}")
            assert loaded.status_code == 200
            assert "immutable" in loaded.headers["cache-control"]


async def test_other_files_are_not_served(gateway: Running) -> None:
    for name in ("rendering.py", "..%2Frendering.py", "%2e%2e/rendering.py"):
        answer = await gateway.client.get(f"{LOCAL}/pages/0/{name}")
        assert answer.status_code == 404


async def test_the_switch_keeps_the_officer_and_sends_the_form_again(gateway: Running) -> None:
    assert "?lang=en&as=desk" in read(await Desk(gateway).get()).links
    page = read(await Desk(gateway).send(applicant=HOA))
    (switch,) = [attributes for tag, attributes in page.tags
                 if tag == "button" and "formaction" in attributes]  # fmt: skip
    assert switch["formaction"] == "?lang=en&as=desk"
    assert switch["form"] == page.forms[0]["id"]


async def test_other_methods_are_refused(gateway: Running) -> None:
    answer = await gateway.client.put(Desk(gateway).address)
    assert answer.status_code == 405
    assert (await gateway.client.head(Desk(gateway).address)).status_code == 200


async def test_a_defect_of_the_gateway_is_no_result(gateway: Running) -> None:
    """Not even a page that looks like an answer."""

    async def fail(*_: object) -> Result:
        raise RuntimeError("broken")

    gateway.app.state.service = replace(gateway.service, execute=fail)
    answer = await Desk(gateway).send(applicant=HOA)
    assert answer.status_code == 500
    assert "INTERNAL" in answer.text
    assert HOA not in answer.text
