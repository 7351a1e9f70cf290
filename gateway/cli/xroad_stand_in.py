"""The command ``justice-gateway xroad-stand-in``: X-Road as it would be, for show and tests."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from connectors.backends.sql import SqlBackend
from connectors.registry import installed_databases
from connectors.xroad.identifiers import Identifier, identifier
from gateway.cli.checkout import needs_checkout

CLIENT = "VN/GOV/MOJ/justice-gateway"


def service_of(database: str) -> str:
    """Return the service that the stand-in offers for a database, unless it is told another."""
    return f"VN/GOV/MPS/{database.replace('_', '-')}/records"


def stand_in(
    database: Annotated[str, typer.Argument(help="A declared database.")],
    url: Annotated[str, typer.Option(help="Where its rows are: sqlite:///..., postgresql://...")],
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    client: Annotated[
        list[str] | None, typer.Option(help="Who may ask: instance/class/member/subsystem; repeat.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(help="What is offered: instance/class/member/subsystem/service.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM file: its certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file: the key to it.")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(help="PEM file: whose certificates clients must show.")
    ] = None,
) -> None:
    """Stand in for the security servers and the provider of one database: never with real data.

    PUT /stand-in/behaviour, from this machine, tells it to be slow, to fail, to be in maintenance:
    {"delay": 0.5, "error": "server.serverproxy.access_denied", "old_spelling": true,
    "maintenance": true}; what is left out is as at the start. Needs a checkout: the
    stand-in is not in the wheel.
    """
    with needs_checkout("xroad-stand-in"):
        from connectors.xroad.stand_in import StandIn
    declared = {name.name: name for name in installed_databases()}
    if database not in declared:
        raise typer.BadParameter(f"nobody declares {database}; there are {', '.join(declared)}")
    try:
        backend = SqlBackend(declared[database], url)
        offered = identifier(service or service_of(database), (5,))
        clients = frozenset[Identifier](identifier(name, (3, 4)) for name in client or [CLIENT])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    app = StandIn(declared[database], backend, offered, clients).app()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_ca_certs=None if client_ca is None else str(client_ca),
        ssl_cert_reqs=ssl.CERT_NONE if client_ca is None else ssl.CERT_REQUIRED,
    )
