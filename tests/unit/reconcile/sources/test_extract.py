"""Extracts of files: what the gateway reads, in parts, with what cannot be read counted and named.

Covers ``reconcile.sources.failures``, ``reconcile.sources.source``, ``reconcile.sources.sqlite``
and ``reconcile.sources.stored_records``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.backends.record_maps import RecordMap
from connectors.values import PartialDate
from reconcile.layout import OtherVersion, require_version
from reconcile.manifest import ExtractProgress
from reconcile.settings import SourceRate
from reconcile.sources.extract import extract_record
from reconcile.sources.failures import RowUnreadable, SourceFailed
from reconcile.sources.open_source import open_source
from reconcile.sources.pace import SourcePace
from tests.support.backend_samples import AN, BINH, CHI, DATABASE, EMPTY, THINGS, thing, write_file
from tests.support.extracts import (
    Access,
    FakeTime,
    backend_rows,
    extract,
    extracted_rows,
    pace,
    unreadable_rows,
)

COLUMNS = tuple(column.name for column in THINGS.columns)
ROWS = [
    thing(
        "t1", AN, title="Đỗ 'A'", amount=Decimal("1500000.50"), pieces=3, open=True,
        day=date(2001, 2, 3), about=PartialDate(1957, 3), mood="CALM",
        moment=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), moods=("CALM", "LOUD"),
        names=("Ánh", 'B"'), spot_name="Xã A", spot_since=PartialDate(1990), select="x",
    ),
    thing("t2", BINH, amount=Decimal(7), pieces=-1, open=False, about=PartialDate(2000, 2, 29)),
    thing("t3", CHI, title=""),
]  # fmt: skip
TWO = ("thing_id", "owner_id")


def _access(folder: Path, rows: list[dict[str, object]]) -> Access:
    folder.mkdir(exist_ok=True)
    path = write_file(folder / "sample.sqlite", {**EMPTY, "things": rows})
    return Access(DATABASE, f"sqlite:///{path}")


def _change(access: Access, *statements: str) -> None:
    assert access.url is not None
    with closing(sqlite3.connect(access.url.removeprefix("sqlite:///"))) as file, file:
        for statement in statements:
            file.execute(statement)


async def test_an_extract_is_what_the_gateway_reads(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", ROWS)
    (progress,) = extract(access, "things", COLUMNS, tmp_path / "out")
    expected = await backend_rows(access, THINGS, COLUMNS, [AN, BINH, CHI])
    assert extracted_rows(tmp_path / "out") == expected
    assert progress == ExtractProgress(parts=1, rows=3, complete=True)


async def test_a_mapped_extract_is_what_the_gateway_reads(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE kho (ma TEXT, chu TEXT, tt TEXT, ngay TEXT, xa TEXT, tinh TEXT)")
        file.executemany(
            "INSERT INTO kho VALUES (?, ?, ?, ?, ?, ?)",
            [
                ("t1", f" {AN}", "1", "3/1957", "Xã A", "Tỉnh B"),
                ("t2", BINH.lstrip("0"), "2", "02/03/1957", "", "Tỉnh B"),
                ("t3", CHI, None, "", None, None),
            ],
        )
    record_map = RecordMap(
        table="kho",
        columns={"thing_id": "ma", "owner_id": "chu", "mood": "tt", "about": "ngay"},
        values={"mood": {"1": "CALM", "2": "LOUD"}},
        dates={"about": ("%d/%m/%Y", "%m/%Y")},
        join={"spot_name": ("xa", "tinh")},
        constants={"title": "x", "moods": '["CALM"]'},
        missing=("amount", "pieces", "open", "day", "moment", "names", "spot_since", "select"),
        normalised=True,
    )
    access = Access(DATABASE, f"sqlite:///{path}", maps={"things": record_map})
    (progress,) = extract(access, "things", COLUMNS, tmp_path / "out")
    expected = await backend_rows(access, THINGS, COLUMNS, [AN, BINH, CHI])
    assert extracted_rows(tmp_path / "out") == expected
    assert (len(expected), progress.unreadable) == (3, {})


def test_files_have_their_version_and_are_their_owners_alone(tmp_path: Path) -> None:
    extract(_access(tmp_path / "db", ROWS), "things", TWO, tmp_path / "out")
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["part-00000.parquet", "unreadable.parquet"]
    for file in files:
        require_version(pq.read_schema(file), file)
        assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    assert pq.read_table(files[1]).num_rows == 0


@pytest.mark.parametrize("part_rows", [1, 2, 3, 4])
def test_parts_have_every_row_once_whatever_its_identity(tmp_path: Path, part_rows: int) -> None:
    rows = [thing(identity, AN) for identity in ("a", "a", "a", "b", "", "A", "ă")]
    access = _access(tmp_path / "db", rows)
    _change(
        access,
        f"INSERT INTO things (thing_id, owner_id) VALUES (NULL, '{AN}')",
        f"INSERT INTO things (thing_id, owner_id) VALUES (CAST(x'ff01' AS TEXT), '{AN}')",
        f"INSERT INTO things (thing_id, owner_id) VALUES (x'ff01', '{AN}')",
    )
    steps = extract(access, "things", TWO, tmp_path / "out", part_rows)
    texts = [row[0] for row in extracted_rows(tmp_path / "out")]
    assert sorted(texts, key=repr) == sorted(
        ["a", "a", "a", "b", "", "A", "ă", None, None, None], key=repr
    )
    assert len(steps) > 1
    assert steps[-1].unreadable == {"thing_id": 3}


def test_what_cannot_be_read_is_null_counted_and_named_with_the_persons(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", [*ROWS, thing("t4", CHI, about="2001-13", mood="ANGRY")])
    _change(
        access,
        "UPDATE things SET title = CAST(x'ff' AS TEXT) WHERE thing_id = 't1'",
        "UPDATE things SET title = 'a' || char(0) WHERE thing_id = 't2'",
        "UPDATE things SET owner_id = '12' WHERE thing_id = 't3'",
    )
    columns = ("thing_id", "owner_id", "title", "about", "mood")
    (progress,) = extract(access, "things", columns, tmp_path / "out")
    assert progress.unreadable == {"owner_id": 1, "title": 2, "about": 1, "mood": 1}
    assert extracted_rows(tmp_path / "out") == [
        ("t1", AN, None, "1957-03", "CALM"),
        ("t2", BINH, None, "2000-02-29", None),
        ("t3", None, "", None, None),
        ("t4", CHI, None, None, None),
    ]
    assert unreadable_rows(tmp_path / "out") == [
        ("about", "t4", CHI),
        ("mood", "t4", CHI),
        ("owner_id", "t3", None),
        ("title", "t1", AN),
        ("title", "t2", BINH),
    ]


def test_stop_names_the_first_value_that_cannot_be_read(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", [*ROWS, thing("t4", CHI, about="2001-13")])
    with pytest.raises(RowUnreadable) as caught:
        extract(access, "things", ("thing_id", "owner_id", "about"), tmp_path, 2, on_failure="stop")
    assert str(caught.value) == "sample.things: about of row 4 cannot be read"
    assert not list(tmp_path.glob("part-00001*"))


def test_an_extract_goes_on_behind_each_part(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", [thing(f"t{number}", "12") for number in range(7)])
    whole = extract(access, "things", TWO, tmp_path / "whole", 2)
    expected = unreadable_rows(tmp_path / "whole")
    assert len(expected) == 7
    for parts in range(len(whole)):
        folder = tmp_path / str(parts)
        extract(access, "things", TWO, folder, 2, most=parts + 1)
        before = whole[parts - 1] if parts else None
        assert extract(access, "things", TWO, folder, 2, before) == whole[parts:]
        assert extracted_rows(folder) == extracted_rows(tmp_path / "whole")
        assert unreadable_rows(folder) == expected


def test_no_identity_is_in_the_progress(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", ROWS)
    steps = extract(access, "things", TWO, tmp_path / "out", 1)
    assert [step.checkpoint for step in steps] == [
        "after part-00000.parquet",
        "after part-00001.parquet",
        None,
    ]


def test_parts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", ROWS)
    (first,) = extract(access, "things", TWO, tmp_path / "out", 1, most=1)
    with pytest.raises(ValueError, match="other columns"):
        extract(access, "things", ("thing_id",), tmp_path / "out", 1, first)
    (part,) = (tmp_path / "out").glob("part-*")
    pq.write_table(pq.read_table(part).replace_schema_metadata(None), part)
    with pytest.raises(OtherVersion, match="no version"):
        extract(access, "things", TWO, tmp_path / "out", 1, first)
    part.unlink()
    with pytest.raises(FileNotFoundError, match=r"sample\.things"):
        extract(access, "things", TWO, tmp_path / "out", 1, first)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DROP TABLE things", "no table things"),
        ("ALTER TABLE things RENAME COLUMN title TO heading", "things has no column title"),
    ],
)
def test_a_record_that_is_not_there_is_named(tmp_path: Path, statement: str, reason: str) -> None:
    access = _access(tmp_path / "db", ROWS)
    _change(access, statement)
    columns = (*TWO, "title")
    with pytest.raises(SourceFailed, match=rf"sample\.things: {reason}"):
        extract(access, "things", columns, tmp_path / "out", on_failure="stop")
    (progress,) = extract(access, "things", columns, tmp_path / "out")
    assert (progress.failure, progress.complete) == (reason, False)
    assert unreadable_rows(tmp_path / "out") == []


def test_a_file_that_is_not_there_or_is_torn_is_a_failure(tmp_path: Path) -> None:
    missing = Access(DATABASE, f"sqlite:///{tmp_path / 'none.sqlite'}")
    (progress,) = extract(missing, "things", TWO, tmp_path / "out")
    assert progress.failure == "SQLITE_CANTOPEN"
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "none.sqlite").write_bytes(b"no database" * 100)
    (progress,) = extract(missing, "things", TWO, tmp_path / "out")
    assert progress.failure == "SQLITE_NOTADB"


def test_the_source_is_not_written_to(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", ROWS)
    assert access.url is not None
    file = Path(access.url.removeprefix("sqlite:///"))
    before = file.read_bytes()
    extract(access, "things", COLUMNS, tmp_path / "out", 1)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["sample.sqlite"]


def test_a_source_is_read_at_its_rate_and_within_its_hours(tmp_path: Path) -> None:
    access = _access(tmp_path / "db", [thing(f"t{number:03d}", AN) for number in range(100)])
    fake = FakeTime()
    rate = SourceRate(rows_per_second=10, begins=time(22), ends=time(22, 0, 4), part_rows=30)
    steps = extract_record(
        open_source(access), "things", TWO, tmp_path, SourcePace(rate, fake.clock())
    )
    assert [step.rows for step in steps] == [30, 60, 90, 100]
    # From 7 o'clock to 22; each day two parts are begun in four seconds.
    days = [seconds for seconds in fake.waits if seconds > 3600]
    assert len(days) == 2
    assert sum(fake.waits) - sum(days) == pytest.approx(10.0)


def test_a_complete_record_and_one_that_failed_are_left_alone(tmp_path: Path) -> None:
    source = open_source(_access(tmp_path / "db", ROWS))
    for progress in (ExtractProgress(complete=True), ExtractProgress(failure="no answer")):
        assert not list(extract_record(source, "things", TWO, tmp_path, pace(), progress))
