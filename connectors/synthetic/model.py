"""What the simulation knows about one cluster: the people and their lives.

These objects are the ground truth while a cluster is made. The registers are written from them,
with the faults that registers have. They are mutable because lives go on; they never leave this
package (``Cluster`` holds plain rows and frozen truth).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from connectors.synthetic.dealings import AidCase, Handling, Protection, Sanction
from connectors.synthetic.names import Name
from connectors.synthetic.numbers import NumberGenerator
from connectors.synthetic.options import PopulationOptions
from connectors.synthetic.places import Home


@dataclass(slots=True)
class BookEntry:
    """The entry of an event in a civil status book: its id, day, kind and place.

    ``digitised`` entries came from paper books (before 2016) and lack much.
    """

    event_id: str
    on: date
    kind: str
    home: Home
    digitised: bool = False
    status: str = "VALID"
    amendments: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Citizen:
    """A simulated person with a number.

    ``mother`` and ``father`` are the legal ones, as the present birth record names them;
    ``birth_mother`` / ``birth_father`` those at birth, different only after an adoption for which
    the birth was registered anew. ``gone`` is the day of death or disappearance, after which
    nothing happens to the person. ``died`` is the legal day of death (that of the court's decision
    for somebody declared dead).
    """

    index: int
    number: str
    sex: str
    born: date
    name: Name
    group: str
    religion: str
    birth_home: Home
    home: Home
    gone: date
    died: date | None
    mother: Citizen | None = None
    father: Citizen | None = None
    birth_mother: Citizen | None = None
    birth_father: Citizen | None = None
    moved: date | None = None
    founder: bool = False
    missing: date | None = None
    declared_missing: date | None = None
    declared_dead: date | None = None
    returned: date | None = None
    abandoned: bool = False
    unions: list[Union] = field(default_factory=list)
    children: list[Citizen] = field(default_factory=list)
    earlier: list[FormerNumber] = field(default_factory=list)
    adoption: AdoptionEvent | None = None
    adopted: list[Citizen] = field(default_factory=list)
    recognition: Recognition | None = None
    guardian_of: list[Citizen] = field(default_factory=list)
    ward: GuardianshipEvent | None = None
    incapacitated: date | None = None
    former_name: Name | None = None
    renamed: date | None = None
    birth_entry: BookEntry | None = None
    original_entry: BookEntry | None = None
    death_entry: BookEntry | None = None
    planted: dict[str, object] = field(default_factory=dict)
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    filed: list[tuple[str, str, str]] = field(default_factory=list)
    protection: Protection | None = None
    aid: list[AidCase] = field(default_factory=list)
    sanctions: list[Sanction] = field(default_factory=list)
    handled: list[Handling] = field(default_factory=list)

    def name_on(self, day: date) -> Name:
        """Return the name borne on ``day``."""
        if self.former_name is not None and self.renamed is not None and day < self.renamed:
            return self.former_name
        return self.name

    def home_on(self, day: date) -> Home:
        """Return where the person is at home on ``day``; wives move to their husbands."""
        return self.birth_home if self.moved is not None and day <= self.moved else self.home

    def union_on(self, day: date) -> Union | None:
        """Return the marriage that stands on ``day``, None outside marriage."""
        for union in self.unions:
            if union.start <= day and (union.end is None or day < union.end):
                return union
        return None

    def alive_on(self, day: date) -> bool:
        """Whether the person lives, and has not disappeared, on ``day``."""
        return self.born <= day < self.gone


@dataclass(slots=True, eq=False)
class Union:
    """A marriage. It ends when the divorce takes legal effect, or with a death (Law 52/2014).

    ``end_noted``: the register of marriages says that it ended.
    """

    husband: Citizen
    wife: Citizen
    start: date
    home: Home
    end: date | None = None
    reason: str | None = None
    consensual: bool = True
    entry: BookEntry | None = None
    divorce_entry: BookEntry | None = None
    annulment_id: str | None = None
    end_noted: bool = False
    children: list[Citizen] = field(default_factory=list)

    def spouse(self, person: Citizen) -> Citizen:
        """Return the spouse of ``person``."""
        return self.wife if person is self.husband else self.husband


@dataclass(frozen=True, slots=True)
class FormerNumber:
    """An earlier number of a person: of an old identity card, or cancelled."""

    number: str
    kind: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True)
class AdoptionEvent:
    """An adoption (Law 52/2010): the legal effects start with the handover."""

    event_id: str
    child: Citizen
    father: Citizen | None
    mother: Citizen | None
    decided: date
    handover: date
    relation: str
    old_name: Name


@dataclass(frozen=True, slots=True)
class Recognition:
    """A father's recognition of his child born outside marriage."""

    event_id: str
    father: Citizen
    child: Citizen
    on: date
    combined: bool


@dataclass(frozen=True, slots=True)
class GuardianshipEvent:
    """A guardianship of a minor without parents, or of somebody who lost civil act capacity."""

    event_id: str
    ward: Citizen
    guardian: Citizen
    kind: str
    reason: str
    start: date
    end: date | None = None


@dataclass(slots=True)
class Note:
    """A court decision or change that only its own entry records."""

    event_id: str
    kind: str
    person: Citizen
    decided: date
    effective: date
    spouse: Citizen | None = None
    child: Citizen | None = None
    revoked_by: str | None = None
    status: str = "VALID"


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A change or correction of a civil status record."""

    event_id: str
    person: Citizen
    kind: str
    changed_field: str
    old: str
    new: str
    reason: str
    on: date


@dataclass(slots=True, eq=False)
class Family:
    """One cluster while it is made."""

    index: int
    options: PopulationOptions
    rng: Random
    numbers: NumberGenerator
    homes: list[Home] = field(default_factory=list)
    people: list[Citizen] = field(default_factory=list)
    unions: list[Union] = field(default_factory=list)
    adoptions: list[AdoptionEvent] = field(default_factory=list)
    recognitions: list[Recognition] = field(default_factory=list)
    guardianships: list[GuardianshipEvent] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    changes: list[RecordChange] = field(default_factory=list)
    events: int = 0

    def event_id(self, prefix: str) -> str:
        """Return a new event id; unique because it names the cluster."""
        self.events += 1
        return f"{prefix}-{self.index:05d}-{self.events:04d}"
