"""Clients that must match details of a person: numbers alone cannot be guessed.

Covers ``gateway.people.matching``, ``gateway.people.details``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.audit.entry import person_hash
from gateway.settings import Client
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER, backends
from tests.support.running import OFFICER, Running, codes, running
from tests.support.worlds import WAYS, answer

MATCHING_CLIENTS = {"test-client": Client(matching=True)}
HIS_DATE, HER_DETAILS = {"birthDate": "1990-02-03"}, {"birthDate": "1991", "name": "Trần Thị Lan"}
OTHER_DETAILS = {"birthDate": "1911-11-11", "name": "Somebody Else"}
#: An old number that nobody holds.
NO_OLD_NUMBER = "111111111"

PERSON = """query($id: PersonNumber!, $matching: Matching) { person(id: $id, matching: $matching) {
  id population { identity { item { fullName } } } civilStatus { marriages { items { eventId } } }
} }"""
PERSONS = """query($ids: [PersonNumber!]!) { persons(ids: $ids) {
  id population { identity { item { fullName } } } } }"""


@pytest.fixture(autouse=True, params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def watched() -> dict[str, Faulty]:
    """Return the cast's databases, which note what they are asked."""
    return {name: Faulty(backend) for name, backend in backends().items()}


def reads(everything: dict[str, Faulty]) -> list[tuple[str, str]]:
    """Return what was read, by which lookup, and forget it."""
    fetched = [(record, by) for source in everything.values() for record, by, _ in source.fetched]
    for source in everything.values():
        source.fetched.clear()
    return sorted(fetched)


async def ask(gateway: Running, number: str, matching: object = None) -> httpx2.Response:
    variables = {"id": number, "matching": matching}
    return await gateway.post(PERSON, variables, gateway.token(*OFFICER))


def roles(gateway: Running, *numbers: str) -> list[tuple[str, str]]:
    """Return who is in the last entry of the journal, by number, and as what."""
    numbers_by_hash = {
        person_hash(gateway.service.resources.person_hash, item): item for item in numbers
    }
    return [
        (numbers_by_hash[item["person"]], item["role"]) for item in gateway.journal()[-1]["persons"]
    ]


@pytest.mark.parametrize("matching", [None, {}, {"name": None}, {"name": None, "birthDate": None}])
@pytest.mark.parametrize("number", [HOA, OLD_NUMBER, NOBODY, SHARED_NUMBER])
async def test_a_number_alone_is_refused_and_nothing_is_fetched(
    tmp_path: Path, number: str, matching: dict[str, Any] | None
) -> None:
    all_sources = watched()
    async with running(tmp_path, all_sources, clients=MATCHING_CLIENTS) as gateway:
        reply = await ask(gateway, number, matching)
        assert roles(gateway, number) == [(number, "REFUSED")]
        assert gateway.journal()[-1]["codes"] == ["MATCHING_REQUIRED"]
    assert reply.json()["data"] == {"person": None}
    assert codes(reply.json()) == ["MATCHING_REQUIRED"]
    assert reply.json()["errors"][0]["path"] == ["person"]
    assert reads(all_sources) == []


async def test_an_argument_that_is_not_given_at_all_is_a_number_alone(tmp_path: Path) -> None:
    all_sources = watched()
    async with running(tmp_path, all_sources, clients=MATCHING_CLIENTS) as gateway:
        query = """query($id: PersonNumber!) { person(id: $id) { id }
          other: person(id: $id, matching: {}) { id } }"""
        body = await gateway.ask(query, {"id": HOA})
    assert body["data"] == {"person": None, "other": None}
    assert codes(body) == ["MATCHING_REQUIRED"] * 2
    assert reads(all_sources) == []


@pytest.mark.parametrize("ids", [[HOA], [HOA, NOBODY], []])
async def test_several_numbers_at_once_are_refused_and_nothing_is_fetched(
    tmp_path: Path, ids: list[str]
) -> None:
    all_sources = watched()
    async with running(tmp_path, all_sources, clients=MATCHING_CLIENTS) as gateway:
        body = await gateway.ask(PERSONS, {"ids": ids})
        assert sorted(roles(gateway, *ids)) == sorted((number, "REFUSED") for number in ids)
    assert body["data"] == {"persons": None}
    assert codes(body) == ["MATCHING_REQUIRED"]
    assert reads(all_sources) == []


