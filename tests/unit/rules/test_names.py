"""Names in rules: the same name in other writings, short forms, remains of encodings."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.people.names import same_name
from rules import names
from rules.conflicts import different_name, incomplete_name, name_form, unreadable_name
from rules.registry import RULES
from rules.row_program import RowProgram
from rules.text_forms import text_function

LETTERS, TONES = text_function(names.LETTERS), text_function(names.TONES)
NAME_RULES = (
    different_name.RULE,
    incomplete_name.RULE,
    name_form.RULE,
    unreadable_name.RULE,
)
PROGRAM = RowProgram(NAME_RULES)


def rules_between(left: str, right: str) -> list[str]:
    """Return the rules that a population database's and a birth record's name break."""
    values = {
        "identity": {"citizen_id": "001090000001", "full_name": left},
        "births": {"event_id": "KS-1", "full_name": right, "status": "VALID"},
    }
    lists = [
        [tuple(values[read.lookup].get(column.name) for column in PROGRAM.records[read].columns)]
        if read.lookup in values
        else []
        for read in PROGRAM.reads
    ]
    findings = PROGRAM.check(lists, frozenset({"001090000001"}), date(2026, 11, 23))
    return [finding.rule.name for finding in findings]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Nguyễn Thị Hòa", "Nguyễn Thị Hoà"),
        ("Trần Văn Thúy", "TRẦN VĂN THUÝ"),
        ("Đỗ Thị Hòa", "\u00d0ỗ Thị Hòa"),
        ("Đỗ Thị Hòa", "\u0189ỗ  Thị\u00a0Hòa "),
        ("Lê Hữu Quý", unicodedata.normalize("NFD", "Lê Hữu Quý")),
        ("Nguyễn Thị Hòa", "Nguyễn\u200b Thị\ufeff Hò\u00ada"),
        ("H'Hen Niê", "H\u2019Hen Niê"),
        ("Y-Moan Êban", "Y\u2011Moan Êban"),
        ("Rơ Châm Kpă", unicodedata.normalize("NFD", "rơ châm kpă")),
    ],
)
def test_another_writing_is_the_same_name(left: str, right: str) -> None:
    assert rules_between(left, right) == ["NAME_FORM"]
    assert same_name(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Nguyễn Văn Hòa", "Nguyễn Hòa"),
        ("Nguyễn Thị Minh Anh", "Nguyễn Thị Anh"),
        ("Nguyễn Thị Minh Anh", "Nguyễn Minh Anh"),
        ("Nguyễn Văn Hòa", "Nguyễn V. Hòa"),
        ("Nguyễn Văn Hòa", "Nguyễn V Hòa"),
        ("Nguyễn Văn Hòa", "Ng. V. Hoà"),
        ("Nguyễn Văn Hòa", "N.V.Hòa"),
        ("Nguyễn Thị Hòa", "Nguyen Thi Hoa"),
        ("Nguyễn Thị Minh Hòa", "NGUYEN THI HOA"),
        ("Trần Thị Thu Tâm", "Trần T. T. Tâm"),
    ],
)
def test_a_short_form_may_be_the_same_name(left: str, right: str) -> None:
    assert rules_between(left, right) == ["INCOMPLETE_NAME"]
    assert rules_between(right, left) == ["INCOMPLETE_NAME"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Nguyễn Thị Hoa", "Nguyễn Thị Hòa"),
        ("Nguyễn Văn Lam", "Nguyễn Văn Lăm"),
        ("Nguyễn Thị Dung", "Nguyễn Thị Đung"),
        ("Nguyễn Minh Hòa", "Nguyễn Mình Hoa"),
        ("Nguyễn Văn Hòa", "Nguyễn Đức Hòa"),
        ("Nguyễn Văn Hòa", "Trần Văn Hòa"),
        ("Nguyễn Văn Hòa", "Nguyễn V. Hùng"),
        ("Nguyễn Văn Hòa", "Nguyễn Đ. Hòa"),
        ("Nguyễn Văn Hòa", "Nguyễn Văn"),
        ("Nguyễn Văn Hòa", "Nguyên Văn Hòa"),
        ("Nguyễn Thị Hoa", "Nguyễn Thị"),
    ],
)
def test_another_tone_letter_or_word_is_another_name(left: str, right: str) -> None:
    assert rules_between(left, right) == ["DIFFERENT_NAME"]
    assert rules_between(right, left) == ["DIFFERENT_NAME"]


@pytest.mark.parametrize("garbled", ["NguyÔn V¨n Hßa", "Nguy?n V?n H?a", "Nguyeãn Vaên Hoøa"])
def test_remains_of_an_encoding_cannot_be_compared(garbled: str) -> None:
    assert rules_between("Nguyễn Văn Hòa", garbled) == ["UNREADABLE_NAME"]


def test_equal_names_and_missing_names_break_no_rule() -> None:
    assert rules_between("Nguyễn Văn Hòa", "Nguyễn Văn Hòa") == []


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            ["Hòa", "Hoà", "Hoa", "Thúy", "Thuý", "Quý", "Khuê", "Nguyễn", "Ðỗ", "Đỗ", "Ê", "Ƣng"]
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.sampled_from(["Hòa", "Hoà", "Thuý", "Quý", "Nguyễn", "Đỗ", "ưng"]), max_size=3),
    st.sampled_from(["NFC", "NFD"]),
)
def test_a_name_is_the_same_where_verification_says_so(
    left: list[str], right: list[str], form: str
) -> None:
    first = " ".join(left)
    second = unicodedata.normalize(form, "  ".join(right)).upper()  # type: ignore[arg-type]  # NFC
    equal = LETTERS(first) == LETTERS(second) and TONES(first) == TONES(second)
    assert equal == same_name(first, second)


def test_the_four_name_rules_are_all_rules_on_names() -> None:
    assert {rule.name for rule in NAME_RULES} == {r.name for r in RULES if "NAME" in r.name}
