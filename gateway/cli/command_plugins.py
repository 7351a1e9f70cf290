"""Commands of other packages, found by entry point.

A package adds a command with one line in its ``pyproject.toml``: the name of the command, and a
function that takes a ``gateway.cli.command_host.CommandHost`` and returns a Typer::

    [project.entry-points."justice_gateway.commands"]
    reconcile = "reconcile.cli.commands:reconcile_command"

Every start of the command line calls these functions, also that of a server: what a command needs
beyond its options it imports when it runs.
"""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from gateway.cli.command_host import CommandHost

GROUP = "justice_gateway.commands"
_console = Console(stderr=True)


def add_command_plugins(app: typer.Typer, host: CommandHost) -> None:
    """Add the commands of all installed packages to ``app``.

    A package whose command cannot be loaded does not keep the others, nor the server, from
    starting: its command says so when it is called.
    """
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        app.add_typer(load_command(point, host), name=point.name)


def load_command(point: EntryPoint, host: CommandHost) -> typer.Typer:
    """Return the command of an entry point, or one that says why there is none."""
    try:
        command = point.load()(host)
    except Exception as error:  # anything may be wrong with another package
        return _broken(point, f"{type(error).__name__}: {error}")
    if not isinstance(command, typer.Typer):
        return _broken(point, "it is no Typer")
    return command


def _broken(point: EntryPoint, reason: str) -> typer.Typer:
    broken = typer.Typer(cls=_WithoutArguments, invoke_without_command=True)

    @broken.callback()
    def say() -> None:
        """Cannot be loaded."""
        _console.print(f"{point.name} ({point.value}): {reason}", style="red", markup=False)
        raise typer.Exit(os.EX_UNAVAILABLE)

    return broken


class _WithoutArguments(TyperGroup):
    """A command that is called whatever stands behind it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave out the arguments, which are those of the command that cannot be loaded."""
        args.clear()
        return super().parse_args(ctx, args)
