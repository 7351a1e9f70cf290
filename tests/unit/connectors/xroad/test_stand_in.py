"""The stand-in refuses what security servers and providers refuse."""

from __future__ import annotations

import uuid
from typing import Any

import httpx2
import orjson
import pytest

from connectors.backends.memory import MemoryBackend
from connectors.xroad.messages import LARGEST
from connectors.xroad.stand_in import StandIn
from tests.support.backend_samples import AN, DATABASE, EMPTY, union
from tests.support.xroad import CLIENT, NAMES, SERVICE

QUESTION: dict[str, Any] = {"record": "unions", "lookup": "unions", "keys": [AN], "most": 5}
RIGHT = {
    "X-Road-Client": str(CLIENT),
    "X-Road-Id": str(uuid.uuid4()),
    "Content-Type": "application/json",
}


def _stand_in() -> StandIn:
    rows = {**EMPTY, "unions": [union("u1")]}
    return StandIn(DATABASE, MemoryBackend(DATABASE, rows), *NAMES)


async def _send(
    path: str = str(SERVICE),
    method: str = "POST",
    body: object = QUESTION,
    stand_in: StandIn | None = None,
    **changes: str | None,
) -> httpx2.Response:
    """Send a valid message with ``changes`` to its headers (None: left out)."""
    given_headers = {name.replace("_", "-"): value for name, value in changes.items()}
    right = {name: value for name, value in RIGHT.items() if name not in given_headers}
    headers = {
        **right,
        **{name: value for name, value in given_headers.items() if value is not None},
    }
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    transport = httpx2.ASGITransport((stand_in or _stand_in()).app())
    async with httpx2.AsyncClient(transport=transport) as client:
        url = f"http://127.0.0.1/r1/{path}"
        return await client.request(method, url, headers=headers, content=content)


async def test_the_right_message_is_answered_with_evidence() -> None:
    answer = await _send()
    assert answer.status_code == 200
    assert "X-Road-Error" not in answer.headers
    assert answer.headers["X-Road-Id"] == RIGHT["X-Road-Id"]
    assert answer.headers["X-Road-Service"] == str(SERVICE)
    assert answer.json()["found"][AN]["rows"][0][0] == "u1"


@pytest.mark.parametrize(
    "changes",
    [
        {"X_Road_Client": None},
        {"X_Road_Client": "VN/GOV"},
        {"X_Road_Client": "VN/GOV/MOJ/a/b"},
        {"X_Road_Client": "VN/GOV/MOJ/a%2Fb"},
        {"X_Road_Id": "17"},
        {"X_Road_UserId": ""},
        {"X_Road_Issue": ""},
        {"X_Road_Represented_Party": "a/b/c"},
        {"X_Road_Security_Server": "VN/GOV/MPS"},
        {"X_Road_Request_Id": str(uuid.uuid4())},
        {"X_Road_Request_Hash": "abc"},
    ],
)
async def test_headers_that_are_wrong_or_not_for_clients_are_refused(
    changes: dict[str, Any],
) -> None:
    stand_in = _stand_in()
    answer = await _send(stand_in=stand_in, **changes)
    assert answer.status_code == 400
    assert answer.headers["X-Road-Error"] == "client.clientproxy.invalid_headers"
    assert answer.json().keys() == {"type", "message", "detail"}
    assert stand_in.seen == []


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("VN/GOV/MPS/d%C3%A2n%20c%C6%B0/others", "server.serverproxy.unknown_service"),
        ("VN/GOV/MPS/others/records", "server.clientproxy.unknown_member"),
        ("XX/GOV/MPS/d%C3%A2n%20c%C6%B0/records", "server.clientproxy.unknown_member"),
    ],
)
async def test_services_that_nobody_offers_are_refused(path: str, error: str) -> None:
    answer = await _send(path)
    assert (answer.status_code, answer.headers["X-Road-Error"]) == (500, error)


async def test_a_client_that_is_not_registered_is_refused() -> None:
    answer = await _send(X_Road_Client="VN/GOV/MOJ/others")
    assert answer.headers["X-Road-Error"] == "server.clientproxy.unknown_member"


async def test_what_is_not_permitted_is_access_denied_with_500() -> None:
    answer = await _send(method="DELETE")
    assert answer.status_code == 500
    assert answer.headers["X-Road-Error"] == "server.serverproxy.access_denied"


async def test_bodies_beyond_ten_mebibytes_are_refused() -> None:
    answer = await _send(body=b" " * (LARGEST + 1))
    assert answer.headers["X-Road-Error"] == "client.clientproxy.io_error"


@pytest.mark.parametrize(
    ("body", "changes", "status"),
    [
        (QUESTION, {"Content_Type": "text/plain"}, 415),
        (b"nonsense", {}, 400),
        ({**QUESTION, "keys": [1]}, {}, 400),
        ({**QUESTION, "keys": AN}, {}, 400),
        ([], {}, 400),
        ({**QUESTION, "record": "nothing"}, {}, 404),
        ({**QUESTION, "lookup": "nothing"}, {}, 404),
    ],
)
async def test_the_provider_refuses_what_is_no_question_by_itself(
    body: object, changes: dict[str, Any], status: int
) -> None:
    answer = await _send(body=body, **changes)
    assert answer.status_code == status
    assert "X-Road-Error" not in answer.headers
    assert "X-Road-Request-Hash" in answer.headers


@pytest.mark.parametrize("name", ["allowedMethods", "listMethods"])
async def test_it_says_what_may_be_called(name: str) -> None:
    answer = await _send(f"{SERVICE.owner}/{name}", method="GET", body=b"")
    (service,) = answer.json()["service"]
    assert service["service_code"] == "records"
    assert service["endpoint_list"] == [{"method": "POST", "path": "/"}]


async def test_it_does_as_it_is_told_from_this_machine_until_told_otherwise() -> None:
    stand_in = _stand_in()
    transport = httpx2.ASGITransport(stand_in.app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        behaviour = {"error": "server.serverproxy.service_failed", "old_spelling": True}
        assert (await client.put("/stand-in/behaviour", json=behaviour)).status_code == 204
        answer = await _send(stand_in=stand_in)
        assert answer.headers["X-Road-Error"] == "Server.ServerProxy.ServiceFailed"
        assert (await client.put("/stand-in/behaviour", json={"mood": 1})).status_code == 400
        assert (await client.put("/stand-in/behaviour", json={})).status_code == 204
        assert (await _send(stand_in=stand_in)).status_code == 200


async def test_nobody_else_tells_it_what_to_do() -> None:
    transport = httpx2.ASGITransport(_stand_in().app(), client=("10.0.0.7", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.put("/stand-in/behaviour", json={})).status_code == 403
