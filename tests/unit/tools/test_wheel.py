"""The wheel that a site installs: its contents, and the messages about what it leaves out.

Covers ``gateway.cli.checkout``.
"""

from __future__ import annotations

import json
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


#: Commands of the demo, with what they need.
DEMO = {
    "demo": ("--port", "0"),
    "generate": ("--folder", "data"),
    "xroad-stand-in": ("population", "--url", "sqlite:///p.sqlite", "--port", "4001"),
}
SCHEMA = ("schema", "--check", "--path", str(ROOT / "schema.graphql"))
#: Runs each command as ``python -m gateway`` does, but all in one process: most of the time of a
#: command goes into imports. Prints the status, the output and the files of each.
RUN = """
import json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from runpy import run_module

for command in json.loads(sys.argv[1]):
    sys.argv[1:] = command
    output, errors = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            run_module("gateway", run_name="__main__")
            status = 0
        except SystemExit as exit:
            status = exit.code
    print(json.dumps([status or 0, output.getvalue(), errors.getvalue(), os.listdir()]))
"""
#: The status of a command, what it printed to either stream, and the files in its folder.
Result = tuple[int, str, str, list[str]]


@pytest.fixture(scope="module")
def results(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Run every command in an empty folder, with the wheel alone."""
    commands = {name: [name, *arguments] for name, arguments in DEMO.items()}
    commands["schema"] = list(SCHEMA)
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "300"}
    completed = subprocess.run(
        [sys.executable, "-P", "-c", RUN, json.dumps(list(commands.values()))],
        cwd=tmp_path_factory.mktemp("empty"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    lines = [tuple(json.loads(line)) for line in completed.stdout.splitlines()]
    return dict(zip(commands, lines, strict=True))


@pytest.mark.parametrize("command", DEMO)
def test_commands_of_the_demo_say_that_they_need_a_checkout(
    command: str, results: dict[str, Result]
) -> None:
    status, _, errors, files = results[command]
    assert status == NEEDS_CHECKOUT
    assert f"{command} needs a checkout" in errors
    assert files == []


def test_other_commands_run_without_the_demo(results: dict[str, Result]) -> None:
    assert results["schema"][0] == 0
