"""The X-Road backend over the stand-in: headers, evidence, refusals and invalid answers.

Covers ``connectors.xroad.exchange``, ``connectors.xroad.messages``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

import httpx2
import orjson
import pytest

from connectors.backends.base import (
    Asker,
    Batch,
    NotMapped,
    Rows,
    Scope,
    SourceMaintenance,
    SourceRefused,
    SourceUnavailable,
)
from connectors.backends.memory import MemoryBackend
from connectors.xroad.backend import XroadBackend
from connectors.xroad.identifiers import Identifier
from connectors.xroad.messages import LARGEST
from connectors.xroad.stand_in import Behaviour, StandIn
from tests.support.backend_samples import (
    AN,
    BINH,
    DATABASE,
    EMPTY,
    THINGS,
    UNIONS,
    thing,
    union,
)
from tests.support.xroad import CLIENT, NAMES, SERVICE, options, over_xroad

LOOKUP = UNIONS.lookups[0]
ASKER = Asker("desk", "cán bộ 7", "000.00.11.H29-261123-0001", "001090000009")


def _stand_in(**rows: object) -> StandIn:
    return StandIn(DATABASE, MemoryBackend(DATABASE, {**EMPTY, "unions": [union("u1")]}), *NAMES)


async def _fetch(backend: XroadBackend, keys: Sequence[str] = (AN,)) -> Batch:
    try:
        return await backend.fetch(UNIONS, LOOKUP, keys, ASKER)
    finally:
        await backend.close()


async def test_each_message_says_who_asks_for_which_case_and_on_whose_behalf() -> None:
    stand_in = _stand_in()
    await _fetch(over_xroad(stand_in))
    (request_headers,) = stand_in.seen
    assert request_headers["x-road-client"] == str(CLIENT)
    assert request_headers["x-road-userid"] == "c%C3%A1n b%E1%BB%99 7"
    assert request_headers["x-road-issue"] == ASKER.case
    assert request_headers["x-road-represented-party"] == ASKER.represented
    assert (request_headers["accept"], request_headers["content-type"]) == (
        "application/json",
        "application/json",
    )
    assert uuid.UUID(request_headers["x-road-id"])
    assert not {"x-road-request-id", "x-road-request-hash"} & request_headers.keys()


async def test_every_row_has_the_evidence_of_the_message_that_brought_it() -> None:
    stand_in = _stand_in()
    backend = over_xroad(stand_in)
    batch = await backend.fetch(UNIONS, LOOKUP, [AN, BINH], ASKER)
    second_batch = await _fetch(backend)
    ids = [item["x-road-id"] for item in stand_in.seen]
    assert [batch.evidence[key].id for key in (AN, BINH)] == [ids[0]] * 2
    assert second_batch.evidence[AN].id == ids[1] != ids[0]
    assert batch.evidence[AN].request_id
    assert len(batch.evidence[AN].request_hash) == 88  # SHA-512 in Base64


async def test_many_people_are_asked_for_in_one_body_and_none_in_a_path() -> None:
    requests: list[httpx2.Request] = []
    inner = httpx2.ASGITransport(_stand_in().app())

    async def note(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return await inner.handle_async_request(request)

    keys = [f"0010900{number:05d}" for number in range(450)]
    backend = XroadBackend(DATABASE, options(), httpx2.MockTransport(note))
    batch = await _fetch(backend, keys)
    assert batch.by_key.keys() == set(keys)
    assert [len(orjson.loads(message.content)["keys"]) for message in requests] == [200, 200, 50]
    assert {str(message.url) for message in requests} == {f"http://127.0.0.1/r1/{SERVICE}"}


def test_nothing_is_shared_between_callers_unless_the_agreement_says_so() -> None:
    stand_in = _stand_in()
    unshared, shared = over_xroad(stand_in), over_xroad(stand_in, shared=True)
    assert {unshared.capabilities.batch_scope, unshared.capabilities.cache_scope} == {Scope.CALLER}
    assert {shared.capabilities.batch_scope, shared.capabilities.cache_scope} == {Scope.PROCESS}


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("server.serverproxy.access_denied", SourceRefused),
        ("server.serverproxy.service_failed", SourceUnavailable),
        ("server.clientproxy.maintenance_mode", SourceMaintenance),
    ],
)
async def test_errors_of_x_road_are_told_by_their_header(
    error: str, kind: type[SourceUnavailable], old: bool
) -> None:
    stand_in = _stand_in()
    stand_in.behaviour = Behaviour(error=error, old_spelling=old)
    with pytest.raises(SourceUnavailable) as raised:
        await _fetch(over_xroad(stand_in))
    assert type(raised.value) is kind


async def test_maintenance_at_the_provider_is_told() -> None:
    stand_in = _stand_in()
    stand_in.behaviour = Behaviour(maintenance=True)
    with pytest.raises(SourceMaintenance):
        await _fetch(over_xroad(stand_in))


async def test_a_record_that_the_provider_does_not_keep_is_not_mapped() -> None:
    stand_in = StandIn(DATABASE, MemoryBackend(DATABASE, {}), *NAMES)
    with pytest.raises(NotMapped):
        await _fetch(over_xroad(stand_in))


@pytest.mark.parametrize(
    "changes",
    [
        {"client": Identifier(("VN", "GOV", "MOJ", "somebody else"))},
        {"service": Identifier((*SERVICE.parts[:4], "another"))},
        {"service": Identifier(("XX", *SERVICE.parts[1:]))},
    ],
)
async def test_what_is_not_agreed_is_refused_and_found(changes: dict[str, Identifier]) -> None:
    with pytest.raises(SourceRefused):
        await _fetch(over_xroad(_stand_in(), **changes))
    backend = over_xroad(_stand_in(), **changes)
    examination = await backend.examine()
    await backend.close()
    (finding,) = examination.findings
    assert finding.topic in {"server", "service"}
    assert not (examination.reached and examination.serves)


async def test_of_a_service_that_may_be_called_there_is_nothing_to_find() -> None:
    backend = over_xroad(_stand_in())
    await backend.ping()
    examination = await backend.examine()
    assert (examination.findings, examination.serves) == ((), True)
    await backend.close()


async def test_a_security_server_that_is_not_there_is_unavailable_and_found() -> None:
    backend = XroadBackend(DATABASE, options(server="http://127.0.0.1:9"))
    (finding,) = (await backend.examine()).findings
    assert finding.topic == "server"
    with pytest.raises(SourceUnavailable, match="ConnectError"):
        await _fetch(backend)


Change = Callable[[httpx2.Response], httpx2.Response]


def _body(**changes: object) -> Change:
    def change(answer: httpx2.Response) -> httpx2.Response:
        content = {**orjson.loads(answer.content), **changes}
        content = {name: value for name, value in content.items() if value is not ...}
        return httpx2.Response(
            answer.status_code, headers=_headers_of_body(answer), content=orjson.dumps(content)
        )

    return change


def _header(name: str, value: str | None) -> Change:
    def change(answer: httpx2.Response) -> httpx2.Response:
        headers = _headers_of_body(answer)
        headers.pop(name)
        if value is not None:
            headers[name] = value
        return httpx2.Response(answer.status_code, headers=headers, content=answer.content)

    return change


def _headers_of_body(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("x-road")}


@pytest.mark.parametrize(
    "change",
    [
        _body(found={}),
        _body(found=...),
        _body(columns=["event_id"]),
        _body(found={AN: {"rows": [], "unreadable": 0}}),
        _body(found={AN: {"rows": [["u1"]], "unreadable": 0, "truncated": False}}),
        _body(found={AN: {"rows": None, "unreadable": 0, "truncated": False}}),
        _body(found={AN: {"rows": [], "unreadable": -1, "truncated": False}}),
        _body(asOf="2026-11-23T10:00:00"),
        _header("x-road-id", str(uuid.uuid4())),
        _header("x-road-id", None),
        _header("x-road-service", "VN/GOV/MPS/other/records"),
        _header("x-road-request-id", None),
        _header("x-road-request-hash", None),
        lambda answer: httpx2.Response(200, headers=_headers_of_body(answer), content=b"<html>"),
        lambda answer: httpx2.Response(500, headers=_headers_of_body(answer), content=b"{}"),
        lambda answer: httpx2.Response(302, headers=_headers_of_body(answer), content=b""),
    ],
)
async def test_an_answer_that_is_not_as_agreed_is_never_taken_for_none(change: Change) -> None:
    inner = httpx2.ASGITransport(_stand_in().app())

    async def altered(request: httpx2.Request) -> httpx2.Response:
        answer = await inner.handle_async_request(request)
        await answer.aread()
        return change(answer)

    with pytest.raises(SourceUnavailable):
        await _fetch(XroadBackend(DATABASE, options(), httpx2.MockTransport(altered)))


@pytest.mark.parametrize("spoilt", [b"T\xe0i", b"T\\ud83di", b"\xff\xfe"])
async def test_a_value_that_is_no_text_costs_its_row(spoilt: bytes) -> None:
    rows = [thing("t1", AN, title="chuộc"), thing("t2"), thing("t3", BINH)]
    stand_in = StandIn(DATABASE, MemoryBackend(DATABASE, {**EMPTY, "things": rows}), *NAMES)
    inner = httpx2.ASGITransport(stand_in.app())

    async def altered(request: httpx2.Request) -> httpx2.Response:
        answer = await inner.handle_async_request(request)
        content = (await answer.aread()).replace("chuộc".encode(), spoilt)
        return httpx2.Response(200, headers=_headers_of_body(answer), content=content)

    backend = XroadBackend(DATABASE, options(), httpx2.MockTransport(altered))
    batch = await backend.fetch(THINGS, THINGS.lookups[0], [AN, BINH, "9" * 12], ASKER)
    await backend.close()
    found_ids = {
        key: ([row[0] for row in of_key.rows], of_key.unreadable)
        for key, of_key in batch.by_key.items()
    }
    assert found_ids == {AN: (["t2"], 1), BINH: (["t3"], 0), "9" * 12: ([], 0)}
    assert not batch.failed


async def test_answers_too_large_for_one_message_come_in_several() -> None:
    inner = httpx2.ASGITransport(_stand_in().app())
    messages = []

    async def swollen(request: httpx2.Request) -> httpx2.Response:
        keys = orjson.loads(request.content)["keys"]
        messages.append(len(keys))
        answer = await inner.handle_async_request(request)
        await answer.aread()
        too_large = len(keys) > 2 or "9" * 12 in keys
        padding = b" " * (LARGEST if too_large else 0)
        return httpx2.Response(
            200, headers=_headers_of_body(answer), content=answer.content + padding
        )

    backend = XroadBackend(DATABASE, options(), httpx2.MockTransport(swollen))
    batch = await _fetch(backend, [AN, BINH, "9" * 12, "8" * 12])
    assert messages == [4, 2, 2, 1, 1]
    assert batch.failed == {"9" * 12: "its answer is too large"}
    assert [row[0] for row in batch.by_key[AN].rows] == ["u1"]
    assert batch.by_key["8" * 12] == Rows()


async def test_a_key_that_is_no_text_fails_by_itself() -> None:
    batch = await _fetch(over_xroad(_stand_in()), ["\ud800", AN])
    assert batch.failed.keys() == {"\ud800"}
    assert [row[0] for row in batch.by_key[AN].rows] == ["u1"]


async def test_a_backend_that_is_closed_asks_no_more() -> None:
    backend = over_xroad(_stand_in())
    await backend.close()
    with pytest.raises(SourceUnavailable, match="closed"):
        await backend.ping()
