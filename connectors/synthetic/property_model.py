"""The facts about a cluster's property, securities and debts, before any register.

Each fact is stored once; ``notary_rows``, ``security_rows`` and ``enforcement_rows`` write what
their database holds of it. Like ``model``, these objects change while a cluster is made.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from connectors.synthetic.draw import birthday
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.organisations import NotaryOffice, Organisation
from connectors.synthetic.places import Home

#: Common property of spouses without shares (Law on Marriage and Family 52/2014 Art. 33).
COMMON = "sở hữu chung hợp nhất của vợ chồng"
HOMES = ("LAND_USE_RIGHT", "HOUSE", "APARTMENT")


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody outside the population, with what a record writes down."""

    name: str
    year: int
    home: Home


Owner = Citizen | Organisation | Outsider


@dataclass(slots=True, eq=False)
class Block:
    """An asset may not (BLOCK), or should not without care (WARN), be transacted."""

    prevent_id: str
    kind: str
    level: str
    person: Citizen | None
    issuer: str
    document_no: str
    start: date
    end: date | None = None
    attachment: str | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it stands on ``day``."""
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Holding:
    """The owners of an asset from a day on, each with a share."""

    start: date
    owners: tuple[tuple[Owner, str], ...]
    origin: str


@dataclass(slots=True, eq=False)
class Asset:
    """A home or a vehicle and its owners over time. ``seen``: notaries know it."""

    asset_id: str
    kind: str
    home: Home
    serial: int
    holdings: list[Holding] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    mortgages: list[tuple[date, date, Owner]] = field(default_factory=list)
    securities: list[Registration] = field(default_factory=list)
    last_deed: date = date.min
    seen: bool = False
    chassis_no: str | None = None
    plate_no: str | None = None
    engine_no: str | None = None
    brand: str | None = None

    @property
    def certificate_no(self) -> str | None:
        """The serial number of the certificate of a home: two letters and eight digits."""
        if self.kind == "VEHICLE":
            return None
        letters = "CĐBK"[self.serial % 4] + "HNPT"[self.serial // 4 % 4]
        return f"{letters} {self.serial:08d}"

    @property
    def holding(self) -> Holding:
        """The present holding."""
        return self.holdings[-1]

    def owners(self) -> list[Owner]:
        """Return the present owners."""
        return [owner for owner, _ in self.holdings[-1].owners]

    def owners_on(self, day: date) -> list[Owner]:
        """Return the owners on ``day``, none if they are not known."""
        for holding in reversed(self.holdings):
            if holding.start <= day:
                return [owner for owner, _ in holding.owners]
        return []

    def blocked_on(self, day: date) -> bool:
        """Whether transactions of the asset are blocked on ``day``."""
        return any(block.level == "BLOCK" and block.holds_on(day) for block in self.blocks)

    def encumbered_on(self, day: date) -> bool:
        """Whether a mortgage or another security stands on ``day``."""
        return any(start <= day < end for start, end, _ in self.mortgages) or any(
            registration.stands_on(day) for registration in self.securities
        )


@dataclass(slots=True, eq=False)
class Deed:
    """A notarised transaction. ``lost``: its province has not synchronised it."""

    number: str
    kind: str
    day: date
    office: NotaryOffice
    notary: str
    parties: list[tuple[str, Owner]]
    assets: list[Asset]
    value: Decimal | None = None
    status: str = "VALID"
    related: str | None = None
    lost: bool = False


@dataclass(slots=True, eq=False)
class Will:
    """A notarised will (Law 46/2024; ``domain.md`` 2.6)."""

    deed: Deed
    testator: Citizen
    replaced_by: str | None = None
    opened: date | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of a registration (Decree 99/2022 Art. 18)."""

    ground: str
    day: date
    old: str | None
    new: str
    priority: bool


