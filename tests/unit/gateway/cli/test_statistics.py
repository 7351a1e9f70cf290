"""The command ``justice-gateway statistics prepare``, over SQLite files."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.runtime.clock import SystemClock, legal_date


def run(*arguments: str) -> tuple[int, str]:
    """Run a command; return its status and output."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings with a civil status database of 40 divorces, and keys."""
    file = tmp_path / "civil_status.sqlite"
    assert run("tables", "civil_status", str(file))[0] == 0
    with sqlite3.connect(file) as connection:
        connection.executemany(
            "INSERT INTO divorces (event_id, event_type, status, registration_date)"
            " VALUES (?, 'DIVORCE', 'VALID', '2025-05-05')",
            [(f"D-{number}",) for number in range(40)],
        )
    connection.close()
    path = tmp_path / "gateway.toml"
    path.write_text(
        f'demo = true\n[databases.civil_status]\ngroup = "OPERATING"\nurl = "sqlite:///{file}"\n',
        "utf-8",
    )
    assert run("keys", "--config", str(path))[0] == 0
    return path


def prepare(config: Path, *options: str) -> tuple[int, str]:
    return run("statistics", "prepare", "--config", str(config), *options)


def test_snapshots_are_made_once_a_month(config: Path) -> None:
    status, output = prepare(config, "--database", "civil_status")
    assert status == 0
    assert "civil_status.divorces: " in output
    assert "civil_status.adoptions: WITHHELD" in output
    month = legal_date(SystemClock().now()).replace(day=1)
    file = config.parent / "statistics" / f"civil_status.divorces.{month.isoformat()}.json"
    content, changed = file.read_bytes(), file.stat().st_mtime_ns
    assert b"40" in content
    assert prepare(config)[0] == 0
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (content, changed)


def test_a_database_that_does_not_answer_fails_the_command(config: Path) -> None:
    (config.parent / "civil_status.sqlite").unlink()
    status, output = prepare(config, "--database", "civil_status")
    assert status == 1
    assert "civil_status.divorces: UNAVAILABLE" in output
    assert not (config.parent / "statistics").exists()


def test_a_database_that_nobody_declares_is_refused(config: Path) -> None:
    status, output = prepare(config, "--database", "nowhere")
    assert status == 2
    assert "nobody declares nowhere" in output
