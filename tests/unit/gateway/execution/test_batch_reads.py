"""What requests read in a batch: no rows older than is promised, each key once, the rare singly.

Covers ``gateway.execution.batch``, ``gateway.fetch.reads``, ``gateway.cache.rows`` and
``gateway.execution.steps.read_lists``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.base import NOBODY, Asker, Batch
from connectors.backends.memory import MemoryBackend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Lookup, Record
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY
from gateway.access.caller import Caller
from gateway.answer import Answer, State
from gateway.cache.invalidations import Invalidation
from gateway.cache.rows import LOOKED, Cache
from gateway.catalogue.read import Read
from gateway.execution.execute import execute
from gateway.execution.operation import OperationRequest, Result
from gateway.execution.prepare import prepare
from gateway.fetch.reads import Reads
from gateway.fetch.source import Source
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings
from tests.support.caches import process_cache
from tests.support.faults import Faulty, Gated
from tests.support.metrics import value_of
from tests.support.people import HOA, LAN, backends, population_rows
from tests.support.people import NOBODY as UNKNOWN
from tests.support.running import OFFICER, Running, TestClock, codes, running

Row = dict[str, object]
#: For so long rows are answered from the cache.
CACHED = {
    "population": DatabaseSettings(timeout=120, fresh=600),
    "civil_status": DatabaseSettings(timeout=120),
}
HOUSEHOLD = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { householdMembers { items { name } } } } } } }"""
NAME_AND_SPOUSE = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } } }
  civilStatus { marriages { items {
    wife { person { population { identity { item { fullName } } } } } } } } } }"""


def _household(name: str) -> list[dict[str, object]]:
    """Return the only other member of the household of HOA and LAN: neither stands in the row."""
    return [
        {"entry_id": "h1", "residence_file_no": "HK1", "name": name, "member_id": "001070000009"}
    ]


def _population(names: dict[str, str], member: str = "Bà nội") -> MemoryBackend:
    rows = population_rows()
    for row in rows["identity"]:
        row["full_name"] = names.get(str(row["citizen_id"]), row.get("full_name"))
        row["residence_file_no"] = "HK1"
    return MemoryBackend(POPULATION, {**rows, "household_members": _household(member)})


async def _ask_together(gateway: Running, query: str, numbers: Sequence[str]) -> list[Any]:
    bodies = await asyncio.gather(*(gateway.ask(query, {"id": number}) for number in numbers))
    return [body["data"]["person"] for body in bodies]


def _members(person: Any) -> list[str]:
    items = person["population"]["identity"]["item"]["householdMembers"]["items"]
    return [item["name"] for item in items]


@pytest.mark.parametrize("invalidated", [HOA, LAN])
async def test_a_ready_answer_of_a_batch_is_dropped_for_the_person_whose_it_is(
    tmp_path: Path, invalidated: str
) -> None:
    """Both have the same household, which was read once for both, and names neither of them."""
    population = Faulty(_population({}))
    sources = {**backends(), "population": population}
    async with running(tmp_path, sources, databases_=CACHED) as gateway:
        for number in (HOA, LAN):
            await gateway.ask(HOUSEHOLD, {"id": number})
        await _ask_together(gateway, HOUSEHOLD, [HOA, LAN])
        ready = value_of(LOOKED, "ready")
        await _ask_together(gateway, HOUSEHOLD, [HOA, LAN])
        assert value_of(LOOKED, "ready") == ready + 2, "both answers are ready"
        population.inner = _population({}, "Ông nội")
        log = gateway.service.resources.cache.log
        await log.invalidate([Invalidation(invalidated, "population", "household_members")])
        body = await gateway.ask(HOUSEHOLD, {"id": invalidated})
    assert _members(body["data"]["person"]) == ["Ông nội"]


async def test_who_comes_after_an_invalidation_gets_nothing_that_a_batch_before_has_read(
    tmp_path: Path,
) -> None:
    population = Faulty(_population({HOA: "before", LAN: "before"}))
    slow = Gated(backends()["civil_status"], "marriages")
    sources = {"population": population, "civil_status": slow}
    async with running(tmp_path, sources, databases_=CACHED) as gateway:
        early = [
            asyncio.create_task(gateway.ask(NAME_AND_SPOUSE, {"id": n})) for n in (HOA, HOA, LAN)
        ]
        await slow.is_waiting.wait()
        population.inner = _population({HOA: "after", LAN: "after"})
        log = gateway.service.resources.cache.log
        await log.invalidate([Invalidation(HOA), Invalidation(LAN)])
        late = [asyncio.create_task(gateway.ask(NAME_AND_SPOUSE, {"id": n})) for n in (HOA, LAN)]
        for _ in range(20):
            await asyncio.sleep(0)
        slow.gate.set()
        await asyncio.gather(*early)
        bodies = await asyncio.gather(*late)
    people = [body["data"]["person"] for body in bodies]
    assert [person["population"]["identity"]["item"]["fullName"] for person in people] == (
        ["after", "after"]
    )
    wives = {str(row["wife"]["person"]) for row in people[0]["civilStatus"]["marriages"]["items"]
             if row["wife"]}  # fmt: skip
    assert wives == {str({"population": {"identity": {"item": {"fullName": "after"}}}})}


async def test_what_is_invalidated_between_two_waves_is_not_taken_from_the_cache(
    tmp_path: Path,
) -> None:
    """The spouse is in the cache when the batch begins, and out of date when it gets there."""
    population = Faulty(_population({LAN: "before"}))
    slow = Gated(backends()["civil_status"], "marriages")
    sources = {"population": population, "civil_status": slow}
    async with running(tmp_path, sources, databases_=CACHED) as gateway:
        await gateway.ask("""query($id: PersonNumber!) { person(id: $id) {
            population { identity { item { fullName } } } } }""", {"id": LAN})  # fmt: skip
        tasks = [
            asyncio.create_task(gateway.ask(NAME_AND_SPOUSE, {"id": n})) for n in (HOA, UNKNOWN)
        ]
        await slow.is_waiting.wait()
        population.inner = _population({LAN: "after"})
        await gateway.service.resources.cache.log.invalidate([Invalidation(LAN)])
        slow.gate.set()
        body, _ = await asyncio.gather(*tasks)
    (first, *_) = body["data"]["person"]["civilStatus"]["marriages"]["items"]
    assert first["wife"]["person"]["population"]["identity"]["item"] == {"fullName": "after"}


class _Site:
    """A source of collateral, which hangs on the registrations of several people."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.clock = TestClock()
        self.cache: Cache = process_cache(folder, self.clock)
        self.backend = Faulty(_collateral("before"))
        options = DatabaseSettings.model_validate({"timeout": 120, **settings})
        self.source = Source(SECURITY, self.backend, options, self.clock, cache=self.cache)
        record = SECURITY.by_name["collateral"]
        self.read = Read(record, next(lookup for lookup in record.lookups if lookup.on is not None))

    def reads(self) -> Reads:
        until = self.clock.monotonic() + 100
        return Reads({SECURITY.name: self.source}, self.clock, until, NOBODY)

    async def answer(self, reads: Reads, number: str) -> Answer:
        """Return the answer for the view of the person with ``number``."""
        column = reads.column(self.read)
        column.ask(("R1",), (number,))
        while "R1" not in column.answers:
            await reads.arrive()
        return column.answers["R1"]

    def description(self, answer: Answer) -> object:
        assert answer.rows is not None
        return answer.rows[0][self.read.record.positions["description"]]


