"""The commands ``justice-gateway changes webhooks list`` and ``stop``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer

from gateway.changes.webhooks.registry import RegisteredWebhook, StopResult, Webhooks
from gateway.cli.operator import operator_name
from gateway.cli.token import Config, load_settings, require_settings
from gateway.runtime.clock import LEGAL_ZONE, SystemClock
from gateway.settings import Settings
from gateway.storage.unavailable import StoreUnavailable
from gateway.telemetry.logs import on_standard_error

webhooks_app = typer.Typer(no_args_is_help=True, help="List and stop the webhooks of clients.")


@webhooks_app.command("list")
def webhooks_list(config: Config = None) -> None:
    """Show each webhook: its state, whose it is, where events go, and what waits.

    Of a URL the host is shown alone: the rest may hold a secret of the client.
    """
    try:
        with on_standard_error():
            lines = asyncio.run(_list(load_settings(config)))
    except StoreUnavailable as error:
        raise _unavailable(error) from None
    for line in lines:
        typer.echo(line)


@webhooks_app.command("stop")
def webhooks_stop(
    webhook_id: Annotated[str, typer.Argument(help="Its id, as list shows it.")],
    remove: Annotated[
        bool,
        typer.Option(
            "--remove-unreadable",
            help="Have it removed with its dead letters, if the gateways cannot read it either.",
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Stop a webhook for good: within seconds nothing more is sent, and its client sees STOPPED.

    The gateway that stops it records it in the audit journal, with who ran this command. It stops
    nothing that this command cannot read: gateways with other keys may send events to it.
    """
    try:
        with on_standard_error():
            result = asyncio.run(_stop(require_settings(config), webhook_id, remove))
    except StoreUnavailable as error:
        raise _unavailable(error) from None
    if result is StopResult.ABSENT:
        raise typer.BadParameter(f"no webhook {webhook_id} is there that has not stopped")
    if result is StopResult.STOPPED:
        typer.echo(f"stopped {webhook_id}: within seconds no gateway sends anything to it")
    elif remove:
        typer.echo(
            f"requested for {webhook_id}: within seconds a gateway that can read it stops it, and "
            "one that cannot removes it; the journal says which. If neither happens, the gateways "
            "do not have the key of this command"
        )
    else:
        raise typer.BadParameter(
            f"{webhook_id} cannot be read by this command: gateways may send events to it. Stop it "
            "with their keys and their version, or pass --remove-unreadable"
        )


async def _list(settings: Settings) -> Sequence[str]:
    webhooks = _webhooks(settings)
    try:
        return [await _line(webhooks, webhook) for webhook in await webhooks.all()]
    finally:
        await webhooks.store.close()


async def _stop(settings: Settings, webhook_id: str, remove: bool) -> StopResult:
    webhooks, operator = _webhooks(settings), operator_name()
    try:
        result = await webhooks.stop(webhook_id, operator)
        if result is StopResult.UNREADABLE and remove:
            is_there = await webhooks.request_removal(webhook_id, operator)
            return result if is_there else StopResult.ABSENT
        return result
    finally:
        await webhooks.store.close()


def _webhooks(settings: Settings) -> Webhooks:
    try:
        webhooks = Webhooks.from_settings(settings, SystemClock())
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    if webhooks is None:
        raise typer.BadParameter("settings do not enable webhooks (changes.webhooks.enabled)")
    return webhooks


async def _line(webhooks: Webhooks, registered: RegisteredWebhook) -> str:
    webhook, state = registered.webhook, registered.state
    if webhook is None or state is None:
        return f"{registered.id}  cannot be read by this command: gateways may send events to it"
    caller = webhook.caller
    owner = f"{caller.client}  {caller.agency or '-'}  {caller.purpose}"
    renewed = webhook.renewed_at.astimezone(LEGAL_ZONE).isoformat(timespec="seconds")
    pending = await webhooks.store.count_pending(webhook.id)
    dead = await webhooks.store.count_dead(webhook.id)
    return (
        f"{webhook.id}  {state.name}  {owner}  {urlsplit(webhook.url).netloc}  renewed {renewed}  "
        f"{pending} pending, {dead} dead letters"
    )


def _unavailable(error: StoreUnavailable) -> typer.Exit:
    typer.echo(f"the store of webhooks does not answer: {error}", err=True)
    return typer.Exit(1)