@pytest.mark.parametrize("number", [HOA, OLD_NUMBER])
@pytest.mark.parametrize("matching", [HIS_DATE, {**HIS_DATE, "name": "nguyễn VĂN hoà"}])
async def test_details_that_agree_open_the_person(
    tmp_path: Path, number: str, matching: dict[str, str]
) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        body = (await ask(gateway, number, matching)).json()
        assert {role for _, role in roles(gateway, HOA, OLD_NUMBER)} == {"NAMED"}
    assert body["data"]["person"]["id"] == HOA
    assert body["data"]["person"]["population"]["identity"]["item"]["fullName"] == "Nguyễn Văn Hòa"
    assert codes(body) == []


@pytest.mark.parametrize("name", ["", " ", "-", "\u0301", "Nguyễn"])
async def test_a_name_that_says_nothing_or_half_opens_nobody(tmp_path: Path, name: str) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        body = (await ask(gateway, HOA, {**HIS_DATE, "name": name})).json()
    assert body["data"] == {"person": None}
    assert codes(body) == ["PERSON_NOT_MATCHED"]


@pytest.mark.parametrize(
    ("wrong", "unknown_number"),
    [(LAN, NOBODY), (HOA, NOBODY), (SHARED_NUMBER, NO_OLD_NUMBER), (OLD_NUMBER, NO_OLD_NUMBER),
     (SHARED_NUMBER, NOBODY)],
)  # fmt: skip
@pytest.mark.parametrize(
    "matching",
    [OTHER_DETAILS, {"birthDate": "1911-11-11"}, {"birthDate": "1990", "name": "Nguyễn Văn Hòa"}],
)
async def test_a_mismatch_and_a_number_of_nobody_are_the_same_answer_byte_for_byte(
    tmp_path: Path, wrong: str, unknown_number: str, matching: dict[str, str]
) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        mismatch = await ask(gateway, wrong, matching)
        assert roles(gateway, wrong) == [(wrong, "REFUSED")]
        unknown_reply = await ask(gateway, unknown_number, matching)
        assert roles(gateway, unknown_number) == [(unknown_number, "REFUSED")]
        noted = [{**entry, "id": "", "requestId": "", "persons": [], "tokenId": ""}
                 for entry in gateway.journal()]  # fmt: skip
    assert mismatch.content == unknown_reply.content
    assert mismatch.status_code == unknown_reply.status_code == 294
    assert seen_headers(mismatch) == seen_headers(unknown_reply)
    assert codes(mismatch.json()) == ["PERSON_NOT_MATCHED"]
    assert noted[0] == noted[1]


def seen_headers(reply: httpx2.Response) -> dict[str, str]:
    """Return the headers but those that count or name any request."""
    counting = {"x-request-id", "ratelimit-remaining"}
    return {name: value for name, value in reply.headers.items() if name not in counting}


@pytest.mark.parametrize(
    ("wrong", "unknown_number"), [(LAN, NOBODY), (SHARED_NUMBER, NO_OLD_NUMBER)]
)
async def test_a_mismatch_and_a_number_of_nobody_cost_the_same_reads(
    tmp_path: Path, wrong: str, unknown_number: str
) -> None:
    all_sources = watched()
    async with running(tmp_path, all_sources, clients=MATCHING_CLIENTS) as gateway:
        await ask(gateway, wrong, OTHER_DETAILS)
        mismatch = reads(all_sources)
        await ask(gateway, unknown_number, OTHER_DETAILS)
        unknown_reads = reads(all_sources)
    assert mismatch == unknown_reads
    assert {record for record, _ in mismatch} == {"identity", "earlier_numbers"}, "and no lists"


@pytest.mark.parametrize("number", [HOA, OLD_NUMBER, NOBODY])
@pytest.mark.parametrize("matching", [HIS_DATE, OTHER_DETAILS])
async def test_what_could_not_be_compared_is_neither_a_match_nor_a_mismatch(
    tmp_path: Path, number: str, matching: dict[str, str]
) -> None:
    all_sources = watched()
    all_sources["population"].fault = "down"
    async with running(tmp_path, all_sources, clients=MATCHING_CLIENTS) as gateway:
        reply = await ask(gateway, number, matching)
        assert roles(gateway, number) == [(number, "REFUSED")]
    assert reply.json()["data"] == {"person": None}
    assert codes(reply.json()) == ["NUMBER_UNRESOLVED"]
    assert all_sources["civil_status"].fetched == []


