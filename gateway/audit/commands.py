"""The command ``justice-gateway audit verify``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.access.commands import Config, loaded
from gateway.audit.verify import Report, verify
from gateway.keys import Keyring, load_ring, load_signing
from gateway.settings import Settings

audit_app = typer.Typer(no_args_is_help=True)


@audit_app.callback()
def _audit() -> None:
    """Check the audit log."""


@audit_app.command("verify")
def audit_verify(
    config: Config = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="A copy of checkpoints.jsonl that was kept on another machine."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Another journal than the one that settings name.")
    ] = None,
) -> None:
    """Say whether the journal is unbroken; if not, show the first fault and end with status 1.

    Works also while the gateway runs. Without --checkpoints, an end that was cut off together with
    the checkpoints beside it is not noticed.
    """
    settings = loaded(config)
    chosen = folder or settings.path(settings.audit.folder)
    if not chosen.is_dir():
        raise typer.BadParameter(f"there is no folder {chosen}")
    chain, public = _keys(settings)
    try:
        report = verify(chosen, chain, public, checkpoints)
    except OSError as error:
        raise typer.BadParameter(str(error)) from None
    sys.stdout.write(_shown(report) + "\n")
    if report.fault is not None:
        raise typer.Exit(1)


def _keys(settings: Settings) -> tuple[Keyring, list[Ed25519PublicKey]]:
    try:
        signing = load_signing(settings, "audit_sign")
        chain = load_ring(settings, "audit_chain")
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    keys = [one.public_key for one in signing]
    return chain, [one for one in keys if isinstance(one, Ed25519PublicKey)]


def _shown(report: Report) -> str:
    if report.fault is not None:
        return f"{report.fault}\n{_count(report.entries, 'entry', 'entries')} before it are good"
    counted = (
        f"{_count(report.entries, 'entry', 'entries')} in "
        f"{_count(report.segments, 'segment', 'segments')}"
    )
    good = f"{_count(report.checkpoints, 'checkpoint', 'checkpoints')} good"
    until = f"up to entry {report.seq} at {report.at}" if report.at else f"up to entry {report.seq}"
    lines = [f"{counted}, chain unbroken {until}, {good}"]
    if report.torn:
        lines.append(f"{_count(report.torn, 'file', 'files')} torn-*.bin: lines cut by a crash")
    return "\n".join(lines)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