def _collateral(description: str) -> MemoryBackend:
    row = {"collateral_id": "C1", "registration_no": "R1", "description": description}
    return MemoryBackend(SECURITY, {"collateral": [row]})


async def test_rows_that_others_read_anew_do_not_make_older_ones_good_again(
    tmp_path: Path,
) -> None:
    """One batch has the rows from before; meanwhile another puts newer ones into the cache."""
    site = _Site(tmp_path, fresh=60)
    await site.answer(site.reads(), HOA)
    reads = site.reads()
    assert (await site.answer(reads, HOA)).report.from_cache
    site.backend.inner = _collateral("after")
    await site.cache.log.invalidate([Invalidation(LAN)])
    assert site.description(await site.answer(site.reads(), LAN)) == "after"
    assert site.description(await site.answer(reads, LAN)) == "after"
    reads.close()


@pytest.mark.parametrize("age", ["fresh", "due", "stale"])
async def test_rows_of_the_cache_serve_everybody_in_a_batch_whatever_their_age(
    tmp_path: Path, age: str
) -> None:
    site = _Site(tmp_path, fresh=10, stale_while_revalidate=60, stale_if_error=600)
    await site.answer(site.reads(), HOA)
    site.clock.advance({"fresh": 5, "due": 30, "stale": 90}[age])
    site.backend.fault = "down" if age == "stale" else None
    site.backend.fetched.clear()
    reads = site.reads()
    answers = [await site.answer(reads, f"00109000000{place}") for place in range(9)]
    reads.close()
    assert {answer.report.state for answer in answers} == {
        State.STALE if age == "stale" else State.ANSWERED
    }
    assert all(answer.report.from_cache for answer in answers)
    await site.source.close()
    statements = len(site.backend.fetched)
    assert statements <= {"fresh": 0, "due": 1, "stale": 2}[age], "it is asked once for all"


