"""Execution of a plan: which reads are sent, in which order, and which never are.

Covers ``gateway.execution.batch``, ``gateway.execution.state``, ``gateway.execution.execute``,
``gateway.execution.resources``, ``gateway.execution.deadlines``, ``gateway.execution.program``,
``gateway.execution.parts``, ``gateway.execution.pages``,
``gateway.execution.roots``, ``gateway.execution.resolve``, ``gateway.execution.emit``,
``gateway.execution.steps.open_people``, ``gateway.execution.steps.read_lists``,
``gateway.execution.steps.hang_lists``, ``gateway.execution.steps.report_sections``,
``gateway.execution.steps.derive_views``, ``gateway.execution.steps.read_logs``,
``gateway.execution.steps.verify_people``.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import ANY

import orjson
import pytest

from connectors.backends.base import NOBODY, Asker, Backend, Batch, Capabilities, Scope
from connectors.description import Lookup, Record
from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.access_log.page import LogPage
from gateway.audit.entry import person_hash
from gateway.execution.batch import PlanBatch
from gateway.execution.execute import execute
from gateway.execution.operation import OperationRequest
from gateway.execution.parts import LoadedList, Member, PersonPart
from gateway.execution.prepare import prepare
from gateway.people.numbers import PersonNumbers
from gateway.procedures.procedure import UNIFIED
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, OLD_NUMBER, SHARED_NUMBER, backends
from tests.support.running import OFFICER, Running, application, codes, running

MARRIAGES = """query($id: PersonNumber!, $matching: Matching) {
  person(id: $id, matching: $matching) { civilStatus { marriages { items { eventId } } } } }"""
SPOUSES = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { civilStatus { marriages { items {
  husband { person { id population { identity { item { fullName } } } } }
  wife { person { id population { identity { item { fullName } } } } } } } } } }"""


def _watched() -> dict[str, Faulty]:
    return {name: Faulty(backend) for name, backend in backends().items()}


def _keys(source: Faulty, record: str) -> list[str]:
    return [key for name, _, keys in source.fetched for key in keys if name == record]


async def test_a_list_is_asked_for_beside_the_number(tmp_path: Path) -> None:
    sources = _watched()
    population = sources["population"]
    population.fault = "down"
    async with running(tmp_path, sources) as gateway:
        await gateway.ask(MARRIAGES, {"id": LAN})
    assert _keys(sources["civil_status"], "marriages") == [LAN], "whatever population answers"


@pytest.mark.parametrize(
    "matching", [{"birthDate": "1990-02-03", "name": "Somebody Else"}, {"birthDate": "1911-01-01"}]
)
async def test_a_file_stays_closed_until_what_was_given_agrees(
    tmp_path: Path, matching: dict[str, str]
) -> None:
    sources = _watched()
    async with running(tmp_path, sources) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": HOA, "matching": matching})
        assert codes(body) == ["PERSON_NOT_MATCHED"]
        assert sources["civil_status"].fetched == []
        agreeing = {"id": HOA, "matching": {"birthDate": "1990-02-03"}}
        body = await gateway.ask(MARRIAGES, agreeing)
    assert len(body["data"]["person"]["civilStatus"]["marriages"]["items"]) == 2
    assert sorted(_keys(sources["civil_status"], "marriages")) == sorted({HOA, OLD_NUMBER})


@pytest.mark.parametrize("number", [SHARED_NUMBER, OLD_NUMBER])
async def test_an_old_number_opens_no_file_before_it_is_known_whose_it_is(
    tmp_path: Path, number: str
) -> None:
    """The population database hangs until the test has seen what the other was asked."""
    sources = backends()
    gate = asyncio.Event()
    gated = _Gated(sources["population"], gate)
    other = Faulty(sources["civil_status"])
    async with running(tmp_path, {"population": gated, "civil_status": other}) as gateway:
        task = asyncio.create_task(gateway.ask(MARRIAGES, {"id": number}))
        await gated.asked.wait()
        assert other.fetched == []
        gate.set()
        await task
    keys = _keys(other, "marriages")
    assert sorted(keys) == ([] if number == SHARED_NUMBER else sorted({HOA, OLD_NUMBER}))


