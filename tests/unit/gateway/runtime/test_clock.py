"""Legal dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.runtime.clock import LEGAL_ZONE, legal_date


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


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=1, max_size=4))
def test_the_day_is_that_of_the_zone_whatever_day_was_asked_for_before(
    moments: list[datetime],
) -> None:
    step = timedelta(hours=7)
    for moment in [*moments, *(at + step for at in moments if at.year < 9999)]:
        assume(moment.year < 9999)
        assert legal_date(moment) == moment.astimezone(LEGAL_ZONE).date()
        assert legal_date(moment) == moment.astimezone(LEGAL_ZONE).date()
