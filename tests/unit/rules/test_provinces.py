"""Provinces before and after the mergers: of codes, of numbers, of addresses as written."""

from __future__ import annotations

import pytest

from connectors.synthetic.places import provinces
from rules import provinces as forms
from rules.text_forms import text_function

OF_CODE, OF_NUMBER = map(text_function, (forms.PROVINCE_OF_CODE, forms.PROVINCE_OF_NUMBER))
OF_TEXT, FORMER = map(text_function, (forms.PROVINCE_OF_TEXT, forms.FORMER_PROVINCE))


def test_every_province_is_known_by_code_number_and_name() -> None:
    for province in provinces():
        present = f"<{province.new_code}>"
        assert OF_CODE(province.prefix[1:]) == OF_CODE(province.new_code) == present
        assert OF_NUMBER(f"{province.prefix}090000001") == present
        assert OF_TEXT(f"xã Tân An, huyện Bình Hòa, {province.title}") == present
        assert OF_TEXT(f"xã Tân An, {province.new_name}") == present


def test_former_provinces_are_told_apart_and_present_names_go_with_present_codes() -> None:
    former = {FORMER(province.name) for province in provinces()}
    assert former == {f"<{province.prefix[1:]}>" for province in provinces()}
    for province in provinces():
        assert FORMER(province.new_name) == f"<{province.new_code}>"


@pytest.mark.parametrize(
    ("text", "former", "present"),
    [
        ("Phường 3, TP. Hồ Chí Minh.", "<79>", "<79>"),
        ("TP.HCM", "<79>", "<79>"),
        ("Tỉnh Bà Rịa \u2013 Vũng Tàu, Việt Nam", "<77>", "<79>"),
        ("số 12, đường Hà Nội, thành phố Huế", "<46>", "<46>"),
        ("tỉnh Hoà Bình", "<17>", "<25>"),
    ],
)
def test_an_address_is_known_by_the_province_at_its_end(
    text: str, former: str, present: str
) -> None:
    assert (FORMER(text), OF_TEXT(text)) == (former, present)


@pytest.mark.parametrize(
    "text", ["xã Hoà Bình", "tỉnh Sông Bé", "Hoa Kỳ", "", ",", "Hà Nội, huyện Ba Vì", "tỉnh"]
)
def test_what_names_no_province_at_its_end_is_no_province(text: str) -> None:
    codes = {f"<{code}>" for code in forms.PRESENT_CODES}
    assert FORMER(text) not in codes
    assert OF_TEXT(text) not in codes
