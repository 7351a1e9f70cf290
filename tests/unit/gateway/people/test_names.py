"""Spellings of a name that are equal, and dates that agree.

Covers ``connectors.synthetic.names``.
"""

from __future__ import annotations

import pytest

from connectors.synthetic.draw import stream
from connectors.synthetic.names import decomposed, name, old_tone_marks
from connectors.values import PartialDate
from gateway.people.names import date_agrees, names_agree, same_name, shows_old_encoding

THE_SAME = [
    ("Ðỗ Thị Hòa", "Đỗ Thị Hòa"),  # U+00D0
    ("ðỗ thị hòa", "Đỗ Thị Hòa"),  # U+00F0
    ("\u0189ỗ Thị Hòa", "Đỗ Thị Hòa"),
    ("\u0256ỗ Thị Hòa", "Đỗ Thị Hòa"),
    ("Đỗ\u200b Thị\u200d Hòa", "Đỗ Thị Hòa"),
    ("\ufeffĐỗ Thị Hòa", "Đỗ Thị Hòa"),
    ("Đỗ Thị H\u00adòa", "Đỗ Thị Hòa"),
    ("Đỗ\u2060 Thị \u202aHòa\u202c", "Đỗ Thị Hòa"),
    ("Đỗ\u00a0Thị\u3000Hòa", "Đỗ Thị Hòa"),
    ("Đỗ Thị Hòa\r\n", "Đỗ Thị Hòa"),
    ("H\u2019Hen Niê", "H'Hen Niê"),
    ("H\u02bcHen Niê", "H'Hen Niê"),
    ("H\u00b4Hen Niê", "H`Hen Niê"),
    ("Y\u2011Moan Êban", "Y-Moan Êban"),
    ("Y\u2013Moan Êban", "Y-Moan Êban"),
    ("Trƣơng", "Trương"),
]
DIFFERENT = [
    ("Hoa", "Hòa"), ("Lam", "Lăm"), ("Dung", "Đung"), ("Dũng", "Dụng"), ("Lan", "Lân"),
    ("Hien", "Hiền"), ("Trường", "Trương"), ("Y-Moan", "YMoan"), ("H'Hen", "Hhen"), ("", "Hoa"),
]  # fmt: skip
#: TCVN3 and VNI text, and conversions that failed, as registers hold them.
REMAINS = [
    ("NguyÔn V¨n Hßa", "Nguyễn Văn Hòa"),
    ("TrÇn ThÞ Lan", "Trần Thị Lan"),
    ("§ç ThÞ Hßa", "Đỗ Thị Hòa"),
    ("H\u00adng", "Hưng"),
    ("Lª Minh", "Lê Minh"),
    ("Nguyeãn Vaên Hoøa", "Nguyễn Văn Hòa"),
    ("NGUYEÃN VAÊN HOØA", "Nguyễn Văn Hòa"),
    ("Traàn Thò Lan", "Trần Thị Lan"),
    ("Ñoã Thò Hoøa", "Đỗ Thị Hòa"),
    ("Buøi Söông", "Bùi Sương"),
    ("Nguy?n V?n H?a", "Nguyễn Văn Hòa"),
    ("Nguy\ufffdn", "Nguyễn"),
    ("Nguyá»…n", "Nguyễn"),
]


@pytest.mark.parametrize(("first_name", "second_name"), THE_SAME)
def test_other_letters_that_look_alike_and_what_nobody_sees_are_the_same_name(
    first_name: str, second_name: str
) -> None:
    assert same_name(first_name, second_name)
    assert names_agree(second_name, first_name) is True


@pytest.mark.parametrize(("first_name", "second_name"), DIFFERENT)
def test_other_letters_and_tones_are_another_name(first_name: str, second_name: str) -> None:
    assert names_agree(first_name, second_name) is False
    assert names_agree(second_name, first_name) is False


@pytest.mark.parametrize(("first_name", "second_name"), REMAINS)
def test_what_an_old_encoding_left_is_not_another_name_but_not_known(
    first_name: str, second_name: str
) -> None:
    assert names_agree(first_name, second_name) is None
    assert names_agree(second_name, first_name) is None


def test_no_vietnamese_name_is_taken_for_an_old_encoding() -> None:
    rng = stream(7, 0, "names")
    for place in range(4_000):
        full = name(rng, "Nguyễn", "FEMALE" if place % 2 else "MALE", 1950 + place % 70).full
        for spelling in (full, full.upper(), decomposed(full), old_tone_marks(full)):
            assert not shows_old_encoding(spelling), spelling


@pytest.mark.parametrize(
    ("claim", "recorded", "agrees"),
    [
        ("1990-02-03", "1990-02-03", True),
        ("1990-02-04", "1990-02-03", False),
        ("1990-02", "1990-02-03", None),
        ("1990", "1990-02-03", None),
        ("1991", "1990-02-03", False),
        ("1990", "1990", True),
        ("1990-02-03", "1990", True),
        ("1990", "1990-02", None),
        ("1990-02", "1990-02", True),
        ("1990-03", "1990-02", False),
    ],
)
def test_a_date_agrees_as_far_as_it_is_recorded(
    claim: str, recorded: str, agrees: bool | None
) -> None:
    assert date_agrees(PartialDate.parse(claim), PartialDate.parse(recorded)) is agrees
