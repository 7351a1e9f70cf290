"""What `run` and `resume` share: the lock, signals, progress, and how a run ends."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import typer
from rich.console import Console

from reconcile.cli.exit_status import ExitStatus, end
from reconcile.cli.progress_bar import shown_progress
from reconcile.engines.digest import rules_digest
from reconcile.engines.engine import EngineFailure
from reconcile.estimate import estimate_lines, estimate_run
from reconcile.findings.key_files import KeyRefused, read_key
from reconcile.host import Host
from reconcile.layout import OtherVersion, ReconcileFolder, RunFolder
from reconcile.lock import FolderLocked, folder_lock
from reconcile.manifest import read_manifest, write_manifest
from reconcile.national_run import NationalRun
from reconcile.outcome import RunOutcome
from reconcile.report.terminal import print_summary
from reconcile.report.write import OtherHashKey
from reconcile.run import NotRecorded, remove_leftovers, run_to_end
from reconcile.run_entries import RunOperator
from reconcile.run_needs import needs_of_run
from reconcile.run_start import (
    RunOrder,
    RunRefused,
    begin_manifest,
    choose_databases,
    create_run,
    open_folder,
    require_same_rules,
    run_name,
    settings_of,
    unfinished_run,
)
from reconcile.settings import ReconcileSettings
from reconcile.sources.failures import SourceFailed
from reconcile.stop import RunStopped, StopRequest, stopped_by_signals
from rules.registry import BULK_RULES
from rules.statements import rule_statements


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command that lets a run go. Its methods raise typer.Exit with the status of the command.

    ``every``: seconds between lines of progress.
    """

    host: Host
    config: Path | None
    settings: ReconcileSettings
    operator: RunOperator
    every: float

    def begin(self, order: RunOrder, or_resume: bool) -> None:
        """Begin a run, or resume the last one if ``or_resume`` and it is not finished."""
        with self._folder() as folder:
            if or_resume:
                try:
                    files = unfinished_run(folder, None)
                except RunRefused:
                    pass
                else:
                    self._resume(folder, files)
                    return
            self._begin(folder, order)

    def resume(self, name: str | None, on_failure: str | None) -> None:
        """Resume a run, the last unfinished one where ``name`` is None.

        ``on_failure``: in place of what the run began with.
        """
        with self._folder() as folder:
            files = unfinished_run(folder, name)
            if on_failure is not None:
                manifest = read_manifest(files.manifest)
                options = {**manifest.options, "on_failure": on_failure}
                write_manifest(files.manifest, replace(manifest, options=options))
            self._resume(folder, files)

    def estimate(self, order: RunOrder) -> None:
        """Print what a run would read, and how long it would take; writes nothing."""
        databases = self.host.databases(self.config)
        try:
            chosen = choose_databases(databases, order.databases)
        except RunRefused as error:
            raise end(ExitStatus.USAGE, str(error)) from None
        needs = needs_of_run(databases, order.keep_extracts)
        estimates = list(estimate_run(databases, chosen, needs, self.settings))
        sys.stdout.write("\n".join(estimate_lines(estimates)) + "\n")
        if any(item.rows is None or item.unreadable for item in estimates):
            raise typer.Exit(ExitStatus.UNCHECKED)

    def _begin(self, folder: ReconcileFolder, order: RunOrder) -> None:
        databases = self.host.databases(self.config)
        chosen = choose_databases(databases, order.databases)
        _require_key(order.numbers_key)
        now = datetime.now(UTC)
        manifest = begin_manifest(
            run_name(folder, now),
            order,
            self.settings,
            chosen,
            _present_rules(),
            now,
        )
        files = create_run(folder, manifest)
        try:
            self._run(folder, files, "begins")
        except NotRecorded:
            shutil.rmtree(files.path)
            raise

    def _resume(self, folder: ReconcileFolder, files: RunFolder) -> None:
        require_same_rules(read_manifest(files.manifest), _present_rules())
        self._run(folder, files, "resumes")

    def _run(self, folder: ReconcileFolder, files: RunFolder, event: str) -> None:
        manifest = read_manifest(files.manifest)
        stop = StopRequest()
        with stopped_by_signals(stop), shown_progress(self.every) as progress:
            progress.note(f"run {manifest.run} {event}: {', '.join(manifest.databases)}")
            run = NationalRun(
                self.host,
                self.config,
                settings_of(manifest, self.settings),
                folder,
                files,
                manifest,
                self.host.databases(self.config),
                self.operator,
                stop,
                progress,
            )
            try:
                outcome, figures = run_to_end(run, event)
            except (RunStopped, SourceFailed, EngineFailure) as error:
                raise end(ExitStatus.STOPPED, _resumable(str(error))) from None
            except OSError as error:
                raise end(ExitStatus.STOPPED, _resumable(_system_error(error))) from None
        print_summary(figures, Console())
        _say(run, outcome)

    @contextmanager
    def _folder(self) -> Iterator[ReconcileFolder]:
        """Hold the folder within the block; what is raised there becomes a status."""
        os.umask(0o077)
        try:
            folder = open_folder(self.settings.folder)
        except OSError as error:
            raise end(ExitStatus.USAGE, _system_error(error)) from None
        except (RunRefused, KeyRefused) as error:
            raise end(ExitStatus.USAGE, str(error)) from None
        try:
            with folder_lock(folder):
                remove_leftovers(folder)
                yield folder
        except FolderLocked as error:
            raise end(ExitStatus.LOCKED, str(error)) from None
        except (RunRefused, OtherVersion, KeyRefused, OtherHashKey) as error:
            raise end(ExitStatus.USAGE, str(error)) from None
        except NotRecorded as error:
            raise end(ExitStatus.STOPPED, f"nothing was read: {error}") from None
        except OSError as error:
            raise end(ExitStatus.STOPPED, f"nothing was read: {_system_error(error)}") from None


@cache
def _present_rules() -> str:
    """Return the digest of the rules of this program, which costs some 100 ms."""
    return rules_digest(rule_statements(BULK_RULES, with_registration_dates=True))


def _require_key(file: Path | None) -> None:
    """Raise RunRefused or KeyRefused where the operator's key cannot be used."""
    if file is None:
        return
    try:
        read_key(file)
    except OSError as error:
        raise RunRefused(_system_error(error)) from None


def _system_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.errno == errno.ENOSPC:
        reason = "the disk is full"
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _resumable(reason: str) -> str:
    return f"stopped: {reason}\n`justice-gateway reconcile resume` goes on where it was"


def _say(run: NationalRun, outcome: RunOutcome) -> None:
    """Print where the results are; raises typer.Exit where something was not checked."""
    lines = [
        f"run {run.manifest.run} is finished",
        f"findings: {run.files.findings}",
        f"report: {run.files.report}",
        *(f"not checked wholly: {line}" for line in outcome.unchecked),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    if outcome.unchecked:
        raise typer.Exit(ExitStatus.UNCHECKED)
