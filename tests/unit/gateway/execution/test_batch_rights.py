"""Callers of other rights who ask the same of the same people at the same time: nothing leaks.

Each answer must be, byte for byte but for the order of errors, the one that the same caller gets
alone: of sources, of rows in the cache, of ready answers, by plan and field by field, and where
databases are told who asks. ``tests/integration/gateway/execution/test_rendered_rights.py`` asks
the same of lists that PostgreSQL writes.

Covers ``gateway.execution.execute``, ``gateway.execution.batch``, ``gateway.execution.gather`` and
``gateway.execution.emit``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.base import Backend
from connectors.backends.memory import MemoryBackend
from gateway.cache.rows import LOOKED
from gateway.catalogue.checks import SCOPE as CHECK
from gateway.execution.batch import PlanBatch
from tests.support.calls import calls_of
from tests.support.check_inputs import plain_inputs
from tests.support.holes import TellsAskersApart
from tests.support.metrics import value_of
from tests.support.rights import (
    ASKINGS,
    DATABASES,
    EVERY_SCOPE,
    NAMES,
    READING,
    UNIFIED,
    WIDE,
    Asking,
    answer,
    answer_together,
    describe_differences,
    patient,
    row_of,
    section_of,
)
from tests.support.running import execute_field_by_field, running
from tests.support.table import OTHER, PERSON, lists

#: The databases whose messages name who asks, in tests of those.
TOLD = frozenset({"population", "notary"})
LIVE = {database.name: patient(0) for database in DATABASES}
CACHED = {database.name: patient(600) for database in DATABASES}

#: People of checks beside the one who is asked about: nobody has their numbers.
_NOBODY, _STRANGERS = "001099999999", tuple(f"0010{year}999998" for year in range(60, 90))


def _backends(is_told_who_asks: bool) -> dict[str, Backend]:
    backends: dict[str, Backend] = {}
    for database in DATABASES:
        rows = {
            record.name: [row_of(database, record, number) for number in (PERSON, OTHER)]
            for record in database.records
        }
        backend = MemoryBackend(database, rows)
        tells_apart = is_told_who_asks and database.name in TOLD
        backends[database.name] = TellsAskersApart(backend) if tells_apart else backend
    return backends


def _documents(names: frozenset[str] | None) -> list[str]:
    """Return a document for each database: all its lists, of somebody named and of who asks."""
    documents = []
    for database in DATABASES:
        if names is not None and database.name not in names:
            continue
        selections = [each.selection for each in lists(DATABASES) if each.database is database]
        person = (
            f"{{ id identification notices {{ code }} {section_of(database)} "
            f"{{ {' '.join(selections)} }} }}"
        )
        documents.append(f"query($id: PersonNumber!) {{ person(id: $id) {person} me {person} }}")
    return [*documents, NAMES]


@pytest.mark.parametrize("is_told_who_asks", [False, True], ids=["shared", "told who asks"])
async def test_every_answer_is_the_one_that_its_caller_gets_alone(
    tmp_path: Path, is_told_who_asks: bool
) -> None:
    wrong: list[str] = []
    ready = value_of(LOOKED, "ready")
    askings = [*ASKINGS, *reversed(ASKINGS[::4])]
    cold_backends, warm_backends = _backends(is_told_who_asks), _backends(is_told_who_asks)
    async with (
        running(tmp_path / "cold", cold_backends, DATABASES, LIVE, limits=WIDE) as cold,
        running(tmp_path / "warm", warm_backends, DATABASES, CACHED, limits=WIDE) as warm,
        running(
            tmp_path / "fields",
            _backends(is_told_who_asks),
            DATABASES,
            LIVE,
            execute=execute_field_by_field,
            limits=WIDE,
        ) as fields,
    ):
        for document in _documents(TOLD if is_told_who_asks else None):
            alone = {each: await answer(cold, document, each) for each in ASKINGS}
            assert len(set(alone.values())) >= 5, "callers must differ, or this proves nothing"
            with calls_of(PlanBatch.__init__) as batches:
                answers = await answer_together(cold, document, askings)
            assert len(batches.names) < len(askings), "some must be executed together"
            wrong += describe_differences("cold", askings, answers, alone)
            for path in ("read and cached", "of cached rows", "ready"):
                answers = await answer_together(warm, document, askings)
                wrong += describe_differences(path, askings, answers, alone)
            few = ASKINGS[::3]
            answers = await answer_together(fields, document, few)
            wrong += describe_differences("field by field", few, answers, alone)
    assert wrong == [], "\n".join([f"{len(wrong)} differ", *wrong[:3]])
    if not is_told_who_asks:
        assert value_of(LOOKED, "ready") > ready, "no answer was ready"


#: Everything that a check shows.
_CHECKED = """{ code outcome at factsAsOf law groups { code state } toBring { code }
  rules { code state reason sentence { vi en } evidence { database record id asOf } }
  papers { code state } sources { state fetchedAt database { name } } silent { name } }"""


def _checkers(code: str) -> Iterator[Asking]:
    """Yield callers who check a procedure, and some who may not."""
    for number in (PERSON, OTHER):
        yield Asking(number, (CHECK,), code)
        yield Asking(number, (CHECK, *READING), code)
        yield Asking(number, (CHECK, *EVERY_SCOPE), code)
        yield Asking(number, (CHECK, *EVERY_SCOPE), UNIFIED)
        yield Asking(number, EVERY_SCOPE, code)
        yield Asking(number, ("introspect",), code)
        yield Asking(number, (CHECK,), code, subject="somebody else", case_number="2/2026")
        yield Asking(number, (CHECK, *READING), code, client="another-client")
        yield Asking(number, ("me",), code, subject=PERSON)


@pytest.mark.parametrize("is_told_who_asks", [False, True], ids=["shared", "told who asks"])
async def test_every_check_is_the_one_that_its_caller_gets_alone(
    tmp_path: Path, is_told_who_asks: bool
) -> None:
    wrong: list[str] = []
    backends = _backends(is_told_who_asks)
    async with running(tmp_path, backends, DATABASES, CACHED, limits=WIDE) as gateway:
        inputs = plain_inputs(gateway.service.resources.schema, ("$id", _NOBODY, *_STRANGERS))
        for code, literal in inputs:
            check = f'checkProcedure(code: "{code}", input: {literal})'
            document = f"query($id: PersonNumber!) {{ {check} {_CHECKED} }}"
            checkers = tuple(_checkers(code))
            alone = {each: await answer(gateway, document, each) for each in checkers}
            answers = await answer_together(gateway, document, [*checkers, *reversed(checkers)])
            wrong += describe_differences(code, [*checkers, *reversed(checkers)], answers, alone)
            denied = [each for each in checkers if CHECK not in each.scopes]
            assert [alone[each] for each in denied if b"FORBIDDEN" not in alone[each]] == []
            assert b'"outcome"' in alone[checkers[0]]
    assert wrong == [], "\n".join([f"{len(wrong)} differ", *wrong[:3]])


async def test_checks_that_come_together_stand_each_under_its_case_in_the_journal(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, _backends(False), DATABASES, LIVE, limits=WIDE) as gateway:
        inputs = plain_inputs(gateway.service.resources.schema, ("$id", _NOBODY, *_STRANGERS))
        for code, literal in inputs:
            check = f'checkProcedure(code: "{code}", input: {literal})'
            document = f"query($id: PersonNumber!) {{ {check} {{ outcome }} }}"
            askings = [
                Asking(number, (CHECK,), code, case_number=f"{place}/2026")
                for place, number in enumerate((PERSON, OTHER) * 4)
            ]
            before = len(gateway.journal())
            with calls_of(PlanBatch.__init__) as batches:
                await answer_together(gateway, document, askings)
            assert len(batches.names) < len(askings), "some must be executed together"
            written = gateway.journal()[before:]
            hashes = {entry["caseNumber"]: _people_hashes(entry) for entry in written}
            assert hashes.keys() == {asking.case_number for asking in askings}
            by_number = [
                {hashes[f"{place}/2026"] for place in range(first, 8, 2)} for first in (0, 1)
            ]
            assert [len(people) for people in by_number] == [1, 1]
            assert by_number[0] != by_number[1]


def _people_hashes(entry: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((person["person"], person["role"]) for person in entry["persons"])
