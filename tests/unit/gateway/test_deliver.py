"""Payloads and the journal: what left is written down before it leaves, and nothing else is.

Covers ``gateway.deliver`` and ``gateway.http.payloads``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from starlette.requests import ClientDisconnect

from gateway.audit.touched import Trail
from gateway.deliver import deliver
from gateway.errors import GatewayError
from gateway.execution.operation import Increment, Result
from gateway.settings import RateLimits
from tests.support.faults import Gated
from tests.support.payloads import asking
from tests.support.people import HOA, NOBODY, backends
from tests.support.running import Running, codes, running
from tests.support.worlds import ALL, EVERY, LIVE, world

T = TypeVar("T")
SPOUSES = """query($id: PersonNumber!) { person(id: $id) { id
  population { identity { item { fullName } } }
  ... @defer(label: "civil") { civilStatus { marriages {
    items { wife { person { id population { identity { item { fullName } } } } } }
    source { state } } } } } }"""
RESULT = Result({}, (), (), Trail(), {})


@pytest_asyncio.fixture
async def civil(tmp_path: Path) -> AsyncIterator[tuple[Running, Gated]]:
    sources = backends()
    gate = Gated(sources["civil_status"], "marriages")
    async with running(tmp_path, {**sources, "civil_status": gate}) as gateway:
        yield gateway, gate


def touched(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the sections in an entry, by role."""
    return {person["role"]: person["sections"] for person in entry["persons"]}


AID = '... @defer(label: "aid") { legalAid { cases { source { state } } } }'
CIVIL = '... @defer(label: "civil") { civilStatus { marriages { source { state } } } }'
SCOPES = (*EVERY, "person:read", "person:sensitive")
CONFLICTS = '... @defer(label: "conflicts") { conflicts { state } }'


@pytest.mark.parametrize("second", ["legal_aid", "civil_status"])
@pytest.mark.parametrize("hidden", [AID, CONFLICTS], ids=["a list", "what a view reads"])
async def test_all_entries_of_a_request_are_hidden_alike(
    tmp_path: Path, hidden: str, second: str
) -> None:
    """Whichever database is slow: an entry that parents are shown tells them that there was one."""
    databases = world({})
    gate = Gated(databases[second])
    sources = {**databases, second: gate}
    query = f"query($id: PersonNumber!) {{ person(id: $id) {{ id {hidden} {CIVIL} }} }}"
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        async with asking(gateway, query, {"id": HOA}, SCOPES) as client:
            await client.next()
            gate.gate.set()
            await client.rest()
        assert len(client.payloads) > 1
        await gateway.ask(query, {"id": HOA}, SCOPES)
        *entries, single = gateway.journal()
    assert len(entries) == len(client.payloads)
    assert single["hiddenFromGuardians"]
    assert all(entry["hiddenFromGuardians"] for entry in entries)


async def test_entries_of_a_request_that_concerns_no_aid_are_shown(
    civil: tuple[Running, Gated],
) -> None:
    gateway, gate = civil
    async with asking(gateway, SPOUSES, {"id": HOA}) as client:
        await client.next()
        gate.gate.set()
        await client.rest()
    assert [entry["hiddenFromGuardians"] for entry in gateway.journal()] == [False, False]


async def test_each_payload_has_its_entry_before_it_leaves(civil: tuple[Running, Gated]) -> None:
    gateway, gate = civil
    watch = asking(gateway, SPOUSES, {"id": HOA}, watch=lambda: len(gateway.journal()))
    async with watch as client:
        await client.next()
        (first,) = gateway.journal()
        assert touched(first) == {"NAMED": ["population.identity"]}
        assert gateway.service.admission.in_flight == 1
        gate.gate.set()
        await client.rest()
    assert client.watched == [1, 1, 2]  # the head, and two payloads
    first, second = gateway.journal()
    assert touched(second) == {
        "NAMED": ["civil_status.marriages"],
        "KIN": ["population.identity"],
    }
    assert first["requestId"] == second["requestId"]
    assert second["sections"] == {
        "civil_status.marriages": "ANSWERED",
        "population.identity": "ANSWERED",
    }
    assert gateway.service.admission.in_flight == 0


