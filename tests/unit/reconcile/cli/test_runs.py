"""The commands ``reconcile runs`` and ``reconcile discard``.

Covers ``reconcile.cli.commands`` and ``reconcile.cli.discard``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.command_host import CommandHost
from reconcile.cli.commands import reconcile_command
from reconcile.layout import ReconcileFolder
from reconcile.lock import folder_lock
from reconcile.manifest import ExtractProgress, Manifest, write_manifest

FIRST, SECOND = "20261129T020000Z", "20261130T020000Z"


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(reconcile_command(CommandHost()), arguments)


@pytest.fixture
def folder(tmp_path: Path) -> ReconcileFolder:
    folder = ReconcileFolder(tmp_path)
    first = Manifest(FIRST, "2026-11-29", "2026-11-29", "0a", ("notary",), "duckdb")
    first = first.with_extract("notary.wills", ExtractProgress(1, 1200))
    second = replace(first, run=SECOND, finished="2026-11-30T03:00:00+00:00", units={"0": 7})
    second = second.with_extract("notary.wills", ExtractProgress(failure="it went away"))
    for manifest in (first, second):
        folder.run(manifest.run).path.mkdir(parents=True)
        write_manifest(folder.run(manifest.run).manifest, manifest)
    return folder


def test_runs_are_listed_with_how_far_they_have_come(folder: ReconcileFolder) -> None:
    result = _call("runs", "--folder", str(folder.path))
    assert result.stdout.splitlines() == [
        f"{FIRST}  day 2026-11-29  notary  not finished: 1,200 rows are extracted",
        f"{SECOND}  day 2026-11-29  notary  finished 2026-11-30T03:00:00+00:00; "
        "not read to the end: notary.wills",
    ]


def test_a_run_that_cannot_be_read_is_listed_all_the_same(folder: ReconcileFolder) -> None:
    folder.run(FIRST).manifest.write_text("{}")
    first, second = _call("runs", "--folder", str(folder.path)).stdout.splitlines()
    assert first.startswith(f"{FIRST}  cannot be read: ")
    assert second.startswith(SECOND)


def test_a_run_is_discarded_with_all_its_files(folder: ReconcileFolder) -> None:
    result = _call("discard", FIRST, "--folder", str(folder.path))
    assert (result.exit_code, result.stdout) == (0, f"{FIRST} is removed\n")
    assert [run.path.name for run in folder.runs()] == [SECOND]
    assert not folder.run(FIRST).path.exists()


@pytest.mark.parametrize("name", ["..", "20200101T000000Z", ""])
def test_only_a_run_is_discarded(folder: ReconcileFolder, name: str) -> None:
    result = _call("discard", name, "--folder", str(folder.path))
    assert result.exit_code == 2
    assert len(folder.runs()) == 2


def test_nothing_is_discarded_while_a_run_is_under_way(folder: ReconcileFolder) -> None:
    with folder_lock(folder):
        result = _call("discard", FIRST, "--folder", str(folder.path))
    assert result.exit_code == 5
    assert "runs in" in result.stderr
    assert len(folder.runs()) == 2
