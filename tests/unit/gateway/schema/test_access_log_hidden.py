"""Hidden and deferred entries leave no trace in an access log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.catalogue.scopes import AUDIT
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Purpose
from tests.support.access_logs import (
    OWN_LOG,
    PERSON_LOG,
    logged,
    logged_requests,
    look_up,
    own_answer,
    own_log,
)
from tests.support.hidden_rows import adopted, common, who_made_a_will
from tests.support.people import HOA, LAN
from tests.support.representation import CHILD, birth, books
from tests.support.running import Running, codes
from tests.support.selecting import ROOMY, of_person
from tests.support.worlds import (
    ALL,
    EVERY,
    LIVE,
    WAYS,
    Rows,
    acting,
    answer,
    together,
    world,
)

REVIEW = "access-log-review"
AID = "query($id: PersonNumber!) { person(id: $id) { legalAid { cases { items { caseNo } } } } }"
DEFERRED = {"1.000894": Purpose(deferred_days=30)}
DAY = 24 * 3600


@pytest.fixture(autouse=True, params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


async def pages(gateway: Running, number: str, first: int) -> list[list[str]]:
    """Return who looked somebody up, page by page of their log."""
    pages_read, after = [], None
    while True:
        log = await own_log(gateway, number, first=first, after=after)
        pages_read.append(logged_requests(log, "NAMED"))
        if (after := log["next"]) is None:
            return pages_read


async def test_a_deferred_look_up_leaves_no_trace_until_its_time_and_then_stands_in_its_place(
    tmp_path: Path,
) -> None:
    async with logged(tmp_path, purposes=DEFERRED) as gateway:
        first = await look_up(gateway)
        hidden_ids = [await look_up(gateway, purpose="1.000894") for _ in range(2)]
        last = await look_up(gateway)
        before = await own_log(gateway, first=2)
        assert (logged_requests(before), before["next"]) == ([last, first], None)
        gateway.clock.advance(29 * DAY)
        assert hidden_ids[0] not in json.dumps(await own_log(gateway))
        gateway.clock.advance(DAY)
        assert logged_requests(await own_log(gateway)) == [last, *hidden_ids[::-1], first]


async def test_deferred_look_ups_make_no_page_of_their_own(tmp_path: Path) -> None:
    async with logged(tmp_path, purposes=DEFERRED) as gateway:
        request_ids = []
        for _ in range(2):
            request_ids.append(await look_up(gateway))
            await look_up(gateway, purpose="1.000894.H29")
        log_pages = await pages(gateway, HOA, 1)
    assert [page for page in log_pages if page] == [[request_ids[1]], [request_ids[0]]]
    assert log_pages[-1] == [request_ids[0]], "there is no empty page at the end"


async def test_deferred_look_ups_alone_are_no_log_at_all(tmp_path: Path) -> None:
    async with logged(tmp_path, purposes=DEFERRED) as gateway:
        await look_up(gateway, purpose="1.000894")
        his_log = await own_log(gateway, HOA, first=1)
        hers = await own_log(gateway, LAN, first=1)
    assert his_log == hers


@pytest.mark.parametrize(
    ("query", "purpose"),
    [
        (AID, UNIFIED),
        (AID, "2.000829"),
        ("query($id: PersonNumber!) { person(id: $id) { id } }", "2.000829"),
        ("query($id: PersonNumber!) { person(id: $id) { id } }", "2.000829.H29"),
        ("query($id: PersonNumber!) { person(id: $id) { id } }", "address-protection"),
    ],
)
async def test_a_parent_sees_no_trace_of_look_ups_for_legal_aid_or_protection(
    tmp_path: Path, query: str, purpose: str
) -> None:
    async with logged(tmp_path, books(births=[birth()]), ALL, LIVE) as gateway:
        visible_id = await look_up(gateway, CHILD)
        hidden_id = await look_up(gateway, CHILD, query, EVERY, purpose)
        token = acting(gateway, LAN, CHILD)
        reply = await gateway.post(OWN_LOG, {"first": 1}, token, x_purpose="", x_case_number="")
        parents = reply.json()["data"]["me"]["accessLog"]
        childs = await own_log(gateway, CHILD)
    assert logged_requests(parents) == [visible_id]
    assert (parents["next"], parents["state"]) == (None, "ANSWERED")
    assert hidden_id not in json.dumps(parents)
    assert logged_requests(childs) == [hidden_id, visible_id]
    assert logged_requests(childs, "REPRESENTED") != [], "that the parent read the log is in it"


async def review(gateway: Running, scopes: tuple[str, ...], purpose: str) -> dict[str, Any]:
    """Ask for HOA's log as somebody else."""
    token = gateway.token(*scopes, subject="auditor-1", purposes=[purpose])
    reply = await gateway.post(PERSON_LOG, {"id": HOA}, token, x_purpose=purpose)
    body: dict[str, Any] = reply.json()
    return body


@pytest.mark.parametrize(
    ("scopes", "purpose", "missing"),
    [
        (("population:read",), "1.000894", [AUDIT, "purpose:access_log"]),
        (("population:read",), REVIEW, [AUDIT]),
        ((AUDIT,), "1.000894", ["purpose:access_log"]),
    ],
)
async def test_somebody_elses_log_needs_the_auditors_scope_and_purpose(
    tmp_path: Path, scopes: tuple[str, ...], purpose: str, missing: list[str]
) -> None:
    async with logged(tmp_path) as gateway:
        await look_up(gateway)
        body = await review(gateway, scopes, purpose)
    assert body["data"] == {"person": {"accessLog": None}}
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["missing"] == missing
    assert error["path"] == ["person", "accessLog"]


