"""The findings of a run are read with their numbers, without values."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from reconcile.layout import OtherVersion, RunFolder
from reconcile.publishing.run_findings import (
    NumbersMismatch,
    ReportedFinding,
    run_findings,
)
from tests.support.published_runs import finding_of, read_clear_numbers, write_run


def read(folder: RunFolder) -> list[ReportedFinding]:
    batches = run_findings(folder, read_clear_numbers)
    return [finding for batch in batches for finding in batch]


def test_findings_come_with_numbers_and_records(tmp_path: Path) -> None:
    findings = [finding_of(f"f{place}", number=f"00109000000{place}") for place in range(5)]
    write_run(RunFolder(tmp_path), findings)
    assert read(RunFolder(tmp_path)) == findings


@pytest.mark.parametrize("names", [["a"], ["a", "c"], ["a", "b", "c"]])
def test_numbers_of_another_run_are_refused(tmp_path: Path, names: list[str]) -> None:
    here, other = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "other")
    write_run(here, [finding_of("a"), finding_of("b")])
    write_run(other, [finding_of(name) for name in names])
    other.numbers.replace(here.numbers)
    with pytest.raises(NumbersMismatch):
        read(here)


def test_findings_of_another_version_are_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_run(folder, [finding_of("a")])
    plain = pq.read_table(folder.findings).replace_schema_metadata({})
    pq.write_table(plain, folder.findings)
    with pytest.raises(OtherVersion):
        read(folder)