async def test_what_was_not_sent_to_a_client_that_left_has_no_entry(
    civil: tuple[Running, Gated],
) -> None:
    gateway, gate = civil
    before = asyncio.all_tasks()
    async with asking(gateway, SPOUSES, {"id": HOA}) as client:
        await client.next()
        await gate.is_waiting.wait()
        client.leave()
    assert gateway.service.admission.in_flight == 0
    gate.gate.set()
    while left := asyncio.all_tasks() - before:  # the call, which nobody waits for any more
        await asyncio.wait(left)
    assert len(gateway.journal()) == 1
    assert client.messages.empty()


async def test_a_payload_that_cannot_be_recorded_is_not_sent(
    civil: tuple[Running, Gated],
) -> None:
    gateway, gate = civil
    async with asking(gateway, SPOUSES, {"id": HOA}) as client:
        await client.next()
        await gateway.service.audit.journal.close()
        gate.gate.set()
        last = await client.next()
    assert set(last) == {"completed", "hasNext"}
    assert not last["hasNext"]
    (completed,) = last["completed"]
    assert completed["id"] == "0"
    assert codes(completed) == ["AUDIT_UNAVAILABLE"]
    assert completed["errors"][0]["path"] == ["person"]
    assert b"civilStatus" not in client.content


async def test_nothing_is_sent_where_the_first_payload_cannot_be_recorded(
    civil: tuple[Running, Gated],
) -> None:
    gateway, _ = civil
    await gateway.service.audit.journal.close()
    before = asyncio.all_tasks()
    async with asking(gateway, SPOUSES, {"id": HOA}) as client:
        answer = await client.next()
    assert (client.status, codes(answer)) == (503, ["AUDIT_UNAVAILABLE"])
    assert not {task for task in asyncio.all_tasks() - before if "_execute" in repr(task)}


async def test_a_number_that_nobody_holds_counts_once_towards_the_limit(tmp_path: Path) -> None:
    query = SPOUSES.replace("civilStatus { marriages", "civilStatus { deaths").replace(
        "wife { person { id population { identity { item { fullName } } } } }", "eventId"
    )
    sources = backends()
    gate = Gated(sources["civil_status"], "deaths")
    limits = RateLimits(unidentified_per_caller_per_day=2)
    async with running(tmp_path, {**sources, "civil_status": gate}, rates=limits) as gateway:
        for _ in range(2):
            gate.gate.clear()
            gate.is_waiting.clear()
            async with asking(gateway, query, {"id": NOBODY}) as client:
                await gate.is_waiting.wait()
                gate.gate.set()
                payloads = await client.rest()
            assert payloads[0]["data"]["person"]["id"] == NOBODY
        async with asking(gateway, query, {"id": NOBODY}) as client:
            assert codes(await client.next()) == ["RATE_LIMITED"]


class _Increments:
    """Fragments of which the first is complete, and the second fails with ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.is_closed = False
        self.is_first = True

    def announce(self) -> list[dict[str, object]]:
        return [{"id": "0", "path": []}, {"id": "1", "path": []}]

    async def next(self) -> Increment:
        if self.is_first:
            self.is_first = False
            return Increment((), (), [{"id": "0"}], True, RESULT)
        raise self.error

    def when_executed(self, _action: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()

    def fail(self, error: dict[str, object]) -> dict[str, object]:
        return {"completed": [{"id": "1", "errors": [error]}], "hasNext": False}

    def close(self) -> None:
        self.is_closed = True


class _Payloads:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send(self, payload: dict[str, object]) -> None:
        self.sent.append(payload)

    async def wait(self, arrival: Awaitable[T]) -> T:
        return await arrival


def _release() -> None:
    return


async def _record(_result: Result, _answer: dict[str, object]) -> None:
    return


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("secret-host"), "INTERNAL"), (GatewayError("GATEWAY_BUSY"), "GATEWAY_BUSY")],
)
async def test_what_fails_after_the_first_payload_is_an_error_of_the_fragments_to_come(
    error: Exception, code: str
) -> None:
    increments, payloads = _Increments(error), _Payloads()
    last: Any = await deliver(increments, payloads, _record, RESULT, {"data": {}}, _release)
    assert len(payloads.sent) == 2
    (completed,) = last["completed"]
    assert (completed["id"], codes(completed)) == ("1", [code])
    assert "secret" not in str(last)
    assert increments.is_closed


async def test_a_client_that_left_ends_the_delivery() -> None:
    increments = _Increments(ClientDisconnect())
    with pytest.raises(ClientDisconnect):
        await deliver(increments, _Payloads(), _record, RESULT, {"data": {}}, _release)
    assert increments.is_closed
