"""Planned maintenance: known to every process within a second, ordered, and cancellable.

Covers ``gateway.cli.maintenance``, ``gateway.runtime.append_only_file``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.fetch.maintenance import Maintenance, Window
from gateway.runtime.append_only_file import READ_EVERY
from tests.support.running import TestClock

NIGHT = datetime(2026, 11, 23, 22, tzinfo=timezone(timedelta(hours=7)))
MORNING = NIGHT + timedelta(hours=6)


def _two(path: Path) -> tuple[Maintenance, Maintenance, TestClock]:
    """Return what two processes have, and their clock."""
    clock = TestClock()
    return Maintenance(path, clock), Maintenance(path, clock), clock


def test_a_window_planned_by_one_process_is_known_to_another(tmp_path: Path) -> None:
    first, other, clock = _two(tmp_path / "a" / "windows.jsonl")
    assert other.windows("notary") == []
    window = first.plan(Window("notary", NIGHT, MORNING, planned_by="op-1"))
    clock.advance(READ_EVERY)
    assert other.windows("notary") == [window]
    assert other.windows("population") == []
    assert window.id is not None
    assert other.find(window.id) == window


def test_it_holds_from_its_beginning_to_its_end_and_is_then_forgotten(tmp_path: Path) -> None:
    first, _, clock = _two(tmp_path / "windows")
    first.plan(Window("notary", NIGHT, MORNING))
    open_at = []
    for moment in (NIGHT - timedelta(seconds=1), NIGHT, MORNING - timedelta(seconds=1), MORNING):
        clock.advance(READ_EVERY)
        clock.moment = moment.astimezone(UTC)
        open_at.append(first.current("notary") is not None)
    assert open_at == [False, True, True, False]
    assert first.windows("notary") == []


def test_of_several_that_are_open_the_longest_is_told(tmp_path: Path) -> None:
    first, _, clock = _two(tmp_path / "windows")
    now = clock.now()
    first.plan(Window("notary", now, now + timedelta(hours=2)))
    first.plan(Window("notary", now, now + timedelta(hours=1)))
    clock.advance(READ_EVERY)
    current = first.current("notary")
    assert current is not None
    assert current.ends == now + timedelta(hours=2)
    first.plan(Window("notary", now))
    clock.advance(READ_EVERY)
    current = first.current("notary")
    assert current is not None
    assert current.ends is None


def test_one_that_is_called_off_never_begins_and_one_that_is_ended_ends(tmp_path: Path) -> None:
    first, other, clock = _two(tmp_path / "windows")
    planned = first.plan(Window("notary", NIGHT, MORNING))
    present = first.plan(Window("population", clock.now()))
    clock.advance(READ_EVERY)
    assert other.current("population") == present
    for window in (planned, present):
        first.end(window)
    clock.advance(READ_EVERY)
    assert other.current("population") is None
    assert other.windows("notary") == []
    assert planned.id is not None
    assert other.find(planned.id) is None


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (NIGHT, NIGHT),
        (MORNING, NIGHT),
        (NIGHT - timedelta(days=30), NIGHT - timedelta(days=29)),
    ],
)
def test_one_that_ends_before_it_begins_or_has_ended_is_refused(
    tmp_path: Path, begins: datetime, ends: datetime
) -> None:
    first, _, _ = _two(tmp_path / "windows")
    with pytest.raises(ValueError, match="must end after it begins"):
        first.plan(Window("notary", begins, ends))
    assert not (tmp_path / "windows").exists()


def test_what_settings_say_stands_beside_what_is_planned(tmp_path: Path) -> None:
    clock = TestClock()
    fixed = Window("notary", clock.now() - timedelta(hours=1))
    maintenance = Maintenance(tmp_path / "windows", clock, {"notary": [fixed]})
    planned = maintenance.plan(Window("notary", NIGHT, MORNING))
    assert maintenance.current("notary") == fixed
    assert maintenance.windows("notary") == [fixed, planned]


def test_lines_that_make_no_sense_are_said_and_cost_only_themselves(tmp_path: Path) -> None:
    path = tmp_path / "windows"
    naive = {"id": "1", "database": "notary", "begins": "2026-11-23T10:00:00", "ends": None}
    path.write_text(f"{json.dumps(naive)}\n[]\nnonsense\n{{}}\n")
    clock = TestClock()
    maintenance = Maintenance(path, clock)
    good = maintenance.plan(Window("notary", NIGHT))
    with capture_logs() as logs:
        assert maintenance.windows("notary") == [good]
    assert [entry["event"] for entry in logs] == [
        "a line of planned maintenance makes no sense"
    ] * 4
