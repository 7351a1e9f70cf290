"""The persons of a number: person, persons, me, matching, earlier and shared numbers.

Covers ``gateway.people.numbers``, ``gateway.schema.query``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.settings import DatabaseSettings, Limits
from tests.support.faults import Faulty
from tests.support.people import (
    DEAD,
    FIRST_HOLDER,
    HOA,
    LAN,
    NOBODY,
    OLD_NUMBER,
    SECOND_HOLDER,
    SHARED_NUMBER,
    backends,
    population_rows,
)
from tests.support.running import OFFICER, codes, running

PERSON = "query($id: PersonNumber!) { person(id: $id) { id askedAs } }"
MARRIAGES = """query($id: PersonNumber!) { person(id: $id) { id notices { code reason detail }
  civilStatus { marriages { items { eventId } source { state earlierNumbersAsked } } } } }"""
MATCHING = """query($id: PersonNumber!, $matching: Matching!) {
  person(id: $id, matching: $matching) { id } }"""


async def test_a_valid_number_is_a_person_even_if_no_database_knows_it(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(PERSON, {"id": NOBODY})
    assert body["data"]["person"] == {"id": NOBODY, "askedAs": NOBODY}


async def test_an_old_number_leads_to_the_present_one_and_to_records_under_both(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": OLD_NUMBER})
    person = body["data"]["person"]
    assert person["id"] == HOA
    assert person["notices"] == [{"code": "EARLIER_NUMBER", "reason": None, "detail": None}]
    marriages = person["civilStatus"]["marriages"]
    assert [row["eventId"] for row in marriages["items"]] == ["M1", "M0"]
    assert marriages["source"] == {"state": "ANSWERED", "earlierNumbersAsked": True}


async def test_the_present_number_finds_records_under_the_old_one(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": HOA})
    marriages = body["data"]["person"]["civilStatus"]["marriages"]
    assert [row["eventId"] for row in marriages["items"]] == ["M1", "M0"]


async def test_a_cancelled_number_leads_to_the_present_one(tmp_path: Path) -> None:
    rows = population_rows()["earlier_numbers"]
    rows.append({"entry_id": "e9", "number": NOBODY, "citizen_id": LAN, "kind": "CANCELLED"})
    async with running(tmp_path, backends(population={"earlier_numbers": rows})) as gateway:
        body = await gateway.ask(PERSON, {"id": NOBODY})
    assert body["data"]["person"] == {"id": LAN, "askedAs": NOBODY}


async def test_a_number_of_two_persons_shows_nobody(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": SHARED_NUMBER})
    assert body["data"]["person"] is None
    assert codes(body) == ["NUMBER_CONFLICT"]
    assert source.fetched == []


async def test_a_present_number_that_is_also_anothers_cancelled_one_shows_nobody(
    tmp_path: Path,
) -> None:
    rows = population_rows()["earlier_numbers"]
    rows.append({"entry_id": "e9", "number": LAN, "citizen_id": HOA, "kind": "CANCELLED"})
    async with running(tmp_path, backends(population={"earlier_numbers": rows})) as gateway:
        body = await gateway.ask(PERSON, {"id": LAN})
    assert body["data"]["person"] is None
    assert codes(body) == ["NUMBER_CONFLICT"]


async def test_two_identities_under_one_number_show_nobody(tmp_path: Path) -> None:
    rows = population_rows()["identity"]
    rows.append({"citizen_id": LAN, "full_name": "Người khác"})
    async with running(tmp_path, backends(population={"identity": rows})) as gateway:
        body = await gateway.ask(PERSON, {"id": LAN})
    assert body["data"]["person"] is None
    assert codes(body) == ["NUMBER_CONFLICT"]


async def test_an_old_number_that_nobody_holds_has_no_present_number(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(PERSON, {"id": "111111111"})
    assert body["data"]["person"] == {"id": None, "askedAs": "111111111"}


async def test_without_population_twelve_digits_are_answered_and_the_doubt_is_said(
    tmp_path: Path,
) -> None:
    sources = backends()
    all_sources = {**sources, "population": Faulty(sources["population"], "down")}
    async with running(tmp_path, all_sources) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": HOA})
    person = body["data"]["person"]
    assert person["id"] == HOA
    assert person["notices"] == [{"code": "UNKNOWN", "reason": "UNAVAILABLE", "detail": None}]
    marriages = person["civilStatus"]["marriages"]
    assert marriages["source"] == {"state": "INCOMPLETE", "earlierNumbersAsked": False}
    assert [row["eventId"] for row in marriages["items"]] == ["M1"]
    (error,) = body["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("NUMBERS_INCOMPLETE", ["person"])
    assert error["extensions"]["lists"] == ["civilStatus.marriages"]


async def test_without_population_an_old_number_shows_nobody_and_says_why(tmp_path: Path) -> None:
    sources = backends()
    all_sources = {**sources, "population": Faulty(sources["population"], "down")}
    async with running(tmp_path, all_sources) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": OLD_NUMBER})
    assert body["data"]["person"] is None
    assert codes(body) == ["NUMBER_UNRESOLVED"]


@pytest.mark.parametrize("record", ["identity", "earlier_numbers"])
async def test_a_part_of_population_that_fails_leaves_the_doubt(
    tmp_path: Path, record: str
) -> None:
    sources = backends()
    source = Faulty(sources["population"], "down")
    source.only = record
    async with running(tmp_path, {**sources, "population": source}) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": LAN})
    person = body["data"]["person"]
    assert "UNKNOWN" in [notice["code"] for notice in person["notices"]]
    assert person["civilStatus"]["marriages"]["source"]["earlierNumbersAsked"] is False


async def test_persons_keep_order_and_repeats_and_fetch_together(tmp_path: Path) -> None:
    sources = backends()
    source = Faulty(sources["civil_status"])
    query = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { id
      civilStatus { marriages { items { eventId } } } } }"""
    ids = [LAN, HOA, LAN, SHARED_NUMBER, NOBODY]
    async with running(tmp_path, {**sources, "civil_status": source}) as gateway:
        body = await gateway.ask(query, {"ids": ids})
    shown = [person and person["id"] for person in body["data"]["persons"]]
    assert shown == [LAN, HOA, LAN, None, NOBODY]
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [
        (["persons", 3], "NUMBER_CONFLICT"),
        (["persons", 4], "PERSON_NOT_IDENTIFIED"),
    ]
    fetched_keys = [keys for _, _, keys in source.fetched]
    assert len(fetched_keys) == 2, "the old number that one of them has is learned on the way"
    assert sorted(key for keys in fetched_keys for key in keys) == sorted(
        {LAN, HOA, NOBODY, OLD_NUMBER}
    )


