"""Callers of other rights who ask the same of the same people at the same time: nothing leaks.

Each answer must be, byte for byte but for the order of errors, the one that the same caller gets
alone: of sources, of rows in the cache, of ready
answers, by plan and field by field, and where databases are told who asks.

Covers ``gateway.execution.execute``, ``gateway.execution.batch``, ``gateway.execution.gather`` and
``gateway.execution.emit``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.backends.base import Backend
from connectors.backends.memory import MemoryBackend
from connectors.description import Database, Group
from connectors.registry import installed_databases
from gateway.cache.rows import LOOKED
from gateway.catalogue.checks import SCOPE as CHECK
from gateway.execution.batch import PlanBatch
from gateway.settings import DatabaseSettings, Limits
from tests.support.calls import calls_of
from tests.support.check_inputs import plain_inputs
from tests.support.holes import TellsAskersApart
from tests.support.metrics import value_of
from tests.support.running import Running, execute_field_by_field, running
from tests.support.table import KEY, OTHER, PERSON, lists, raw_row

DATABASES = tuple(database for database in installed_databases() if database.records)
EVERY_SCOPE = tuple(
    f"{database.name}:{action}"
    for database in DATABASES
    for action in ("read", "sensitive", "restricted")
)
READING = tuple(f"{database.name}:read" for database in DATABASES)
WIDE = Limits(
    document_characters=10**6,
    tokens=50_000,
    fields=20_000,
    depth=20,
    cost=10**9,
    deadline=300,
    new_documents_per_minute=10**6,
    aliases=0,
)
UNIFIED = "bench-unified"
#: The databases whose messages name who asks, in tests of those.
TOLD = frozenset({"population", "notary"})


#: People of checks beside the one who is asked about: nobody has their numbers.
_NOBODY, _STRANGERS = "001099999999", tuple(f"0010{year}999998" for year in range(60, 90))

#: What most callers may see without an error: such answers are kept.
_NAMES = """query($id: PersonNumber!) { person(id: $id) { id
  population { identity { item { fullName lifeStatus } } family { items { memberId } } } } }"""


@dataclass(frozen=True)
class Asking:
    """A caller and the number that they name."""

    number: str
    scopes: tuple[str, ...]
    purpose: str = UNIFIED
    subject: str = "somebody"
    client: str = "test-client"
    case_number: str = "1/2026"


def _askings() -> Iterator[Asking]:
    """Yield callers whose answers must differ, and some whose answers are the same."""
    for number in (PERSON, OTHER):
        for purpose in (UNIFIED, "2.001263", "notarised-inheritance", "address-protection"):
            yield Asking(number, EVERY_SCOPE, purpose)
        yield Asking(number, READING)
        yield Asking(number, READING[:2], "1.000894")
        yield Asking(number, EVERY_SCOPE, subject="somebody else", case_number="2/2026")
        yield Asking(number, EVERY_SCOPE, client="another-client")
        yield Asking(number, ("population:read", "civil_status.births:read"))
        yield Asking(number, ("introspect",))
        for citizen in (PERSON, OTHER):
            yield Asking(number, ("me",), subject=citizen)
            yield Asking(number, ("me", *READING), subject=citizen)


ASKINGS = tuple(_askings())


def _row(database: Database, record: Any, number: str) -> dict[str, object]:
    """Return a row of PERSON's or OTHER's: every value says whose it is."""
    row = raw_row(database, record)
    if number == PERSON:
        return row
    swapped = {PERSON: OTHER, OTHER: PERSON, "012345678": "012345679"}

    def swap(value: object) -> object:
        if isinstance(value, list):
            return [swap(each) for each in value]
        if not isinstance(value, str) or value == KEY:
            return value
        return f"{value} of the other" if value.startswith("«") else swapped.get(value, value)

    return {name: swap(value) for name, value in row.items()}


def _backends(is_told_who_asks: bool) -> dict[str, Backend]:
    backends: dict[str, Backend] = {}
    for database in DATABASES:
        rows = {
            record.name: [_row(database, record, number) for number in (PERSON, OTHER)]
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
        first, *rest = database.name.split("_")
        section = first + "".join(part.capitalize() for part in rest)
        person = (
            f"{{ id identification notices {{ code }} {section} {{ {' '.join(selections)} }} }}"
        )
        documents.append(f"query($id: PersonNumber!) {{ person(id: $id) {person} me {person} }}")
    return [*documents, _NAMES]


async def _answer(gateway: Running, document: str, asking: Asking) -> bytes:
    token = gateway.token(
        *asking.scopes, subject=asking.subject, client=asking.client, purposes=[asking.purpose]
    )
    response = await gateway.post(
        document,
        {"id": asking.number},
        token,
        x_purpose=asking.purpose,
        x_case_number=asking.case_number,
    )
    return _sorted(response.content)


def _sorted(answer: bytes) -> bytes:
    """Return an answer with its errors sorted: they stand in the order in which lists arrive."""
    body = orjson.loads(answer)
    body["errors"] = sorted(map(str, body.get("errors", ())))
    return orjson.dumps(body)


async def _together(gateway: Running, document: str, askings: Sequence[Asking]) -> list[bytes]:
    return list(await asyncio.gather(*(_answer(gateway, document, each) for each in askings)))


def _live(fresh: float) -> Mapping[str, DatabaseSettings]:
    return {
        database.name: DatabaseSettings(
            group=Group.OPERATING, timeout=120, fresh=fresh, breaker_failures=0
        )
        for database in DATABASES
    }


def _differing(
    how: str, askings: Sequence[Asking], answers: Sequence[bytes], alone: Mapping[Asking, bytes]
) -> list[str]:
    return [
        f"{how}: {asking}\n  {answer.decode()[:500]}\n  {alone[asking].decode()[:500]}"
        for asking, answer in zip(askings, answers, strict=True)
        if answer != alone[asking]
    ]


@pytest.mark.parametrize("is_told_who_asks", [False, True], ids=["shared", "told who asks"])
async def test_every_answer_is_the_one_that_its_caller_gets_alone(
    tmp_path: Path, is_told_who_asks: bool
) -> None:
    wrong: list[str] = []
    ready = value_of(LOOKED, "ready")
    askings = [*ASKINGS, *reversed(ASKINGS[::4])]
    cold_backends, warm_backends = _backends(is_told_who_asks), _backends(is_told_who_asks)
    async with (
        running(tmp_path / "cold", cold_backends, DATABASES, _live(0), limits=WIDE) as cold,
        running(tmp_path / "warm", warm_backends, DATABASES, _live(600), limits=WIDE) as warm,
        running(
            tmp_path / "fields",
            _backends(is_told_who_asks),
            DATABASES,
            _live(0),
            execute=execute_field_by_field,
            limits=WIDE,
        ) as fields,
    ):
        for document in _documents(TOLD if is_told_who_asks else None):
            alone = {each: await _answer(cold, document, each) for each in ASKINGS}
            assert len(set(alone.values())) >= 5, "callers must differ, or this proves nothing"
            with calls_of(PlanBatch.__init__) as batches:
                answers = await _together(cold, document, askings)
            assert len(batches.names) < len(askings), "some must be executed together"
            wrong += _differing("cold", askings, answers, alone)
            for how in ("read and kept", "of kept rows", "ready"):
                answers = await _together(warm, document, askings)
                wrong += _differing(how, askings, answers, alone)
            few = ASKINGS[::3]
            answers = await _together(fields, document, few)
            wrong += _differing("field by field", few, answers, alone)
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
    async with running(tmp_path, backends, DATABASES, _live(600), limits=WIDE) as gateway:
        inputs = plain_inputs(gateway.service.resources.schema, ("$id", _NOBODY, *_STRANGERS))
        for code, given in inputs:
            check = f'checkProcedure(code: "{code}", input: {given})'
            document = f"query($id: PersonNumber!) {{ {check} {_CHECKED} }}"
            checkers = tuple(_checkers(code))
            alone = {each: await _answer(gateway, document, each) for each in checkers}
            answers = await _together(gateway, document, [*checkers, *reversed(checkers)])
            wrong += _differing(code, [*checkers, *reversed(checkers)], answers, alone)
            denied = [each for each in checkers if CHECK not in each.scopes]
            assert all(b"FORBIDDEN" in alone[each] for each in denied)
            assert b'"outcome"' in alone[checkers[0]]
    assert wrong == [], "\n".join([f"{len(wrong)} differ", *wrong[:3]])


async def test_checks_that_come_together_stand_each_under_its_case_in_the_journal(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, _backends(False), DATABASES, _live(0), limits=WIDE) as gateway:
        inputs = plain_inputs(gateway.service.resources.schema, ("$id", _NOBODY, *_STRANGERS))
        for code, given in inputs:
            check = f'checkProcedure(code: "{code}", input: {given})'
            document = f"query($id: PersonNumber!) {{ {check} {{ outcome }} }}"
            askings = [
                Asking(number, (CHECK,), code, case_number=f"{place}/2026")
                for place, number in enumerate((PERSON, OTHER) * 4)
            ]
            before = len(gateway.journal())
            with calls_of(PlanBatch.__init__) as batches:
                await _together(gateway, document, askings)
            assert len(batches.names) < len(askings), "some must be executed together"
            written = gateway.journal()[before:]
            hashes = {entry["caseNumber"]: _people_hashes(entry) for entry in written}
            assert hashes.keys() == {asking.case_number for asking in askings}
            by_number = [
                {hashes[f"{place}/2026"] for place in range(first, 8, 2)} for first in (0, 1)
            ]
            assert [len(people) for people in by_number] == [1, 1]
            assert by_number[0] != by_number[1]


def _people_hashes(entry: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(person["person"] for person in entry["persons"])