class _Gated(Faulty):
    """Answers only once the gate is open; ``asked``: somebody is waiting."""

    def __init__(self, inner: Backend, gate: asyncio.Event) -> None:
        super().__init__(inner)
        self.gate = gate
        self.is_waiting = asyncio.Event()
        self.asked = asyncio.Event()

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.asked.set()
        await self.gate.wait()
        return await super().fetch(record, lookup, keys, asker)


async def test_what_is_denied_or_withheld_is_never_asked_for(tmp_path: Path) -> None:
    sources = _watched()
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      births { items { eventId } } adoptions { items { eventId } } } } }"""
    async with running(tmp_path, sources) as gateway:
        denied = await gateway.ask(query, {"id": HOA}, ("population:read",))
        assert codes(denied) == ["FORBIDDEN", "FORBIDDEN"]
        assert sources["civil_status"].fetched == []
        await gateway.ask(query, {"id": HOA})
    assert {name for name, _, _ in sources["civil_status"].fetched} == {"births"}


async def test_what_the_purpose_does_not_need_is_never_asked_for(tmp_path: Path) -> None:
    """For every scope there is: a marriage is registered without whose guardian somebody is."""
    sources = _watched()
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      marriages { items { eventId husband { ethnicity } } }
      guardianships { items { eventId } } } } }"""
    async with running(tmp_path, sources) as gateway:
        token = gateway.token(*OFFICER, purposes=["1.000894"])
        answer = await gateway.post(query, {"id": HOA}, token, x_purpose="1.000894")
    assert codes(answer.json()) == ["FORBIDDEN", "FORBIDDEN"]
    assert {name for name, _, _ in sources["civil_status"].fetched} == {"marriages"}
    ethnicity, guardianships = sorted(
        answer.json()["errors"], key=lambda error: "husband" not in error["path"]
    )
    purpose = "purpose:civil_status.marriages.husband.ethnicity"
    assert ethnicity["extensions"]["missing"] == [purpose]
    assert guardianships["extensions"]["missing"] == ["purpose:civil_status.guardianships"]


async def test_the_journal_says_in_which_role_an_answer_touched_whom_and_what_was_read(
    tmp_path: Path,
) -> None:
    without_person = "civilStatus { marriages(first: 1) { items { wife { citizenId } } } }"
    with_person = """civilStatus { marriages(first: 1) { items { wife { person {
      population { identity { item { sex } } } } } } } }"""
    marriages, identity = "civil_status.marriages", "population.identity"
    ask = "query($id: PersonNumber!) { person(id: $id) { %s } }"
    async with running(tmp_path) as gateway:
        await gateway.ask(ask % without_person, {"id": HOA})
        await gateway.ask(ask % with_person, {"id": HOA})
        await gateway.ask(f"{{ me {{ {without_person} }} }}", None, ("me",), subject=HOA)
        await gateway.ask(MARRIAGES, {"id": HOA, "matching": {"birthDate": "1911-01-01"}})
        await gateway.ask(MARRIAGES, {"id": SHARED_NUMBER})
        await gateway.ask(MARRIAGES, {"id": OLD_NUMBER})
        ring, journal = gateway.service.resources.person_hash, gateway.journal()
    by_hash = {
        person_hash(ring, number): number for number in (HOA, LAN, SHARED_NUMBER, OLD_NUMBER)
    }
    touched = [
        {
            (by_hash[person["person"]], person["role"], *person["sections"])
            for person in entry["persons"]
        }
        for entry in journal
    ]
    assert touched == [
        {(HOA, "NAMED", marriages), (LAN, "MENTIONED")},
        {(HOA, "NAMED", marriages), (LAN, "KIN", identity)},
        {(HOA, "OWN", marriages), (LAN, "MENTIONED")},
        {(HOA, "REFUSED")},
        {(SHARED_NUMBER, "REFUSED")},
        {(HOA, "NAMED", marriages), (OLD_NUMBER, "NAMED", marriages)},
    ]
    assert {entry["result"] for entry in journal} == {"ANSWERED"}


