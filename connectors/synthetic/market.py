"""Who of a cluster waits to marry, and who suits whom."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import date

from connectors.synthetic.demography import LEGAL_AGE
from connectors.synthetic.draw import add_years, birthday
from connectors.synthetic.kinship import akin
from connectors.synthetic.model import Citizen, Family


@dataclass(slots=True)
class Market:
    """Who wants to marry, in the order of the days, and what else is due."""

    family: Family
    heap: list[tuple[date, int, str, Citizen]] = field(default_factory=list)
    waiting: dict[int, date] = field(default_factory=dict)

    def push(self, day: date | None, event: str, person: Citizen) -> None:
        """Put something on the calendar, unless the person will not live to see it."""
        if day is None or day >= min(person.gone, self.family.options.today):
            return
        if event == "MARRY":
            self.waiting[person.index] = day
        heapq.heappush(self.heap, (day, person.index, event, person))


def suits(market: Market, person: Citizen, other: Citizen, day: date) -> bool:
    """Whether two people may and would marry."""
    if other.sex == person.sex or day >= other.gone or other.union_on(day) is not None:
        return False
    if market.waiting[other.index] > add_years(day, 4):
        return False
    husband, wife = (person, other) if person.sex == "MALE" else (other, person)
    gap = wife.born.year - husband.born.year
    if not -3 <= gap <= 9 or not _of_age(husband, day) or not _of_age(wife, day):
        return False
    return not akin(person, other)


def _of_age(person: Citizen, day: date) -> bool:
    return birthday(person.born, LEGAL_AGE[person.sex]) <= day
