"""Requests that are repeated byte for byte: they are not parsed again, and decided each time.

Covers ``gateway.execution.parameters``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio
from graphql import build_schema

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.access.revocations import revoke
from gateway.cache.rows import LOOKED
from gateway.errors import GatewayError
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.execution.repeated_requests import RepeatedRequests
from gateway.plan.document import Document, parse_document
from gateway.procedures.procedure import UNIFIED
from gateway.runtime.append_only_file import READ_EVERY
from gateway.settings import Access, DatabaseSettings, Limits, OperationSettings
from tests.support.metrics import value_of
from tests.support.operation_files import NAME, write
from tests.support.people import HOA
from tests.support.running import CASE_NUMBER, OFFICER, Running, codes, running

FRESH = {
    name: DatabaseSettings(timeout=120, fresh=1_000) for name in ("population", "civil_status")
}
PERSON = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } } }
  civilStatus { marriages { items { eventId } } } } }"""
BODY = orjson.dumps({"query": PERSON, "variables": {"id": HOA}})


def _parse(body: bytes, operation: str | None) -> Parameters:
    variables = orjson.loads(body)
    return Parameters("{ a }", None, variables, in_url=False, published=operation)


def _document() -> Document:
    return parse_document(build_schema("type Query { a: Int }"), Limits(), "{ a }")


def _keep(requests: RepeatedRequests, rights: str, received: ReceivedRequest, client: str) -> None:
    requests.keep(rights, client, received, received.parse(), _document())


def test_a_body_is_found_by_callers_of_the_same_rights_only() -> None:
    requests = RepeatedRequests()
    _keep(requests, "officer", ReceivedRequest(_parse, b'{"id": 1}'), "desk")
    again = ReceivedRequest(_parse, bytes(bytearray(b'{"id": 1}')))
    found = requests.find("officer", again)
    assert found is not None
    assert found.parameters.variables == {"id": 1}
    assert found.document is not None
    assert found.variables == b'{"id":1}'
    assert requests.find("other", again) is None
    assert requests.find(None, again) is None
    assert requests.find("officer", ReceivedRequest(_parse, b'{"id": 2}')) is None


def test_a_body_of_a_published_operation_is_another() -> None:
    requests = RepeatedRequests()
    _keep(requests, "partner", ReceivedRequest(_parse, b"{}", "name"), "desk")
    found = requests.find("partner", ReceivedRequest(_parse, b"{}", "name"))
    assert found is not None
    assert found.document is None, "the library says which one is published now"
    assert requests.find("partner", ReceivedRequest(_parse, b"{}", "other")) is None
    assert requests.find("partner", ReceivedRequest(_parse, b"{}")) is None


def test_what_has_no_body_is_not_kept() -> None:
    requests = RepeatedRequests()
    _keep(requests, "officer", ReceivedRequest(lambda *_: _parse(b"{}", None), None), "desk")
    assert requests.find("officer", ReceivedRequest(_parse, b"")) is None
    assert requests.find("officer", ReceivedRequest(_parse, None)) is None


def test_a_client_evicts_its_own_requests() -> None:
    requests = RepeatedRequests()
    first = ReceivedRequest(_parse, b"{}")
    _keep(requests, "officer", first, "desk")
    large = [orjson.dumps({"id": str(number) * 100_000}) for number in range(20)]
    for body in large:
        _keep(requests, "officer", ReceivedRequest(_parse, body), "other")
    assert requests.find("officer", first) is not None
    found = [requests.find("officer", ReceivedRequest(_parse, body)) for body in large]
    assert None in found
    assert found[-1] is not None


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    folder = tmp_path / "operations"
    write(folder, "name.graphql", purposes=UNIFIED)
    operations = OperationSettings(folder=folder, reload_seconds=0)
    databases = (POPULATION, CIVIL_STATUS)
    async with running(tmp_path, None, databases, FRESH, operations=operations) as started:
        yield started


