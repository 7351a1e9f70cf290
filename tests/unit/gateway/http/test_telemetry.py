"""The request log and metrics: what they record, and what they never contain.

Covers ``gateway.http.envelope``, ``gateway.telemetry.metrics``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Message, Scope

from gateway.http.envelope import Envelope
from gateway.http.telemetry import Telemetry
from gateway.settings import OperationSettings, Settings
from gateway.telemetry.logs import configure
from tests.support.operation_files import write
from tests.support.people import HOA
from tests.support.running import CASE_NUMBER, OFFICER, Running, TestClock, application, running

NAME = """query Name($id: PersonNumber!) {
  person(id: $id) { population { identity { item { fullName } } } }
}"""
#: The number of a person as people write it, percent-encoded, and in digits of another script.
SPELLINGS = (
    HOA,
    f"{HOA[:3]}.{HOA[3:6]}.{HOA[6:9]}.{HOA[9:]}",
    f"{HOA[:3]} {HOA[3:6]} {HOA[6:9]} {HOA[9:]}",
    "".join(chr(0x660 + int(digit)) for digit in HOA),
)


def lines(printed: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines about requests since the last time."""
    events = [json.loads(line) for line in printed.readouterr().err.splitlines()]
    return [event for event in events if event["event"] == "request"]


def counted(operation: str, status: str) -> float:
    labels = {"operation": operation, "status": status}
    return REGISTRY.get_sample_value("justice_gateway_requests_total", labels) or 0.0


def timed(operation: str, bucket: str) -> float:
    labels = {"operation": operation, "le": bucket}
    return REGISTRY.get_sample_value("justice_gateway_request_seconds_bucket", labels) or 0.0


async def test_an_answer_has_a_line_with_what_monitoring_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as gateway:
        configure()
        token = gateway.token(*OFFICER)
        answer = await gateway.post(NAME, {"id": HOA}, token, x_request_id="desk-7-request")
    (line,) = lines(capsys)
    assert answer.status_code == 200
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "method": "POST",
        "route": "graphql",
        "operation": None,
        "status": 200,
        "codes": [],
        "ms": 0.0,  # the clock of tests stands still
        "client": "test-client",
        "agency": None,
        "request_id": "desk-7-request",
        "bytes": len(answer.content),
    }


async def test_a_published_operation_is_named_however_it_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "operations"
    write(folder, "name.graphql")
    async with running(
        tmp_path, operations=OperationSettings(folder=folder, reload_seconds=0)
    ) as gateway:
        configure()
        (published,) = gateway.service.operations.all()
        identifier = published.header.id
        token = gateway.token(client="partner", purposes=("1.000894",))
        headers = {"authorization": f"Bearer {token}", "x-case-number": CASE_NUMBER}
        before = counted(identifier, "200")
        body = {"documentId": identifier, "variables": {"id": HOA}}
        await gateway.client.post("/graphql", json=body, headers=headers)
        await gateway.client.post(f"/operations/{identifier}", json={"id": HOA}, headers=headers)
    logged = lines(capsys)
    assert [(line["route"], line["operation"]) for line in logged] == [
        ("graphql", identifier),
        ("operations", identifier),
    ]
    assert [line["status"] for line in logged] == [200, 200]
    assert counted(identifier, "200") == before + 2


async def test_a_refusal_has_its_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running(tmp_path) as gateway:
        configure()
        bad = {"authorization": "Bearer x"}
        await gateway.client.post("/graphql", json={"query": "{"})
        await gateway.client.post("/graphql", json={"query": "{ nothing }"})
        await gateway.client.post("/graphql", json={"query": "{ __typename }"}, headers=bad)
        await gateway.client.post("/invalidations", json={}, headers=bad)
        await gateway.client.get("/metrics")
        await gateway.client.get("/nowhere")
        await gateway.client.delete("/schema.graphql")
    assert [(line["method"], line["route"], line["codes"]) for line in lines(capsys)] == [
        ("POST", "graphql", ["SYNTAX_ERROR"]),
        ("POST", "graphql", ["VALIDATION_FAILED"]),
        ("POST", "graphql", ["TOKEN_INVALID"]),
        ("POST", "invalidations", ["TOKEN_INVALID"]),
        ("GET", "metrics", ["UNAUTHENTICATED"]),
        ("GET", "unknown", ["NOT_FOUND"]),
        ("DELETE", "schema", ["METHOD_NOT_ALLOWED"]),
    ]


@pytest.mark.parametrize("number", SPELLINGS)
async def test_no_number_of_a_person_is_logged_wherever_a_client_puts_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    async with running(tmp_path) as gateway:
        configure()
        await _send_everywhere(gateway, number)
    logged = lines(capsys)
    assert len(logged) == 8
    text = json.dumps(logged, ensure_ascii=False)
    assert [
        number_form for number_form in (HOA, number, quote(number)) if number_form in text
    ] == []


