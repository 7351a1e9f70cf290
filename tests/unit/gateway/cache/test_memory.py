"""Eviction in the cache of a process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.population import DATABASE
from gateway.answer import Answer, State
from gateway.cache.invalidations import Position
from gateway.cache.memory import CacheEntry, MemoryCache
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.runtime.garbage import EvictionCollector
from gateway.settings import DatabaseSettings

IDENTITY = DATABASE.by_name["identity"]


def _entry(weight: int) -> CacheEntry:
    source = Source(DATABASE, None, DatabaseSettings(), SystemClock())
    answer = Answer(source.report(IDENTITY, State.ANSWERED), ())
    return CacheEntry(answer, Position("log", 1), 0.0, frozenset(), weight)


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
    entry = _entry(10)
    for key in "abc":
        memory.keep(("space", "lookup", key), entry)
    memory.get(("space", "lookup", "a"))
    memory.keep(("space", "lookup", "d"), entry)
    present = [key for key in "abcd" if memory.get(("space", "lookup", key)) is not None]
    assert (present, memory.weight) == (["a", "c", "d"], 30)


def test_an_entry_that_is_replaced_evicts_no_other() -> None:
    memory = MemoryCache(most=30)
    for key in "abc":
        memory.keep(("space", "lookup", key), _entry(10))
    memory.keep(("space", "lookup", "a"), _entry(10))
    assert (len(memory), memory.weight) == (3, 30)


def test_an_entry_larger_than_the_cache_is_not_kept() -> None:
    memory = MemoryCache(most=30)
    memory.keep(("space", "lookup", "a"), _entry(31))
    assert (len(memory), memory.weight) == (0, 0)


def test_young_objects_are_collected_as_entries_are_evicted() -> None:
    memory = MemoryCache(most=50, collector=EvictionCollector(every=10))
    entry = _entry(10)
    with _passes() as passes:
        for number in range(5):
            memory.keep(("space", "lookup", str(number)), entry)
        assert passes == [], "there is room"
        for number in range(5, 40):
            memory.keep(("space", "lookup", str(number)), entry)
    assert passes == [1, 1, 1]
