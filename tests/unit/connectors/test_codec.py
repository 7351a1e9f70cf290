"""Decoding of stored values: every form of a value is read, anything else is unreadable."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.codec import Unreadable, decode, decode_value, encode_text
from connectors.declaration import BASIC, database, field, lookup, record
from connectors.description import Coded, Column, Group
from connectors.values import PartialDate, PersonNumber
from tests.support.generated import PATIENT


class Colour(Coded):
    RED = "đỏ", "red"
    BLUE = "xanh", "blue"


@record(("Mẫu", "Sample"), lookups=[lookup("samples", "Mẫu", "Samples", by="owner")], identity="id")
class Sample:
    id: str = field("mã", "Id", BASIC)
    owner: PersonNumber | None = field("chủ", "Owner", BASIC)
    name: str | None = field("tên", "Name", BASIC)
    count: int | None = field("số", "Count", BASIC)
    open: bool | None = field("mở", "Open", BASIC)
    amount: Decimal | None = field("tiền", "Amount", BASIC)
    day: date | None = field("ngày", "Day", BASIC)
    about: PartialDate | None = field("khoảng", "About", BASIC)
    moment: datetime | None = field("lúc", "Moment", BASIC)
    colour: Colour | None = field("màu", "Colour", BASIC)
    colours: tuple[Colour, ...] | None = field("các màu", "Colours", BASIC)
    counts: tuple[int, ...] | None = field("các số", "Counts", BASIC)


RECORD = database(
    "sample",
    title=("Mẫu", "Sample"),
    owner=("Không ai", "Nobody"),
    legal_basis=(),
    group=Group.PLANNED,
    records=[Sample],
).records[0]

NOON = datetime(2020, 5, 6, 12, tzinfo=UTC)
HANOI = timezone(timedelta(hours=7))


def _column(name: str) -> Column:
    return RECORD.column(name)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("owner", "001090012345", "001090012345"),
        ("owner", "123456789", "123456789"),
        ("name", "Hòa", "Hòa"),
        ("name", "", ""),
        ("count", 7, 7),
        ("count", "7", 7),
        ("count", "-7", -7),
        ("count", 2**31 - 1, 2**31 - 1),
        ("count", -(2**31), -(2**31)),
        ("open", True, True),
        ("open", False, False),
        ("open", 1, True),
        ("open", 0, False),
        ("open", "1", True),
        ("open", "false", False),
        ("open", "TRUE", True),
        ("amount", "12.50", Decimal("12.50")),
        ("amount", Decimal("12.50"), Decimal("12.50")),
        ("amount", 12, Decimal(12)),
        ("amount", 0.1, Decimal("0.1")),
        ("amount", "1" * 18 + ".25", Decimal("1" * 18 + ".25")),
        ("day", "2020-05-06", date(2020, 5, 6)),
        ("day", date(2020, 5, 6), date(2020, 5, 6)),
        ("about", "2020", PartialDate(2020)),
        ("about", "2020-05", PartialDate(2020, 5)),
        ("about", date(2020, 5, 6), PartialDate(2020, 5, 6)),
        ("about", PartialDate(2020, 5), PartialDate(2020, 5)),
        ("moment", "2020-05-06T12:00:00+00:00", NOON),
        ("moment", "2020-05-06T12:00:00Z", NOON),
        ("moment", "2020-05-06T19:00:00+07:00", NOON),
        ("moment", NOON.astimezone(HANOI), NOON),
        ("colour", "RED", "RED"),
        ("colours", '["RED", "BLUE"]', ("RED", "BLUE")),
        ("colours", ["BLUE"], ("BLUE",)),
        ("colours", "[]", ()),
        ("counts", (1, 2), (1, 2)),
    ],
)
def test_a_value_is_read_in_every_form_that_sources_have(
    name: str, raw: object, value: object
) -> None:
    decoded = decode_value(_column(name), raw)
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("owner", "12345"),
        ("owner", 1090012345),
        ("owner", b"001090012345"),
        ("name", 7),
        ("name", b"Ho\xc3\xa0"),
        ("count", 1.5),
        ("count", True),
        ("count", 2**31),
        ("count", str(-(2**31) - 1)),
        ("counts", [1, 2**31]),
        ("count", "seven"),
        ("count", ""),
        ("open", "yes"),
        ("open", 2),
        ("open", ""),
        ("open", []),
        ("amount", "much"),
        ("amount", "NaN"),
        ("amount", "Infinity"),
        ("amount", float("inf")),
        ("amount", True),
        ("amount", ""),
        ("amount", []),
        ("day", "2020-02-30"),
        ("day", "2020"),
        ("day", "06/05/2020"),
        ("day", 20200506),
        ("day", NOON),
        ("about", "2020-13"),
        ("about", 2020),
        ("about", "about 2020"),
        ("about", NOON),
        ("moment", "2020-05-06T12:00:00"),
        ("moment", datetime(2020, 5, 6, 12)),  # noqa: DTZ001 - that is what is wrong with it
        ("moment", "noon"),
        ("moment", 1588766400),
        ("moment", "0001-01-01T00:00:00+14:00"),
        ("colour", "red"),
        ("colour", "GREEN"),
        ("colour", "đỏ"),
        ("colour", 0),
        ("colour", []),
        ("colours", "RED"),
        ("colours", '["RED", "GREEN"]'),
        ("colours", '["RED", null]'),
        ("colours", '{"RED": 1}'),
        ("colours", "["),
        ("colours", 7),
        ("counts", "[1, true]"),
        ("counts", "[[1]]"),
        ("counts", "[" * 100_000),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_value_that_is_not_of_its_kind_is_unreadable_and_not_told(name: str, raw: object) -> None:
    with pytest.raises(Unreadable) as excinfo:
        decode_value(_column(name), raw)
    assert str(excinfo.value) == f"{name} cannot be read", "the value is nobody's business"
    assert excinfo.value.__suppress_context__


def test_what_is_missing_is_none_unless_the_record_means_nothing_without_it() -> None:
    assert decode_value(_column("name"), None) is None
    assert decode_value(_column("colours"), None) is None
    with pytest.raises(Unreadable, match="id is missing"):
        decode_value(_column("id"), None)


def test_a_row_is_read_in_the_order_of_its_columns() -> None:
    raw: list[object] = [None] * len(RECORD.columns)
    raw[0], raw[3] = "S1", "7"
    row = decode(RECORD, raw)
    assert (row[0], row[3]) == ("S1", 7)
    assert row.count(None) == len(row) - 2


def test_a_row_of_another_width_is_a_defect_and_no_data() -> None:
    with pytest.raises(ValueError, match="zip"):
        decode(RECORD, ["S1"])


_ANY_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@PATIENT
@given(st.sampled_from(RECORD.columns), _ANY_VALUE)
def test_any_value_at_all_is_read_or_unreadable(column: Column, raw: object) -> None:
    with contextlib.suppress(Unreadable):
        decode_value(column, raw)


def _values(kind: str) -> st.SearchStrategy[object]:
    strategies: dict[str, st.SearchStrategy[object]] = {
        "name": st.text(),
        "count": st.integers(-(2**31), 2**31 - 1),
        "open": st.booleans(),
        "amount": st.decimals(allow_nan=False, allow_infinity=False, places=2),
        "day": st.dates(),
        "about": st.builds(lambda day: PartialDate(day.year, day.month), st.dates()),
        "moment": st.datetimes(
            min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
            timezones=st.just(UTC),
        ),
        "colour": st.sampled_from(list(Colour.__members__)),
        "colours": st.lists(st.sampled_from(list(Colour.__members__))).map(tuple),
        "counts": st.lists(st.integers(-(2**31), 2**31 - 1)).map(tuple),
    }
    return strategies[kind]


@pytest.mark.parametrize(
    "name",
    ["name", "count", "open", "amount", "day", "about", "moment", "colour", "colours", "counts"],
)
def test_what_is_written_for_a_source_reads_as_it_was(name: str) -> None:
    @PATIENT
    @given(_values(name))
    def holds(value: object) -> None:
        assert decode_value(_column(name), encode_text(value)) == value

    check: Callable[[], None] = holds
    check()


def test_text_for_a_source_is_plain() -> None:
    assert encode_text(NOON.astimezone(HANOI)) == "2020-05-06T12:00:00+00:00"
    assert encode_text(date(2020, 5, 6)) == "2020-05-06"
    assert encode_text(PartialDate(2020, 5)) == "2020-05"
    assert encode_text(Decimal("12.50")) == "12.50"
    assert json.loads(str(encode_text((date(2020, 5, 6), "Hòa")))) == ["2020-05-06", "Hòa"]
    assert "Hòa" in str(encode_text(["Hòa"]))
    assert encode_text(None) is None
    assert encode_text(7) == 7
