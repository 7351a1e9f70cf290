"""The commands ``justice-gateway changes status`` and ``ddl``."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import make_url

from connectors.changes.outbox_tables import outbox_statements, purge_statement
from connectors.description import Database
from connectors.registry import installed_databases
from gateway.changes.changes import Changes
from gateway.changes.log import EventLogUnavailable, SourceStatus
from gateway.cli.token import Config, require_settings
from gateway.cli.webhooks import webhooks_app
from gateway.databases.change_sources import channel_of, make_change_source
from gateway.runtime.clock import LEGAL_ZONE, SystemClock
from gateway.settings import FollowSettings, Settings

changes_app = typer.Typer(no_args_is_help=True, help="Follow the changes of databases.")
changes_app.add_typer(webhooks_app, name="webhooks")


@changes_app.command("ddl")
def changes_ddl(
    database: Annotated[str, typer.Argument(help="A declared database that settings name.")],
    listen: Annotated[
        bool, typer.Option(help="Notify of each change (PostgreSQL): commits then queue for it.")
    ] = False,
    config: Config = None,
) -> None:
    """Print the statements of the outbox of a database, for its owner to review and to run.

    The last one, a comment, deletes what is older than the event log: it belongs into a daily job.
    """
    settings = require_settings(config)
    declared = {
        installed_database.name: installed_database for installed_database in installed_databases()
    }
    database_settings = settings.databases.get(database)
    if database not in declared or database_settings is None or database_settings.url is None:
        raise typer.BadParameter(f"settings give no url for a database {database}")
    try:
        for statement in outbox_ddl(settings, declared[database], listen=listen):
            typer.echo(statement)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def outbox_ddl(settings: Settings, database: Database, *, listen: bool) -> list[str]:
    """Return the statements of an outbox, ended as the make's own client needs it."""
    database_settings = settings.databases[database.name]
    follow = database_settings.changes or FollowSettings(source="outbox")
    make = make_url(database_settings.url or "").get_backend_name()
    if listen and make != "postgresql":
        raise ValueError("only PostgreSQL can notify of changes")
    statements = outbox_statements(
        database,
        make,
        maps=database_settings.record_maps(),
        table=follow.table,
        holds_rows=follow.holds_rows,
        notify=channel_of(follow) if listen else None,
    )
    days = math.ceil(settings.changes.retention_days)
    purge = " ".join(purge_statement(make, days, follow.table).split())
    if make == "mariadb":
        return [
            "DELIMITER //",
            *(f"{statement}//" for statement in statements),
            "DELIMITER ;",
            f"-- {purge};",
        ]
    return [*(f"{statement};" for statement in statements), f"-- {purge};"]


@changes_app.command("status")
def changes_status(config: Config = None) -> None:
    """Show each followed database: its state, since when, and up to when events are complete."""
    settings, clock = require_settings(config), SystemClock()
    try:
        changes = Changes.from_settings(settings, installed_databases(), clock, make_change_source)
        if changes is None:
            typer.echo("settings follow the changes of no database")
            return
        statuses = asyncio.run(_statuses(changes))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    except EventLogUnavailable:
        typer.echo("the event log cannot be reached", err=True)
        raise typer.Exit(1) from None
    for name in changes.followed:
        typer.echo(status_line(name, statuses.get(name), clock.now()))


async def _statuses(changes: Changes) -> Mapping[str, SourceStatus]:
    await changes.log.open()
    try:
        return await changes.log.statuses()
    finally:
        await changes.log.close()


def status_line(name: str, status: SourceStatus | None, now: datetime) -> str:
    """Return what the command says of a database; ``status`` None: nobody has followed it yet."""
    if status is None:
        return f"{name}: not followed yet: does a gateway run?"
    line = f"{name}: {status.state.value} since {_moment(status.since)}"
    if status.complete_until is None:
        return f"{line}, events are complete until a moment that is not known"
    behind = (now - status.complete_until).total_seconds()
    until = _moment(status.complete_until)
    return f"{line}, events are complete until {until}, {max(0.0, behind):.1f} s ago"


def _moment(moment: datetime) -> str:
    return moment.astimezone(LEGAL_ZONE).isoformat(timespec="seconds")
