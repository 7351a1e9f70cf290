"""Provinces after and before the mergers."""

from __future__ import annotations

import pytest

from reconcile.report.provinces import UNKNOWN, provinces


def test_every_former_province_is_part_of_a_present_one() -> None:
    known = provinces()
    assert (len(known.present), len(known.former)) == (34, 63)
    assert set(known.present_code.values()) == set(known.present)


@pytest.mark.parametrize(
    ("province", "former", "place"),
    [
        ("24", "27", ("24", "27")),
        ("24", "027", ("24", "27")),
        ("24", None, ("24", UNKNOWN)),
        (None, "27", ("24", "27")),
        ("01", "27", ("01", UNKNOWN)),
        ("24", "xx", ("24", UNKNOWN)),
        ("99", None, (UNKNOWN, UNKNOWN)),
        (None, None, (UNKNOWN, UNKNOWN)),
    ],
)
def test_a_place_is_as_exact_as_it_is_recorded(
    province: str | None, former: str | None, place: tuple[str, str]
) -> None:
    assert provinces().place(province, former) == place
