"""``/person`` over ASGI: every list with its state, refusals, rights, what is kept and recorded.

Covers ``gateway.pages.person.*``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Group
from gateway.errors import CODES
from gateway.settings import DatabaseSettings, RateLimits
from tests.support.pages import CASE, LOCAL, ParsedPage
from tests.support.people import DEAD, HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER
from tests.support.person_pages import PersonDesk, marks, recorded_rows, sections
from tests.support.running import Running, running
from tests.support.worlds import ALL, LIVE, Row, Rows, World, world

#: The population database last: once it has failed, nothing is known for sure.
DATABASES = sorted((database.name for database in ALL if database.records), key="population".__eq__)


@pytest.fixture
def known() -> World:
    return world(recorded_rows())


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, ALL, LIVE) as started:
        yield started


async def test_every_database_and_every_list_is_shown(gateway: Running) -> None:
    answer = await PersonDesk(gateway).look()
    shown = sections(answer.text)
    assert answer.status_code == 200
    assert {*shown} == {to_camel_case(name) for name in DATABASES}
    text = ParsedPage.of(answer.text).text
    for database in ALL:
        assert all(
            lookup.title.vi in text
            for record in database.records
            for lookup in record.lookups
            if lookup.on is None and lookup.entry is None and not lookup.hidden
        )
    assert "Nguyễn Văn Hòa" in text
    assert CASE in text


@pytest.mark.parametrize("fault", ["down", "unmapped"])
async def test_a_database_that_fails_says_none_nowhere(
    gateway: Running, known: World, fault: str
) -> None:
    for name in DATABASES:
        known.of(name).fault = fault
        answer = await PersonDesk(gateway).look()
        known.of(name).fault = None
        shown = sections(answer.text)
        part = shown[to_camel_case(name)]
        assert answer.status_code == 200
        assert not {"NONE", "ANSWERED"} & {*marks(part)}
        assert "Không có bản ghi" not in part
        assert "secret" not in answer.text
        assert fault == "unmapped" or "chưa biết" in part.lower()
        assert fault == "unmapped" or "Chưa đầy đủ" in ParsedPage.of(answer.text).text
    # Where the population database fails, it is not known under which numbers to look.
    assert all("NONE" not in marks(each) for each in shown.values())


async def test_all_that_fail_say_none_nowhere(gateway: Running, known: World) -> None:
    for name in DATABASES:
        known.of(name).fault = "down"
    answer = await PersonDesk(gateway).look()
    assert "NONE" not in marks(answer.text)
    assert "Không có mâu thuẫn" not in answer.text
    assert "Đã kiểm tra mọi quy tắc" not in answer.text


async def test_none_is_said_of_what_answered_and_within_its_coverage(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        text = ParsedPage.of((await PersonDesk(gateway).look()).text).text
    assert "Kết hôn Không có bản ghi" in text
    assert "Trong phạm vi: cả nước" in text
    assert "Đầy đủ" in text


async def test_nobody_by_this_number_is_not_none(gateway: Running) -> None:
    answer = await PersonDesk(gateway).look(NOBODY)
    assert answer.status_code == 200
    assert "NONE" not in marks("".join(sections(answer.text).values()))
    assert "Chưa đầy đủ" in ParsedPage.of(answer.text).text


async def test_what_is_not_permitted_names_what_is_missing_and_is_not_asked(
    gateway: Running, known: World
) -> None:
    desk = PersonDesk(gateway, ("population:read", "civil_status:read"), "1.000894")
    answer = await desk.look()
    shown = sections(answer.text)
    assert {*marks(shown["notary"])} == {"DENIED"}
    assert "purpose:notary.transactions" in shown["notary"]
    assert "notary:read" in shown["notary"]
    assert "do cơ quan chủ quản" in shown["notary"]
    assert not any(record.startswith("notary") for record, _, _ in known.fetched)
    assert "Kinh" not in answer.text  # ethnicity is SENSITIVE
    assert "FORBIDDEN" not in str(gateway.journal())


async def test_a_database_that_is_not_live_says_so(tmp_path: Path) -> None:
    built = {**LIVE, "notary": DatabaseSettings(timeout=120, group=Group.UNDER_CONSTRUCTION)}
    async with running(tmp_path, world({}), ALL, built) as gateway:
        part = sections((await PersonDesk(gateway).look()).text)["notary"]
    assert {*marks(part)} <= {"NOT_OPERATING", "WITHHELD"}
    assert "Chưa vận hành" in part


async def test_an_earlier_number_leads_to_the_person_and_is_noticed(gateway: Running) -> None:
    text = ParsedPage.of((await PersonDesk(gateway).look(OLD_NUMBER)).text).text
    assert "Số được hỏi là số đã dùng trước đây" in text
    assert f"Số định danh hiện tại {HOA}" in text


async def test_the_dead_are_noticed(gateway: Running) -> None:
    text = ParsedPage.of((await PersonDesk(gateway).look(DEAD)).text).text
    assert "Người này đã chết (06/05/2020)" in text


async def test_conflicts_show_both_values_and_the_law(tmp_path: Path) -> None:
    birth: Row = {
        "event_id": "B1",
        "citizen_id": HOA,
        "birth_date": "1991-02-03",
        "status": "VALID",
    }
    rows: Rows = {"civil_status": {"births": [birth]}}
    async with running(tmp_path, world(rows), ALL, LIVE) as gateway:
        text = ParsedPage.of((await PersonDesk(gateway).look()).text).text
    assert "03/02/1990" in text
    assert "03/02/1991 có giá trị hơn theo luật" in text
    assert "Luật Hộ tịch 60/2014/QH13, Điều 60 khoản 2" in text


async def test_the_page_of_somebody_shows_nothing_of_somebody_else(gateway: Running) -> None:
    answer = await PersonDesk(gateway).look(LAN)
    assert LAN in answer.text
    assert "births-1" not in answer.text
    assert "Nguyễn Văn Hòa" not in answer.text


async def test_a_long_list_says_that_there_is_more_and_leads_to_it(tmp_path: Path) -> None:
    births: list[Row] = [
        {"event_id": f"B{place:03}", "citizen_id": f"0012{place:08}", "father_citizen_id": HOA,
         "full_name": f"Con thứ {place:03}", "status": "VALID",
         "registration_date": f"20{place // 28:02}-01-{place % 28 + 1:02}"}
        for place in range(230)
    ]  # fmt: skip
    async with running(tmp_path, world({"civil_status": {"births": births}}), ALL, LIVE) as gateway:
        desk, seen = PersonDesk(gateway), set()
        page = ParsedPage.of((await desk.look()).text)
        assert "20 bản ghi" in page.text
        assert "Còn bản ghi chưa hiển thị ở đây." in page.text
        for _ in range(30):
            seen |= {word for word in page.text.split("Con thứ ") if word[:3].isdigit()}
            more = [
                attributes["value"]
                for tag, attributes in page.tags
                if tag == "button" and (attributes.get("value") or "").startswith("civilStatus.b")
            ]
            if not more:
                break
            page = ParsedPage.of((await desk.look(list_after=str(more[0]))).text)
        assert {word[:3] for word in seen} == {f"{place:03}" for place in range(230)}


async def test_a_list_that_changed_meanwhile_is_not_none(gateway: Running) -> None:
    answer = await PersonDesk(gateway).look(list_after="civilStatus.marriages bm8=")
    text = ParsedPage.of(answer.text).text
    assert "NONE" not in marks(answer.text)
    assert answer.status_code in {200, 422}
    assert "Không có bản ghi" not in text.replace("“Không có bản ghi”", "")


@pytest.mark.parametrize(
    ("number", "typed", "status", "code"),
    [
        ("", {}, 422, "INVALID_PERSON_NUMBER"),
        ("12x", {}, 422, "INVALID_PERSON_NUMBER"),
        (HOA + "1", {}, 422, "INVALID_PERSON_NUMBER"),
        (SHARED_NUMBER, {}, 422, "NUMBER_CONFLICT"),
        (HOA, {"case_number": ""}, 400, "CASE_NUMBER_REQUIRED"),
        (HOA, {"case_number": "hai từ"}, 400, "BAD_REQUEST"),
        (HOA, {"purpose": ""}, 400, "PURPOSE_REQUIRED"),
        (HOA, {"purpose": "1.000894"}, 403, "PURPOSE_NOT_GRANTED"),
        (HOA, {"purpose": "<b>"}, 400, "BAD_REQUEST"),
        (HOA, {"form_token": "1.a"}, 403, "FORM_EXPIRED"),
        (HOA, {"form_token": ""}, 403, "FORM_EXPIRED"),
    ],
    ids=str,
)
async def test_bad_input_is_said_in_both_languages_and_what_was_typed_is_kept(
    gateway: Running, known: World, number: str, typed: dict[str, str], status: int, code: str
) -> None:
    answer = await PersonDesk(gateway).look(number, **typed)
    page = ParsedPage.of(answer.text)
    assert answer.status_code == status
    assert code in page.text
    assert CODES[code].vi in page.text
    assert CODES[code].en in page.text or code in {"BAD_REQUEST", "INVALID_PERSON_NUMBER"}
    assert page.fields["number"] == number
    assert page.fields["case-number"] == typed.get("case_number", CASE)
    assert "Kết quả tra cứu" not in page.text
    assert "<b>" not in answer.text
    assert known.fetched == [] or code == "NUMBER_CONFLICT"


async def test_blanks_between_digits_do_not_matter(gateway: Running) -> None:
    answer = await PersonDesk(gateway).look(f"{HOA[:3]} {HOA[3:6]} {HOA[6:]}")
    assert "Nguyễn Văn Hòa" in answer.text


async def test_a_look_is_in_the_journal_with_purpose_and_case(gateway: Running) -> None:
    await PersonDesk(gateway).look()
    entries = gateway.journal()
    assert {(entry["purpose"], entry["caseNumber"]) for entry in entries} == {
        ("bench-unified", CASE)
    }
    assert len({entry["requestId"] for entry in entries}) == 1
    assert HOA not in str(entries)


async def test_documents_that_are_refused_leave_their_lists_unknown(tmp_path: Path) -> None:
    """The client's rate may be used up in the middle of a view."""
    rates = RateLimits(enforced=True, requests_per_minute=3)
    async with running(tmp_path, world({}), ALL, LIVE, rates=rates) as gateway:
        answer = await PersonDesk(gateway).look()
    shown = sections(answer.text)
    assert answer.status_code == 200
    assert "ANSWERED" in marks(shown["population"])
    assert not {"NONE", "ANSWERED"} & {*marks(shown["securityMeasures"])}
    assert CODES["RATE_LIMITED"].vi in shown["securityMeasures"]
    assert "Chưa đầy đủ" in ParsedPage.of(answer.text).text