async def test_everybody_in_a_wave_is_asked_for_together(tmp_path: Path) -> None:
    sources = _watched()
    async with running(tmp_path, sources) as gateway:
        await gateway.ask(SPOUSES, {"ids": [HOA, LAN]})
    fetched = [(record, lookup) for record, lookup, _ in sources["population"].fetched]
    assert len(fetched) <= 8, "one for each lookup and wave, not for each person"
    keys = [(record, lookup, key) for record, lookup, keys in sources["population"].fetched
            for key in keys]  # fmt: skip
    assert len(keys) == len(set(keys)), "nobody is asked for twice"


async def test_one_slow_database_holds_up_its_own_lists_only(tmp_path: Path) -> None:
    """The spouse is opened while the first wave's other list is still being waited for."""
    sources = backends()
    gate = asyncio.Event()
    slow = _Slow(sources["civil_status"], gate)
    population = Faulty(sources["population"])
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      deaths { items { eventId } }
      marriages { items { wife { person { population { identity { item { fullName } } } } } } }
    } } }"""
    async with running(tmp_path, {"population": population, "civil_status": slow}) as gateway:
        task = asyncio.create_task(gateway.ask(query, {"id": HOA}))
        while LAN not in _keys(population, "identity"):
            await asyncio.sleep(0)
            assert not task.done()
        gate.set()
        body = await task
    assert "errors" not in body


class _Slow(Faulty):
    """Answers for deaths only once the gate is open."""

    def __init__(self, inner: Backend, gate: asyncio.Event) -> None:
        super().__init__(inner)
        self.gate = gate
        self.is_waiting = asyncio.Event()

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        if record.name == "deaths":
            self.is_waiting.set()
            await self.gate.wait()
        return await super().fetch(record, lookup, keys, asker)


NAME = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } } }
  civilStatus { marriages { items { eventId } } } } }"""


async def test_requests_that_come_together_are_read_together_and_each_has_its_own_answer(
    tmp_path: Path,
) -> None:
    sources = _watched()
    async with running(tmp_path, sources) as gateway:
        alone = {number: await gateway.ask(NAME, {"id": number}) for number in (HOA, LAN)}
        for source in sources.values():
            source.fetched.clear()
        numbers = [HOA, LAN, HOA, LAN, LAN]
        bodies = await asyncio.gather(*(gateway.ask(NAME, {"id": n}) for n in numbers))
    assert bodies == [alone[number] for number in numbers]
    marriages = [keys for name, _, keys in sources["civil_status"].fetched if name == "marriages"]
    assert sorted(key for keys in marriages for key in keys) == sorted({HOA, LAN, OLD_NUMBER})


async def test_callers_with_other_rights_never_share_an_answer(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { population { identity { item {
      fullName religion } } } civilStatus { adoptions { items { eventId } } } } }"""
    scopes = [
        OFFICER,
        ("population:read",),
        (*OFFICER, "population:sensitive"),
        ("legal_aid:read",),
    ]
    async with running(tmp_path, _watched()) as gateway:
        alone = [await gateway.ask(query, {"id": HOA}, scope) for scope in scopes]
        together = await asyncio.gather(
            *(gateway.ask(query, {"id": HOA}, scope) for scope in scopes for _ in range(4))
        )
    assert list(together) == [body for body in alone for _ in range(4)]
    assert len({str(body) for body in alone}) == len(scopes)


class _NamesAsker(Faulty):
    """A database whose messages name who asks."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.askers: list[tuple[str | None, tuple[str, ...]]] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(batch_scope=Scope.CALLER, cache_scope=Scope.CALLER)

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.askers.append((asker.user, tuple(keys)))
        return await super().fetch(record, lookup, keys, asker)


async def test_where_messages_name_who_asks_each_is_named_for_what_they_asked(
    tmp_path: Path,
) -> None:
    known = backends()
    population, civil_status = _NamesAsker(known["population"]), Faulty(known["civil_status"])
    sources = {"population": population, "civil_status": civil_status}
    async with running(tmp_path, sources) as gateway:
        await asyncio.gather(
            gateway.ask(NAME, {"id": HOA}, subject="officer-1"),
            gateway.ask(NAME, {"id": LAN}, subject="officer-2"),
            gateway.ask(NAME, {"id": LAN}, subject="officer-1"),
        )
    asked = {(user, key) for user, keys in population.askers for key in keys if key in {HOA, LAN}}
    assert asked == {("officer-1", HOA), ("officer-1", LAN), ("officer-2", LAN)}
    marriages = [keys for name, _, keys in civil_status.fetched if name == "marriages"]
    assert marriages[0] == (HOA, LAN), "where nobody is named, all are asked for together"


