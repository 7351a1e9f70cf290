"""Commands of other packages: found by entry point, loaded without what they need to run."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import typer
from typer.testing import CliRunner

from gateway.cli.command_host import CommandHost
from gateway.cli.command_plugins import GROUP, load_command

START = """
import sys
from gateway.cli.main import app
from gateway.cli.command_plugins import add_command_plugins
from gateway.cli.command_host import CommandHost
{before}
add_command_plugins(app, CommandHost())
heavy = {{"adbc_driver_manager", "duckdb", "pyarrow", "pyspark", "splink"}} & sys.modules.keys()
assert not {{name for name in heavy if sys.modules[name]}}, heavy
{then}
"""


def _python(before: str = "", then: str = "") -> subprocess.CompletedProcess[str]:
    program = START.format(before=before, then=then)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_the_start_of_the_command_line_imports_no_engine() -> None:
    result = _python()
    assert result.returncode == 0, result.stderr


def test_a_command_whose_packages_are_missing_says_how_to_get_them() -> None:
    result = _python(
        "sys.modules['pyarrow'] = None", "app(['reconcile', 'runs', '--folder', 'nowhere'])"
    )
    assert result.returncode == 69
    assert "pyarrow is not installed: install justice-gateway[reconcile]" in result.stderr


def _call(value: str) -> tuple[int, str]:
    app = typer.Typer()
    app.add_typer(load_command(EntryPoint("checks", value, GROUP), CommandHost()), name="checks")
    result = CliRunner().invoke(app, ["checks", "run", "--all"])
    return result.exit_code, " ".join(result.output.split())


def test_a_command_that_cannot_be_loaded_says_so_when_it_is_called() -> None:
    status, text = _call("nowhere.commands:checks")
    assert status == 69
    assert text == (
        "checks (nowhere.commands:checks): ModuleNotFoundError: No module named 'nowhere'"
    )


def test_what_makes_no_command_says_so_when_it_is_called() -> None:
    assert _call("builtins:str") == (69, "checks (builtins:str): it is no Typer")
