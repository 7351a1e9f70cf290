"""The commands ``justice-gateway token issue``, ``inspect`` and ``revoke``."""

from __future__ import annotations

import asyncio
import difflib
import json
import sys
from collections.abc import Collection, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from joserfc.jwk import OKPKey

from connectors.registry import installed_databases
from gateway.access.claims import TokenRefused
from gateway.access.inspection import id_of, inspect
from gateway.access.revocations import revoke
from gateway.access.tokens import is_unified, issue
from gateway.catalogue.permitted import all_scopes
from gateway.keys.keyring import load_signing
from gateway.procedures.procedure import UNIFIED, national
from gateway.procedures.registry import purpose_codes
from gateway.runtime.clock import SystemClock
from gateway.settings import CONFIG_VARIABLE, Settings, file_of, load, settings_variables
from gateway.settings.faults import explained
from gateway.telemetry.logs import on_standard_error

token_app = typer.Typer(no_args_is_help=True, help="Issue, inspect and revoke tokens.")

#: The option of all commands that need settings.
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="Path of gateway.toml."),
]


def load_settings(config: Path | None) -> Settings:
    """Read the settings; raises BadParameter with their faults."""
    try:
        return load(config)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter("\n".join(explained(error, file_of(config)))) from None


def require_settings(config: Path | None) -> Settings:
    """Read the settings for a command that changes something; raises BadParameter without any.

    With defaults alone it would change files in this folder, which no gateway reads. Prints on
    standard error which settings it uses.
    """
    file = file_of(config)
    if file is None and not settings_variables():
        raise typer.BadParameter(
            "no settings are given: name the gateway.toml of the gateway that is meant, by "
            f"--config or {CONFIG_VARIABLE} (the demo's is .demo/gateway.toml)"
        )
    settings = load_settings(config)
    named = "the environment" if file is None else file.resolve()
    typer.echo(f"settings: {named}", err=True)
    return settings


@token_app.command("issue")
def token_issue(
    subject: Annotated[str, typer.Option(help="Who: an officer's name, or a citizen's number.")],
    client: Annotated[str, typer.Option(help="The client system that will use it.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope; repeat. None: published operations only.")
    ] = None,
    agency: Annotated[str | None, typer.Option(help="The agency it acts for.")] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="A procedure code; repeat.")] = None,
    act_for: Annotated[
        str | None, typer.Option(help="Whom a citizen asks for: the person's number.")
    ] = None,
    authorisation: Annotated[
        str | None, typer.Option(help="The number under which that was notarised.")
    ] = None,
    hours: Annotated[float, typer.Option(help="Hours until it expires, 24 at most.")] = 24.0,
    config: Config = None,
) -> None:
    """Print a new token, signed with the gateway's own key."""
    settings = load_settings(config)
    _require_valid("scope", scope or (), all_scopes(installed_databases()))
    _require_valid("purpose", [national(code) for code in purpose or ()], purpose_codes())
    if not settings.demo and any(is_unified(name) for name in purpose or ()):
        raise typer.BadParameter(f"the purpose {UNIFIED} is for the demo and measurements only")
    try:
        token = issue(
            _key(settings),
            settings.access,
            SystemClock().now(),
            subject=subject,
            client=client,
            scopes=scope or (),
            agency=agency,
            purposes=purpose or (),
            act_for=act_for,
            authorisation=authorisation,
            life=timedelta(hours=hours),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    sys.stdout.write(token + "\n")


@token_app.command("inspect")
def token_inspect(
    token: Annotated[str, typer.Argument(help="The token; - reads it from standard input.")],
    config: Config = None,
) -> None:
    """Show the content of a token, and whether and why it is refused; status 1 if it is.

    Tokens of the gateway's own key need no network; for others the issuer's keys are fetched.
    """
    settings = load_settings(config)
    _key(settings)
    with on_standard_error():
        inspection = asyncio.run(inspect(_read_argument(token), settings, SystemClock()))
    sys.stdout.write(json.dumps(inspection.shown, ensure_ascii=False, indent=2) + "\n")
    if inspection.code is not None:
        raise typer.Exit(1)


@token_app.command("revoke")
def token_revoke(
    token: Annotated[str, typer.Argument(help="Its id (jti), or the token; - reads it.")],
    config: Config = None,
) -> None:
    """Revoke a token of any issuer: within a second no process accepts it any more."""
    settings = require_settings(config)
    try:
        token_id = id_of(_read_argument(token), settings.access)
    except TokenRefused as refused:
        raise typer.BadParameter(refused.reason) from None
    file = settings.path(settings.access.revocations)
    revoke(file, token_id, SystemClock())
    sys.stdout.write(
        f"revoked {token_id}: within a second no gateway that reads {file} accepts a token with "
        "this id\n"
    )


def _require_valid(kind: str, names: Iterable[str], valid: Collection[str]) -> None:
    """Raise BadParameter for a name that is not valid, with the nearest one that is."""
    for name in names:
        if name not in valid:
            nearest = difflib.get_close_matches(name, valid, 1)
            hint = f"; {nearest[0]} is meant?" if nearest else ""
            raise typer.BadParameter(f"there is no {kind} {name}{hint}")


def _key(settings: Settings) -> OKPKey:
    """Return the key that signs; raises BadParameter that says what is wrong with it."""
    try:
        return load_signing(settings, "token")[0]
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def _read_argument(argument: str) -> str:
    """Return an argument, or standard input for "-": a token there stays out of process lists."""
    text = (sys.stdin.read() if argument == "-" else argument).strip()
    if not text:
        raise typer.BadParameter("it is empty")
    return text
