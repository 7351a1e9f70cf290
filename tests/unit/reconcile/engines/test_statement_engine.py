"""An engine over a run: what is prepared stays, what was made of other extracts does not.

Covers ``reconcile.engines.prepared``, ``reconcile.engines.units``, ``reconcile.engines.choice``,
``reconcile.engines.engine``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from reconcile.engines.choice import open_engine
from reconcile.engines.duckdb_session import DuckdbSession
from reconcile.engines.engine import EngineFailure
from reconcile.engines.statement_engine import StatementEngine
from reconcile.layout import RunFolder
from reconcile.manifest import ExtractProgress, Manifest
from reconcile.settings import ReconcileSettings
from rules.statements import rule_statements
from tests.support.case_shapes import rules_with
from tests.support.run_extracts import (
    engine_findings,
    generated_tables,
    plain,
    write_extracts,
)

PEOPLE = 60
#: What cases compare does not matter here: these read four lists, and compare no forms.
STATEMENTS = rule_statements(
    rules_with(lambda rule, _: rule.name in {"LIFE_STATE", "MARITAL_STATUS"}),
    with_registration_dates=True,
)


class Killed(Exception):
    """What ends a session as a kill would."""


class CountingSession(DuckdbSession):
    """DuckDB that says which tables it wrote, and is killed at the one of this name."""

    def __init__(self, temporary: Path, written: list[str], killed_at: str | None) -> None:
        super().__init__(300_000_000, 1, temporary)
        self._written, self._killed_at = written, killed_at

    def write(self, text: str, folder: Path, buckets: int) -> None:
        """Write, or leave half of a table behind."""
        super().write(text, folder, buckets)
        name = folder.name.removesuffix(".partial")
        if name == self._killed_at:
            raise Killed
        self._written.append(name)


@pytest.fixture
def run(tmp_path: Path) -> tuple[RunFolder, Manifest]:
    folder = RunFolder(tmp_path / "run")
    return folder, write_extracts(folder, generated_tables(PEOPLE))


@pytest.fixture
def written(run: tuple[RunFolder, Manifest]) -> Callable[..., list[str]]:
    """A function that prepares the run with some manifest and gives the tables it wrote."""

    def prepare(
        manifest: Manifest | None = None, buckets: int = 2, killed_at: str | None = None
    ) -> list[str]:
        names: list[str] = []
        engine = StatementEngine(
            "duckdb", buckets, lambda folder: CountingSession(folder, names, killed_at)
        )
        try:
            engine.prepare(run[0], manifest or run[1], STATEMENTS)
        except Killed:
            pass
        finally:
            engine.close()
        return names

    return prepare


def test_what_is_prepared_is_not_made_again(written: Callable[..., list[str]]) -> None:
    first = written(killed_at="civil_status_deaths_list")
    assert first[0] == "person_numbers"
    assert "civil_status_deaths_list" not in first
    second = written()
    assert second[0] == "civil_status_deaths_list"
    assert not set(first) & set(second)
    assert len(first) + len(second) == len(STATEMENTS.preparation) + 3
    assert written() == []


def test_findings_are_the_same_after_a_kill(
    run: tuple[RunFolder, Manifest], written: Callable[..., list[str]], tmp_path: Path
) -> None:
    written(killed_at="population_identity_list")
    found = []
    for folder in (run[0], RunFolder(tmp_path / "whole")):
        if folder is not run[0]:
            write_extracts(folder, generated_tables(PEOPLE))
        engine = open_engine(ReconcileSettings(buckets=2, memory=400_000_000))
        engine.prepare(folder, run[1], STATEMENTS)
        found.append(plain(engine_findings(engine)))
        engine.close()
    assert found[0] == found[1]
    assert found[0]


@pytest.mark.parametrize(
    "changed",
    [
        lambda manifest: replace(manifest, day="2026-11-24"),
        lambda manifest: replace(manifest, rules="others"),
        lambda manifest: replace(manifest, run="another"),
        lambda manifest: manifest.with_extract("notary.wills", ExtractProgress(parts=1)),
    ],
    ids=["day", "rules", "run", "extracts"],
)
def test_what_was_made_of_something_else_is_made_anew(
    run: tuple[RunFolder, Manifest],
    written: Callable[..., list[str]],
    changed: Callable[[Manifest], Manifest],
) -> None:
    everything = written()
    assert written(changed(run[1])) == everything


def test_another_division_is_made_anew_and_has_other_names(
    written: Callable[..., list[str]],
) -> None:
    everything = written()
    assert written(buckets=3) == everything
    names = [set(open_engine(ReconcileSettings(buckets=count)).units()) for count in (2, 3)]
    assert [len(units) for units in names] == [2, 3]
    assert not names[0] & names[1]


def test_prepared_tables_are_their_owners_alone(
    run: tuple[RunFolder, Manifest], written: Callable[..., list[str]]
) -> None:
    written()
    assert run[0].prepared.stat().st_mode & 0o077 == 0


def test_an_engine_that_did_not_prepare_says_so() -> None:
    engine = open_engine(ReconcileSettings())
    with pytest.raises(EngineFailure, match="not prepared"):
        engine.unchecked()
    with pytest.raises(EngineFailure, match="not prepared"):
        engine.findings("bucket-0000-of-0008")
    engine.close()


def test_a_part_that_is_missing_is_no_empty_part(run: tuple[RunFolder, Manifest]) -> None:
    (run[0].extract("civil_status", "deaths") / "part-00001.parquet").unlink()
    engine = open_engine(ReconcileSettings(memory=400_000_000))
    with pytest.raises(EngineFailure, match="part-00001"):
        engine.prepare(*run, STATEMENTS)
    engine.close()


def test_a_column_that_was_not_extracted_is_not_taken_for_empty(
    run: tuple[RunFolder, Manifest],
) -> None:
    for file in run[0].extract("civil_status", "marriages").glob("*.parquet"):
        table = pq.read_table(file)
        pq.write_table(table.drop_columns(["ended_on"]), file)
    engine = open_engine(ReconcileSettings(memory=400_000_000))
    with pytest.raises(EngineFailure, match="ended_on"):
        engine.prepare(*run, STATEMENTS)
    engine.close()


def test_the_engine_is_the_one_of_the_settings_unless_another_is_named() -> None:
    assert open_engine(ReconcileSettings(engine="spark")).name == "spark"
    assert open_engine(ReconcileSettings(engine="spark"), "duckdb").name == "duckdb"