async def _send_everywhere(gateway: Running, number: str) -> None:
    """Send eight requests with ``number`` in URL, headers, token, variables and names."""
    client, encoded = gateway.client, quote(number)
    digits = "".join(str(int(digit)) for digit in number if digit.isdecimal())
    named_query = f"query Of{digits} {{ __typename }}"
    token = gateway.token(*OFFICER, client=f"desk {number}", subject=number)
    await gateway.post(NAME, {"id": digits}, token, x_request_id=digits)
    await client.get(f"/{encoded}")
    await client.get(f"/operations/{encoded}?id={encoded}")
    await client.post(f"/operations/{encoded}", json={"id": number})
    await client.get("/graphql", params={"query": named_query, "operationName": f"Of{digits}"})
    await client.post("/graphql", json={"documentId": number, "operationName": number})
    await client.request(digits, "/graphql", headers={"x-request-id": f"hs-{digits}"})
    headers = dict.fromkeys(("x-purpose", "x-case-number", "user-agent", "referer"), encoded)
    await client.post("/graphql", json={"query": named_query}, headers=headers)


async def test_names_of_operations_that_clients_choose_make_no_series(tmp_path: Path) -> None:
    async with running(tmp_path, request_log=False) as gateway:
        for number in range(20):
            await gateway.client.get(f"/nowhere/{number}")
            await gateway.client.post(f"/operations/nothing-{number}", json={})
            body = {"query": f"query Q{number} {{ __typename }}", "operationName": f"Q{number}"}
            await gateway.client.post("/graphql", json=body)
        operations = {
            sample.labels["operation"]
            for metric in REGISTRY.collect()
            if metric.name == "justice_gateway_requests"
            for sample in metric.samples
        }
    assert {"unknown", "operations", "graphql"} <= operations
    assert not {name for name in operations if name.startswith(("Q", "nothing", "/"))}


async def test_without_the_log_requests_are_counted_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, request_log=False) as gateway:
        configure()
        before = counted("live", "200")
        await gateway.client.get("/health/live")
    assert lines(capsys) == []
    assert counted("live", "200") == before + 1


async def test_every_route_has_a_name_of_its_own(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        app = application(gateway)
        assert isinstance(app, Starlette)
        names = [
            route.name for route in app.routes if isinstance(route, Route | WebSocketRoute | Mount)
        ]
        assert len(names) == len(app.routes)
    assert len(set(names)) == len(names)
    assert "Endpoint" not in names


async def test_time_counts_until_the_answer_ends(capsys: pytest.CaptureFixture[str]) -> None:
    clock = TestClock()

    async def slow(_request: Request) -> Response:
        clock.advance(0.03)
        return PlainTextResponse("late")

    before = timed("slow", "0.025"), timed("slow", "0.05")
    await _get(clock, slow)
    (line,) = lines(capsys)
    assert line["ms"] == pytest.approx(30.0)
    assert timed("slow", "0.025") == before[0]
    assert timed("slow", "0.05") == before[1] + 1


async def test_a_client_that_goes_away_has_no_status(capsys: pytest.CaptureFixture[str]) -> None:
    async def disconnect(_request: Request) -> Response:
        raise ClientDisconnect

    before = counted("disconnect", "closed")
    await _get(TestClock(), disconnect)
    (line,) = lines(capsys)
    assert line["status"] is None
    assert line["bytes"] == 0
    assert counted("disconnect", "closed") == before + 1


async def test_a_defect_has_its_code_and_says_nothing_of_the_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fail(_request: Request) -> Response:
        raise ValueError(HOA)

    await _get(TestClock(), fail, "/Nguyễn-Thị-Hoa")
    output = capsys.readouterr().err
    (defect, line) = (json.loads(line) for line in output.splitlines())
    assert defect["event"] == "request failed"
    assert (defect["route"], line["status"], line["codes"]) == ("fail", 500, ["INTERNAL"])
    assert "Hoa" not in output


async def _get(clock: TestClock, endpoint: Any, path: str = "/") -> None:
    """Ask an application of one route, as the gateway's own is built."""
    configure()
    route = Route("/{rest:path}", endpoint)
    envelope = Middleware(Envelope, "docs/errors/{code}.md")
    app = Starlette(routes=[route], middleware=[Middleware(Telemetry), envelope])
    app.state.service = _Service(clock)
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        pass

    await app(scope, receive, send)


class _Service:
    """What telemetry reads of a service."""

    def __init__(self, clock: TestClock) -> None:
        self.resources = _Resources(clock)


class _Resources:
    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.settings = Settings()