async def test_a_hundred_persons_are_the_most(tmp_path: Path) -> None:
    query = "query($ids: [PersonNumber!]!) { persons(ids: $ids) { id } }"
    ids = [f"0010900{number:05d}" for number in range(101)]
    async with running(tmp_path) as gateway:
        enough = await gateway.ask(query, {"ids": ids[:100]})
        too_many = await gateway.ask(query, {"ids": ids})
    assert [person["id"] for person in enough["data"]["persons"]] == ids[:100]
    assert too_many["data"]["persons"] is None
    assert codes(too_many) == ["TOO_MANY_PERSONS"]


async def test_aliases_do_not_get_round_the_limit_of_persons(tmp_path: Path) -> None:
    query = """query($ids: [PersonNumber!]!) {
      a: persons(ids: $ids) { id } b: persons(ids: $ids) { id } }"""
    ids = [f"0010900{number:05d}" for number in range(60)]
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, {"ids": ids})
    assert sorted(person is None for person in body["data"].values()) == [False, True]
    assert codes(body) == ["TOO_MANY_PERSONS"]


async def test_records_lead_to_a_limited_number_of_persons(tmp_path: Path) -> None:
    limits = Limits(persons_reached=1)
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus { marriages {
      items { husband { person { id } } } } } } }"""
    async with running(tmp_path, limits=limits) as gateway:
        body = await gateway.ask(query, {"id": LAN})
    marriages = body["data"]["person"]["civilStatus"]["marriages"]
    assert marriages["items"] == [{"husband": {"person": None}}]
    assert codes(body) == ["TOO_MANY_PERSONS"]


@pytest.mark.parametrize(
    "matching",
    [
        {"birthDate": "1990-02-03"},
        {"birthDate": "1990-02-03", "name": "Nguyễn Văn Hòa"},
        {"birthDate": "1990-02-03", "name": "  nguyễn VĂN hoà "},
        {"birthDate": "1990-02-03", "name": "Nguye\u0302\u0303n Va\u0306n Ho\u0300a"},
        {},
    ],
)
async def test_details_that_agree_show_the_person(tmp_path: Path, matching: dict[str, str]) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(MATCHING, {"id": HOA, "matching": matching})
    assert body == {"data": {"person": {"id": HOA}}}


@pytest.mark.parametrize(
    ("number", "matching"),
    [
        (HOA, {"birthDate": "1990-02-03", "name": "Nguyễn Văn Hoá"}),
        (HOA, {"birthDate": "1990-02-03", "name": "Nguyen Van Hoa"}),
        (HOA, {"birthDate": "1990-02-04"}),
        (HOA, {"name": "Nguyễn Văn Hòa", "birthDate": "1990"}),
        (HOA, {"name": "Nguyễn Văn Hòa", "birthDate": "1991"}),
        (NOBODY, {"birthDate": "1990-02-03"}),
        (SHARED_NUMBER, {"birthDate": "1990-02-03"}),
    ],
)
async def test_a_mismatch_and_an_unknown_number_are_the_same_answer(
    tmp_path: Path, number: str, matching: dict[str, str]
) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(MATCHING, {"id": number, "matching": matching})
    assert body["data"] == {"person": None}
    (error,) = body["errors"]
    assert error["extensions"] == {
        "code": "PERSON_NOT_MATCHED",
        "messageVi": "Thông tin đối chiếu không khớp.",
        "documentation": "docs/errors/PERSON_NOT_MATCHED.md",
    }


async def test_a_match_that_could_not_be_looked_up_is_not_a_mismatch(tmp_path: Path) -> None:
    sources = backends()
    all_sources = {**sources, "population": Faulty(sources["population"], "down")}
    async with running(tmp_path, all_sources) as gateway:
        body = await gateway.ask(MATCHING, {"id": HOA, "matching": {"birthDate": "1990-02-03"}})
    assert codes(body) == ["NUMBER_UNRESOLVED"]


async def test_me_is_the_citizen_and_everything_but_what_the_law_withholds(tmp_path: Path) -> None:
    query = """{ me { id population { identity { item { ethnicity other } } }
      civilStatus { marriages { items { husband { ethnicity } } } courtNotes { items { eventId } }
    } } }"""
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, scopes=["me"], subject=HOA)
    me = body["data"]["me"]
    assert me["id"] == HOA
    assert me["population"]["identity"]["item"] == {
        "ethnicity": "Kinh",
        "other": "chỉ cơ quan quản lý",
    }
    assert me["civilStatus"]["marriages"]["items"][0]["husband"]["ethnicity"] == "Kinh"
    assert me["civilStatus"]["courtNotes"]["items"] == [{"eventId": "N2"}]
    assert "errors" not in body


async def test_a_citizen_sees_nobody_else(tmp_path: Path) -> None:
    query = """{ me { civilStatus { marriages { items { wife { person { id notices { code reason }
      population { identity { item { sex } source { state } } } } } } } } } }"""
    async with running(tmp_path) as gateway:
        walked = await gateway.ask(query, scopes=["me"], subject=HOA)
        named = await gateway.ask(PERSON, {"id": LAN}, scopes=["me"], subject=HOA)
        several = await gateway.ask(
            "query($ids: [PersonNumber!]!) { persons(ids: $ids) { id } }",
            {"ids": [HOA, LAN]},
            scopes=["me"],
            subject=HOA,
        )
    wife = walked["data"]["me"]["civilStatus"]["marriages"]["items"][0]["wife"]["person"]
    assert wife["population"]["identity"] == {"item": None, "source": {"state": "DENIED"}}
    assert wife["notices"] == [{"code": "UNKNOWN", "reason": "DENIED"}]
    assert named["data"] == {"person": None}
    assert codes(named) == ["FORBIDDEN"]
    assert several["data"] == {"persons": [None, None]}
    assert set(codes(several)) == {"FORBIDDEN"}


async def test_citizens_who_come_back_to_themselves_see_themselves(tmp_path: Path) -> None:
    query = """{ me { civilStatus { marriages { items { husband { person { id
      population { identity { item { ethnicity } } } } } } } } } }"""
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, scopes=["me"], subject=HOA)
    husband = body["data"]["me"]["civilStatus"]["marriages"]["items"][0]["husband"]["person"]
    assert husband["population"]["identity"]["item"] == {"ethnicity": "Kinh"}
    assert "errors" not in body


async def test_an_old_number_whose_holders_are_in_doubt_shows_nobody(tmp_path: Path) -> None:
    """One of two holders is unreadable: the other must not pass for the only one."""
    rows = population_rows()["earlier_numbers"]
    rows.append({"entry_id": "e8", "number": OLD_NUMBER, "citizen_id": "somebody"})
    async with running(tmp_path, backends(population={"earlier_numbers": rows})) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": OLD_NUMBER})
    assert body["data"]["person"] is None
    assert codes(body) == ["NUMBER_UNRESOLVED"]


async def test_what_the_population_does_not_say_is_unknown(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"citizen_id": LAN, "life_status": "ALIVE"}]
    async with running(tmp_path, backends(population={"identity": rows})) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": LAN})
    assert [notice["code"] for notice in body["data"]["person"]["notices"]] == ["UNKNOWN"]


async def test_me_is_for_citizens(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask("{ me { id } }", scopes=OFFICER)
    assert body["data"] == {"me": None}
    assert codes(body) == ["FORBIDDEN"]


async def test_notices_say_dead_and_under_correction(tmp_path: Path) -> None:
    query = "query($ids: [PersonNumber!]!) { persons(ids: $ids) { notices { code detail } } }"
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, {"ids": [DEAD, LAN, NOBODY, HOA]})
    assert [person["notices"] for person in body["data"]["persons"]] == [
        [{"code": "DECEASED", "detail": "2020-05-06"}],
        [{"code": "UNDER_CORRECTION", "detail": None}],
        [{"code": "NOT_IN_POPULATION", "detail": None}],
        [],
    ]


async def test_notices_not_selected_are_mirrored_in_the_extensions(tmp_path: Path) -> None:
    query = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { id } }"""
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, {"ids": [HOA, DEAD]})
    (mirrored,) = body["extensions"]["notices"]
    assert mirrored["path"] == ["persons", 1]
    assert [notice["code"] for notice in mirrored["notices"]] == ["DECEASED"]


