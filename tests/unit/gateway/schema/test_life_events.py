"""``lifeEvents`` through a gateway: what it shows, what it says, what stands in the journal.

Covers ``gateway.schema.interests``, ``gateway.schema.my_interests``,
``gateway.audit.access_log.interests``, ``gateway.execution.steps.read_interests``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.backends.record_maps import RecordMap
from connectors.changes.untold import untold_events
from connectors.civil_status import DATABASE as CIVIL_STATUS
from gateway.changes.event import LifeEventKind
from gateway.changes.sealed_interests import SealedInterests
from gateway.keys.keyring import Keyring, Secret
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Client, InterestSettings, Purpose
from tests.support.event_documents import (
    END,
    FEED,
    INTERESTS,
    READING,
    REGISTER,
    UNTIL,
    feed,
    following,
    register,
)
from tests.support.feeds import PURPOSES, TERMS, Feeds
from tests.support.interest_stores import over
from tests.support.people import HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER
from tests.support.running import CASE_NUMBER, codes
from tests.support.worlds import WAYS, answer, world

BLOCK = LifeEventKind.BLOCK_PLACED


@pytest_asyncio.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[Feeds]:
    async with following(tmp_path, clients={"careful": Client(matching=True)}) as feeds:
        yield feeds


OTHER_KEY = Secret.of(b"another key of 32 bytes at least")


def nodes(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in body["data"]["lifeEvents"]["edges"]]


async def test_a_client_registers_and_reads_what_happens(feeds: Feeds) -> None:
    body = await register(feeds, [OLD_NUMBER, LAN, HOA])
    assert "errors" not in body
    registered = body["data"]["registerInterest"]
    assert [each["person"] for each in registered["interests"]] == [HOA, LAN]
    event = await feeds.happen(BLOCK, OLD_NUMBER, row="P1")
    page = (await feed(feeds, after=registered["cursor"]))["data"]["lifeEvents"]
    (edge,) = page["edges"]
    assert edge["node"] == {
        "id": event.id,
        "kind": "BLOCK_PLACED",
        "title": {"en": "block placed"},
        "date": "2026-11-22",
        "database": {"name": "notary"},
        "record": "preventive_infos",
        "recordId": edge["node"]["recordId"],
        "person": {"id": HOA},
        "committedAt": edge["node"]["committedAt"],
        "detectedAt": edge["node"]["detectedAt"],
        "since": None,
    }
    assert len(edge["node"]["recordId"]) == 22
    assert page["pageInfo"] == {"hasNextPage": False, "endCursor": edge["cursor"]}
    assert (page["interests"], page["message"], page["isWaiting"]) == (2, None, False)
    assert {each["database"]["name"] for each in page["sources"]} == {"civil_status", "notary"}


async def test_without_an_interest_the_answer_says_so(feeds: Feeds) -> None:
    page = (await feed(feeds))["data"]["lifeEvents"]
    assert (page["edges"], page["interests"]) == ([], 0)
    assert page["message"]["en"].startswith("No interest is registered")


async def test_what_a_database_can_never_tell_is_named_and_not_complete(tmp_path: Path) -> None:
    missing = RecordMap(missing=("husband_id", "wife_id"))
    divorces = untold_events(CIVIL_STATUS, {"divorces": missing}, None)
    untold = {"civil_status": divorces}
    wants = ["source:civil_status.divorces.husband_id", "source:civil_status.divorces.wife_id"]
    async with following(tmp_path, untold=untold) as feeds:
        refused = await register(feeds, kinds=["DIVORCE"])
        assert codes(refused) == ["FORBIDDEN"]
        assert refused["errors"][0]["extensions"]["missing"] == wants
        assert "errors" not in await register(feeds, kinds=["BLOCK_PLACED", "CORRECTION"])
        await feeds.append([], "civil_status", feeds.now)
        page = (await feed(feeds, kinds=["DIVORCE"]))["data"]["lifeEvents"]
        expected = {"kind": "DIVORCE", "database": "civil_status", "record": "divorces"}
        (denied,) = page["denied"]
        assert denied == expected | {"state": "NOT_OPERATING", "missing": wants}
        assert page["sources"] == []
        denied = (await feed(feeds, kinds=["CORRECTION"]))["data"]["lifeEvents"]["denied"]
        assert [each["state"] for each in denied if each["record"] == "divorces"] == [
            "NOT_OPERATING"
        ]


async def test_registrations_and_deliveries_name_people_in_the_journal(feeds: Feeds) -> None:
    await register(feeds, [HOA])
    await feeds.happen(BLOCK)
    await feeds.gateway.ask(FEED, None, READING, client="bank")
    before = len(feeds.gateway.journal())
    await feed(feeds)
    entries = feeds.gateway.journal()
    registration = next(each for each in entries if each.get("persons"))
    assert [each["sections"] for each in registration["persons"]] == [["events.interests"]]
    delivered = [each for each in entries[before:] if each.get("persons")]
    assert [each["caseNumber"] for each in delivered] == [CASE_NUMBER]
    (person,) = delivered[0]["persons"]
    assert person["sections"] == ["notary.preventive_infos"]
    assert person["person"] == registration["persons"][0]["person"]


@pytest.mark.parametrize(
    ("number", "code"), [(SHARED_NUMBER, "NUMBER_CONFLICT"), (NOBODY, "PERSON_NOT_IDENTIFIED")]
)
async def test_a_number_is_refused_as_person_refuses_it(
    feeds: Feeds, number: str, code: str
) -> None:
    body = await register(feeds, [HOA, number])
    assert codes(body) == [code]
    own = (await feeds.gateway.ask(INTERESTS, None, READING))["data"]["interests"]
    assert {each["person"] for each in own} == ({HOA, NOBODY} if number == NOBODY else set())


async def test_where_the_population_database_is_silent_nothing_is_registered(
    tmp_path: Path,
) -> None:
    backends = world({})
    backends.of("population").fault = "down"
    async with following(tmp_path, backends) as feeds:
        assert codes(await register(feeds)) == ["NUMBER_UNRESOLVED"]
        assert (await feeds.gateway.ask(INTERESTS, None, READING))["data"]["interests"] == []


async def test_numbers_are_looked_up_anew_for_a_registration(tmp_path: Path) -> None:
    backends = world({})
    async with following(tmp_path, backends) as feeds:
        document = "query($id: PersonNumber!) { person(id: $id) { id } }"
        await feeds.gateway.ask(document, {"id": HOA}, READING)
        backends.forget()
        await register(feeds)
        assert ("population.earlier_numbers", "earlier_numbers", (HOA,)) in backends.fetched


async def test_a_client_who_must_match_tells_no_number_apart(feeds: Feeds) -> None:
    born = {"birthDate": "1990-02-03"}
    careful: dict[str, Any] = {"client": "careful"}
    assert codes(await register(feeds, **careful)) == ["MATCHING_REQUIRED"]
    for number, details in ((NOBODY, born), (HOA, {"birthDate": "1990-02-04"})):
        body = await register(feeds, [number], matching=[details], **careful)
        assert codes(body) == ["PERSON_NOT_MATCHED"]
    assert codes(await register(feeds, matching=[born, born], **careful)) == ["INVALID_VALUE"]
    assert codes(await register(feeds, matching=[born], **careful)) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"until": "2026-11-01T00:00:00Z"}, "INVALID_VALUE"),
        ({"until": "2027-11-01T00:00:00Z"}, "INTEREST_NOT_PERMITTED"),
        ({"kinds": ["SOURCE_RESUMED"]}, "INTEREST_NOT_PERMITTED"),
        ({"kinds": []}, "INVALID_VALUE"),
        ({"persons": []}, "INVALID_VALUE"),
        ({"kinds": ["DEATH", "CASE_OPENED"], "scopes": READING[:3]}, "FORBIDDEN"),
        ({"scopes": ("civil_status:read",)}, "FORBIDDEN"),
    ],
)
async def test_what_the_purpose_or_the_token_does_not_permit_is_refused(
    feeds: Feeds, arguments: dict[str, Any], code: str
) -> None:
    assert codes(await register(feeds, **arguments)) == [code]
    assert (await feed(feeds))["data"]["lifeEvents"]["interests"] == 0


async def test_by_default_no_purpose_permits_an_interest(tmp_path: Path) -> None:
    async with following(tmp_path, purposes={}) as feeds:
        assert codes(await register(feeds)) == ["INTEREST_NOT_PERMITTED"]


async def test_purpose_and_case_must_be_stated(feeds: Feeds) -> None:
    token = feeds.gateway.token(*READING)
    variables = {"persons": [HOA], "kinds": ["DEATH"], "until": UNTIL}
    for document, stated, code in (
        (FEED, {"x_purpose": ""}, "PURPOSE_REQUIRED"),
        (REGISTER, {"x_purpose": ""}, "PURPOSE_REQUIRED"),
        (REGISTER, {"x_case_number": ""}, "CASE_NUMBER_REQUIRED"),
    ):
        sent = variables if document is REGISTER else None
        body = (await feeds.gateway.post(document, sent, token, **stated)).json()
        assert codes(body) == [code]
    assert (await feeds.gateway.post(FEED)).status_code == 401
    mixed = "{ lifeEvents { interests } me { id } }"
    assert codes(await feeds.gateway.ask(mixed, None, READING)) == ["UNSUPPORTED_OPERATION"]


async def test_a_client_has_a_bounded_number_of_interests(tmp_path: Path) -> None:
    async with following(tmp_path, interests=InterestSettings(most_per_client=1)) as feeds:
        assert codes(await register(feeds, [HOA, LAN])) == ["TOO_MANY_INTERESTS"]
        assert codes(await register(feeds)) == []
        assert codes(await register(feeds, [LAN])) == ["TOO_MANY_INTERESTS"]


async def test_an_interest_that_was_ended_shows_nothing(feeds: Feeds) -> None:
    await register(feeds, [HOA, LAN])
    own = (await feeds.gateway.ask(INTERESTS, None, READING))["data"]["interests"]
    ended = {"ids": [own[0]["id"]]}
    assert (await feeds.gateway.ask(END, ended, READING, client="bank"))["data"] == {
        "endInterest": 0
    }
    assert (await feeds.gateway.ask(END, ended, READING))["data"] == {"endInterest": 1}
    await feeds.happen(BLOCK, own[0]["person"])
    assert nodes(await feed(feeds)) == []


async def test_offices_that_share_a_client_neither_see_nor_end_interests(feeds: Feeds) -> None:
    first: dict[str, Any] = {"agency": "office A"}
    others: list[dict[str, Any]] = [{"agency": "office B"}, {}]
    cursor = (await register(feeds, **first))["data"]["registerInterest"]["cursor"]
    (interest,) = (await feeds.gateway.ask(INTERESTS, None, READING, **first))["data"]["interests"]
    ended = {"ids": [interest["id"]]}
    for other in others:
        listed = await feeds.gateway.ask(INTERESTS, None, READING, **other)
        assert listed["data"]["interests"] == []
        assert (await feeds.gateway.ask(END, ended, READING, **other))["data"] == {"endInterest": 0}
        page = await feeds.gateway.ask(FEED, {"after": cursor}, READING, **other)
        assert codes(page) == ["INVALID_VALUE"]
    assert (await feeds.gateway.ask(END, ended, READING, **first))["data"] == {"endInterest": 1}


async def test_bad_arguments_and_a_silent_log_have_stable_codes(feeds: Feeds) -> None:
    await register(feeds)
    assert codes(await feed(feeds, first=0)) == ["INVALID_VALUE"]
    for kinds in ([], ["EVENTS_MISSED"]):
        assert codes(await feed(feeds, kinds=kinds)) == ["INVALID_VALUE"]
    assert codes(await feed(feeds, after="nothing")) == ["INVALID_VALUE"]
    feeds.log.removed = 1
    feeds.log.events.append(await feeds.happen(BLOCK))
    feeds.log.is_down = True
    body = await feed(feeds)
    assert (codes(body), body["data"]) == (["EVENTS_UNAVAILABLE"], {"lifeEvents": None})


MINE = """{ me { interests {
  agency purpose purposeTitle { en } caseNumber kinds registeredAt until } } }"""


async def mine(feeds: Feeds, number: str = HOA) -> Any:
    token = feeds.gateway.token("me", subject=number, purposes=())
    body = (await feeds.gateway.post(MINE, None, token, x_purpose="", x_case_number="")).json()
    assert codes(body) == []
    return body["data"]["me"]["interests"]


@pytest.mark.parametrize("way", WAYS)
async def test_citizens_see_who_follows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    answer(way, monkeypatch)
    deferred = Purpose(deferred_days=2, interests=TERMS.interests)
    purposes = {**PURPOSES, "enforcement-verification": deferred}
    async with following(tmp_path, purposes=purposes) as feeds:
        await register(feeds, [OLD_NUMBER])
        feeds.gateway.clock.advance(1)
        token = feeds.gateway.token(*READING, purposes=["enforcement-verification"])
        variables = {"persons": [HOA], "kinds": ["CASE_OPENED"], "until": UNTIL}
        sent = {"x_purpose": "enforcement-verification"}
        assert codes((await feeds.gateway.post(REGISTER, variables, token, **sent)).json()) == []
        (shown,) = await mine(feeds)
        assert (shown["purpose"], shown["kinds"]) == (UNIFIED, ["DEATH", "BLOCK_PLACED"])
        assert (shown["caseNumber"], shown["until"]) == (CASE_NUMBER, "2026-12-19T17:00:00+00:00")
        assert await mine(feeds, LAN) == []
        await feeds.gateway.pass_time(2 * 86_400)
        assert [each["kinds"] for each in await mine(feeds)] == [
            ["CASE_OPENED"],
            ["DEATH", "BLOCK_PLACED"],
        ]


@pytest.mark.parametrize("way", WAYS)
async def test_a_silent_store_is_not_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    answer(way, monkeypatch)
    async with following(tmp_path) as feeds:
        path = tmp_path / "interests/interests.sqlite"
        path.parent.mkdir()
        path.write_bytes(b"no database" * 100)
        token = feeds.gateway.token("me", subject=HOA, purposes=())
        stated = {"x_purpose": "", "x_case_number": ""}
        body = (await feeds.gateway.post(MINE, None, token, **stated)).json()
        assert codes(body) == ["EVENTS_UNAVAILABLE"]
        assert body["data"]["me"]["interests"] is None
        officer = await feeds.gateway.ask(
            "query($id: PersonNumber!) { person(id: $id) { interests { purpose } } }", {"id": HOA}
        )
        assert codes(officer) == ["FORBIDDEN"]


async def registered_ids(feeds: Feeds) -> list[str]:
    """Register an interest; returns the ids."""
    body = await register(feeds)
    return [each["id"] for each in body["data"]["registerInterest"]["interests"]]


def set_interest_keys(feeds: Feeds, keys: Keyring) -> None:
    """Have the gateway seal and read interests with ``keys``, as another process would."""
    service = feeds.gateway.service
    interests = service.resources.interests
    assert isinstance(interests, SealedInterests)
    resources = replace(service.resources, interests=over(interests.store, keys))
    feeds.gateway.app.state.service = replace(service, resources=resources)


async def test_a_store_whose_file_is_gone_is_not_nobody(tmp_path: Path) -> None:
    async with following(tmp_path) as feeds:
        (interest,) = await registered_ids(feeds)
        cursor = (await feed(feeds))["data"]["lifeEvents"]["pageInfo"]["endCursor"]
        event = await feeds.happen(BLOCK, HOA)
        path = tmp_path / "interests/interests.sqlite"
        away = path.rename(tmp_path / "away")
        token = feeds.gateway.token("me", subject=HOA, purposes=())
        stated = {"x_purpose": "", "x_case_number": ""}
        mine = (await feeds.gateway.post(MINE, None, token, **stated)).json()
        assert mine["data"]["me"]["interests"] is None
        ended = await feeds.gateway.ask(END, {"ids": [interest]}, READING)
        for body in (await feed(feeds, after=cursor), await register(feeds), ended, mine):
            assert codes(body) == ["EVENTS_UNAVAILABLE"]
        assert not path.exists()
        away.rename(path)
        assert [node["id"] for node in nodes(await feed(feeds, after=cursor))] == [event.id]


async def test_interests_whose_key_is_gone_are_said_to_be_unknown(feeds: Feeds) -> None:
    await register(feeds)
    set_interest_keys(feeds, Keyring(OTHER_KEY))
    body = await feeds.gateway.ask(INTERESTS, {}, READING)
    assert (codes(body), body["data"]["interests"]) == (["INTERESTS_UNREADABLE"], [])
    shown = (await feed(feeds))["data"]["lifeEvents"]
    assert shown["interests"] is None
    assert "can no longer be read" in shown["message"]["en"]
    assert {source["completeUntil"] for source in shown["sources"]} == {None}


async def test_an_interest_whose_key_is_gone_is_not_said_to_be_none(feeds: Feeds) -> None:
    (unreadable,) = await registered_ids(feeds)
    set_interest_keys(feeds, Keyring(OTHER_KEY))
    ended = await feeds.gateway.ask(END, {"ids": [unreadable]}, READING)
    assert (codes(ended), ended["data"]["endInterest"]) == (["INTERESTS_UNREADABLE"], None)
    (readable,) = await registered_ids(feeds)
    both = {"ids": [readable, readable, unreadable]}
    ended = await feeds.gateway.ask(END, both, READING)
    assert (codes(ended), ended["errors"][0]["extensions"]["ended"]) == (
        ["INTERESTS_UNREADABLE"],
        1,
    )
    assert (await feeds.gateway.ask(INTERESTS, {}, READING))["data"]["interests"] == []
    (readable,) = await registered_ids(feeds)
    ended = await feeds.gateway.ask(END, {"ids": [readable, readable]}, READING)
    assert ended["data"] == {"endInterest": 1}
