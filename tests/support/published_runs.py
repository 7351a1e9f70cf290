"""Runs to publish: manifests and findings, without a run behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from reconcile.layout import FINDINGS, NUMBERS, RunFolder, versioned
from reconcile.manifest import ExtractProgress, Manifest
from reconcile.publishing.case_coverage import case_coverage
from reconcile.publishing.publish import Publication, publish_run
from reconcile.publishing.run_findings import ReportedFinding, ReportedSide
from rules.registry import RULES
from rules.row_program import RowProgram

NOW = datetime(2026, 12, 31, tzinfo=UTC)
_PROGRAM = RowProgram(RULES)
DATABASES = ("civil_status", "legal_aid", "notary", "population")
RECORDS = sorted(
    {f"{read.database}.{_PROGRAM.records[read].name}" for read in _PROGRAM.reads}
    | {"notary.transaction_parties"}
)


def manifest_of(day: int, **changes: object) -> Manifest:
    """Return the manifest of a finished run of a day of December 2026 that has read everything."""
    run = Manifest(
        run=f"202612{day:02}T010000Z",
        started=f"2026-12-{day:02}T01:00:00+00:00",
        day=f"2026-12-{day:02}",
        rules="rules-1",
        databases=DATABASES,
        engine="duckdb",
        extracts={name: ExtractProgress(parts=1, rows=1, complete=True) for name in RECORDS},
        finished=f"2026-12-{day:02}T05:00:00+00:00",
    )
    return replace(run, **changes)  # type: ignore[arg-type] # fields by name


def with_extract(manifest: Manifest, record: str, **changes: object) -> Manifest:
    """Return a manifest in which the extract of a record went otherwise."""
    progress = replace(manifest.extracts[record], **changes)  # type: ignore[arg-type]
    return manifest.with_extract(record, progress)


def finding_of(
    name: str, rule: str = "MARITAL_STATUS", case: int = 0, number: str = "001090000001"
) -> ReportedFinding:
    """Return a finding between the population database and the marriages."""
    sides = (
        ReportedSide("population", "identity", f"row-of-{number}", False),
        ReportedSide("civil_status", "marriages", "row-of-marriage", True),
    )
    return ReportedFinding(name, number, rule, "HIGH", case, f"hash-of-{number}", sides)


def publish(
    connection: sa.Connection,
    manifest: Manifest,
    *findings: ReportedFinding,
    unchecked: Mapping[str, Collection[str]] | None = None,
    now: datetime = NOW,
) -> Publication:
    """Publish a run that found ``findings``."""
    cases = case_coverage(manifest, RULES, unchecked)
    return publish_run(connection, manifest, cases, [findings], now)


def rows_of(connection: sa.Connection, table: sa.Table, *names: str) -> list[tuple[object, ...]]:
    """Return columns of all rows, in order."""
    columns = [table.c[name] for name in names]
    rows = [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns))]
    connection.rollback()
    return rows


def write_run(folder: RunFolder, findings: Sequence[ReportedFinding]) -> None:
    """Write findings and numbers as a run does, but the numbers in clear."""
    folder.path.mkdir(parents=True, exist_ok=True)
    ordered = sorted(findings, key=lambda finding: finding.finding)
    rows = [_finding_row(finding) for finding in ordered]
    pq.write_table(pa.Table.from_pylist(rows, versioned(FINDINGS)), folder.findings)
    pq.write_table(number_table(findings), folder.numbers)


def number_table(findings: Sequence[ReportedFinding]) -> pa.Table:
    """Return the numbers of findings, in the order of a run."""
    ordered = sorted(findings, key=lambda finding: finding.finding)
    return pa.Table.from_pylist([_number_row(finding) for finding in ordered], versioned(NUMBERS))


def read_clear_numbers(file: Path) -> Iterator[pa.RecordBatch]:
    """Read numbers that were written in clear."""
    yield from pq.ParquetFile(file).iter_batches(batch_size=2)


def _finding_row(reported: ReportedFinding) -> dict[str, object]:
    places = [place for place, side in enumerate(reported.sides) if side.prevails]
    return {
        "finding": reported.finding,
        "rule": reported.rule,
        "severity": reported.severity,
        "case": reported.case,
        "person": reported.person,
        "sides": [
            {"database": side.database, "record": side.record, "row": side.row}
            for side in reported.sides
        ],
        "prevails": places[0] if places else None,
    }


def _number_row(reported: ReportedFinding) -> dict[str, object]:
    sides = [{"row": side.row, "values": ["MARRIED", None]} for side in reported.sides]
    return {"finding": reported.finding, "number": reported.number, "sides": sides}
