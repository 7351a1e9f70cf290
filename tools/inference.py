"""What BASIC fields of a person's records tell of what is concealed: adoption, wills, protection.

``python -m tools.inference --people 200000`` goes through a synthetic population and prints every
value of a BASIC field, and every combination of two, by which somebody could guess a concealed fact
with an advantage over chance above the bound; it exits with 1 where there is one.

The advantage of a value is the share of those who bear it to whom the fact applies, less the share
to be expected of people of their ages: age is no secret, and only the old make wills. Of the first
share the lower end of a confidence interval counts, so that chance is not taken for a pattern.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations_with_replacement

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Record, Sensitivity
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PersonTruth, PopulationOptions, clusters
from connectors.synthetic.clusters import Cluster
from connectors.values import PartialDate

BOUND = 0.02
#: Standard errors: of some 10,000 values that are looked at, chance passes less than one.
_CONFIDENCE = 4.0
_YEARS = 365.2425

#: Fewer people of whom something is known tell of chance, not of a pattern.
_FEWEST = 5

_Row = Mapping[str, object]
#: A field, or something said of two fields, and its value.
_Value = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that tells more than it may: of ``count`` people, ``hits`` have the fact."""

    fact: str
    values: tuple[_Value, ...]
    count: int
    hits: int
    advantage: float

    def __str__(self) -> str:
        """Return the finding as a line of text."""
        said = ", ".join(f"{name}: {value}" for name, value in self.values)
        return f"{self.fact}: {self.hits} of {self.count} with {said} (+{self.advantage:.3f})"


@dataclass(slots=True)
class Tally:
    """Who bears which value, and to whom which fact applies: places of people, in order."""

    people: int = 0
    values: dict[_Value, list[int]] = field(default_factory=dict)
    facts: dict[str, list[int]] = field(default_factory=dict)
    groups: dict[int, list[int]] = field(default_factory=dict)

    def add(self, cluster: Cluster, today: date) -> None:
        """Note the people of a cluster."""
        births, identities = _in_force(cluster), _by_number(cluster, "population", "identity")
        for person in cluster.truth:
            age = int((today - person.birth_date).days / _YEARS)
            group = 2 * age + (person.life_state == "ALIVE")
            self.groups.setdefault(group, []).append(self.people)
            for value in _identity(identities.get(person.id, {}), today):
                self.values.setdefault(value, []).append(self.people)
            for value in _birth(births.get(person.id, {})):
                self.values.setdefault(value, []).append(self.people)
            for fact in facts_of(person):
                self.facts.setdefault(fact, []).append(self.people)
            self.people += 1

    def findings(self, bound: float = BOUND) -> list[Finding]:
        """Return every value whose advantage is above ``bound``, the greatest first.

        People are bits of a number, so that a combination of two values costs microseconds.
        """
        values = {value: _bits(places) for value, places in self.values.items()}
        groups = [_bits(places) for places in self.groups.values()]
        findings: list[Finding] = []
        for fact, places in self.facts.items():
            having = _bits(places)
            chances = [(people, _share(having & people, people)) for people in groups]
            alone = {value: people for value, people in values.items() if people & having}
            for (left, first), (right, second) in combinations_with_replacement(alone.items(), 2):
                both = first & second
                if (left[0] == right[0] and left != right) or not both & having:
                    continue
                names = (left,) if left == right else (left, right)
                findings += _above(bound, Finding(fact, names, 0, 0, 0), both, having, chances)
        return sorted(findings, key=lambda finding: -finding.advantage)


def _above(
    bound: float, finding: Finding, people: int, having: int, chances: list[tuple[int, float]]
) -> Iterator[Finding]:
    """Yield a finding where a value tells more than ``bound``.

    ``chances``: the people of each age, living and not, and the share to whom the fact applies.
    """
    count, hits = people.bit_count(), (people & having).bit_count()
    if hits < _FEWEST or lowest_share(hits, count) <= bound:
        return
    expected = sum((people & group).bit_count() * chance for group, chance in chances)
    advantage = lowest_share(hits, count) - expected / count
    if advantage > bound:
        yield Finding(finding.fact, finding.values, count, hits, advantage)


