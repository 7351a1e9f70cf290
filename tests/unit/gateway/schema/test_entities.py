"""``_entities``: what a router asks is what ``person`` and ``organization`` show, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.entry import person_hash
from gateway.settings import Client, Limits, RateLimits
from tests.support.entities import MALFORMED
from tests.support.people import HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER
from tests.support.running import OFFICER, Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, answer, world

ENTITIES = """query($of: [_Any!]!) { _entities(representations: $of) { __typename
  ... on Person { id askedAs civilStatus { marriages { items { eventId } source { state } } } }
  ... on Organization { code securityMeasures { database { name } } } } }"""
#: An enterprise code with the right check digit, and a household business.
CODE, HOUSEHOLD = "0100109106", HOA
BORN = {"birthDate": "1990-02-03"}


@pytest.fixture(autouse=True, params=WAYS)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def person(number: object, **details: object) -> dict[str, object]:
    return {"__typename": "Person", "id": number, **details}


def organisation(code: str) -> dict[str, object]:
    return {"__typename": "Organization", "code": code}


async def ask(
    gateway: Running, *of: object, scopes: Sequence[str] = EVERY, **token: Any
) -> dict[str, Any]:
    return await gateway.ask(ENTITIES, {"of": list(of)}, scopes, **token)


def places(body: Mapping[str, Any]) -> list[tuple[object, str]]:
    """Return where in the list an error stands, with its code, sorted."""
    return sorted(
        (error["path"][1], error["extensions"]["code"])
        for error in body.get("errors", ())
        if error["path"][0] == "_entities" and len(error["path"]) == 2
    )


def roles(gateway: Running, *numbers: str) -> list[tuple[str, str]]:
    """Return who is in the last entry of the journal, and as what."""
    hashes = gateway.service.resources.person_hash
    names = {person_hash(hashes, number): number for number in numbers}
    return sorted(
        (names[item["person"]], item["role"]) for item in gateway.journal()[-1]["persons"]
    )


async def test_entities_stand_in_the_order_of_their_representations(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await ask(
            gateway,
            organisation(CODE), person(HOA), person(OLD_NUMBER), organisation(HOUSEHOLD),
            person(HOA),
        )  # fmt: skip
        assert roles(gateway, HOA, OLD_NUMBER, CODE) == [
            (HOA, "NAMED"), (CODE, "NAMED"), (OLD_NUMBER, "NAMED"),
        ]  # fmt: skip
    shown = [
        (entity["__typename"], entity.get("code") or (entity["id"], entity["askedAs"]))
        for entity in body["data"]["_entities"]
    ]
    assert shown == [
        ("Organization", CODE),
        ("Person", (HOA, HOA)),
        ("Person", (HOA, OLD_NUMBER)),
        ("Organization", HOUSEHOLD),
        ("Person", (HOA, HOA)),
    ]


async def test_what_a_router_asks_of_the_key_of_others_is_null(tmp_path: Path) -> None:
    query = """query($of: [_Any!]!) { _entities(representations: $of) {
      ... on Person { matching { id birthDate name } } } }"""
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await gateway.ask(query, {"of": [person(HOA), person(HOA, matching=BORN)]}, EVERY)
    assert body["data"] == {"_entities": [{"matching": None}, {"matching": None}]}
    assert codes(body) == []


async def test_a_bad_representation_costs_its_own_place_only(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await ask(gateway, person(LAN), *MALFORMED, person(LAN))
        assert roles(gateway, LAN, HOA, NOBODY, CODE) == [
            (HOA, "REFUSED"), (NOBODY, "REFUSED"), (LAN, "NAMED"), (CODE, "REFUSED"),
        ]  # fmt: skip
    entities = body["data"]["_entities"]
    assert [entity and entity["id"] for entity in entities] == [
        LAN, *(None for _ in MALFORMED), LAN,
    ]  # fmt: skip
    refused = places(body)
    assert [place for place, _ in refused] == [*range(1, len(MALFORMED) + 1)]
    assert {code for _, code in refused} == {
        "INVALID_REPRESENTATION", "INVALID_PERSON_NUMBER", "INVALID_VALUE",
    }  # fmt: skip
    assert "1090012345" not in str([error["message"] for error in body["errors"]])


async def test_a_document_that_asks_for_entities_wrongly_is_refused(tmp_path: Path) -> None:
    queries = (
        "{ _entities }",
        "{ _entities(representations: []) }",
        "{ _entities { __typename } }",
        "{ _entities(representations: null) { __typename } }",
        "{ _entities(representations: [null]) { __typename } }",
        "{ _entities(representations: [{__typename: $x}]) { __typename } }",
        "query($of: [_Any]) { _entities(representations: $of) { __typename } }",
        "query($of: [_Any!]!) { _entities(representations: $of) { __typename } }",
        "{ _entities(representations: []) { id } }",
        "{ _entities(representations: []) { ... on Query { __typename } } }",
    )
    async with running(tmp_path) as gateway:
        token = gateway.token(*OFFICER)
        replies = [await gateway.post(query, None, token) for query in queries]
    for reply in replies:
        assert reply.status_code == 422
        assert {*codes(reply.json())} <= {"VALIDATION_FAILED", "INVALID_VARIABLES"}


async def test_representations_that_are_no_list_are_no_defect(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        token = gateway.token(*OFFICER)
        given: tuple[object, ...] = ([None], None, {"a": [None]}, "x", 7, [[None]], [{"a": [[{}]]}])
        replies = [await gateway.post(ENTITIES, {"of": of}, token) for of in given]
    for reply in replies:
        assert reply.status_code in {294, 422}
        assert {*codes(reply.json())} <= {"INVALID_VARIABLES", "INVALID_REPRESENTATION"}


async def test_what_is_deferred_below_an_entity_comes_with_it(tmp_path: Path) -> None:
    query = """query($of: [_Any!]!) { _entities(representations: $of) {
      ... on Person { id ... @defer { civilStatus { marriages { items { eventId } } } } } } }"""
    accept = "multipart/mixed, application/json"
    async with running(tmp_path) as gateway:
        token = gateway.token(*OFFICER)
        reply = await gateway.post(query, {"of": [person(HOA)]}, token, accept=accept)
    marriages = {"items": [{"eventId": "M1"}, {"eventId": "M0"}]}
    entity = {"id": HOA, "civilStatus": {"marriages": marriages}}
    assert reply.json() == {"data": {"_entities": [entity]}}


async def test_ten_thousand_representations_are_refused_at_once_and_nothing_is_read(
    tmp_path: Path,
) -> None:
    databases = world({})
    limits = Limits(body_bytes=2**20, cost=10**6)
    async with running(tmp_path, databases, ALL, LIVE, limits=limits) as gateway:
        body = await ask(gateway, *[person(HOA)] * 10_000)
        malformed = await ask(gateway, *[{}] * 10_000)
    for refused in (body, malformed):
        assert refused["data"] == {"_entities": [None] * 10_000}
        assert codes(refused) == ["TOO_MANY_PERSONS"]
    assert databases.fetched == []


async def test_the_most_people_of_a_request_are_counted_over_all_its_fields(
    tmp_path: Path,
) -> None:
    query = """query($of: [_Any!]!, $ids: [PersonNumber!]!) { persons(ids: $ids) { id }
      _entities(representations: $of) { ... on Person { id } } }"""
    limits = Limits(persons=3)
    async with running(tmp_path, limits=limits) as gateway:
        enough = await gateway.ask(query, {"of": [person(HOA)], "ids": [HOA, LAN]})
        too_many = await gateway.ask(query, {"of": [person(HOA)] * 2, "ids": [HOA, LAN]})
    assert codes(enough) == []
    assert codes(too_many) == ["TOO_MANY_PERSONS"]
    assert too_many["data"]["_entities"] == [None, None]


async def test_the_cost_is_that_of_the_same_people_by_number(tmp_path: Path) -> None:
    select = "civilStatus { marriages(first: 10) { items { eventId } } }"
    entities = f"""query($of: [_Any!]!) {{
      _entities(representations: $of) {{ ... on Person {{ {select} }} }} }}"""
    persons = f"query($of: [PersonNumber!]!) {{ persons(ids: $of) {{ {select} }} }}"
    scopes = (*OFFICER, "plans")
    async with running(tmp_path) as gateway:
        of_entities = await gateway.ask(entities, {"of": [person(HOA), person(LAN)]}, scopes)
        of_persons = await gateway.ask(persons, {"of": [HOA, LAN]}, scopes)
        literal = entities.replace("($of: [_Any!]!)", "").replace(
            "$of", f'[{{__typename: "Person", id: "{HOA}"}}, {{__typename: "Person", id: "{LAN}"}}]'
        )
        of_literals = await gateway.ask(literal, None, scopes)
    assert of_entities["extensions"]["cost"] == of_persons["extensions"]["cost"]
    assert of_literals["extensions"]["cost"] == of_persons["extensions"]["cost"]
    assert of_entities["data"]["_entities"] == of_persons["data"]["persons"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"x_purpose": ""}, "PURPOSE_REQUIRED"), ({"x_case_number": ""}, "CASE_NUMBER_REQUIRED")],
)
async def test_purpose_and_case_number_are_stated(
    tmp_path: Path, headers: dict[str, str], code: str
) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        token = gateway.token(*OFFICER)
        reply = await gateway.post(ENTITIES, {"of": [person(HOA)]}, token, **headers)
    assert codes(reply.json()) == [code]
    assert "data" not in reply.json()


async def test_a_caller_who_may_name_nobody_gets_null_and_learns_what_is_missing(
    tmp_path: Path,
) -> None:
    databases = world({})
    async with running(tmp_path, databases, ALL, LIVE) as gateway:
        body = await ask(gateway, person(HOA), organisation(CODE), scopes=("introspect",))
        assert roles(gateway, HOA, CODE) == [(HOA, "REFUSED"), (CODE, "REFUSED")]
    assert body["data"] == {"_entities": [None, None]}
    assert codes(body) == ["FORBIDDEN"]
    assert databases.fetched == []


async def test_nobody_anonymous_asks_for_entities(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        reply = await gateway.post(ENTITIES, {"of": [person(HOA)]})
    assert (reply.status_code, codes(reply.json())) == (401, ["UNAUTHENTICATED"])


async def test_a_person_who_may_not_be_shown_is_null_and_the_others_are_answered(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await ask(gateway, person(HOA), person(SHARED_NUMBER), person(LAN))
        assert (SHARED_NUMBER, "REFUSED") in roles(gateway, HOA, SHARED_NUMBER, LAN)
    assert [entity and entity["id"] for entity in body["data"]["_entities"]] == [HOA, None, LAN]
    assert places(body) == [(1, "NUMBER_CONFLICT")]


async def test_a_client_that_must_match_is_shown_only_whom_it_knows(tmp_path: Path) -> None:
    clients = {"test-client": Client(matching=True)}
    async with running(tmp_path, world({}), ALL, LIVE, clients=clients) as gateway:
        body = await ask(
            gateway,
            person(HOA, matching=BORN), person(HOA), person(LAN, matching=BORN),
            person(NOBODY, matching=BORN), person(HOA, matching={"birthDate": "1990"}),
            person(HOA, matching={}), person(HOA, matching=None), organisation(HOUSEHOLD),
            organisation(CODE),
        )  # fmt: skip
    shown = [entity and entity["__typename"] for entity in body["data"]["_entities"]]
    assert shown == ["Person", *[None] * 7, "Organization"]
    assert places(body) == [
        (1, "MATCHING_REQUIRED"),
        (2, "PERSON_NOT_MATCHED"),
        (3, "PERSON_NOT_MATCHED"),
        (4, "MATCHING_REQUIRED"),
        (5, "MATCHING_REQUIRED"),
        (6, "MATCHING_REQUIRED"),
        (7, "MATCHING_REQUIRED"),
    ]


async def test_a_router_names_a_person_by_number_and_details_in_the_other_key(
    tmp_path: Path,
) -> None:
    clients = {"test-client": Client(matching=True)}
    born_on = {"birthDate": "1990-02-03", "name": None}
    keys: tuple[dict[str, object], ...] = (
        {"id": HOA, **born_on},
        {"id": OLD_NUMBER, **born_on, "name": "NGUYỄN VĂN HÒA"},
        {"id": LAN, **born_on},
        {"id": HOA, "birthDate": None, "name": None},
    )
    named = [{"__typename": "Person", "matching": key} for key in keys]
    async with running(tmp_path, world({}), ALL, LIVE, clients=clients) as gateway:
        required = await ask(gateway, *named, person(HOA, matching={"id": HOA, **BORN}))
        assert roles(gateway, HOA, OLD_NUMBER, LAN) == [
            (HOA, "NAMED"), (LAN, "REFUSED"), (OLD_NUMBER, "NAMED"),
        ]  # fmt: skip
        others = await ask(gateway, *named, client="another")
    assert [entity and entity["id"] for entity in required["data"]["_entities"]] == [
        HOA, HOA, None, None, HOA,
    ]  # fmt: skip
    assert places(required) == [(2, "PERSON_NOT_MATCHED"), (3, "MATCHING_REQUIRED")]
    # To a client that need not match, a record without details names a person by number.
    assert [entity and entity["id"] for entity in others["data"]["_entities"]] == [
        HOA, HOA, None, HOA,
    ]  # fmt: skip
    assert places(others) == [(2, "PERSON_NOT_MATCHED")]


async def test_attempts_to_match_entities_are_counted_like_any(tmp_path: Path) -> None:
    clients = {"test-client": Client(matching=True)}
    guesses = [person(HOA, matching={"birthDate": f"1990-02-{day}"}) for day in range(10, 20)]
    async with running(tmp_path, world({}), ALL, LIVE, clients=clients) as gateway:
        body = await ask(gateway, *guesses)
        again = await ask(gateway, person(HOA, matching=BORN))
    expected = ["PERSON_NOT_MATCHED"] * 5 + ["VERIFICATION_LIMITED"] * 5
    assert places(body) == [*enumerate(expected)]
    assert places(again) == [(0, "VERIFICATION_LIMITED")]


async def test_numbers_that_nobody_holds_are_counted(tmp_path: Path) -> None:
    rates = RateLimits.model_validate({"enforced": True, "unidentified_per_caller_per_day": 3})
    async with running(tmp_path, world({}), ALL, LIVE, rates=rates) as gateway:
        first = await ask(gateway, *(person(f"00109999999{digit}") for digit in range(4)))
        second = await ask(gateway, person(HOA))
    assert "PERSON_NOT_IDENTIFIED" in codes(first)
    assert codes(second) == ["RATE_LIMITED"]


async def test_entities_are_not_asked_for_in_a_url(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        query = 'query { _entities(representations: [{__typename: "Person"}]) { __typename } }'
        headers = {"authorization": f"Bearer {gateway.token(*OFFICER)}"}
        reply = await gateway.client.get("/graphql", params={"query": query}, headers=headers)
    assert codes(reply.json()) == ["PERSON_IN_URL"]


async def test_notices_of_entities_are_not_missed(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        body = await ask(gateway, person(LAN), person(OLD_NUMBER))
    mirrored = {str(entry["path"]): entry["notices"] for entry in body["extensions"]["notices"]}
    noticed = {path: [notice["code"] for notice in some] for path, some in mirrored.items()}
    assert noticed == {
        "['_entities', 0]": ["UNDER_CORRECTION"],
        "['_entities', 1]": ["EARLIER_NUMBER"],
    }


@pytest.mark.parametrize(
    ("scopes", "status", "code"),
    [
        (("introspect",), 200, None),
        (OFFICER, 403, "INTROSPECTION_DENIED"),
        (None, 401, "UNAUTHENTICATED"),
    ],
)
async def test_the_definition_is_shown_to_those_who_may_introspect(
    tmp_path: Path, scopes: Sequence[str] | None, status: int, code: str | None
) -> None:
    async with running(tmp_path) as gateway:
        token = None if scopes is None else gateway.token(*scopes)
        reply = await gateway.post("{ _service { sdl } }", None, token)
    assert reply.status_code == status
    assert codes(reply.json()) == [code] * (code is not None)
    if code is None:
        assert '@key(fields: "id")' in reply.json()["data"]["_service"]["sdl"]