async def test_who_has_no_token_is_told_so_and_asks_nobody(gateway: Running, known: World) -> None:
    for answer in (
        await gateway.client.get(f"{LOCAL}/person"),
        await gateway.client.post(f"{LOCAL}/person", data={"number": HOA}),
    ):
        assert answer.status_code in {200, 401}
        assert "Nguyễn Văn Hòa" not in answer.text
    assert known.fetched == []


async def test_a_citizen_may_not_look_at_others(gateway: Running, known: World) -> None:
    answer = await PersonDesk(gateway, ("me",), subject=HOA).look(LAN)
    assert answer.status_code == 403
    assert known.fetched == []


async def test_the_form_of_somebody_else_is_refused(gateway: Running, known: World) -> None:
    form = ParsedPage.of((await PersonDesk(gateway, subject="officer-2").get()).text)
    answer = await PersonDesk(gateway).look(form_token=form.fields["form-token"])
    assert answer.status_code == 403
    assert known.fetched == []


async def test_no_number_stands_in_an_address(gateway: Running) -> None:
    page = ParsedPage.of((await PersonDesk(gateway).look()).text)
    assert all(form["method"] == "post" and HOA not in str(form["action"]) for form in page.forms)
    assert not any(HOA in link for link in page.links)


async def test_english_has_no_vietnamese_phrases_of_the_page(gateway: Running) -> None:
    text = ParsedPage.of((await PersonDesk(gateway, query="?lang=en").look()).text).text
    assert "Look at a person" in text
    assert "The population database knows the person" in text
    assert "Only “None recorded” means that there is none." in text


async def test_odd_rows_are_shown_or_said_to_be_unreadable(tmp_path: Path) -> None:
    for seed in range(2):
        rows = recorded_rows(seed=seed)
        async with running(tmp_path / str(seed), world(rows), ALL, LIVE) as gateway:
            answer = await PersonDesk(gateway).look()
        assert answer.status_code == 200
        assert "<b>&amp;amp;" in answer.text or "</script><b>" not in answer.text
