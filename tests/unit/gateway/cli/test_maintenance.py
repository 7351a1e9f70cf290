"""The commands ``justice-gateway maintenance``: plan, list and end."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text("", "utf-8")
    return path


def maintenance(config: Path, command: str, *arguments: str) -> tuple[int, str]:
    """Run one command with the settings of ``config``; return its status and output."""
    runner = CliRunner(env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    result = runner.invoke(app, ["maintenance", command, *arguments, "--config", str(config)])
    return result.exit_code, result.output


def test_a_window_is_planned_listed_and_ended(config: Path) -> None:
    assert maintenance(config, "list") == (0, "")
    status, planned = maintenance(config, "plan", "notary")
    assert status == 0
    assert "notary" in planned
    assert maintenance(config, "list") == (0, planned.splitlines(keepends=True)[-1])
    window_id = planned.splitlines()[-1].split()[0]
    status, output = maintenance(config, "end", window_id)
    assert (status, window_id in output) == (0, True)
    assert maintenance(config, "list") == (0, "")


def test_a_database_that_nobody_declares_is_refused(config: Path) -> None:
    status, output = maintenance(config, "plan", "nowhere")
    assert status == 2
    assert "nobody declares nowhere" in output
    assert maintenance(config, "list") == (0, "")


@pytest.mark.parametrize("moments", [("--begins", "yesterday"), ("--ends", "yesterday")])
def test_a_moment_that_is_none_is_refused(config: Path, moments: tuple[str, str]) -> None:
    status, _ = maintenance(config, "plan", "notary", *moments)
    assert status == 2
    assert maintenance(config, "list") == (0, "")


def test_a_window_that_is_not_there_cannot_be_ended(config: Path) -> None:
    status, output = maintenance(config, "end", "nothing")
    assert status == 2
    assert "no maintenance nothing is open or to come" in output
