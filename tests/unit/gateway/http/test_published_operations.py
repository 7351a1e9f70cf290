"""Published operations over HTTP: two ways to call them, one answer, and nothing beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import graphql
import httpx2
import orjson
import pytest
from graphql import GraphQLNonNull

from gateway.execution.plan_cache import PlanCache
from gateway.http.parameters import GRAPHQL_JSON, JSON
from gateway.plan.document import parse_document
from gateway.settings import Client, OperationSettings
from tests.support.calls import calls_of
from tests.support.operation_files import NAME, write
from tests.support.people import HOA, LAN, NOBODY
from tests.support.running import CASE_NUMBER, Running, codes, running

CONDITIONAL = """query Marriages($id: PersonNumber!, $first: Int! = 1, $named: Boolean! = false) {
  person(id: $id) {
    population @include(if: $named) { identity { item { fullName } source { state } } }
    civilStatus { marriages(first: $first) {
      items { eventId husband { name } wife { name person { id } } } truncated
      source { state message { vi en } database { name } }
    } }
  }
}
"""
OWN = "query Own { me { id population { identity { item { fullName } source { state } } } } }"
CATALOGUE = "query Catalogue { databases { name } myAccess { client scopes } }"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    folder = tmp_path / "operations"
    write(folder, "name.graphql")
    write(folder, "marriages.graphql", CONDITIONAL, name="marriages", cost=1000)
    write(folder, "own.graphql", OWN, name="own", purposes=None, clients="portal")
    write(folder, "catalogue.graphql", CATALOGUE, name="catalogue", purposes=None)
    write(folder, "others.graphql", NAME + "\n", name="others", clients="others")
    settings = OperationSettings(folder=folder, reload_seconds=0)
    clients = {"portal": Client(published_only=True)}
    async with running(tmp_path, operations=settings, clients=clients) as started:
        yield started


def partner(gateway: Running, **changed: Any) -> dict[str, str]:
    """Return the headers of a partner, whose token has no scope at all."""
    token = gateway.token(**{"client": "partner", "purposes": ("1.000894",), **changed})
    return {"authorization": f"Bearer {token}", "x-case-number": CASE_NUMBER}


async def named(
    gateway: Running, name: str, variables: object, headers: Mapping[str, str]
) -> httpx2.Response:
    return await gateway.client.post(f"/operations/{name}", json=variables, headers=headers)


async def by_id(
    gateway: Running, identifier: str, variables: object, headers: Mapping[str, str]
) -> httpx2.Response:
    body = {"documentId": identifier, "variables": variables}
    return await gateway.client.post("/graphql", json=body, headers=headers)


def document_id(gateway: Running, name: str) -> str:
    (found,) = [one for one in gateway.service.operations.all() if one.header.name == name]
    return found.document_id


@pytest.mark.parametrize("named_too", [False, True])
@pytest.mark.parametrize("number", [HOA, LAN, NOBODY])
async def test_both_ways_and_a_document_with_the_same_rights_get_the_same_answer(
    gateway: Running, number: str, named_too: bool
) -> None:
    variables = {"id": number, "first": 5, "named": named_too}
    headers = partner(gateway)
    free = gateway.token("population:read", "civil_status:read", purposes=("1.000894",))
    answers = [
        await named(gateway, "marriages", variables, headers),
        await named(gateway, "marriages.v1", variables, headers),
        await by_id(gateway, "marriages", variables, headers),
        await by_id(gateway, "marriages.v1", variables, headers),
        await by_id(gateway, document_id(gateway, "marriages"), variables, headers),
        await gateway.post(CONDITIONAL, variables, free, x_purpose="1.000894"),
    ]
    assert {one.status_code for one in answers} == {294 if number == NOBODY else 200}
    assert len({one.content for one in answers}) == 1
    assert answers[0].json()["data"]["person"]["civilStatus"]["marriages"]["items"] or (
        number == NOBODY
    )


async def test_the_journal_names_the_operation_and_says_the_same_of_both_ways(
    gateway: Running,
) -> None:
    headers = partner(gateway)
    free = gateway.token("population:read", purposes=("1.000894",), client="partner")
    await named(gateway, "name", {"id": HOA}, headers)
    await by_id(gateway, document_id(gateway, "name"), {"id": HOA}, headers)
    await gateway.post(NAME, {"id": HOA}, free, x_purpose="1.000894")
    entries = gateway.journal()
    assert [one["operation"] for one in entries] == ["name.v1", "name.v1", None]
    differing = {"id", "requestId", "tokenId", "operation"}
    same = [{k: v for k, v in one.items() if k not in differing} for one in entries]
    assert same[0] == same[1] == same[2]


async def test_nothing_is_parsed_validated_or_planned_at_a_call(
    gateway: Running,
) -> None:
    cached = (PlanCache.document, PlanCache.prepared, PlanCache.permissions, PlanCache.plan)
    with calls_of(*cached, graphql.parse, parse_document) as calls:
        answer = await named(gateway, "marriages", {"id": HOA}, partner(gateway))
        assert answer.json()["data"]["person"]["civilStatus"]["marriages"]["items"]
        assert not calls.names
        await gateway.ask(NAME, {"id": HOA})
        assert {"document", "prepared", "permissions", "plan"} <= set(calls.names)


async def test_citizens_call_what_is_published_for_their_front_end(gateway: Running) -> None:
    citizen = partner(gateway, client="portal", subject=HOA, purposes=())
    citizen["authorization"] = f"Bearer {gateway.token('me', subject=HOA, client='portal')}"
    answer = await named(gateway, "own", {}, citizen)
    assert answer.json()["data"]["me"]["id"] == HOA
    free = await gateway.client.post("/graphql", json={"query": OWN}, headers=citizen)
    assert (free.status_code, codes(free.json())) == (403, ["PUBLISHED_ONLY"])


async def test_what_is_not_about_persons_is_answered_with_the_callers_own_scopes(
    gateway: Running,
) -> None:
    answer = await named(gateway, "catalogue", {}, partner(gateway))
    data = answer.json()["data"]
    assert data["databases"][0]["name"] == "population"
    assert data["myAccess"] == {"client": "partner", "scopes": []}


async def test_a_partner_gets_nothing_but_what_is_published(gateway: Running) -> None:
    headers = partner(gateway)
    query = gateway.service.resources.schema.query_type
    assert query is not None
    documents = ["{__typename}", "{__schema {types {name}}}", '{__type(name: "Person") {name}}']
    for name, field in query.fields.items():
        needed = [a for a, of in field.args.items() if isinstance(of.type, GraphQLNonNull)]
        given = ", ".join(f'{a}: ["{HOA}"]' if a == "ids" else f'{a}: "{HOA}"' for a in needed)
        documents.append(f"{{ a: {name}{f'({given})' if given else ''} {{ __typename }} }}")
    documents += ["nonsense", "mutation { a }", NAME]
    for document in documents:
        free = {"query": document, "variables": {"id": HOA}}
        answer = await gateway.client.post("/graphql", json=free, headers=headers)
        assert (answer.status_code, codes(answer.json())) == (403, ["PUBLISHED_ONLY"]), document
        answer = await gateway.client.get("/graphql", params={"query": document}, headers=headers)
        assert (answer.status_code, codes(answer.json())) == (403, ["PUBLISHED_ONLY"]), document
        both = {**free, "documentId": "name"}
        answer = await gateway.client.post("/graphql", json=both, headers=headers)
        assert codes(answer.json()) == ["BAD_REQUEST"]
        answer = await gateway.client.post("/graphql", json=[free], headers=headers)
        assert codes(answer.json()) == ["BAD_REQUEST"]


async def test_a_token_that_permits_something_does_not_widen_an_operation(
    gateway: Running,
) -> None:
    headers = partner(gateway)
    wide = gateway.token(
        "population:read", "population:sensitive", "plans",
        client="partner", purposes=("1.000894", "bench-unified"),
    )  # fmt: skip
    headers["authorization"] = f"Bearer {wide}"
    one = await named(gateway, "name", {"id": HOA}, headers)
    other = await named(gateway, "name", {"id": HOA}, partner(gateway))
    assert one.content == other.content
    headers["x-purpose"] = "bench-unified"
    refused = await named(gateway, "name", {"id": HOA}, headers)
    assert (refused.status_code, codes(refused.json())) == (403, ["PURPOSE_NOT_GRANTED"])


WRONG: list[tuple[str, object, int, str]] = [
    ("nothing", {"id": HOA}, 404, "OPERATION_UNKNOWN"),
    ("name.v2", {"id": HOA}, 404, "OPERATION_UNKNOWN"),
    ("others", {"id": HOA}, 404, "OPERATION_UNKNOWN"),
    ("own", {}, 404, "OPERATION_UNKNOWN"),
    ("NAME", {"id": HOA}, 404, "OPERATION_UNKNOWN"),
    ("x" * 5000, {"id": HOA}, 404, "OPERATION_UNKNOWN"),
    ("name", {}, 422, "INVALID_VARIABLES"),
    ("name", {"id": None}, 422, "INVALID_VARIABLES"),
    ("name", {"id": "12"}, 422, "INVALID_PERSON_NUMBER"),
    ("name", {"id": HOA, "more": 1}, 422, "INVALID_VARIABLES"),
    ("name", {"ID": HOA}, 422, "INVALID_VARIABLES"),
    ("marriages", {"id": HOA, "named": None}, 422, "INVALID_VARIABLES"),
    ("marriages", {"id": HOA, "first": "two"}, 422, "INVALID_VARIABLES"),
]


@pytest.mark.parametrize(("name", "variables", "status", "code"), WRONG)
async def test_bad_input_gets_a_stable_code_and_a_trace_in_both_ways(
    gateway: Running, name: str, variables: Any, status: int, code: str
) -> None:
    headers = partner(gateway)
    plain = await named(gateway, name, variables, headers)
    assert (plain.status_code, codes(plain.json())) == (status, [code])
    as_graphql = await by_id(gateway, name, variables, {**headers, "accept": GRAPHQL_JSON})
    assert (as_graphql.status_code, as_graphql.json()) == (status, plain.json())
    persons = [one["persons"] for one in gateway.journal()]
    assert len(persons) == (2 if HOA in variables.values() else 0)
    assert all(one["result"] == "REFUSED" for one in gateway.journal())
    known = None if status == 404 else f"{name}.v1"
    assert {one["operation"] for one in gateway.journal()} <= {known}
    assert {one["purpose"] for one in gateway.journal()} <= {known and "1.000894"}


async def test_what_there_is_for_others_is_as_unknown_as_what_there_is_not(
    gateway: Running,
) -> None:
    answers = [
        await named(gateway, name, {"id": HOA}, partner(gateway))
        for name in ("others", "others.v1", document_id(gateway, "others"), "nothing")
    ]
    assert len({one.content for one in answers}) == 1
    assert {one.status_code for one in answers} == {404}
    strangers = [
        await gateway.client.post(f"/operations/{name}", json={}) for name in ("name", "nothing")
    ]
    assert [one.status_code for one in strangers] == [401, 401]
    assert strangers[0].content == strangers[1].content


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({}, b"[1]", 422, "BAD_REQUEST"),
        ({}, b"null", 422, "BAD_REQUEST"),
        ({}, b"{", 400, "BAD_JSON"),
        ({}, b"", 400, "BAD_JSON"),
        ({"content-type": "text/plain"}, b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"accept": "text/html"}, b"{}", 406, "NOT_ACCEPTABLE"),
        ({}, b'{"id": "' + b"1" * 300_000 + b'"}', 413, "BODY_TOO_LARGE"),
        ({"x-case-number": "a\nb"}, b"{}", 400, "BAD_REQUEST"),
        ({"x-purpose": "2.000635"}, b"{}", 403, "PURPOSE_NOT_GRANTED"),
    ],
)
async def test_a_request_that_is_none_is_told_why(
    gateway: Running, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    sent = {**partner(gateway), "content-type": JSON, **headers}
    sent = {name: value.replace("\n", " ") for name, value in sent.items()}
    answer = await gateway.client.post("/operations/name", content=content, headers=sent)
    assert (answer.status_code, codes(answer.json())) == (status, [code])


async def test_a_call_about_a_person_has_a_case_number(gateway: Running) -> None:
    headers = partner(gateway)
    del headers["x-case-number"]
    answer = await named(gateway, "name", {"id": HOA}, headers)
    assert (answer.status_code, codes(answer.json())) == (400, ["CASE_NUMBER_REQUIRED"])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_operations_are_called_by_post_alone(gateway: Running, method: str) -> None:
    answer = await gateway.client.request(method, "/operations/name", headers=partner(gateway))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_numbers_stay_out_of_urls(gateway: Running) -> None:
    headers = partner(gateway)
    answer = await gateway.client.post(f"/operations/name?id={HOA}", json={}, headers=headers)
    assert codes(answer.json()) == ["BAD_REQUEST"]
    asked = {"documentId": "name", "variables": orjson.dumps({"id": HOA}).decode()}
    answer = await gateway.client.get("/graphql", params=asked, headers=headers)
    assert (answer.status_code, codes(answer.json())) == (400, ["PERSON_IN_URL"])
    answer = await gateway.client.get("/graphql?documentId=catalogue", headers=headers)
    assert answer.json()["data"]["databases"]


async def test_the_operation_of_a_published_document_has_its_own_name(gateway: Running) -> None:
    for operation, code in (("Name", []), ("Other", ["OPERATION_NOT_FOUND"])):
        body = {"documentId": "name", "variables": {"id": HOA}, "operationName": operation}
        answer = await gateway.client.post("/graphql", json=body, headers=partner(gateway))
        assert codes(answer.json()) == code


async def test_reloading_under_load_loses_no_request(gateway: Running, tmp_path: Path) -> None:
    headers, folder = partner(gateway), tmp_path / "operations"
    done = asyncio.Event()
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    bodies: set[bytes] = set()

    async def call() -> None:
        while not done.is_set():
            answer = await named(gateway, "name", {"id": HOA}, headers)
            assert answer.status_code == 200
            answers.put_nowait(answer.content)

    callers = [asyncio.create_task(call()) for _ in range(8)]
    bodies |= {await answers.get() for _ in callers}
    for version in range(2, 22):
        if version % 5 == 0:
            write(folder, "spoilt.graphql", "{ nothing }", name="spoilt")
        renamed = NAME.replace("query Name", f"query Name{version}")
        write(folder, f"name.v{version}.graphql", renamed, version=version)
        await gateway.service.operations.reload()
        bodies |= {await answers.get() for _ in range(answers.qsize() + len(callers))}
    done.set()
    await asyncio.gather(*callers)
    assert len(bodies) == 1
    called = {one["operation"] for one in gateway.journal()}
    assert {"name.v1", "name.v2", "name.v21"} <= called


MATCHED = """query Matched($id: PersonNumber!, $matching: Matching) {
  person(id: $id, matching: $matching) { id population {
    identity { item { fullName } source { state } } } } }"""


@pytest.fixture
async def reviewed(tmp_path: Path) -> AsyncIterator[Running]:
    """A gateway whose operations say nothing of matching, or that the name is needed too."""
    folder = tmp_path / "operations"
    write(folder, "matched.graphql", MATCHED, name="matched", matching=None)
    document = MATCHED.replace("Matched", "Named")
    write(folder, "named.graphql", document, name="named", matching="name")
    settings = OperationSettings(folder=folder, reload_seconds=0)
    async with running(tmp_path, operations=settings) as started:
        yield started


@pytest.mark.parametrize("way", [named, by_id])
async def test_a_partner_gives_more_than_the_number_unless_the_review_says_otherwise(
    reviewed: Running, way: Any
) -> None:
    headers = partner(reviewed)
    date = {"birthDate": "1990-02-03"}
    both = {**date, "name": "Nguyễn Văn Hòa"}
    for _ in range(2):  # the second time nothing of the first may be handed out
        said = {
            (operation, str(matching)): (
                await way(reviewed, operation, {"id": HOA, "matching": matching}, headers)
            ).json()
            for operation in ("matched", "named")
            for matching in (None, {"birthDate": "1990"}, date, both)
        }
        opened = {key for key, body in said.items() if body["data"]["person"]}
        assert opened == {
            ("matched", str(date)), ("matched", str(both)), ("named", str(both))
        }  # fmt: skip
        refused = [codes(body) for key, body in said.items() if key not in opened]
        assert refused == [["MATCHING_REQUIRED"]] * 5


async def test_an_officer_calls_the_same_operation_by_number(reviewed: Running) -> None:
    token = reviewed.token("population:read", client="partner", purposes=("1.000894",))
    officer = {**partner(reviewed), "authorization": f"Bearer {token}"}
    for _ in range(3):
        assert (await named(reviewed, "matched", {"id": HOA}, officer)).json()["data"]["person"]
        body = (await named(reviewed, "matched", {"id": HOA}, partner(reviewed))).json()
        assert body["data"] == {"person": None}, "not even what an officer was answered before"
