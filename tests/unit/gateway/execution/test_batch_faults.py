"""Batches in which something goes wrong: what it costs, and whom.

Databases that die or hang in mid-batch, callers that go away, deadlines, defects, too many people,
and settings that are reloaded. Covers ``gateway.execution.batch``, ``gateway.execution.execute``
and ``gateway.app_reload``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from connectors.backends.base import NOBODY, Asker, Backend, Batch, Capabilities, Scope
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Lookup, Record
from connectors.population import DATABASE as POPULATION
from gateway.access.caller import Caller
from gateway.answer import State
from gateway.app_reload import Reload
from gateway.audit.access_log.page import LogPage
from gateway.databases.startup_checks import DatabaseWatch
from gateway.execution.execute import execute
from gateway.execution.operation import OperationRequest, Result
from gateway.execution.prepare import prepare
from gateway.people.numbers import PersonNumbers
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings, Limits, Purpose
from tests.support.differential import compare
from tests.support.faults import Faulty, Gated
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER, backends
from tests.support.people import NOBODY as UNKNOWN
from tests.support.running import OFFICER, Running, application, codes, running

DEATHS = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { source { state } item { fullName } } }
  civilStatus { deaths { source { state } items { eventId } } } } }"""
SPOUSES = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { id
  civilStatus { marriages { source { state } items { eventId
    husband { person { id population { identity { source { state } item { fullName } } } } }
    wife { person { id population { identity { source { state } item { fullName } } } } }
  } } } } }"""
#: What a source is still doing for a batch that has ended, until its own timeout.
_SOURCES = {"JointCalls._call_alone"}


async def _execute(gateway: Running, query: str, number: str, seconds: float) -> Any:
    """Execute ``query`` about ``number`` for an officer; return the person."""
    result = await _result(gateway, query, {"id": number}, seconds)
    return orjson.loads(orjson.dumps(result.data))["person"]


async def _result(
    gateway: Running, query: str, variables: dict[str, object], seconds: float
) -> Result:
    """Return the result of ``query`` for an officer who waits for ``seconds`` at most."""
    resources = gateway.service.resources
    officer = Caller("test-client", scopes=frozenset(OFFICER), purpose=UNIFIED)
    document = await resources.plans.document(query, officer.client)
    until = resources.clock.monotonic() + seconds
    request = OperationRequest(document, document.operation(None), variables, officer, until)
    executable = await prepare(resources, request)
    return await execute(resources, request, executable)


class _HoldsOne(Gated):
    """Answers for one person only once the gate is open; reads of several requests stay apart."""

    def __init__(self, inner: Backend, number: str) -> None:
        super().__init__(inner, "")
        self.number = number

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(Scope.CALLER, Scope.CALLER)

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        if self.number in keys:
            await self.gate.wait()
        return await super().fetch(record, lookup, keys, asker)


def _names(tasks: set[asyncio.Task[Any]]) -> set[str]:
    return {cast("Any", task.get_coro()).__qualname__ for task in tasks if not task.done()}


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def _quiet(source: Faulty) -> None:
    """Wait until nothing more is asked of ``source``, unless something else answers."""
    fetched = -1
    while fetched != len(source.fetched):
        fetched = len(source.fetched)
        await _turns()


async def test_all_callers_go_away_and_nothing_is_left(tmp_path: Path) -> None:
    slow = Gated(backends()["civil_status"], "deaths")
    async with running(tmp_path, {**backends(), "civil_status": slow}) as gateway:
        await gateway.ask(DEATHS.replace("deaths", "births"), {"id": HOA})
        before = asyncio.all_tasks()
        tasks = [
            asyncio.create_task(_execute(gateway, DEATHS, number, seconds=3600))
            for number in (HOA, LAN, DEAD, HOA)
        ]
        await slow.is_waiting.wait()
        for task in tasks[:3]:
            task.cancel()
        await _turns()
        left = asyncio.all_tasks() - before - set(tasks)
        assert _names(left) > _SOURCES, "somebody still waits for the batch"
        tasks[3].cancel()
        await asyncio.wait(tasks)
        await _turns()
        left = asyncio.all_tasks() - before
        assert _names(left) <= _SOURCES, "only the database's own call goes on"
        slow.gate.set()
        await asyncio.gather(*left)
        assert _names(asyncio.all_tasks() - before) == set()
        after = await _execute(gateway, DEATHS, HOA, seconds=60)
    assert after["civilStatus"]["deaths"] == {"source": {"state": "ANSWERED"}, "items": []}


class _RecordingLoop(asyncio.SelectorEventLoop):
    """An event loop that notes all timers that were set."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[asyncio.TimerHandle] = []

    def call_at(  # type: ignore[override]
        self, when: float, *arguments: Any, **options: Any
    ) -> asyncio.TimerHandle:
        """Set a timer, and note it."""
        timer = super().call_at(when, *arguments, **options)
        self.timers.append(timer)
        return timer

    def pending(self) -> list[str]:
        """Return the timers of batches that have not ended."""
        live = [str(timer) for timer in self.timers if not timer.cancelled()]
        now = [str(timer) for timer in self.timers if timer.when() <= self.time()]
        names = ("Reads", "EarlyDeadlines", "Gatherer")
        return [text for text in live if text not in now and any(name in text for name in names)]