def _bits(places: list[int]) -> int:
    """Return places as the bits of a number."""
    data = bytearray(places[-1] // 8 + 1)
    for place in places:
        data[place // 8] |= 1 << place % 8
    return int.from_bytes(data, "little")


def _share(part: int, whole: int) -> float:
    return part.bit_count() / whole.bit_count()


def facts_of(person: PersonTruth) -> Iterator[str]:
    """Yield the concealed facts that apply to a person."""
    if person.adopted:
        yield "adoption"
    if person.wills and person.life_state == "ALIVE":
        yield "will"
    if person.protection is not None:
        yield "protection"


def lowest_share(hits: int, count: int) -> float:
    """Return the lower end of Wilson's interval for a share."""
    share, weight = hits / count, _CONFIDENCE**2 / count
    spread = math.sqrt(share * (1 - share) * weight + weight**2 / 4)
    return (share + weight / 2 - spread) / (1 + weight)


def _in_force(cluster: Cluster) -> dict[str, _Row]:
    """Return the birth record in force of each person who has one."""
    filed = {filing.number: person.id for person in cluster.truth for filing in person.filed_under}
    births: dict[str, _Row] = {}
    for row in cluster.rows.get(("civil_status", "births"), ()):
        if row["status"] in {"VALID", "AMENDED"}:
            number = str(row["citizen_id"])
            births[filed.get(number, number)] = row
    return births


def _by_number(cluster: Cluster, database: str, record: str) -> dict[str, _Row]:
    rows = cluster.rows.get((database, record), ())
    return {str(row["citizen_id"]): row for row in rows}


def _basic(record: Record, row: _Row) -> Iterator[tuple[str, object]]:
    for column in record.columns:
        if column.sensitivity <= Sensitivity.BASIC:
            yield column.name, row.get(column.name)


def _identity(row: _Row, today: date) -> Iterator[tuple[str, str]]:
    """Yield what is seen of a person in the population database."""
    for name, value in _basic(POPULATION.by_name["identity"], row):
        yield f"identity.{name}", _coarse(value, today)


def _birth(row: _Row) -> Iterator[tuple[str, str]]:
    """Yield what is seen of a birth record: values, and what two of them say together.

    Dates are counted from the birth, names and places compared with those of the child.
    """
    if not row:
        yield "birth", "none"
        return
    born = _day(row.get("birth_date"))
    for name, value in _basic(CIVIL_STATUS.by_name["births"], row):
        if name not in {"event_id", "citizen_id"}:
            yield f"birth.{name}", _coarse(value, born)
    for parent in ("mother", "father"):
        yield from _compared(row, parent)


def _compared(row: _Row, parent: str) -> Iterator[tuple[str, str]]:
    family = str(row.get(f"{parent}_name", "")).split(" ")[0]
    yield f"birth.{parent} has the child's family name", str(family == row.get("family_name"))
    there = row.get(f"{parent}_residence_commune_code") or row.get(f"{parent}_residence_commune")
    here = row.get("birth_place_commune_code") or row.get("birth_place_commune")
    yield f"birth.{parent} lives where the child was born", str(there == here)
    requester = row.get("requester_name")
    yield f"birth.{parent} asked for it", str(requester == row.get(f"{parent}_name"))


def _coarse(value: object, since: date | None) -> str:
    """Return a value as somebody would sort people by it: presence of text, years of dates."""
    if value is None or isinstance(value, bool):
        return str(value)
    day = _day(value)
    if day is not None:
        years = 0 if since is None else (day - since).days / _YEARS
        return f"{math.floor(years)} years"
    text = str(value)
    return text if text.isupper() and not any(sign.isdigit() for sign in text) else "some"


def _day(value: object) -> date | None:
    if isinstance(value, PartialDate):
        return value.first
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def tally(people: int, seed: int) -> Tally:
    """Return the counts over a synthetic population. Costs a millisecond a person."""
    options = PopulationOptions(people=people, seed=seed)
    counts = Tally()
    for cluster in clusters(options):
        counts.add(cluster, options.today)
    return counts


def main(arguments: Iterable[str] | None = None) -> int:
    """Print what tells more than it may; returns 1 where anything does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--bound", type=float, default=BOUND)
    options = parser.parse_args(None if arguments is None else list(arguments))
    counts = tally(options.people, options.seed)
    for fact, places in sorted(counts.facts.items()):
        print(f"{fact}: {len(places)} of {counts.people} people")
    findings = counts.findings(options.bound)
    for finding in findings[:200]:
        print(finding)
    print(f"{len(findings)} values tell more than {options.bound}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
