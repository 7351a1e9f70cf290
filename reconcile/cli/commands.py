"""The command ``justice-gateway reconcile``: its parts are one file each.

Each start of the gateway imports these files. They import what a run needs (pyarrow, DuckDB,
Spark) when they are called, within ``exit_statuses``, which says so where it is not installed.
"""

from __future__ import annotations

import typer

from reconcile.cli.discard import discard
from reconcile.cli.follow import follow
from reconcile.cli.link import link
from reconcile.cli.publish import publish
from reconcile.cli.report import report
from reconcile.cli.request import request
from reconcile.cli.resume import resume
from reconcile.cli.run import run
from reconcile.cli.runs import runs
from reconcile.host import Host

#: The function of each command. It finds the host in ``context.obj`` (``options.host_of``).
COMMANDS = (run, resume, runs, report, link, discard, publish, request, follow)


def reconcile_command(host: Host) -> typer.Typer:
    """Return the command; ``host``: what the gateway hands over, kept for when a command runs."""
    command = typer.Typer(
        no_args_is_help=True,
        help="Check all people for conflicts between databases.",
        context_settings={"obj": host},
    )
    for function in COMMANDS:
        command.command(function.__name__)(function)
    return command
