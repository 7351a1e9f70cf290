"""Eviction in the cache of a process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from connectors.backends.base import read_rows
from connectors.description import Row
from connectors.population import DATABASE
from gateway.answer import Answer, State
from gateway.cache.invalidations import (
    Hashes,
    Invalidation,
    KnownInvalidations,
    Position,
    invalidation_scope,
)
from gateway.cache.memory import CacheEntry, MemoryCache, StatementAnswers, weigh_rows
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.runtime.garbage import YoungRows
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN

IDENTITY = DATABASE.by_name["identity"]


SHELF = ("space", "lookup")
SOURCE = Source(DATABASE, None, DatabaseSettings(), SystemClock())
POSITION = Position("log", 1)


def _entry(weight: int) -> CacheEntry:
    return CacheEntry(_answer(), POSITION, 0.0, weight)


def _answer(*rows: Row) -> Answer:
    report = SOURCE.report(IDENTITY, State.ANSWERED, fetched_at=SystemClock().now())
    return Answer(report, rows)


def _row(number: str) -> Row:
    raw: list[object] = [None] * len(IDENTITY.columns)
    raw[IDENTITY.positions["citizen_id"]] = number
    raw[IDENTITY.positions["family_name"]] = "Nguyễn"
    return read_rows(IDENTITY, [raw]).rows[0]


def _keep(memory: MemoryCache, keys: str, weight: int) -> None:
    """Keep what a statement brought, without rows."""
    answers = dict.fromkeys(keys, _answer())
    memory.keep_statement(SHELF, StatementAnswers(answers, POSITION, weight))


def _present(memory: MemoryCache, keys: str) -> str:
    return "".join(key for key in keys if memory.has_any(SHELF, {key: None}))


@contextmanager
def _passes() -> Iterator[list[int]]:
    """Note the generation of every pass of the collector; none comes by itself meanwhile."""
    generations: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    gc.disable()
    gc.callbacks.append(note)
    try:
        yield generations
    finally:
        gc.callbacks.remove(note)
        gc.enable()


def test_the_least_recently_used_entry_is_evicted_when_there_is_no_room() -> None:
    memory = MemoryCache(most=30)
    for key in "abc":
        memory.keep(SHELF, key, _entry(10))
    memory.get(SHELF, "a")
    memory.keep(SHELF, "d", _entry(10))
    assert (_present(memory, "abcd"), memory.weight) == ("acd", 30)


def test_an_entry_that_is_replaced_evicts_no_other() -> None:
    memory = MemoryCache(most=30)
    for key in "abc":
        memory.keep(SHELF, key, _entry(10))
    memory.keep(SHELF, "a", _entry(10))
    assert (len(memory), memory.weight) == (3, 30)


def test_an_entry_larger_than_the_cache_is_not_kept() -> None:
    memory = MemoryCache(most=30)
    memory.keep(SHELF, "a", _entry(31))
    _keep(memory, "bc", 31)
    assert (len(memory), memory.weight) == (0, 0)


def test_what_a_statement_brought_is_evicted_together() -> None:
    memory = MemoryCache(most=3_000)
    _keep(memory, "abc", 1_000)
    _keep(memory, "de", 1_000)
    _keep(memory, "fg", 1_500)
    assert (_present(memory, "abcdefg"), memory.weight) == ("defg", 2_500)


def test_what_is_asked_for_again_outlives_the_rest_of_its_statement() -> None:
    memory = MemoryCache(most=4_000)
    _keep(memory, "abc", 1_200)
    entry = memory.get(SHELF, "b")
    assert entry is not None
    assert memory.get(SHELF, "b") is entry, "the same one, however often"
    assert entry.answer.report.from_cache
    for keys in ("de", "fg", "hi"):
        _keep(memory, keys, 1_000)
    assert _present(memory, "abcdefghi") == "bdefghi"
    assert memory.weight == entry.weight + 3_000


def test_entries_of_a_statement_have_their_own_reports() -> None:
    first, second = _answer(), _answer(_row(HOA))
    statement = StatementAnswers({"a": first, "b": second, "c": first}, POSITION, 100)
    for key, answer in statement.answers.items():
        report = statement.make_entry(key).answer.report
        assert report.from_cache
        assert report.fetched_at == answer.report.fetched_at


def test_rows_of_a_statement_are_replaced_key_by_key() -> None:
    memory = MemoryCache(most=10_000)
    _keep(memory, "abc", 900)
    _keep(memory, "bc", 500)
    assert (_present(memory, "abc"), memory.weight) == ("abc", 800)
    memory.drop(SHELF, "a")
    assert (_present(memory, "abc"), memory.weight) == ("bc", 500)
    for key in "bc":
        memory.drop(SHELF, key)
        memory.drop(SHELF, key)
    assert (len(memory), memory.weight) == (0, 0)


def test_lookups_and_origins_keep_their_rows_apart() -> None:
    memory = MemoryCache(most=10_000)
    _keep(memory, "a", 100)
    for shelf in (("space", "other"), ("other", "lookup")):
        assert memory.get(shelf, "a") is None
        memory.drop(shelf, "a")
    assert memory.get(SHELF, "a") is not None


def test_the_weight_of_a_statement_is_what_its_rows_weigh() -> None:
    rows = tuple(_row(HOA) for _ in range(3))
    alone = StatementAnswers.weigh({HOA: _answer(*rows)}, POSITION)
    many = StatementAnswers.weigh({f"{number}": _answer(*rows) for number in range(40)}, POSITION)
    empty = StatementAnswers.weigh({f"{number}": _answer() for number in range(40)}, POSITION)
    assert alone.weight > weigh_rows(rows)
    assert 40 * weigh_rows(rows) < many.weight < 40 * alone.weight
    assert empty.weight < 40 * 200


def test_the_weight_stays_right_whatever_happens() -> None:
    memory, draw = MemoryCache(most=20_000), Random(7)
    for _ in range(3_000):
        keys = draw.sample("abcdefghijklmnopqrstuvwxyz", draw.randrange(1, 6))
        match draw.randrange(4):
            case 0:
                answers = {key: _answer(*[_row(HOA)] * draw.randrange(3)) for key in keys}
                memory.keep_statement(SHELF, StatementAnswers.weigh(answers, POSITION))
            case 1:
                memory.keep(SHELF, keys[0], _entry(draw.randrange(1, 3_000)))
            case 2:
                memory.get(SHELF, keys[0])
            case _:
                memory.drop(SHELF, keys[0])
        kept = {id(value): value for value in memory._shelves.get(SHELF, {}).values()}
        assert memory.weight == sum(value.weight for value in kept.values()) <= 20_000
        assert set(map(id, memory._order)) == set(kept)


def test_numbers_in_rows_are_known_when_they_are_needed() -> None:
    invalidations = KnownInvalidations(Hashes(b"secret"), "log", latest=1)
    entry = CacheEntry(_answer(_row(HOA)), POSITION, 0.0, 1)
    assert entry.is_valid(IDENTITY, invalidations, (LAN,), POSITION)
    scope = invalidation_scope(Invalidation(person=HOA), invalidations.hashes)
    invalidations.note(scope, 2)
    assert not entry.is_valid(IDENTITY, invalidations, (LAN,), Position("log", 2))
    assert entry.mentions(IDENTITY) == {HOA}


def test_nothing_is_collected_while_few_rows_may_be_young() -> None:
    memory = MemoryCache(most=50, young=YoungRows(most=50))
    with _passes() as passes:
        for number in range(40):
            memory.keep(SHELF, str(number), _entry(10))
    assert passes == []


def test_young_objects_are_collected_before_they_are_many() -> None:
    memory = MemoryCache(most=200, young=YoungRows(most=100))
    with _passes() as passes:
        for number in range(10):
            memory.keep(SHELF, str(number), _entry(10))
        assert passes == []
        for number in range(10, 35):
            memory.keep(SHELF, str(number), _entry(10))
    assert passes == [1, 1, 1]
