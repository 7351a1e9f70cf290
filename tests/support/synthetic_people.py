"""A sample of the population, shared by the tests of this folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from connectors.administrative_violations import DATABASE as VIOLATIONS
from connectors.civil_enforcement import DATABASE as ENFORCEMENT
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Record
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY_MEASURES
from connectors.synthetic import Cluster, PersonTruth, PopulationOptions, clusters
from connectors.values import PartialDate

Row = Mapping[str, object]
DATABASES = (
    POPULATION,
    CIVIL_STATUS,
    SECURITY_MEASURES,
    LEGAL_AID,
    ENFORCEMENT,
    VIOLATIONS,
    NOTARY,
)


@dataclass
class Sample:
    """Clusters with what the tests look people and rows up by."""

    options: PopulationOptions
    clusters: list[Cluster]
    people: dict[str, PersonTruth] = field(default_factory=dict)
    holder: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for cluster in self.clusters:
            for key, rows in cluster.rows.items():
                self.rows[key] += rows
            for person in cluster.truth:
                self.people[person.id] = person
                shared = any(conflict.what == "SHARED_NUMBER" for conflict in person.conflicts)
                self.holder |= dict.fromkeys(
                    (person.id, *person.earlier_numbers[shared:]), person.id
                )

    def civil(self, record: str) -> list[Row]:
        """Return the rows of a civil status record."""
        return self.rows["civil_status", record]

    def population(self, record: str) -> list[Row]:
        """Return the rows of a population record."""
        return self.rows["population", record]

    def holder_of(self, row: Row, column: str) -> str | None:
        """Return the present number of whom a row names, also by an earlier number."""
        number = row.get(column)
        return None if number is None else self.holder[str(number)]


@cache
def the_sample() -> Sample:
    """Six thousand people, with many disagreements so that each kind occurs."""
    options = PopulationOptions(people=6_000, disagreement_rate=0.06)
    return Sample(options, list(clusters(options)))


@cache
def the_world() -> Sample:
    """Twenty thousand people as they are by default."""
    options = PopulationOptions(people=20_000)
    return Sample(options, list(clusters(options)))


def first(value: object) -> date:
    """Return the first day that a date of a row can mean."""
    return PartialDate.parse(str(value)).first


def last(value: object) -> date:
    """Return the last day that a date of a row can mean."""
    return PartialDate.parse(str(value)).last


def all_rows(world: Sample) -> Iterator[tuple[Record, list[Row]]]:
    """Yield every record of the seven databases with its rows."""
    for database in DATABASES:
        for record in database.records:
            yield record, world.rows[database.name, record.name]


def number_columns(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the columns that hold a number, with what the names beside it begin with."""
    names = [column.name for column in record.columns]
    if "member_id" in names:  # a row about somebody's kin or household
        yield "member_id", ""
        return
    for name in names:
        if name.endswith("citizen_id"):
            yield name, name.removesuffix("citizen_id")
