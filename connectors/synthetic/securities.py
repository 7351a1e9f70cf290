"""Securities over movables that people and their companies give (Decree 99/2022/NĐ-CP).

A vehicle bought on a loan is mortgaged to the bank; farmers give crops, companies machinery and
receivables; some people lend money against a vehicle. How many is an assumption of this project
(``domain.md`` section 5: several 100,000 to more than a million a year, unverified).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from connectors.synthetic import organisations
from connectors.synthetic.draw import age_on, between, later, pick, workday
from connectors.synthetic.model import Citizen
from connectors.synthetic.organisations import Organisation
from connectors.synthetic.property_model import (
    Amendment,
    Asset,
    Estate,
    Owner,
    Registration,
    able,
)

#: From when on registrations are in the central database (assumption: on-line since 2012).
SECURITIES_SINCE = date(2012, 3, 1)
_DELETED_RATE, _AMENDED_RATE = 0.8, 0.12
_SHUFFLE = 6_180_347  # without a common divisor with a power of ten
_THINGS = (
    ("MACHINERY", "Máy công cụ CNC, dây chuyền sản xuất đồng bộ"),
    ("RECEIVABLE", "Quyền đòi nợ phát sinh từ hợp đồng mua bán hàng hóa"),
    ("INVENTORY", "Hàng hóa luân chuyển trong quá trình sản xuất, kinh doanh"),
    ("UNLISTED_SECURITIES", "Cổ phần phổ thông chưa niêm yết"),
)


def register(
    estate: Estate,
    day: date,
    measure: str,
    securing: list[Owner],
    secured: Owner,
    collateral: str,
    asset: Asset | None = None,
) -> Registration:
    """Enter a security into the register."""
    serial = estate.serial("security", 100)
    number = f"{1_000_000_000 + _SHUFFLE * serial % 10**9}"
    made = Registration(number, measure, day, securing, secured, collateral, asset)
    estate.registrations.append(made)
    if asset is not None:
        asset.securities.append(made)
    return made


def secure_vehicle(estate: Estate, day: date, asset: Asset) -> None:
    """Mortgage a vehicle to the bank that lent the money for it."""
    day, owners, rng = workday(day), asset.owners(), estate.rng
    if not SECURITIES_SINCE <= day < estate.today or not all(able(one, day) for one in owners):
        return
    if asset.encumbered_on(day) or asset.blocked_on(day):
        return
    bank = organisations.bank(rng)
    made = register(estate, day, "MORTGAGE", owners, bank, "MOTOR_VEHICLE", asset)
    _go_on(estate, made)


def _go_on(estate: Estate, made: Registration) -> None:
    """Plan what becomes of a registration: amended, doubled by mistake, deleted."""
    rng = estate.rng
    if rng.random() < _AMENDED_RATE:
        estate.push(later(rng, made.day, 20, 900), _amend, made)
    if rng.random() < 0.02:
        twin = register(
            estate, made.day, made.measure, made.securing, made.secured, made.collateral, made.asset
        )
        twin.what, twin.value, twin.duplicate_of = made.what, made.value, made.number
        estate.push(later(rng, made.day, 3, 40), delete, twin, "CANCELLED", None)
    ground = "OBLIGATION_ENDED" if rng.random() < 0.85 else "AGREEMENT"
    if rng.random() < _DELETED_RATE:
        estate.push(later(rng, made.day, 500, 2600), delete, made, "DELETED", ground)


def delete(estate: Estate, day: date, made: Registration, status: str, ground: str | None) -> None:
    """Delete a registration once the debt is paid; not while its asset is blocked."""
    day = workday(day)
    if day >= estate.today or made.kept or (made.asset is not None and made.asset.blocked_on(day)):
        return
    if all(isinstance(one, Citizen) and not one.alive_on(day) for one in made.securing):
        return
    made.ended, made.status, made.ground = day, status, ground


def release(estate: Estate, day: date, made: Registration) -> None:
    """Delete a registration that an enforcement case held back, now that the debt is paid."""
    made.kept = False
    delete(estate, day, made, "DELETED", "OBLIGATION_ENDED")


def _amend(estate: Estate, day: date, made: Registration) -> None:
    """Amend a registration; what is added ranks from now on (Decree 99/2022 Art. 6(1)(c))."""
    day, rng = workday(day), estate.rng
    living = all(able(one, day) for one in (*made.securing, made.secured))
    if day >= estate.today or not made.stands_on(day) or not living:
        return
    chance = rng.random()
    if chance < 0.45:
        one = Amendment("ADD_OBLIGATION", day, None, "bổ sung nghĩa vụ theo phụ lục hợp đồng", True)
    elif chance < 0.8:
        wrong = "số hợp đồng ghi thiếu"
        one = Amendment("FIX_DECLARATION_ERROR", day, wrong, "số hợp đồng ghi đủ", False)
    else:
        one = Amendment("OTHER", day, "địa chỉ cũ", "địa chỉ theo đơn vị hành chính mới", False)
    made.amendments.append(one)


def do_business(estate: Estate, day: date, person: Citizen) -> None:
    """Give crops as a farmer, or machinery and claims as a company's representative."""
    day, rng = workday(day), estate.rng
    if not SECURITIES_SINCE <= day < estate.today or not able(person, day):
        return
    if age_on(person.born, day) > 72:
        return
    if person.home_on(day).commune.startswith("xã") and rng.random() < 0.45:
        made = register(estate, day, "MORTGAGE", [person], organisations.bank(rng), "ANNUAL_CROP")
        made.what = f"Cây hằng năm (lúa, ngô, mía) tại {person.home_on(day).commune}"
    else:
        company = company_of(estate, person)
        if company is None:
            return
        kind, what = pick(rng, _THINGS)
        made = register(estate, day, "MORTGAGE", [company], organisations.bank(rng), kind)
        made.what = what
        if kind == "INVENTORY":
            made.value = Decimal(between(rng, 500, 9_000)) * 1_000_000
    _go_on(estate, made)


def company_of(estate: Estate, person: Citizen) -> Organisation | None:
    """Return the company that somebody represents, founded when it is first needed."""
    for owner, company in estate.companies:
        if owner is person:
            return company
    if len(estate.companies) >= organisations.OWN_COMPANIES // 2:
        return None
    made = organisations.own_company(
        estate.family.index, len(estate.companies), person.home, person.name.full
    )
    estate.companies.append((person, made))
    return made


def lend(estate: Estate, day: date, person: Citizen) -> None:
    """Lend money privately to somebody of the cluster against their vehicle."""
    day, rng = workday(day), estate.rng
    if not SECURITIES_SINCE <= day < estate.today or not able(person, day):
        return
    for asset in estate.assets:
        owners = asset.owners()
        if asset.kind != "VEHICLE" or person in owners or asset.holding.start >= day:
            continue
        people = [one for one in owners if isinstance(one, Citizen) and able(one, day)]
        if len(people) == len(owners) and not asset.encumbered_on(day):
            if asset.blocked_on(day) or asset.last_deed >= day:
                continue
            measure = "PLEDGE" if rng.random() < 0.5 else "MORTGAGE"
            _go_on(estate, register(estate, day, measure, owners, person, "MOTOR_VEHICLE", asset))
            return
