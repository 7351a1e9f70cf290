"""Worlds and estates for the tests of property, securities and debts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from connectors.synthetic import Cluster, PersonTruth, PopulationOptions, clusters
from connectors.synthetic.bonds import bind_partners
from connectors.synthetic.conflicts import plant
from connectors.synthetic.courts import decide
from connectors.synthetic.family import simulate
from connectors.synthetic.property import build_estate
from connectors.synthetic.property_model import Estate
from connectors.synthetic.protection import protect
from connectors.synthetic.registers import register
from tests.support.synthetic_people import Row

SEEDS = (2026, 7)
PEOPLE = 3_000
TODAY = PopulationOptions(people=1).today


@dataclass
class World:
    """Clusters of one seed, with what the tests look rows up by."""

    clusters: list[Cluster]
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))
    people: dict[str, PersonTruth] = field(default_factory=dict)
    holder: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for cluster in self.clusters:
            for key, rows in cluster.rows.items():
                self.rows[key] += rows
            for person in cluster.truth:
                self.people[person.id] = person
                shared = any(conflict.what == "SHARED_NUMBER" for conflict in person.conflicts)
                numbers = (person.id, *person.earlier_numbers[shared:])
                self.holder |= dict.fromkeys(numbers, person.id)

    def notary(self, record: str) -> list[Row]:
        return self.rows["notary", record]

    def security(self, record: str) -> list[Row]:
        return self.rows["security_measures", record]

    def cases(self, record: str) -> list[Row]:
        return self.rows["civil_enforcement", record]

    def group(self, rows: list[Row], key: str) -> dict[object, list[Row]]:
        groups: dict[object, list[Row]] = defaultdict(list)
        for row in rows:
            groups[row[key]].append(row)
        return groups

    def holder_of(self, row: Row, column: str = "party_citizen_id") -> PersonTruth | None:
        number = row.get(column)
        return None if number is None else self.people[self.holder[str(number)]]


@cache
def the_world(seed: int) -> World:
    """Return some 3,000 people of a seed and all their rows."""
    return World(list(clusters(PopulationOptions(people=PEOPLE, seed=seed))))


@cache
def build_estates() -> tuple[Estate, ...]:
    """Return the facts themselves of some 5,000 people, before any row is written."""
    estates: list[Estate] = []
    for index in range(100):
        family = simulate(PopulationOptions(people=1), index)
        bind_partners(family)
        decide(family)
        register(family)
        plant(family)
        protect(family)
        estates.append(build_estate(family))
    return tuple(estates)


def day(value: object) -> date:
    assert isinstance(value, date)
    return value


def last_day(person: PersonTruth) -> date:
    ends = [day for day in (person.death_date, person.missing_since) if day is not None]
    return min(ends, default=date.max)


def spouse_on(person: PersonTruth, on: date) -> str | None:
    for spell in person.marital_history:
        if spell.start <= on and (spell.end is None or on < spell.end):
            return spell.spouse_id
    return None
