"""The manifest: read as it was written, replaced as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconcile.layout import OtherVersion
from reconcile.manifest import ExtractProgress, Manifest, read_manifest, write_manifest

MANIFEST = Manifest(
    run="20261130T020000Z",
    started="2026-11-30T02:00:00+00:00",
    day="2026-11-30",
    rules="0a1b",
    databases=("civil_status", "population"),
    engine="duckdb",
    options={"on_failure": "continue"},
)


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = MANIFEST.with_extract(
        "civil_status.births",
        ExtractProgress(3, 700, "Hà Nội", unreadable={"sex": 2}, failure="it went away"),
    ).with_unit("bucket-0001", 12)
    write_manifest(tmp_path / "run.json", manifest)
    assert read_manifest(tmp_path / "run.json") == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_progress_is_of_its_record_only() -> None:
    first = MANIFEST.with_extract("a.b", ExtractProgress(1)).with_unit("1", 2)
    second = first.with_extract("a.c", ExtractProgress(2)).with_unit("2", 0).with_unit("1", 3)
    assert (second.extracts["a.b"].parts, second.extracts["a.c"].parts) == (1, 2)
    assert second.units == {"1": 3, "2": 0}
    assert first.units == {"1": 2}


@pytest.mark.parametrize("failing", ["write", "replace"])
def test_a_manifest_that_cannot_be_written_leaves_the_former(tmp_path: Path, failing: str) -> None:
    file = tmp_path / "run.json"
    write_manifest(file, MANIFEST)
    if failing == "write":
        (tmp_path / "run.tmp").mkdir()
        target = file
    else:
        target = tmp_path / "folder.json"
        target.mkdir()
    with pytest.raises(OSError):  # noqa: PT011  # IsADirectoryError
        write_manifest(target, MANIFEST.with_unit("1", 1))
    assert read_manifest(file) == MANIFEST


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"version": None}, {"version": "1"}], ids=["newer", "none", "text"]
)
def test_another_version_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "run.json"
    write_manifest(file, MANIFEST)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(OtherVersion):
        read_manifest(file)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"version": 1}', '{"version": 1, "x": 2}']
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011  # JSON's own message, or OtherVersion
        read_manifest(tmp_path / "run.json")


def test_progress_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_manifest(file, MANIFEST)
    content = json.loads(file.read_text()) | {"extracts": {"a.b": {"pieces": 1}}}
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="it is no manifest of a run"):
        read_manifest(file)
