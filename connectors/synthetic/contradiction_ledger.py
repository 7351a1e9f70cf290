"""The rows of a cluster while contradictions are planted in them, and what was recorded so far."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from random import Random

from connectors.synthetic.book import Rows
from connectors.synthetic.model import BookEntry, Citizen, Family, Union
from connectors.synthetic.places import Columns

IN_FORCE = frozenset({"VALID", "AMENDED"})


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rows of one person that contradict each other.

    ``rule``: the rule that finds it. ``record_ids``: the identities of the rows, in the order of
    the sides of the rule's finding.
    """

    rule: str
    person_id: str
    record_ids: tuple[str, ...]

    def as_json(self) -> str:
        """Return the contradiction as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(slots=True)
class Ledger:
    """The rows of one cluster by person, and what was recorded so far.

    ``faulty``: the numbers of those with a contradiction.
    """

    family: Family
    rows: Rows
    rng: Random
    contradictions: list[Contradiction] = field(default_factory=list)
    by_identity: dict[tuple[str, str], Columns] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)
    events: int = 0

    def record(self, rule: str, person: Citizen, *record_ids: str) -> None:
        """Record a contradiction."""
        self.contradictions.append(Contradiction(rule, person.number, record_ids))
        self.faulty.add(person.number)

    def identity(self, person: Citizen) -> Columns:
        """Return the population database's row of somebody."""
        return self.by_identity["identity", person.number]

    def birth(self, person: Citizen) -> Columns | None:
        """Return the birth record in force."""
        entry = person.birth_entry
        return None if entry is None else self.by_identity["births", entry.event_id]

    def death(self, person: Citizen) -> Columns | None:
        """Return the death record in force."""
        entry = death_in_force(person)
        return None if entry is None else self.by_identity["deaths", entry.event_id]

    def relative(self, person: Citizen, *relations: str) -> Columns | None:
        """Return the first row of a relative of somebody."""
        for row in self.rows["population", "family"]:
            if row["citizen_id"] == person.number and row["relation"] in relations:
                return row
        return None

    def new_id(self, prefix: str) -> str:
        """Return an identity that no other row has."""
        self.events += 1
        return f"{prefix}-{self.family.index:05d}-X{self.events:03d}"

    def copy(self, database: str, record: str, identity: str, row: Columns) -> Columns:
        """Add a copy of a row under a new identity."""
        prefix = str(row[identity]).split("-", maxsplit=1)[0]
        copied = row | {identity: self.new_id(prefix)}
        self.rows[database, record].append(copied)
        return copied


#: A kind of fault: says whether it fits a person; with True it is planted.
FaultKind = Callable[[Ledger, Citizen, bool], bool]


def death_in_force(person: Citizen) -> BookEntry | None:
    """Return the entry of a death that counts."""
    entry = person.death_entry
    return entry if entry is not None and entry.status in IN_FORCE else None


def registered_unions(person: Citizen) -> list[Union]:
    """Return the marriages that are in force in the books, in their order."""
    unions = [u for u in person.unions if u.entry is not None and u.entry.status in IN_FORCE]
    return sorted(unions, key=lambda union: union.start)