@pytest.mark.parametrize("end", ["answered", "all go away"])
def test_a_batch_leaves_no_timer(tmp_path: Path, end: str) -> None:
    """Neither that of its own deadline, nor of its members', nor the one until it is late."""

    async def play() -> None:
        loop = cast("_RecordingLoop", asyncio.get_running_loop())
        slow = Gated(backends()["civil_status"], "deaths")
        async with running(tmp_path, {**backends(), "civil_status": slow}) as gateway:
            slow.gate.set()
            await _execute(gateway, DEATHS, HOA, 60)  # from now on the plan is there
            slow.gate.clear()
            slow.is_waiting.clear()
            tasks = [
                asyncio.create_task(_execute(gateway, DEATHS, number, seconds))
                for number, seconds in ((HOA, 3600), (LAN, 1800), (DEAD, 900))
            ]
            await slow.is_waiting.wait()
            await _turns()
            pending = " ".join(loop.pending())
            assert "Reads.expire" in pending
            assert "EarlyDeadlines._expire" in pending
            if end == "answered":
                slow.gate.set()
            else:
                for task in tasks:
                    task.cancel()
            await asyncio.wait(tasks)
            await _turns()
            assert loop.pending() == []
            slow.gate.set()

    with asyncio.Runner(loop_factory=_RecordingLoop) as runner:
        runner.run(play())


async def test_a_gateway_that_ends_in_mid_batch_leaves_nothing(tmp_path: Path) -> None:
    slow = Gated(backends()["civil_status"], "deaths")
    before = asyncio.all_tasks()
    async with running(tmp_path, {**backends(), "civil_status": slow}) as gateway:
        tasks = [
            asyncio.create_task(_execute(gateway, DEATHS, number, seconds))
            for number, seconds in ((HOA, 3600), (LAN, 3600), (DEAD, 7200))
        ]
        await slow.is_waiting.wait()
        tasks += [asyncio.create_task(_execute(gateway, DEATHS, LAN, 3600))]  # it waits its turn
        await _turns()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    await _turns()
    assert _names(asyncio.all_tasks() - before) == set()


