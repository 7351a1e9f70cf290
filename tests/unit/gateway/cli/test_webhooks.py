"""The commands ``justice-gateway changes webhooks``: list and stop.

Covers ``gateway.cli.operator``.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.changes.webhooks.registry import Webhooks
from gateway.changes.webhooks.sender import WebhookSender
from gateway.changes.webhooks.webhook import Webhook
from gateway.cli.main import app
from gateway.keys.files import create_missing
from gateway.runtime.clock import SystemClock
from gateway.settings import load
from tests.support.webhook_receivers import receiver
from tests.support.webhooks import NOTARY

SETTINGS = """
[changes.webhooks]
enabled = true
allowed_networks = ["127.0.0.0/8"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(SETTINGS, "utf-8")
    create_missing(load(path), demo=False)
    return path


def invoke(config: Path, *arguments: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    return runner.invoke(app, ["changes", "webhooks", *arguments, "--config", str(config)])


def command(config: Path, *arguments: str) -> tuple[int, list[str]]:
    """Run a command; return its status, and the lines that it prints."""
    result = invoke(config, *arguments)
    return result.exit_code, result.stdout.splitlines()


async def register(config: Path) -> Webhook:
    """Register an endpoint on this machine in the store of the settings."""
    async with receiver(config.parent / "endpoint") as endpoint:
        webhooks = Webhooks.from_settings(load(config), SystemClock())
        assert webhooks is not None
        sender = WebhookSender.make(webhooks.policy, endpoint.roots, 30)
        registered = await replace(webhooks, sender=sender).register(
            NOTARY, endpoint.url, (), "p.1", 30
        )
        assert registered.webhook is not None
        return registered.webhook


async def stored(config: Path, webhook: Webhook) -> Webhook | None:
    webhooks = Webhooks.from_settings(load(config), SystemClock())
    assert webhooks is not None
    sealed = await webhooks.store.get(webhook.id)
    assert sealed is not None
    return webhooks.open(sealed).webhook


def test_a_webhook_is_listed_without_its_path_and_stopped(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody else")
    webhook = asyncio.run(register(config))
    assert webhook.url.endswith("/hook")
    status, (line,) = command(config, "list")
    assert status == 0
    assert line.startswith(f"{webhook.id}  ACTIVE  notary-1  notary office  bench-unified  ")
    assert line.endswith("  0 pending, 0 dead letters")
    assert "/hook" not in line
    status, _ = command(config, "stop", webhook.id)
    assert status == 0
    stopped = asyncio.run(stored(config, webhook))
    assert stopped is not None
    assert stopped.stopped_by == pwd.getpwuid(os.getuid()).pw_name, "whatever the environment says"
    _, (line,) = command(config, "list")
    assert line.startswith(f"{webhook.id}  STOPPED  ")
    assert command(config, "stop", webhook.id)[0] == 2


def test_what_this_command_cannot_read_is_not_stopped_and_removed_only_on_request(
    config: Path,
) -> None:
    """Its keys may be older than those of the gateways, which deliver the webhook."""
    webhook = asyncio.run(register(config))
    key = load(config).path(load(config).keys.cache)
    before = key.read_text("utf-8")
    key.write_text("ab" * 32, "utf-8")
    line = f"{webhook.id}  cannot be read by this command: gateways may send events to it"
    assert command(config, "list") == (0, [line])
    assert command(config, "stop", webhook.id)[0] == 2
    status, lines = command(config, "stop", webhook.id, "--remove-unreadable")
    assert (status, lines[-1].split(":")[0]) == (0, f"requested for {webhook.id}")
    key.write_text(before, "utf-8")
    assert asyncio.run(stored(config, webhook)) == webhook


def test_what_is_not_there_cannot_be_stopped(config: Path) -> None:
    assert command(config, "list") == (0, [])
    assert command(config, "stop", "nothing")[0] == 2


def test_without_webhooks_in_the_settings_there_is_nothing_to_list(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("", "utf-8")
    assert command(config, "list")[0] == 2


def test_no_file_where_its_folder_is_may_be_a_disk_that_is_not_mounted(config: Path) -> None:
    file = load(config).path(load(config).changes.webhooks.file)
    file.parent.mkdir()
    result = invoke(config, "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "there is no file" in result.stderr
    assert str(file) in result.stderr
