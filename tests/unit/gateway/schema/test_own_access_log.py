"""The access log in the own view: who read the citizen, newest first, in pages.

Covers ``gateway.audit.access_log.log``, ``gateway.audit.access_log.page``,
``gateway.schema.access_log``.
"""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

import pytest

from gateway.keys.files import rotate
from gateway.procedures.procedure import UNIFIED
from tests.support.access_logs import (
    AGENCY,
    MARRIAGES,
    logged,
    logged_requests,
    look_up,
    own_answer,
    own_log,
)
from tests.support.people import HOA, LAN, OLD_NUMBER, backends
from tests.support.running import codes
from tests.support.worlds import WAYS, answer


@pytest.fixture(autouse=True, params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


async def test_citizens_see_who_read_them_when_and_for_what(tmp_path: Path) -> None:
    async with logged(tmp_path) as gateway:
        request_id = await look_up(gateway, purpose="1.000894", case="HS-7")
        at = gateway.clock.now()
        gateway.clock.advance(5)
        log = await own_log(gateway)
    (item,) = log["items"]
    assert datetime.fromisoformat(item.pop("at")) == at
    assert item.pop("purposeTitle")["en"] == "Marriage registration"
    assert item == {
        "agency": AGENCY,
        "purpose": "1.000894",
        "caseNumber": "HS-7",
        "role": "NAMED",
        "sections": ["population.identity"],
        "requestId": request_id,
    }
    assert (log["state"], log["next"]) == ("ANSWERED", None)
    assert datetime.fromisoformat(log["completeUntil"]) == gateway.clock.now()


async def test_whom_nobody_read_has_an_empty_log_that_is_known_to_be_empty(tmp_path: Path) -> None:
    async with logged(tmp_path) as gateway:
        await look_up(gateway, HOA)
        log = await own_log(gateway, LAN)
    assert (log["items"], log["next"], log["state"]) == ([], None, "ANSWERED")


async def test_the_newest_look_up_comes_first(tmp_path: Path) -> None:
    async with logged(tmp_path) as gateway:
        request_ids = [await look_up(gateway) for _ in range(3)]
        log = await own_log(gateway)
    assert logged_requests(log) == request_ids[::-1]


async def test_who_was_read_as_kin_does_not_see_whose_case_it_was_nor_others_sections(
    tmp_path: Path,
) -> None:
    async with logged(tmp_path) as gateway:
        await look_up(gateway, HOA, MARRIAGES, case="HS-OF-HOA")
        (hers,) = (await own_log(gateway, LAN))["items"]
        (entry,) = (await own_log(gateway, HOA))["items"]
    assert (hers["role"], hers["caseNumber"], hers["purpose"]) == ("KIN", None, UNIFIED)
    assert hers["sections"] == ["population.identity"]
    assert (entry["role"], entry["caseNumber"]) == ("NAMED", "HS-OF-HOA")
    assert entry["sections"] == ["civil_status.marriages"]


async def test_who_is_only_mentioned_sees_that_and_nothing_of_the_case(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus { marriages { items {
      wife { citizenId } } } } } }"""
    async with logged(tmp_path) as gateway:
        await look_up(gateway, HOA, query, case="HS-OF-HOA")
        (hers,) = (await own_log(gateway, LAN))["items"]
    assert (hers["role"], hers["caseNumber"], hers["sections"]) == ("MENTIONED", None, [])


async def test_a_look_up_that_was_refused_is_not_shown(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id, matching: { birthDate: "1911-11-11" }) {
      id population { identity { item { fullName } } } } }"""
    async with logged(tmp_path) as gateway:
        await look_up(gateway, HOA, query)
        await look_up(gateway, HOA, "query($id: PersonNumber!) { person(id: $id) { nonsense } }")
        assert [entry["persons"][0]["role"] for entry in gateway.journal()] == ["REFUSED"] * 2
        log = await own_log(gateway)
    assert (log["items"], log["next"], log["state"]) == ([], None, "ANSWERED")


async def test_what_citizens_read_themselves_is_shown_as_their_own(tmp_path: Path) -> None:
    query = "{ me { population { identity { item { fullName } } } } }"
    async with logged(tmp_path) as gateway:
        await own_answer(gateway, query=query)
        (item,) = (await own_log(gateway))["items"]
        assert (item["role"], item["sections"]) == ("OWN", ["population.identity"])
        assert (item["purpose"], item["purposeTitle"], item["caseNumber"]) == (None, None, None)
        second_log = await own_log(gateway)
    assert [entry["role"] for entry in second_log["items"]] == ["OWN", "OWN"], (
        "reading the log is logged"
    )