async def test_a_caller_that_goes_away_costs_nobody_else_their_answer(tmp_path: Path) -> None:
    gate = asyncio.Event()
    slow = _Slow(backends()["civil_status"], gate)
    query = """query($id: PersonNumber!) { person(id: $id) {
      id civilStatus { deaths { items { eventId } } } } }"""
    async with running(tmp_path, {**_watched(), "civil_status": slow}) as gateway:
        tasks = [asyncio.create_task(gateway.ask(query, {"id": n})) for n in (HOA, LAN, HOA)]
        await slow.is_waiting.wait()
        tasks[0].cancel()
        gate.set()
        bodies = await asyncio.gather(*tasks[1:])
        await asyncio.wait(tasks[:1])
    assert tasks[0].cancelled()
    assert [body["data"]["person"]["id"] for body in bodies] == [LAN, HOA]
    assert all("errors" not in body for body in bodies)


async def test_a_deadline_in_mid_batch_costs_only_the_request_that_has_it(tmp_path: Path) -> None:
    gate = asyncio.Event()
    slow = _Slow(backends()["civil_status"], gate)
    query = """query($id: PersonNumber!) { person(id: $id) {
      population { identity { item { fullName } } }
      civilStatus { deaths { source { state } items { eventId } } } } }"""
    async with running(tmp_path, {**_watched(), "civil_status": slow}) as gateway:
        hasty, hastier, patient = (
            asyncio.create_task(_execute(gateway, query, HOA, seconds=seconds))
            for seconds in (0.1, 0.05, 60)
        )
        early = [await hasty, await hastier]
        assert not patient.done()
        gate.set()
        whole = await patient
    known = {"identity": {"item": {"fullName": ANY}}}
    for person in early:
        assert person["population"] == known
        assert person["civilStatus"]["deaths"] == {"source": {"state": "TIMED_OUT"}, "items": None}
    assert whole["population"] == known
    assert whole["civilStatus"]["deaths"] == {"source": {"state": "ANSWERED"}, "items": []}


async def _execute(gateway: Running, query: str, number: str, seconds: float) -> Any:
    """Execute ``query`` about ``number`` for an officer; return the person."""
    resources = gateway.service.resources
    officer = Caller("test-client", scopes=frozenset(OFFICER), purpose=UNIFIED)
    document = await resources.plans.document(query, officer.client)
    until = resources.clock.monotonic() + seconds
    request = OperationRequest(document, document.operation(None), {"id": number}, officer, until)
    executable = await prepare(resources, request)
    result = await execute(resources, request, executable)
    return orjson.loads(orjson.dumps(result.data))["person"]


async def test_a_defect_of_one_part_costs_only_the_requests_that_show_it(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { id accessLog { items { at } } } }"""
    scopes, review = (*OFFICER, "audit:read"), "access-log-review"

    class Log:
        async def page(self, numbers: PersonNumbers, *_: object) -> LogPage:
            if numbers.requested == HOA:
                raise RuntimeError("a defect")
            return LogPage(State.ANSWERED, (), None)

    async with running(tmp_path, _watched()) as gateway:
        resources = replace(gateway.service.resources, log=cast("Any", Log()))
        app: Any = application(gateway)
        service = replace(gateway.service, resources=resources)
        app.state.service = service
        token = gateway.token(*scopes, purposes=[review])
        bodies = await asyncio.gather(
            *(gateway.post(query, {"id": n}, token, x_purpose=review) for n in (HOA, LAN, LAN))
        )
    assert [body.status_code for body in bodies] == [500, 200, 200], [b.text for b in bodies]


async def test_nothing_of_a_batch_waits_for_a_collection_of_garbage(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        await gateway.ask(SPOUSES, {"ids": [HOA, LAN]})
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                await asyncio.gather(*(gateway.ask(SPOUSES, {"ids": [HOA, LAN]}) for _ in "abc"))
            kinds = {PersonPart, Member, PlanBatch, LoadedList}
            left = [kind.__name__ for kind in map(type, gc.get_objects()) if kind in kinds]
        finally:
            gc.enable()
    assert left == []
