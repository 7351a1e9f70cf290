"""Legal dates."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.runtime.clock import legal_date


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 6, 30, 16, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 17, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(9999, 12, 31, 16, 59, tzinfo=UTC), date(9999, 12, 31)),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), date(9999, 12, 31)),
        (datetime(1, 1, 1, tzinfo=UTC), date(1, 1, 1)),
    ],
)
def test_a_moment_falls_on_a_day_in_viet_nam(moment: datetime, day: date) -> None:
    assert legal_date(moment) == day
