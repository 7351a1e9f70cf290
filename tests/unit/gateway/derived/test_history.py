"""What a register held on a past day, by its own dates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.derived.history import has_history, rows_recorded_by

MARRIAGES = CIVIL_STATUS.by_name["marriages"]
MADE = date(2015, 3, 2)
#: A moment of the same day in Viet Nam.
MADE_AT = datetime(2015, 3, 2, 4, tzinfo=UTC)


def marriage(**changes: Any) -> tuple[object, ...]:
    values = {"registration_date": MADE, "source_updated_at": MADE_AT, "status": "VALID", **changes}
    return tuple(values.get(column.name) for column in MARRIAGES.columns)


def held(row: tuple[object, ...], day: date) -> tuple[bool, bool]:
    """Say whether the row was there on ``day``, and whether that is certain."""
    rows, is_certain = rows_recorded_by(MARRIAGES, [row], day)
    return bool(rows), is_certain


@pytest.mark.parametrize(("day", "is_there"), [(date(2015, 3, 1), False), (MADE, True)])
def test_an_entry_is_there_from_the_day_on_which_it_was_made(day: date, is_there: bool) -> None:
    assert held(marriage(), day) == (is_there, True)


def test_an_entry_that_was_changed_since_does_not_say_what_it_held() -> None:
    changed = marriage(source_updated_at=datetime(2020, 1, 1, 4, tzinfo=UTC), status="AMENDED")
    assert held(changed, date(2019, 12, 31)) == (False, False)
    assert held(changed, date(2020, 1, 1)) == (True, True)


@pytest.mark.parametrize(
    "change", [{"status": "REVOKED"}, {"ended_on": date(2018, 1, 1)}, {"amendments": ("E1",)}]
)
def test_an_entry_that_was_changed_without_saying_when_is_not_certain(
    change: dict[str, Any],
) -> None:
    assert held(marriage(**change), date(2019, 1, 1)) == (False, False)


@pytest.mark.parametrize("change", [{"registration_date": None}, {"source_updated_at": None}])
def test_an_entry_without_its_dates_is_not_certain(change: dict[str, Any]) -> None:
    assert held(marriage(**change), date(2026, 1, 1)) == (False, False)


def test_the_population_database_keeps_no_history() -> None:
    identity = POPULATION.by_name["identity"]
    assert not has_history(identity)
    assert rows_recorded_by(identity, [], date(2026, 1, 1)) == ((), False)


def test_every_record_of_the_civil_status_books_tells_when_it_was_made() -> None:
    assert all(has_history(record) for record in CIVIL_STATUS.records)
