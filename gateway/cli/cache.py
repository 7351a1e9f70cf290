"""The command ``justice-gateway cache invalidate``."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from connectors.registry import installed_databases
from connectors.values import person_number
from gateway.cache.invalidate import invalidate, invalidations_for
from gateway.cache.invalidations import Invalidation
from gateway.cli.token import Config, require_settings
from gateway.databases.wiring import make_cache
from gateway.errors import GatewayError
from gateway.keys.keyring import load_ring
from gateway.runtime.clock import LEGAL_ZONE, SystemClock
from gateway.settings import Settings

cache_app = typer.Typer(no_args_is_help=True, help="Invalidate cached rows.")


@cache_app.command("invalidate")
def cache_invalidate(
    person: Annotated[list[str] | None, typer.Option(help="A person's number; repeat.")] = None,
    database: Annotated[str | None, typer.Option(help="A declared database.")] = None,
    record: Annotated[str | None, typer.Option(help="A record of it.")] = None,
    config: Config = None,
) -> None:
    """Invalidate the cached rows of people, databases or records, in every process of this site.

    Prints the moment from which no request is answered from rows read before.
    """
    settings = require_settings(config)
    databases = {declared.name: declared for declared in installed_databases()}
    try:
        numbers = [person_number(number) for number in person or ()]
        invalidations = invalidations_for(databases, numbers, database, record)
        effective = asyncio.run(_invalidate(settings, invalidations))
    except ValueError:
        raise typer.BadParameter("a person's number must have 12 digits, or 9") from None
    except GatewayError as error:
        typer.echo(f"{error.code.name}: {error.message}", err=True)
        raise typer.Exit(1) from None
    shared = "Redis" if settings.redis.url else settings.path(settings.cache.invalidations)
    typer.echo(
        f"effective by {effective.astimezone(LEGAL_ZONE).isoformat()} in every gateway that "
        f"shares {shared}"
    )


async def _invalidate(settings: Settings, invalidations: list[Invalidation]) -> datetime:
    cache = make_cache(settings, SystemClock(), load_ring(settings, "cache"))
    try:
        return (await invalidate(cache, invalidations)).effective_by
    finally:
        await cache.close()
