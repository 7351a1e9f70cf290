"""Assets, who may dispose of them, and the deeds by which they do.

Law on Marriage and Family 52/2014 Art. 33-35: what spouses acquire for money is common property,
and both dispose of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from connectors.synthetic import names, organisations
from connectors.synthetic.draw import between, birthday, later, pick
from connectors.synthetic.model import Citizen
from connectors.synthetic.places import Home
from connectors.synthetic.property_model import (
    COMMON,
    HOMES,
    Asset,
    Deed,
    Estate,
    Holding,
    Outsider,
    Owner,
    able,
    couple,
)

#: Of the transactions before this year, as many are not synchronised to the central database.
_GAPS_UNTIL, _GAP_RATE = 2016, 0.06
_HAS_HOME, _HAS_VEHICLE = 0.62, 0.4
_BRANDS = ("Toyota Vios", "Hyundai Accent", "Kia Morning", "Honda City", "Mazda 3", "Ford Ranger",
           "VinFast VF 5", "Thaco Towner", "Isuzu QKR", "Suzuki Carry")  # fmt: skip
_LETTERS = "ABCDEFGHKLM"


def money(rng: Random, low: int, high: int) -> Decimal:
    """Draw an amount of whole millions of đồng."""
    return Decimal(between(rng, low, high)) * 1_000_000


def new_asset(estate: Estate, kind: str, at: Home, holding: Holding) -> Asset:
    """Add an asset; a vehicle with a chassis number of its own."""
    rng, serial = estate.rng, estate.serial("asset", 900)
    asset = Asset(f"TS-{serial:08d}", kind, at, serial, [holding])
    if kind == "VEHICLE":
        asset.brand = pick(rng, _BRANDS)
        asset.chassis_no = f"RLV{asset.brand[:2].upper()}{between(rng, 100, 999)}N{serial:08d}"
        asset.engine_no = f"{asset.brand[0]}{between(rng, 10, 99)}E{serial:08d}"
        plate = f"{at.province.new_code}{pick(rng, list(_LETTERS))}"
        asset.plate_no = f"{plate}-{between(rng, 100, 999)}.{between(rng, 10, 99)}"
    estate.assets.append(asset)
    return asset


def shares(owners: Sequence[Owner]) -> tuple[tuple[Owner, str], ...]:
    """Return owners with equal shares."""
    return tuple((owner, f"1/{len(owners)}") for owner in owners)


def joint(buyers: Sequence[Owner]) -> tuple[tuple[Owner, str], ...]:
    """Return the shares of buyers: spouses own in common, a single buyer owns wholly."""
    return tuple((buyer, COMMON) for buyer in buyers) if len(buyers) == 2 else shares(buyers)


def free(asset: Asset, day: date) -> bool:
    """Whether an asset can be transacted on ``day`` by those who own it."""
    return (
        asset.holding.start < day
        and asset.last_deed < day
        and not asset.blocked_on(day)
        and not asset.encumbered_on(day)
        and all(able(owner, day) for owner in asset.owners())
    )


def owned(estate: Estate, person: Citizen, day: date, *, vehicle: bool = False) -> list[Asset]:
    """Return the homes, or vehicles, that somebody owns on ``day``.

    Assets from before the simulation are drawn when somebody first needs one.
    """
    assets = [
        asset
        for asset in estate.assets
        if (asset.kind == "VEHICLE") == vehicle and person in asset.owners()
    ]
    if not assets and (person.index, vehicle) not in estate.backfilled:
        estate.backfilled.add((person.index, vehicle))
        old = _of_old(estate, person, day, vehicle)
        assets = [] if old is None else [old]
    return assets


def _of_old(estate: Estate, person: Citizen, day: date, vehicle: bool) -> Asset | None:
    rng = estate.rng
    first = birthday(person.born, 23)
    changes = [u.start for u in person.unions if u.start <= day]
    changes += [u.end for u in person.unions if u.end is not None and u.end <= day]
    first = max([first, *changes])
    length = (day - first).days
    if length < 30 or rng.random() > (_HAS_VEHICLE if vehicle else _HAS_HOME):
        return None
    if vehicle:
        first, length = max(first, day - timedelta(days=3000)), min(length, 3000)
    start = later(rng, first, 1, length - 10)
    owners = joint(couple(person, day))
    for owner, _ in owners:
        if isinstance(owner, Citizen):
            estate.backfilled.add((owner.index, vehicle))
    origin = "Mua mới tại đại lý" if vehicle else "Công nhận quyền sử dụng đất"
    kind = "VEHICLE" if vehicle else home_kind(rng)
    return new_asset(estate, kind, person.home_on(start), Holding(start, owners, origin))


def home_kind(rng: Random) -> str:
    """Draw the kind of a home."""
    chance = rng.random()
    return HOMES[0] if chance < 0.5 else HOMES[1] if chance < 0.8 else HOMES[2]


def deed(
    estate: Estate,
    kind: str,
    day: date,
    parties: list[tuple[str, Owner]],
    assets: list[Asset],
    value: Decimal | None = None,
) -> Deed:
    """Add a notarised transaction, at an office of the province where the first party lives."""
    rng = estate.rng
    first = next(owner for _, owner in parties if isinstance(owner, Citizen))
    code = first.home_on(day).province.new_code
    office = organisations.notary_office(code, between(rng, 0, organisations.OFFICES - 1))
    number = f"{estate.serial('deed', 900)}/{day.year}/{office.organisation_id}"
    new = Deed(number, kind, day, office, pick(rng, office.notaries)[0], parties, assets, value)
    new.lost = day.year < _GAPS_UNTIL and rng.random() < _GAP_RATE
    estate.deeds.append(new)
    for asset in assets:
        asset.last_deed = max(asset.last_deed, day)
        asset.seen = asset.seen or not new.lost
    return new


def outsider(estate: Estate, day: date) -> Outsider:
    """Return somebody from outside the population."""
    rng, at = estate.rng, pick(estate.rng, estate.family.homes)
    sex = "MALE" if rng.random() < 0.5 else "FEMALE"
    year = day.year - between(rng, 27, 60)
    full = names.name(rng, names.family_name(rng, "Kinh", at.province.southern), sex, year).full
    return Outsider(full, year, at)


def buyers_of(estate: Estate, person: Citizen, day: date) -> list[Owner] | None:
    """Return the buyers, both spouses; None if one is unable to buy or without means."""
    both: list[Owner] = list(couple(person, day))
    if not all(able(buyer, day) for buyer in both):
        return None
    return None if any(buyer.index in estate.poor for buyer in couple(person, day)) else both