@dataclass(slots=True, eq=False)
class Registration:
    """A security over movables (Decree 99/2022; ``domain.md`` 2.2)."""

    number: str
    measure: str
    day: date
    securing: list[Owner]
    secured: Owner
    collateral: str
    asset: Asset | None = None
    description: str = ""
    value: Decimal | None = None
    ended: date | None = None
    ground: str | None = None
    status: str = "EFFECTIVE"
    retained: bool = False
    amendments: list[Amendment] = field(default_factory=list)
    notice: date | None = None
    duplicate_of: str | None = None

    def stands_on(self, day: date) -> bool:
        """Whether it is effective on ``day``."""
        return self.day <= day and (self.ended is None or day < self.ended)


@dataclass(slots=True)
class Obligation:
    """A debt, its paid part and the rest: ``amount == paid + remaining``."""

    kind: str
    amount: Decimal
    paid: Decimal
    periodic: bool = False

    @property
    def remaining(self) -> Decimal:
        """The part that is not paid yet."""
        return self.amount - self.paid


@dataclass(slots=True)
class Measure:
    """A security or coercive measure (Law 106/2025; ``domain.md`` 2.4)."""

    coercive: bool
    kind: str
    day: date
    addressee: str
    asset: Asset | None = None
    lifted: date | None = None


@dataclass(slots=True, eq=False)
class DebtCase:
    """An enforcement case. ``since`` is the day of its present status."""

    number: str
    judgment_no: str
    kind: str
    issued: date
    effective: date
    requested: date | None
    decided: date
    deadline: date
    agency: Organisation
    debtors: list[Owner]
    creditor: Owner | None
    related: list[Citizen]
    obligations: list[Obligation]
    status: str
    since: date
    closed: date | None
    measures: list[Measure] = field(default_factory=list)
    exit_stop: tuple[Citizen, date, date | None] | None = None
    notice: tuple[date, date | None] | None = None
    loan: Registration | None = None

    @property
    def last(self) -> Citizen | None:
        """The first debtor, if a person."""
        first = self.debtors[0]
        return first if isinstance(first, Citizen) else None


Handler = Callable[..., None]


@dataclass(slots=True)
class Estate:
    """All property of one cluster, and a heap of future events, in the order of the days."""

    family: Family
    rng: Random
    today: date
    assets: list[Asset] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    wills: list[Will] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    cases: list[DebtCase] = field(default_factory=list)
    backfilled: set[tuple[int, bool]] = field(default_factory=set)
    poor: set[int] = field(default_factory=set)
    companies: list[tuple[Citizen, Organisation]] = field(default_factory=list)
    heap: list[tuple[date, int, Handler, tuple[Any, ...]]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def push(self, day: date, handler: Handler, *arguments: Any) -> None:
        """Schedule ``handler(estate, day, *arguments)``, unless ``day`` is today or later."""
        if day < self.today:
            heapq.heappush(self.heap, (day, self.next("heap"), handler, arguments))

    def run(self) -> None:
        """Run all scheduled events, day by day."""
        while self.heap:
            day, _, handler, arguments = heapq.heappop(self.heap)
            handler(self, day, *arguments)

    def next(self, kind: str) -> int:
        """Return 0, 1, ... for each kind of number."""
        count = self.counts.get(kind, 0)
        self.counts[kind] = count + 1
        return count

    def serial(self, kind: str, room: int) -> int:
        """Return a number that is unique for this kind over all clusters."""
        count = self.next(kind)
        if count >= room:
            raise ValueError(f"a cluster has more than {room} of {kind}")
        return self.family.index * room + count


def able(owner: Owner, day: date) -> bool:
    """Whether somebody can act on ``day``: of age, alive, with capacity (Civil Code 2015)."""
    if not isinstance(owner, Citizen):
        return True
    return (
        owner.alive_on(day)
        and birthday(owner.born, 18) <= day
        and (owner.incapacitated is None or day < owner.incapacitated)
    )


def couple(person: Citizen, day: date) -> list[Citizen]:
    """Return somebody and, if married on ``day``, the spouse."""
    union = person.union_on(day)
    return [person] if union is None else [person, union.spouse(person)]