def _headers(token: str, **changed: str | None) -> dict[str, str]:
    headers = {
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "x-purpose": UNIFIED,
        "x-case-number": CASE_NUMBER,
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return {name: value for name, value in headers.items() if value is not None}


async def _post(gateway: Running, token: str, **changed: str | None) -> httpx2.Response:
    return await gateway.client.post("/graphql", content=BODY, headers=_headers(token, **changed))


async def _is_known(gateway: Running, token: str, operation: str | None = None) -> bool:
    """Return whether the body is known for callers with the rights of ``token``."""
    stated = (await gateway.service.tokens.caller(token), UNIFIED)
    rights = [
        identity.rights
        for headers, identity in gateway.service.callers._identities.items()
        if identity.caller == stated[0] and headers.purpose == (stated[1].encode(),)
    ]
    body = BODY if operation is None else orjson.dumps({"id": HOA})
    received = ReceivedRequest(_parse, body, operation)
    return any(gateway.service.repeated.find(one, received) is not None for one in rights)


def _ready() -> float:
    return value_of(LOOKED, "ready")


async def _warm(gateway: Running, token: str) -> dict[str, Any]:
    """Ask until the body is known, and once more."""
    for _ in range(3):
        answer = await _post(gateway, token)
    assert await _is_known(gateway, token)
    before = _ready()
    again = await _post(gateway, token)
    assert _ready() == before + 1
    assert again.content == answer.content
    body: dict[str, Any] = again.json()
    assert not codes(body)
    return body


async def test_a_body_is_known_once_its_answer_was_ready(gateway: Running) -> None:
    token = gateway.token(*OFFICER)
    for known in (False, False, True):
        assert (await _post(gateway, token)).status_code == 200
        assert await _is_known(gateway, token) is known


async def test_a_known_body_shows_others_no_more_than_they_may_see(gateway: Running) -> None:
    token = gateway.token(*OFFICER)
    full = await _warm(gateway, token)
    other = gateway.token("population:read", client="other")
    for _ in range(4):
        body = (await _post(gateway, other)).json()
        assert codes(body) == ["FORBIDDEN"]
        assert body["data"]["person"]["population"] == full["data"]["person"]["population"]
        assert body["data"]["person"]["civilStatus"]["marriages"] == {"items": None}
    assert not await _is_known(gateway, other)
    partner = gateway.token(client="partner")
    assert codes((await _post(gateway, partner)).json()) == ["PUBLISHED_ONLY"]


async def test_a_known_body_needs_purpose_and_case_each_time(gateway: Running) -> None:
    token = gateway.token(*OFFICER)
    await _warm(gateway, token)
    for missing, code in (
        ("x_case_number", "CASE_NUMBER_REQUIRED"),
        ("x_purpose", "PURPOSE_REQUIRED"),
    ):
        assert codes((await _post(gateway, token, **{missing: None})).json()) == [code]
    refused = await _post(gateway, token, x_purpose="1.004873")
    assert codes(refused.json()) == ["PURPOSE_NOT_GRANTED"]
    await _warm(gateway, token)


async def test_a_known_body_needs_a_token_that_is_not_revoked(gateway: Running) -> None:
    token = gateway.token(*OFFICER)
    await _warm(gateway, token)
    caller = await gateway.service.tokens.caller(token)
    assert caller.token_id is not None
    revoke(gateway.folder / Access().revocations, caller.token_id, gateway.clock)
    await gateway.pass_time(READ_EVERY)
    assert codes((await _post(gateway, token)).json()) == ["TOKEN_INVALID"]
    other = gateway.token(*OFFICER, subject="officer-2")
    await _warm(gateway, other)


async def test_a_known_body_is_written_with_its_own_caller_and_case(gateway: Running) -> None:
    await _warm(gateway, gateway.token(*OFFICER, subject="officer-1"))
    before = _ready()
    token = gateway.token(*OFFICER, subject="officer-2")
    await _post(gateway, token, x_case_number="2/2026", x_request_id="desk-7-request")
    assert _ready() == before + 1
    entry = gateway.journal()[-1]
    assert (entry["subject"], entry["caseNumber"]) == ("officer-2", "2/2026")
    assert entry["requestId"] == "desk-7-request"


async def test_a_known_call_is_that_of_the_operation_that_is_published_now(
    gateway: Running,
) -> None:
    token = gateway.token(
        client="partner",
    )
    headers = _headers(token)

    async def call() -> httpx2.Response:
        content = orjson.dumps({"id": HOA})
        return await gateway.client.post("/operations/name", content=content, headers=headers)

    before = _ready()
    answers = [(await call()).json() for _ in range(5)]
    assert _ready() == before + 3
    assert answers[2:] == answers[2:3] * 3
    folder, without_id = gateway.folder / "operations", NAME.replace("    id\n", "")
    write(folder, "name.graphql", without_id, purposes=UNIFIED, version=2)
    await gateway.service.operations.reload()
    changed = (await call()).json()
    assert "id" in answers[0]["data"]["person"]
    assert "id" not in changed["data"]["person"]
    (folder / "name.graphql").unlink()
    await gateway.service.operations.reload()
    assert codes((await call()).json()) == ["OPERATION_UNKNOWN"]


async def test_variables_of_a_known_body_stay_as_they_were(gateway: Running) -> None:
    token = gateway.token(*OFFICER)
    await _warm(gateway, token)
    requests = gateway.service.repeated._requests
    (kept,) = (value for value, _, _ in requests._values.values())
    assert kept.parameters.variables == {"id": HOA}
    with pytest.raises(GatewayError):
        ReceivedRequest(lambda *_: (_ for _ in ()).throw(GatewayError("BAD_JSON")), b"").parse()
