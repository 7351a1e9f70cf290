"""Requests with ``@defer``: who is answered in several payloads, who in one, and who is refused.

Covers ``gateway.http.payloads``, ``gateway.plan.defer_directive`` and ``gateway.plan.defer``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.cache.rows import LOOKED
from gateway.errors import GatewayError
from gateway.http.parameters import GRAPHQL_JSON, response_type
from gateway.http.payloads import accepts_payloads
from gateway.settings import DatabaseSettings
from tests.support.asgi import Header, send_raw
from tests.support.faults import Gated
from tests.support.metrics import value_of
from tests.support.payloads import ACCEPT, PayloadClient, asking, merge
from tests.support.people import HOA, backends
from tests.support.running import OFFICER, Running, application, codes, running

CIVIL = "civilStatus { marriages { items { eventId } source { state } } }"
QUERY = f"""query($id: PersonNumber!, $later: Boolean! = true) {{ person(id: $id) {{ id
  ... @defer(if: $later, label: "civil") {{ {CIVIL} }} }} }}"""
PERSON = "query($id: PersonNumber!) { person(id: $id) { id %s } }"


@pytest_asyncio.fixture
async def held(tmp_path: Path) -> AsyncIterator[tuple[Running, Gated]]:
    sources = backends()
    gate = Gated(sources["civil_status"])
    async with running(tmp_path, {**sources, "civil_status": gate}) as gateway:
        yield gateway, gate


async def payloads(
    held: tuple[Running, Gated],
    query: str = QUERY,
    variables: Mapping[str, object] | None = None,
    **more: Any,
) -> PayloadClient:
    """Ask, and let the database answer as soon as everything else has been sent."""
    gateway, gate = held
    async with asking(gateway, query, {"id": HOA, **(variables or {})}, **more) as client:
        await gate.is_waiting.wait()
        for _ in range(50):  # turns of the loop: the rest is in memory
            await asyncio.sleep(0)
        gate.gate.set()
        await client.rest()
    gate.gate.clear()
    gate.is_waiting.clear()
    return client


@pytest.mark.parametrize(
    ("accept", "may"),
    [
        ("multipart/mixed", True),
        ("multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json", True),
        ('multipart/mixed; incrementalSpec="v0.2"; q=0.5, application/json', True),
        ("multipart/mixed;deferSpec=20220824, application/json", False),
        ("multipart/mixed;incrementalSpec=v0.1", False),
        ("multipart/mixed;q=0, application/json", False),
        ("multipart/form-data, */*", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_payloads_are_for_clients_that_read_their_form(accept: str, may: bool) -> None:
    assert accepts_payloads(accept) is may


def test_a_client_that_reads_payloads_alone_is_not_refused_where_there_is_one() -> None:
    assert response_type("multipart/mixed") == GRAPHQL_JSON
    with pytest.raises(GatewayError):
        response_type("multipart/form-data")


@pytest.mark.parametrize(
    ("more", "variables"),
    [
        ({"accept": (b"accept", b"application/json")}, {}),
        ({"accept": (b"accept", b"multipart/mixed;deferSpec=20220824,application/json")}, {}),
        ({"version": "1.0"}, {}),
        ({}, {"later": False}),
        ({"body": {"extensions": {"plan": True}}, "scopes": (*OFFICER, "plans")}, {}),
    ],
    ids=["no Accept", "another form", "HTTP/1.0", "if: false", "with the plan"],
)
async def test_who_cannot_read_payloads_has_the_whole_answer_in_one(
    held: tuple[Running, Gated], more: dict[str, Any], variables: dict[str, object]
) -> None:
    client = await payloads(held, variables=variables, **more)
    (answer,) = client.payloads
    assert not client.is_multipart
    assert answer["data"]["person"]["civilStatus"]["marriages"]["items"]
    several = await payloads(held)
    assert len(several.payloads) == 2
    assert merge(several.payloads)["data"] == answer["data"]


async def test_both_ways_through_the_application_send_the_same(
    held: tuple[Running, Gated],
) -> None:
    sent_id = (b"x-request-id", b"request-1")
    short = await payloads(held, headers=[sent_id])
    twice = [sent_id, (b"x-other", b"1"), (b"x-other", b"2")]  # not for the short way
    long = await payloads(held, headers=twice)
    assert len(short.payloads) == 2
    assert short.content == long.content
    assert short.headers.keys() == long.headers.keys()
    assert short.headers[b"content-type"] == long.headers[b"content-type"]


@pytest.mark.parametrize(
    "query",
    [
        PERSON % "civilStatus { marriages { ... @defer { items { eventId } } } }",
        PERSON
        % "civilStatus { marriages { items { eventId ... @defer { wife { person { id } } } } } }",
        f"""query($id: PersonNumber!) {{ databases {{ name }} person(id: $id) {{ id
          ... @defer {{ {CIVIL} }} }} }}""",
        f"""query($id: PersonNumber!) {{ ... @defer {{ databases {{ ... @defer {{ name }} }} }}
          person(id: $id) {{ id {CIVIL} }} }}""",
        f"""query($id: PersonNumber!) {{ ... @defer {{ __typename }}
          person(id: $id) {{ id {CIVIL} }} }}""",
    ],
    ids=["in a list", "in rows", "beside a catalogue", "unplanned", "of what is not read"],
)
async def test_elsewhere_the_directive_changes_nothing(
    held: tuple[Running, Gated], query: str
) -> None:
    client = await payloads(held, query)
    (answer,) = client.payloads
    assert not client.is_multipart
    plain = query.replace("@defer", "")
    held[1].gate.set()
    assert answer == await held[0].ask(plain, {"id": HOA})


async def test_too_many_fragments_at_once_are_answered_in_one(
    held: tuple[Running, Gated],
) -> None:
    parts = " ".join(f"... @defer {{ {name}: {CIVIL} }}" for name in "abc")
    query = f"query($ids: [PersonNumber!]!) {{ persons(ids: $ids) {{ id {parts} }} }}"
    client = await payloads(held, query, {"ids": [HOA] * 67})  # 201
    assert not client.is_multipart
    assert set(client.payloads[0]["data"]["persons"][0]) == {"id", *"abc"}


async def test_what_is_not_about_people_is_answered_in_one(held: tuple[Running, Gated]) -> None:
    query = '{ databases { name ... @defer(label: "group") { group } } }'
    async with asking(held[0], query) as client:
        (answer,) = await client.rest()
    assert {"name", "group"} == set(answer["data"]["databases"][0])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (PERSON % '... @defer(label: "a") { askedAs } ... @defer(label: "a") { askedAs }',
         "VALIDATION_FAILED"),
        ("query($id: PersonNumber!, $l: String) { person(id: $id) {"
         " ... @defer(label: $l) { id } } }", "VALIDATION_FAILED"),
        (PERSON % "... @defer(unless: true) { askedAs }", "VALIDATION_FAILED"),
        (PERSON % '... @defer(if: "yes") { askedAs }', "VALIDATION_FAILED"),
        (PERSON % "... @defer @defer { askedAs }", "VALIDATION_FAILED"),
        (PERSON % "askedAs @defer", "VALIDATION_FAILED"),
        (PERSON % "civilStatus { marriages { items @stream(initialCount: 1) { eventId } } }",
         "VALIDATION_FAILED"),
        ("subscription { ... @defer { person } }", "VALIDATION_FAILED"),
        ("mutation { ... @defer { __typename } }", "VALIDATION_FAILED"),
        (PERSON % ("...@defer{id}" * 31), "TOO_MANY_DIRECTIVES"),
        (PERSON % ("...@defer{id}" * 1_000), "TOO_MANY_TOKENS"),
        ("query($id: PersonNumber!, $if: Boolean = true) { person(id: $id) {"
         " ... @defer(if: $if) { id } } }", "INVALID_VARIABLES"),
    ],
)  # fmt: skip
async def test_a_document_that_says_it_wrongly_is_refused(
    held: tuple[Running, Gated], query: str, code: str
) -> None:
    variables = {"id": HOA, "if": None} if "$if" in query else {"id": HOA}
    async with asking(held[0], query, variables) as client:
        answer = await client.next()
    assert set(codes(answer)) == {code}
    assert 400 <= client.status < 500


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_url_is_answered_in_one_payload(held: tuple[Running, Gated], method: str) -> None:
    held[1].gate.set()
    query = b"query=%7Bme%7B...@defer%7Bid%7D%7D%7D"
    token = held[0].token("me", subject=HOA)
    headers: tuple[Header, ...] = (ACCEPT, (b"authorization", f"Bearer {token}".encode()))
    reply = await send_raw(application(held[0]), (b"",), headers, method, query=query)
    assert reply.status == 200
    assert reply.json() == {"data": {"me": {"id": HOA}}}


async def test_what_is_ready_or_repeated_is_answered_in_one_payload(tmp_path: Path) -> None:
    kept = {
        name: DatabaseSettings(timeout=120, fresh=1_000) for name in ("population", "civil_status")
    }
    query = PERSON % f"... @defer {{ {CIVIL} }}"
    async with running(tmp_path, databases_=kept) as gateway:
        answers, ready = [], value_of(LOOKED, "ready")
        for _ in range(4):
            async with asking(gateway, query, {"id": HOA}) as client:
                answers.append(merge(await client.rest()))
        assert not client.is_multipart
        assert value_of(LOOKED, "ready") > ready
        assert all(answer == answers[0] for answer in answers)
        assert await gateway.ask(query, {"id": HOA}) == answers[0]
        plain = await gateway.ask(query.replace("@defer", ""), {"id": HOA})
    assert plain == answers[0]
