"""The findings of a run with the numbers of people, as they are published: no value of any record.

``findings.parquet`` and ``numbers.parquet`` are sorted by finding, so they are read side by side in
batches, whatever their size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.layout import RunFolder, require_version

#: Reads ``numbers.parquet``: batches with the columns of ``layout.NUMBERS``.
NumbersReader = Callable[[Path], Iterator[pa.RecordBatch]]

_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class ReportedSide:
    """A record of a finding. ``row``: keyed hash of its identity."""

    database: str
    record: str
    row: str
    prevails: bool


@dataclass(frozen=True, slots=True)
class ReportedFinding:
    """A finding of a run. ``number``: of the person; ``person``: its keyed hash."""

    finding: str
    number: str
    rule: str
    severity: str
    case: int
    person: str
    sides: tuple[ReportedSide, ...]


class NumbersMismatch(ValueError):
    """``numbers.parquet`` does not belong to ``findings.parquet``."""


def run_findings(folder: RunFolder, read_numbers: NumbersReader) -> Iterator[list[ReportedFinding]]:
    """Yield the findings of a run in batches; raises NumbersMismatch, OtherVersion, OSError.

    What ``read_numbers`` raises is raised too.
    """
    numbers = _numbers(read_numbers, folder.numbers)
    with pq.ParquetFile(folder.findings) as file:
        require_version(file.schema_arrow, folder.findings)
        for batch in file.iter_batches(batch_size=_BATCH):
            yield [_finding(row, next(numbers, None)) for row in batch.to_pylist()]
    if next(numbers, None) is not None:
        raise NumbersMismatch(f"{folder.numbers} has more findings than {folder.findings}")


def _numbers(read_numbers: NumbersReader, file: Path) -> Iterator[tuple[str, str]]:
    for batch in read_numbers(file):
        columns = (batch.column(name).to_pylist() for name in ("finding", "number"))
        yield from zip(*columns, strict=True)


def _finding(row: dict[str, Any], numbered: tuple[str, str] | None) -> ReportedFinding:
    if numbered is None or numbered[0] != row["finding"]:
        raise NumbersMismatch("numbers.parquet does not name the findings of findings.parquet")
    sides = tuple(
        ReportedSide(side["database"], side["record"], side["row"], place == row["prevails"])
        for place, side in enumerate(row["sides"])
    )
    finding, number = numbered
    return ReportedFinding(
        finding, number, row["rule"], row["severity"], row["case"], row["person"], sides
    )