EVERYBODY = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { id
  population {
    identity { source { state } item { fullName } }
    residences { source { state } truncated items { entryId } } }
  civilStatus { births { source { state } items { eventId } } } } }"""
#: The 500 people whom five requests name, and those of whom something is out of the ordinary.
CROWD = [f"0010900{place:05d}" for place in range(500)]
HIDDEN, UNREADABLE, TRUNCATED, UNIDENTIFIED, MIXED_UP = CROWD[7], CROWD[130], *CROWD[250:253]
#: A number that two of them hold: it opens nobody, and under it there may be more of either.
CONFLICT, HOLDERS = "987654321", CROWD[1:3]
RARE = {HIDDEN, UNREADABLE, TRUNCATED, UNIDENTIFIED, MIXED_UP, CONFLICT, *HOLDERS}
REQUESTS = [[*CROWD[:99], CONFLICT], *(CROWD[start : start + 100] for start in range(99, 499, 100))]


class _MixesUp(Faulty):
    """A database that sends somebody else's births for one person, and counts its statements."""

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        batch = await super().fetch(record, lookup, keys, asker)
        if lookup.name == "births" and MIXED_UP in keys:
            others = await self.inner.fetch(record, lookup, [HOA], asker)
            return Batch({**batch.by_key, MIXED_UP: others.by_key[HOA]}, batch.as_of)
        return batch


def _crowd() -> dict[str, Faulty]:
    identities: list[Row] = [
        {
            "citizen_id": number,
            "full_name": f"Nguyễn {number}",
            "life_status": "ALIVE",
            "status": "CURRENT",
            "sex": "MALE",
            "birth_date": "1990",
        }
        for number in CROWD
        if number != UNIDENTIFIED
    ]
    earlier: list[Row] = [
        {"entry_id": f"e{place}", "number": CONFLICT, "citizen_id": number}
        for place, number in enumerate(HOLDERS)
    ]
    homes: list[Row] = [{"entry_id": f"h{number}", "citizen_id": number} for number in CROWD]
    homes += [{"entry_id": f"more{place:03d}", "citizen_id": TRUNCATED} for place in range(205)]
    births: list[Row] = [
        {"event_id": f"b{number}", "citizen_id": number, "status": "VALID", "event_type": "BIRTH"}
        for number in (*CROWD, HOA)
        if number != UNIDENTIFIED
    ]
    births[CROWD.index(HIDDEN)]["status"] = "SUPERSEDED"
    births[CROWD.index(UNREADABLE)]["registration_date"] = "not a date"
    population = {"identity": identities, "earlier_numbers": earlier, "residences": homes}
    return {
        "population": Faulty(
            MemoryBackend(
                POPULATION,
                {record.name: population.get(record.name, []) for record in POPULATION.records},
            )
        ),
        "civil_status": _MixesUp(
            MemoryBackend(
                CIVIL_STATUS,
                {
                    record.name: births if record.name == "births" else []
                    for record in CIVIL_STATUS.records
                },
            )
        ),
    }


def _plain(number: str) -> dict[str, Any]:
    """Return what there is of somebody of whom nothing is out of the ordinary."""
    answered = {"state": "ANSWERED"}
    home = {"source": answered, "truncated": False, "items": [{"entryId": f"h{number}"}]}
    return {
        "id": number,
        "population": {
            "identity": {"source": answered, "item": {"fullName": f"Nguyễn {number}"}},
            "residences": home,
        },
        "civilStatus": {"births": {"source": answered, "items": [{"eventId": f"b{number}"}]}},
    }


