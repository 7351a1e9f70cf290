"""Joint calls: whatever happens to one, each of its lists is read alone and the others answered.

Covers ``gateway.fetch.batch_answers``, ``gateway.fetch.calls``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from connectors.backends.base import (
    NOBODY,
    Asker,
    Batch,
    Capabilities,
    DataFault,
    LookupKeys,
    NotMapped,
    Scope,
    SourceMaintenance,
    SourceRefused,
    SourceUnavailable,
)
from connectors.backends.memory import MemoryBackend
from connectors.description import Lookup, Record
from connectors.population import DATABASE
from gateway.answer import Answer, State
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState
from gateway.fetch.coalescing import ReadWaiter
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.people import HOA, LAN, population_rows

IDENTITY, RESIDENCES = DATABASE.by_name["identity"], DATABASE.by_name["residences"]


@dataclass
class JoiningBackend(MemoryBackend):
    """Fetches all lookups of a turn together, unless that ``fails``.

    ``fails``: "hangs", "foreign" (rows of somebody else under the first lookup), or what to raise.
    """

    fails: Exception | str | None = None
    joint: list[list[str]] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        MemoryBackend.__init__(self, DATABASE, population_rows())
        self.capabilities = Capabilities(Scope.PROCESS, Scope.PROCESS, merges=True)

    def group_lookups(self, lookups: Sequence[LookupKeys]) -> list[list[int]]:
        return [list(range(len(lookups)))]

    async def fetch_together(self, lookups: Sequence[LookupKeys]) -> list[Batch]:
        self.joint.append([lookup.record.name for lookup in lookups])
        if isinstance(self.fails, Exception):
            raise self.fails
        if self.fails == "hangs":
            await asyncio.Event().wait()
        batches = [await super(JoiningBackend, self).fetch(*lookup) for lookup in lookups]
        if self.fails == "foreign":
            strangers = await super().fetch(*lookups[0][:2], [LAN])
            batches[0] = Batch({HOA: strangers.by_key[LAN]})
        return batches

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.alone.append(record.name)
        return await super().fetch(record, lookup, keys, asker)


def _source(backend: JoiningBackend, **settings: float) -> Source:
    database_settings = DatabaseSettings.model_validate({"timeout": 20, **settings})
    return Source(DATABASE, backend, database_settings, SystemClock())


async def _ask(source: Source) -> dict[str, Answer]:
    """Ask for two lists of HOA at once."""
    answers_by_list: dict[str, Answer] = {}
    all_there = asyncio.Event()

    for record in (IDENTITY, RESIDENCES):

        def deliver(
            _: ReadWaiter, answers: Sequence[Answer] | None, name: str = record.name
        ) -> None:
            assert answers is not None
            (answers_by_list[name],) = answers
            if len(answers_by_list) == 2:
                all_there.set()

        source.ask(Read(record, record.lookups[0]), [HOA], 20, NOBODY, deliver)
    await all_there.wait()
    return answers_by_list


def _assert_answered(answers: dict[str, Answer]) -> None:
    assert {answer.report.state for answer in answers.values()} == {State.ANSWERED}
    (identity,) = answers["identity"].rows or ()
    assert HOA in identity


async def test_lists_of_one_turn_are_fetched_together() -> None:
    backend = JoiningBackend()
    _assert_answered(await _ask(_source(backend)))
    assert (backend.joint, backend.alone) == ([["identity", "residences"]], [])


@pytest.mark.parametrize(
    "failure",
    [
        SourceUnavailable("it broke off"),
        SourceRefused("it may not"),
        SourceMaintenance("back soon"),
        DataFault("a value cannot be read"),
        NotMapped("no table"),
        RuntimeError("a defect"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_what_fails_together_is_fetched_alone_and_says_nothing_of_the_database(
    failure: Exception,
) -> None:
    backend = JoiningBackend(fails=failure)
    source = _source(backend)
    for _ in range(10):
        _assert_answered(await _ask(source))
    assert len(backend.joint) == 10
    assert backend.alone == ["identity", "residences"] * 10
    assert source.breaker.state is BreakerState.CLOSED


async def test_what_hangs_together_is_fetched_alone_while_there_is_time() -> None:
    backend = JoiningBackend(fails="hangs")
    _assert_answered(await _ask(_source(backend, timeout=0.2)))
    assert sorted(backend.alone) == ["identity", "residences"]


async def test_rows_of_somebody_else_are_used_for_nobody() -> None:
    backend = JoiningBackend(fails="foreign")
    _assert_answered(await _ask(_source(backend)))
    assert backend.alone == ["identity"]
