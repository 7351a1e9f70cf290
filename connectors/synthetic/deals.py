"""Notarised deals: sales, gifts, mortgages, authorisations, leases, agreements of spouses.

Land and houses must be notarised (Land and Housing Laws); vehicles between private people are as a
rule. Law on Marriage and Family 52/2014 Art. 33-35: what spouses acquire for money is common
property, and both dispose of it; Art. 43: what one of them is given or inherits is theirs alone.
"""

from __future__ import annotations

from datetime import date

from connectors.synthetic import organisations, securities
from connectors.synthetic.assets import (
    buyers_of,
    deed,
    free,
    home_kind,
    joint,
    money,
    new_asset,
    outsider,
    owned,
    shares,
)
from connectors.synthetic.draw import age_on, later, pick, workday
from connectors.synthetic.model import Citizen
from connectors.synthetic.property_model import (
    COMMON,
    Asset,
    Block,
    Deed,
    Estate,
    Holding,
    Owner,
    able,
)


def _for_sale(estate: Estate, buyers: list[Owner], day: date, vehicle: bool) -> Asset:
    """Find an asset to buy: of others in the cluster, of an outsider, or of a company."""
    rng = estate.rng
    chance = rng.random()
    if chance < 0.35:
        other = pick(rng, estate.family.people)
        if other not in buyers and able(other, day):
            for asset in owned(estate, other, day, vehicle=vehicle):
                if free(asset, day) and not set(buyers) & set(asset.owners()):
                    return asset
    at = pick(rng, estate.family.homes)
    kind = "VEHICLE" if vehicle else home_kind(rng)
    seller: Owner = outsider(estate, day)
    if kind == "APARTMENT" and rng.random() < 0.7:
        seller = organisations.company(rng, "Bất động sản")
    before = later(rng, day, -4000, -200)
    return new_asset(estate, kind, at, Holding(before, shares([seller]), "Nhận chuyển nhượng"))


def _sale(estate: Estate, day: date, asset: Asset, buyers: list[Owner]) -> None:
    """Sell an asset by a notarised contract, sometimes after a notarised deposit."""
    rng = estate.rng
    vehicle = asset.kind == "VEHICLE"
    value = money(rng, 120, 900) if vehicle else money(rng, 350, 6_000)
    sellers = asset.owners()
    parties: list[tuple[str, Owner]] = [("TRANSFEROR", seller) for seller in sellers]
    parties += [("TRANSFEREE", buyer) for buyer in buyers]
    if not vehicle and rng.random() < 0.25:
        before = workday(later(rng, day, -60, -15))
        same = all(_same_unions(owner, before, day) for _, owner in parties)
        if before < day and same and free(asset, before):
            deed(estate, "DEPOSIT", before, list(parties), [asset], value / 10)
    deed(estate, "SALE", day, parties, [asset], value)
    asset.holdings.append(Holding(day, joint(buyers), "Nhận chuyển nhượng, mua bán"))


def _same_unions(owner: Owner, day: date, other: date) -> bool:
    if not isinstance(owner, Citizen):
        return True
    return able(owner, day) and owner.union_on(day) is owner.union_on(other)


def buy_home(estate: Estate, day: date, person: Citizen) -> None:
    """Buy land, a house or an apartment; three in ten mortgage it at once."""
    day, buyers = workday(day), buyers_of(estate, person, workday(day))
    if buyers is None or day >= estate.today or age_on(person.born, day) < 24:
        return
    asset = _for_sale(estate, buyers, day, vehicle=False)
    _sale(estate, day, asset, buyers)
    if estate.rng.random() < 0.3:
        estate.push(later(estate.rng, day, 5, 40), mortgage_asset, asset)


def buy_vehicle(estate: Estate, day: date, person: Citizen) -> None:
    """Buy a vehicle: new from a dealer (no notary), or used (notarised); many on a bank's loan."""
    day, buyers = workday(day), buyers_of(estate, person, workday(day))
    if buyers is None or day >= estate.today or age_on(person.born, day) > 70:
        return
    rng = estate.rng
    estate.backfilled.add((person.index, True))
    if rng.random() < 0.62:
        holding = Holding(day, joint(buyers), "Mua mới tại đại lý")
        asset = new_asset(estate, "VEHICLE", person.home_on(day), holding)
        chance = 0.75
    else:
        asset = _for_sale(estate, buyers, day, vehicle=True)
        _sale(estate, day, asset, buyers)
        chance = 0.3
    if rng.random() < chance:
        estate.push(later(rng, day, 1, 12), securities.secure_vehicle, asset)


def sell(estate: Estate, day: date, person: Citizen) -> None:
    """Sell a home to somebody outside the cluster."""
    day = workday(day)
    for asset in owned(estate, person, day):
        if day < estate.today and free(asset, day):
            _sale(estate, day, asset, [outsider(estate, day)])
            return


def mortgage(estate: Estate, day: date, person: Citizen) -> None:
    """Mortgage a home to a bank."""
    for asset in owned(estate, person, day):
        mortgage_asset(estate, day, asset)
        return


