"""Each term of the glossary occurs once, in English and Vietnamese, with its meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "glossary.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text("utf-8").splitlines()
    if re.match(r"\| (?!English )", line)
]


def test_no_term_stands_there_twice() -> None:
    terms = [row[0] for row in ROWS]
    assert len(terms) > 50
    assert sorted(terms) == sorted(set(terms))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_a_term_has_both_languages_and_a_meaning(row: list[str]) -> None:
    assert len(row) == 3
    english, vietnamese, meaning = row
    assert english.isascii()
    assert english
    assert not vietnamese.isascii(), "Vietnamese is written with its marks"
    assert meaning
    assert len(meaning) < 120, "one line"
