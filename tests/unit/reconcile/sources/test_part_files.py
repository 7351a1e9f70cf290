"""The files of an extract: complete or not there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.sources.part_files import UNREADABLE, PartFolder

SCHEMA = pa.schema([pa.field("a", pa.string())])
ROWS = pa.RecordBatch.from_arrays([pa.array(["1", "2"])], schema=SCHEMA)


def test_a_part_says_where_the_next_begins(tmp_path: Path) -> None:
    parts = PartFolder(tmp_path / "out", SCHEMA)
    assert parts.prepare(0) is None
    with parts.write_part(0, "đến đây") as part:
        part.write(ROWS, None)
    assert parts.prepare(1) == "đến đây"
    assert pq.read_table(parts.part(0)).num_rows == 2


def test_of_a_part_that_fails_nothing_is_left(tmp_path: Path) -> None:
    parts = PartFolder(tmp_path / "out", SCHEMA)
    parts.prepare(0)
    other = pa.RecordBatch.from_pydict({"b": ["1"]})
    with pytest.raises(ValueError, match="schema"), parts.write_part(0, None) as part:
        part.write(other, None)
    assert not list((tmp_path / "out").iterdir())


def test_files_beyond_the_manifest_are_removed_and_others_left(tmp_path: Path) -> None:
    parts = PartFolder(tmp_path, SCHEMA)
    for number in range(3):
        with parts.write_part(number, "x") as part:
            part.write(ROWS, None)
    (tmp_path / "part-00003.parquet.tmp").touch()
    (tmp_path / "notes.txt").touch()
    parts.prepare(1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "notes.txt",
        "part-00000.parquet",
        "unreadable-00000.parquet",
    ]


def test_a_last_part_has_no_next(tmp_path: Path) -> None:
    parts = PartFolder(tmp_path, SCHEMA)
    with parts.write_part(0, None) as part:
        part.write(ROWS, None)
    with pytest.raises(ValueError, match="does not say where the next part begins"):
        parts.prepare(1)


def test_unreadable_rows_of_all_parts_are_one_file(tmp_path: Path) -> None:
    parts = PartFolder(tmp_path, SCHEMA)
    for number in range(2):
        unreadable = pa.Table.from_pylist(
            [{"column": "a", "identity": str(number), "number": None}], schema=UNREADABLE
        )
        with parts.write_part(number, "x") as part:
            part.write(ROWS, unreadable)
    parts.join_unreadable(2)
    parts.remove_pieces()
    assert pq.read_table(parts.unreadable)["identity"].to_pylist() == ["0", "1"]
    assert not list(tmp_path.glob("unreadable-*"))


def test_small_batches_are_joined_to_row_groups(tmp_path: Path) -> None:
    parts = PartFolder(tmp_path, SCHEMA)
    with parts.write_part(0, None) as part:
        for _ in range(60_000):
            part.write(ROWS, None)
    with pq.ParquetFile(parts.part(0)) as file:
        groups = [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]
    assert groups == [100_000, 20_000]