async def test_what_is_rare_in_a_batch_of_500_people_changes_nothing_for_the_others(
    tmp_path: Path,
) -> None:
    sources = _crowd()
    patient = {name: DatabaseSettings(timeout=120, breaker_failures=0) for name in sources}
    async with running(tmp_path, sources, databases_=patient) as gateway:
        alone = [await gateway.ask(EVERYBODY, {"ids": ids}) for ids in REQUESTS]
        for source in sources.values():
            source.fetched.clear()
        together = await asyncio.gather(*(gateway.ask(EVERYBODY, {"ids": ids}) for ids in REQUESTS))
    assert together == alone
    people = {
        number: person
        for ids, body in zip(REQUESTS, together, strict=True)
        for number, person in zip(ids, body["data"]["persons"], strict=True)
    }
    assert {number for number, person in people.items() if person != _plain(number)} == RARE
    births = {number: people[number]["civilStatus"]["births"] for number in RARE - {CONFLICT}}
    assert people[CONFLICT] is None
    assert births[HIDDEN] == {"source": {"state": "ANSWERED"}, "items": []}
    assert births[UNREADABLE]["source"] == {"state": "PARTIAL"}
    assert births[UNIDENTIFIED]["source"]["state"] != "ANSWERED"
    assert births[MIXED_UP] == {"source": {"state": "UNAVAILABLE"}, "items": None}
    assert people[TRUNCATED]["population"]["residences"]["truncated"] is True
    errors = Counter(code for body in together for code in codes(body))
    assert errors == {
        "NUMBER_CONFLICT": 1, "NUMBER_SHARED": 2, "PERSON_NOT_IDENTIFIED": 1, "BAD_RECORD": 1,
        "SOURCE_UNAVAILABLE": 1,
    }  # fmt: skip


async def test_500_people_of_several_requests_cost_a_few_statements_and_each_key_is_sent_once(
    tmp_path: Path,
) -> None:
    sources = _crowd()
    async with running(tmp_path, sources) as gateway:
        await asyncio.gather(*(gateway.ask(EVERYBODY, {"ids": ids}) for ids in REQUESTS))
    statements = Counter(lookup for _, lookup, _ in sources["population"].fetched)
    assert set(statements) == {"identity", "earlier_numbers", "holders", "residences"}
    # 500 keys are three statements; one more is of who holds the number of two people.
    assert max(statements.values()) <= 4, statements
    sent = Counter(
        (lookup, key) for _, lookup, keys in sources["population"].fetched for key in keys
    )
    assert max(sent.values()) == 1, "nobody is asked for twice"
    births = [keys for _, lookup, keys in sources["civil_status"].fetched if lookup == "births"]
    of_others = Counter(key for keys in births for key in keys if MIXED_UP not in keys)
    assert len(births) < 40, "a key whose rows are mixed up is searched for by halves"
    assert MIXED_UP not in of_others


async def _prepared(
    gateway: Running, query: str, numbers: Sequence[str], client: str
) -> Callable[[], Awaitable[Result]]:
    """Return what executes ``query`` about ``numbers`` for an officer of ``client``, at once."""
    resources = gateway.service.resources
    officer = Caller(client, scopes=frozenset(OFFICER), purpose=UNIFIED)
    document = await resources.plans.document(query, client)
    until = resources.clock.monotonic() + 3600
    variables = {"ids": list(numbers)}
    request = OperationRequest(document, document.operation(None), variables, officer, until)
    return partial(execute, resources, request, await prepare(resources, request))


async def _turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_clients_take_turns_in_statements_though_their_requests_come_in_batches(
    tmp_path: Path,
) -> None:
    """A client with many people to ask about does not hold up another client's two."""
    slow = Gated(backends()["civil_status"], "births")
    births = (
        "query($ids: [PersonNumber!]!) { persons(ids: $ids) { civilStatus { births { %s } } } }"
    )
    contents = [births % each for each in ("items { eventId }", "truncated", "source { state }")]
    one_at_a_time = {"civil_status": DatabaseSettings(timeout=120, calls_in_flight=1)}
    sources = {**backends(), "civil_status": slow}
    async with running(tmp_path, sources, databases_=one_at_a_time) as gateway:
        first = await _prepared(gateway, contents[0], [HOA], "first")
        many = [
            await _prepared(gateway, content, numbers, "many")
            for content in contents
            for numbers in (CROWD[:100], CROWD[100:200])
        ]
        few = [await _prepared(gateway, contents[0], [number], "few") for number in (LAN, UNKNOWN)]
        tasks = [asyncio.ensure_future(first())]
        await slow.is_waiting.wait()
        tasks += [asyncio.ensure_future(each()) for each in many]
        await _turns()
        tasks += [asyncio.ensure_future(each()) for each in few]
        await _turns()  # now all the others wait for the first one's statement
        slow.gate.set()
        await asyncio.gather(*tasks)
    sent = [keys for _, lookup, keys in slow.fetched if lookup == "births"]
    turn = next(place for place, keys in enumerate(sent) if LAN in keys)
    assert turn <= 2, [len(keys) for keys in sent]
