"""The command ``justice-gateway doctor``: a table for people, JSON for machines."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Sequence
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Column, Table

from connectors.registry import installed_databases
from gateway.cli.token import Config, load_settings
from gateway.databases.doctor import Checkup, check_up
from gateway.runtime.clock import SystemClock
from gateway.settings import file_of
from gateway.telemetry.logs import on_standard_error

_UNKNOWN = "-"
#: The columns of the table after the database's name, which is never wrapped.
_COLUMNS = ("server", "encoding", "clock", "look-up p50/p99", "state")


def doctor(
    database: Annotated[
        list[str] | None, typer.Option(help="Only this one; repeat for more.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
    config: Config = None,
) -> None:
    """Examine the configured databases, and advise what to do about each fault.

    Checks that each is read-only and has a statement timeout; its tables, columns, types and codes;
    an index on each key; its encoding and clock; and the latency of a lookup. Exit status 1 for a
    fault, 2 for faults of the settings themselves.
    """
    settings = load_settings(config)
    declared = {checkup.name: checkup for checkup in installed_databases()}
    names = database or list(declared)
    for name in (*names, *settings.databases):
        if name not in declared:
            raise typer.BadParameter(f"nobody declares {name}; there are {', '.join(declared)}")
    chosen = [declared[name] for name in names]
    with on_standard_error():
        checkups = asyncio.run(check_up(settings, chosen, file_of(config), SystemClock()))
    if as_json:
        typer.echo(json.dumps({"databases": [_machine(checkup) for checkup in checkups]}, indent=2))
    else:
        print_checkups(checkups)
    if any(checkup.problems for checkup in checkups):
        raise typer.Exit(1)


def _machine(checkup: Checkup) -> dict[str, object]:
    examination = checkup.examined
    latency = None if examination is None else examination.latency
    return {
        "name": checkup.database,
        "state": _state(checkup),
        "server": None if examination is None else examination.server,
        "encoding": None if examination is None else examination.encoding,
        "clockAheadSeconds": None if examination is None else examination.clock_ahead,
        "lookUpSeconds": None if latency is None else {"p50": latency[0], "p99": latency[1]},
        "findings": [
            {
                "about": problem.finding.topic,
                "text": problem.finding.text,
                "advice": problem.finding.advice,
                "where": problem.where,
            }
            for problem in checkup.problems
        ],
    }


def _state(checkup: Checkup) -> str:
    if checkup.problems:
        return "WRONG"
    return "NOT_CONFIGURED" if checkup.examined is None else "WELL"


def print_checkups(checkups: Sequence[Checkup]) -> None:
    """Print the table, then each finding. All of it fits 80 columns: nothing is cut off.

    On a terminal, findings are wrapped between words. Elsewhere each takes two lines of any length,
    so that a search finds it.
    """
    console = Console(emoji=False)  # line 100 of a file, ":100:", is no emoji
    table = Table(
        Column("database", no_wrap=True),
        *(Column(name, overflow="fold") for name in _COLUMNS),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    for checkup in checkups:
        table.add_row(*_row(checkup), style="red" if checkup.problems else None)
    console.print(table)
    for checkup in checkups:
        for problem in checkup.problems:
            finding = problem.finding
            text = f"{checkup.database}: {finding.topic}: {finding.text}"
            _print_paragraph(console, text, style="red")
            _print_paragraph(console, f"{problem.where}: {finding.advice}", indent="    ")


def _print_paragraph(
    console: Console, text: str, *, indent: str = "", style: str | None = None
) -> None:
    if console.is_terminal:
        text = textwrap.fill(
            text,
            console.width - len(indent),
            break_long_words=False,
            break_on_hyphens=False,
        )
    console.print(textwrap.indent(text, indent), style=style, markup=False, soft_wrap=True)


def _row(checkup: Checkup) -> list[str]:
    examination = checkup.examined
    if examination is None:
        return [checkup.database, *[_UNKNOWN] * 4, "not configured"]
    clock = (
        _UNKNOWN if examination.clock_ahead is None else f"{_short(examination.clock_ahead, '+')} s"
    )
    latency = _UNKNOWN
    if examination.latency is not None:
        latency = " / ".join(_short(1000 * seconds) for seconds in examination.latency) + " ms"
    state = f"{len(checkup.problems)} wrong" if checkup.problems else "well"
    return [
        checkup.database,
        examination.server or _UNKNOWN,
        examination.encoding or _UNKNOWN,
        clock,
        latency,
        state,
    ]


def _short(number: float, sign: str = "") -> str:
    """Return ``number`` with one decimal, or without where that would only take room."""
    return f"{number:{sign}.{0 if abs(number) >= 100 else 1}f}"
