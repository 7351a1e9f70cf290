"""The truth about a person's property, debts and wills, in the registers' numbers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from connectors.synthetic.debts import CLOSED
from connectors.synthetic.model import Citizen
from connectors.synthetic.property_model import Estate


@dataclass(frozen=True, slots=True)
class OwnedAsset:
    """An asset that somebody owns today and that notaries know. ``blocked``: no transactions.

    ``certificate_no`` of a home, ``chassis_no`` of a vehicle.
    """

    asset_id: str
    kind: str
    share: str
    blocked: bool
    certificate_no: str | None
    chassis_no: str | None


@dataclass(frozen=True, slots=True)
class CaseRole:
    """The role of a person in a case (DEBTOR, CREDITOR, RELATED), and whether it is open."""

    decision_no: str
    role: str
    status: str
    open: bool


@dataclass(frozen=True, slots=True)
class SecurityRole:
    """The role of a person in a registration (SECURING, SECURED), and whether it is effective."""

    registration_no: str
    role: str
    effective: bool


@dataclass(slots=True)
class Possessions:
    """The possessions of one person. ``transactions`` exclude wills, which are in ``wills``."""

    assets: list[OwnedAsset] = field(default_factory=list)
    cases: list[CaseRole] = field(default_factory=list)
    securities: list[SecurityRole] = field(default_factory=list)
    transactions: list[str] = field(default_factory=list)
    wills: list[str] = field(default_factory=list)

    def tags(self) -> tuple[str, ...]:
        """Return the tags of design section 10 that property, securities and debts give."""
        facts = {
            "debtor": any(case.role == "DEBTOR" for case in self.cases),
            "secured_party": bool(self.securities),
            "notarised": bool(self.transactions),
            "blocked_asset": any(asset.blocked for asset in self.assets),
            "testator": bool(self.wills),
        }
        return tuple(tag for tag, holds in facts.items() if holds)


def possessions(estate: Estate | None) -> dict[int, Possessions]:
    """Return the possessions of the people of a cluster by their index; none without an estate."""
    by_person: dict[int, Possessions] = defaultdict(Possessions)
    if estate is None:
        return by_person
    _assets(estate, by_person)
    for case in estate.cases:
        named = [("DEBTOR", debtor) for debtor in case.debtors]
        named += [("RELATED", person) for person in case.related]
        if case.creditor is not None:
            named.append(("CREDITOR", case.creditor))
        for role, owner in named:
            if isinstance(owner, Citizen):
                now = CaseRole(case.number, role, case.status, case.status not in CLOSED)
                by_person[owner.index].cases.append(now)
    for registration in estate.registrations:
        standing = registration.status == "EFFECTIVE"
        named = [("SECURING", owner) for owner in registration.securing]
        for role, owner in [*named, ("SECURED", registration.secured)]:
            if isinstance(owner, Citizen):
                entry = SecurityRole(registration.number, role, standing)
                by_person[owner.index].securities.append(entry)
    return by_person


def _assets(estate: Estate, by_person: dict[int, Possessions]) -> None:
    for asset in estate.assets:
        if asset.seen:
            blocked = asset.blocked_on(estate.today)
            for owner, share in asset.holding.owners:
                if isinstance(owner, Citizen):
                    numbers = (asset.certificate_no, asset.chassis_no)
                    owned = OwnedAsset(asset.asset_id, asset.kind, share, blocked, *numbers)
                    by_person[owner.index].assets.append(owned)
    for deed in estate.deeds:
        for person in {id(p): p for _, p in deed.parties if isinstance(p, Citizen)}.values():
            if deed.kind == "WILL":
                by_person[person.index].wills.append(deed.number)
            elif not deed.lost:
                by_person[person.index].transactions.append(deed.number)