def mortgage_asset(estate: Estate, day: date, asset: Asset) -> None:
    """Mortgage a certain home to a bank: notarised here, registered with the land registry."""
    day, rng = workday(day), estate.rng
    if day >= estate.today or not free(asset, day):
        return
    bank = organisations.bank(rng)
    people: list[Owner] = [owner for owner in asset.owners() if isinstance(owner, Citizen)]
    if not people:
        return
    parties: list[tuple[str, Owner]] = [("MORTGAGOR", person) for person in people]
    deed(estate, "MORTGAGE", day, [*parties, ("MORTGAGEE", bank)], [asset], money(rng, 200, 2_500))
    asset.mortgages.append((day, later(rng, day, 700, 4500), bank))


def give(estate: Estate, day: date, person: Citizen) -> None:
    """Give a home to a grown child: it becomes the child's own (Law 52/2014 Art. 43)."""
    day, grown = workday(day), _grown(estate, person, workday(day))
    if day >= estate.today or not grown or age_on(person.born, day) < 48:
        return
    for asset in owned(estate, person, day):
        child = pick(estate.rng, grown)
        if free(asset, day) and child not in asset.owners():
            parties: list[tuple[str, Owner]] = [("TRANSFEROR", owner) for owner in asset.owners()]
            deed(estate, "DONATION", day, [*parties, ("TRANSFEREE", child)], [asset])
            asset.holdings.append(Holding(day, shares([child]), "Được tặng cho"))
            return


def _grown(estate: Estate, person: Citizen, day: date) -> list[Citizen]:
    return [
        child for child in person.children if able(child, day) and child.index not in estate.poor
    ]


def authorise(estate: Estate, day: date, person: Citizen) -> None:
    """Authorise a relative, mostly about a home; some authorisations are cancelled later."""
    day, rng = workday(day), estate.rng
    relatives = [relative for relative in family_of(person) if able(relative, day)]
    if day >= estate.today or not relatives or not able(person, day):
        return
    assets = [asset for asset in owned(estate, person, day) if free(asset, day)]
    principals: list[Owner] = assets[0].owners() if assets else [person]
    agents = [relative for relative in relatives if relative not in principals]
    if agents:
        parties: list[tuple[str, Owner]] = [("PRINCIPAL", principal) for principal in principals]
        authorisation = deed(
            estate, "AUTHORISATION", day, [*parties, ("AGENT", pick(rng, agents))], assets[:1]
        )
        if rng.random() < 0.15:
            estate.push(later(rng, day, 30, 500), _revise, authorisation)


def lease(estate: Estate, day: date, person: Citizen) -> None:
    """Let a home to a company; some leases are amended later."""
    day, rng = workday(day), estate.rng
    for asset in owned(estate, person, day):
        if day < estate.today and free(asset, day):
            parties: list[tuple[str, Owner]] = [("LESSOR", owner) for owner in asset.owners()]
            parties.append(("LESSEE", organisations.company(rng)))
            contract = deed(estate, "LEASE", day, parties, [asset], money(rng, 40, 600))
            if rng.random() < 0.25:
                estate.push(later(rng, day, 60, 700), _revise, contract)
            return


def _revise(estate: Estate, day: date, earlier: Deed) -> None:
    """Cancel or amend an earlier transaction by a new one of the same parties."""
    day = workday(day)
    parties = [owner for _, owner in earlier.parties]
    same = all(owner in parties for asset in earlier.assets for owner in asset.owners())
    blocked = any(asset.blocked_on(day) for asset in earlier.assets)
    if day >= estate.today or blocked or not same or not all(able(name, day) for name in parties):
        return
    amend = earlier.kind == "LEASE" and estate.rng.random() < 0.6
    new = deed(
        estate, "AMEND" if amend else "CANCEL", day, list(earlier.parties), list(earlier.assets)
    )
    new.lost, new.related = earlier.lost, earlier.number
    earlier.status = "AMENDED" if amend else "CANCELLED"


def agree(estate: Estate, day: date, person: Citizen) -> None:
    """Turn common property into the property of one spouse by agreement (Law 52/2014 Art. 38)."""
    day, both = workday(day), buyers_of(estate, person, workday(day))
    if day >= estate.today or both is None or len(both) < 2:
        return
    for asset in owned(estate, person, day):
        if free(asset, day) and asset.holding.owners[0][1] == COMMON:
            deed(estate, "SPOUSAL_PROPERTY_AGREEMENT", day, [("SPOUSE", p) for p in both], [asset])
            origin = "Chia tài sản chung của vợ chồng"
            asset.holdings.append(Holding(day, shares([pick(estate.rng, both)]), origin))
            return


def warn(estate: Estate, day: date, person: Citizen) -> None:
    """Add a notaries' warning of a dispute or a lost certificate; it does not block anything."""
    rng = estate.rng
    for asset in owned(estate, person, day):
        kind = "LOST_CERTIFICATE" if rng.random() < 0.6 else "DISPUTE_WARNING"
        number = estate.serial("prevent", 200)
        issuer = f"UBND {asset.home.commune}"
        end = later(rng, day, 40, 1500)
        document = f"{number}/TB-UBND"
        asset.seen = True
        asset.blocks.append(
            Block(
                f"NC-{number:08d}", kind, "WARN", person, issuer, document, day,
                end if end < estate.today else None,
            )
        )  # fmt: skip
        return


def family_of(person: Citizen) -> list[Citizen]:
    """Return spouses, children and parents of somebody."""
    near = [union.spouse(person) for union in person.unions if union.end is None]
    near += person.children
    return near + [parent for parent in (person.mother, person.father) if parent is not None]
