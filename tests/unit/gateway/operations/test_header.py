"""The header of a file: its entries, and the messages about faults."""

from __future__ import annotations

import pytest

from gateway.operations.header import OperationRefused, parse_file
from tests.support.operation_files import NAME, header


def test_a_header_says_whose_operation_it_is_and_the_document_follows() -> None:
    source = parse_file(f"{header(purposes='1.000894 1.004873', clients='a b')}\n\n{NAME}")
    assert source.header.id == "name.v1"
    assert source.header.title.en == "Name"
    assert source.header.purposes == ("1.000894", "1.004873")
    assert source.header.clients == {"a", "b"}
    assert source.header.example == {}
    assert source.document == NAME
    assert source.line(1) == 11


@pytest.mark.parametrize(
    ("stated", "matching"), [(None, "birth-date"), ("name", "name"), ("none", "none")]
)
def test_partners_give_the_date_of_birth_unless_the_review_says_otherwise(
    stated: str | None, matching: str
) -> None:
    assert parse_file(header(matching=stated) + NAME).header.matching == matching


def test_an_example_is_json() -> None:
    source = parse_file(header(example='{"id": "@married"}') + NAME)
    assert source.header.example == {"id": "@married"}


@pytest.mark.parametrize(
    ("entries", "line", "expected"),
    [
        ({"name": None}, 1, "the header needs name"),
        ({"cost": None}, 1, "the header needs cost"),
        ({"name": "Tên"}, 1, "name must be lower-case letters, digits and -"),
        ({"name": "a.v2"}, 1, "name must be lower-case letters, digits and -"),
        ({"version": "1.0"}, 2, "version must be a number from 1"),
        ({"version": 0}, 2, "version must be a number from 1"),
        ({"title": "Họ tên"}, 3, "title must be Vietnamese, then ' / ', then English"),
        ({"owner": ""}, 4, "owner must not be empty"),
        ({"purposes": "a,b"}, 5, "purposes must be words of letters, digits and ._-"),
        ({"clients": ""}, 6, "clients must not be empty"),
        ({"cost": "-1"}, 7, "cost must be a number from 1"),
        ({"matching": "year"}, 8, "matching must be birth-date, name or none"),
        ({"example": "[]"}, 9, "example must be a JSON object"),
        ({"example": "{"}, 9, "example must be a JSON object"),
        ({"colour": "red"}, 9, "a header has no colour"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    entries: dict[str, object], line: int, expected: str
) -> None:
    with pytest.raises(OperationRefused) as excinfo:
        parse_file(f"{header(**entries)}\n{NAME}")
    assert (excinfo.value.line, excinfo.value.reason) == (line, expected)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "the header needs name"),
        (NAME, 1, "the header needs name"),
        (header() + "# name: twice\n" + NAME, 9, "name must not be given twice"),
        (header() + "# a note\n" + NAME, 9, "a line of the header must be '# name: value'"),
        (header() + "\n \n", 9, "there is no document"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, line: int, expected: str) -> None:
    with pytest.raises(OperationRefused) as excinfo:
        parse_file(text)
    assert (excinfo.value.line, excinfo.value.reason) == (line, expected)