async def test_callers_who_may_not_know_are_told_that_they_are_not_told(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": DEAD}, scopes=["civil_status:read"])
    assert body["data"]["person"]["notices"] == [
        {"code": "UNKNOWN", "reason": "DENIED", "detail": None}
    ]


async def test_an_unreadable_identity_is_unknown_and_not_absent(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"citizen_id": LAN, "birth_date": "long ago"}]
    async with running(tmp_path, backends(population={"identity": rows})) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": LAN})
    reasons = [(notice["code"], notice["reason"]) for notice in body["data"]["person"]["notices"]]
    assert reasons == [("UNKNOWN", "PARTIAL")]


async def test_digits_that_disagree_with_the_record_are_a_notice(tmp_path: Path) -> None:
    identity: dict[str, object] = {"life_status": "ALIVE", "status": "CURRENT"}
    rows: list[dict[str, object]] = [
        {"citizen_id": LAN, "sex": "MALE", "birth_date": "1991", **identity},
        {"citizen_id": "999191054321", "sex": "FEMALE", **identity},
    ]
    query = "query($ids: [PersonNumber!]!) { persons(ids: $ids) { notices { code } } }"
    async with running(tmp_path, backends(population={"identity": rows})) as gateway:
        body = await gateway.ask(query, {"ids": [LAN, "999191054321"]})
    notices: list[Any] = [person["notices"] for person in body["data"]["persons"]]
    assert notices == [[{"code": "NUMBER_DISAGREES"}], [{"code": "PREFIX_UNKNOWN"}]]


