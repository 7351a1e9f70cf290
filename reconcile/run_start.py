"""How a run begins: over which databases and columns, and as which folder; or which one goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.population import DATABASE as POPULATION
from connectors.reconciliation import DATABASE as RECONCILIATION
from reconcile.findings.key_files import open_hash_key
from reconcile.host import DatabaseAccess
from reconcile.layout import ReconcileFolder, RunFolder
from reconcile.manifest import Manifest, read_manifest, write_manifest
from reconcile.settings import ReconcileSettings

_VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


class RunRefused(ValueError):
    """A run cannot begin or go on as it was ordered; the message says why."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What an operator orders. ``databases`` None: all. ``day`` None: today in Vietnam.

    ``numbers_key``: the file of the key under which numbers are written; None: they are not.
    """

    databases: tuple[str, ...] | None = None
    day: date | None = None
    numbers_key: Path | None = None
    keep_extracts: bool = False


def open_folder(path: Path) -> ReconcileFolder:
    """Return the folder of all runs, created where it is missing; only its owner may enter it.

    Raises RunRefused for a folder that others may enter, KeyRefused, OSError.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        raise RunRefused(f"others may enter {path}: chmod 700 it, or name another folder")
    folder = ReconcileFolder(path)
    (path / "runs").mkdir(mode=0o700, exist_ok=True)
    open_hash_key(folder.hash_key)
    return folder


def choose_databases(
    accesses: Sequence[DatabaseAccess], names: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Return the names of the databases of a run; raises RunRefused for names that are none.

    The database in which findings are published is none: a run does not check what runs found.
    """
    names_of_all = (access.database.name for access in accesses)
    declared = [name for name in names_of_all if name != RECONCILIATION.name]
    chosen = tuple(declared) if names is None else tuple(sorted(set(names)))
    for name in chosen:
        if name not in declared:
            raise RunRefused(f"nobody declares {name}; there are {', '.join(declared)}")
    if POPULATION.name not in chosen:
        raise RunRefused(f"{POPULATION.name} must be chosen: it says whose each number is")
    return chosen


def begin_manifest(
    name: str,
    order: RunOrder,
    settings: ReconcileSettings,
    chosen: tuple[str, ...],
    rules: str,
    now: datetime,
) -> Manifest:
    """Return the manifest of a new run over the ``chosen`` databases."""
    day = order.day or now.astimezone(_VIETNAM).date()
    return Manifest(
        run=name,
        started=now.astimezone(UTC).isoformat(timespec="seconds"),
        day=day.isoformat(),
        rules=rules,
        databases=chosen,
        engine=settings.engine,
        options={
            "buckets": settings.buckets,
            "on_failure": settings.on_failure,
            "numbers_key": None if order.numbers_key is None else str(order.numbers_key.absolute()),
            "keep_extracts": order.keep_extracts,
        },
    )


def run_name(folder: ReconcileFolder, now: datetime) -> str:
    """Return a new name: the moment, so that names are in the order of time."""
    name = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    number = 1
    while folder.run(name if number == 1 else f"{name}-{number}").path.exists():
        number += 1
    return name if number == 1 else f"{name}-{number}"


def create_run(folder: ReconcileFolder, manifest: Manifest) -> RunFolder:
    """Create the folder of a run with its manifest; raises OSError."""
    run = folder.run(manifest.run)
    run.path.mkdir(mode=0o700)
    write_manifest(run.manifest, manifest)
    return run


def unfinished_run(folder: ReconcileFolder, name: str | None) -> RunFolder:
    """Return the run ``name``, or the last, to be resumed; raises RunRefused.

    A manifest that cannot be read raises what ``read_manifest`` raises.
    """
    if name is not None and name not in [run.path.name for run in folder.runs()]:
        raise RunRefused(f"there is no run {name} in {folder.path}")
    if name is not None:
        run = folder.run(name)
        if read_manifest(run.manifest).finished is not None:
            raise RunRefused(f"{name} is finished")
        return run
    for run in reversed(folder.runs()):
        if read_manifest(run.manifest).finished is None:
            return run
    raise RunRefused(f"no run in {folder.path} is unfinished")


def require_same_rules(manifest: Manifest, rules: str) -> None:
    """Raise RunRefused where the rules were changed since the run began."""
    if manifest.rules != rules:
        raise RunRefused(
            f"the rules were changed since {manifest.run} began: `reconcile discard "
            f"{manifest.run}`, and begin anew"
        )


def settings_of(manifest: Manifest, settings: ReconcileSettings) -> ReconcileSettings:
    """Return the settings with those of a run in their place that must stay the same."""
    options: Mapping[str, object] = manifest.options
    fixed = {"buckets": options["buckets"], "on_failure": options["on_failure"]}
    return settings.model_copy(update={**fixed, "engine": manifest.engine})