async def test_other_clients_need_no_details(tmp_path: Path) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        token = gateway.token(*OFFICER, client="another")
        reply = await gateway.post(PERSON, {"id": HOA}, token)
        several = await gateway.post(PERSONS, {"ids": [HOA, LAN]}, token)
    assert reply.json()["data"]["person"]["id"] == HOA
    assert [person["id"] for person in several.json()["data"]["persons"]] == [HOA, LAN]


async def test_the_own_view_needs_no_details(tmp_path: Path) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        body = await gateway.ask("{ me { id } }", scopes=("me",), subject=HOA)
        assert roles(gateway, HOA) == [(HOA, "OWN")]
    assert body["data"] == {"me": {"id": HOA}}


async def test_one_that_agrees_is_shown_beside_one_that_does_not(tmp_path: Path) -> None:
    query = """query($matching: Matching) {
      his: person(id: "001090012345", matching: $matching) { id }
      hers: person(id: "001191054321", matching: $matching) { id } }"""
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        body = await gateway.ask(query, {"matching": HER_DETAILS})
        assert sorted(roles(gateway, HOA, LAN)) == [(HOA, "REFUSED"), (LAN, "NAMED")]
    assert body["data"] == {"his": None, "hers": {"id": LAN}}
    assert codes(body) == ["PERSON_NOT_MATCHED"]


@pytest.mark.parametrize(
    ("number", "matching", "missing"),
    [
        (HOA, {"birthDate": "1990"}, ["name"]),
        (HOA, {"birthDate": "1990-02"}, ["name"]),
        (HOA, {"name": "Nguyễn Văn Hòa"}, ["birthDate", "name"]),
        (LAN, {"birthDate": "1991"}, ["name"]),
        (NOBODY, {"birthDate": "1990"}, ["name"]),
    ],
)
@pytest.mark.parametrize("client", ["test-client", "another"])
async def test_what_the_number_tells_is_no_match_nor_is_a_name(
    tmp_path: Path, client: str, number: str, matching: dict[str, str], missing: list[str]
) -> None:
    all_sources = watched()
    async with running(tmp_path, all_sources, clients=MATCHING_CLIENTS) as gateway:
        token = gateway.token(*OFFICER, client=client)
        body = (await gateway.post(PERSON, {"id": number, "matching": matching}, token)).json()
    assert body["data"] == {"person": None}
    assert codes(body) == ["MATCHING_REQUIRED"]
    if "name" in matching:
        missing = ["birthDate"]
    assert body["errors"][0]["extensions"]["missing"] == missing
    assert reads(all_sources) == []


@pytest.mark.parametrize(
    ("number", "matching", "opens"),
    [
        (HOA, {"birthDate": "1990", "name": "Nguyễn Văn Hòa"}, False),
        (HOA, {"birthDate": "1990-02", "name": "Nguyễn Văn Hòa"}, False),
        (LAN, {"birthDate": "1991", "name": "Trần Thị Lan"}, True),
        (LAN, {"birthDate": "1991-05-06", "name": "Trần Thị Lan"}, True),
        (LAN, {"birthDate": "1991", "name": "Trần Thị Lán"}, False),
        (LAN, {"birthDate": "1992", "name": "Trần Thị Lan"}, False),
        (LAN, {"birthDate": "1991-05-06"}, False),
    ],
)
async def test_of_whom_only_the_year_is_recorded_year_and_name_open(
    tmp_path: Path, number: str, matching: dict[str, str], opens: bool
) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        body = (await ask(gateway, number, matching)).json()
    assert (body["data"]["person"] is not None) is opens
    assert codes(body) == ([] if opens else ["PERSON_NOT_MATCHED"])


async def test_settings_may_ask_for_the_name_too(tmp_path: Path) -> None:
    clients = {"test-client": Client(matching_name=True)}
    async with running(tmp_path, clients=clients) as gateway:
        date = (await ask(gateway, HOA, HIS_DATE)).json()
        name_and_date = (await ask(gateway, HOA, {**HIS_DATE, "name": "Nguyễn Văn Hòa"})).json()
        number_only = (await ask(gateway, HOA)).json()
    assert codes(date) == codes(number_only) == ["MATCHING_REQUIRED"]
    assert date["errors"][0]["extensions"]["missing"] == ["name"]
    assert name_and_date["data"]["person"]["id"] == HOA


def aliases(number: str, days: range) -> str:
    """Return a query of one person under many dates of birth."""
    fields = (
        f'd{day:02}: person(id: "{number}", matching: {{ birthDate: "1990-02-{day:02}" }}) {{ id }}'
        for day in days
    )
    return f"query {{ {' '.join(fields)} }}"


