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

#: The option that all commands have which need settings.
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="Path of gateway.toml."),
]


def loaded(config: Path | None) -> Settings:
    """Read the settings; what is wrong with them is shown as what is wrong with the option."""
    try:
        return load(config)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter("\n".join(explained(error, file_of(config)))) from None


def require_settings(config: Path | None) -> Settings:
    """Read the settings for a command that changes something; refuses where none are given.

    With defaults alone it would change files of this folder, which no gateway reads. Says on
    standard error which settings it acts on.
    """
    file = file_of(config)
    if file is None and not settings_variables():
        raise typer.BadParameter(
            "no settings are given: name the gateway.toml of the gateway that is meant, by "
            f"--config or {CONFIG_VARIABLE} (the demo's is .demo/gateway.toml)"
        )
    settings = loaded(config)
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
    hours: Annotated[float, typer.Option(help="Its life, 24 at most.")] = 24.0,
    config: Config = None,
) -> None:
    """Print a new token, signed with the gateway's own key."""
    settings = loaded(config)
    _require_known("scope", scope or (), all_scopes(installed_databases()))
    _require_known("purpose", [national(code) for code in purpose or ()], purpose_codes())
    if not settings.demo and any(is_unified(one) for one in purpose or ()):
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
    """Show what a token says and whether, and why, it is accepted; status 1 if it is not.

    Tokens of the gateway's own key need no network; for others the issuer's keys are fetched.
    """
    settings = loaded(config)
    _key(settings)
    with on_standard_error():
        found = asyncio.run(inspect(_given(token), settings, SystemClock()))
    sys.stdout.write(json.dumps(found.shown, ensure_ascii=False, indent=2) + "\n")
    if found.code is not None:
        raise typer.Exit(1)


@token_app.command("revoke")
def token_revoke(
    token: Annotated[str, typer.Argument(help="Its id (jti), or the token; - reads it.")],
    config: Config = None,
) -> None:
    """Withdraw a token, of whichever issuer: within a second no process accepts it any more."""
    settings = require_settings(config)
    try:
        token_id = id_of(_given(token), settings.access)
    except TokenRefused as refused:
        raise typer.BadParameter(refused.reason) from None
    file = settings.path(settings.access.revocations)
    revoke(file, token_id, SystemClock())
    sys.stdout.write(
        f"revoked {token_id}: within a second no gateway that reads {file} accepts a token with "
        "this id\n"
    )


def _require_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refuse a name that means nothing here, with the nearest that does."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            said = f"; {near[0]} is meant?" if near else ""
            raise typer.BadParameter(f"there is no {kind} {name}{said}")


def _key(settings: Settings) -> OKPKey:
    """Return the key that signs; says what is wrong with it, or how to make one."""
    try:
        return load_signing(settings, "token")[0]
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def _given(argument: str) -> str:
    """Return an argument, or for - standard input: a token there stays out of process lists."""
    given = (sys.stdin.read() if argument == "-" else argument).strip()
    if not given:
        raise typer.BadParameter("it is empty")
    return given
