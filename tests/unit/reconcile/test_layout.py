"""The files of a run, and their version."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.layout import (
    COUNTS,
    FINDINGS,
    NUMBERS,
    PROPOSALS,
    OtherVersion,
    ReconcileFolder,
    require_version,
    versioned,
)


@pytest.mark.parametrize("schema", [FINDINGS, NUMBERS, PROPOSALS, COUNTS])
def test_a_file_says_its_version(tmp_path: Path, schema: pa.Schema) -> None:
    file = tmp_path / "file.parquet"
    pq.write_table(versioned(schema).empty_table(), file)
    stored = pq.read_schema(file)
    require_version(stored, file)
    assert stored.equals(schema)


def test_what_stood_in_the_metadata_stays(tmp_path: Path) -> None:
    schema = versioned(COUNTS.with_metadata({b"rules": b"abc"}))
    assert (schema.metadata or {})[b"rules"] == b"abc"
    require_version(schema, tmp_path)


@pytest.mark.parametrize(("version", "held"), [(None, "no version"), (b"2", "version 2")])
def test_another_version_is_refused(tmp_path: Path, version: bytes | None, held: str) -> None:
    file = tmp_path / "file.parquet"
    key = b"justice_gateway.reconcile.version"
    schema = COUNTS if version is None else COUNTS.with_metadata({key: version})
    with pytest.raises(OtherVersion, match=f"{held}, this program reads version 1"):
        require_version(schema, file)


def test_runs_are_listed_by_their_names_and_only_those_with_a_manifest(tmp_path: Path) -> None:
    folder = ReconcileFolder(tmp_path)
    assert folder.runs() == []
    for name in ("20261130T020000Z", "20261129T020000Z", "20261128T020000Z"):
        folder.run(name).path.mkdir(parents=True)
    for name in ("20261130T020000Z", "20261129T020000Z"):
        folder.run(name).manifest.write_text("{}")
    assert [run.path.name for run in folder.runs()] == ["20261129T020000Z", "20261130T020000Z"]


def test_no_two_files_of_a_run_have_one_path(tmp_path: Path) -> None:
    folder = ReconcileFolder(tmp_path)
    run = folder.run("20261130T020000Z")
    paths = [
        folder.lock, folder.hash_key, folder.audit, run.manifest, run.prepared, run.cases,
        run.findings, run.numbers, run.counts, run.proposals, run.summary, run.report,
        run.extract("notary", "wills"), run.extract("notary", "documents"),
    ]  # fmt: skip
    assert len(set(paths)) == len(paths)
    assert all(path.is_relative_to(tmp_path) for path in paths)
