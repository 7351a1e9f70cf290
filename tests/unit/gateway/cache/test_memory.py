"""The level in the process: what it does beside holding entries, under pressure."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.population import DATABASE
from gateway.answer import Answer, State
from gateway.cache import memory
from gateway.cache.invalidations import Position
from gateway.cache.memory import CacheEntry, MemoryCache
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings

IDENTITY = DATABASE.by_name["identity"]


def _entry(weight: int) -> CacheEntry:
    source = Source(DATABASE, None, DatabaseSettings(), SystemClock())
    answer = Answer(source.report(IDENTITY, State.ANSWERED), ())
    return CacheEntry(answer, Position("log", 1), 0.0, frozenset(), weight)


@contextmanager
def _passes() -> Iterator[list[int]]:
    """Note the generation of every pass of the collector; none comes by itself meanwhile."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    gc.disable()
    gc.callbacks.append(note)
    try:
        yield seen
    finally:
        gc.callbacks.remove(note)
        gc.enable()


def test_what_was_not_used_for_longest_goes_when_there_is_no_room() -> None:
    kept = MemoryCache(most=30)
    one = _entry(10)
    for key in "abc":
        kept.keep(("space", "lookup", key), one)
    kept.get(("space", "lookup", "a"))
    kept.keep(("space", "lookup", "d"), one)
    there = [key for key in "abcd" if kept.get(("space", "lookup", key)) is not None]
    assert (there, kept.weight) == (["a", "c", "d"], 30)


def test_young_objects_are_looked_through_as_entries_go_though_their_number_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_GONE", 10)
    kept = MemoryCache(most=50)
    one = _entry(10)
    with _passes() as passes:
        for number in range(5):
            kept.keep(("space", "lookup", str(number)), one)
        assert passes == [], "there is room"
        for number in range(5, 40):
            kept.keep(("space", "lookup", str(number)), one)
    assert passes == [1, 1, 1]
