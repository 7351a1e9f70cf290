# ruff: noqa: S311 - these numbers are test data, not secrets
"""Reproducible draws from weighted lists and from calendars.

Every draw goes through a ``random.Random`` that was seeded from text, so that the same seed gives
the same population on every machine and in every process.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """A list from which each item is drawn in proportion to its weight."""

    __slots__ = ("_cumulative", "_items", "_total")

    def __init__(self, weights: Iterable[tuple[T, float]]) -> None:
        pairs = list(weights)
        self._items = [item for item, _ in pairs]
        self._cumulative = list(accumulate(weight for _, weight in pairs))
        self._total = self._cumulative[-1]

    def draw(self, rng: Random) -> T:
        """Draw one item."""
        return self._items[bisect(self._cumulative, rng.random() * self._total)]


def words(text: str) -> list[str]:
    """Return the words of a text, for lists to draw from."""
    return text.split()


def stream(seed: int, index: int, purpose: str) -> Random:
    """Return the random numbers of one cluster for one purpose.

    Each purpose has its own stream, so that a new kind of record changes none of the old ones.
    """
    return Random(f"{seed}/{index}/{purpose}")


def pick(rng: Random, items: list[T] | tuple[T, ...]) -> T:
    """Draw one item, all with the same probability; faster than ``Random.choice``."""
    return items[int(rng.random() * len(items))]


def between(rng: Random, low: int, high: int) -> int:
    """Draw a whole number from ``low`` to ``high``, both included."""
    return low + int(rng.random() * (high - low + 1))


def later(rng: Random, day: date, low: int, high: int) -> date:
    """Draw a day between ``low`` and ``high`` days after ``day``."""
    return day + timedelta(days=low + int(rng.random() * (high - low + 1)))


def add_years(day: date, years: float) -> date:
    """Return the day ``years`` (also parts of years) after ``day``."""
    return day + timedelta(days=int(years * 365.2425))


def birthday(born: date, age: int) -> date:
    """Return the day on which somebody born on ``born`` reaches ``age`` full years."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:  # born on 29 February
        return date(born.year + age, 3, 1)


def age_on(born: date, day: date) -> int:
    """Return the age in full years on ``day``."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def workday(day: date) -> date:
    """Return ``day``, or the Monday after it: offices are closed at weekends."""
    weekday = day.weekday()
    return day if weekday < 5 else day + timedelta(days=7 - weekday)
