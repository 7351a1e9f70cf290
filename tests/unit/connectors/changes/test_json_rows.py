"""Rows written as JSON: what is left out, and what no driver would give."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.backends.record_maps import RecordMap, map_records
from connectors.changes.json_rows import convert_iso, decode_object, identity_of, load_object
from connectors.codec import Unreadable
from connectors.description import Kind
from tests.support.backend_samples import AN, DATABASE, THINGS

STORED = map_records(DATABASE)["things"]
ROW = {column.name: None for column in THINGS.columns} | {"thing_id": "t1", "owner_id": AN}


def test_a_column_that_is_left_out_is_not_a_column_without_a_value() -> None:
    assert decode_object(STORED, ROW)[:2] == ("t1", AN)
    with pytest.raises(Unreadable, match="amount is left out"):
        decode_object(STORED, {name: v for name, v in ROW.items() if name != "amount"})


def test_numbers_keep_all_their_digits() -> None:
    values = load_object('{"amount": 12345678901234567.10}')
    assert values == {"amount": Decimal("12345678901234567.10")}


@pytest.mark.parametrize("text", ["[]", "1", "{", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of json too
        load_object(text)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("2024-02-29", Kind.DATE, date(2024, 2, 29)),
        ("1957-03", Kind.PARTIAL_DATE, "1957-03"),
        ("2024-02-29T16:00:00+00:00", Kind.DATETIME, datetime(2024, 2, 29, 16, tzinfo=UTC)),
        ("2024-02-29", Kind.STRING, "2024-02-29"),
        ("012345678   ", Kind.PERSON_NUMBER, "012345678"),
        ("x ", Kind.STRING, "x "),
        (None, Kind.DATE, None),
    ],
)
def test_values_become_those_of_a_driver(value: object, kind: Kind, expected: object) -> None:
    assert convert_iso(value, kind) == expected


def test_a_moment_without_a_zone_is_one_of_the_zone_of_the_database() -> None:
    maps = {"things": RecordMap()}
    stored = map_records(DATABASE, maps, "Asia/Ho_Chi_Minh")["things"]
    row = decode_object(stored, {**ROW, "moment": "2024-02-29T23:00:00"})
    assert row[THINGS.positions["moment"]] == datetime(2024, 2, 29, 16, tzinfo=UTC)


def test_a_row_without_its_identity_is_refused() -> None:
    assert identity_of(STORED, {"thing_id": 7}) == "7"
    with pytest.raises(Unreadable, match="thing_id is missing"):
        identity_of(STORED, {})
