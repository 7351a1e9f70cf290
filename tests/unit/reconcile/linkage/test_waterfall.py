"""A waterfall says in words and numbers what its bars show."""

from __future__ import annotations

from xml.etree import ElementTree

from reconcile.linkage.comparisons import COMPARISONS
from reconcile.linkage.proposals import ComparisonWeight
from reconcile.linkage.waterfall import waterfall

SVG = "{http://www.w3.org/2000/svg}"
WEIGHTS = (5.7, 3.0, -2.5, 0.0, 80.0, 1.0, 9.3, -60.0, 9.5)
PARTS = [
    ComparisonWeight(item.name, len(item.levels) - 1, weight)
    for item, weight in zip(COMPARISONS["births"], WEIGHTS, strict=True)
]


def _picture(**options: bool) -> ElementTree.Element:
    total = sum(WEIGHTS) - 20.0
    return ElementTree.fromstring(waterfall("births", total, PARTS, "p1", **options))


def test_it_has_a_bar_and_a_number_for_each_part_within_the_picture() -> None:
    picture = _picture()
    bars = picture.findall(f"{SVG}rect")
    assert len(bars) == len(PARTS) + 2  # before comparing, and the sum
    numbers = [of.text for of in picture.findall(f"{SVG}text") if of.get("text-anchor") == "end"]
    assert numbers[0] == "-20.0"
    assert numbers[1:-1] == [f"{weight:+.1f}" for weight in WEIGHTS]
    assert [bar.get("class") for bar in bars[:4]] == ["minus", "plus", "plus", "minus"]
    for bar in bars:
        left, width = float(bar.get("x", "")), float(bar.get("width", ""))
        assert width > 0
        assert 290 <= left <= left + width <= 660


def test_it_is_read_to_those_who_do_not_see_it() -> None:
    picture = _picture()
    assert picture.get("role") == "img"
    title, description = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert picture.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "Given name: the same +5.7" in (description.text or "")


def test_only_a_file_of_its_own_has_a_style() -> None:
    assert _picture().find(f"{SVG}style") is None
    style = _picture(standalone=True).find(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in (style.text or "")
