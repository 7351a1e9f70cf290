"""How the commands end: exit statuses, and messages without people.

Covers ``reconcile.cli.options``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer

from reconcile.cli.exit_status import ExitStatus, end, exit_statuses
from reconcile.cli.options import read_settings

NUMBER = "001190000017"


def test_a_fault_shows_where_it_was_and_not_what_it_was_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as raised, exit_statuses():
        raise KeyError(NUMBER)
    assert raised.value.exit_code == ExitStatus.FAULT
    text = capsys.readouterr().err
    assert text.startswith("this is a fault of the program: KeyError\n")
    assert "tests/unit/reconcile/cli/test_exit_status.py:" in text
    assert NUMBER not in text


@pytest.mark.parametrize(("module", "extra"), [("pyarrow", "reconcile"), ("pyspark", "spark")])
def test_a_package_of_an_extra_that_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], module: str, extra: str
) -> None:
    with pytest.raises(typer.Exit) as raised, exit_statuses():
        raise ModuleNotFoundError("no module", name=f"{module}.parquet")
    assert raised.value.exit_code == ExitStatus.NOT_INSTALLED == os.EX_UNAVAILABLE
    assert f"{module} is not installed: install justice-gateway[{extra}]" in capsys.readouterr().err


def test_another_module_that_is_missing_is_a_fault() -> None:
    with pytest.raises(typer.Exit) as raised, exit_statuses():
        raise ModuleNotFoundError("no module", name="connectors.nothing")
    assert raised.value.exit_code == ExitStatus.FAULT


def test_what_a_command_ends_with_stays() -> None:
    with pytest.raises(typer.Exit) as raised, exit_statuses():
        raise typer.Exit(ExitStatus.UNCHECKED)
    assert raised.value.exit_code == ExitStatus.UNCHECKED
    with pytest.raises(typer.BadParameter, match="no such run"), exit_statuses():
        raise typer.BadParameter("no such run")


def test_numbers_of_people_are_left_out_of_messages(capsys: pytest.CaptureFixture[str]) -> None:
    end(ExitStatus.STOPPED, f"the row of {NUMBER} cannot be read")
    assert capsys.readouterr().err == "the row of … cannot be read\n"


def test_a_folder_must_be_named() -> None:
    with pytest.raises(typer.BadParameter, match="--settings, or a folder by --folder"):
        read_settings(None, None)


def test_a_folder_that_is_named_takes_the_place_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "reconcile.toml"
    file.write_text("buckets = 3")
    assert read_settings(file, None).folder == tmp_path / "reconcile"
    settings = read_settings(file, tmp_path / "elsewhere")
    assert (settings.folder, settings.buckets) == (tmp_path / "elsewhere", 3)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "cannot be read: No such file"),
        ("buckets = ", "reconcile.toml: "),
        ("buckets = 0\nfodler = 'x'", r"(?s)buckets: .*fodler: "),
    ],
)
def test_faults_of_settings_are_said(tmp_path: Path, text: str | None, fault: str) -> None:
    file = tmp_path / "reconcile.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(typer.BadParameter, match=fault):
        read_settings(file, None)
