"""The commands ``justice-gateway audit verify`` and ``justice-gateway audit archive``."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit.copy.database import Copy, CopyUnavailable
from gateway.audit.journal import checkpoints as kept_checkpoints
from gateway.audit.journal.archiver import Archiver, NotArchived, verify_archives
from gateway.audit.journal.faults import JournalBroken
from gateway.audit.journal.reading import ExternalCheckpoints, VerificationReport
from gateway.audit.journal.verify import journal_in, verify
from gateway.audit.open import witnesses
from gateway.cli.token import Config, load_settings
from gateway.keys.keyring import Keyring, load_ring, load_signing, private_half
from gateway.runtime.clock import SystemClock
from gateway.settings import Settings

audit_app = typer.Typer(no_args_is_help=True)


@audit_app.callback()
def _audit() -> None:
    """Verify the audit log, and archive its old segments."""


@audit_app.command("verify")
def audit_verify(
    config: Config = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="A copy of checkpoints.jsonl that was kept on another machine."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Another journal than the one that settings name, or an archive."),
    ] = None,
    archives: Annotated[
        Path | None, typer.Option(help="Verify the archives of the journal too: they are in here.")
    ] = None,
    local: Annotated[
        bool,
        typer.Option("--local", help="Leave out the checkpoints that settings keep elsewhere."),
    ] = False,
) -> None:
    """Verify the journal. If it is broken, show the first fault and end with status 1.

    Works while the gateway runs. Checkpoints kept elsewhere show an end that was cut off together
    with the head and the checkpoints beside it: those in the copy, in audit.checkpoint_folder and
    in --checkpoints are compared.
    """
    settings = load_settings(config)
    chosen = _existing(folder or settings.path(settings.audit.folder))
    chain, public = _keys(settings)
    try:
        external = (
            [] if local else asyncio.run(_read_external_checkpoints(settings, journal_in(chosen)))
        )
        if checkpoints is not None:
            if not checkpoints.is_file():
                raise typer.BadParameter(f"there is no file {checkpoints}")
            external.append(
                ExternalCheckpoints(checkpoints.name, kept_checkpoints.read(checkpoints))
            )
        report = verify(chosen, chain, public, external)
        if report.is_archive and folder is None:
            raise typer.BadParameter(f"{chosen} holds an archive and no journal")
        if not (report.fault or report.segments or report.archived):
            raise typer.BadParameter(f"{chosen} holds no journal: nothing was verified")
        reports = [] if archives is None else verify_archives(chosen, archives, chain, public)
    except (OSError, JournalBroken) as error:
        raise typer.BadParameter(str(error)) from None
    for archive, archived in reports:
        _show(f"{archive.folder_name}: {_shown(archived)}")
    _show(_shown(report))
    if report.fault is not None or any(archived.fault for _, archived in reports):
        raise typer.Exit(1)


@audit_app.command("archive")
def audit_archive(
    to: Annotated[Path, typer.Option(help="The folder below which the archive is made.")],
    config: Config = None,
    older_than: Annotated[
        int, typer.Option(min=0, help="Only segments that ended this many days ago.")
    ] = 90,
) -> None:
    """Move old segments of the journal into an archive; verification continues from its end.

    The journal and the archive are verified before anything is removed. Works while the gateway
    runs. The next run finishes an interrupted one. If settings name a copy, only entries that are
    in it are archived.
    """
    settings = load_settings(config)
    folder, target = _existing(settings.path(settings.audit.folder)), _existing(to)
    chain, public = _keys(settings)
    sign = private_half(load_signing(settings, "audit_sign")[0])
    now = SystemClock().now()
    try:
        shipped = asyncio.run(_shipped(settings, journal_in(folder)))
        archiver = Archiver(folder, target, chain, sign, public)
        archive = archiver.run(now - timedelta(days=older_than), shipped, now)
    except (OSError, CopyUnavailable, NotArchived) as error:
        _show(f"nothing was archived: {error}")
        raise typer.Exit(1) from None
    if archive is None:
        _show("no segment is old enough")
        return
    _show(
        f"segments {archive.first} to {archive.last}, entries {archive.start.seq + 1:,} to "
        f"{archive.end.seq:,}, are in {target / archive.folder_name}"
    )


async def _read_external_checkpoints(
    settings: Settings, journal: str | None
) -> list[ExternalCheckpoints]:
    """Return the checkpoints that settings keep elsewhere; prints the places that have none."""
    external: list[ExternalCheckpoints] = []
    copy = Copy.from_settings(settings)
    try:
        places = witnesses(settings, copy)
        if places and journal is None:
            _show("nothing tells which journal this is: no checkpoints kept elsewhere are compared")
        for witness in places if journal else ():
            try:
                saved = await witness.read(str(journal))
            except (OSError, ValueError, CopyUnavailable) as error:
                says = f"the checkpoints in the {witness.place} cannot be read ({error})"
                raise typer.BadParameter(f"{says}: --local leaves them out") from None
            if saved:
                external.append(ExternalCheckpoints(witness.place, saved))
            else:
                _show(f"no checkpoint of this journal is in the {witness.place}")
    finally:
        if copy is not None:
            await copy.close()
    return external


async def _shipped(settings: Settings, journal: str | None) -> int | None:
    """Return the number of the last entry in the copy, None if settings name no copy."""
    copy = Copy.from_settings(settings)
    if copy is None or journal is None:
        return None
    try:
        return (await copy.shipped(journal)).seq
    finally:
        await copy.close()


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise typer.BadParameter(f"there is no folder {folder}")
    return folder


def _keys(settings: Settings) -> tuple[Keyring, list[Ed25519PublicKey]]:
    try:
        signing = load_signing(settings, "audit_sign")
        chain = load_ring(settings, "audit_chain")
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    keys = [key.public_key for key in signing]
    return chain, [key for key in keys if isinstance(key, Ed25519PublicKey)]


def _show(text: str) -> None:
    sys.stdout.write(text + "\n")


def _shown(report: VerificationReport) -> str:
    if report.fault is not None:
        return f"{report.fault}\n{_count(report.entries, 'entry', 'entries')} before it are good"
    counted = (
        f"{_count(report.entries, 'entry', 'entries')} in "
        f"{_count(report.segments, 'segment', 'segments')}"
    )
    good = f"{_count(report.checkpoints, 'checkpoint', 'checkpoints')} good"
    until = f"up to entry {report.seq} at {report.at}" if report.at else f"up to entry {report.seq}"
    lines = [f"{counted}, chain unbroken {until}, {good}"]
    if report.archived:
        lines.append(f"entries 1 to {report.archived:,} are in archives, which --archives verifies")
    if report.torn:
        lines.append(f"{_count(report.torn, 'file', 'files')} torn-*.bin: lines cut by a crash")
    return "\n".join(lines)


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number:,} {singular if number == 1 else plural}"
