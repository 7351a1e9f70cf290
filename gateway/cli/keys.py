"""The commands ``justice-gateway keys``, ``keys list``, ``keys rotate`` and ``keys revoke``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.cli.token import Config, load_settings, require_settings
from gateway.keys.files import create_missing, drop_former, revoke, rotate
from gateway.keys.keyring import KEY_NAMES, KeyName, SigningName, key_ids, key_path
from gateway.runtime.clock import SystemClock

keys_app = typer.Typer(invoke_without_command=True)


@keys_app.callback()
def keys(context: typer.Context, config: Config = None) -> None:
    """Create the keys that the settings name and that are missing; never overwrites one."""
    if context.invoked_subcommand is not None:
        source = context.get_parameter_source("config")
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"it comes after {context.invoked_subcommand}")
        return
    settings = require_settings(config)
    created = create_missing(settings, demo=settings.demo)
    for name in KEY_NAMES:
        path = key_path(settings, name)
        if path is None:
            status = f"keys.{name}_value is given"
        else:
            status = f"created {path}" if path in created else f"{path} is there already"
        sys.stdout.write(status + "\n")


@keys_app.command("list")
def keys_list(config: Config = None) -> None:
    """Show the file and the ids of each key, current first; status 1 if one is unusable."""
    settings = load_settings(config)
    usable = True
    for name in KEY_NAMES:
        try:
            text = " ".join(key_ids(settings, name))
        except (OSError, ValueError) as error:
            usable, text = False, str(error)
        sys.stdout.write(f"{name:<12} {key_path(settings, name) or 'given as a value'}: {text}\n")
    if not usable:
        raise typer.Exit(1)


@keys_app.command("rotate")
def keys_rotate(
    name: Annotated[KeyName, typer.Argument(help="What the key is for.")],
    drop: Annotated[
        bool, typer.Option("--drop", help="Make no new key: remove the former ones.")
    ] = False,
    config: Config = None,
) -> None:
    """Put a new key first and keep the old one beside it; gateways use it after a restart."""
    settings = require_settings(config)
    try:
        (drop_former if drop else rotate)(settings, name)
        current, *former = key_ids(settings, name)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    sys.stdout.write(f"{name}: current {current}, former {' '.join(former) or 'none'}\n")


@keys_app.command("revoke")
def keys_revoke(
    key_id: Annotated[str, typer.Argument(help="The id (kid) of a key at /keys.")],
    config: Config = None,
) -> None:
    """Revoke a key of receipts or of webhooks: what it signed verifies no more; a new key signs."""
    settings = require_settings(config)
    try:
        is_of_webhooks = key_id not in key_ids(settings, "receipt_sign") and (
            key_id in key_ids(settings, "webhook_sign")
        )
        name: SigningName = "webhook_sign" if is_of_webhooks else "receipt_sign"
        revoke(settings, name, key_id, SystemClock().now())
        current, *former = key_ids(settings, name)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    sys.stdout.write(f"{name}: revoked {key_id}, current {current}, {len(former)} former\n")
