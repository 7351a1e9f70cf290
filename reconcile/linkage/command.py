"""Links the records of a finished run: what the command ``reconcile link`` does."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconcile.findings.hashes import KeyedHashes
from reconcile.findings.key_files import open_hash_key
from reconcile.host import Host
from reconcile.layout import ReconcileFolder, RunFolder
from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.clear_rows import clear_rows
from reconcile.linkage.clerk_list import page_of_proposals, write_clerk_list
from reconcile.linkage.exclusions import read_exclusions
from reconcile.linkage.linking import LinkageSummary, link_records, require_extracts
from reconcile.linkage.model import load_model, write_model
from reconcile.linkage.preparation import prepare
from reconcile.linkage.training import learn_model
from reconcile.manifest import Manifest, read_manifest
from reconcile.settings import ReconcileSettings


@dataclass(frozen=True, slots=True)
class LinkageOrder:
    """What is asked for. ``run``: its name, None for the last.

    ``page``: the clerk's list, of ``records`` records after the first ``skip``; ``in_clear``: with
    numbers and names. ``learn``: a file for a model learned anew, in place of linking.
    """

    reason: str
    run: str | None = None
    model: Path | None = None
    learn: Path | None = None
    page: Path | None = None
    skip: int = 0
    records: int = 200
    in_clear: bool = False
    operator: str | None = None
    case_number: str | None = None


class NoSuchRun(ValueError):
    """The folder has no such run, or none."""


def choose_run(folder: ReconcileFolder, name: str | None) -> RunFolder:
    """Return the files of a run, None for the last; raises NoSuchRun."""
    runs = [run for run in folder.runs() if name in (None, run.path.name)]
    if not runs:
        raise NoSuchRun(f"{folder.path} has no run{'' if name is None else f' {name}'}")
    return runs[-1]


def link_run(
    host: Host, config: Path | None, settings: ReconcileSettings, order: LinkageOrder
) -> LinkageSummary | None:
    """Link the records of a run, or learn a model from it (None then).

    The journal says so before anything is read. The caller holds the folder's lock. Raises
    NoSuchRun, ExtractsIncomplete, ExclusionsUnknown, OtherModel, OtherVersion, KeyRefused,
    EngineFailure, OSError.
    """
    folder = ReconcileFolder(settings.folder)
    files = choose_run(folder, order.run)
    manifest = read_manifest(files.manifest)
    require_extracts(manifest, files)
    model = load_model(order.model)
    host.record(config, folder.audit, _entry(manifest, settings, order))
    exclusions = read_exclusions(host.databases(config), settings)
    with linkage_backend(files, settings) as backend:
        if order.learn is not None:
            prepare(backend, files, exclusions)
            write_model(order.learn, learn_model(backend, f"the run {manifest.run}"))
            return None
        hashes = KeyedHashes(open_hash_key(folder.hash_key))
        summary = link_records(backend, files, exclusions, model, hashes)
        if order.page is not None:
            _write_page(backend, files, manifest, hashes, order, order.page)
    return summary


@contextmanager
def linkage_backend(files: RunFolder, settings: ReconcileSettings) -> Iterator[LinkageBackend]:
    """Give the engine that settings name, with its files in the run's folder, and end it."""
    work = files.prepared / "linkage"
    backend: LinkageBackend
    if settings.engine == "spark":
        from reconcile.linkage.spark_backend import SparkLinkage

        backend = SparkLinkage(work, settings)
    else:
        from reconcile.linkage.duckdb_backend import DuckDBLinkage

        backend = DuckDBLinkage(work, settings.memory, settings.threads)
    try:
        yield backend
    finally:
        backend.close()


def _write_page(
    backend: LinkageBackend,
    files: RunFolder,
    manifest: Manifest,
    hashes: KeyedHashes,
    order: LinkageOrder,
    page: Path,
) -> None:
    shown, total = page_of_proposals(files.proposals, order.skip, order.records)
    clear = clear_rows(backend, hashes, shown) if order.in_clear else {}
    write_clerk_list(page, manifest.run, shown, order.skip, total, clear)


def _entry(
    manifest: Manifest, settings: ReconcileSettings, order: LinkageOrder
) -> dict[str, object]:
    """Return what the journal says: who links which run and why; nothing of anybody."""
    return {
        "command": "reconcile link",
        "event": "begins",
        "run": manifest.run,
        "user": getpass.getuser(),
        "host": socket.gethostname(),
        "operator": order.operator,
        "reason": order.reason,
        "caseNumber": order.case_number,
        "engine": settings.engine,
        "learns": order.learn is not None,
        "withNumbers": order.in_clear,
    }
