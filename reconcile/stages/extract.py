"""The first stage: the records that a run reads, from each database that was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from connectors.population import DATABASE as POPULATION
from reconcile.host import DatabaseAccess
from reconcile.manifest import ExtractProgress
from reconcile.national_run import NationalRun
from reconcile.needs import ColumnNeeds
from reconcile.progress import shown_duration
from reconcile.run_start import RunRefused
from reconcile.sources.extract import extract_record
from reconcile.sources.failures import NotReadInBulk, SourceFailed
from reconcile.sources.open_source import open_source
from reconcile.sources.pace import PaceClock, SourcePace
from reconcile.sources.source import RecordSource

#: Seconds: a rate makes a run wait for less.
_LONG_WAIT = 60


def extract_databases(run: NationalRun, needs: ColumnNeeds) -> None:
    """Extract what is not extracted yet, and save the manifest after each part.

    A database that cannot be read in bulk is left out, and the manifest says why. Raises
    SourceFailed where a source fails and the run is to stop then, RunStopped, OSError, RunRefused
    where what is there does not fit.
    """
    opened = list(_open_sources(run, needs))
    total = count_rows(opened, needs)
    done = sum(extract.rows for extract in run.manifest.extracts.values())
    run.progress.stage("extract", total, done)
    for access, source in opened:
        try:
            _extract_database(run, access, source, needs)
        finally:
            source.disconnect()


def count_rows(opened: list[tuple[DatabaseAccess, RecordSource]], needs: ColumnNeeds) -> int | None:
    """Return the rows of all records that are read; None where a source does not say."""
    total = 0
    for access, source in opened:
        for record, columns in records_of(access, needs):
            try:
                total += source.count(source.reading(record, columns)).rows
            except NotReadInBulk:
                continue
            except SourceFailed:
                return None
    return total


def records_of(access: DatabaseAccess, needs: ColumnNeeds) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the records of a database that a run reads, with the columns of each."""
    for (database, record), columns in needs.items():
        if database == access.database.name:
            yield record, columns


def _open_sources(
    run: NationalRun, needs: ColumnNeeds
) -> Iterator[tuple[DatabaseAccess, RecordSource]]:
    """Yield the sources that were chosen, the population first: without it nothing is checked."""
    chosen = [access for access in run.databases if access.database.name in run.manifest.databases]
    for access in sorted(chosen, key=lambda access: access.database.name != POPULATION.name):
        try:
            yield access, open_source(access)
        except ValueError as error:
            raise RunRefused(str(error)) from None
        except NotReadInBulk as error:
            for record, _ in records_of(access, needs):
                _save(run, f"{access.database.name}.{record}", ExtractProgress(failure=str(error)))


def _extract_database(
    run: NationalRun, access: DatabaseAccess, source: RecordSource, needs: ColumnNeeds
) -> None:
    name = access.database.name
    pace = SourcePace(run.settings.rate(name), PaceClock(wait=partial(_wait, run, name)))
    for record, columns in records_of(access, needs):
        run.stop.check()
        parts = extract_record(
            source,
            record,
            columns,
            run.files.extract(name, record),
            pace,
            run.manifest.extracts.get(f"{name}.{record}"),
            run.settings.on_failure,
        )
        try:
            for progress in parts:
                _save(run, f"{name}.{record}", progress)
                run.stop.check()
        except ValueError as error:
            raise RunRefused(f"{run.manifest.run} cannot go on: {error}") from None


def _wait(run: NationalRun, name: str, seconds: float) -> None:
    """Wait until a source may be read; says so where that takes more than its rate."""
    if seconds >= _LONG_WAIT:
        run.progress.note(f"{name} may be read again in {shown_duration(seconds)}")
    run.stop.wait(seconds)


def _save(run: NationalRun, name: str, progress: ExtractProgress) -> None:
    run.save(run.manifest.with_extract(name, progress))
    if progress.failure is not None:
        run.progress.note(f"{name}: not read to its end: {progress.failure}")
    rows = sum(extract.rows for extract in run.manifest.extracts.values())
    run.progress.advance(rows, name)
