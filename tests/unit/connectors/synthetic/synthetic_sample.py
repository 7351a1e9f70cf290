"""One sample of the population for all tests of this folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from connectors.synthetic import Cluster, Options, PersonTruth, clusters

Row = Mapping[str, object]


@dataclass
class Sample:
    """Clusters with what the tests look people and rows up by."""

    options: Options
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
                shared = any(one.what == "SHARED_NUMBER" for one in person.conflicts)
                self.holder |= dict.fromkeys(
                    (person.id, *person.earlier_numbers[shared:]), person.id
                )

    def civil(self, record: str) -> list[Row]:
        """Return the rows of a civil status record."""
        return self.rows["civil_status", record]

    def population(self, record: str) -> list[Row]:
        """Return the rows of a population record."""
        return self.rows["population", record]

    def who(self, row: Row, column: str) -> str | None:
        """Return the present number of whom a row names, also by an earlier number."""
        number = row.get(column)
        return None if number is None else self.holder[str(number)]


@cache
def the_sample() -> Sample:
    """Six thousand people, with many disagreements so that each kind occurs."""
    options = Options(people=6_000, disagreement_rate=0.06)
    return Sample(options, list(clusters(options)))
