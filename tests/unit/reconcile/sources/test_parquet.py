"""Databases that are delivered as Parquet files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.backends.record_maps import RecordMap
from tests.support.backend_samples import AN, BINH, CHI, DATABASE, THINGS
from tests.support.extracts import Access, extract, extracted_rows, unreadable_rows

COLUMNS = tuple(column.name for column in THINGS.columns)
TWO = ("thing_id", "owner_id")


def _table(**columns: object) -> pa.Table:
    height = len(next(iter(columns.values())))  # type: ignore[arg-type]
    empty = {name: pa.nulls(height, pa.string()) for name in COLUMNS}
    return pa.table({**empty, **columns})


def _things(first: int, count: int) -> pa.Table:
    places = range(first, first + count)
    return _table(thing_id=[f"t{place:03d}" for place in places], owner_id=[AN] * count)


def _access(folder: Path, **maps: RecordMap) -> Access:
    return Access(DATABASE, f"parquet:{folder}", maps=maps)


def test_texts_and_types_of_arrow_are_read_alike(tmp_path: Path) -> None:
    texts = _table(
        thing_id=["t1"], owner_id=[AN], title=["Đỗ"], amount=["7.50"], pieces=["3"], open=["true"],
        day=["2001-02-03"], about=["1957-03"], moment=["2020-01-02T03:04:05+00:00"],
        mood=["CALM"], moods=['["CALM", "LOUD"]'], names=['["Ánh"]'], spot_since=["1990"],
    )  # fmt: skip
    types = _table(
        thing_id=["t1"], owner_id=pa.array([AN]).dictionary_encode(), title=["Đỗ"],
        amount=[Decimal("7.50")], pieces=[3], open=[True], day=[date(2001, 2, 3)],
        about=["1957-03"], moment=[datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)], mood=["CALM"],
        moods=[["CALM", "LOUD"]], names=[["Ánh"]], spot_since=["1990"],
    )  # fmt: skip
    pq.write_table(texts, tmp_path / "things.parquet")
    extract(_access(tmp_path), "things", COLUMNS, tmp_path / "a")
    pq.write_table(types, tmp_path / "things.parquet")
    (progress,) = extract(_access(tmp_path), "things", COLUMNS, tmp_path / "b")
    assert progress.unreadable == {}
    assert extracted_rows(tmp_path / "a") == extracted_rows(tmp_path / "b")
    (row,) = extracted_rows(tmp_path / "a")
    assert row[:8] == ("t1", AN, "Đỗ", "7.50", "3", "True", "2001-02-03", "1957-03")


@pytest.mark.parametrize("part_rows", [1, 5, 6, 1000])
def test_a_folder_of_files_is_read_in_parts_over_files_and_row_groups(
    tmp_path: Path, part_rows: int
) -> None:
    (tmp_path / "things").mkdir()
    for place in range(3):
        file = tmp_path / "things" / f"{place}.parquet"
        pq.write_table(_things(place * 6, 6), file, row_group_size=4)
    steps = extract(_access(tmp_path), "things", TWO, tmp_path / "out", part_rows)
    assert extracted_rows(tmp_path / "out") == [(f"t{place:03d}", AN) for place in range(18)]
    assert len(steps) == -(-18 // part_rows)
    for parts in range(1, len(steps)):
        folder = tmp_path / f"out{parts}"
        extract(_access(tmp_path), "things", TWO, folder, part_rows, most=parts)
        extract(_access(tmp_path), "things", TWO, folder, part_rows, steps[parts - 1])
        assert extracted_rows(folder) == extracted_rows(tmp_path / "out")


def test_records_are_mapped_as_settings_say(tmp_path: Path) -> None:
    theirs = pa.table(
        {
            "ma": ["t1", "t2"],
            "so": ["1090000001", f" {BINH}"],
            "tt": ["1", "9"],
            "ngay": ["3/1957", None],
        }
    )
    pq.write_table(theirs, tmp_path / "kho.parquet")
    record_map = RecordMap(
        table="kho",
        columns={"thing_id": "ma", "owner_id": "so", "mood": "tt", "about": "ngay"},
        values={"mood": {"1": "CALM"}},
        dates={"about": ("%m/%Y",)},
        constants={"title": "x"},
        normalised=True,
        missing=("select",),
    )
    columns = ("thing_id", "owner_id", "title", "about", "mood", "select")
    (progress,) = extract(_access(tmp_path, things=record_map), "things", columns, tmp_path / "out")
    assert extracted_rows(tmp_path / "out") == [
        ("t1", AN, "x", "1957-03", "CALM", None),
        ("t2", BINH, "x", None, None, None),
    ]
    assert progress.unreadable == {"mood": 1}
    assert unreadable_rows(tmp_path / "out") == [("mood", "t2", BINH)]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (None, "no file things.parquet, and no folder things with files"),
        (pa.table({"thing_id": ["t"]}), "things.parquet has no column owner_id"),
        (
            _things(0, 1).replace_schema_metadata({"justice_gateway.reconcile.version": "99"}),
            "things.parquet: it has version 99, this program reads version 1",
        ),
    ],
)
def test_files_that_do_not_fit_are_named(
    tmp_path: Path, table: pa.Table | None, reason: str
) -> None:
    if table is not None:
        pq.write_table(table, tmp_path / "things.parquet")
    (progress,) = extract(_access(tmp_path), "things", TWO, tmp_path / "out")
    assert (progress.failure, progress.complete) == (reason, False)


def test_other_files_in_their_place_are_noticed(tmp_path: Path) -> None:
    pq.write_table(_things(0, 10), tmp_path / "things.parquet")
    (first,) = extract(_access(tmp_path), "things", TWO, tmp_path / "out", 3, most=1)
    pq.write_table(_things(5, 11), tmp_path / "things.parquet")
    (progress,) = extract(_access(tmp_path), "things", TWO, tmp_path / "out", 3, first)
    assert progress.failure == "the files are others than those that a part of was read"


def test_a_file_that_is_no_parquet_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "things.parquet").write_bytes(CHI.encode() * 10)
    (progress,) = extract(_access(tmp_path), "things", TWO, tmp_path / "out")
    assert progress.failure == "a file cannot be read (ArrowInvalid)"
