"""What requests read in a batch: no rows older than is promised, each key once, the rare singly.

Covers ``gateway.execution.batch``, ``gateway.fetch.reads``, ``gateway.cache.rows`` and
``gateway.execution.steps.read_lists``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.base import NOBODY
from connectors.backends.memory import MemoryBackend
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY
from gateway.answer import Answer, State
from gateway.cache.invalidations import Invalidation
from gateway.cache.rows import LOOKED, Cache
from gateway.catalogue.read import Read
from gateway.fetch.reads import Reads
from gateway.fetch.source import Source
from gateway.settings import DatabaseSettings
from tests.support.caches import process_cache
from tests.support.faults import Faulty, Gated
from tests.support.metrics import value_of
from tests.support.people import HOA, LAN, backends, population_rows
from tests.support.people import NOBODY as UNKNOWN
from tests.support.running import Running, TestClock, running

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
