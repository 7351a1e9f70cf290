"""The command ``justice-gateway statistics prepare``."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from connectors.description import Record
from connectors.registry import installed_databases
from gateway.answer import State
from gateway.cli.token import Config, require_settings
from gateway.databases.wiring import load_maintenance, make_sources
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock, legal_date
from gateway.settings import Settings
from gateway.statistics.snapshots import SnapshotAnswer, Snapshots
from gateway.telemetry.logs import on_standard_error

statistics_app = typer.Typer(no_args_is_help=True, help="Prepare statistics.")
#: States in which there is no snapshot, and a later run may make one.
_FAILED = frozenset({State.UNAVAILABLE, State.TIMED_OUT, State.MAINTENANCE})


@statistics_app.command("prepare")
def statistics_prepare(
    database: Annotated[
        list[str] | None, typer.Option(help="Only this one; repeat for more.")
    ] = None,
    config: Config = None,
) -> None:
    """Make the snapshots of this month that are not there yet, so that no query waits for one.

    Run it early on the first of a month, as the user of the gateway: both use the same folder. What
    is there stays as it is. Exit status 1 if a database did not answer.
    """
    settings = require_settings(config)
    names = [declared.name for declared in installed_databases()]
    for name in database or ():
        if name not in names:
            raise typer.BadParameter(f"nobody declares {name}; there are {', '.join(names)}")
    with on_standard_error():
        failed = asyncio.run(_prepare(settings, frozenset(database or names)))
    if failed:
        raise typer.Exit(1)


async def _prepare(settings: Settings, names: frozenset[str]) -> bool:
    """Make the snapshots of databases, one after the other; return whether any failed."""
    clock = SystemClock()
    today = legal_date(clock.now())
    maintenance, snapshots = load_maintenance(settings, clock), Snapshots.from_settings(settings)
    sources = make_sources(settings, installed_databases(), {}, clock, maintenance, only=names)
    failed = False
    for source in sources.values():
        await source.open()
        try:
            for record in source.database.records:
                began = time.monotonic()
                answer = await snapshots.find(source, record, today)
                typer.echo(_line(source, record, answer, time.monotonic() - began))
                failed = failed or answer.report.state in _FAILED
        finally:
            await source.close()
    return failed


def _line(source: Source, record: Record, answer: SnapshotAnswer, seconds: float) -> str:
    name, state = f"{source.database.name}.{record.name}", answer.report.state.name
    if answer.snapshot is None:
        return f"{name}: {state}"
    tables = len({names for names, _ in answer.snapshot.shown})
    return f"{name}: {len(answer.snapshot.shown):,} cells in {tables} tables, {seconds:.1f} s"
