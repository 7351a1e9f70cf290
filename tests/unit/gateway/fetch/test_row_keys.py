"""Rows are used only for the key that they contain, whatever backend returned them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from connectors.backends.base import NOBODY, Asker, Batch, Rows
from connectors.backends.memory import MemoryBackend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Lookup, Record
from connectors.population import DATABASE
from gateway.answer import State
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState
from gateway.fetch.row_keys import ForeignRows, require_keys
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN, backends

IDENTITY = DATABASE.by_name["identity"]
LOOKUP = IDENTITY.lookups[0]
MARRIAGES = CIVIL_STATUS.by_name["marriages"]
KEYS = [f"0010900{number:05d}" for number in range(8)]

_Mix = Callable[[Mapping[str, Rows]], Mapping[str, Rows]]


class _Mixed(MemoryBackend):
    """Delivers rows under the keys that ``mix`` gives them; ``calls`` notes how many were asked."""

    def __init__(self, mix: _Mix) -> None:
        rows = [
            {"citizen_id": key, "full_name": key, "birth_date": "1990-01-01", "sex": "MALE"}
            for key in KEYS
        ]
        super().__init__(DATABASE, {"identity": rows})
        self.mix = mix
        self.calls: list[int] = []

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.calls.append(len(keys))
        batch = await super().fetch(record, lookup, keys, asker)
        return replace(batch, by_key=self.mix(batch.by_key))


def _source(mix: _Mix) -> tuple[Source, _Mixed]:
    backend = _Mixed(mix)
    return Source(DATABASE, backend, DatabaseSettings(timeout=120), SystemClock()), backend


def _swap(by_key: Mapping[str, Rows]) -> Mapping[str, Rows]:
    """Give the first two keys each other's rows."""
    first, second = KEYS[:2]
    if first in by_key and second in by_key:
        return {**by_key, first: by_key[second], second: by_key[first]}
    return by_key


def _spoil(by_key: Mapping[str, Rows]) -> Mapping[str, Rows]:
    """Give the first key the row of nobody who was asked for."""
    row = tuple(LAN if value == KEYS[0] else value for value in by_key[KEYS[0]].rows[0])
    return {**by_key, KEYS[0]: Rows((row,))}


async def test_rows_of_another_key_are_not_given_and_nobodys_are_said_to_be_none() -> None:
    source, _ = _source(_swap)
    answers = await source.fetch(Read(IDENTITY, LOOKUP), KEYS, 20)
    rows_by_key = {key: answer.rows for key, answer in zip(KEYS, answers, strict=True)}
    place = IDENTITY.positions["citizen_id"]
    assert all(rows is not None and rows[0][place] == key for key, rows in rows_by_key.items())


async def test_a_key_that_is_mixed_up_by_itself_costs_itself_alone() -> None:
    source, backend = _source(lambda by_key: _spoil(by_key) if KEYS[0] in by_key else by_key)
    answers = await source.fetch(Read(IDENTITY, LOOKUP), KEYS, 20)
    states = [answer.report.state for answer in answers]
    assert states == [State.UNAVAILABLE, *[State.ANSWERED] * 7]
    assert answers[0].rows is None
    assert max(backend.calls) == 8
    assert len(backend.calls) <= 12


async def test_rows_of_other_keys_are_counted_and_open_no_breaker() -> None:
    def count() -> float:
        name = "justice_gateway_source_foreign_rows_total"
        return REGISTRY.get_sample_value(name, {"database": "population"}) or 0.0

    source, _ = _source(_spoil)
    before = count()
    for _ in range(30):
        (answer,) = await source.fetch(Read(IDENTITY, LOOKUP), KEYS[:1], 20)
        assert (answer.report.state, answer.rows) == (State.UNAVAILABLE, None)
    assert count() >= before + 30
    assert source.breaker.state is BreakerState.CLOSED


async def test_a_key_that_a_source_says_nothing_of_is_unknown() -> None:
    source, _ = _source(lambda by_key: {key: by_key[key] for key in by_key if key != KEYS[0]})
    answers = await source.fetch(Read(IDENTITY, LOOKUP), KEYS[:2], 20)
    assert [answer.report.state for answer in answers] == [State.UNAVAILABLE, State.ANSWERED]


async def test_any_column_of_a_lookup_may_bear_the_key() -> None:
    backend = backends()["civil_status"]
    lookup = MARRIAGES.lookups[0]
    batch = await backend.fetch(MARRIAGES, lookup, [HOA])
    assert batch.by_key[HOA].rows
    require_keys(MARRIAGES, lookup, batch.by_key)
    with pytest.raises(ForeignRows, match="rows do not bear the key"):
        require_keys(MARRIAGES, lookup, {KEYS[0]: batch.by_key[HOA]})
