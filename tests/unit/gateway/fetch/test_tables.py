"""A table that disappears is a failure, reported in answer, log and metrics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from connectors.backends.base import Examination
from connectors.population import DATABASE
from gateway.answer import State
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState
from gateway.fetch.source import Source
from gateway.fetch.tables import SeenTables
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.people import HOA, backends
from tests.support.running import running

IDENTITY = DATABASE.by_name["identity"]
LOOKUP = IDENTITY.lookups[0]
ALARM = "a table that was there is gone"


def _source(seen_tables: SeenTables | None = None, **settings: Any) -> tuple[Source, Faulty]:
    backend = Faulty(backends()["population"])
    database_settings = DatabaseSettings.model_validate({"timeout": 20, **settings})
    return Source(DATABASE, backend, database_settings, SystemClock(), seen=seen_tables), backend


async def _state(source: Source) -> State:
    (answer,) = await source.fetch(Read(IDENTITY, LOOKUP), [HOA], 20)
    return answer.report.state


def _metric(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(f"justice_gateway_source_{name}", labels)
    return value or 0.0


def _tables_missing() -> float:
    return _metric("tables_gone", database="population", record="identity")


async def test_a_table_that_answered_before_is_unavailable_when_it_is_gone() -> None:
    source, backend = _source()
    assert await _state(source) is State.ANSWERED
    failures = _metric("failures_total", database="population", state="UNAVAILABLE")
    backend.fault = "unmapped"
    with capture_logs() as logs:
        assert [await _state(source) for _ in range(3)] == [State.UNAVAILABLE] * 3
    alarms = [entry for entry in logs if entry["event"] == ALARM]
    assert [(entry["log_level"], entry["record"]) for entry in alarms] == [("error", "identity")]
    assert _tables_missing() == 1
    assert _metric("failures_total", database="population", state="UNAVAILABLE") >= failures + 3
    assert source.breaker.state is BreakerState.CLOSED


async def test_a_table_that_comes_back_ends_the_alarm() -> None:
    source, backend = _source()
    await _state(source)
    backend.fault = "unmapped"
    await _state(source)
    backend.fault = None
    with capture_logs() as logs:
        assert await _state(source) is State.ANSWERED
    assert [entry["record"] for entry in logs if entry["event"] == "a table is back"] == [
        "identity"
    ]
    assert _tables_missing() == 0


async def test_a_table_that_never_was_is_not_operating() -> None:
    source, backend = _source()
    backend.fault = "unmapped"
    assert await _state(source) is State.NOT_OPERATING
    assert _tables_missing() == 0


async def test_a_table_that_an_examination_saw_is_unavailable_when_it_is_gone() -> None:
    source, backend = _source()
    source.tables.note_examined(Examination(records=frozenset({"identity"})))
    backend.fault = "unmapped"
    assert await _state(source) is State.UNAVAILABLE


async def test_an_examination_raises_the_alarm_by_itself_and_ends_it() -> None:
    source, _ = _source()
    source.tables.note_examined(Examination(records=frozenset({"identity"})))
    with capture_logs() as logs:
        source.tables.note_examined(Examination(records=frozenset()))
    assert [entry["record"] for entry in logs if entry["event"] == ALARM] == ["identity"]
    assert _tables_missing() == 1
    source.tables.note_examined(Examination(records=None))  # it did not look at tables
    assert _tables_missing() == 1
    source.tables.note_examined(Examination(records=frozenset({"identity"})))
    assert _tables_missing() == 0


async def test_a_record_that_settings_take_away_is_not_operating_and_no_alarm(
    tmp_path: Path,
) -> None:
    seen_tables = SeenTables(tmp_path / "tables.jsonl", SystemClock())
    source, _ = _source(seen_tables)
    assert await _state(source) is State.ANSWERED
    unmapped, backend = _source(seen_tables, records={"identity": {"mapped": False}})
    backend.fault = "unmapped"
    with capture_logs() as logs:
        assert await _state(unmapped) is State.NOT_OPERATING
        unmapped.tables.note_examined(Examination(records=frozenset()))
    assert [entry for entry in logs if entry["event"] == ALARM] == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "tables.jsonl"


async def _until_written(file: Path) -> None:
    async with asyncio.timeout(20):
        while not (file.exists() and file.read_bytes().endswith(b"\n")):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)


async def test_a_table_is_remembered_over_restarts_and_by_the_other_processes(file: Path) -> None:
    first, _ = _source(SeenTables(file, SystemClock()))
    assert await _state(first) is State.ANSWERED
    await _until_written(file)
    second_source, backend = _source(SeenTables(file, SystemClock()))
    backend.fault = "unmapped"
    assert await _state(second_source) is State.UNAVAILABLE


async def test_another_place_is_another_table(file: Path) -> None:
    first, _ = _source(SeenTables(file, SystemClock()), url="sqlite:///one.sqlite")
    await _state(first)
    await _until_written(file)
    elsewhere, backend = _source(SeenTables(file, SystemClock()), url="sqlite:///two.sqlite")
    backend.fault = "unmapped"
    assert await _state(elsewhere) is State.NOT_OPERATING


async def test_a_file_that_cannot_be_written_costs_only_the_memory_of_restarts(
    tmp_path: Path,
) -> None:
    (tmp_path / "cache").write_text("no folder")
    source, backend = _source(SeenTables(tmp_path / "cache" / "tables.jsonl", SystemClock()))
    assert await _state(source) is State.ANSWERED
    backend.fault = "unmapped"
    assert await _state(source) is State.UNAVAILABLE


async def test_lines_that_make_no_sense_are_passed_over(file: Path) -> None:
    first, _ = _source(SeenTables(file, SystemClock()))
    await _state(first)
    await _until_written(file)
    file.write_bytes(b'not json\n{"other": 1}\n[]\n' + file.read_bytes())
    second_source, backend = _source(SeenTables(file, SystemClock()))
    backend.fault = "unmapped"
    assert await _state(second_source) is State.UNAVAILABLE


async def test_the_answer_has_an_error_entry_and_no_items(tmp_path: Path) -> None:
    faulty = {"population": Faulty(backends()["population"])}
    query = (
        f'{{ person(id: "{HOA}") {{ population {{ identity {{ item {{ fullName }} '
        "source { state } } } } }"
    )
    async with running(tmp_path, {**backends(), **faulty}) as gateway:
        before = await gateway.ask(query)
        faulty["population"].fault = "unmapped"
        body = await gateway.ask(query)
    assert before["data"]["person"]["population"]["identity"]["source"]["state"] == "ANSWERED"
    identity = body["data"]["person"]["population"]["identity"]
    assert identity == {"item": None, "source": {"state": "UNAVAILABLE"}}
    assert "SOURCE_UNAVAILABLE" in {error["extensions"]["code"] for error in body["errors"]}
