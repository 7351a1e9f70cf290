"""Verification: match, mismatch (and of what) or unknown; never an identity, and no guessing.

Covers ``gateway.catalogue.verification``, ``gateway.schema.verify_person``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.access.caller import Caller
from gateway.catalogue.verification import verification_of
from gateway.settings import Client, RateLimits
from tests.support.people import HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER, population_rows
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, LIVE, WAYS, answer, world

VERIFY = "population:verify"
QUERY = """query($id: PersonNumber!, $name: String!, $born: PartialDate!, $sex: Sex!) {
  verifyPerson(id: $id, name: $name, birthDate: $born, sex: $sex) {
    result mismatched source { state } } }"""
RIGHT = {"id": HOA, "name": "Nguyễn Văn Hòa", "born": "1990-02-03", "sex": "MALE"}
#: An old identity card number that is nobody's.
NO_OLD_NUMBER = "111111111"
PATIENT = RateLimits(enforced=False, mismatches_per_person_per_day=100)


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


async def ask(
    gateway: Running,
    *scopes: str,
    purpose: str = "1.000894",
    query: str = QUERY,
    **claimed: str,
) -> dict[str, Any]:
    token = gateway.token(*(scopes or (VERIFY,)), purposes=[purpose])
    reply = await gateway.post(query, {**RIGHT, **claimed}, token, x_purpose=purpose)
    body: dict[str, Any] = reply.json()
    return body


def result_of(body: dict[str, Any]) -> tuple[str, list[str] | None, str]:
    verification = body["data"]["verifyPerson"]
    return verification["result"], verification["mismatched"], verification["source"]["state"]


@pytest.mark.parametrize(
    ("claimed", "result", "mismatched"),
    [
        ({}, "MATCH", []),
        ({"name": "NGUYỄN VĂN HOÀ"}, "MATCH", []),
        ({"name": "nguye\u0302\u0303n va\u0306n ho\u0300a"}, "MATCH", []),
        ({"born": "1990"}, "UNKNOWN", None),
        ({"born": "1990-02"}, "UNKNOWN", None),
        ({"id": LAN, "name": "Trần Thị Lan", "born": "1991", "sex": "FEMALE"}, "MATCH", []),
        ({"id": LAN, "name": "Trần Thị Lan", "born": "1991-07-08", "sex": "FEMALE"}, "MATCH", []),
        ({"id": OLD_NUMBER}, "MATCH", []),
        ({"name": "Nguyễn Văn Hoa"}, "MISMATCH", ["NAME"]),
        ({"born": "1990-02-04"}, "MISMATCH", ["BIRTH_DATE"]),
        ({"name": "", "born": "1991", "sex": "FEMALE"}, "MISMATCH", ["NAME", "BIRTH_DATE", "SEX"]),
        ({"id": NOBODY}, "UNKNOWN", None),
        ({"id": SHARED_NUMBER}, "UNKNOWN", None),
    ],
)
async def test_a_verification_says_what_agrees_and_nothing_else(
    tmp_path: Path, claimed: dict[str, str], result: str, mismatched: list[str] | None
) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await ask(gateway, **claimed)
        assert result_of(body) == (result, mismatched, "ANSWERED")
        assert body.keys() == {"data"}
        (entry,) = gateway.journal()
    assert entry["sections"] == {"population.identity": "ANSWERED"}
    assert {person["role"] for person in entry["persons"]} == {"NAMED"}


async def test_what_is_not_recorded_decides_nothing(tmp_path: Path) -> None:
    identities = [
        {**row, "sex": None} if row["citizen_id"] == HOA else row
        for row in population_rows()["identity"]
    ]
    rows = {**population_rows(), "identity": identities}
    async with running(tmp_path, world({"population": rows}), ALL, LIVE) as gateway:
        assert result_of(await ask(gateway)) == ("UNKNOWN", None, "ANSWERED")
        assert result_of(await ask(gateway, born="1980")) == (
            "MISMATCH",
            ["BIRTH_DATE"],
            "ANSWERED",
        )


async def test_a_database_that_is_down_is_no_mismatch(tmp_path: Path) -> None:
    all_sources = world({})
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        all_sources.of("population").fault = "down"
        for _ in range(7):
            body = await ask(gateway)
            assert result_of(body) == ("UNKNOWN", None, "UNAVAILABLE")
            assert codes(body) == ["SOURCE_UNAVAILABLE"]
        all_sources.of("population").fault = None
        gateway.service.resources.sources["population"].breaker.note_ping_answered()
        assert result_of(await ask(gateway)) == ("MATCH", [], "ANSWERED")
        assert {person["role"] for person in gateway.journal()[0]["persons"]} == {"REFUSED"}


@pytest.mark.parametrize(
    ("scopes", "purpose", "missing"),
    [
        ((VERIFY,), "1.000894", None),
        (("population:read",), "1.000894", None),
        (("civil_status:read",), "1.000894", [VERIFY]),
    ],
)
async def test_it_needs_a_scope_and_nothing_is_read_without_it(
    tmp_path: Path, scopes: tuple[str, ...], purpose: str, missing: list[str] | None
) -> None:
    all_sources = world({})
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        bodies = [
            await ask(gateway, *scopes, purpose=purpose, id=number) for number in (HOA, NOBODY)
        ]
    if missing is None:
        assert result_of(bodies[0]) == ("MATCH", [], "ANSWERED")
        return
    assert bodies[0] == bodies[1]
    assert bodies[0]["data"] == {"verifyPerson": None}
    assert bodies[0]["errors"][0]["extensions"]["missing"][:1] == missing
    assert all_sources.fetched == []


def test_a_purpose_has_to_cover_all_that_is_compared() -> None:
    verification = verification_of(ALL)
    assert verification is not None
    assert Caller(client="a").missing_for(verification, None) == (
        VERIFY,
        "purpose:population.identity.full_name",
        "purpose:population.identity.birth_date",
        "purpose:population.identity.sex",
    )


async def test_the_scope_to_verify_opens_nobody(tmp_path: Path) -> None:
    query = "query($id: PersonNumber!) { person(id: $id) { id } }"
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        token = gateway.token(VERIFY, purposes=["1.000894"])
        reply = await gateway.post(query, {"id": HOA}, token, x_purpose="1.000894")
        unstated = await gateway.post(QUERY, RIGHT, token, x_purpose="")
    assert reply.json()["data"] == {"person": None}
    assert codes(unstated.json()) == ["PURPOSE_REQUIRED"]


async def test_who_may_not_learn_whether_there_is_somebody_learns_only_of_a_match(
    tmp_path: Path,
) -> None:
    source = "state asOf fetchedAt fromCache message { vi en } earlierNumbersAsked"
    query = QUERY.replace("source { state }", f"source {{ {source} }}")
    clients = {"test-client": Client(matching=True)}
    async with running(tmp_path, world({}), ALL, LIVE, clients=clients, rates=PATIENT) as gateway:
        assert result_of(await ask(gateway)) == ("MATCH", [], "ANSWERED")
        bodies = [
            await ask(gateway, query=query, **claimed)
            for claimed in (
                {"id": NOBODY},
                {"id": NO_OLD_NUMBER},
                {"id": SHARED_NUMBER},
                {"id": OLD_NUMBER, "born": "1980"},
                {"born": "1980"},
                {"id": LAN},
            )
        ]
    assert bodies[0]["data"]["verifyPerson"]["result"] == "MISMATCH"
    assert bodies[0]["data"]["verifyPerson"]["mismatched"] is None
    assert all(body == bodies[0] for body in bodies)


async def test_nobody_finds_out_by_trying(tmp_path: Path) -> None:
    all_sources = world({})
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        for number in (HOA, NOBODY):
            for day in range(1, 6):
                assert (
                    result_of(await ask(gateway, id=number, born=f"1980-01-0{day}"))[0] != "MATCH"
                )
            all_sources.forget()
            body = await ask(gateway, id=number)
            assert body["data"] == {"verifyPerson": None}
            assert codes(body) == ["VERIFICATION_LIMITED"]
            assert body["errors"][0]["extensions"]["retryAfter"] > 0
            assert all_sources.fetched == []
        assert result_of(await ask(gateway, id=LAN))[0] == "MISMATCH"
        gateway.clock.advance(86_400)
        assert result_of(await ask(gateway)) == ("MATCH", [], "ANSWERED")


async def test_attempts_at_the_same_time_are_no_more_than_one_after_the_other(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        bodies = await asyncio.gather(
            *(ask(gateway, born=f"1980-01-{day:02}") for day in range(1, 21))
        )
    limited = [body for body in bodies if codes(body) == ["VERIFICATION_LIMITED"]]
    assert len(limited) == 15


async def test_matches_are_not_counted_but_all_else_is_for_each_client(tmp_path: Path) -> None:
    rates = RateLimits(enforced=False, mismatches_per_day=3)
    async with running(tmp_path, world({}), ALL, LIVE, rates=rates) as gateway:
        for _ in range(10):
            assert result_of(await ask(gateway))[0] == "MATCH"
        for number in (HOA, LAN, NOBODY):
            await ask(gateway, id=number, born="1970")
        assert codes(await ask(gateway)) == ["VERIFICATION_LIMITED"]
        other = gateway.token(VERIFY, purposes=["1.000894"], client="other")
        reply = await gateway.post(QUERY, RIGHT, other, x_purpose="1.000894")
        assert result_of(reply.json())[0] == "MATCH"


async def test_a_year_alone_is_an_attempt(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        for _ in range(5):
            assert result_of(await ask(gateway, born="1990"))[0] == "UNKNOWN"
        assert codes(await ask(gateway)) == ["VERIFICATION_LIMITED"]


async def test_verifying_and_matching_share_the_attempts_of_all_numbers(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!, $born: PartialDate!) {
      person(id: $id, matching: { birthDate: $born }) { id } }"""
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        token = gateway.token("population:read", purposes=["1.000894"])
        for day in range(10, 13):
            variables = {"id": HOA, "born": f"1990-02-{day}"}
            reply = await gateway.post(query, variables, token, x_purpose="1.000894")
            assert codes(reply.json()) == ["PERSON_NOT_MATCHED"]
        for day in range(13, 15):
            body = await ask(gateway, "population:read", id=OLD_NUMBER, born=f"1990-02-{day}")
            assert result_of(body)[0] == "MISMATCH"
        body = await ask(gateway, "population:read")
        assert body["data"] == {"verifyPerson": None}
        assert codes(body) == ["VERIFICATION_LIMITED"]