@pytest.mark.parametrize("client", ["test-client", "another"])
async def test_aliases_are_as_many_attempts_and_those_beyond_are_refused_in_their_order(
    tmp_path: Path, client: str
) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        token = gateway.token(*OFFICER, client=client)
        body = (await gateway.post(aliases(HOA, range(10, 26)), None, token)).json()
        second_body = (await gateway.post(aliases(HOA, range(3, 4)), None, token)).json()
    codes_by_alias = {error["path"][0]: error["extensions"]["code"] for error in body["errors"]}
    expected = ["PERSON_NOT_MATCHED"] * 5 + ["VERIFICATION_LIMITED"] * 11
    assert [codes_by_alias[f"d{day}"] for day in range(10, 26)] == expected
    assert second_body["data"] == {"d03": None}, "even the right date opens nobody any more"
    assert codes(second_body) == ["VERIFICATION_LIMITED"]


async def test_details_that_agree_may_be_given_as_often_as_one_likes(tmp_path: Path) -> None:
    fields = (
        f'a{place}: person(id: "{HOA}", matching: {{ birthDate: "1990-02-03" }}) {{ id }}'
        for place in range(12)
    )
    query = f"query {{ {' '.join(fields)} }}"
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        body = await gateway.ask(query)
    assert [person["id"] for person in body["data"].values()] == [HOA] * 12


@pytest.mark.parametrize(("first", "second"), [(HOA, OLD_NUMBER), (OLD_NUMBER, HOA)])
async def test_another_number_of_the_same_person_gives_no_more_attempts(
    tmp_path: Path, first: str, second: str
) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        for day in range(10, 15):
            await ask(gateway, first, {"birthDate": f"1990-02-{day}"})
        concealed = [(await ask(gateway, second, HIS_DATE)).json() for _ in range(6)]
        token = gateway.token(*OFFICER, client="another")
        for day in range(10, 15):
            variables = {"id": first, "matching": {"birthDate": f"1990-02-{day}"}}
            await gateway.post(PERSON, variables, token)
        reply = await gateway.post(PERSON, {"id": second, "matching": HIS_DATE}, token)
    assert all(body["data"] == {"person": None} for body in concealed)
    # As of a number that is nobody's: nothing tells that both numbers are one person's.
    assert [codes(body) for body in concealed] == [["PERSON_NOT_MATCHED"]] * 5 + [
        ["VERIFICATION_LIMITED"]
    ]
    assert reply.json()["data"] == {"person": None}
    assert codes(reply.json()) == ["VERIFICATION_LIMITED"]


async def test_no_client_takes_anothers_attempts(tmp_path: Path) -> None:
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        for day in range(10, 25):
            await ask(gateway, HOA, {"birthDate": f"1990-02-{day}"})
        token = gateway.token(*OFFICER, client="another")
        reply = await gateway.post(PERSON, {"id": HOA, "matching": HIS_DATE}, token)
    assert reply.json()["data"]["person"]["id"] == HOA


async def test_an_answer_to_another_is_not_handed_to_who_has_no_attempt_left(
    tmp_path: Path,
) -> None:
    """Ready answers must not tell who guesses that a guess is right."""
    async with running(tmp_path, clients=MATCHING_CLIENTS) as gateway:
        for _ in range(4):
            assert (await ask(gateway, HOA, HIS_DATE)).json()["data"]["person"]["id"] == HOA
        for day in range(10, 15):
            await ask(gateway, HOA, {"birthDate": f"1990-02-{day}"})
        body = (await ask(gateway, HOA, HIS_DATE)).json()
    assert body["data"] == {"person": None}
    assert codes(body) == ["VERIFICATION_LIMITED"]


async def test_a_source_that_is_down_costs_no_attempt(tmp_path: Path) -> None:
    all_sources = watched()
    async with running(tmp_path, all_sources, clients=MATCHING_CLIENTS) as gateway:
        all_sources["population"].fault = "down"
        for day in range(10, 20):
            body = (await ask(gateway, HOA, {"birthDate": f"1990-02-{day}"})).json()
            assert codes(body) == ["NUMBER_UNRESOLVED"]
        all_sources["population"].fault = None
        gateway.service.resources.sources["population"].breaker.note_ping_answered()
        assert (await ask(gateway, HOA, HIS_DATE)).json()["data"]["person"]["id"] == HOA
