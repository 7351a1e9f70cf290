"""The command ``justice-gateway doctor``: a table for people, JSON for machines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from connectors.registry import installed_databases
from gateway.access.commands import Config, loaded
from gateway.clock import SystemClock
from gateway.doctor import Checkup, check_up
from gateway.logs import on_standard_error
from gateway.settings import file_of

_UNKNOWN = "-"


def doctor(
    database: Annotated[
        list[str] | None, typer.Option(help="Only this one; repeat for more.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
    config: Config = None,
) -> None:
    """Look whether the configured databases are as they should be, and say what to do if not.

    Each is asked whether it is only read and bound in time, for its tables, columns, types and
    codes, for an index on each key, its encoding and clock, and how long a look-up takes. Exit
    status 1 when something is wrong, 2 when the settings themselves are.
    """
    settings = loaded(config)
    declared = {one.name: one for one in installed_databases()}
    wanted = database or list(declared)
    for name in (*wanted, *settings.databases):
        if name not in declared:
            raise typer.BadParameter(f"nobody declares {name}; there are {', '.join(declared)}")
    chosen = [declared[name] for name in wanted]
    with on_standard_error():
        checkups = asyncio.run(check_up(settings, chosen, file_of(config), SystemClock()))
    if as_json:
        typer.echo(json.dumps({"databases": [_machine(one) for one in checkups]}, indent=2))
    else:
        _show(checkups)
    if any(one.problems for one in checkups):
        raise typer.Exit(1)


def _machine(one: Checkup) -> dict[str, object]:
    seen = one.examined
    latency = None if seen is None else seen.latency
    return {
        "name": one.database,
        "state": _state(one),
        "server": None if seen is None else seen.server,
        "encoding": None if seen is None else seen.encoding,
        "clockAheadSeconds": None if seen is None else seen.clock_ahead,
        "lookUpSeconds": None if latency is None else {"p50": latency[0], "p99": latency[1]},
        "findings": [
            {
                "about": problem.finding.about,
                "text": problem.finding.text,
                "advice": problem.finding.advice,
                "where": problem.where,
            }
            for problem in one.problems
        ],
    }


def _state(one: Checkup) -> str:
    if one.problems:
        return "WRONG"
    return "NOT_CONFIGURED" if one.examined is None else "WELL"


def _show(checkups: Sequence[Checkup]) -> None:
    console = Console()
    table = Table(
        Column("database", no_wrap=True), "server", "encoding", "clock", "look-up p50/p99", "state"
    )
    for one in checkups:
        table.add_row(*_row(one), style="red" if one.problems else None)
    console.print(table)
    for one in checkups:
        for problem in one.problems:
            console.print(
                f"{one.database}: {problem.finding.about}: {problem.finding.text}",
                style="red",
                markup=False,
                soft_wrap=True,
            )
            console.print(
                f"    {problem.where}: {problem.finding.advice}", markup=False, soft_wrap=True
            )


def _row(one: Checkup) -> list[str]:
    seen = one.examined
    if seen is None:
        return [one.database, *[_UNKNOWN] * 4, "not configured"]
    clock = _UNKNOWN if seen.clock_ahead is None else f"{seen.clock_ahead:+.1f} s"
    latency = _UNKNOWN
    if seen.latency is not None:
        latency = " / ".join(f"{1000 * seconds:.1f}" for seconds in seen.latency) + " ms"
    state = f"{len(one.problems)} wrong" if one.problems else "well"
    return [
        one.database,
        seen.server or _UNKNOWN,
        seen.encoding or _UNKNOWN,
        clock,
        latency,
        state,
    ]
