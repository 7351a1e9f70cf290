"""DuckDB finds what the rules find person by person, whatever the division into buckets."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.engines.choice import open_engine
from reconcile.engines.duckdb_session import DuckdbSession
from reconcile.engines.engine import EngineFailure, RawFinding
from reconcile.layout import RunFolder
from reconcile.settings import ReconcileSettings
from tests.support.run_extracts import (
    STATEMENTS,
    engine_findings,
    generated_tables,
    plain,
    program_findings,
    write_extracts,
)


def findings(folder: Path, buckets: int) -> list[RawFinding]:
    run = RunFolder(folder)
    manifest = write_extracts(run, generated_tables())
    engine = open_engine(ReconcileSettings(buckets=buckets, memory=400_000_000))
    try:
        engine.prepare(run, manifest, STATEMENTS)
        assert len(engine.units()) == buckets
        assert engine.unchecked() == ()
        return engine_findings(engine)
    finally:
        engine.close()


def test_duckdb_finds_the_same_as_the_rules_person_by_person(tmp_path: Path) -> None:
    in_two = findings(tmp_path / "two", 2)
    assert plain(in_two) == program_findings()
    # Every case is of one person: it needs nothing of another bucket.
    assert findings(tmp_path / "one", 1) == in_two
    assert len({finding.case for finding in in_two}) > len(STATEMENTS.cases) // 2


@pytest.fixture
def session(tmp_path: Path) -> DuckdbSession:
    return DuckdbSession(300_000_000, 1, tmp_path)


def settings_of(session: DuckdbSession) -> dict[str, str]:
    return {row[0]: row[1] for row in session.rows("SELECT name, value FROM duckdb_settings()")}


def test_nothing_is_downloaded(session: DuckdbSession) -> None:
    settings = settings_of(session)
    assert settings["autoinstall_known_extensions"] == "false"
    assert settings["autoload_known_extensions"] == "false"
    installed = session.rows(
        "SELECT install_mode FROM duckdb_extensions() WHERE installed OR loaded"
    )
    assert {row[0] for row in installed} == {"STATICALLY_LINKED"}


def test_what_does_not_fit_into_memory_goes_to_the_folder_of_the_run(
    session: DuckdbSession, tmp_path: Path
) -> None:
    settings = settings_of(session)
    assert settings["temp_directory"] == str(tmp_path)
    assert settings["memory_limit"].startswith("200")


def test_a_fault_is_told_without_values(session: DuckdbSession) -> None:
    with pytest.raises(EngineFailure) as failure:
        list(session.rows("SELECT CAST('Nguyễn Văn An' AS INTEGER)"))
    assert "Nguyễn" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_a_file_that_is_not_there_is_named(session: DuckdbSession, tmp_path: Path) -> None:
    with pytest.raises(EngineFailure, match=r"gone\.parquet"):
        session.define_files("population", "identity", [tmp_path / "gone.parquet"], ["citizen_id"])
