"""Values shared by several databases: person numbers, and partial dates."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.values import PartialDate, person_number
from tests.support.generated import PATIENT


@PATIENT
@given(st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True))
def test_twelve_or_nine_digits_are_a_person_number(text: str) -> None:
    """Whatever they say: old records have wrong prefixes, sexes and years."""
    assert person_number(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "0" * 8, "0" * 10, "0" * 11, "0" * 13, "00109001234a", " 001090012345", "001090012345 ",
     "001090012345\n", "001 090 012 345", "001.090.012.345", "-01090012345", "٠" * 12, "１" * 9,
     "²" * 9, "1e1000000000", "CMND 123456789"],
)  # fmt: skip
def test_anything_else_is_no_person_number(text: str) -> None:
    with pytest.raises(ValueError, match="12 digits") as excinfo:
        person_number(text)
    assert len(text) < 5 or text.strip() not in str(excinfo.value), "the message repeats nothing"


@PATIENT
@given(st.text())
def test_no_text_is_taken_for_a_number_but_ascii_digits(text: str) -> None:
    try:
        number = person_number(text)
    except ValueError:
        return
    assert number.isascii()
    assert number.isdigit()
    assert len(number) in {9, 12}


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1957", date(1957, 1, 1), date(1957, 12, 31)),
        ("1957-03", date(1957, 3, 1), date(1957, 3, 31)),
        ("1957-02", date(1957, 2, 1), date(1957, 2, 28)),
        ("2000-02", date(2000, 2, 1), date(2000, 2, 29)),
        ("1957-03-02", date(1957, 3, 2), date(1957, 3, 2)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("0001", date(1, 1, 1), date(1, 12, 31)),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31)),
    ],
)
def test_a_date_means_all_days_that_it_can_be(text: str, first: date, last: date) -> None:
    partial = PartialDate.parse(text)
    assert (partial.first, partial.last) == (first, last)
    assert str(partial) == text


@pytest.mark.parametrize(
    "text",
    ["", "57", "195", "19570", "1957-3", "1957-13", "1957-00", "1957-02-30", "1957-2-2",
     "1957-00-00", "1957-03-00", "1900-02-29", "1957-03-02T00:00", "1957-03-", "1957-", "-1957",
     "0000", "0000-01-01", " 1957", "1957\n",
     "1957/03/02", "02-03-1957", "１９５７", "--", "1957--02"],
)  # fmt: skip
def test_what_is_written_otherwise_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        PartialDate.parse(text)


@PATIENT
@given(st.dates(), st.sampled_from([4, 7, 10]))
def test_a_date_is_written_as_it_was_read(day: date, length: int) -> None:
    text = day.isoformat()[:length]
    partial = PartialDate.parse(text)
    assert str(partial) == text
    assert PartialDate.parse(str(partial)) == partial
    assert partial.first <= day <= partial.last


@PATIENT
@given(st.text(alphabet="0123456789-", max_size=12) | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(PartialDate.parse(text)) == text


@PATIENT
@given(st.dates(), st.dates())
def test_dates_as_text_are_in_the_order_of_their_days(first_day: date, second_day: date) -> None:
    """Sources sort them as they are written."""
    texts = [str(PartialDate(day.year, day.month, day.day)) for day in (first_day, second_day)]
    assert (texts[0] < texts[1]) is (first_day < second_day)
