"""``/me`` over ASGI: a citizen's own view, who looked, requests to correct, and failures.

Covers ``gateway.pages.person.*``, ``gateway.pages.phrases.*``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from strawberry.utils.str_converters import to_camel_case

from gateway.errors import CODES
from gateway.settings import Limits
from tests.support.access_logs import AGENCY, COPIED, look_up, remember_copy
from tests.support.pages import LOCAL, ParsedPage
from tests.support.people import HOA, LAN
from tests.support.person_pages import marks, own_view, recorded_rows, sections
from tests.support.representation import CHILD, birth, books
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, Row, Rows, World, acting, world

DATABASES = sorted((database.name for database in ALL if database.records), key="population".__eq__)
BIRTH: Row = {"event_id": "B1", "citizen_id": HOA, "birth_date": "1991-02-03", "sex": "MALE",
         "full_name": "Nguyễn Văn Hòa", "status": "VALID"}  # fmt: skip


@pytest.fixture
def known() -> World:
    return world(recorded_rows())


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE, audit=COPIED) as started:
        yield started


async def text_of(gateway: Running, **where: str) -> str:
    return ParsedPage.of((await own_view(gateway, **where)).text).text


async def test_citizens_see_every_register(gateway: Running) -> None:
    answer = await own_view(gateway)
    assert answer.status_code == 200
    assert {*sections(answer.text)} == {to_camel_case(name) for name in DATABASES}
    text = ParsedPage.of(answer.text).text
    assert "Nguyễn Văn Hòa Ngày sinh 03/02/1990" in text
    assert "Dòng thời gian" in text
    assert "Ai đã xem dữ liệu của tôi" in text


async def test_numbers_are_masked(gateway: Running) -> None:
    answer = await own_view(gateway)
    assert HOA not in answer.text
    assert LAN not in answer.text
    assert "•••••••••345" in answer.text


@pytest.mark.parametrize("fault", ["down", "maintenance"])
async def test_a_register_that_fails_says_none_nowhere_and_whom_to_call(
    gateway: Running, known: World, fault: str
) -> None:
    for name in DATABASES:
        known.of(name).fault = fault
        answer = await own_view(gateway)
        known.of(name).fault = None
        shown = sections(answer.text)
        part = shown[to_camel_case(name)]
        assert answer.status_code == 200
        assert not {"NONE", "ANSWERED"} & {*marks(part)}
        assert "Không có bản ghi" not in part
        text = ParsedPage.of(answer.text).text
        assert "Chưa đầy đủ" in text
        assert "Những nơi sau chưa trả lời hoặc chưa trả lời hết:" in text
        assert "Không thiếu phần nào" not in text
        assert "Không có sự kiện nào" not in text
    assert all("NONE" not in marks(each) for each in shown.values())
    assert "Đã kiểm tra mọi quy tắc" not in text


async def test_nobody_else_s_data_are_on_the_page(gateway: Running) -> None:
    answer = await own_view(gateway, LAN)
    assert answer.status_code == 200
    assert "Trần Thị Lan" in answer.text
    assert "births-1" not in answer.text
    assert "03/02/1990" not in answer.text


async def test_what_the_law_withholds_is_withheld_and_not_none(gateway: Running) -> None:
    part = sections((await own_view(gateway)).text)["civilStatus"]
    assert "Nuôi con nuôi" in part
    assert "WITHHELD" in marks(part)


async def test_who_looked_is_told_in_words(gateway: Running) -> None:
    await look_up(gateway)
    text = await text_of(gateway)
    assert AGENCY in text
    assert "Hồ sơ HS-1" in text
    assert "Chưa có ai xem." not in text


async def test_a_log_that_is_not_kept_is_not_nobody(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        text = await text_of(gateway)
    assert "chưa biết ai đã xem" in text
    assert "Chưa có ai xem." not in text


async def test_a_view_whose_log_cannot_be_read_is_not_complete(tmp_path: Path) -> None:
    await remember_copy(tmp_path)
    (tmp_path / "copy.sqlite").mkdir()
    limits = Limits(deadline=2, new_documents_per_minute=1_000_000)
    async with running(
        tmp_path, world(recorded_rows()), ALL, LIVE, audit=COPIED, limits=limits
    ) as (gateway):
        page = await own_view(gateway)
    assert page.status_code == 200
    text = ParsedPage.of(page.text).text
    assert "Chưa đầy đủ" in text
    assert "Không thiếu phần nào" not in text
    assert "Chưa có ai xem." not in text


async def test_a_conflict_leads_to_a_request_that_names_the_law(tmp_path: Path) -> None:
    rows: Rows = {"civil_status": {"births": [BIRTH]}}
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        page = ParsedPage.of((await own_view(gateway)).text)
        assert "03/02/1991 có giá trị hơn theo luật" in page.text
        (link,) = {link for link in page.links if "corrections" in link}
        assert link == "/me/corrections/BIRTH_DATE"
        letter = await own_view(gateway, path=link, query="?lang=en")
        text = ParsedPage.of(letter.text).text
    assert letter.status_code == 200
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh phúc" in text
    assert "Kính gửi: Bộ Công an, cơ quan chủ quản Cơ sở dữ liệu quốc gia về dân cư" in text
    assert "Căn cứ Luật Hộ tịch 60/2014/QH13, Điều 60 khoản 2" in text
    assert HOA in text
    assert "Ngày, tháng, năm sinh: 03/02/1990" in text
    assert "Ngày, tháng, năm sinh: 03/02/1991" in text
    assert "Ngày sinh: 03/02/1990" not in text  # the date that the letter disputes


async def test_no_request_is_made_of_no_conflict_or_of_one_that_is_not_known(
    tmp_path: Path,
) -> None:
    known = world({})
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        for rule, status in (("BIRTH_DATE", 404), ("NOPE", 404)):
            answer = await own_view(gateway, path=f"/me/corrections/{rule}")
            assert answer.status_code == status
        known.of("civil_status").fault = "down"
        answer = await own_view(gateway, path="/me/corrections/BIRTH_DATE")
    assert answer.status_code == 503
    assert "chưa biết có mâu thuẫn này hay không" in answer.text
    assert "Không có mâu thuẫn" not in answer.text


async def test_a_parent_sees_the_view_of_the_child(tmp_path: Path) -> None:
    async with running(tmp_path, books(births=[birth()]), ALL, LIVE) as gateway:
        answer = await own_view(gateway, token=acting(gateway, LAN, CHILD))
        stranger = await own_view(gateway, token=acting(gateway, HOA, CHILD))
    assert answer.status_code == 200
    assert "Bạn đang xem thay cho người này" in answer.text
    assert stranger.status_code == 403
    assert CODES["REPRESENTATION_DENIED"].vi in ParsedPage.of(stranger.text).text


async def test_an_officer_is_no_citizen(gateway: Running, known: World) -> None:
    answer = await own_view(gateway, token=gateway.token("population:read"))
    assert answer.status_code == 403
    assert CODES["FORBIDDEN"].vi in ParsedPage.of(answer.text).text
    assert known.fetched == []


async def test_a_page_of_the_log_needs_the_token_of_the_form(gateway: Running) -> None:
    token = gateway.token("me", subject=HOA, purposes=[])
    headers = {"authorization": f"Bearer {token}"}
    page = ParsedPage.of((await own_view(gateway)).text)
    good = {"form-token": page.fields["form-token"], "list-after": "accessLog "}
    answer = await gateway.client.post(f"{LOCAL}/me", data=good, headers=headers)
    assert answer.status_code == 200
    assert "Ai đã xem dữ liệu của tôi" in answer.text
    assert sections(answer.text) == {}
    for form_token in ("", "1.a"):
        bad = {**good, "form-token": form_token}
        refused = await gateway.client.post(f"{LOCAL}/me", data=bad, headers=headers)
        assert refused.status_code == 403
        assert "FORM_EXPIRED" in refused.text


async def test_the_demo_offers_a_handful_of_citizens_with_their_stories(gateway: Running) -> None:
    numbers = {HOA: "conflicting_data", LAN: "married"}
    citizens = {number: gateway.token("me", subject=number, purposes=[]) for number in numbers}
    tokens = {"citizen": citizens[HOA], "citizens": citizens}
    (gateway.folder / "tokens.json").write_text(json.dumps(tokens), "utf-8")
    personas = [
        {"id": number, "tags": [tag], "story": f"Tên {place}: kể {tag} / Name {place}: tells {tag}"}
        for place, (number, tag) in enumerate(numbers.items())
    ]
    (gateway.folder / "personas.json").write_text(json.dumps(personas), "utf-8")
    page = ParsedPage.of((await gateway.client.get(f"{LOCAL}/me?lang=en")).text)
    assert "/me?lang=en&as=citizen" in page.links
    assert "/me?lang=en&as=citizen_2" in page.links
    assert "Name 0" in page.text
    assert "tells conflicting_data" in page.text
    seen = await gateway.client.get(f"{LOCAL}/me?as=citizen_2")
    assert "Trần Thị Lan" in seen.text
    elsewhere = await gateway.client.get("http://gateway/me?as=citizen")
    assert "Nguyễn Văn Hòa" not in elsewhere.text


async def test_production_says_how_citizens_sign_in(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE, demo=False) as gateway:
        answer = await gateway.client.get(f"{LOCAL}/me")
    assert answer.status_code == 200
    assert "Authorization: Bearer" in answer.text
