"""The command ``justice-gateway operations check``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.operations import operations_app
from tests.support.operation_files import NAME, write
from tests.support.running import built

BIRTH = NAME.replace("fullName", "fullName birthDate")
SHORT = NAME.replace("fullName", "sex")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "gateway.cli.operations.build_schema", lambda databases: built(tuple(databases))
    )
    (tmp_path / "gateway.toml").write_text('[operations]\nfolder = "operations"\n', "utf-8")
    (tmp_path / "operations").mkdir()
    return tmp_path / "operations"


def check(folder: Path, *arguments: str) -> Result:
    config = str(folder.parent / "gateway.toml")
    return CliRunner().invoke(operations_app, ["check", "--config", config, *arguments])


def test_it_says_what_there_is_to_know_of_an_operation(folder: Path) -> None:
    write(folder, "name.graphql", clients="b a")
    result = check(folder)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "name.v1  Họ tên / Name"
    assert lines[2].startswith("  document  sha256:")
    assert lines[3:7] == [
        "  purposes  1.000894",
        "  clients   a b",
        "  cost      at most 5 of 100",
        "  lends     population:read",
    ]
    assert lines[7:] == [
        "  changes   none to compare with: the first version",
        "1 published, 0 refused",
    ]


def test_what_is_refused_is_told_with_file_and_line_and_is_an_error(folder: Path) -> None:
    write(folder, "good.graphql")
    spoilt = write(folder, "spoilt.graphql", "{\n  nothing\n}", name="spoilt")
    result = check(folder)
    assert result.exit_code == 1
    assert f"{spoilt}:11: VALIDATION_FAILED: Cannot query field 'nothing'" in result.stdout
    assert result.stdout.endswith("1 published, 1 refused\n")


def test_a_line_is_a_number_and_no_emoji(folder: Path) -> None:
    spoilt = write(folder, "spoilt.graphql", "{" + "\n" * 90 + "  nothing\n}", name="spoilt")
    assert f"{spoilt}:100: VALIDATION_FAILED" in check(folder).stdout


def test_a_version_is_compared_with_the_one_before_breaking_changes_first(folder: Path) -> None:
    write(folder, "name.v1.graphql", BIRTH)
    write(folder, "name.v3.graphql", SHORT, version=3, cost=90)
    result = check(folder)
    assert result.exit_code == 0
    changes = [
        line for line in result.stdout.splitlines() if line[2:10] in {"breaking", "changed "}
    ]
    assert [line[2:10] for line in changes] == sorted(line[2:10] for line in changes)
    assert any("birthDate" in line and "breaking" in line for line in changes)
    assert any("cost" in line and "changed" in line for line in changes)


def test_it_is_compared_with_what_is_published_elsewhere(folder: Path, tmp_path: Path) -> None:
    write(folder, "name.graphql")
    published = tmp_path / "published"
    shutil.copytree(folder, published)
    assert check(folder, "--against", str(published)).exit_code == 0
    write(folder, "name.graphql", BIRTH)
    result = check(folder, "--against", str(published))
    assert result.exit_code == 1
    assert "changed without a new version" in result.stdout
    write(folder, "name.graphql", BIRTH, version=2)
    result = check(folder, "--against", str(published))
    assert result.exit_code == 0
    assert "changed " in result.stdout


def test_a_folder_has_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("", "utf-8")
    result = check(tmp_path / "none")
    assert result.exit_code == 2
    assert "operations.folder" in result.output


def test_what_the_law_withholds_is_said(folder: Path) -> None:
    document = (
        "{ me { notary { wills { items { notarialNo } truncated nextCursor source { state } } } } }"
    )
    write(folder, "wills.graphql", document, purposes=None)
    assert "withheld  me.notary.wills, from every caller" in check(folder).stdout
