"""Nationalities: codes and words, two of them, and none that is known.

Covers ``rules.conflicts.nationality``.
"""

from __future__ import annotations

from datetime import date

import pytest

from rules.conflicts import nationality
from rules.row_program import RowProgram

PROGRAM = RowProgram([nationality.RULE])
PERSON = "001090000001"


def is_found(population: str | None, book: str | None, status: str = "VALID") -> bool:
    values = {
        "identity": {"citizen_id": PERSON, "nationality": population},
        "births": {"event_id": "KS-1", "status": status, "nationality": book},
    }
    lists = [
        [tuple(values[read.lookup].get(column.name) for column in PROGRAM.records[read].columns)]
        if read.lookup in values
        else []
        for read in PROGRAM.reads
    ]
    return bool(PROGRAM.check(lists, frozenset({PERSON}), date(2026, 11, 23)))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("VN", "VN", False),
        ("VN", "Việt Nam", False),
        ("VNM", "VIỆT  NAM", False),
        ("VN", "Vietnam", False),
        ("VN", "US", True),
        ("Việt Nam", "Hoa Kỳ", True),
        ("VN", "Trung Quốc", True),
        ("VN", "Việt Nam, Hoa Kỳ", False),
        ("VN/US", "VN", False),
        ("US", "FR", True),
        ("US", "Hoa Kỳ", False),  # words of other countries are not translated
        ("VN", "không rõ", False),
        ("VN", "Chưa xác định", False),
        ("VN", "", False),
        ("VN", None, False),
    ],
)
def test_vietnam_is_told_from_other_countries(left: str, right: str | None, expected: bool) -> None:
    assert is_found(left, right) is expected
    assert is_found(right, left) is expected


def test_a_birth_that_was_amended_may_have_the_nationality_of_before() -> None:
    assert is_found("VN", "US")
    assert not is_found("VN", "US", "AMENDED")