async def test_each_deadline_is_kept_though_others_of_the_batch_have_longer(
    tmp_path: Path,
) -> None:
    """The database hangs until all but the last one have their answers."""
    slow = Gated(backends()["civil_status"], "deaths")
    async with running(tmp_path, {**backends(), "civil_status": slow}) as gateway:
        tasks = [
            asyncio.create_task(_execute(gateway, DEATHS, number, seconds))
            for number, seconds in ((HOA, 3600), (HOA, 0.15), (LAN, 0.05), (DEAD, 0.1), (LAN, 0.1))
        ]
        late = await asyncio.wait_for(asyncio.gather(*tasks[1:]), 60)
        assert not tasks[0].done()
        slow.gate.set()
        whole = await tasks[0]
    assert {person["civilStatus"]["deaths"]["source"]["state"] for person in late} == {"TIMED_OUT"}
    assert [person["civilStatus"]["deaths"]["items"] for person in late] == [None] * 4
    assert whole["civilStatus"]["deaths"] == {"source": {"state": "ANSWERED"}, "items": []}


@pytest.mark.parametrize(
    "held",
    ["identity", "earlier_numbers", "marriages", "deaths", "population", "of the second wave"],
)
async def test_who_is_answered_at_an_early_deadline_learns_what_they_would_alone(
    tmp_path: Path, held: str
) -> None:
    """Whatever hangs: who has the number, a list, or what only a second wave asks for."""
    query = SPOUSES.replace("marriages", "deaths { source { state } items { eventId } } marriages")
    variables: dict[str, object] = {"ids": [HOA, UNKNOWN]}

    async def hasty(folder: Path, is_alone: bool, seconds: float) -> Result:
        slow: dict[str, Gated] = {}
        for name, backend in backends().items():
            if held == "of the second wave":
                slow[name] = _HoldsOne(backend, LAN)
            else:
                slow[name] = Gated(backend, None if held == name else held)
        async with running(folder, cast("dict[str, Backend]", slow)) as gateway:
            patient = [] if is_alone else [
                asyncio.create_task(_result(gateway, query, {"ids": ids}, 3600))
                for ids in ([HOA], [DEAD])
            ]  # fmt: skip
            result = await asyncio.wait_for(_result(gateway, query, variables, seconds), 60)
            assert not any(task.done() for task in patient[:1])
            for source in slow.values():
                source.gate.set()
            await asyncio.gather(*patient)
            return result

    difference: str | None = ""
    for seconds in (0.2, 1, 5):  # a busy machine may need longer for all that does not hang
        folder = tmp_path / str(seconds)
        alone = await hasty(folder / "alone", True, seconds)
        in_a_batch = await hasty(folder / "batch", False, seconds)
        assert State.TIMED_OUT in alone.states.values()
        difference = compare(in_a_batch, alone)
        if difference is None:
            break
    assert difference is None


async def test_whoever_is_last_is_answered_at_their_deadline_if_the_patient_have_left(
    tmp_path: Path,
) -> None:
    slow = Gated(backends()["civil_status"], "deaths")
    async with running(tmp_path, {**backends(), "civil_status": slow}) as gateway:
        patient = asyncio.create_task(_execute(gateway, DEATHS, HOA, seconds=3600))
        hasty = [
            asyncio.create_task(_execute(gateway, DEATHS, number, seconds))
            for number, seconds in ((LAN, 0.05), (DEAD, 0.1))
        ]
        await slow.is_waiting.wait()
        patient.cancel()
        late = await asyncio.wait_for(asyncio.gather(*hasty), 60)
        slow.gate.set()
    deaths = [person["civilStatus"]["deaths"] for person in late]
    assert deaths == [{"source": {"state": "TIMED_OUT"}, "items": None}] * 2