@pytest.mark.parametrize(
    ("scopes", "fault", "beside"),
    [
        (["population:read", "civil_status:read"], None, ["NOT_IN_POPULATION"]),
        (["civil_status:read"], None, ["NOT_IN_POPULATION", "UNKNOWN"]),
        (["population:read", "civil_status:read"], "down", ["UNKNOWN"]),
    ],
)
async def test_an_unknown_prefix_is_told_of_any_number_to_everybody(
    tmp_path: Path, scopes: list[str], fault: str | None, beside: list[str]
) -> None:
    sources = backends()
    all_sources = {**sources, "population": Faulty(sources["population"], fault)}
    query = "query($id: PersonNumber!) { person(id: $id) { notices { code } } }"
    async with running(tmp_path, all_sources) as gateway:
        for number, is_notified in (("999099012345", True), (NOBODY, False)):
            body = await gateway.ask(query, {"id": number}, scopes=scopes)
            codes = [notice["code"] for notice in body["data"]["person"]["notices"]]
            assert codes == [*beside, *(["PREFIX_UNKNOWN"] if is_notified else [])]


async def test_a_slow_population_database_holds_nobody_up_beyond_its_timeout(
    tmp_path: Path,
) -> None:
    sources = backends()
    all_sources = {**sources, "population": Faulty(sources["population"], "hangs")}
    settings = {"population": DatabaseSettings(timeout=0.05)}
    async with running(tmp_path, all_sources, databases_=settings) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": LAN})
    person = body["data"]["person"]
    assert person["notices"] == [{"code": "UNKNOWN", "reason": "TIMED_OUT", "detail": None}]
    assert person["civilStatus"]["marriages"]["source"]["state"] == "INCOMPLETE"


