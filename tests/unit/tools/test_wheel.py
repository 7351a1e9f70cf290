"""The wheel that a site installs: its contents, and the messages about what it leaves out.

Covers ``gateway.cli.checkout``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from gateway.cli.checkout import NEEDS_CHECKOUT
from tools.bundle import ROOT

LEFT_OUT = ("connectors/synthetic", "connectors/xroad/stand_in.py")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and return a folder with its files."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, folder], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_all_python_files_but_those_of_the_demo(installed: Path) -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for package in ("gateway", "connectors", "disclosure", "rules", "reconcile")
        for file in (ROOT / package).rglob("*.py")
    }
    left_out = {file for file in files if file.startswith(LEFT_OUT)}
    assert len(left_out) > 50
    packed = {file.relative_to(installed).as_posix() for file in installed.rglob("*.py")}
    assert packed == files - left_out


@pytest.mark.parametrize(
    "command",
    [
        ("demo", "--port", "0"),
        ("generate", "--folder", "data"),
        ("xroad-stand-in", "population", "--url", "sqlite:///p.sqlite", "--port", "4001"),
    ],
    ids=lambda command: command[0],
)
def test_commands_of_the_demo_say_that_they_need_a_checkout(
    command: tuple[str, ...], installed: Path, tmp_path: Path
) -> None:
    completed = _run(installed, tmp_path, *command)
    assert completed.returncode == NEEDS_CHECKOUT
    assert f"{command[0]} needs a checkout" in completed.stderr
    assert list(tmp_path.iterdir()) == []


def test_other_commands_run_without_the_demo(installed: Path, tmp_path: Path) -> None:
    completed = _run(
        installed, tmp_path, "schema", "--check", "--path", str(ROOT / "schema.graphql")
    )
    assert completed.returncode == 0


def _run(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "300"}
    line = [sys.executable, "-P", "-m", "gateway", *command]
    return subprocess.run(
        line, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