class _SlowLog:
    """An access log that takes a while to read; counts how often it is read of whom."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.gate = asyncio.Event()
        self.is_read_again = {LAN: asyncio.Event(), DEAD: asyncio.Event()}

    async def page(self, numbers: PersonNumbers, *_: object) -> LogPage:
        self.reads[numbers.requested] += 1
        if self.reads[numbers.requested] == 2:
            self.is_read_again[numbers.requested].set()
        await self.gate.wait()
        return LogPage(State.ANSWERED, (), None)


async def test_who_is_late_is_answered_once_however_long_that_takes(tmp_path: Path) -> None:
    """The log goes on being read after the deadline, which is then long over."""
    query = """query($id: PersonNumber!) { person(id: $id) { id accessLog { state } } }"""
    review, log = "access-log-review", _SlowLog()
    async with running(tmp_path) as gateway:
        resources = replace(gateway.service.resources, log=cast("Any", log))
        auditor = Caller("test-client", scopes=frozenset((*OFFICER, "audit:read")), purpose=review)
        document = await resources.plans.document(query, "test-client")
        tasks = []
        for number, seconds in ((HOA, 3600), (LAN, 0.05), (DEAD, 0.1)):
            until = resources.clock.monotonic() + seconds
            variables = {"id": number}
            operation = document.operation(None)
            request = OperationRequest(document, operation, variables, auditor, until)
            executable = await prepare(resources, request)
            tasks.append(asyncio.create_task(execute(resources, request, executable)))
        for event in log.is_read_again.values():
            await event.wait()  # until both deadlines are over
        await _turns()
        log.gate.set()
        await asyncio.gather(*tasks)
    assert log.reads == {HOA: 1, LAN: 2, DEAD: 2}


async def test_at_a_deadline_in_mid_batch_older_rows_stand_in_as_for_who_asks_alone(
    tmp_path: Path,
) -> None:
    slow = Gated(backends()["civil_status"], "marriages")
    slow.gate.set()
    stale = {"civil_status": DatabaseSettings(timeout=3600, stale_if_error=600)}
    query = DEATHS.replace("deaths", "marriages")
    sources = {**backends(), "civil_status": slow}
    async with running(tmp_path, sources, databases_=stale) as gateway:
        await _execute(gateway, query, HOA, seconds=60)
        await gateway.pass_time(5)
        slow.gate.clear()
        patient = asyncio.create_task(_execute(gateway, query, LAN, seconds=3600))
        await slow.is_waiting.wait()
        hasty: Any = None
        for seconds in (0.05, 1, 5):  # a busy machine may need longer for what does not hang
            company = asyncio.create_task(_execute(gateway, query, LAN, seconds=3600))
            hasty = await asyncio.wait_for(_execute(gateway, query, HOA, seconds), 60)
            company.cancel()
            if hasty["civilStatus"]["marriages"]["source"] == {"state": "STALE"}:
                break
        slow.gate.set()
        await patient
    assert hasty["civilStatus"]["marriages"]["source"] == {"state": "STALE"}
    assert len(hasty["civilStatus"]["marriages"]["items"]) == 2


class _FailingLog:
    """An access log that cannot be read of HOA; that of others hangs the first time."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()

    async def page(self, numbers: PersonNumbers, *_: object) -> LogPage:
        self.reads[numbers.requested] += 1
        if numbers.requested == HOA:
            raise RuntimeError("a defect")
        if self.reads[numbers.requested] == 1:
            await asyncio.Event().wait()
        return LogPage(State.ANSWERED, (), None)


@pytest.mark.parametrize("first", [HOA, LAN])
async def test_a_defect_that_fails_a_batch_costs_only_whom_it_concerns(
    tmp_path: Path, first: str
) -> None:
    """Whoever has no answer yet when the batch fails is answered alone, before or after."""
    query = """query($id: PersonNumber!) { person(id: $id) { id accessLog { items { at } } } }"""
    review = "access-log-review"
    async with running(tmp_path) as gateway:
        log = _FailingLog()
        resources = replace(gateway.service.resources, log=cast("Any", log))
        app: Any = application(gateway)
        app.state.service = replace(gateway.service, resources=resources)
        token = gateway.token(*OFFICER, "audit:read", purposes=[review])
        numbers = sorted((HOA, LAN, DEAD), key=lambda number: number != first)
        answers = await asyncio.gather(
            *(gateway.post(query, {"id": n}, token, x_purpose=review) for n in numbers)
        )
    statuses = dict(zip(numbers, (answer.status_code for answer in answers), strict=True))
    assert statuses == {HOA: 500, LAN: 200, DEAD: 200}
    assert log.reads == {HOA: 2, LAN: 2, DEAD: 2}, "they were one batch"


