"""Options that several commands share, and what they lead to."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from reconcile.host import Host
from reconcile.settings import ReconcileSettings, load_reconcile_settings


def _require_text(text: str) -> str:
    if not text.strip():
        raise typer.BadParameter("a reason must be given")
    return text


Config = Annotated[Path | None, typer.Option("--config", "-c", help="Path of gateway.toml.")]
SettingsFile = Annotated[Path | None, typer.Option("--settings", help="Path of reconcile.toml.")]
Folder = Annotated[
    Path | None, typer.Option(help="The folder of all runs; in place of the settings'.")
]
Operator = Annotated[
    str | None, typer.Option(help="Who lets the run go, beside the user of the system.")
]
Reason = Annotated[
    str,
    typer.Option(
        help="Why; it is in the journal, so name nobody.",
        show_default=False,
        callback=_require_text,
    ),
]
OnFailure = Annotated[
    Literal["stop", "continue"] | None,
    typer.Option(help="What a source that fails, or a row that cannot be read, does."),
]
Every = Annotated[
    float,
    typer.Option(min=0, help="Seconds between lines of progress, where there is no terminal."),
]
CaseNumber = Annotated[str | None, typer.Option(help="The number of the case or decision.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--with-numbers",
        help="Write numbers and values too, encrypted under the key in this file.",
        metavar="KEYFILE",
    ),
]


def host_of(context: typer.Context) -> Host:
    """Return what the gateway handed over."""
    host: Host = context.obj
    return host


def read_settings(file: Path | None, folder: Path | None) -> ReconcileSettings:
    """Return the settings, ``folder`` in place of theirs; raises BadParameter with their faults.

    One of the two must be given: runs hold personal data, which must not be written to wherever a
    command happens to be called.
    """
    if file is None and folder is None:
        raise typer.BadParameter("name the settings by --settings, or a folder by --folder")
    try:
        settings = load_reconcile_settings(file)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        lines = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults]
        raise typer.BadParameter("\n".join(f"{file}: {line}" for line in lines)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None
    return settings if folder is None else settings.model_copy(update={"folder": folder})
