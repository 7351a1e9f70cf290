"""Generated decoders give what the codec gives: the same rows, and the same reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import RecordMap, map_records
from connectors.codec import Unreadable, decode
from connectors.declaration import BASIC, database, field, lookup, record
from connectors.description import Coded, Column, Group, Kind, Record, Row
from connectors.registry import installed_databases
from connectors.row_decoder import DecodeRows, rows_decoder
from connectors.values import EnterpriseCode, PartialDate, PersonNumber
from tests.support.generated import PATIENT


class Colour(Coded):
    RED = "đỏ", "red"
    BLUE = "xanh", "blue"


@record(("Mẫu", "Sample"), lookups=[lookup("samples", "Mẫu", "Samples", by="owner")], identity="id")
class Sample:
    id: str = field("mã", "Id", BASIC)
    owner: PersonNumber = field("chủ", "Owner", BASIC)
    count: int = field("số", "Count", BASIC)
    open: bool = field("mở", "Open", BASIC)
    amount: Decimal = field("tiền", "Amount", BASIC)
    day: date = field("ngày", "Day", BASIC)
    about: PartialDate = field("khoảng", "About", BASIC)
    moment: datetime = field("lúc", "Moment", BASIC)
    colour: Colour = field("màu", "Colour", BASIC)
    code: EnterpriseCode = field("mã", "Code", BASIC)
    colours: tuple[Colour, ...] = field("các màu", "Colours", BASIC)
    name: str | None = field("tên", "Name", BASIC)
    other: PersonNumber | None = field("ai", "Other", BASIC)
    counted: int | None = field("số", "Counted", BASIC)
    shut: bool | None = field("đóng", "Shut", BASIC)
    price: Decimal | None = field("giá", "Price", BASIC)
    since: date | None = field("từ", "Since", BASIC)
    born: PartialDate | None = field("sinh", "Born", BASIC)
    seen: datetime | None = field("thấy", "Seen", BASIC)
    shade: Colour | None = field("sắc", "Shade", BASIC)
    firm: EnterpriseCode | None = field("hãng", "Firm", BASIC)
    names: tuple[str, ...] | None = field("các tên", "Names", BASIC)
    days: tuple[date, ...] | None = field("các ngày", "Days", BASIC)


DATABASE = database(
    "sample",
    title=("Mẫu", "Sample"),
    owner=("Không ai", "Nobody"),
    legal_basis=(),
    group=Group.PLANNED,
    records=[Sample],
)
RECORD = DATABASE.records[0]
NOON = datetime(2020, 5, 6, 12, tzinfo=UTC)
HANOI = timezone(timedelta(hours=7))


class _Text(str):
    """Text of a driver's own type."""

    __slots__ = ()


class _Whole(int):
    """A whole number of a driver's own type."""


#: What a driver may give for each kind, in its own types and in others that mean the same.
_FORMS: dict[Kind, Sequence[object]] = {
    Kind.STRING: ("Hòa", "", _Text("Hòa")),
    Kind.ENTERPRISE_CODE: ("0100109106", "x", _Text("0100109106")),
    Kind.PERSON_NUMBER: ("001090012345", "123456789", _Text("001090012345")),
    Kind.INTEGER: (7, -(2**31), 2**31 - 1, "7", _Whole(7)),
    Kind.BOOLEAN: (True, False, 1, "FALSE"),
    Kind.DECIMAL: (Decimal("12.50"), Decimal("-0"), Decimal("1E+3"), "12.50", 12, 0.1),
    Kind.DATE: (date(2020, 5, 6), date.max, "2020-05-06"),
    Kind.PARTIAL_DATE: (date(2020, 5, 6), "2020", "2020-05", "2020-05-06", PartialDate(2020, 5)),
    Kind.DATETIME: (NOON, NOON.astimezone(HANOI), "2020-05-06T19:00:00+07:00"),
    Kind.ENUM: ("RED", "BLUE", _Text("RED")),
}
#: What is of no kind, or of some kinds only.
_ODD: tuple[object, ...] = (
    None, UNREAD, "", "x", "RED", "green", "12345", "٠٠١٠٩٠٠١٢٣٤٥", "00109001234²", "2020-02-30",
    "1" * 12, b"x", 7, 2**31, -(2**31) - 1, True, 1.5, float("nan"), Decimal("NaN"),
    Decimal("-Infinity"), Decimal("sNaN"), datetime(2020, 5, 6, 12), date(2020, 5, 6), NOON,  # noqa: DTZ001
    UUID(int=7), [], {}, ["RED"], ("RED", None), '["RED"]', "[" * 100_000, "\ud800",
)  # fmt: skip


def _forms(column: Column) -> Sequence[object]:
    forms = _FORMS[column.field.kind]
    return [list(forms), tuple(forms[:1]), []] if column.field.many else forms


def _usual(width: int = len(RECORD.columns)) -> list[object]:
    """Return a row in the types of a driver, without the values that may be missing."""
    row = [_forms(column)[0] if column.required else None for column in RECORD.columns]
    return row[:width]


def _expected(record_of_row: Record, raw: Sequence[object]) -> Row | str:
    try:
        return decode(record_of_row, raw)
    except Unreadable as error:
        return str(error)


def _shown(row: Row | str) -> object:
    """Return what tells a row from another that merely equals it: types, and 1E+3 from 1000."""
    return row if isinstance(row, str) else [(type(value), repr(value)) for value in row]


def _agree(raws: Sequence[Sequence[object]], decoder: DecodeRows | None = None) -> list[Row | str]:
    decoded = (decoder or rows_decoder(RECORD))(raws)
    assert [*map(_shown, decoded)] == [_shown(_expected(RECORD, raw)) for raw in raws]
    return decoded