async def test_a_database_that_dies_in_mid_batch_is_unknown_and_never_none(tmp_path: Path) -> None:
    """The spouses are of the second wave: their database answers the first one and dies."""
    groups = ([HOA], [HOA, UNKNOWN], [DEAD], [HOA, DEAD])

    async def answers(folder: Path, is_together: bool) -> list[dict[str, Any]]:
        """Ask for each group, with a database that dies anew each time."""
        bodies: list[dict[str, Any]] = []
        for few in [groups] if is_together else [[group] for group in groups]:
            slow = Gated(backends()["civil_status"], "marriages")
            population = Faulty(backends()["population"])
            sources = {"population": population, "civil_status": slow}
            keep = {"population": DatabaseSettings(timeout=120, breaker_failures=0)}
            async with running(folder, sources, databases_=keep) as gateway:
                tasks = [asyncio.create_task(gateway.ask(SPOUSES, {"ids": ids})) for ids in few]
                await slow.is_waiting.wait()
                await _quiet(population)  # all of the first wave has arrived
                population.fault = "down"
                slow.gate.set()
                bodies += await asyncio.gather(*tasks)
            folder = folder.with_name(f"{folder.name}-")
        return bodies

    together = await answers(tmp_path / "together", is_together=True)
    alone = await answers(tmp_path / "alone", is_together=False)
    assert together == alone
    (row, *_) = together[0]["data"]["persons"][0]["civilStatus"]["marriages"]["items"]
    unknown = {"source": {"state": "UNAVAILABLE"}, "item": None}
    assert row["wife"]["person"]["population"]["identity"] == unknown
    assert "SOURCE_UNAVAILABLE" in codes(together[0])


async def test_a_reload_in_mid_batch_concerns_whoever_comes_afterwards(tmp_path: Path) -> None:
    """Requests of before and after are never in one batch, though they ask for the same."""
    slow = Gated(backends()["civil_status"], "deaths")
    databases = (POPULATION, CIVIL_STATUS)
    async with running(tmp_path, {**backends(), "civil_status": slow}) as gateway:
        settings = gateway.service.resources.settings
        changed = {
            **settings.databases,
            "civil_status": settings.databases["civil_status"].model_copy(
                update={"maintenance": True}
            ),
        }
        reloaded = settings.model_copy(update={"databases": changed})
        watch = DatabaseWatch(gateway.clock)
        app: Any = application(gateway)
        reload = Reload(app, databases, lambda: reloaded, None, watch)
        early = [asyncio.create_task(gateway.ask(DEATHS, {"id": n})) for n in (HOA, LAN)]
        await slow.is_waiting.wait()
        early.append(asyncio.create_task(gateway.ask(DEATHS, {"id": DEAD})))  # it waits its turn
        await _turns()
        assert await reload.run()
        late = await gateway.ask(DEATHS, {"id": HOA})
        assert not any(task.done() for task in early)
        slow.gate.set()
        bodies = await asyncio.gather(*early)
        await reload.close()
        await watch.close()
    states = [body["data"]["person"]["civilStatus"]["deaths"]["source"] for body in bodies]
    assert states == [{"state": "ANSWERED"}] * 3
    state = late["data"]["person"]["civilStatus"]["deaths"]["source"]["state"]
    assert state in {"MAINTENANCE", "NOT_OPERATING"}