async def test_every_person_touched_is_in_the_journal_and_none_by_name(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus { marriages {
      items { husband { person { id } } } } } } }"""
    async with running(tmp_path) as gateway:
        await gateway.ask(query, {"id": LAN})
        await gateway.ask(PERSON, {"id": HOA}, scopes=["me"], subject=LAN)
        await gateway.ask("{ databases { name } }")
        entries = gateway.journal()
        text = (gateway.folder / "journal/audit-00000001.jsonl").read_text()
    read, refused_entry = entries
    assert len(read["persons"]) == 2
    assert read["sections"]["civil_status.marriages"] == "ANSWERED"
    assert refused_entry["codes"] == ["FORBIDDEN"]
    assert refused_entry["persons"] != []
    assert not any(number in text for number in (LAN, HOA))


def _marriage_under(number: str) -> list[dict[str, object]]:
    return [{"event_id": "whose?", "husband_citizen_id": number, "registration_date": "1990-01-01"}]


@pytest.mark.parametrize("is_own_view", [True, False])
async def test_records_under_a_shared_earlier_number_are_shown_to_neither_holder(
    tmp_path: Path, is_own_view: bool
) -> None:
    """The present number is one person's, but an earlier one of theirs is somebody else's too."""
    sources = backends(civil_status={"marriages": _marriage_under(SHARED_NUMBER)})
    query = MARRIAGES.replace("query($id: PersonNumber!) { person(id: $id)", "{ me")
    async with running(tmp_path, sources) as gateway:
        for holder in (FIRST_HOLDER, SECOND_HOLDER):
            if is_own_view:
                body = await gateway.ask(query, scopes=["me"], subject=holder)
            else:
                body = await gateway.ask(MARRIAGES, {"id": holder})
            person = body["data"]["me" if is_own_view else "person"]
            assert person["id"] == holder
            assert [notice["code"] for notice in person["notices"]] == ["NUMBER_SHARED"]
            marriages = person["civilStatus"]["marriages"]
            assert marriages["items"] is None
            assert marriages["source"] == {"state": "INCOMPLETE", "earlierNumbersAsked": False}
            assert codes(body) == ["NUMBER_SHARED"]


async def test_an_earlier_number_that_is_anothers_present_one_is_not_asked(tmp_path: Path) -> None:
    rows = population_rows()["earlier_numbers"]
    rows.append({"entry_id": "e9", "number": LAN, "citizen_id": DEAD, "kind": "CANCELLED"})
    sources = backends(population={"earlier_numbers": rows})
    async with running(tmp_path, sources) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": DEAD})
    person = body["data"]["person"]
    assert "NUMBER_SHARED" in [notice["code"] for notice in person["notices"]]
    assert person["civilStatus"]["marriages"]["items"] is None


async def test_an_earlier_number_whose_holders_are_in_doubt_is_not_asked(tmp_path: Path) -> None:
    rows = population_rows()["earlier_numbers"]
    rows.append({"entry_id": "e8", "number": OLD_NUMBER, "citizen_id": "somebody"})
    async with running(tmp_path, backends(population={"earlier_numbers": rows})) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": HOA})
    person = body["data"]["person"]
    assert [(notice["code"], notice["reason"]) for notice in person["notices"]] == [
        ("UNKNOWN", "PARTIAL")
    ]
    marriages = person["civilStatus"]["marriages"]
    assert [row["eventId"] for row in marriages["items"]] == ["M1"]
    assert marriages["source"]["earlierNumbersAsked"] is False


async def test_a_record_found_under_two_numbers_is_shown_once_and_two_records_twice(
    tmp_path: Path,
) -> None:
    """Two rows may bear one identity by mistake; which of them is right nobody here can say."""
    shared_marriage: dict[str, object] = {
        "event_id": "M1",
        "husband_citizen_id": HOA,
        "wife_citizen_id": OLD_NUMBER,
    }
    other: dict[str, object] = {
        "event_id": "M1",
        "husband_citizen_id": OLD_NUMBER,
        "status": "VALID",
    }
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      marriages { items { eventId status } } } } }"""
    rows = backends(civil_status={"marriages": [shared_marriage, other]})
    async with running(tmp_path, rows) as gateway:
        body = await gateway.ask(query, {"id": HOA})
    items = body["data"]["person"]["civilStatus"]["marriages"]["items"]
    assert sorted(items, key=str) == [
        {"eventId": "M1", "status": "VALID"},
        {"eventId": "M1", "status": None},
    ]
