"""Tables with other names, codes and dates are read by the settings, which are validated.

Covers ``connectors.backends.readers``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.base import NotMapped, Rows, SourceUnavailable
from connectors.backends.record_maps import RecordMap, map_records
from connectors.backends.sql import SqlBackend
from connectors.backends.statement import SORTED_HERE
from connectors.description import Record
from connectors.values import PartialDate
from tests.support.backend_samples import (
    AN,
    BINH,
    CASES,
    DATABASE,
    THINGS,
    UNIONS,
)

PARTIES = DATABASE.by_name["case_parties"]

_VALUE = {column.name: None for column in THINGS.columns} | {"thing_id": "t1", "owner_id": AN}


async def _fetch(
    path: Path, record: Record, key: str, maps: Mapping[str, RecordMap], zone: str | None = None
) -> Rows:
    backend = SqlBackend(DATABASE, f"sqlite:///{path}", maps=maps, zone=zone)
    try:
        return (await backend.fetch(record, record.lookups[0], [key])).by_key[key]
    finally:
        await backend.close()


def _table(path: Path, name: str, *rows: Mapping[str, object]) -> Path:
    """Write a table of a source, whose columns are those of the first row."""
    with closing(sqlite3.connect(path)) as file, file:
        columns = ", ".join(f'"{column}"' for column in rows[0])
        file.execute(f"CREATE TABLE {name} ({columns})")
        marks = ", ".join("?" * len(rows[0]))
        file.executemany(f"INSERT INTO {name} VALUES ({marks})", [tuple(r.values()) for r in rows])
    return path


async def _fetch_value(
    tmp_path: Path, stored: dict[str, object], column: str, zone: str | None = None, **mapping: Any
) -> Any:
    """Return what a thing's ``column`` holds; ``stored`` are further columns of the table.

    Only the columns that they do not have are left out of the table. ``UNREADABLE`` for a row that
    is not readable.
    """
    defaults = {name: value for name, value in _VALUE.items() if name != column}
    path = _table(tmp_path / "things.sqlite", "do_vat", defaults | stored)
    rows = await _fetch(path, THINGS, AN, {"things": RecordMap(table="do_vat", **mapping)}, zone)
    if rows.unreadable:
        return "UNREADABLE"
    return rows.rows[0][THINGS.positions[column]]


# ---- how values are read


@pytest.mark.parametrize(
    ("stored_as", "value"),
    [("Còn", "CALM"), ("2", "LOUD"), (2, "LOUD"), (None, None), ("LOUD", "UNREADABLE")],
)
async def test_codes_are_translated_and_what_is_not_listed_is_unreadable(
    tmp_path: Path, stored_as: object, value: object
) -> None:
    mapping: dict[str, Any] = {
        "columns": {"mood": "tt"},
        "values": {"mood": {"Còn": "CALM", "2": "LOUD"}},
    }
    assert await _fetch_value(tmp_path, {"tt": stored_as}, "mood", **mapping) == value


@pytest.mark.parametrize(("stored_as", "value"), [("C", True), ("K", False), ("?", "UNREADABLE")])
async def test_truth_may_have_codes_too(tmp_path: Path, stored_as: str, value: object) -> None:
    mapping: dict[str, Any] = {"values": {"open": {"C": "true", "K": "false"}}}
    assert await _fetch_value(tmp_path, {"open": stored_as}, "open", **mapping) == value


@pytest.mark.parametrize(
    ("stored_as", "value"), [('["1", "2"]', ("CALM", "LOUD")), ('["9"]', "UNREADABLE")]
)
async def test_codes_in_lists_are_translated(tmp_path: Path, stored_as: str, value: object) -> None:
    mapping: dict[str, Any] = {"values": {"moods": {"1": "CALM", "2": "LOUD"}}}
    assert await _fetch_value(tmp_path, {"moods": stored_as}, "moods", **mapping) == value


@pytest.mark.parametrize(
    ("stored_as", "value"),
    [
        ("02/03/1957", PartialDate(1957, 3, 2)),
        ("2/3/1957 ", PartialDate(1957, 3, 2)),
        ("03/1957", PartialDate(1957, 3)),
        ("00/00/1957", PartialDate(1957)),
        ("1957", PartialDate(1957)),
        (1957, PartialDate(1957)),
        ("", None),
        ("31/02/1957", "UNREADABLE"),
        ("02/13/1957", "UNREADABLE"),
        ("1957-03-02", "UNREADABLE"),
        ("khoảng 1957", "UNREADABLE"),
    ],
)
async def test_dates_of_digitised_books_are_read_as_they_are_written(
    tmp_path: Path, stored_as: object, value: object
) -> None:
    ways = ("%d/%m/%Y", "%m/%Y", "00/00/%Y", "%Y")
    mapping: dict[str, Any] = {"columns": {"about": "ngay"}, "dates": {"about": ways}}
    if isinstance(stored_as, int):
        del mapping["dates"]
    assert await _fetch_value(tmp_path, {"ngay": stored_as}, "about", **mapping) == value


async def test_the_first_way_that_fits_counts(tmp_path: Path) -> None:
    mapping: dict[str, Any] = {"dates": {"day": ("%d/%m/%Y", "%m/%d/%Y")}}
    assert await _fetch_value(tmp_path, {"day": "02/03/1957"}, "day", **mapping) == date(1957, 3, 2)
    (tmp_path / "things.sqlite").unlink()
    assert await _fetch_value(tmp_path, {"day": "02/13/1957"}, "day", **mapping) == date(
        1957, 2, 13
    )


@pytest.mark.parametrize(
    ("zone", "value"),
    [("Asia/Ho_Chi_Minh", datetime(2024, 2, 29, 16, 5, tzinfo=UTC)), (None, "UNREADABLE")],
)
async def test_a_moment_without_a_zone_is_one_of_the_zone_that_settings_name(
    tmp_path: Path, zone: str | None, value: object
) -> None:
    mapping: dict[str, Any] = {"dates": {"moment": ("%d/%m/%Y %H:%M",)}}
    stored: dict[str, object] = {"moment": "29/02/2024 23:05"}
    assert await _fetch_value(tmp_path, stored, "moment", zone, **mapping) == value


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        (("Phường 5", "Quận 3", "TP. HCM"), "Phường 5, Quận 3, TP. HCM"),
        (("Xã Hòa Bình", None, "Tỉnh Bắc Kạn"), "Xã Hòa Bình, Tỉnh Bắc Kạn"),
        (("", " ", "Tỉnh Bắc Kạn"), "Tỉnh Bắc Kạn"),
        ((5, "Quận 3", None), "5, Quận 3"),
        ((None, "", None), None),
        ((b"\xff", "Quận 3", None), "UNREADABLE"),
    ],
)
async def test_an_address_of_three_levels_is_one_text(
    tmp_path: Path, parts: tuple[object, ...], value: object
) -> None:
    columns = ("xa", "huyen", "tinh")
    mapping: dict[str, Any] = {"join": {"spot_name": columns}}
    stored = dict(zip(columns, parts, strict=True))
    assert await _fetch_value(tmp_path, stored, "spot_name", **mapping) == value


async def test_a_column_that_they_lack_has_one_value_or_none(tmp_path: Path) -> None:
    assert await _fetch_value(tmp_path, {}, "mood", constants={"mood": "LOUD"}) == "LOUD"
    (tmp_path / "things.sqlite").unlink()
    assert await _fetch_value(tmp_path, {}, "title", missing=("title",)) is None


async def test_a_column_that_they_lack_and_nobody_mentions_is_no_empty_answer(
    tmp_path: Path,
) -> None:
    with pytest.raises(SourceUnavailable):
        await _fetch_value(tmp_path, {}, "mood")


async def test_text_is_given_as_it_is_written(tmp_path: Path) -> None:
    title = "  NGUYỄN  thị   Ánh "
    assert await _fetch_value(tmp_path, {"ten": title}, "title", columns={"title": "ten"}) == title


# ---- how rows are found and put in order


async def test_a_mapped_key_is_found_in_each_of_its_columns(tmp_path: Path) -> None:
    path = _table(
        tmp_path / "x.sqlite",
        "ket_hon",
        {"ID": "u1", "Chồng": AN, "Vợ": BINH, "ngay": "1999"},
        {"ID": "u2", "Chồng": "x", "Vợ": AN, "ngay": "2000"},
    )
    names = {"event_id": "ID", "one_id": "Chồng", "other_id": "Vợ", "registered_on": "ngay"}
    record_map = RecordMap(table="ket_hon", columns=names, missing=("mood",))
    rows = await _fetch(path, UNIONS, AN, {"unions": record_map})
    assert ([row[0] for row in rows.rows], rows.unreadable) == (["u1"], 1)


async def test_mapped_keys_lead_through_one_record_to_another(tmp_path: Path) -> None:
    path = _table(
        tmp_path / "x.sqlite",
        "vu",
        {"so_vu": "V1", "mo": "2020-01-01"},
        {"so_vu": "V2", "mo": None},
    )
    _table(path, "ben", {"id": "p", "vu": "V1", "ai": AN, "cho": None})
    maps = {
        "cases": RecordMap(table="vu", columns={"case_no": "so_vu", "opened_on": "mo"}),
        "case_parties": RecordMap(
            table="ben",
            columns={"party_no": "id", "case_no": "vu", "who_id": "ai", "for_id": "cho"},
        ),
    }
    cases = await _fetch(path, CASES, AN, maps)
    assert [row[0] for row in cases.rows] == ["V1"]
    parties = await _fetch(path, PARTIES, "V1", maps)
    assert [row[0] for row in parties.rows] == ["p"]


async def test_numbers_of_people_kept_without_their_zeros_are_no_empty_answer(
    tmp_path: Path,
) -> None:
    columns = ("event_id", "one_id INTEGER", "other_id", "registered_on", "mood")
    path = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(f"CREATE TABLE unions ({', '.join(columns)})")
        file.execute(f"INSERT INTO unions VALUES ('u1', {AN}, NULL, NULL, NULL)")
    with pytest.raises(SourceUnavailable, match="keys are kept as int"):
        await _fetch(path, UNIONS, AN, {})


async def test_the_newest_come_first_however_dates_are_written(tmp_path: Path) -> None:
    dates = ["31/01/2001", "01/12/2003", "khoảng 2009", None, "02/02/2002"]
    rows = [
        {"event_id": f"u{n}", "one_id": AN, "other_id": None, "registered_on": date, "mood": None}
        for n, date in enumerate(dates)
    ]
    path = _table(tmp_path / "x.sqlite", "unions", *rows)
    record_map = RecordMap(dates={"registered_on": ("%d/%m/%Y",)})
    result = await _fetch(path, UNIONS, AN, {"unions": record_map})
    assert ([row[0] for row in result.rows], result.truncated) == (["u1", "u4", "u0"], True)


async def test_more_rows_than_can_be_put_in_order_are_no_answer(tmp_path: Path) -> None:
    row = {"event_id": "u", "one_id": AN, "other_id": None, "registered_on": "x", "mood": None}
    path = _table(tmp_path / "x.sqlite", "unions", *([row] * (SORTED_HERE + 1)))
    record_map = RecordMap(dates={"registered_on": ("%d/%m/%Y",)})
    backend = SqlBackend(DATABASE, f"sqlite:///{path}", maps={"unions": record_map})
    batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [AN, BINH])
    await backend.close()
    assert batch.failed == {AN: "too many rows whose dates do not sort"}
    assert batch.by_key == {BINH: Rows()}


async def test_a_record_that_is_not_mapped_says_so(tmp_path: Path) -> None:
    path = _table(tmp_path / "x.sqlite", "unions", {"event_id": "u1"})
    with pytest.raises(NotMapped):
        await _fetch(path, UNIONS, AN, {"unions": RecordMap(mapped=False)})
    with pytest.raises(NotMapped):
        await _fetch(path, CASES, AN, {"case_parties": RecordMap(mapped=False)})


# ---- what is refused at start-up

_SETTINGS_PATH = "databases.sample.records."


@pytest.mark.parametrize(
    ("record", "mapping", "message"),
    [
        ("foo", {}, "foo: there is no record foo; there are case_parties, cases, things, unions"),
        (
            "cases",
            {"columns": {"foo": "x"}},
            "cases.columns.foo: there is no column foo; there are",
        ),
        ("cases", {"missing": ("foo",)}, "cases.missing.foo: there is no column foo"),
        ("cases", {"columns": {"case_no": ""}}, "cases.columns.case_no: it must name a column"),
        ("cases", {"table": "a.b.c"}, "cases.table: it must be written table or schema.table"),
        ("cases", {"table": "a."}, "cases.table: it must be written table or schema.table"),
        (
            "things",
            {"values": {"mood": {"1": "calm"}}},
            "things.values.mood.1: calm is none of CALM, LOUD",
        ),
        (
            "things",
            {"values": {"moods": {"1": "X"}}},
            "things.values.moods.1: X is none of CALM, LOUD",
        ),
        ("things", {"constants": {"pieces": "x"}}, "things.constants.pieces: x is no integer"),
        ("things", {"dates": {"title": ("%Y",)}}, "things.dates.title: title is no date"),
        ("things", {"dates": {"day": ()}}, "things.dates.day: it must name a way to write a date"),
        ("things", {"dates": {"day": ("%m/%Y",)}}, "things.dates.day: %m/%Y: %d is not there"),
        ("things", {"dates": {"about": ("%d %Y",)}}, "things.dates.about: %d %Y: %m is not there"),
        ("things", {"dates": {"about": ("%d/%m/%y",)}}, "things.dates.about: %d/%m/%y: %y is none"),
        (
            "things",
            {"dates": {"about": ("%Y %Y",)}},
            "things.dates.about: %Y %Y: %Y is there twice",
        ),
        ("things", {"dates": {"moment": ("%Y",)}}, "things.dates.moment: %Y: %H %M %d %m is not"),
        ("things", {"join": {"day": ("a", "b")}}, "things.join.day: day is no text"),
        ("things", {"join": {"title": ()}}, "things.join.title: it must name a column"),
        (
            "things",
            {"constants": {"title": "x"}, "join": {"title": ("a",)}},
            "things.join.title: title is in constants already",
        ),
        (
            "things",
            {"values": {"about": {"x": "1957"}}, "dates": {"about": ("%Y",)}},
            "things.dates.about: about is in values already",
        ),
        ("things", {"missing": ("owner_id",)}, "things.missing.owner_id: owner_id is a key"),
        ("cases", {"constants": {"case_no": "1"}}, "cases.constants.case_no: case_no is a key"),
        ("case_parties", {"join": {"case_no": ("a",)}}, "case_parties.join.case_no: case_no is a"),
        ("unions", {"values": {"one_id": {"1": AN}}}, "unions.values.one_id: one_id is a key"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_by_its_name(
    record: str, mapping: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=r"^databases\.sample\.") as caught:
        map_records(DATABASE, {record: RecordMap(**mapping)})
    assert str(caught.value).startswith(_SETTINGS_PATH + message)


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^databases\.sample\.zone: there is no time zone Mars"):
        map_records(DATABASE, zone="Mars")
