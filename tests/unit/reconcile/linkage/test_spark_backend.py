"""Spark and DuckDB propose the same people with the same weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connectors.synthetic.options import PopulationOptions
from reconcile.engines.engine import EngineFailure
from reconcile.layout import RunFolder
from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.command import linkage_backend
from reconcile.linkage.duckdb_backend import DuckDBLinkage
from reconcile.linkage.model import TOLERANCE, load_model
from reconcile.linkage.preparation import prepare
from reconcile.linkage.proposals import LinkageCandidate, candidates
from reconcile.settings import ReconcileSettings
from tests.support.linkage_people import LinkagePeople, write_people

MEMORY = 600_000_000
#: For few people compiling costs more than it saves.
SETTINGS = ReconcileSettings(
    memory=MEMORY,
    threads=2,
    buckets=2,
    spark={
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.driver.defaultJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    },
)
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java")


@pytest.mark.long
@needs_java
def test_both_engines_give_the_same_weights(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="the extra spark")
    from reconcile.linkage.spark_backend import SparkLinkage

    folder = RunFolder(tmp_path)
    people = write_people(folder, PopulationOptions(people=300, unnumbered_rate=0.5))
    duckdb = DuckDBLinkage(tmp_path / "duckdb", MEMORY, threads=2)
    expected = _linked(duckdb, folder, people)
    spark = SparkLinkage(tmp_path / "spark", SETTINGS)
    found = _linked(spark, folder, people)
    assert expected.keys() == found.keys()
    assert len(expected) > 200
    for key, candidate in expected.items():
        other = found[key]
        assert candidate.weight == pytest.approx(other.weight, rel=TOLERANCE)
        assert candidate.probability == pytest.approx(other.probability, rel=TOLERANCE)
        assert candidate.rank == other.rank
        for part, same in zip(candidate.comparisons, other.comparisons, strict=True):
            assert (part.name, part.level) == (same.name, same.level)
            assert part.weight == pytest.approx(same.weight, rel=TOLERANCE)


def test_without_pyspark_linkage_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    settings = SETTINGS.model_copy(update={"engine": "spark"})
    with (
        pytest.raises(EngineFailure, match=r"install justice-gateway\[reconcile,spark\]"),
        linkage_backend(RunFolder(tmp_path), settings),
    ):
        pass


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
