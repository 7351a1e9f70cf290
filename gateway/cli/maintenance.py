"""The commands ``justice-gateway maintenance plan``, ``list`` and ``end``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from connectors.registry import installed_databases
from gateway.cli.operator import operator_name
from gateway.cli.token import Config, load_settings, require_settings
from gateway.fetch.maintenance import Maintenance, Window
from gateway.runtime.clock import LEGAL_ZONE, SystemClock
from gateway.settings import Settings

maintenance_app = typer.Typer(no_args_is_help=True, help="Plan the maintenance of databases.")

_MOMENT = "2026-11-27T22:00, in Viet Nam, or with a zone of its own."


@maintenance_app.command("plan")
def maintenance_plan(
    database: Annotated[str, typer.Argument(help="A declared database.")],
    begins: Annotated[str | None, typer.Option(help=f"From when: {_MOMENT} None: now.")] = None,
    ends: Annotated[str | None, typer.Option(help="Until when. None: until it is ended.")] = None,
    config: Config = None,
) -> None:
    """Plan maintenance of a database: no process reads it then. Takes effect within a second."""
    names = [declared.name for declared in installed_databases()]
    if database not in names:
        raise typer.BadParameter(f"nobody declares {database}; there are {', '.join(names)}")
    maintenance = _maintenance(require_settings(config))
    first = maintenance.now() if begins is None else _moment(begins)
    last = None if ends is None else _moment(ends)
    try:
        window = maintenance.plan(Window(database, first, last, planned_by=operator_name()))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(_line(window))


@maintenance_app.command("list")
def maintenance_list(config: Config = None) -> None:
    """Show open and planned maintenance, without that in the settings."""
    maintenance = _maintenance(load_settings(config))
    for database in installed_databases():
        for window in maintenance.windows(database.name):
            typer.echo(_line(window))


@maintenance_app.command("end")
def maintenance_end(
    window_id: Annotated[str, typer.Argument(help="Its id, as list shows it.")],
    config: Config = None,
) -> None:
    """End open maintenance, or cancel a planned one."""
    maintenance = _maintenance(require_settings(config))
    window = maintenance.find(window_id)
    if window is None:
        raise typer.BadParameter(f"no maintenance {window_id} is open or to come")
    typer.echo(_line(maintenance.end(window)))


def _maintenance(settings: Settings) -> Maintenance:
    return Maintenance(settings.path(settings.maintenance), SystemClock())


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no moment; write {_MOMENT}") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LEGAL_ZONE)


def _line(window: Window) -> str:
    begins = window.begins.astimezone(LEGAL_ZONE).isoformat(timespec="minutes")
    ends = "-"
    if window.ends is not None:
        ends = window.ends.astimezone(LEGAL_ZONE).isoformat(timespec="minutes")
    return f"{window.id}  {window.database}  {begins}  {ends}"
