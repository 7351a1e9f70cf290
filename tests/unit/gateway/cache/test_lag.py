"""How far cached rows may lag behind a database: by their age, or by what is known of changes."""

from __future__ import annotations

from gateway.cache.lag import CacheLag

NOW = 1_000_000.0


def test_a_database_without_a_bound_may_lag_as_far_as_it_likes() -> None:
    assert CacheLag().is_within("population", 0.0, NOW)


def test_rows_are_served_for_as_long_as_the_bound_without_knowing_any_change() -> None:
    lag = CacheLag()
    lag.bound({"population": 5.0})
    assert lag.is_within("population", NOW - 5, NOW)
    assert not lag.is_within("population", NOW - 5.1, NOW)
    assert lag.is_within("notary", 0.0, NOW)


def test_rows_of_any_age_are_served_while_changes_are_known_up_to_the_bound() -> None:
    lag = CacheLag()
    lag.bound({"population": 5.0})
    lag.note({"population": NOW - 5}, NOW)
    assert lag.is_within("population", 0.0, NOW)
    assert not lag.is_within("population", 0.0, NOW + 0.1)
    lag.note({"notary": NOW}, NOW)
    assert not lag.is_within("population", 0.0, NOW)


def test_a_moment_that_was_in_the_future_says_nothing_until_there_is_another() -> None:
    lag = CacheLag()
    lag.bound({"population": 5.0})
    lag.note({"population": NOW + 2}, NOW)
    assert lag.is_within("population", 0.0, NOW)
    lag.note({"population": NOW + 60}, NOW)
    assert not lag.is_within("population", 0.0, NOW)
    later = NOW + 61
    lag.note({"population": NOW + 60}, later)
    assert not lag.is_within("population", 0.0, later)
    lag.note({"population": NOW + 60.5}, later)
    assert lag.is_within("population", 0.0, later)


def test_a_clock_that_is_set_back_lets_a_moment_say_nothing() -> None:
    lag = CacheLag()
    lag.bound({"population": 5.0})
    lag.note({"population": NOW}, NOW)
    assert lag.is_within("population", 0.0, NOW)
    assert not lag.is_within("population", 0.0, NOW - 60)
