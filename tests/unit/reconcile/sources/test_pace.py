"""The pace of a source: rows per second, and the hours in which it may be read."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import pytest

from reconcile.settings import SourceRate, load_reconcile_settings
from reconcile.sources.pace import BATCH_ROWS, VIETNAM, SourcePace, seconds_until_open
from tests.support.extracts import FakeTime


def test_rows_take_as_long_as_the_rate_says() -> None:
    fake = FakeTime()
    pace = SourcePace(SourceRate(rows_per_second=100), fake.clock())
    for _ in range(10):
        pace.count(50)
    assert fake.seconds == pytest.approx(5.0)


def test_time_in_which_nothing_was_read_is_not_made_up_for() -> None:
    fake = FakeTime()
    pace = SourcePace(SourceRate(rows_per_second=100), fake.clock())
    fake.seconds = 3600.0
    pace.count(200)
    assert fake.waits == [pytest.approx(2.0)]


def test_without_a_rate_nobody_waits() -> None:
    fake = FakeTime()
    pace = SourcePace(SourceRate(), fake.clock())
    pace.count(10**9)
    assert (fake.waits, pace.part_rows, pace.batch_rows) == ([], 250_000, BATCH_ROWS)


@pytest.mark.parametrize(("rate", "part", "batch"), [(1000, 60_000, 1000), (0.001, 1, 1)])
def test_a_part_of_a_slow_source_is_short(rate: float, part: int, batch: int) -> None:
    pace = SourcePace(SourceRate(rows_per_second=rate), FakeTime().clock())
    assert (pace.part_rows, pace.batch_rows) == (part, batch)


@pytest.mark.parametrize(
    ("begins", "ends", "hour", "seconds"),
    [
        ("22:00", "05:00", "21:59", 60),
        ("22:00", "05:00", "22:00", 0),
        ("22:00", "05:00", "00:00", 0),
        ("22:00", "05:00", "05:00", 17 * 3600),
        ("01:00", "05:00", "05:00", 20 * 3600),
        ("01:00", "05:00", "00:30", 1800),
        ("01:00", "05:00", "04:59", 0),
        ("20:00", None, "23:59", 0),
        ("20:00", None, "00:00", 20 * 3600),
        (None, "05:00", "00:00", 0),
        (None, "05:00", "23:00", 3600),
        ("05:00", "05:00", "12:00", 0),
        (None, None, "12:00", 0),
    ],
)
def test_hours_are_those_of_vietnam_and_go_over_midnight(
    begins: str | None, ends: str | None, hour: str, seconds: float
) -> None:
    rate = SourceRate(
        begins=None if begins is None else time.fromisoformat(begins),
        ends=None if ends is None else time.fromisoformat(ends),
    )
    now = datetime.combine(datetime(2026, 11, 30), time.fromisoformat(hour), VIETNAM)  # noqa: DTZ001
    assert seconds_until_open(rate, now) == seconds


def test_outside_its_hours_a_source_is_waited_for() -> None:
    fake = FakeTime()  # 07:00 in Vietnam
    pace = SourcePace(SourceRate(begins=time(22), ends=time(5)), fake.clock())
    assert not pace.is_open()
    pace.wait_until_open()
    assert pace.is_open()
    assert fake.waits == [15 * 3600]


def test_the_settings_that_the_documentation_shows_can_be_loaded(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs/reference/reconcile-sources.md").read_text("utf-8")
    file = tmp_path / "reconcile.toml"
    file.write_text(page.partition("```text\n")[2].partition("```")[0], "utf-8")
    settings = load_reconcile_settings(file)
    assert settings.rate("notary").begins == time(22)
    assert settings.rate("civil_status").part_rows == 100_000
