"""Spark finds the same as DuckDB and as the rules person by person, to the last byte.

One session of Spark for all of it: it costs some ten seconds. Needs Java.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from reconcile.engines.choice import open_engine
from reconcile.engines.engine import Engine, EngineFailure, RawFinding, UncheckedCase
from reconcile.engines.spark_session import SparkSqlSession, open_spark_session
from reconcile.engines.statement_engine import StatementEngine
from reconcile.layout import RunFolder
from reconcile.settings import ReconcileSettings
from tests.support.engine_texts import differences, orders
from tests.support.run_extracts import (
    PEOPLE,
    STATEMENTS,
    Fault,
    engine_findings,
    generated_tables,
    plain,
    program_findings,
    write_extracts,
)

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java")
DEATHS = CIVIL_STATUS.by_name["deaths"]
#: For few people compiling costs more than it saves.
_FEW = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.default.parallelism": "1",
}
SETTINGS = (
    ReconcileSettings(buckets=1, memory=1_000_000_000, spark=_FEW)
    if PEOPLE < 1000
    else ReconcileSettings(buckets=4)
)


class SharedSession(SparkSqlSession):
    """A session that outlives its engine."""

    def close(self) -> None:
        """Leave it to the next."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSqlSession]:
    session = open_spark_session(SETTINGS, tmp_path_factory.mktemp("spark"))
    session.__class__ = SharedSession
    yield session
    SparkSqlSession.close(session)


def faults() -> list[Fault]:
    """Return two deaths, of two people, as unreadable."""
    rows = [row for row in generated_tables()["civil_status", "deaths"] if row.get("citizen_id")]
    return [
        Fault(DEATHS, "status", str(row["event_id"]), str(row["citizen_id"])) for row in rows[:2]
    ]


def result(engine: Engine, folder: Path) -> tuple[list[RawFinding], list[UncheckedCase]]:
    run = RunFolder(folder)
    engine.prepare(run, write_extracts(run, generated_tables(), faults()), STATEMENTS)
    try:
        return engine_findings(engine), list(engine.unchecked())
    finally:
        engine.close()


@pytest.mark.long
@needs_java
def test_spark_and_duckdb_find_the_same_as_the_rules_person_by_person(
    session: SparkSqlSession, tmp_path: Path
) -> None:
    spark = StatementEngine("spark", SETTINGS.buckets, lambda _: session)
    found, unchecked = result(spark, tmp_path / "spark")
    assert (found, unchecked) == result(open_engine(SETTINGS), tmp_path / "duckdb")
    assert {item.people for item in unchecked} == {2}
    incomplete = {fault.number for fault in faults()}
    expected = [item for item in program_findings() if item[1] not in incomplete]
    assert [item for item in plain(found) if item[1] not in incomplete] == expected


@pytest.mark.long
@needs_java
def test_the_steps_of_forms_give_in_spark_what_they_give_in_python(
    session: SparkSqlSession,
) -> None:
    assert list(differences(session)) == []
    in_python, in_spark = orders(session)
    assert in_spark == in_python


@pytest.mark.long
@needs_java
def test_spark_stays_on_this_machine_and_quiet(session: SparkSqlSession) -> None:
    values = {row[0]: row[1] for row in session.rows("SET -v")}
    assert values["spark.sql.ansi.enabled"] == "true"
    assert values["spark.sql.session.timeZone"] == "UTC"
    set_here = {row[0]: row[1] for row in session.rows("SET")}
    assert set_here["spark.driver.bindAddress"] == "127.0.0.1"
    assert set_here["spark.ui.enabled"] == "false"


@pytest.mark.long
@needs_java
def test_a_fault_of_spark_is_told_without_values(session: SparkSqlSession) -> None:
    with pytest.raises(EngineFailure) as failure:
        list(session.rows("SELECT CAST('Nguyễn Văn An' AS INT)"))
    assert str(failure.value) == "Spark: CAST_INVALID_INPUT"


def test_without_java_spark_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineFailure, match="needs Java 17"):
        open_spark_session(SETTINGS, tmp_path)
    monkeypatch.delenv("JAVA_HOME")
    with pytest.raises(EngineFailure, match="needs Java 17"):
        open_spark_session(SETTINGS, tmp_path)


def test_without_pyspark_spark_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineFailure, match=r"install justice-gateway\[reconcile,spark\]"):
        open_spark_session(SETTINGS, tmp_path)
