"""How a run begins, and which run is resumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.backends.server import ServerOptions
from connectors.registry import installed_databases
from gateway.cli.command_host import CommandDatabase
from reconcile.layout import OtherVersion
from reconcile.manifest import Manifest
from reconcile.run_start import (
    RunOrder,
    RunRefused,
    begin_manifest,
    choose_databases,
    create_run,
    open_folder,
    require_same_rules,
    run_name,
    settings_of,
    unfinished_run,
)
from reconcile.settings import ReconcileSettings

NOW = datetime(2026, 11, 30, 18, 30, 5, tzinfo=UTC)
DATABASES = [
    CommandDatabase(database, None, False, ServerOptions(), {}, None)
    for database in installed_databases()
]
NAMES = tuple(
    access.database.name for access in DATABASES if access.database.name != "reconciliation"
)


def _manifest(name: str = "20261130T183005Z", **order: object) -> Manifest:
    settings = ReconcileSettings(buckets=3, on_failure="continue")
    return begin_manifest(name, RunOrder(**order), settings, NAMES, "0a1b", NOW)  # type: ignore[arg-type]


def test_the_folder_is_its_owners_only_and_has_a_key(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "new" / "reconcile")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.hash_key.stat().st_mode & 0o777 == 0o600
    key = folder.hash_key.read_bytes()
    assert len(key) == 32
    assert open_folder(folder.path).hash_key.read_bytes() == key
    assert open_folder(tmp_path / "other").hash_key.read_bytes() != key


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with pytest.raises(RunRefused, match=f"others may enter {tmp_path}: chmod 700 it"):
        open_folder(tmp_path)
    assert not list(tmp_path.iterdir())


def test_all_databases_are_chosen_or_those_that_are_named() -> None:
    assert choose_databases(DATABASES, None) == NAMES
    chosen = choose_databases(DATABASES, ("population", "notary", "notary"))
    assert chosen == ("notary", "population")


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (("population", "prisons"), "nobody declares prisons; there are administrative"),
        (("notary",), "population must be chosen"),
        (("population", "reconciliation"), "nobody declares reconciliation"),
    ],
)
def test_a_choice_that_checks_nothing_is_refused(names: tuple[str, ...], fault: str) -> None:
    with pytest.raises(RunRefused, match=fault):
        choose_databases(DATABASES, names)


def test_a_run_keeps_what_it_began_with(tmp_path: Path) -> None:
    manifest = _manifest(numbers_key=Path("key"), keep_extracts=True)
    assert manifest.options == {
        "buckets": 3,
        "on_failure": "continue",
        "numbers_key": str(Path("key").absolute()),
        "keep_extracts": True,
    }
    settings = settings_of(manifest, ReconcileSettings(engine="spark", threads=7))
    assert (settings.engine, settings.buckets, settings.on_failure) == ("duckdb", 3, "continue")
    assert settings.threads == 7


def test_the_legal_day_is_that_of_vietnam() -> None:
    assert _manifest().day == "2026-12-01"
    assert _manifest(day=date(2026, 6, 30)).day == "2026-06-30"


def test_two_runs_of_one_second_have_two_names(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "reconcile")
    names = []
    for _ in range(3):
        names.append(run_name(folder, NOW))
        create_run(folder, _manifest(names[-1]))
    assert names == ["20261130T183005Z", "20261130T183005Z-2", "20261130T183005Z-3"]
    assert [run.path.name for run in folder.runs()] == names


def test_the_last_unfinished_run_is_resumed_or_the_one_that_is_named(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "reconcile")
    with pytest.raises(RunRefused, match=r"no run in .* is unfinished"):
        unfinished_run(folder, None)
    for name in ("20261101T000000Z", "20261102T000000Z"):
        create_run(folder, _manifest(name))
    create_run(folder, replace(_manifest("20261103T000000Z"), finished="2026-11-03"))
    assert unfinished_run(folder, None).path.name == "20261102T000000Z"
    assert unfinished_run(folder, "20261101T000000Z").path.name == "20261101T000000Z"
    for name, fault in (("20261103T000000Z", "is finished"), ("..", "there is no run")):
        with pytest.raises(RunRefused, match=fault):
            unfinished_run(folder, name)


def test_a_run_of_another_version_is_not_passed_over(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "reconcile")
    create_run(folder, _manifest())
    folder.runs()[0].manifest.write_text('{"version": 9}')
    with pytest.raises(OtherVersion):
        unfinished_run(folder, None)


def test_a_run_is_resumed_under_its_rules_only() -> None:
    require_same_rules(_manifest(), "0a1b")
    with pytest.raises(RunRefused, match="the rules were changed since 20261130T183005Z began"):
        require_same_rules(_manifest(), "0a1c")