async def test_a_name_in_an_old_encoding_is_not_known_and_locks_nobody(tmp_path: Path) -> None:
    identities = [
        {**row, "full_name": "NguyÔn V¨n Hßa"} if row["citizen_id"] == HOA else row
        for row in population_rows()["identity"]
    ]
    rows = {**population_rows(), "identity": identities}
    async with running(tmp_path, world({"population": rows}), ALL, LIVE) as gateway:
        for _ in range(7):
            assert result_of(await ask(gateway)) == ("UNKNOWN", None, "ANSWERED")
        assert result_of(await ask(gateway, born="1980-01-01"))[1] == ["BIRTH_DATE"]


async def test_other_spellings_of_a_name_lock_nobody(tmp_path: Path) -> None:
    identities = [
        {**row, "full_name": "\u00d0\u1ed7 Th\u1ecb\u200b H\u00ad\u00f2a"}
        if row["citizen_id"] == HOA else row
        for row in population_rows()["identity"]
    ]  # fmt: skip
    rows = {**population_rows(), "identity": identities}
    async with running(tmp_path, world({"population": rows}), ALL, LIVE) as gateway:
        for name in ("Đỗ Thị Hòa", "\u0189ỗ Thị Hoà", "đỗ thị hòa", "ĐỖ\ufeff THỊ HÒA") * 2:
            assert result_of(await ask(gateway, name=name)) == ("MATCH", [], "ANSWERED")


async def test_a_caller_has_so_many_attempts_whoever_the_people_are(tmp_path: Path) -> None:
    rates = RateLimits(enforced=False, mismatches_per_caller_per_day=2)
    async with running(tmp_path, world({}), ALL, LIVE, rates=rates) as gateway:
        for number in (LAN, NOBODY):
            await ask(gateway, id=number, born="1970")
        assert codes(await ask(gateway)) == ["VERIFICATION_LIMITED"]
        colleague = gateway.token(VERIFY, purposes=["1.000894"], subject="officer-2")
        reply = await gateway.post(QUERY, RIGHT, colleague, x_purpose="1.000894")
        assert result_of(reply.json())[0] == "MATCH"


async def test_numbers_of_people_do_not_stand_in_urls(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        query = (
            f'{{ verifyPerson(id: "{HOA}", name: "A", birthDate: "1990", sex: MALE) {{ result }} }}'
        )
        headers = {"authorization": f"Bearer {gateway.token(VERIFY)}"}
        reply = await gateway.client.get("/graphql", params={"query": query}, headers=headers)
    assert codes(reply.json()) == ["PERSON_IN_URL"]
