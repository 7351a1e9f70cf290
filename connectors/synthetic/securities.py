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


def register_securities(
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
    registration = Registration(number, measure, day, securing, secured, collateral, asset)
    estate.registrations.append(registration)
    if asset is not None:
        asset.securities.append(registration)
    return registration


def secure_vehicle(estate: Estate, day: date, asset: Asset) -> None:
    """Mortgage a vehicle to the bank that lent the money for it."""
    day, owners, rng = workday(day), asset.owners(), estate.rng
    if not SECURITIES_SINCE <= day < estate.today or not all(able(owner, day) for owner in owners):
        return
    if asset.encumbered_on(day) or asset.blocked_on(day):
        return
    bank = organisations.bank(rng)
    registration = register_securities(
        estate, day, "MORTGAGE", owners, bank, "MOTOR_VEHICLE", asset
    )
    _go_on(estate, registration)


def _go_on(estate: Estate, registration: Registration) -> None:
    """Draw the further course of a registration: amended, entered twice by mistake, deleted."""
    rng = estate.rng
    if rng.random() < _AMENDED_RATE:
        estate.push(later(rng, registration.day, 20, 900), _amend, registration)
    if rng.random() < 0.02:
        twin = register_securities(
            estate,
            registration.day,
            registration.measure,
            registration.securing,
            registration.secured,
            registration.collateral,
            registration.asset,
        )
        twin.description, twin.value, twin.duplicate_of = (
            registration.description,
            registration.value,
            registration.number,
        )
        estate.push(later(rng, registration.day, 3, 40), delete, twin, "CANCELLED", None)
    ground = "OBLIGATION_ENDED" if rng.random() < 0.85 else "AGREEMENT"
    if rng.random() < _DELETED_RATE:
        estate.push(
            later(rng, registration.day, 500, 2600), delete, registration, "DELETED", ground
        )


def delete(
    estate: Estate, day: date, registration: Registration, status: str, ground: str | None
) -> None:
    """Delete a registration once the debt is paid; not while its asset is blocked."""
    day = workday(day)
    if (
        day >= estate.today
        or registration.retained
        or (registration.asset is not None and registration.asset.blocked_on(day))
    ):
        return
    if all(
        isinstance(owner, Citizen) and not owner.alive_on(day) for owner in registration.securing
    ):
        return
    registration.ended, registration.status, registration.ground = day, status, ground


def release(estate: Estate, day: date, registration: Registration) -> None:
    """Delete a registration that an enforcement case held back, now that the debt is paid."""
    registration.retained = False
    delete(estate, day, registration, "DELETED", "OBLIGATION_ENDED")


def _amend(estate: Estate, day: date, registration: Registration) -> None:
    """Amend a registration; what is added ranks from now on (Decree 99/2022 Art. 6(1)(c))."""
    day, rng = workday(day), estate.rng
    living = all(able(owner, day) for owner in (*registration.securing, registration.secured))
    if day >= estate.today or not registration.stands_on(day) or not living:
        return
    chance = rng.random()
    if chance < 0.45:
        amendment = Amendment(
            "ADD_OBLIGATION", day, None, "bổ sung nghĩa vụ theo phụ lục hợp đồng", True
        )
    elif chance < 0.8:
        wrong = "số hợp đồng ghi thiếu"
        amendment = Amendment("FIX_DECLARATION_ERROR", day, wrong, "số hợp đồng ghi đủ", False)
    else:
        amendment = Amendment(
            "OTHER", day, "địa chỉ cũ", "địa chỉ theo đơn vị hành chính mới", False
        )
    registration.amendments.append(amendment)


def do_business(estate: Estate, day: date, person: Citizen) -> None:
    """Give crops as a farmer, or machinery and claims as a company's representative."""
    day, rng = workday(day), estate.rng
    if not SECURITIES_SINCE <= day < estate.today or not able(person, day):
        return
    if age_on(person.born, day) > 72:
        return
    if person.home_on(day).commune.startswith("xã") and rng.random() < 0.45:
        registration = register_securities(
            estate, day, "MORTGAGE", [person], organisations.bank(rng), "ANNUAL_CROP"
        )
        registration.description = f"Cây hằng năm (lúa, ngô, mía) tại {person.home_on(day).commune}"
    else:
        company = company_of(estate, person)
        if company is None:
            return
        kind, collateral = pick(rng, _THINGS)
        registration = register_securities(
            estate, day, "MORTGAGE", [company], organisations.bank(rng), kind
        )
        registration.description = collateral
        if kind == "INVENTORY":
            registration.value = Decimal(between(rng, 500, 9_000)) * 1_000_000
    _go_on(estate, registration)


def company_of(estate: Estate, person: Citizen) -> Organisation | None:
    """Return the company that somebody represents, founded on first use."""
    for owner, company in estate.companies:
        if owner is person:
            return company
    if len(estate.companies) >= organisations.OWN_COMPANIES // 2:
        return None
    founded = organisations.company_of_owner(
        estate.family.index,
        len(estate.companies),
        person.home,
        person.name.full,
        number=person.number,
    )
    estate.companies.append((person, founded))
    return founded


def lend(estate: Estate, day: date, person: Citizen) -> None:
    """Lend money privately to somebody of the cluster against their vehicle."""
    day, rng = workday(day), estate.rng
    if not SECURITIES_SINCE <= day < estate.today or not able(person, day):
        return
    for asset in estate.assets:
        owners = asset.owners()
        if asset.kind != "VEHICLE" or person in owners or asset.holding.start >= day:
            continue
        people = [owner for owner in owners if isinstance(owner, Citizen) and able(owner, day)]
        if len(people) == len(owners) and not asset.encumbered_on(day):
            if asset.blocked_on(day) or asset.last_deed >= day:
                continue
            measure = "PLEDGE" if rng.random() < 0.5 else "MORTGAGE"
            _go_on(
                estate,
                register_securities(estate, day, measure, owners, person, "MOTOR_VEHICLE", asset),
            )
            return
