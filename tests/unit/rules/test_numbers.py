"""What the digits of a citizen ID say.

Covers ``rules.conflicts.number_structure``.
"""

from __future__ import annotations

from datetime import date

import pytest

from connectors.values import PartialDate
from rules import numbers
from rules.conflicts import number_structure
from rules.row_program import RowProgram
from rules.text_forms import text_function

PROGRAM = RowProgram([number_structure.RULE])


def shown(number: str, **columns: object) -> list[str]:
    """Return the column that each finding shows beside the number."""
    (read,) = PROGRAM.reads
    values = {"citizen_id": number, **columns}
    row = tuple(values.get(column.name) for column in PROGRAM.records[read].columns)
    findings = PROGRAM.check([[row]], frozenset({number}), date(2026, 11, 23))
    return [finding.case.sides[0].columns[1] for finding in findings]


@pytest.mark.parametrize(
    ("number", "sex", "century", "year"),
    [
        ("001090000001", "MALE", "19", "90"),
        ("001190000001", "FEMALE", "19", "90"),
        ("001205000001", "MALE", "20", "05"),
        ("001305000001", "FEMALE", "20", "05"),
        ("001905000001", "FEMALE", "23", "05"),
    ],
)
def test_digits_say_sex_and_year_of_birth(number: str, sex: str, century: str, year: str) -> None:
    assert text_function(numbers.SEX_OF_NUMBER)(number) == sex
    assert text_function(numbers.CENTURY_OF_NUMBER)(number) == century
    assert text_function(numbers.YEAR_OF_NUMBER)(number) == year


@pytest.mark.parametrize(
    ("number", "columns", "expected"),
    [
        ("001190000001", {"sex": "FEMALE", "birth_date": PartialDate(1990)}, []),
        ("001190000001", {"sex": "MALE"}, ["sex"]),
        ("001190000001", {"sex": "UNDETERMINED"}, []),
        ("001190000001", {"birth_date": PartialDate(1991, 2)}, ["birth_date"]),
        ("001190000001", {"birth_date": PartialDate(2090)}, ["birth_date"]),
        ("074190000001", {"birth_registered_at_province_code": "79"}, []),
        ("079190000001", {"birth_registered_at_province_code": "74"}, []),
        (
            "074190000001",
            {"birth_registered_at_province_code": "75"},
            ["birth_registered_at_province_code"],
        ),
        ("301190000001", {"birth_registered_at_province_code": "75"}, []),  # born abroad
        ("001190000001", {"birth_registered_at_province_code": "99"}, []),
        ("123456789", {"sex": "MALE", "birth_date": PartialDate(1990)}, []),
        ("001190000001", {}, []),
    ],
)
def test_a_number_is_compared_with_what_the_person_is(
    number: str, columns: dict[str, object], expected: list[str]
) -> None:
    assert shown(number, **columns) == expected
