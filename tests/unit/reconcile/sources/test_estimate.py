"""How much an extraction will read and write, before it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconcile.sources.estimate import estimate_extract
from reconcile.sources.open_source import open_source
from tests.support.backend_samples import AN, DATABASE, EMPTY, thing, write_file
from tests.support.extracts import Access, extract

COLUMNS = ("thing_id", "owner_id", "mood")


def _access(folder: Path, count: int) -> Access:
    rows = [
        thing(f"t{place:05d}", AN, mood="?" if place % 10 else "CALM") for place in range(count)
    ]
    path = write_file(folder / "sample.sqlite", {**EMPTY, "things": rows})
    return Access(DATABASE, f"sqlite:///{path}")


def test_a_sample_tells_the_size_of_the_extract(tmp_path: Path) -> None:
    access = _access(tmp_path, 5000)
    estimate = estimate_extract(open_source(access), "things", COLUMNS, 2000)
    assert (estimate.rows, estimate.is_exact, estimate.sample_rows) == (5000, True, 2000)
    assert estimate.unreadable == 1800
    extract(access, "things", COLUMNS, tmp_path / "out")
    written = (tmp_path / "out" / "part-00000.parquet").stat().st_size
    assert estimate.bytes == pytest.approx(written, rel=0.5)


def test_an_empty_record_has_no_size(tmp_path: Path) -> None:
    estimate = estimate_extract(open_source(_access(tmp_path, 0)), "things", COLUMNS)
    assert (estimate.rows, estimate.is_exact, estimate.bytes) == (0, True, 0)
