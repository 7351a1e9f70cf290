"""Amounts in both languages: what is little is never nothing, and most is never all."""

from __future__ import annotations

import pytest

from gateway.pages.languages import ENGLISH, VIETNAMESE


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "< 0,1 ms"), (0.00004, "< 0,1 ms"), (0.0123, "12,3 ms"), (1.25, "1.250 ms")],
)
def test_a_duration_is_in_milliseconds(seconds: float, text: str) -> None:
    assert VIETNAMESE.milliseconds(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0%"), (0.5, "50%"), (0.3333, "33.3%"), (0.99999, "99.9%"), (1, "100%")],
)
def test_a_share_is_rounded_down(share: float, text: str) -> None:
    assert ENGLISH.percent(share) == text