async def test_the_log_is_found_under_aliases_and_as_often_as_it_is_asked_for(
    tmp_path: Path,
) -> None:
    query = """{ mine: me { newest: accessLog(first: 1) { items { requestId } next }
      accessLog { items { requestId } next } } me { all: accessLog { items { requestId } } } }"""
    async with logged(tmp_path) as gateway:
        first, second = [await look_up(gateway) for _ in range(2)]
        data = (await own_answer(gateway, query=query))["data"]
    entries = [{"requestId": second}, {"requestId": first}]
    assert data["mine"]["newest"]["items"] == entries[:1]
    assert data["mine"]["newest"]["next"] is not None
    assert data["mine"]["accessLog"] == {"items": entries, "next": None}
    assert data["me"] == {"all": {"items": entries}}


async def test_pages_hold_every_look_up_once_though_new_ones_come_in_between(
    tmp_path: Path,
) -> None:
    async with logged(tmp_path) as gateway:
        request_ids = [await look_up(gateway) for _ in range(5)]
        seen_ids, after = [], None
        while True:
            log = await own_log(gateway, first=2, after=after)
            seen_ids += logged_requests(log)
            await look_up(gateway)
            if (after := log["next"]) is None:
                break
    assert seen_ids == request_ids[::-1]


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_holds_from_one_to_a_hundred_look_ups(tmp_path: Path, first: int) -> None:
    async with logged(tmp_path) as gateway:
        body = await own_answer(gateway, first=first)
        log = await own_log(gateway, first=100)
    assert "data" not in body
    assert codes(body) == ["INVALID_VALUE"]
    assert log["state"] == "ANSWERED"


FOREIGN_CURSOR = base64.urlsafe_b64encode(b"2026-11-23T03:00:00|x' OR 1=1").decode()


@pytest.mark.parametrize("cursor", ["", "1", "ệ", "=====", FOREIGN_CURSOR, "A" * 10_000])
async def test_a_cursor_that_is_none_of_ours_is_refused(tmp_path: Path, cursor: str) -> None:
    async with logged(tmp_path) as gateway:
        body = await own_answer(gateway, after=cursor)
    assert body["data"] == {"me": {"accessLog": None}}
    assert codes(body) == ["INVALID_VALUE"]


@pytest.mark.parametrize(("named_number", "reads"), [(OLD_NUMBER, HOA), (HOA, OLD_NUMBER)])
async def test_look_ups_under_another_number_of_the_same_person_are_found(
    tmp_path: Path, named_number: str, reads: str
) -> None:
    async with logged(tmp_path) as gateway:
        request_id = await look_up(gateway, named_number)
        log = await own_log(gateway, reads)
    assert logged_requests(log) == [request_id]
    assert log["items"][0]["role"] == "NAMED"


async def test_who_is_mentioned_under_an_old_number_is_found_under_the_present_one(
    tmp_path: Path,
) -> None:
    """The cast's revoked marriage is filed under the old number of the husband."""
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus { marriages { items {
      husband { citizenId } } } } } }"""
    marriage: dict[str, object] = {
        "event_id": "M9",
        "husband_citizen_id": OLD_NUMBER,
        "wife_citizen_id": LAN,
    }
    async with logged(tmp_path, backends(civil_status={"marriages": [marriage]})) as gateway:
        request_id = await look_up(gateway, LAN, query)
        log = await own_log(gateway, HOA)
    assert logged_requests(log, "MENTIONED") == [request_id]


async def test_look_ups_before_the_hash_key_was_rotated_are_found(tmp_path: Path) -> None:
    async with logged(tmp_path) as gateway:
        before = await look_up(gateway)
    rotate(gateway.service.resources.settings, "person_hash")
    async with logged(tmp_path) as restarted:
        restarted.clock.advance(3600)
        after = await look_up(restarted)
        log = await own_log(restarted)
        (old, new) = (entry["persons"][0]["person"] for entry in restarted.journal()[:2])
    assert logged_requests(log) == [after, before]
    assert old.partition(":")[0] != new.partition(":")[0]