async def test_a_husband_does_not_see_the_log_of_his_wife_by_way_of_their_marriage(
    tmp_path: Path,
) -> None:
    query = """{ me { civilStatus { marriages { items { wife { person {
      accessLog { items { requestId } } } } } } } } }"""
    async with logged(tmp_path) as gateway:
        request_id = await look_up(gateway, LAN)
        body = await own_answer(gateway, query=query)
    assert "FORBIDDEN" in codes(body)
    assert request_id not in json.dumps(body)


async def test_kin_do_not_learn_from_their_log_that_somebody_sought_legal_aid(
    tmp_path: Path,
) -> None:
    """They see that they were read, but neither by whom nor for what."""
    query = """query($id: PersonNumber!) { person(id: $id) { legalAid { source { state } }
      civilStatus { marriages { items { wife { person { population { identity { source { state }
      } } } } } } } } }"""
    marriage: dict[str, object] = {
        "event_id": "M",
        "husband_citizen_id": HOA,
        "wife_citizen_id": LAN,
    }
    all_sources = world({"civil_status": {"marriages": [marriage]}})
    async with logged(tmp_path, all_sources, ALL, LIVE) as gateway:
        await look_up(gateway, HOA, query, EVERY)
        log, applicant_log = await own_log(gateway, LAN), await own_log(gateway, HOA)
    (kin,) = log["items"]
    assert (kin["role"], kin["sections"]) == ("KIN", ["population.identity"])
    assert (kin["agency"], kin["purpose"], kin["purposeTitle"]) == (None, None, None)
    assert applicant_log["items"][0]["purpose"] == UNIFIED
    assert applicant_log["items"][0]["agency"]


async def test_the_journal_says_whose_log_was_read(tmp_path: Path) -> None:
    async with logged(tmp_path) as gateway:
        await look_up(gateway)
        gateway.clock.advance(60)
        await review(gateway, (AUDIT,), REVIEW)
        entry = gateway.journal()[-1]
    (person,) = entry["persons"]
    assert (person["role"], person["sections"]) == ("NAMED", ["audit.access_log"])
    assert entry["sections"]["audit.access_log"] == "ANSWERED"


async def test_an_auditor_sees_the_log_and_stands_in_it_then(tmp_path: Path) -> None:
    async with logged(tmp_path) as gateway:
        request_id = await look_up(gateway)
        gateway.clock.advance(60)
        body = await review(gateway, (AUDIT,), REVIEW)
        log = await own_log(gateway)
    (log_entry,) = body["data"]["person"]["accessLog"]["items"]
    assert log_entry["requestId"] == request_id
    assert "errors" not in body
    assert [entry["purpose"] for entry in log["items"]] == [REVIEW, UNIFIED]
    assert log["items"][0]["role"] == "NAMED"
    assert log["items"][0]["purposeTitle"]["en"] == "Review of the access log"


async def test_an_auditor_does_not_see_what_is_deferred_either(tmp_path: Path) -> None:
    async with logged(tmp_path, purposes=DEFERRED) as gateway:
        await look_up(gateway, purpose="1.000894")
        body = await review(gateway, (AUDIT,), REVIEW)
    assert body["data"]["person"]["accessLog"]["items"] == []


#: Alike in all that a number says of a person.
WITH_HIDDEN, WITHOUT_HIDDEN = "001220000001", "001220000002"
VARYING = ("requestId", "at")


def comparable(log: dict[str, Any]) -> Any:
    """Return a log without what differs between any two look-ups."""
    items = [{k: v for k, v in entry.items() if k not in VARYING} for entry in log["items"]]
    return {"items": items, "state": log["state"], "next": log["next"] is not None}


@pytest.mark.parametrize("hidden_rows", [adopted, who_made_a_will], ids=["adoption", "will"])
@pytest.mark.parametrize("purpose", [UNIFIED, "1.004837"])
async def test_no_log_tells_who_has_what_is_hidden(
    tmp_path: Path, hidden_rows: Any, purpose: str
) -> None:
    mother: Rows = {"population": {"identity": [{"citizen_id": LAN, "life_status": "ALIVE"}]}}
    all_sources = world(
        together(mother, common(WITH_HIDDEN), common(WITHOUT_HIDDEN), hidden_rows(WITH_HIDDEN))
    )
    async with logged(tmp_path, all_sources, ALL, LIVE, limits=ROOMY) as gateway:
        all_fields = of_person(
            gateway.service.resources.schema, ("civilStatus", "notary", "population")
        )
        query = f"query($id: PersonNumber!) {{ person(id: $id) {{ {all_fields} }} }}"
        mothers = []
        for number in (WITH_HIDDEN, WITHOUT_HIDDEN):
            await look_up(gateway, number, query, EVERY, purpose)
            mothers.append(comparable(await own_log(gateway, LAN, first=1)))
        log_with, log_without = [
            comparable(await own_log(gateway, person_number))
            for person_number in (WITH_HIDDEN, WITHOUT_HIDDEN)
        ]
    assert log_with["items"][0]["role"] == "NAMED"
    assert log_with["items"][0]["sections"], "something was read"
    assert log_with == log_without
    assert mothers[0]["items"] == mothers[1]["items"] != []
