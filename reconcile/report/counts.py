"""``counts.parquet``: everything that the report counts, as it is. It stays in the run's folder.

The summary and the report are written from it, under disclosure control, and can be written again
when the extracts are gone.
"""

from __future__ import annotations

import hmac
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.layout import (
    COUNTS,
    OtherVersion,
    ReconcileFolder,
    RunFolder,
    require_version,
    versioned,
)
from reconcile.manifest import Manifest, read_manifest
from reconcile.report.case_checks import EngineGap, check_cases, engine_gaps
from reconcile.report.comparison import Checks, Comparability, compare_findings
from reconcile.report.count_queries import (
    CountRow,
    count_empty_record,
    count_findings,
    count_record,
    open_duckdb,
)
from reconcile.report.needs import MEASURES, is_withheld
from reconcile.settings import ReconcileSettings
from rules.rule import ConflictRule

_EARLIER_KEY = b"justice_gateway.reconcile.earlier_run"
_COMPARABILITY_KEY = b"justice_gateway.reconcile.comparability"
_FINGERPRINT_KEY = b"justice_gateway.reconcile.hash_key"
#: Begins measures of what an engine left out; the place of the case and the reason follow.
_GAP = "unchecked"
#: In place of how many people: nobody was checked.
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class RunCounts:
    """All counts of a run. ``earlier``: the name of the run that it is compared with.

    ``fingerprint``: of the key of keyed hashes, which it does not tell.
    """

    rows: tuple[CountRow, ...]
    comparability: Comparability
    earlier: str | None
    fingerprint: str

    @property
    def gaps(self) -> tuple[EngineGap, ...]:
        """What the engine left out."""
        return tuple(_gap(row) for row in self.rows if row.measure.startswith(f"{_GAP}."))


def key_fingerprint(hash_key: bytes) -> str:
    """Return by what two runs are told to have hashed under the same key."""
    return hmac.new(hash_key, b"fingerprint", sha256).hexdigest()[:16]


def write_counts(
    folder: ReconcileFolder,
    run: RunFolder,
    rules: Sequence[ConflictRule],
    unchecked: Sequence[UncheckedCase],
    settings: ReconcileSettings,
    unread_rows: Collection[str] | None = None,
) -> RunCounts:
    """Count the findings and extracts of a run, and write ``counts.parquet``.

    The manifest and the findings must be complete, and the extracts still there. ``unchecked``:
    what the engine says of cases. ``unread_rows``: keyed hashes of the rows that could not be read
    wholly; None: it is not told which, and no finding that rests on such a record counts as gone.

    Costs a scan of each extract and of the findings, and a join with those of the last finished
    run, within ``settings.memory``. Raises OSError, OtherVersion.
    """
    manifest = read_manifest(run.manifest)
    fingerprint = key_fingerprint(folder.hash_key.read_bytes())
    require_version(pq.read_schema(run.findings), run.findings)
    gaps = engine_gaps(rules, unchecked)
    checks = check_cases(rules, manifest, gaps)
    with open_duckdb(settings.memory, settings.threads, run.path / "counting") as connection:
        rows = [*map(_gap_row, gaps), *count_findings(connection, run.findings)]
        rows += _extracts(connection, run, manifest)
        earlier, comparability = _earlier_run(folder, manifest, fingerprint)
        if earlier is not None and comparability is Comparability.COMPARED:
            before = _checks_of(earlier, rules)
            rows += _earlier_scopes(before)
            rows += compare_findings(
                connection, (run.findings, checks), (earlier.findings, before), unread_rows
            )
    name = None if earlier is None else earlier.path.name
    counts = RunCounts(tuple(rows), comparability, name, fingerprint)
    _write(run.counts, counts)
    return counts


def read_counts(file: Path) -> RunCounts:
    """Return what ``write_counts`` wrote; raises OSError, OtherVersion."""
    table = pq.read_table(file)
    require_version(table.schema, file)
    metadata = table.schema.metadata
    try:
        comparability = Comparability(metadata[_COMPARABILITY_KEY].decode())
        earlier = metadata[_EARLIER_KEY].decode() or None
        fingerprint = metadata[_FINGERPRINT_KEY].decode()
    except (KeyError, ValueError):
        raise OtherVersion(f"{file}: it does not say what it is compared with") from None
    rows = tuple(CountRow(**row) for row in table.to_pylist())
    return RunCounts(rows, comparability, earlier, fingerprint)


def _extracts(
    connection: duckdb.DuckDBPyConnection, run: RunFolder, manifest: Manifest
) -> Iterator[CountRow]:
    """Yield the counts of each record of which there are rows."""
    for name, progress in manifest.extracts.items():
        database, _, record = name.partition(".")
        parts = sorted(run.extract(database, record).glob("part-*.parquet"))
        if parts and not is_withheld(database, record):
            files = [str(part) for part in parts]
            measures = MEASURES.get((database, record))
            yield from count_record(connection, (database, record), files, measures)
        elif progress.complete and not is_withheld(database, record):
            yield from count_empty_record((database, record), MEASURES.get((database, record)))


def _earlier_run(
    folder: ReconcileFolder, manifest: Manifest, fingerprint: str
) -> tuple[RunFolder | None, Comparability]:
    """Return the last run that finished before this began, and whether both can be compared."""
    for run in reversed(folder.runs()):
        if run.path.name >= manifest.run:
            continue
        try:
            earlier = read_manifest(run.manifest)
        except (OSError, ValueError):
            return run, Comparability.NO_EARLIER_FILES
        if earlier.finished is None:
            continue
        try:
            require_version(pq.read_schema(run.findings), run.findings)
            counts = read_counts(run.counts)
        except (OSError, ValueError):  # ArrowInvalid and OtherVersion are ValueErrors
            return run, Comparability.NO_EARLIER_FILES
        if counts.fingerprint != fingerprint:
            return run, Comparability.OTHER_KEY
        if earlier.rules != manifest.rules:
            return run, Comparability.OTHER_RULES
        return run, Comparability.COMPARED
    return None, Comparability.NO_EARLIER_RUN


def _checks_of(run: RunFolder, rules: Sequence[ConflictRule]) -> Checks:
    return check_cases(rules, read_manifest(run.manifest), read_counts(run.counts).gaps)


def _earlier_scopes(checks: Checks) -> list[CountRow]:
    """Return how many cases of each rule the earlier run checked for whom."""
    scopes = Counter((rule, check.scope.name) for (rule, _), check in checks.items())
    return [CountRow(f"earlier.{scope}", n, rule=rule) for (rule, scope), n in scopes.items()]


def _gap_row(gap: EngineGap) -> CountRow:
    people = _NOBODY if gap.people is None else gap.people
    return CountRow(f"{_GAP}.{gap.place}.{gap.reason.value}", people, rule=gap.rule)


def _gap(row: CountRow) -> EngineGap:
    _, place, reason = row.measure.split(".")
    people = None if row.count == _NOBODY else row.count
    return EngineGap(row.rule or "", int(place), UncheckedReason(reason), people)


def _write(file: Path, counts: RunCounts) -> None:
    """Replace the file; only its owner may read it."""
    schema = versioned(COUNTS)
    metadata = {
        **(schema.metadata or {}),
        _EARLIER_KEY: (counts.earlier or "").encode(),
        _COMPARABILITY_KEY: counts.comparability.value.encode(),
        _FINGERPRINT_KEY: counts.fingerprint.encode(),
    }
    rows = [asdict(row) for row in counts.rows]
    table = pa.Table.from_pylist(rows, schema.with_metadata(metadata))
    temporary = file.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        pq.write_table(table, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
