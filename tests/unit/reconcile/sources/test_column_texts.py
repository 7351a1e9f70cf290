"""Values as text: whatever a driver gives, Arrow and the codec agree on what is readable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from connectors.backends.record_maps import RecordMap, map_records
from connectors.codec import Unreadable, decode_value, encode_text
from reconcile.sources.column_texts import RawBatch, RawColumn, RecordReading
from tests.support.backend_samples import AN, DATABASE, THINGS

VALUES: dict[str, list[object]] = {
    "owner_id": [
        AN,
        "123456789",
        "12345678",
        "12345678901",
        "１２３４５６７８９",
        "a" * 9,
        "",
        1,
        None,
    ],
    "title": ["", "Đỗ", "a\0b", "\ud800", b"a", 1, None],
    "amount": ["1.50", "NaN", "x", 7, True, None],
    "pieces": ["12", "2147483648", 3, True, 1.5, None],
    "open": ["0", "true", "yes", 1, False, None],
    "day": ["2001-02-03", "2001-02-30", "2001-02", None],
    "about": ["1957", "1957-03", "1957-13", "1957-00", "57", "", None],
    "moment": ["2020-01-02T03:04:05+07:00", "2020-01-02T03:04:05", "x", None],
    "mood": ["CALM", "calm", "", 1, None],
    "moods": ['["CALM"]', '["x"]', "{}", "[", ["LOUD"], None],
}


def _texts(name: str, values: Any, record_map: RecordMap | None = None) -> Sequence[str | None]:
    """Return the texts of a column; ``!`` for what cannot be read."""
    maps = {} if record_map is None else {"things": record_map}
    reading = RecordReading(map_records(DATABASE, maps)["things"], record_map, (name,))
    batch = RawBatch(len(values), {reading.names[0]: RawColumn(values)})
    result = reading.read(batch)
    faults = result.faults.get(name, pa.repeat(pa.scalar(False), len(values))).to_pylist()
    texts = result.texts.column(0).to_pylist()
    assert not any(fault and text is not None for fault, text in zip(faults, texts, strict=True))
    return ["!" if fault else text for fault, text in zip(faults, texts, strict=True)]


def _of_codec(name: str, value: object) -> str | None:
    try:
        decoded = decode_value(THINGS.column(name), value)
    except Unreadable:
        return "!"
    text = None if decoded is None else str(encode_text(decoded))
    return "!" if text is not None and ("\0" in text or "\ud800" in text) else text


@pytest.mark.parametrize("name", VALUES)
def test_texts_are_those_of_the_codec(name: str) -> None:
    expected = [_of_codec(name, value) for value in VALUES[name]]
    assert _texts(name, VALUES[name]) == expected
    alone = [_texts(name, [value])[0] for value in VALUES[name]]
    assert alone == expected


@pytest.mark.parametrize("name", VALUES)
def test_texts_of_arrow_are_those_of_the_codec(name: str) -> None:
    values = [value for value in VALUES[name] if value is None or isinstance(value, str)]
    values = [value for value in values if value != "\ud800"]
    expected = [_of_codec(name, value) for value in values]
    assert _texts(name, pa.array(values, pa.string())) == expected
    assert _texts(name, pa.array([*values, None], pa.string()).slice(1)) == [
        *expected[1:],
        _of_codec(name, None),
    ]


def test_bytes_that_are_no_text_cost_their_value_alone() -> None:
    offsets, data = pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")
    values = pa.StringArray.from_buffers(2, offsets, data)
    assert _texts("title", values) == ["a", "!"]


def test_equal_values_of_different_types_are_not_taken_for_each_other() -> None:
    assert _texts("pieces", [1, True, 1.0, 1]) == ["1", "!", "!", "1"]


def test_joined_columns_are_read_by_rows() -> None:
    record_map = RecordMap(join={"title": ("xa", "tinh")})
    reading = RecordReading(
        map_records(DATABASE, {"things": record_map})["things"], record_map, ("title",)
    )
    columns = {"xa": RawColumn(["A", "", None]), "tinh": RawColumn(pa.array(["B", "C", None]))}
    assert reading.read(RawBatch(3, columns)).texts.column(0).to_pylist() == ["A, B", "C", None]
