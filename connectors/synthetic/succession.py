"""Succession and division of property at deaths and divorces, and wills.

Civil Code 2015 Art. 651 (heirs of the first rank: spouse, parents, children), Art. 656 and Law on
Notarization 46/2024 (division of an estate), Law on Marriage and Family 52/2014 Art. 38 and 59.
"""

from __future__ import annotations

from datetime import date, timedelta

from connectors.synthetic.assets import buyers_of, deed, free, owned, shares
from connectors.synthetic.draw import age_on, later, pick, workday
from connectors.synthetic.model import Citizen, Union
from connectors.synthetic.property_model import (
    COMMON,
    Asset,
    Estate,
    Holding,
    Owner,
    Will,
    able,
)

_SETTLED_RATE, _OPENED_RATE, _RENOUNCED_RATE, _AGREED_RATE = 0.45, 0.75, 0.12, 0.35


def plan_successions(estate: Estate, dead: Citizen) -> None:
    """Have the heirs settle an estate some day, as not all do."""
    assert dead.died is not None
    if estate.rng.random() < _SETTLED_RATE:
        estate.push(later(estate.rng, dead.died, 90, 900), _settle, dead)


def _settle(estate: Estate, day: date, dead: Citizen) -> None:
    """Divide what somebody left, or declare the inheritance of an only heir."""
    day = workday(day)
    assert dead.died is not None
    heirs = _heirs(dead)
    living = [heir for heir in heirs if heir.died is None or heir.died > day]
    if day >= estate.today or not living or not all(able(heir, day) for heir in living):
        return
    for asset in owned(estate, dead, dead.died - timedelta(days=1))[:2]:
        if _divisible(asset, dead, living, day):
            _divide(estate, day, asset, living)


def _heirs(dead: Citizen) -> list[Citizen]:
    """Return the heirs of the first rank (Civil Code Art. 651(1)(a)) who outlived somebody."""
    spouses = [
        union.spouse(dead)
        for union in dead.unions
        if union.end == dead.died and union.reason == "DEATH_OF_SPOUSE"
    ]
    near = [*spouses, *dead.children, dead.mother, dead.father]
    return [
        person
        for person in near
        if person is not None
        and (person.died is None or dead.died is None or person.died > dead.died)
    ]


def _divisible(asset: Asset, dead: Citizen, heirs: list[Citizen], day: date) -> bool:
    """Whether what somebody left can be divided: owned alone, or in common with the widowed."""
    rest = [owner for owner in asset.owners() if owner is not dead]
    return (
        asset.last_deed < day
        and asset.holding.start < day
        and not asset.blocked_on(day)
        and not asset.encumbered_on(day)
        and (not rest or (asset.holding.owners[0][1] == COMMON and rest[0] in heirs))
    )


def _divide(estate: Estate, day: date, asset: Asset, heirs: list[Citizen]) -> None:
    rng = estate.rng
    taking = list(heirs)
    for heir in heirs[1:]:
        if len(taking) > 2 and rng.random() < _RENOUNCED_RATE and heir not in asset.owners():
            taking.remove(heir)
            deed(estate, "RENUNCIATION", day, [("HEIR", heir)], [asset])
    only = len(taking) == 1
    kind = "INHERITANCE_DECLARATION" if only else "INHERITANCE_DIVISION"
    deed(estate, kind, day, [("HEIR", heir) for heir in taking], [asset])
    fit = [heir for heir in taking if heir.index not in estate.poor] or taking
    chance = rng.random()
    new = fit if chance < 0.25 and len(fit) <= 4 else [pick(rng, fit)]
    if chance > 0.6:
        new = fit[:1]
    asset.holdings.append(Holding(day, shares(new), "Nhận thừa kế"))


def plan_division(estate: Estate, union: Union) -> None:
    """Have spouses who part divide their property: by a notarised agreement, or the court does."""
    assert union.end is not None
    rng = estate.rng
    if rng.random() < _AGREED_RATE:
        estate.push(later(rng, union.end, -150, -20), _part, union)
    estate.push(union.end, _divided, union)


def _part(estate: Estate, day: date, union: Union) -> None:
    day = workday(day)
    both = buyers_of(estate, union.husband, day)
    if day.year < 2010 or union.husband.union_on(day) is not union or both is None:
        return
    for asset in owned(estate, union.husband, day):
        if free(asset, day) and asset.holding.owners[0][1] == COMMON:
            deed(estate, "SPOUSAL_PROPERTY_AGREEMENT", day, [("SPOUSE", p) for p in both], [asset])
            origin = "Chia tài sản chung của vợ chồng"
            asset.holdings.append(Holding(day, shares([pick(estate.rng, both)]), origin))


def _divided(estate: Estate, day: date, union: Union) -> None:
    """Turn common property into property by equal shares (Law 52/2014 Art. 59(2))."""
    for asset in estate.assets:
        owners = asset.owners()
        if len(owners) == 2 and {id(union.husband), id(union.wife)} == set(map(id, owners)):
            asset.holdings.append(Holding(day, shares(owners), asset.holding.origin))


def make_will(estate: Estate, day: date, person: Citizen) -> None:
    """Make a will before a notary; a later one replaces the one before."""
    day, rng = workday(day), estate.rng
    if day >= estate.today or age_on(person.born, day) < 52 or not able(person, day):
        return
    parties: list[tuple[str, Owner]] = [("TESTATOR", person)]
    testament = deed(estate, "WILL", day, parties, [])
    testament.lost = False
    for will in estate.wills:
        if will.testator is person and will.replaced_by is None:
            will.replaced_by = testament.number
    estate.wills.append(Will(testament, person))
    if rng.random() < 0.12:
        estate.push(later(rng, day, 200, 2500), make_will, person)


def open_wills(estate: Estate) -> None:
    """Open the last wills of the dead, never those of the living (Civil Code Art. 647)."""
    for will in estate.wills:
        died = will.testator.died
        if died is None or will.replaced_by is not None:
            continue
        day = workday(later(estate.rng, died, 10, 240))
        if day < estate.today and estate.rng.random() < _OPENED_RATE:
            will.opened = day