async def test_reads_that_a_reload_defers_join_no_batch_of_before(tmp_path: Path) -> None:
    slow = Gated(backends()["civil_status"], "deaths")
    population = Faulty(backends()["population"])
    async with running(
        tmp_path, {"population": population, "civil_status": slow}, purposes={}
    ) as gateway:
        settings = gateway.service.resources.settings
        deferred = settings.model_copy(update={"purposes": {UNIFIED: Purpose(deferred_days=30)}})
        watch = DatabaseWatch(gateway.clock)
        app: Any = application(gateway)
        reload = Reload(app, (POPULATION, CIVIL_STATUS), lambda: deferred, None, watch)
        early = asyncio.create_task(gateway.ask(DEATHS, {"id": HOA}))
        await slow.is_waiting.wait()
        assert await reload.run()
        late = [asyncio.create_task(gateway.ask(DEATHS, {"id": n})) for n in (LAN, LAN)]
        await _quiet(population)
        identities = [keys for _, lookup, keys in population.fetched if lookup == "identity"]
        assert identities[-2:] == [(LAN,), (LAN,)], "who reads apart reads alone"
        slow.gate.set()
        await asyncio.gather(early, *late)
        await watch.close()


@pytest.mark.parametrize("limit", [3, 4])
async def test_requests_within_the_limit_of_people_reach_more_together(
    tmp_path: Path, limit: int
) -> None:
    """Each of the first two opens HOA, LAN and somebody; together with the third, too many."""
    limits = Limits(persons_reached=limit, deadline=120, new_documents_per_minute=1_000_000)
    groups = ([HOA, DEAD], [HOA, UNKNOWN], [LAN, HOA, DEAD, UNKNOWN], [DEAD])
    async with running(tmp_path, limits=limits) as gateway:
        alone = [await gateway.ask(SPOUSES, {"ids": ids}) for ids in groups]
        together = await asyncio.gather(*(gateway.ask(SPOUSES, {"ids": ids}) for ids in groups))
    assert together == alone
    too_many = ["TOO_MANY_PERSONS" in codes(body) for body in together]
    # HOA's old number stands in a record too: it is opened like any other.
    assert too_many[3] is False
    assert too_many[2] is True
    assert any(not is_beyond for is_beyond in too_many[:2]) is (limit == 4)


async def test_who_is_beyond_the_limit_is_asked_of_no_database(tmp_path: Path) -> None:
    """Neither of a root field, nor of rows, which name the most people of all."""
    sources = {name: Faulty(backend) for name, backend in backends().items()}
    limits = Limits(persons_reached=2, deadline=120, new_documents_per_minute=1_000_000)
    async with running(tmp_path, sources, limits=limits) as gateway:
        named = await gateway.ask(SPOUSES, {"ids": [DEAD, UNKNOWN, LAN, HOA]})
        reached = await gateway.ask(SPOUSES, {"ids": [HOA, DEAD]})
    assert codes(named).count("TOO_MANY_PERSONS") == 2
    assert [person and person["id"] for person in named["data"]["persons"]] == [
        DEAD,
        UNKNOWN,
        None,
        None,
    ]
    assert "TOO_MANY_PERSONS" in codes(reached)
    asked = {key for source in sources.values() for _, _, keys in source.fetched for key in keys}
    assert asked == {DEAD, UNKNOWN, HOA, OLD_NUMBER}, "LAN is HOA's wife"


async def test_where_too_many_come_together_nobody_waits_for_the_others(tmp_path: Path) -> None:
    """Each goes alone, and all at the same time: one slow list holds up its own request only."""
    slow = _HoldsOne(backends()["civil_status"], DEAD)
    limits = Limits(persons_reached=1, deadline=120, new_documents_per_minute=1_000_000)
    query = """query($id: PersonNumber!) { person(id: $id) { id
      civilStatus { deaths { items { eventId } } } } }"""
    async with running(tmp_path, {**backends(), "civil_status": slow}, limits=limits) as gateway:
        held, other = [asyncio.create_task(gateway.ask(query, {"id": n})) for n in (DEAD, LAN)]
        body = await asyncio.wait_for(other, 60)
        assert not held.done()
        slow.gate.set()
        held_body = await held
    assert [codes(body), codes(held_body)] == [[], []]
    assert held_body["data"]["person"]["id"] == DEAD
