"""Spark and DuckDB propose the same people with the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.synthetic.options import PopulationOptions
from reconcile.layout import RunFolder
from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.duckdb_backend import DuckDBLinkage
from reconcile.linkage.model import TOLERANCE, load_model
from reconcile.linkage.preparation import prepare
from reconcile.linkage.proposals import LinkageCandidate, candidates
from tests.support.linkage_people import LinkagePeople, write_people

MEMORY = 600_000_000


def test_both_engines_give_the_same_weights(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="the extra spark")
    from reconcile.linkage.spark_backend import SparkLinkage, spark_session

    folder = RunFolder(tmp_path)
    people = write_people(folder, PopulationOptions(people=300, unnumbered_rate=0.5))
    duckdb = DuckDBLinkage(tmp_path / "duckdb", MEMORY, threads=2)
    expected = _linked(duckdb, folder, people)
    spark = SparkLinkage(spark_session(tmp_path, MEMORY, threads=2), tmp_path / "spark")
    found = _linked(spark, folder, people)
    assert expected.keys() == found.keys()
    assert len(expected) > 200
    for key, candidate in expected.items():
        other = found[key]
        assert candidate.weight == pytest.approx(other.weight, rel=TOLERANCE)
        assert candidate.probability == pytest.approx(other.probability, rel=1e-6)
        assert candidate.rank == other.rank
        for part, same in zip(candidate.comparisons, other.comparisons, strict=True):
            assert (part.name, part.level) == (same.name, same.level)
            assert part.weight == pytest.approx(same.weight, rel=TOLERANCE)


def _linked(
    backend: LinkageBackend, folder: RunFolder, people: LinkagePeople
) -> dict[tuple[str, ...], LinkageCandidate]:
    try:
        prepare(backend, folder, people.exclusions)
        return {
            (item.record, item.record_id, item.role or "", item.number): item
            for item in candidates(backend, load_model())
        }
    finally:
        backend.close()
