"""Requests in another person's place: denied in doubt, and always in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.population import DATABASE as POPULATION
from gateway.audit.entry import person_hash
from tests.support.people import FIRST_HOLDER, HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER
from tests.support.representation import (
    AUTHORISATION,
    CHILD,
    ask,
    birth,
    books,
    verdict,
)
from tests.support.running import codes, running
from tests.support.worlds import ALL, LIVE, WAYS, acting, answer

#: What may be read before it is known whether somebody may ask.
FOR_THE_DECISION = {
    "population.identity",
    "population.earlier_numbers",
    "civil_status.births",
    "civil_status.guardianships",
    "civil_status.deaths",
}


@pytest.mark.parametrize("fault", ["down", "defect", "unmapped"])
@pytest.mark.parametrize(
    ("database", "only"),
    [
        ("civil_status", None),
        ("civil_status", "deaths"),
        ("population", None),
        ("population", "identity"),
        ("population", "earlier_numbers"),
    ],
)
async def test_what_could_not_be_looked_up_is_not_taken_for_no(
    tmp_path: Path, database: str, only: str | None, fault: str
) -> None:
    all_sources = books(births=[birth()])
    all_sources.of(database).fault, all_sources.of(database).only = fault, only
    assert await verdict(tmp_path, all_sources) == "UNCHECKED"


@pytest.mark.parametrize(
    ("down", "expected"), [("births", "UNCHECKED"), ("guardianships", "shown")]
)
async def test_one_ground_that_is_known_is_enough(tmp_path: Path, down: str, expected: str) -> None:
    all_sources = books(births=[birth()])
    all_sources.of("civil_status").fault, all_sources.of("civil_status").only = "down", down
    assert await verdict(tmp_path, all_sources) == expected


@pytest.mark.parametrize(
    ("authorisation", "expected"), [(AUTHORISATION, "UNCHECKED"), (None, "shown")]
)
async def test_the_notaries_are_asked_about_authorisations_only(
    tmp_path: Path, authorisation: str | None, expected: str
) -> None:
    all_sources = books(births=[birth()])
    all_sources.of("notary").fault = "down"
    assert await verdict(tmp_path, all_sources, authorisation=authorisation) == expected


async def test_unreadable_rows_might_have_been_the_ground(tmp_path: Path) -> None:
    row = {**birth(), "registration_date": "yesterday"}
    assert await verdict(tmp_path, books(births=[row])) == "UNCHECKED"


@pytest.mark.parametrize("authorisation", [None, AUTHORISATION])
async def test_where_nobody_declares_the_records_it_cannot_be_checked(
    tmp_path: Path, authorisation: str | None
) -> None:
    all_sources = books(births=[birth()])
    result = await verdict(
        tmp_path, all_sources, authorisation=authorisation, databases=(POPULATION,)
    )
    assert result == "UNCHECKED"


@pytest.mark.parametrize(
    ("who", "whom"),
    [(LAN, NOBODY), (NOBODY, CHILD), (LAN, SHARED_NUMBER), (SHARED_NUMBER, CHILD),
     (HOA, OLD_NUMBER)],
)  # fmt: skip
async def test_a_number_of_nobody_of_two_people_or_of_the_asker_is_no_ground(
    tmp_path: Path, who: str, whom: str
) -> None:
    assert await verdict(tmp_path, books(births=[birth()]), who, whom) == "DENIED"


async def test_what_is_filed_under_a_number_of_two_people_might_have_been_the_ground(
    tmp_path: Path,
) -> None:
    assert await verdict(tmp_path, books(births=[birth()]), represented=FIRST_HOLDER) == "UNCHECKED"


async def test_nothing_of_the_person_was_fetched_for_who_is_refused(tmp_path: Path) -> None:
    all_sources = books(births=[birth(mother_citizen_id=HOA)])
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        reply = await ask(gateway)
    assert codes(reply.json()) == ["REPRESENTATION_DENIED"]
    assert {name for name, _, _ in all_sources.fetched} <= FOR_THE_DECISION


async def test_what_is_not_about_the_person_needs_no_ground(tmp_path: Path) -> None:
    all_sources = books()
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        token = acting(gateway, LAN, CHILD)
        query = "{ databases { name } myAccess { actsForAnother } }"
        reply = await gateway.post(query, None, token, x_purpose="", x_case_number="")
    assert reply.json()["data"]["myAccess"] == {"actsForAnother": True}
    assert all_sources.fetched == []


@pytest.mark.parametrize("way", WAYS)
async def test_the_parent_sees_the_childs_own_view_but_for_legal_aid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    answer(way, monkeypatch)
    async with running(tmp_path, books(births=[birth()]), ALL, LIVE) as gateway:
        reply = await ask(gateway)
        (entry,) = gateway.journal()
        mother, child = (
            person_hash(gateway.service.resources.person_hash, number) for number in (LAN, CHILD)
        )
    assert reply.json() == {
        "data": {
            "me": {
                "id": CHILD,
                "civilStatus": {
                    "births": {"items": [{"ethnicity": "Kinh"}]},
                    "courtNotes": {"items": []},
                },
                "legalAid": {"cases": {"source": {"state": "WITHHELD"}}},
            }
        },
    }
    assert (entry["subject"], entry["result"]) == (mother, "ANSWERED")
    (person,) = entry["persons"]
    assert person["person"] == child
    assert person["role"] == "REPRESENTED"
    assert person["sections"] == ["civil_status.births", "civil_status.court_notes"]


async def test_who_is_refused_is_in_the_journal_with_whom_they_asked_for(tmp_path: Path) -> None:
    async with running(tmp_path, books(), ALL, LIVE) as gateway:
        await ask(gateway)
        (entry,) = gateway.journal()
        hashes = gateway.service.resources.person_hash
        mother, child = (person_hash(hashes, number) for number in (LAN, CHILD))
    assert (entry["subject"], entry["result"]) == (mother, "REFUSED")
    assert entry["codes"] == ["REPRESENTATION_DENIED"]
    assert entry["persons"] == [{"person": child, "role": "REFUSED", "sections": []}]


async def test_a_parent_sees_nobody_by_number(tmp_path: Path) -> None:
    query = "query($id: PersonNumber!) { person(id: $id) { id } }"
    async with running(tmp_path, books(births=[birth()]), ALL, LIVE) as gateway:
        token = acting(gateway, LAN, CHILD)
        reply = await gateway.post(query, {"id": CHILD}, token, x_purpose="", x_case_number="")
    assert reply.json()["data"] == {"person": None}
    assert codes(reply.json()) == ["FORBIDDEN"]
