"""Findings of units and all of them: hashed, sorted, never twice; numbers encrypted or nowhere.

Covers ``reconcile.findings.parquet_files``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.findings import findings_files
from reconcile.findings.findings_files import FindingsFiles
from reconcile.findings.hashes import KeyedHashes
from reconcile.findings.key_files import KeyRefused
from reconcile.findings.parquet_files import open_file, read_range, write_table
from reconcile.layout import FINDINGS, NUMBERS, OtherVersion, RunFolder, require_version
from tests.support.raw_findings import STATEMENTS, raw_findings

HASHES = KeyedHashes(b"h" * 32)
KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def writer(folder: Path, key: bytes | None = None, hashes: KeyedHashes = HASHES) -> FindingsFiles:
    return FindingsFiles(RunFolder(folder), STATEMENTS, hashes, key)


def rows_in(file: Path, key: bytes | None = None) -> list[dict[str, Any]]:
    with open_file(file, key) as opened:
        rows: list[dict[str, Any]] = opened.read().to_pylist()
    return rows


def test_a_finding_is_written_with_hashes_in_place_of_numbers_and_rows(tmp_path: Path) -> None:
    (raw,) = raw_findings(1, first=1)
    assert writer(tmp_path).write_unit("unit", [raw]) == 1
    (row,) = rows_in(tmp_path / "cases" / "unit.parquet")
    case = STATEMENTS.cases[1]
    records = [(side.row.record.database, side.row.record.name) for side in case.case.sides]
    rows = [(*record, identity) for record, identity in zip(records, raw.record_ids, strict=True)]
    assert row == {
        "finding": HASHES.finding(case.rule.name, 1, raw.number, rows),
        "rule": case.rule.name,
        "severity": case.rule.severity.name,
        "case": 1,
        "person": HASHES.person(raw.number),
        "sides": [
            {"database": database, "record": record, "row": HASHES.row(database, record, identity)}
            for database, record, identity in rows
        ],
        "prevails": case.case.prevails,
        "province": "79",
        "former_province": None,
        "registration_year": 1991,
    }


def test_the_files_of_findings_hold_no_number_row_or_value(tmp_path: Path) -> None:
    files = writer(tmp_path, KEY)
    files.write_unit("unit", raw_findings(200))
    files.join(["unit"])
    for file in tmp_path.rglob("*.parquet"):
        content = file.read_bytes()
        assert not re.search(rb"0000000\d\d\d|row-\d|value \d", content), file


def test_all_findings_are_joined_sorted_whatever_the_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_files, "_RANGE_ROWS", 40)  # so that there are several ranges
    whole, parts = writer(tmp_path / "whole", KEY), writer(tmp_path / "parts", KEY)
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    whole.write_unit("all", raw_findings(300))
    parts.write_unit("a", raw_findings(120))
    parts.write_unit("b", [])
    parts.write_unit("c", raw_findings(180, first=120))
    assert whole.join(["all"]) == parts.join(["c", "a", "b"]) == 300
    for name, key in (("findings.parquet", None), ("numbers.parquet", KEY)):
        rows = rows_in(tmp_path / "parts" / name, key)
        assert rows == rows_in(tmp_path / "whole" / name, key)
        hashes = [row["finding"] for row in rows]
        assert hashes == sorted(set(hashes))
        assert len(hashes) == 300


def test_a_unit_that_is_done_again_doubles_nothing(tmp_path: Path) -> None:
    files = writer(tmp_path)
    files.write_unit("unit", raw_findings(50))
    first = rows_in(tmp_path / "cases" / "unit.parquet")
    files.write_unit("unit", reversed(list(raw_findings(50))))
    assert rows_in(tmp_path / "cases" / "unit.parquet") == first
    assert files.join(["unit"]) == 50


def test_two_rows_with_one_identity_make_one_finding(tmp_path: Path) -> None:
    assert writer(tmp_path).write_unit("unit", [*raw_findings(5), *raw_findings(5)]) == 5


def test_a_unit_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    files = writer(tmp_path, KEY)
    files.write_unit("unit", raw_findings(3))

    def failing() -> Any:
        yield from raw_findings(1)
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        files.write_unit("unit", failing())
    assert files.join(["unit"]) == 3


def test_no_findings_are_a_file_without_rows(tmp_path: Path) -> None:
    files = writer(tmp_path, KEY)
    assert files.write_unit("unit", []) == 0
    assert files.join(["unit"]) == 0
    assert (
        rows_in(tmp_path / "findings.parquet") == rows_in(tmp_path / "numbers.parquet", KEY) == []
    )


def test_numbers_are_written_nowhere_without_a_key(tmp_path: Path) -> None:
    with_key, without = writer(tmp_path, KEY), writer(tmp_path)
    with_key.write_unit("unit", raw_findings(3))
    with_key.join(["unit"])
    assert (tmp_path / "numbers.parquet").is_file()
    without.write_unit("unit", raw_findings(3))
    without.join(["unit"])
    names = sorted(file.name for file in tmp_path.rglob("*.parquet"))
    assert names == ["findings.parquet", "unit.parquet"]


def test_numbers_are_read_with_their_key_only(tmp_path: Path) -> None:
    files = writer(tmp_path, KEY)
    files.write_unit("unit", raw_findings(3))
    files.join(["unit"])
    file = tmp_path / "numbers.parquet"
    rows = {row["number"]: row for row in rows_in(file, KEY)}
    assert set(rows) == {f"{number:012d}" for number in range(3)}
    raw = next(raw_findings(1, first=2))
    assert [tuple(side["values"]) for side in rows[raw.number]["sides"]] == list(raw.values)
    with pytest.raises(KeyRefused, match="not under this key"):
        open_file(file, OTHER_KEY)
    with pytest.raises(OSError, match="encrypt"):
        open_file(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_numbers_of_units_under_another_key_are_refused(tmp_path: Path) -> None:
    writer(tmp_path, OTHER_KEY).write_unit("a", raw_findings(3))
    with pytest.raises(KeyRefused):
        writer(tmp_path, KEY).join(["a"])


def test_both_files_have_the_schema_and_the_version_of_the_layout(tmp_path: Path) -> None:
    files = writer(tmp_path, KEY)
    files.write_unit("unit", raw_findings(20))
    files.join(["unit"])
    for name, key, schema in (
        ("findings.parquet", None, FINDINGS),
        ("numbers.parquet", KEY, NUMBERS),
    ):
        with open_file(tmp_path / name, key) as opened:
            require_version(opened.schema_arrow, tmp_path / name)
            assert opened.schema_arrow.equals(schema)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file.parquet"
    pq.write_table(pa.table({"finding": ["a"]}), file)
    with pytest.raises(OtherVersion):
        open_file(file)


def test_a_range_is_what_lies_between_its_bounds(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("name", pa.string(), nullable=False)])
    tables = [pa.table({"name": [f"{tens}{ones}" for ones in "0123"]}, schema) for tens in "012"]
    file = tmp_path / "names.parquet"
    assert write_table(file, schema, tables) == 12
    found = [
        name for table in read_range(file, "name", "03", "12") for name in table["name"].to_pylist()
    ]
    assert found == ["03", "10", "11"]
    assert sum(table.num_rows for table in read_range(file, "name", "21", None)) == 3
    assert not list(read_range(file, "name", "3", None))
