"""The command ``reconcile report``."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from gateway.cli.command_host import CommandHost
from reconcile.cli.commands import reconcile_command
from reconcile.cli.exit_status import ExitStatus
from reconcile.report.counts import write_counts
from rules.registry import RULES
from tests.support.report_runs import SETTINGS, PlantedFinding, RunBuilder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(reconcile_command(CommandHost()), ["report", *arguments])


def test_a_report_is_written_again_and_is_the_same(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add([PlantedFinding("SEX", number) for number in range(23)])
    write_counts(builder.folder, run, RULES, [], SETTINGS)
    first = call(run.path.name, "--folder", str(tmp_path))
    assert first.exit_code == ExitStatus.DONE, first.output
    texts = run.summary.read_bytes(), run.report.read_bytes()
    assert str(run.report) in first.stdout.replace("\n", "")
    run.report.unlink()
    run.findings.unlink()
    assert call(run.path.name, "--folder", str(tmp_path)).exit_code == ExitStatus.DONE
    assert (run.summary.read_bytes(), run.report.read_bytes()) == texts


def test_a_run_that_is_not_there_or_has_no_counts_is_refused(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add([])
    missing = call(run.path.name, "--folder", str(tmp_path))
    assert missing.exit_code == ExitStatus.STOPPED
    assert "has no new report" in missing.stderr
    assert not run.report.exists()
    assert call("another", "--folder", str(tmp_path)).exit_code == ExitStatus.USAGE
