"""The command ``justice-gateway reconcile``: its parts are one file each."""

from __future__ import annotations

import typer

from reconcile.host import Host


def reconcile_command(host: Host) -> typer.Typer:
    """Return the command; ``host``: what the gateway hands over, kept for when a command runs."""
    return typer.Typer(
        no_args_is_help=True,
        help="Check all people for conflicts between databases.",
        context_settings={"obj": host},
    )