def _with(place: int, value: object) -> list[object]:
    raw = _usual()
    raw[place] = value
    return raw


@pytest.mark.parametrize("place", range(len(RECORD.columns)))
def test_every_form_of_every_kind_is_decoded_as_by_the_codec(place: int) -> None:
    raws = [_with(place, form) for form in _forms(RECORD.columns[place])]
    assert all(isinstance(row, tuple) for row in _agree(raws))


@pytest.mark.parametrize("place", range(len(RECORD.columns)))
def test_what_is_of_no_kind_has_the_codecs_reason_and_costs_its_own_row_only(place: int) -> None:
    raws = [_with(place, value) for value in _ODD]
    decoded = _agree([_usual(), *raws, _usual()])
    assert isinstance(decoded[0], tuple)
    assert decoded[0] == decoded[-1]
    assert any(isinstance(row, str) for row in decoded)


def test_values_of_the_right_types_are_those_of_the_driver() -> None:
    raw = [_forms(column)[0] for column in RECORD.columns]
    (row,) = rows_decoder(RECORD)([raw])
    kept = {Kind.STRING, Kind.DECIMAL, Kind.DATE, Kind.DATETIME}
    for column, before, after in zip(RECORD.columns, raw, row, strict=True):
        if column.field.kind in kept and not column.field.many:
            assert after is before


_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.dates() | st.datetimes() | st.datetimes(timezones=st.timezones()) | st.decimals()
    | st.sampled_from([*_ODD, *(form for forms in _FORMS.values() for form in forms)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
_ROW = st.tuples(
    *(st.sampled_from(_forms(column)) | st.none() | _VALUE for column in RECORD.columns)
)
#: Rows that are mostly readable: two values of a driver's row are anything at all.
_NEARLY = st.builds(
    lambda changes: [changes.get(place, value) for place, value in enumerate(_usual())],
    st.dictionaries(st.integers(0, len(RECORD.columns) - 1), _VALUE, max_size=2),
)


@PATIENT
@given(st.lists(_ROW | _NEARLY, max_size=4))
def test_any_rows_at_all_are_decoded_as_by_the_codec(raws: list[Sequence[object]]) -> None:
    _agree(raws)


@PATIENT
@given(st.data())
def test_rows_of_every_declared_record_are_decoded_as_by_the_codec(data: st.DataObject) -> None:
    declared = data.draw(st.sampled_from(_RECORDS))
    raws = data.draw(
        st.lists(
            st.tuples(*(st.sampled_from([None, *_forms(c), *_ODD]) for c in declared.columns)),
            max_size=2,
        )
    )
    usual = [_forms(column)[0] if column.required else None for column in declared.columns]
    decoded = rows_decoder(declared)([*raws, usual])
    assert decoded == [_expected(declared, raw) for raw in (*raws, usual)]
    assert isinstance(decoded[-1], tuple)


_RECORDS = [each for declared in installed_databases() for each in declared.records]


def test_a_row_of_another_width_is_a_defect_and_no_data() -> None:
    for raw in (_usual(3), [*_usual(), None], []):
        with pytest.raises(ValueError, match="zip"):
            rows_decoder(RECORD)([raw])


def test_the_key_before_a_row_is_left_out() -> None:
    raw = _usual()
    assert rows_decoder(RECORD, 1)([("key", *raw)]) == [decode(RECORD, raw)]


#: A table with other names and codes, in which some columns are missing or made of several.
_MAP = RecordMap(
    columns={"other": "ten", "firm": "ten"},
    values={"shade": {"1": "RED", "2": "BLUE", "true": "RED"}, "colours": {"d": "RED"}},
    constants={"code": "0100109106"},
    missing=("days",),
    dates={"since": ("%d/%m/%Y",), "born": ("%m/%Y", "%Y"), "seen": ("%d/%m/%Y %H:%M",)},
    join={"name": ("xa", "huyen")},
    normalised=True,
)
_STORED_ODD: tuple[object, ...] = (
    "06/05/2020", "05/2020", "06/05/2020 19:00", "1", "d", '["d"]', ["d"], " 001090012345",
    "1090012345",
)  # fmt: skip


@PATIENT
@given(
    st.sampled_from([RecordMap(normalised=True), _MAP, RecordMap(columns={"name": "id"})]),
    st.sampled_from([None, "Asia/Ho_Chi_Minh"]),
    st.data(),
)
def test_rows_of_a_mapped_table_are_decoded_as_its_map_says(
    maps: RecordMap, zone: str | None, data: st.DataObject
) -> None:
    stored = map_records(DATABASE, {RECORD.name: maps}, zone)[RECORD.name]
    every = [*_ODD, *_STORED_ODD, *(form for forms in _FORMS.values() for form in forms)]
    raws = data.draw(
        st.lists(st.lists(st.sampled_from(every), min_size=len(stored.names),
                          max_size=len(stored.names)), max_size=4)
    )  # fmt: skip
    assert stored.read is not None
    expected = [_expected(RECORD, stored.read(raw)) for raw in raws]
    assert [*map(_shown, stored.decode([("key", *raw) for raw in raws]))] == [
        *map(_shown, expected)
    ]


def test_moments_without_a_zone_are_of_the_databases_zone() -> None:
    stored = map_records(DATABASE, None, "Asia/Ho_Chi_Minh")[RECORD.name]
    raw = _with(RECORD.positions["seen"], datetime(2020, 5, 6, 19))  # noqa: DTZ001 - as stored
    (row,) = stored.decode([("key", *raw)])
    assert row[RECORD.positions["seen"]] == NOON.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
