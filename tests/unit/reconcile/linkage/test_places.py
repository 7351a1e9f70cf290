"""Provinces of all times are mapped to those of today, or are unknown."""

from __future__ import annotations

import pytest

from reconcile.linkage.places import province_codes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ha tay", "01"),  # in Hà Nội since 2008
        ("ha bac", "24"),  # Bắc Giang and Bắc Ninh, together again
        ("ho chi minh", "79"),
        ("hcm", "79"),
        ("hue", "46"),
        ("quang binh", "44"),
        ("dac lac", "66"),
    ],
)
def test_a_former_province_has_the_code_of_today(name: str, code: str) -> None:
    assert province_codes()[name] == code


@pytest.mark.parametrize("name", ["hai hung", "ha nam ninh x", "song be", "nghia binh"])
def test_a_province_that_lies_in_several_today_is_unknown(name: str) -> None:
    assert name not in province_codes()
